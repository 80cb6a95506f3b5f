// SPDX-License-Identifier: BSL-1.0
// Every penalty, by its definition: prox(v, step) minimises value(z) + |z - v|^2 / (2 step).
#include <boost/test/unit_test.hpp>

#include <cmath>
#include <cstddef>
#include <limits>
#include <random>
#include <span>
#include <tuple>
#include <type_traits>
#include <vector>

#include <gamut/penalty/box.hpp>
#include <gamut/penalty/elastic_net.hpp>
#include <gamut/penalty/group.hpp>
#include <gamut/penalty/l0.hpp>
#include <gamut/penalty/l1.hpp>
#include <gamut/penalty/l2.hpp>
#include <gamut/penalty/mcp.hpp>
#include <gamut/penalty/none.hpp>
#include <gamut/penalty/scad.hpp>

using namespace gamut;

namespace {

/// A penalty as the documentation tells users to write one.
struct nonnegative {
    constexpr auto value(auto w) const { return w < 0 ? std::numeric_limits<decltype(w)>::infinity() : decltype(w){0}; }
    constexpr auto prox(auto w, auto) const { return w < 0 ? decltype(w){0} : w; }
};

const auto penalties = std::make_tuple(
    penalty::none{}, penalty::l1{.strength = 0.7}, penalty::l1{.strength = 0}, penalty::l2{.strength = 2.5},
    penalty::elastic_net{.l1 = 0.4, .l2 = 1.5}, penalty::box{.lower = -0.5, .upper = 0.25}, penalty::box{.lower = 0},
    penalty::box{.lower = 0.3, .upper = 0.6}, nonnegative{}, penalty::l0{.kappa = 3}, penalty::l0{.kappa = 0},
    penalty::l0{.kappa = 100}, penalty::l0{.kappa = 4, .l2 = 0.5, .l1 = 0.2},
    penalty::l0{.kappa = 2, .l2 = 0.1, .lower = -0.4, .upper = 1, .over = penalty::support::per_output},
    penalty::l0{.kappa = 2, .l1 = 0.3, .over = penalty::support::rows, .free = {1}}, penalty::mcp{.strength = 0.3},
    penalty::mcp{.strength = 0.8, .gamma = 1.5}, penalty::scad{.strength = 0.3},
    penalty::scad{.strength = 0.6, .gamma = 2.2}, penalty::scad{.strength = 0}, penalty::group{.strength = 0.5},
    penalty::group{.strength = 0.4, .sizes = {2, 1, 2}}, penalty::group{.sizes = {3, 2}, .weights = {0.2, 0}},
    penalty::group{.strength = 0.3, .sizes = {3, 2}, .l1 = 0.2});

constexpr penalty::layout shape{.features = 5, .outputs = 2};

template <class P>
double prox_objective(const P& p, const std::vector<double>& z, const std::vector<double>& v, double step) {
    double distance = 0;
    for (std::size_t j = 0; j < v.size(); ++j) distance += (z[j] - v[j]) * (z[j] - v[j]);
    return penalty::value(p, std::span<const double>(z), shape) + distance / (2 * step);
}

template <class T, class P> std::vector<T> prox_of(const P& p, const std::vector<T>& v, T step) {
    std::vector<T> z(v.size());
    penalty::prox(p, std::span<const T>(v), step, std::span<T>(z), shape);
    return z;
}

template <class F> void for_each_penalty(F&& f) {
    std::apply([&](const auto&... p) { (f(p), ...); }, penalties);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(penalty_conformance)

BOOST_AUTO_TEST_CASE(every_penalty_satisfies_the_concept_in_float_and_double) {
    for_each_penalty([](const auto& p) {
        using P = std::remove_cvref_t<decltype(p)>;
        static_assert(penalty::Penalty<P, double> && penalty::Penalty<P, float>);
        penalty::explain<P>();
        penalty::validate(p, shape);
    });
}

BOOST_AUTO_TEST_CASE(prox_minimises_value_plus_squared_distance_over_two_steps) {
    std::mt19937_64 engine(1);
    std::normal_distribution<double> normal;
    for_each_penalty([&](const auto& p) {
        for (const double step : {0.05, 1.0, 7.0}) {
            for (int trial = 0; trial < 10; ++trial) {
                std::vector<double> v(shape.size());
                for (double& x : v) x = normal(engine);
                const auto best = prox_of(p, v, step);
                const double least = prox_objective(p, best, v, step);
                BOOST_TEST_REQUIRE(std::isfinite(least));
                // other points: near the answer, near v, sparse mixtures of both, exact zeros
                for (int other = 0; other < 300; ++other) {
                    auto z = best;
                    const double width = std::pow(10.0, -(other % 6));
                    for (std::size_t j = 0; j < z.size(); ++j) {
                        switch (engine() % 4) {
                        case 0:
                            z[j] += width * normal(engine);
                            break;
                        case 1:
                            z[j] = 0;
                            break;
                        case 2:
                            z[j] = v[j] * static_cast<double>(engine() % 3) / 2;
                            break;
                        default:
                            break;
                        }
                    }
                    BOOST_TEST_REQUIRE(prox_objective(p, z, v, step) >= least - 1e-12 * (1 + std::abs(least)));
                }
            }
        }
    });
}

BOOST_AUTO_TEST_CASE(prox_of_a_tiny_step_stays_and_is_idempotent_on_indicators) {
    const std::vector<double> v{0.31, 0.4, 0.5, 0.59, 0.35, 0.45, 0.55, 0.33, 0.44, 0.5};
    for_each_penalty([&](const auto& p) {
        if constexpr (penalty::Separable<std::remove_cvref_t<decltype(p)>>) {
            for (const double x : v) {
                const double z = p.prox(x, 1e-14);
                if (std::isfinite(p.value(x)))
                    BOOST_TEST(std::abs(z - x) <= 1e-12);
                else
                    BOOST_TEST(p.prox(z, 1e-14) == z);
            }
        }
    });
}

BOOST_AUTO_TEST_CASE(prox_may_write_where_it_reads) {
    const std::vector<double> v{3, -1, 4, 1, -5, 9, 2, -6, 5, 0.1};
    for_each_penalty([&](const auto& p) {
        auto in_place = v;
        penalty::prox(p, std::span<const double>(in_place), 0.5, std::span<double>(in_place), shape);
        BOOST_TEST(in_place == prox_of(p, v, 0.5), boost::test_tools::per_element());
    });
}

BOOST_AUTO_TEST_CASE(what_is_not_a_number_is_not_hidden) {
    for_each_penalty([&](const auto& p) {
        if constexpr (requires { p.kappa; }) {
            if (p.kappa == 0) return;  // everything is 0, whatever v is
        }
        std::vector<double> v(shape.size(), 1.0);
        v[7] = std::numeric_limits<double>::quiet_NaN();
        BOOST_TEST(std::isnan(prox_of(p, v, 0.5)[7]));
    });
}

BOOST_AUTO_TEST_CASE(float_agrees_with_double) {
    const std::vector<double> v{3, -1, 4, 1, -5, 9, 2, -6, 5, 0.125};
    const std::vector<float> w(v.begin(), v.end());
    for_each_penalty([&](const auto& p) {
        const auto z = prox_of(p, v, 0.5);
        const auto s = prox_of(p, w, 0.5f);
        for (std::size_t j = 0; j < z.size(); ++j) BOOST_TEST(std::abs(z[j] - s[j]) <= 1e-6 * (1 + std::abs(z[j])));
    });
}

BOOST_AUTO_TEST_CASE(derivatives_of_smooth_penalties_are_those_of_the_value) {
    for_each_penalty([&](const auto& p) {
        using P = std::remove_cvref_t<decltype(p)>;
        if constexpr (penalty::Smooth<P>) {
            for (const double w : {-2.0, -0.1, 0.0, 0.5, 3.0}) {
                const double h = 1e-4;
                BOOST_TEST(std::abs((p.value(w + h) - p.value(w - h)) / (2 * h) - p.derivative(w)) <= 1e-9);
                BOOST_TEST(std::abs((p.derivative(w + h) - p.derivative(w - h)) / (2 * h) - p.second_derivative(w)) <=
                           1e-9);
            }
        }
    });
}

BOOST_AUTO_TEST_CASE(sizes_that_do_not_fit_are_an_error) {
    std::vector<double> v(shape.size() + 1), out(shape.size() + 1), small(shape.size());
    for_each_penalty([&](const auto& p) {
        BOOST_CHECK_THROW(penalty::prox(p, std::span<const double>(v), 1.0, std::span<double>(out), shape),
                          core::shape_error);
        BOOST_CHECK_THROW(penalty::prox(p, std::span<const double>(small), 1.0, std::span<double>(out), shape),
                          core::shape_error);
    });
}

BOOST_AUTO_TEST_SUITE_END()

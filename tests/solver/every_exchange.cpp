// SPDX-License-Identifier: BSL-1.0
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <gamut/core/random.hpp>
#include <gamut/model/logistic.hpp>
#include <gamut/penalty/l0.hpp>
#include <gamut/solver/detail/every_exchange.hpp>
#include <gamut/solver/swap.hpp>

#include "enumerate.hpp"

using namespace gamut;

namespace {

using problem = enumerate::problem<model::logistic>;

/// 30 rows of 24 columns, most of which are 0 in most rows: 2024 supports of three.
enumerate::rows rare_rows(std::uint64_t seed) {
    const core::random draw{.seed = seed};
    constexpr std::size_t n = 30, p = 24;
    std::vector<double> x(n * p), y(n);
    for (std::size_t i = 0; i < n; ++i) {
        double z = 0.5 * draw.normal(i);
        for (std::size_t j = 0; j < p; ++j) {
            const std::size_t at = 1000 + i * p + j;
            if (draw.uniform(10000 + at) < 0.2) x[i * p + j] = draw.normal(at);
            z += (j < 4 ? 2 : 0) * x[i * p + j];
        }
        y[i] = z > 0 ? 1 : 0;
    }
    y[0] = 0, y[1] = 1;
    return data::arrays(x, n, p, y).load(fits::any_communicator{}, {.classification = true, .blocks = 4});
}

/// The best of the supports that differ from that of w in one column.
double best_neighbour(const problem& p, const problem::array& w) {
    double best = std::numeric_limits<double>::infinity();
    const std::size_t features = p.layout().features;
    for (std::size_t in = 0; in < features; ++in)
        for (std::size_t out = 0; out < features && w[in] == 0; ++out) {
            if (w[out] == 0) continue;
            problem::array start(p.dimension());
            for (std::size_t j = 0; j < features; ++j) start[j] = (w[j] != 0 && j != out) || j == in ? 0.01 : 0;
            best = std::min(best, solver::polish{}.improve(p, start).objective);
        }
    return best;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(solver_every_exchange)

BOOST_AUTO_TEST_CASE(no_exchange_improves_what_is_said_to_be_such) {
    std::size_t improved = 0;
    for (const std::uint64_t seed : {1u, 2u, 3u, 4u, 5u, 6u}) {
        const enumerate::rows data = rare_rows(seed);
        const auto p = enumerate::problem_of<model::logistic>(data, {.kappa = 3, .l2 = 1e-3});
        const auto found = solver::swap{.restarts = 0}.minimize(p);
        BOOST_TEST(found.message.find("no exchange of one weight improves it: each of 63 was fitted") !=
                       std::string::npos,
                   found.message);
        BOOST_TEST(found.objective <= best_neighbour(p, found.weights) * (1 + 1e-9));
        const auto quick = solver::swap{.restarts = 0, .compare_by_fits = false}.minimize(p);
        BOOST_TEST(quick.message.find("no promising exchange of one weight") != std::string::npos, quick.message);
        BOOST_TEST(found.objective <= quick.objective * (1 + 1e-12));
        improved += found.objective < quick.objective * (1 - 1e-6);
    }
    BOOST_TEST(improved > 0u);
}

/// From any support on, whatever else is found: the exchanges alone, and places that are empty.
BOOST_AUTO_TEST_CASE(exchanges_go_on_until_none_is_better) {
    const enumerate::rows data = rare_rows(7);
    const auto p = enumerate::problem_of<model::logistic>(data, {.kappa = 3, .l2 = 1e-2, .free = {5}});
    for (const std::size_t members : {1u, 3u}) {
        problem::array w(p.dimension());
        for (std::size_t j = 0; j < members; ++j) w[23 - j] = 0.1;
        auto best = solver::polish{}.improve(p, w);
        const solver::detail::every_exchange<problem> exchanges(p, best.weights);
        BOOST_TEST(exchanges.affordable());
        std::size_t asked = 0;
        const auto fitted = exchanges.improve(solver::polish{}, best, [&](const auto&) { return ++asked > 0; });
        BOOST_TEST_REQUIRE(fitted.has_value());
        BOOST_TEST(*fitted == 3u * 20u);
        BOOST_TEST(asked > *fitted);
        BOOST_TEST(p.nonzeros(best.weights) == 4u);
        problem::array counted = best.weights;
        const double free = counted[5];
        counted[5] = 0;  // best_neighbour takes what is 0 for a candidate
        BOOST_TEST(free != 0);
        BOOST_TEST(best.objective <= best_neighbour(p, counted) * (1 + 1e-9));
    }
}

BOOST_AUTO_TEST_CASE(who_is_asked_may_end_it) {
    const enumerate::rows data = rare_rows(8);
    const auto p = enumerate::problem_of<model::logistic>(data, {.kappa = 3, .l2 = 1e-2});
    auto best = solver::polish{}.improve(p, p.start());
    const solver::detail::every_exchange<problem> exchanges(p, best.weights);
    std::size_t asked = 0;
    BOOST_TEST(!exchanges.improve(solver::polish{}, best, [&](const auto&) { return ++asked < 5; }).has_value());
    BOOST_TEST(asked == 5u);
}

BOOST_AUTO_TEST_SUITE_END()

// SPDX-License-Identifier: BSL-1.0
// What holds for every rule: elementwise, so pieces have the bits of the whole; the same in spans and arrays.
#include <boost/test/unit_test.hpp>

#include <array>
#include <cmath>
#include <cstddef>
#include <limits>
#include <span>
#include <type_traits>
#include <vector>

#include <gamut/backend/host.hpp>
#include <gamut/core/random.hpp>
#include <gamut/update/concept.hpp>

#include "rules.hpp"

using namespace gamut;

namespace {

constexpr std::size_t n = 67;  // no multiple of what a machine computes at once

template <class R> constexpr std::size_t slots_of = std::remove_cvref_t<R>::slots;

template <class T> std::vector<T> normals(std::size_t count, std::uint64_t stream) {
    const core::random draws{.seed = 3, .stream = stream};
    std::vector<T> x(count);
    for (std::size_t i = 0; i < count; ++i) x[i] = static_cast<T>(draws.normal(i));
    return x;
}

double length(const auto& g) {
    double sum = 0;
    for (const auto x : g) sum += static_cast<double>(x) * static_cast<double>(x);
    return std::sqrt(sum);
}

/// Weights after some steps of rate 0.1 along random gradients, the weights cut into pieces with memories of their own.
template <class T, class R>
std::vector<T> walk(const R& rule, std::size_t steps, const std::vector<std::size_t>& cuts) {
    const std::size_t count = cuts.back();
    std::vector<T> w = normals<T>(count, 0);
    std::vector<std::vector<T>> memories;
    for (std::size_t p = 0; p + 1 < cuts.size(); ++p) memories.emplace_back(slots_of<R> * (cuts[p + 1] - cuts[p]));
    for (std::size_t k = 1; k <= steps; ++k) {
        std::vector<T> g = normals<T>(count, k);
        const double whole = length(g);
        for (std::size_t p = 0; p + 1 < cuts.size(); ++p) {
            const std::size_t size = cuts[p + 1] - cuts[p];
            const auto gradient = std::span(g).subspan(cuts[p], size);
            update::direct(rule, k, whole, std::span<const T>(w).subspan(cuts[p], size), gradient,
                           std::span(memories[p]));
        }
        for (std::size_t j = 0; j < count; ++j) w[j] -= T(0.1) * g[j];
    }
    return w;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(update_conformance)

BOOST_AUTO_TEST_CASE(every_rule_satisfies_the_concept_in_float_and_double) {
    for_each_rule([](const auto& rule) {
        using R = std::remove_cvref_t<decltype(rule)>;
        static_assert(update::Update<R, double> && update::Update<R, float>);
        update::validate(rule);
    });
    static_assert(update::NeedsLength<update::clip<>> && !update::NeedsLength<update::adam>);
    static_assert(update::is_adaptive<update::adam> && update::is_adaptive<update::clip<update::adam>>);
    static_assert(!update::is_adaptive<update::momentum> && !update::is_adaptive<update::clip<>>);
    static_assert(!update::is_adaptive<running_mean>);
    static_assert(!update::Update<int> && !update::Update<double>);
}

BOOST_AUTO_TEST_CASE(a_piece_of_the_weights_has_the_bits_of_the_whole) {
    for_each_rule([](const auto& rule) {
        const auto check = [&](auto zero) {
            using T = decltype(zero);
            const auto whole = walk<T>(rule, 7, {0, n});
            for (const auto& cuts : std::vector<std::vector<std::size_t>>{
                     {0, 33, n}, {0, 1, 2, 3, n}, {0, 0, 64, n, n}, {0, 7, 14, 21, 28, 35, 42, 49, 56, 63, n}})
                BOOST_TEST(walk<T>(rule, 7, cuts) == whole, boost::test_tools::per_element());
        };
        check(0.0);
        check(0.0f);
    });
}

BOOST_AUTO_TEST_CASE(arrays_of_a_backend_have_the_bits_of_spans) {
    for_each_rule([](const auto& rule) {
        using R = std::remove_cvref_t<decltype(rule)>;
        if constexpr (!update::NeedsLength<R>) {
            using array = backend::array<backend::host<double>>;
            array w{std::span<const double>(normals<double>(n, 0))}, g(n);
            std::array<array, R::slots> memory;
            for (array& m : memory) m = array(n);
            for (std::size_t k = 1; k <= 7; ++k) {
                g.upload(normals<double>(n, k));
                update::direct(rule, k, w, g, memory);
                w = w - 0.1 * g;
            }
            BOOST_TEST(w.download() == walk<double>(rule, 7, {0, n}), boost::test_tools::per_element());
        }
    });
}

BOOST_AUTO_TEST_CASE(float_agrees_with_double) {
    for_each_rule([](const auto& rule) {
        const auto exact = walk<double>(rule, 5, {0, 40});
        const auto rounded = walk<float>(rule, 5, {0, 40});
        for (std::size_t j = 0; j < exact.size(); ++j)
            BOOST_TEST(std::abs(exact[j] - rounded[j]) <= 2e-5 * (1 + std::abs(exact[j])));
    });
}

BOOST_AUTO_TEST_CASE(what_is_not_a_number_is_not_hidden_and_stays_where_it_is) {
    const double nan = std::numeric_limits<double>::quiet_NaN();
    for_each_rule([&](const auto& rule) {
        std::vector<double> w(3, 1.0), g{0.5, nan, 0.25}, memory(3 * slots_of<decltype(rule)>);
        update::direct(rule, 1, 1.0, std::span<const double>(w), std::span(g), std::span(memory));
        BOOST_TEST(std::isfinite(g[0]));
        BOOST_TEST(std::isnan(g[1]));
        BOOST_TEST(std::isfinite(g[2]));
    });
}

BOOST_AUTO_TEST_CASE(a_gradient_that_stays_becomes_its_gain_times_itself) {
    for_each_rule([](const auto& rule) {
        if constexpr (!update::is_adaptive<std::remove_cvref_t<decltype(rule)>>) {
            std::vector<double> w(1), g(1), memory(slots_of<decltype(rule)>);
            for (std::size_t k = 1; k <= 500; ++k) {
                g[0] = 0.25;
                update::direct(rule, k, 0.25, std::span<const double>(w), std::span(g), std::span(memory));
            }
            BOOST_TEST(std::abs(g[0] - 0.25 * update::gain(rule)) <= 1e-12);
        }
    });
}

BOOST_AUTO_TEST_CASE(no_weights_are_no_error) {
    for_each_rule([](const auto& rule) {
        std::vector<double> none;
        update::direct(rule, 1, 0.0, std::span<const double>(none), std::span(none), std::span(none));
        BOOST_TEST(none.empty());
    });
}

BOOST_AUTO_TEST_CASE(sizes_that_do_not_fit_and_step_0_are_errors) {
    for_each_rule([](const auto& rule) {
        constexpr std::size_t slots = slots_of<decltype(rule)>;
        std::vector<double> w(4), g(4), memory(4 * slots), small(3), large(4 * slots + 1);
        const std::span<const double> weights(w);
        BOOST_CHECK_THROW(update::direct(rule, 1, 1.0, weights, std::span(small), std::span(memory)),
                          core::shape_error);
        BOOST_CHECK_THROW(update::direct(rule, 1, 1.0, weights, std::span(g), std::span(large)), core::shape_error);
        BOOST_CHECK_THROW(update::direct(rule, 0, 1.0, weights, std::span(g), std::span(memory)), core::option_error);
    });
}

BOOST_AUTO_TEST_SUITE_END()

// SPDX-License-Identifier: BSL-1.0
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <gamut/backend/host.hpp>
#include <gamut/core/random.hpp>
#include <gamut/quadratic/support.hpp>
#include <gamut/quadratic/support_search.hpp>
#include <gamut/quadratic/units.hpp>

#include "random_quadratic.hpp"

using namespace gamut;
using test::best_value;
using test::random_quadratic;

namespace {

/// A random quadratic of units of these sizes.
quadratic::objective some_quadratic(const std::vector<std::size_t>& sizes, std::size_t places, std::uint64_t seed) {
    std::vector<std::size_t> unit{0};
    for (const std::size_t size : sizes) unit.push_back(unit.back() + size);
    return test::random_quadratic(seed, {0, unit.back()}, {places}, unit);
}

const std::vector<std::size_t> mixed{2, 1, 3, 2, 4, 1, 2, 3, 1, 2};

}  // namespace

BOOST_AUTO_TEST_SUITE(units)

BOOST_AUTO_TEST_CASE(a_support_that_changes_step_by_step_is_the_one_made_anew) {
    const auto f = some_quadratic(mixed, 8, 1);
    const core::random draw{.seed = 9};
    quadratic::units s(f);
    for (std::size_t step = 0; step < 400; ++step) {
        if (s.size() > 2 && (s.size() > 6 || draw.uniform(2 * step) < 0.4))
            s.remove(draw.below(2 * step + 1, s.size()));
        else
            s.add(draw.below(2 * step + 1, mixed.size()));
    }
    BOOST_TEST(std::abs(s.value() - best_value(f, s.sorted_members())) <= 1e-10 * std::abs(s.value()));
    auto anew = s;
    anew.refresh();
    const auto w = s.weights(), v = anew.weights();
    for (std::size_t j = 0; j < w.size(); ++j) BOOST_TEST(std::abs(w[j] - v[j]) <= 1e-9);
    for (std::size_t u = 0; u < mixed.size(); ++u) BOOST_TEST(std::abs(s.gain(u) - anew.gain(u)) <= 1e-9);
}

BOOST_AUTO_TEST_CASE(gains_and_losses_are_exact) {
    for (const std::uint64_t seed : {1u, 2u, 3u, 4u, 5u}) {
        const auto f = some_quadratic(mixed, 4, seed);
        quadratic::units s(f);
        for (const std::size_t u : {1u, 4u, 6u, 9u}) s.add(u);
        const std::vector<std::size_t> members = s.members();
        BOOST_TEST(members.size() == 4u);
        BOOST_TEST(s.entries() == 9u);
        test::check_against_refits(s, f, mixed.size());
        BOOST_TEST(std::abs(s.value() - best_value(f, s.sorted_members())) <= 1e-10);
    }
}

// the trace of (H_SS)^-1 decides about degrees of freedom
BOOST_AUTO_TEST_CASE(inverses_are_those_of_the_support) {
    const auto f = some_quadratic(mixed, 5, 6);
    quadratic::units s(f);
    for (const std::size_t u : {2u, 0u, 7u, 5u, 8u}) s.add(u);
    s.remove(1);
    double trace = 0;
    for (std::size_t place = 0; place < s.size(); ++place) trace += s.inverse(place);
    std::vector<std::size_t> columns;
    for (const std::size_t u : s.sorted_members())
        for (std::size_t j = f.unit[u]; j < f.unit[u + 1]; ++j) columns.push_back(j);
    const std::size_t k = columns.size();
    std::vector<double> factor(k * k);
    for (std::size_t i = 0; i < k; ++i)
        for (std::size_t j = 0; j < k; ++j) factor[i * k + j] = f.hessian(columns[i], columns[j]);
    BOOST_TEST_REQUIRE(backend::host<double>::factorize(k, factor.data()));
    double expected = 0;
    for (std::size_t i = 0; i < k; ++i) {
        std::vector<double> unit(k);
        unit[i] = 1;
        backend::host<double>::solve(k, factor.data(), unit.data());
        expected += unit[i];
    }
    BOOST_TEST(std::abs(trace - expected) <= 1e-10 * expected);
}

BOOST_AUTO_TEST_CASE(units_of_one_candidate_are_candidates) {
    for (const std::uint64_t seed : {1u, 2u, 3u}) {
        auto f = some_quadratic(std::vector<std::size_t>(24, 1), 6, seed);
        quadratic::units blocks(f);
        quadratic::fill(blocks);
        quadratic::descend(blocks);
        f.unit.clear();
        quadratic::support entries(f);
        quadratic::fill(entries);
        quadratic::descend(entries);
        BOOST_TEST(blocks.sorted_members() == entries.sorted_members(), boost::test_tools::per_element());
        BOOST_TEST(std::abs(blocks.value() - entries.value()) <= 1e-12);
    }
}

BOOST_AUTO_TEST_CASE(a_unit_that_others_explain_stays_out) {
    auto f = some_quadratic({2, 2, 2, 1}, 4, 3);
    for (std::size_t j = 0; j < 7; ++j)  // the third unit is the first one again
        for (std::size_t k = 0; k < 2; ++k) f.hessian(4 + k, j) = f.hessian(k, j);
    for (std::size_t j = 0; j < 7; ++j)
        for (std::size_t k = 0; k < 2; ++k) f.hessian(j, 4 + k) = f.hessian(j, k);
    for (std::size_t k = 0; k < 2; ++k) f.slope[4 + k] = f.slope[k];
    for (std::size_t j = 0; j < 7; ++j) f.hessian(j, j) *= 1 + 1e-12;
    quadratic::units s(f);
    BOOST_TEST(s.add(0));
    BOOST_TEST(!s.add(2));
    BOOST_TEST(s.add(1));
    BOOST_TEST(s.add(3));
    const auto exchange = s.best_exchange(-1);  // for its like, at no gain
    BOOST_TEST(exchange.candidate == 2u);
    BOOST_TEST(s.members()[exchange.place] == 0u);
    BOOST_TEST(std::abs(exchange.gain) <= 1e-8);
}

BOOST_AUTO_TEST_SUITE_END()

// SPDX-License-Identifier: BSL-1.0
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <gamut/core/random.hpp>
#include <gamut/quadratic/support.hpp>

#include "random_quadratic.hpp"

using namespace gamut;
using test::best_value;
using test::random_quadratic;

BOOST_AUTO_TEST_SUITE(support)

BOOST_AUTO_TEST_CASE(a_support_that_changes_step_by_step_is_the_one_made_anew) {
    const auto f = random_quadratic(1, {0, 30}, {30});
    const core::random draw{.seed = 9};
    quadratic::support s(f);
    for (std::size_t step = 0; step < 400; ++step) {
        if (s.size() > 2 && (s.size() > 12 || draw.uniform(2 * step) < 0.4))
            s.remove(draw.below(2 * step + 1, s.size()));
        else
            s.add(draw.below(2 * step + 1, 30));
    }
    const std::vector<std::size_t> members = s.sorted_members();
    BOOST_TEST(std::abs(s.value() - best_value(f, members)) <= 1e-10 * std::abs(s.value()));
    auto anew = s;
    anew.refresh();
    const auto w = s.weights(), v = anew.weights();
    for (std::size_t j = 0; j < 30; ++j) {
        BOOST_TEST(std::abs(w[j] - v[j]) <= 1e-9);
        BOOST_TEST(std::abs(s.gain(j) - anew.gain(j)) <= 1e-9);
    }
}

BOOST_AUTO_TEST_CASE(gains_and_losses_are_exact) {
    for (const std::uint64_t seed : {1u, 2u, 3u}) {
        const auto f = random_quadratic(seed, {0, 14}, {5});
        quadratic::support s(f);
        for (const std::size_t j : {1u, 4u, 6u, 9u, 13u}) s.add(j);
        test::check_against_refits(s, f, 14);
    }
}

BOOST_AUTO_TEST_CASE(a_support_set_at_once_is_that_of_additions) {
    const auto [dense, lazy] = test::of_few_rows(7, 40, 33, 9);
    for (const auto* const f : {&dense, &lazy}) {
        quadratic::support one_by_one(*f), at_once(*f);
        at_once.reset({30, 5, 11});                                  // what was there before is gone
        const std::vector<std::size_t> wanted{0, 17, 4, 29, 17, 8};  // one of them twice
        for (const std::size_t j : wanted) one_by_one.add(j);
        at_once.reset(wanted);
        BOOST_TEST(one_by_one.members() == at_once.members(), boost::test_tools::per_element());
        BOOST_TEST(std::abs(one_by_one.value() - at_once.value()) <= 1e-11 * std::abs(at_once.value()));
        const auto w = one_by_one.weights(), v = at_once.weights();
        for (std::size_t j = 0; j < 33; ++j) {
            BOOST_TEST(std::abs(w[j] - v[j]) <= 1e-9);
            BOOST_TEST(std::abs(one_by_one.gain(j) - at_once.gain(j)) <= 1e-9);
        }
        // and it goes on from there
        at_once.add(12);
        at_once.remove(1);
        BOOST_TEST(std::abs(at_once.value() - best_value(dense, at_once.members())) <=
                   1e-9 * std::abs(at_once.value()));
        at_once.reset({});
        BOOST_TEST(at_once.value() == 0);
        BOOST_TEST(at_once.size() == 0u);
    }
}

BOOST_AUTO_TEST_CASE(what_the_members_explain_is_left_out_when_they_are_set_at_once) {
    auto f = random_quadratic(3, {0, 12}, {12});
    for (std::size_t j = 0; j < 12; ++j) f.hessian(11, j) = f.hessian(2, j);
    for (std::size_t j = 0; j < 12; ++j) f.hessian(j, 11) = f.hessian(j, 2);
    quadratic::support s(f);
    s.reset({5, 2, 11, 7});
    BOOST_TEST(s.members() == (std::vector<std::size_t>{5, 2, 7}), boost::test_tools::per_element());
    BOOST_TEST(std::abs(s.value() - best_value(f, s.members())) <= 1e-10);
}

BOOST_AUTO_TEST_SUITE_END()

// SPDX-License-Identifier: BSL-1.0
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <gamut/communicator/single.hpp>
#include <gamut/quadratic/support.hpp>
#include <gamut/quadratic/support_search.hpp>

#include "random_quadratic.hpp"

using namespace gamut;
using test::best_value;
using test::random_quadratic;

BOOST_AUTO_TEST_SUITE(support_search)

BOOST_AUTO_TEST_CASE(searches_from_a_support_with_room_left_may_fill_it) {
    const auto f = random_quadratic(6, {0, 9, 20}, {4, 30});  // the second group has more room than candidates
    quadratic::support base(f);
    base.reset({3, 12});
    BOOST_TEST(base.most() == 15u);
    const auto found = quadratic::disturbed_supports(communicator::single<>{}, 1, base, 0, 40, {0.8}, 1);
    BOOST_TEST(found.size() == 40u);
    for (const auto& support : found) {
        BOOST_TEST(support.members.size() <= 15u);
        BOOST_TEST(support.members.size() > 2u);
        BOOST_TEST(std::abs(support.value - best_value(f, support.members)) <= 1e-9 * std::abs(support.value));
    }
}

BOOST_AUTO_TEST_CASE(candidates_stay_in_their_groups) {
    const auto f = random_quadratic(4, {0, 8, 20}, {2, 3});
    quadratic::support s(f);
    quadratic::fill(s);
    quadratic::descend(s);
    const auto members = s.sorted_members();
    BOOST_TEST(members.size() == 5u);
    BOOST_TEST(std::count_if(members.begin(), members.end(), [](std::size_t j) { return j < 8; }) == 2);
    // no exchange within a group is better
    for (std::size_t place = 0; place < 5; ++place)
        for (std::size_t j = 0; j < 20; ++j) {
            if ((j < 8) != (members[place] < 8) || std::find(members.begin(), members.end(), j) != members.end())
                continue;
            auto other = members;
            other[place] = j;
            BOOST_TEST(best_value(f, other) >= s.value() - 1e-10);
        }
}

BOOST_AUTO_TEST_SUITE_END()

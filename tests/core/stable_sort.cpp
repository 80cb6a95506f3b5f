// SPDX-License-Identifier: BSL-1.0
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cstddef>
#include <gamut/core/random.hpp>
#include <gamut/core/stable_sort.hpp>
#include <utility>
#include <vector>

using namespace gamut;

BOOST_AUTO_TEST_SUITE(stable_sort)

BOOST_AUTO_TEST_CASE(sorts_as_the_standard_library_does) {
    const core::random numbers{.seed = 7, .stream = 0};
    for (const std::size_t n : {0, 1, 2, 3, 10, 1000}) {
        std::vector<std::pair<int, std::size_t>> ours;
        for (std::size_t i = 0; i < n; ++i)
            ours.emplace_back(static_cast<int>(5 * numbers.uniform(i)), i);  // many are equal
        auto theirs = ours;
        const auto by_first = [](const auto& a, const auto& b) { return a.first > b.first; };
        core::stable_sort(ours, by_first);
        std::stable_sort(theirs.begin(), theirs.end(), by_first);
        BOOST_TEST((ours == theirs));
    }
}

BOOST_AUTO_TEST_SUITE_END()

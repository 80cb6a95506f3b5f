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

BOOST_AUTO_TEST_CASE(places_are_sorted_by_any_strict_order) {
    const core::random numbers{.seed = 3, .stream = 1};
    for (const std::size_t n : {0, 1, 2, 17, 500}) {
        std::vector<double> values(n);
        std::vector<std::size_t> places(n);
        for (std::size_t i = 0; i < n; ++i) {
            values[i] = static_cast<double>(static_cast<int>(10 * numbers.uniform(i)));
            places[i] = n - 1 - i;
        }
        core::sort_places(places, [&](std::size_t a, std::size_t b) {
            return values[a] != values[b] ? values[a] < values[b] : a < b;
        });
        for (std::size_t k = 1; k < n; ++k) {
            const std::size_t a = places[k - 1], b = places[k];
            BOOST_TEST((values[a] < values[b] || (values[a] == values[b] && a < b)));
        }
        std::sort(places.begin(), places.end());
        for (std::size_t k = 0; k < n; ++k) BOOST_TEST(places[k] == k);
    }
}

BOOST_AUTO_TEST_SUITE_END()

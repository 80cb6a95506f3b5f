// SPDX-License-Identifier: BSL-1.0
#include <gamut/core/sum_tree.hpp>

#include <boost/test/unit_test.hpp>

#include <cmath>
#include <cstddef>
#include <limits>
#include <vector>

#include <gamut/core/random.hpp>

using namespace gamut;

BOOST_AUTO_TEST_SUITE(sum_tree)

BOOST_AUTO_TEST_CASE(numbers_are_found_in_proportion) {
    const std::vector<double> wanted{0, 3, 1, 0, 2, 4, 0};
    core::sum_tree last(wanted.size());
    last.assign(wanted);
    BOOST_TEST(last.total() == 10);
    std::vector<double> seen(wanted.size(), 0.0);
    constexpr std::size_t draws = 100000;
    for (std::size_t i = 0; i < draws; ++i) ++seen[last.find(10 * core::random{.seed = 1}.uniform(i))];
    for (std::size_t j = 0; j < wanted.size(); ++j) {
        const double share = wanted[j] / 10, deviation = std::sqrt(share * (1 - share) / draws);
        BOOST_TEST(std::abs(seen[j] / draws - share) <= 5 * deviation);
    }
    BOOST_TEST(last.find(0) == 1u);  // the ends of the range
    BOOST_TEST(last.find(11) == 5u);
    BOOST_TEST(last.find(std::nextafter(10.0, 0.0)) == 5u);
    for (std::size_t j = 0; j < wanted.size(); ++j) last.set(j, 0);
    BOOST_TEST(last.total() == 0);  // nothing is left behind by rounding
    last.set(2, std::numeric_limits<double>::quiet_NaN());
    BOOST_TEST(last.total() == 0);
    last.set(2, std::numeric_limits<double>::infinity());
    last.set(3, std::numeric_limits<double>::infinity());
    BOOST_TEST(std::isfinite(last.total()));
}

BOOST_AUTO_TEST_CASE(find_finds_what_a_walk_finds) {
    for (const std::size_t size : {1u, 2u, 3u, 8u, 13u}) {
        core::sum_tree tree(size);
        tree.assign([](std::size_t k) { return static_cast<double>(k % 3) + 1; });
        tree.set(size / 2, 0.5);
        double sum = 0;
        for (std::size_t k = 0; k < size; ++k) {
            BOOST_TEST(tree.find(sum) == k);
            BOOST_TEST(tree.find(sum + 0.99 * tree[k]) == k);
            sum += tree[k];
        }
        BOOST_TEST(tree.total() == sum);
        BOOST_TEST(tree.find(sum) == size - 1);  // rounding may ask for it
    }
}

BOOST_AUTO_TEST_CASE(the_last_of_many_changes_is_what_counts) {
    constexpr std::size_t size = 37;
    core::sum_tree tree(size), fresh(size);
    std::vector<double> values(size);
    const core::random draws{.seed = 3};
    for (std::size_t i = 0; i < 2000; ++i) {
        const std::size_t k = draws.below(2 * i, size);
        tree.set(k, values[k] = draws.uniform(2 * i + 1));
    }
    fresh.assign(values);
    BOOST_TEST(tree.total() == fresh.total());  // to the last bit: sums are made anew
    for (std::size_t i = 0; i < 200; ++i) {
        const double u = draws.uniform(10000 + i) * tree.total();
        BOOST_TEST(tree.find(u) == fresh.find(u));
    }
}

BOOST_AUTO_TEST_SUITE_END()

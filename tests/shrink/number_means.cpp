// SPDX-License-Identifier: BSL-1.0
#include <gamut/shrink/number_means.hpp>

#include <gamut/core/random.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

using namespace gamut;

BOOST_AUTO_TEST_SUITE(number_means)

namespace {
using list = std::vector<double>;

double cost(const list& x, const list& means) {
    double sum = 0;
    for (const double one : x) {
        const double d = one - means[shrink::nearest_of(means, one)];
        sum += d * d;
    }
    return sum;
}
/// The least cost over all ways to cut the sorted numbers from `begin` on into k runs.
double least_cost(const list& sorted, std::size_t begin, std::size_t k) {
    const auto spread = [&](std::size_t end) {
        double mean = 0, sum = 0;
        for (std::size_t i = begin; i < end; ++i) mean += sorted[i] / static_cast<double>(end - begin);
        for (std::size_t i = begin; i < end; ++i) sum += (sorted[i] - mean) * (sorted[i] - mean);
        return sum;
    };
    if (k == 1) return spread(sorted.size());
    double best = std::numeric_limits<double>::infinity();
    for (std::size_t end = begin + 1; end + k - 1 <= sorted.size(); ++end)
        best = std::min(best, spread(end) + least_cost(sorted, end, k - 1));
    return best;
}
list drawn(std::size_t n, std::uint64_t seed) {
    const core::random draw{seed, 0};
    list x;
    for (std::size_t i = 0; i < n; ++i)
        x.push_back(seed % 3 == 0 ? std::round(3 * draw.normal(i))
                                  : std::exp(draw.normal(i)) - (seed % 2 == 0 ? 0.0 : 100.0));
    return x;
}
}  // namespace

BOOST_AUTO_TEST_CASE(no_centres_are_better) {
    for (std::uint64_t seed = 0; seed < 60; ++seed)
        for (std::size_t k = 1; k <= 5; ++k) {
            const list x = drawn(12, seed);
            list sorted = x;
            std::sort(sorted.begin(), sorted.end());
            const double least = least_cost(sorted, 0, k);
            BOOST_TEST(std::abs(cost(x, shrink::optimal_means(x, k)) - least) <= 1e-9 * (1 + least),
                       "seed " << seed << ", k " << k);
            BOOST_TEST(cost(x, shrink::linear_means(x, k)) >= least - 1e-9 * (1 + least));
        }
}

BOOST_AUTO_TEST_CASE(centres_ascend_and_are_means_of_what_is_nearest) {
    for (std::uint64_t seed = 0; seed < 6; ++seed) {
        const list x = drawn(3000, seed);
        const list best = shrink::optimal_means(x, 16), lloyd = shrink::linear_means(x, 16);
        for (const list& means : {best, lloyd}) {
            BOOST_TEST(means.size() <= 16u);
            BOOST_TEST(std::is_sorted(means.begin(), means.end()));
            list sums(means.size()), counts(means.size());
            for (const double one : x) {
                const std::size_t j = shrink::nearest_of(means, one);
                sums[j] += one, ++counts[j];
            }
            for (std::size_t j = 0; j < means.size(); ++j)
                BOOST_TEST(std::abs(sums[j] / counts[j] - means[j]) <= 1e-9 * (1 + std::abs(means[j])));
        }
        BOOST_TEST(cost(x, best) <= cost(x, lloyd) * (1 + 1e-12));
    }
}

BOOST_AUTO_TEST_CASE(few_different_numbers_are_their_own_centres) {
    const list x{0.1, -3, 0.1, 0.3, 0.1, -3};
    for (const std::size_t k : {3u, 4u, 16u}) {
        BOOST_CHECK((shrink::optimal_means(x, k) == list{-3, 0.1, 0.3}));
        BOOST_CHECK((shrink::linear_means(x, k) == list{-3, 0.1, 0.3}));
    }
    BOOST_TEST(shrink::optimal_means({}, 3).empty());
    BOOST_TEST(shrink::linear_means({}, 3).empty());
}

BOOST_AUTO_TEST_CASE(the_nearest_is_found) {
    const list means{-1, 0, 4};
    BOOST_TEST(shrink::nearest_of(means, -9) == 0u);
    BOOST_TEST(shrink::nearest_of(means, -0.5) == 0u);  // as near: the lower
    BOOST_TEST(shrink::nearest_of(means, -0.4) == 1u);
    BOOST_TEST(shrink::nearest_of(means, 4) == 2u);
    BOOST_TEST(shrink::nearest_of(means, 9) == 2u);
}

BOOST_AUTO_TEST_SUITE_END()

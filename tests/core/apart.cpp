// SPDX-License-Identifier: BSL-1.0
#include <gamut/core/apart.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <vector>

#include <gamut/core/random.hpp>

using namespace gamut;

BOOST_AUTO_TEST_SUITE(apart)

BOOST_AUTO_TEST_CASE(nobody_chosen_conflicts_and_nobody_left_out_could_have_been_chosen) {
    const core::random draws{.seed = 1};
    for (std::uint64_t trial = 0; trial < 50; ++trial) {
        constexpr std::size_t n = 30;
        const auto conflict = [&](std::size_t a, std::size_t b) {
            return draws.uniform(trial * 1000 + std::min(a, b) * n + std::max(a, b)) < 0.3;
        };
        std::vector<std::size_t> candidates(n), chosen;
        std::iota(candidates.begin(), candidates.end(), std::size_t{0});
        core::choose_apart(candidates, n, chosen, conflict);
        BOOST_TEST_REQUIRE(!chosen.empty());
        BOOST_TEST(chosen[0] == 0u);  // the first comes first
        std::vector<bool> in(n);
        for (const std::size_t c : chosen) in[c] = true;
        for (std::size_t c = 0; c < n; ++c) {
            bool conflicts = false;
            for (const std::size_t other : chosen)
                if (other != c && other < c) conflicts = conflicts || conflict(c, other);
            BOOST_TEST(conflicts == !in[c]);
        }
        std::vector<std::size_t> few{chosen[0]};
        core::choose_apart(candidates, 2, few, [&](std::size_t a, std::size_t b) { return a == b || conflict(a, b); });
        BOOST_TEST(few.size() == std::min<std::size_t>(2, chosen.size()));
    }
}

BOOST_AUTO_TEST_SUITE_END()

// SPDX-License-Identifier: BSL-1.0
#include "exact_numbers.hpp"

#include <boost/test/unit_test.hpp>

#include <cstddef>
#include <string>
#include <vector>

#include <gamut/communicator/sim.hpp>
#include <gamut/communicator/single.hpp>
#include <gamut/communicator/threads.hpp>

using namespace gamut;

namespace {

struct outcome {
    std::vector<double> all{};
    std::string failures{};
    template <class C> void take(const C& c) {
        const meetings::exact_numbers<C> found(c);
        all = found.all;
        failures = found.failures;
    }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(exact_numbers)

BOOST_AUTO_TEST_CASE(every_way_to_meet_has_them_on_any_ranks_with_the_same_bits) {
    outcome alone;
    alone.take(communicator::single<>{});
    BOOST_TEST(alone.failures == "");
    BOOST_TEST(alone.all.size() > 400u);
    const auto check = [&](const std::vector<outcome>& found) {
        for (const outcome& one : found) {
            BOOST_TEST(one.failures == "");
            BOOST_TEST((one.all == alone.all));
        }
    };
    for (const int ranks : {2, 3, 4, 8}) {
        std::vector<outcome> found(static_cast<std::size_t>(ranks));
        communicator::threads<>::run(ranks, [&](const auto& c) { found[static_cast<std::size_t>(c.rank())].take(c); });
        check(found);
    }
    for (const int ranks : {2, 3, 7, 16, 64}) {
        std::vector<outcome> found(static_cast<std::size_t>(ranks));
        communicator::sim<>::run(ranks, {}, [&](const auto& c) { found[static_cast<std::size_t>(c.rank())].take(c); });
        check(found);
    }
}

BOOST_AUTO_TEST_SUITE_END()

// SPDX-License-Identifier: BSL-1.0
#include "network/ways_to_train.hpp"

#include <boost/test/unit_test.hpp>

#include <gamut/communicator/threads.hpp>

BOOST_AUTO_TEST_SUITE(network_ranks)

namespace {
template <class Model> void check(const Model& model) {
    ways_to_train::found alone;
    for (int size = 1; size <= 4; ++size) {
        std::vector<std::string> other(static_cast<std::size_t>(size));
        gamut::communicator::threads<>::run(size, [&](const gamut::communicator::threads<>& ranks) {
            const auto mine = ways_to_train::all_ways(model, ranks);
            if (size == 1) alone = mine;
            other[static_cast<std::size_t>(ranks.rank())] = ways_to_train::differences(mine, alone);
        });
        for (const std::string& names : other) BOOST_TEST(names == "", size << " ranks: " << names);
    }
}
}  // namespace

BOOST_AUTO_TEST_CASE(a_perceptron_has_the_same_bits_whatever_the_ranks) { check(ways_to_train::perceptron); }
BOOST_AUTO_TEST_CASE(lenet_has_the_same_bits_whatever_the_ranks_and_however_it_is_trained) {
    check(ways_to_train::lenet);
}

BOOST_AUTO_TEST_SUITE_END()

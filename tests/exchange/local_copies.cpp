// SPDX-License-Identifier: BSL-1.0
// Copies of the weights that go their own way between meetings: all of them, or some units each.
#include <gamut/communicator/single.hpp>
#include <gamut/exchange/nodes.hpp>
#include <gamut/exchange/periodic.hpp>
#include <gamut/exchange/subnets.hpp>

#include <gamut/backend/array.hpp>
#include <gamut/backend/host.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <type_traits>
#include <vector>

using namespace gamut;

namespace {
using array = backend::array<backend::host<>>;
using ranks = communicator::single<>;
template <class M> using state_of = exchange::state_of<M, array, exchange::nodes<ranks>>;
}  // namespace

BOOST_AUTO_TEST_SUITE(local_copies)

BOOST_AUTO_TEST_CASE(means_of_every_other_step_are_the_fractions_found_by_hand) {
    // f_i = a/2 (x - b)^2, a = 1 3, b = 0 4, rate 1/10, from 0: node 0 stays, node 1 goes to 6/5 and 51/25; the mean is 51/50
    const double a[] = {1, 3}, b[] = {0, 4};
    const ranks alone;
    const exchange::nodes<ranks> nodes(alone, 2);
    state_of<exchange::periodic> state({.every = 2}, nodes, array(1));
    std::vector<double> means;
    for (std::size_t step = 1; step <= 40; ++step) {
        state.round(0.1, [&](std::size_t i, const array& at, array& slope) { slope[0] = a[i] * (at[0] - b[i]); });
        BOOST_TEST(state.met() == (step % 2 == 0));
        if (!state.met()) continue;
        BOOST_TEST(state.copies()[0][0] == state.copies()[1][0]);
        means.push_back(state.copies()[0][0]);
    }
    BOOST_TEST(means.size() == 20u);
    BOOST_TEST(means[0] == 51.0 / 50, boost::test_tools::tolerance(1e-15));
    BOOST_TEST(means[1] == 1683.0 / 1000, boost::test_tools::tolerance(1e-15));
}

BOOST_AUTO_TEST_CASE(subnets_together_have_the_first_and_the_last_layer_once) {
    // every weight that somebody trains goes down by 1: all of the first and the last layer, and of the middle one what joins units of
    // one node, 12/K 8/K each
    constexpr std::size_t inputs = 5, first = 12, second = 8, outputs = 3;
    constexpr std::size_t middle = (inputs + 1) * first, last = middle + (first + 1) * second;
    for (const std::size_t k : {1u, 2u, 4u}) {
        const ranks alone;
        const exchange::nodes<ranks> nodes(alone, k);
        array start(last + (second + 1) * outputs);
        std::fill(start.span().begin(), start.span().end(), 7.0);
        state_of<exchange::subnets> state({.widths = {inputs, first, second, outputs}, .every = 2}, nodes, start);
        array whole(start.size());
        double trained = 0;
        for (std::size_t cycle = 1; cycle <= 3; ++cycle) {
            for (int step = 0; step < 2; ++step)
                state.round(0.5, [](std::size_t, const array&, array& slope) {
                    std::fill(slope.span().begin(), slope.span().end(), 1.0);
                });
            BOOST_TEST(state.met());
            state.whole(whole);
            const double now = 7.0 - static_cast<double>(cycle);
            for (std::size_t e = 0; e < whole.size(); ++e)
                if (e < middle || e >= last - second) BOOST_TEST(whole[e] == now);  // and the biases of the middle one
            trained += static_cast<double>(first * second / k);
            double down = 0;
            for (std::size_t e = middle; e < last - second; ++e) down += 7.0 - whole[e];
            BOOST_TEST(down == trained);
        }
    }
}

BOOST_AUTO_TEST_SUITE_END()

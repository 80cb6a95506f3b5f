// SPDX-License-Identifier: BSL-1.0
// How large a rate may be: on f_i = a/2 (x - a)^2, a = 1 to 4, on a ring, the largest one with which each method still ends.
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>

#include <gamut/backend/array.hpp>
#include <gamut/backend/host.hpp>
#include <gamut/communicator/single.hpp>
#include <gamut/exchange/concept.hpp>
#include <gamut/exchange/exact_diffusion.hpp>
#include <gamut/exchange/extra.hpp>
#include <gamut/exchange/gossip.hpp>
#include <gamut/exchange/gradient_tracking.hpp>
#include <gamut/exchange/nodes.hpp>

using namespace gamut;
using array = backend::array<backend::host<>>;

namespace {

template <class M> bool ends(const M& method, double rate) {
    const communicator::single<> here;
    const exchange::nodes<communicator::single<>> all(here, 4);
    exchange::state_of<M, array, exchange::nodes<communicator::single<>>> state(method, all, array(1));
    double early = 0, late = 0;  // the largest change of a node's number in two stretches
    for (int k = 0; k < 4000; ++k) {
        const double before = state.copies()[0][0];
        state.round(rate, [](std::size_t i, const array& at, array& slope) {
            const double a = static_cast<double>(i + 1);
            slope[0] = a * (at[0] - a);
        });
        const double change = std::abs(state.copies()[0][0] - before);
        if (!(change < 1e9)) return false;
        if (k >= 1000 && k < 2000) early = std::max(early, change);
        if (k >= 3000) late = std::max(late, change);
    }
    return late <= early;
}

template <class M> double largest_rate(const M& method) {
    double stable = 0.01, unstable = 2;
    while (unstable - stable > 1e-4) {
        const double rate = 0.5 * (stable + unstable);
        (ends(method, rate) ? stable : unstable) = rate;
    }
    return stable;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(stable_rates)

BOOST_AUTO_TEST_CASE(they_are_as_theory_says) {
    const auto near = [](double found, double expected) {
        BOOST_TEST(std::abs(found - expected) <= 0.03 * expected, found << ' ' << expected);
    };
    near(largest_rate(exchange::adapt_while_combining<>{}), .233);
    near(largest_rate(exchange::gossip<>{}), .720);
    near(largest_rate(exchange::exact_diffusion<>{}), .566);
    near(largest_rate(exchange::extra<>{}), .323);
    near(largest_rate(exchange::gradient_tracking<>{}), .647);
}

BOOST_AUTO_TEST_SUITE_END()

// SPDX-License-Identifier: BSL-1.0
// What a meeting should take beside what it takes on ranks in virtual time.
#include <gamut/exchange/step_seconds.hpp>

#include <boost/test/unit_test.hpp>

#include <cmath>
#include <cstddef>
#include <limits>
#include <type_traits>

#include <gamut/backend/array.hpp>
#include <gamut/backend/host.hpp>
#include <gamut/communicator/sim.hpp>
#include <gamut/core/error.hpp>
#include <gamut/exchange/nodes.hpp>
#include <gamut/topology/exponential.hpp>
#include <gamut/topology/full.hpp>
#include <gamut/topology/one_peer.hpp>
#include <gamut/topology/ring.hpp>
#include <gamut/topology/star.hpp>

using namespace gamut;

namespace {

/// Virtual seconds of a step, in the mean of twelve after the first twelve, in which ranks compare their graphs.
template <class T = double, class Sums = core::exact, class M>
double simulated(const M& method, const communicator::network& links, int ranks, std::size_t numbers) {
    using array = backend::array<backend::host<T>>;
    const auto after = [&](int steps) {
        return communicator::sim<Sums>::run(
                   ranks, links,
                   [&](const auto& c) {
                       const exchange::nodes all(c, static_cast<std::size_t>(ranks));
                       exchange::state_of<M, array, std::remove_const_t<decltype(all)>> state(method, all,
                                                                                              array(numbers));
                       for (int k = 0; k < steps; ++k)
                           state.round(0.1, [](std::size_t, const array& at, array& slope) { slope = at; });
                   })
            .seconds;
    };
    return (after(24) - after(12)) / 12;
}

template <class F> bool refuses(F f) {
    try {
        f();
    } catch (const core::option_error&) {
        return true;
    }
    return false;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(step_seconds_)

BOOST_AUTO_TEST_CASE(an_all_reduce_takes_what_is_said) {
    for (const int ranks : {1, 2, 5, 8})
        for (const double latency : {1e-6, 1e-3}) {
            const communicator::network links{.latency = latency, .bandwidth = 1e8};
            const auto n = static_cast<std::size_t>(ranks);
            const double exact = exchange::step_seconds(exchange::all_reduce{}, links, n, 500),
                         fast = exchange::step_seconds<core::fast>(exchange::all_reduce{}, links, n, 500);
            BOOST_TEST(std::abs(simulated(exchange::all_reduce{}, links, ranks, 500) - exact) <= 1e-9 * exact);
            BOOST_TEST(std::abs(simulated<double, core::fast>(exchange::all_reduce{}, links, ranks, 500) - fast) <=
                       1e-9 * fast);
        }
}

BOOST_AUTO_TEST_CASE(a_gossip_takes_what_is_said_and_no_more) {
    const communicator::network links{.latency = 2e-5, .bandwidth = 1e8};
    const auto check = [&](const auto& method, int ranks, double at_least) {
        const double said = exchange::step_seconds(method, links, static_cast<std::size_t>(ranks), 500);
        const double took = simulated(method, links, ranks, 500);
        BOOST_TEST(took <= said * (1 + 1e-9));
        BOOST_TEST(took >= said * at_least);
    };
    check(exchange::gossip{topology::ring{}}, 8, 0.99);
    check(exchange::gossip{topology::one_peer_exponential{}}, 8, 0.99);
    check(exchange::gossip{topology::exponential{}}, 8, 0.99);
    check(exchange::gossip{topology::full{}}, 5, 0.99);
    exchange::gossip now_and_then{topology::ring{}};
    now_and_then.mean_every = 4;
    check(now_and_then, 8, 0.99);
}

BOOST_AUTO_TEST_CASE(formulas_with_numbers_in_them) {
    const communicator::network links{.latency = 1e-3, .bandwidth = 1e6};
    // two listeners, 800 bytes each; halves of it in single precision
    BOOST_TEST(std::abs(exchange::step_seconds(exchange::gossip{topology::ring{}}, links, 8, 100) - 0.0026) < 1e-15);
    BOOST_TEST(std::abs(exchange::step_seconds<float>(exchange::gossip{topology::ring{}}, links, 8, 100) - 0.0018) <
               1e-15);
    // the centre of a star of 8 has seven
    BOOST_TEST(std::abs(exchange::step_seconds(exchange::gossip{topology::star{}}, links, 8, 100) - 0.0066) < 1e-15);
    // 3 rounds there and back, twice; 99 + 1 numbers of 4 and 8 bytes
    BOOST_TEST(std::abs(exchange::step_seconds(exchange::all_reduce{}, links, 8, 99) - (0.012 + 0.0024)) < 1e-15);
    BOOST_TEST(exchange::step_seconds(exchange::gossip{topology::ring{}}, links, 1, 100) == 0);
}

BOOST_AUTO_TEST_CASE(what_is_no_network_is_refused) {
    const auto with = [](const communicator::network& links, std::size_t nodes) {
        return refuses([&] { exchange::step_seconds(exchange::all_reduce{}, links, nodes, 1); }) &&
               refuses([&] { exchange::step_seconds(exchange::gossip{topology::ring{}}, links, nodes, 1); });
    };
    BOOST_TEST(with({}, 0));
    BOOST_TEST(with({.bandwidth = 0}, 4));
    BOOST_TEST(with({.latency = std::numeric_limits<double>::quiet_NaN()}, 4));
    BOOST_TEST(!with({}, 4));
}

BOOST_AUTO_TEST_SUITE_END()

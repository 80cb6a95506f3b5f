// SPDX-License-Identifier: BSL-1.0
#include "conformance.hpp"

#include <boost/test/unit_test.hpp>
#include <gamut/communicator/network.hpp>
#include <gamut/communicator/sim.hpp>
#include <gamut/core/clock.hpp>

namespace communicator = gamut::communicator;
namespace core = gamut::core;
using communicator::network;
using communicator::parcel;
using communicator::sim;

namespace {

using on_threads = sim<core::exact, communicator::detail::token_threads>;

template <class Sim> std::string conformance_of_all(int ranks) {
    std::string all;
    Sim::run(ranks, network{}, [&](const auto& c) { all += conformance::check(c); });
    return all;
}

auto says(const std::string& message) {
    return [message](const std::exception& problem) { return std::string(problem.what()) == message; };
}

/// Everybody works r milliseconds, tells the next one, and hears the one before it.
template <class C> void ring_step(const C& c, std::size_t count) {
    std::vector<double> mine(count, c.rank()), heard(count);
    const std::vector<parcel<const double>> out{{(c.rank() + 1) % c.size(), mine}};
    const std::vector<parcel<double>> in{{(c.rank() + c.size() - 1) % c.size(), heard}};
    c.exchange(std::span(out), std::span(in));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(sim_)

BOOST_AUTO_TEST_CASE(conforms_for_any_number_of_ranks) {
    for (int ranks = 1; ranks <= 8; ++ranks) {
        BOOST_TEST(conformance_of_all<sim<>>(ranks) == "");
        if (ranks % 3 == 1) BOOST_TEST(conformance_of_all<on_threads>(ranks) == "");
    }
    BOOST_TEST(conformance_of_all<sim<core::fast>>(3) == "");
}

BOOST_AUTO_TEST_CASE(groups_of_ranks_conform) {
    for (const int ranks : {1, 2, 5}) {
        std::vector<std::string> said(static_cast<std::size_t>(ranks));
        sim<>::run(ranks, {}, [&](const auto& c) {
            said[static_cast<std::size_t>(c.rank())] = conformance::check(communicator::split(c, c.rank() % 2));
        });
        for (const auto& one : said) BOOST_TEST(one == "");
    }
}

BOOST_AUTO_TEST_CASE(a_message_takes_its_latency_and_its_bytes_and_a_rank_sends_one_at_a_time) {
    const network model{.latency = 0.5, .bandwidth = 80, .links = {{.from = 0, .to = 2, .latency = 2, .bandwidth = 8}}};
    std::vector<double> ends(3);
    const auto done = sim<>::run(3, model, [&](const auto& c) {
        std::vector<double> value(10);  // a second's worth
        if (c.rank() == 0) {
            const std::vector<parcel<const double>> out{
                {1, value}, {1, value}, {2, std::span<const double>(value).first(1)}};
            c.work(3);
            c.exchange(std::span(out), {});
        } else {
            std::vector<parcel<double>> in{{0, value}, {0, value}};
            if (c.rank() == 2) in = {{0, std::span(value).first(1)}};
            c.exchange({}, std::span<const parcel<double>>(in));
        }
        ends[static_cast<std::size_t>(c.rank())] = c.now();
    });
    BOOST_TEST(ends == (std::vector<double>{3, 3 + 2 + 0.5, 3 + 2 + 1 + 2}), boost::test_tools::per_element());
    BOOST_TEST(done.seconds == 8);
}

BOOST_AUTO_TEST_CASE(a_collective_waits_for_the_last_and_stragglers_are_slow) {
    const network model{.latency = 1,
                        .bandwidth = 8,
                        .stragglers = {{.rank = 2, .factor = 5}},
                        .slower = [](int rank, std::uint64_t step) { return rank == 1 && step == 1 ? 2. : 1.; }};
    std::vector<double> before(4), after(4);
    sim<>::run(4, model, [&](const auto& c) {
        c.work(1);
        c.work(1);
        before[static_cast<std::size_t>(c.rank())] = c.now();
        double one = 1;
        c.all_reduce(std::span<double>(&one, 1), communicator::operation::sum);
        after[static_cast<std::size_t>(c.rank())] = c.now();
    });
    BOOST_TEST(before == (std::vector<double>{2, 3, 10, 2}), boost::test_tools::per_element());
    BOOST_TEST(after == std::vector<double>(4, 10 + 2 * 2 * 1 + 2 * 1), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(runs_are_the_same_to_the_last_switch_on_fibers_and_on_threads) {
    const auto work = [](const auto& c) {
        for (int step = 0; step < 5; ++step) {
            c.work(1e-5 * ((c.rank() * 7 + step * 3) % 5));
            ring_step(c, 10);
        }
        c.barrier();
    };
    const auto once = sim<>::run(40, network{}, work), again = sim<>::run(40, network{}, work);
    const auto other = on_threads::run(40, network{}, work);
    BOOST_TEST(once.seconds == again.seconds);
    BOOST_TEST(once.switches == again.switches);
    BOOST_TEST(once.seconds == other.seconds);
    BOOST_TEST(once.switches == other.switches);
}

BOOST_AUTO_TEST_CASE(a_thousand_ranks_know_their_sum) {
    std::int64_t least = -1;
    sim<>::run(1024, network{}, [&](const auto& c) {
        std::int64_t mine = c.rank();
        c.all_reduce(std::span<std::int64_t>(&mine, 1), communicator::operation::sum);
        least = c.rank() == 0 ? mine : std::min(least, mine);
        ring_step(c, 3);
    });
    BOOST_TEST(least == 1023 * 1024 / 2);
}

BOOST_AUTO_TEST_CASE(a_wait_that_nothing_can_end_is_an_error_on_all_ranks_at_once) {
    int heard = 0;
    const std::string message = "rank 0: exchange cannot be completed (all ranks wait)";
    const auto work = [&](const auto& c) {
        double value = 0;
        const std::vector<parcel<double>> in{{(c.rank() + 1) % c.size(), std::span<double>(&value, 1)}};
        try {
            c.exchange({}, std::span(in));
        } catch (const core::communicator_error& problem) {
            heard += says(message)(problem);
            throw;
        }
    };
    BOOST_CHECK_EXCEPTION(sim<>::run(6, network{}, work), core::communicator_error, says(message));
    BOOST_TEST(heard == 6);
    BOOST_CHECK_EXCEPTION(sim<>::run(3, network{},
                                     [](const auto& c) {
                                         if (c.rank() != 1) c.barrier();
                                     }),
                          core::communicator_error, says("rank 0: barrier cannot be completed (rank 1 has left)"));
}

BOOST_AUTO_TEST_CASE(what_a_rank_throws_all_throw_from_wherever_they_wait_and_the_group_stays_closed) {
    int heard = 0;
    const auto work = [&](const auto& c) {
        if (c.rank() == 2) throw core::shape_error("too wide");
        for (int attempt = 0; attempt < 3; ++attempt) try {
                if (c.rank() == 0) ring_step(c, 1);
                c.barrier();
            } catch (const core::shape_error& problem) {
                heard += says("rank 2: too wide")(problem);
            }
    };
    BOOST_CHECK_EXCEPTION(sim<>::run(5, network{}, work), core::shape_error, says("too wide"));
    BOOST_TEST(heard == 12);
}

BOOST_AUTO_TEST_CASE(an_exception_in_flight_stays_with_its_rank) {
    int right = 0;
    sim<>::run(4, network{}, [&](const auto& c) {
        try {
            throw c.rank();
        } catch (const int mine) {
            for (int step = 0; step < 3; ++step) c.barrier();  // others throw and catch meanwhile
            try {
                throw;
            } catch (const int again) {
                right += again == c.rank() && mine == again;
            }
        }
    });
    BOOST_TEST(right == 4);
}

BOOST_AUTO_TEST_CASE(a_lost_rank_is_an_error_on_all) {
    const network model{.lost = {{.rank = 3, .after = 0.5}}};
    int heard = 0;
    const auto work = [&](const auto& c) {
        try {
            for (int step = 0; step < 100; ++step) {
                c.work(0.1);
                c.barrier();
            }
        } catch (const core::communicator_error& problem) {
            heard += says("rank 3: lost after 0.5 s (the network says so)")(problem);
            throw;
        }
    };
    BOOST_CHECK_THROW(sim<>::run(4, model, work), core::communicator_error);
    BOOST_TEST(heard == 4);
}

BOOST_AUTO_TEST_CASE(a_network_that_cannot_be_is_refused) {
    const auto nothing = [](const auto&) {};
    for (const network& bad :
         {network{.latency = -1}, network{.bandwidth = 0}, network{.links = {{.from = 0, .to = 2}}},
          network{.links = {{.from = 0, .to = 1, .bandwidth = -1}}}, network{.stragglers = {{.rank = 0, .factor = 0}}},
          network{.lost = {{.rank = -1}}}, network{.latency = std::numeric_limits<double>::quiet_NaN()}})
        BOOST_CHECK_THROW(sim<>::run(2, bad, nothing), core::option_error);
    BOOST_CHECK_THROW(sim<>::run(0, network{}, nothing), core::option_error);
}

BOOST_AUTO_TEST_SUITE_END()

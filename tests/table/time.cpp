// SPDX-License-Identifier: BSL-1.0
// What rules cost in time, on ranks in virtual time: theory's numbers.
#include <boost/test/unit_test.hpp>
#include <cmath>

#include "tables.hpp"

namespace {

using tables::communicator::network;
using tables::communicator::sim;
namespace consistency = tables::consistency;
namespace table = tables::table;

constexpr double fast = 1e18;  // a network that costs nothing: bytes per second

/// One worker per rank, a second of work per clock; `slower` says on whom the clock weighs.
template <class K> double seconds(int ranks, const K& rule, double (*slower)(int, std::uint64_t)) {
    const network model{.latency = 1e-9, .bandwidth = fast, .slower = slower};
    return sim<>::run(ranks, model,
                      [&](const auto& c) {
                          table::shared t{c, {.servers = 1}, table::sum{}, rule};
                          t.run(500, [&](auto& me) {
                              me.get(0);
                              c.work(1);
                              me.add(0, std::vector<double>{1});
                          });
                      })
        .seconds;
}

/// Worker r of P takes 1 + d times as long in the clocks c with c mod P = r.
template <int P, int d> double in_turn(int rank, std::uint64_t clock) {
    return clock % P == static_cast<std::uint64_t>(rank) ? 1. + d : 1.;
}

template <int P, int d> void staleness_pays(const std::vector<double>& expected) {
    const double together = seconds(P, consistency::bulk_synchronous{}, in_turn<P, d>);
    BOOST_TEST(std::abs(together - 500 * (1 + d)) < 1e-2 * together);  // somebody is slow in every clock
    for (std::uint64_t slack = 1; slack <= expected.size(); ++slack)
        for (const bool pushes : {false, true}) {
            const double apart =
                seconds(P, consistency::bounded_staleness{.slack = slack, .pushes = pushes}, in_turn<P, d>);
            BOOST_TEST_CONTEXT("P " << P << ", d " << d << ", slack " << slack << (pushes ? ", pushed" : ", pulled"))
            BOOST_TEST(std::abs(together / apart - expected[slack - 1]) < 0.02 * expected[slack - 1],
                       "BSP takes " << together / apart << " times as long");
        }
}

/// Rank 0 serves; of four workers on the others the last is 50 times slower.
struct outcome {
    double seconds = 0, value = 0;
    table::report said{};
};
template <class K> outcome with_a_straggler(const K& rule) {
    outcome result;
    const network model{.latency = 1e-6, .bandwidth = fast, .stragglers = {{.rank = 4, .factor = 50}}};
    result.seconds = sim<>::run(5, model, [&](const auto& c) {
                         table::shared t{c,
                                         {.workers = 4, .servers = 1, .workers_on = {1, 2, 3, 4}, .servers_on = {0}},
                                         table::descent{.rate = 1},
                                         rule};
                         const auto said = t.run(100, [&](auto& me) {
                             me.get(0);
                             c.work(0.01);
                             me.add(0, std::vector<double>{1});
                         });
                         const double value = t.row(0)[0];
                         if (c.rank() == 0) result.said = said, result.value = value;
                     }).seconds;
    return result;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(time_)

BOOST_AUTO_TEST_CASE(a_little_slack_hides_delays_that_go_round) {
    staleness_pays<4, 1>({1.60, 1.60, 1.60});
    staleness_pays<4, 4>({2.0, 2.5, 2.5});
    staleness_pays<8, 4>({2.0, 3.0, 3.33});
}

BOOST_AUTO_TEST_CASE(no_slack_hides_a_worker_that_is_always_slow) {
    const auto one_slow = [](int rank, std::uint64_t) { return rank == 2 ? 3. : 1.; };
    const double together = seconds(4, consistency::bulk_synchronous{}, one_slow);
    for (const std::uint64_t slack : {1, 3})
        BOOST_TEST(std::abs(together / seconds(4, consistency::bounded_staleness{.slack = slack}, one_slow) - 1) <
                   0.02);
}

BOOST_AUTO_TEST_CASE(k_of_n_takes_the_time_of_the_fast_ones) {
    const auto all = with_a_straggler(consistency::bulk_synchronous{});
    BOOST_TEST(std::abs(all.seconds - 50) < 0.02 * 50);
    BOOST_TEST(all.value == -100);  // a hundred means of ones
    BOOST_TEST(all.said.total.applied == 400u);
    BOOST_TEST(all.said.total.late == 0u);

    const auto three = with_a_straggler(consistency::backup_workers{.enough = 3});
    BOOST_TEST(three.seconds <= 2.0 * 1.02);  // the fast ones' second, and what the slow one has begun meanwhile
    BOOST_TEST(three.value == -100);          // the divisor is 3
    BOOST_TEST(three.said.total.applied == 300u);
    // the fast ones are done after a second; the slow one is late with what it began at 0, 1/2, 1 (and 3/2) seconds
    BOOST_TEST(three.said.total.late >= 2u);
    BOOST_TEST(three.said.total.late <= 4u);

    const auto none_spared = with_a_straggler(consistency::backup_workers{.enough = 4});
    BOOST_TEST(std::abs(none_spared.seconds - 50) < 0.02 * 50);
    BOOST_TEST(none_spared.said.total.late == 0u);
}

BOOST_AUTO_TEST_CASE(asynchronous_updates_know_how_many_came_between) {
    for (const int factor : {1, 3, 7}) {
        table::report said;
        const network model{.latency = 1e-9, .bandwidth = fast, .stragglers = {{.rank = 2, .factor = factor + 0.5}}};
        sim<>::run(3, model, [&](const auto& c) {
            table::shared t{c,
                            {.workers = 2, .servers = 1, .workers_on = {1, 2}, .servers_on = {0}},
                            table::sum{},
                            consistency::asynchronous{}};
            const auto mine = t.run(40, [&](auto& me) {
                me.get(0);
                c.work(1.0);
                me.add(0, std::vector<double>{1});
            });
            if (c.rank() == 0) said = mine;
        });
        // while the slow worker works factor + 1/2 seconds, the fast one ends a piece of work every second
        BOOST_TEST(said.total.most_stale >= static_cast<std::uint64_t>(factor));
        BOOST_TEST(said.total.most_stale <= static_cast<std::uint64_t>(factor) + 1);
        BOOST_TEST(said.total.applied == 80u);
    }
}

BOOST_AUTO_TEST_CASE(nothing_is_lost_in_whatever_order_asynchronous_letters_come) {
    for (std::uint64_t seed = 0; seed < 30; ++seed) {
        const tables::core::random draws{.seed = seed};
        const int ranks = 2 + static_cast<int>(draws.below(0, 6));
        network model{.latency = 1e-3};
        for (int from = 0; from < ranks; ++from)
            for (int to = 0; to < ranks; ++to)
                if (from != to)
                    model.links.push_back(
                        {from, to, draws.uniform(static_cast<std::uint64_t>(100 + 16 * from + to)) * 1e-2, 1e9});
        const table::layout layout{
            .rows = 3,
            .width = 2,
            .workers = 1 + draws.below(1, 7),
            .servers = 1 + draws.below(2, 4),
            .early = {.bandwidth = seed % 2 == 0 ? 0. : 1e4, .priority = table::priority::random}};
        const tables::core::random amounts{.seed = seed, .stream = 1};
        std::vector<double> found, read_before;
        table::report said;
        sim<>::run(ranks, model, [&](const auto& c) {
            table::shared t{c, layout, table::sum{}, consistency::asynchronous{}};
            std::vector<double> last(layout.workers);
            const auto mine = t.run(12, [&](auto& me) {
                const auto at = [&](std::uint64_t k) { return 1000 * me.id() + 10 * me.clock() + k; };
                c.work(1e-2 * amounts.uniform(at(0)));
                const auto row = amounts.below(at(1), 3);
                const double before = me.get(row)[0];
                if (row == 0 && before < last[me.id()]) throw tables::core::error("a row went backwards");
                if (row == 0) last[me.id()] = before;
                const auto much = static_cast<double>(amounts.below(at(2), 1000));
                me.add(row, std::vector<double>{much, -1});
                c.work(1e-3 * amounts.uniform(at(3)));
                me.add(amounts.below(at(4), 3), std::vector<double>{1, -1});
            });
            const auto values = t.values();
            if (c.rank() == 0) found = values, said = mine;
        });
        std::vector<double> expected(6);
        for (std::uint64_t worker = 0; worker < layout.workers; ++worker)
            for (std::uint64_t clock = 0; clock < 12; ++clock) {
                const auto at = [&](std::uint64_t k) { return 1000 * worker + 10 * clock + k; };
                const auto put = [&](std::uint64_t row, double much) {
                    expected[2 * row] += much;
                    expected[2 * row + 1] -= 1;
                };
                put(amounts.below(at(1), 3), static_cast<double>(amounts.below(at(2), 1000)));
                put(amounts.below(at(4), 3), 1);
            }
        BOOST_TEST(found == expected, boost::test_tools::per_element());
        BOOST_TEST(said.total.waits == 12 * layout.workers);  // each reading asks anew
    }
}

BOOST_AUTO_TEST_CASE(staleness_and_momentum_that_do_not_go_together_are_spoken_of) {
    const auto message = [](double momentum, std::size_t workers) {
        std::string said;
        const network model{.latency = 1e-9, .bandwidth = fast};
        sim<>::run(9, model, [&](const auto& c) {
            table::shared t{
                c,
                {.workers = workers, .servers = 1, .workers_on = {1, 2, 3, 4, 5, 6, 7, 8}, .servers_on = {0}},
                table::descent{.rate = 1e-3, .momentum = momentum},
                consistency::asynchronous{}};
            const auto mine = t.run(20, [&](auto& me) {
                me.add(0, me.get(0));
                c.work(1 + 1e-3 * static_cast<double>(me.id()));
            });
            if (c.rank() == 0) said = mine.message;
        });
        return said;
    };
    // of eight workers in turn seven come between
    BOOST_TEST(message(0.9, 8).starts_with("table: updates came "), message(0.9, 8));
    BOOST_TEST(message(0.9, 8).find("with momentum 0.9 (staleness acts as momentum 0.8") != std::string::npos,
               message(0.9, 8));
    BOOST_TEST(message(0, 8) == "");
    BOOST_TEST(message(0.9, 1) == "");
}

BOOST_AUTO_TEST_CASE(what_goes_early_is_there_sooner) {
    // a row takes .8 s on the line: six of them end 4.8 s after the first began, which is at once, but the line is idle
    // from .8 to 1; or a second later, when the first clock is over
    const auto seconds_with = [](const table::managed& early, table::report& said) {
        const network model{.latency = 1e-6, .bandwidth = 1e5};
        return sim<>::run(2, model,
                          [&](const auto& c) {
                              table::shared t{c,
                                              {.rows = 2,
                                               .width = 10000,
                                               .workers = 1,
                                               .servers = 1,
                                               .workers_on = {1},
                                               .servers_on = {0},
                                               .early = early},
                                              table::sum{},
                                              consistency::bulk_synchronous{}};
                              const std::vector<double> ones(10000, 1.0);
                              const auto mine = t.run(3, [&](auto& me) {
                                  me.add(0, ones);
                                  c.work(1);
                                  me.add(1, ones);
                              });
                              if (c.rank() == 0) said = mine;
                          })
            .seconds;
    };
    table::report at_the_end, before;
    const double late = seconds_with({}, at_the_end);
    const double soon = seconds_with({.bandwidth = 1e6}, before);
    BOOST_TEST(std::abs(soon - 5.0) < 0.25);
    BOOST_TEST(std::abs(late - 5.8) < 0.1);
    BOOST_TEST(at_the_end.total.early == 0u);
    BOOST_TEST(before.total.early >= 3u);
    BOOST_TEST(before.history[1].early >= 1u);
}

BOOST_AUTO_TEST_CASE(an_idle_line_lets_one_row_go_at_a_time) {
    table::report said;
    sim<>::run(1, {}, [&](const auto& c) {
        table::shared t{c,
                        {.rows = 10, .workers = 1, .early = {.bandwidth = 1e9, .idle = 2.5}},
                        table::sum{},
                        consistency::bulk_synchronous{}};
        said = t.run(1, [&](auto& me) {
            for (std::uint64_t row = 0; row < 10; ++row) {
                c.work(1);
                me.add(row, std::vector<double>{1});
            }
        });
        for (const double value : t.values()) BOOST_TEST(value == 1);
    });
    BOOST_TEST(said.total.early == 4u);  // after 1, 4, 7 and 10 seconds
}

BOOST_AUTO_TEST_SUITE_END()

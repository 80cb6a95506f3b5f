// SPDX-License-Identifier: BSL-1.0
#include <atomic>
#include <boost/test/unit_test.hpp>
#include <gamut/table/concept.hpp>
#include <new>

#include "tables.hpp"

namespace {

namespace communicator = tables::communicator;
namespace consistency = tables::consistency;
namespace core = tables::core;
namespace table = tables::table;

/// What a rank hears from `work`: the kind of error, and its words.
template <class Work> std::string heard(Work work) {
    try {
        work();
        return "nothing";
    } catch (...) {
        const auto problem = std::current_exception();
        return core::text(static_cast<int>(core::kind_of(problem)), " ", core::message_of(problem));
    }
}
std::string said(core::error_kind kind, const std::string& message) {
    return core::text(static_cast<int>(kind), " ", message);
}

/// What all ranks hear, on threads and on sim; it must be the same.
template <class Work> std::string heard_by_all(int ranks, Work work) {
    std::vector<std::string> each(static_cast<std::size_t>(ranks)), simulated = each;
    communicator::threads<>::run(
        ranks, [&](const auto& c) { each[static_cast<std::size_t>(c.rank())] = heard([&] { work(c); }); }, 20);
    communicator::sim<>::run(
        ranks, {}, [&](const auto& c) { simulated[static_cast<std::size_t>(c.rank())] = heard([&] { work(c); }); });
    each.insert(each.end(), simulated.begin(), simulated.end());
    for (const auto& one : each)
        if (one != each[0]) return core::text("different words: ", each[0], " and ", one);
    return each[0];
}

struct fragile {  // a user's row that cannot take everything
    static constexpr bool additive = true;
    void apply(std::span<double> values, std::span<const double> update, std::size_t) const {
        if (update[0] >= 100) throw core::data_error("fragile: more than it can bear");
        for (std::size_t j = 0; j < values.size(); ++j) values[j] += update[j];
    }
};

template <class C, class K> void with_a_failing_worker(const C& c, const K& rule, std::size_t who, bool waits) {
    table::shared t{c, {.rows = 3, .workers = 5, .servers = 2}, table::sum{}, rule};
    t.run(10, [&](auto& me) {
        me.get(me.clock() % 3);
        if (me.id() == who && me.clock() == 4) {
            if (waits) me.get(0);
            throw core::data_error("worker: cannot go on");
        }
        me.add(0, std::vector<double>{1});
    });
}

}  // namespace

BOOST_AUTO_TEST_SUITE(failures)

BOOST_AUTO_TEST_CASE(what_a_worker_throws_all_ranks_throw) {
    const std::string expected = said(core::error_kind::data, "worker: cannot go on");
    for (const int ranks : {1, 2, 3, 4, 7})
        for (const std::size_t who : {0, 2, 4}) {
            BOOST_TEST(heard_by_all(ranks, [&](const auto& c) {
                           with_a_failing_worker(c, consistency::bulk_synchronous{}, who, true);
                       }) == expected);
            BOOST_TEST(heard_by_all(ranks, [&](const auto& c) {
                           with_a_failing_worker(c, consistency::bounded_staleness{.slack = 1, .pushes = true}, who,
                                                 false);
                       }) == expected);
            BOOST_TEST(heard_by_all(ranks, [&](const auto& c) {
                           with_a_failing_worker(c, consistency::asynchronous{}, who, false);
                       }) == expected);
        }
    BOOST_TEST(heard([] {
                   with_a_failing_worker(communicator::single<>{}, consistency::backup_workers{.enough = 5}, 4, true);
               }) == expected);
}

BOOST_AUTO_TEST_CASE(of_several_the_lowest_rank_is_heard_by_its_name) {
    BOOST_TEST(heard_by_all(4, [](const auto& c) {
                   table::shared t{c, {.workers = 4, .servers = 4}, table::sum{}, consistency::bulk_synchronous{}};
                   t.run(3, [](auto& me) {
                       if (me.id() > 0) throw core::option_error(core::text("I am ", me.id()));
                   });
               }) == said(core::error_kind::option, "rank 1: I am 1"));
}

BOOST_AUTO_TEST_CASE(exhausted_memory_and_foreign_exceptions_arrive_too) {
    for (const bool memory : {true, false})
        BOOST_TEST(heard_by_all(3,
                                [&](const auto& c) {
                                    table::shared t{c, {.servers = 1}, table::sum{}, consistency::bulk_synchronous{}};
                                    t.run(3, [&](auto& me) {
                                        me.get(0);
                                        if (me.id() != 1) return;
                                        if (memory) throw std::bad_alloc();
                                        throw 7;
                                    });
                                }) ==
                   (memory ? said(core::error_kind::memory,
                                  core::text("rank 1: ", core::message_of(std::make_exception_ptr(std::bad_alloc()))))
                           : said(core::error_kind::other,
                                  core::text("rank 1: ", core::message_of(std::make_exception_ptr(7))))));
}

BOOST_AUTO_TEST_CASE(what_a_row_throws_at_its_server_all_ranks_throw) {
    const auto work = [](const auto& c, const auto& rule) {
        table::shared t{c, {.workers = 3, .servers = 1, .servers_on = {0}}, fragile{}, rule};
        t.run(20, [](auto& me) {
            me.get(0);
            me.add(0, std::vector<double>{me.clock() == 6 ? 100. : 1.});
        });
    };
    const std::string expected = said(core::error_kind::data, "fragile: more than it can bear");
    for (const int ranks : {1, 3, 4}) {
        BOOST_TEST(heard_by_all(ranks, [&](const auto& c) { work(c, consistency::bulk_synchronous{}); }) == expected);
        BOOST_TEST(heard_by_all(ranks, [&](const auto& c) { work(c, consistency::asynchronous{}); }) == expected);
    }
}

BOOST_AUTO_TEST_CASE(what_an_observer_throws_all_ranks_throw_and_the_table_goes_on) {
    BOOST_TEST(heard_by_all(3, [](const auto& c) {
                   table::shared t{c, {}, table::sum{}, consistency::bulk_synchronous{}};
                   const auto add = [](auto& me) { me.add(0, std::vector<double>{1}); };
                   const std::string first = heard([&] {
                       t.run(2, add, [&](const table::record&) {
                           if (c.rank() == 2) throw core::data_error("no room");
                       });
                   });
                   std::vector<std::uint64_t> clocks;
                   t.run(2, add, [&](const table::record& seen) { clocks.push_back(seen.clock); });
                   const bool right = t.row(0)[0] == 12 && clocks == std::vector<std::uint64_t>({2, 3});
                   throw core::error(core::text(first, right ? ", and on" : ", and wrong"));
               }).find(said(core::error_kind::data, "no room") + ", and on") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_table_whose_worker_failed_is_closed_on_all_ranks) {
    const auto work = [](const auto& c, auto call) {
        table::shared t{c, {.rows = 2, .name = "weights"}, table::sum{}, consistency::bulk_synchronous{}};
        try {
            t.run(2, [&](auto& me) {
                if (me.id() == 0) throw core::error("gone");
            });
        } catch (const core::error&) {}
        call(t);
    };
    const auto expected = [](int ranks) {
        return said(core::error_kind::other,
                    core::text("weights: a worker failed before (", ranks > 1 ? "rank 0: " : "",
                               "gone) make the table again, and restore its last snapshot"));
    };
    for (const int ranks : {1, 3}) {
        const auto hears = [&](auto call) {
            BOOST_TEST(heard_by_all(ranks, [&](const auto& c) { work(c, call); }) == expected(ranks));
        };
        hears([](auto& t) { t.run(1, [](auto&) {}); });
        hears([](auto& t) { t.row(0); });
        hears([](auto& t) { t.values(); });
        hears([](auto& t) { t.set(0, std::vector<double>{1}); });
        hears([](auto& t) { t.save("never.table"); });
        hears([](auto& t) { t.restore("never.table"); });
    }
}

BOOST_AUTO_TEST_CASE(rows_and_sizes_that_do_not_exist_are_refused) {
    const auto hears = [](auto call, const std::string& expected) {
        const std::string found = heard_by_all(2, [&](const auto& c) {
            table::shared t{c, {.rows = 2, .width = 3}, table::sum{}, consistency::bulk_synchronous{}};
            table::shared s{c, {.width = 3}, table::sparse{}, consistency::bulk_synchronous{}};
            call(t, s);
        });
        // who hears of the other's failure before its own has none of its own; then the rank is named
        BOOST_TEST((found == said(core::error_kind::shape, expected) ||
                    found == said(core::error_kind::shape, "rank 0: " + expected)),
                   found);
    };
    const auto in_run = [](auto call) { return [call](auto& t, auto& s) { table::run(1, call, t, s); }; };
    hears(in_run([](auto& me, auto&) { me.get(2); }), "table: row 2 (rows are 0..1)");
    hears(in_run([](auto& me, auto&) { me.add(9, std::vector<double>(3)); }), "table: row 9 (rows are 0..1)");
    hears(in_run([](auto& me, auto&) { me.add(0, std::vector<double>(4)); }),
          "table: 4 numbers for a row (its width is 3)");
    hears(in_run([](auto&, auto& me) { me.add(0, 3, 1.0); }), "table: entry 3 of a row (entries are 0..2)");
    hears([](auto& t, auto&) { t.row(2); }, "table: row 2 (rows are 0..1)");
    hears([](auto& t, auto&) { t.set(1, std::vector<double>(2)); }, "table: 2 numbers for a row (its width is 3)");
}

BOOST_AUTO_TEST_CASE(options_that_make_no_sense_are_refused_on_all_ranks) {
    const auto hears = [](const table::layout& layout, const auto& row, const auto& rule, const std::string& expected) {
        BOOST_TEST(heard_by_all(3, [&](const auto& c) { table::shared t(c, layout, row, rule); }) ==
                   said(core::error_kind::option, expected));
    };
    const consistency::bulk_synchronous bsp;
    const auto table_hears = [&](const table::layout& layout, const std::string& expected) {
        hears(layout, table::sum{}, bsp, expected);
    };
    table_hears({.rows = 0}, "table: rows is 0 (at least one is needed)");
    table_hears({.width = 0, .name = "counts"}, "counts: width is 0 (at least one is needed)");
    table_hears(
        {.width = std::uint64_t{1} << 28},
        "table: width is 268435456 (a row travels in one letter, of at most 134217728 numbers) use more rows, or "
        "table::sparse");
    table_hears({.workers = 5000}, "table: workers is 5000 (4095 updates of a clock fit exactly) use fewer");
    table_hears({.servers = 2000000}, "table: servers is 2000000 (at most 1048576) use fewer");
    table_hears({.workers_on = {0, 3}}, "table: workers_on names rank 3 (ranks are 0..2)");
    table_hears({.servers_on = {-1}}, "table: servers_on names rank -1 (ranks are 0..2)");
    table_hears({.servers_on = {1, 2, 1}}, "table: servers_on names a rank twice (once is enough)");
    table_hears({.early = {.bandwidth = -1}}, "table: bandwidth is -1 bytes per second (it must be 0 or more)");
    table_hears({.early = {.idle = std::nan("")}}, "table: idle is nan seconds (it must be 0 or more, and finite)");
    hears({.workers = 2}, table::sum{}, consistency::backup_workers{.enough = 3},
          "backup_workers: enough is 3 (of 2 workers at least one makes a clock, and not more than there are)");
    hears({}, table::descent{.rate = 0}, bsp, "descent: rate is 0 (it must be positive and finite)");
    hears({}, table::descent{.momentum = 1}, bsp, "descent: momentum is 1 (it must be in [0, 1))");
    hears({}, table::adaptive{.rate = -1}, bsp, "adaptive: rate is -1 (it must be positive and finite)");
    hears({}, table::sparse{table::adaptive{.floor = 0}}, bsp, "adaptive: floor is 0 (it must be positive and finite)");
}

BOOST_AUTO_TEST_CASE(options_that_differ_between_ranks_are_refused_on_all) {
    const auto each_its_own = [](const auto& c) {
        table::shared t(c, {.rows = c.rank() == 1 ? 4u : 5u}, table::sum{}, consistency::bulk_synchronous{});
    };
    const std::string expected =
        said(core::error_kind::option, "table: the ranks' options differ (all must say the same) give all the same");
    BOOST_TEST(heard_by_all(3, each_its_own) == expected);
    BOOST_TEST(heard_by_all(3, [](const auto& c) {
                   table::shared t(c, {}, table::sum{},
                                   consistency::bounded_staleness{.slack = c.rank() == 2 ? 1u : 2u});
               }) == expected);
    BOOST_TEST(heard_by_all(1, each_its_own) == "nothing");
    // numbers of clocks: each rank says its own, so the words differ
    int refused = 0;
    communicator::sim<>::run(3, {}, [&](const auto& c) {
        table::shared t(c, {}, table::sum{}, consistency::bulk_synchronous{});
        try {
            t.run(c.rank() == 0 ? 2 : 1, [](auto&) {});
        } catch (const core::option_error&) {
            ++refused;
        }
    });
    BOOST_TEST(refused == 3);
}

BOOST_AUTO_TEST_CASE(tables_of_one_run_have_the_same_workers) {
    BOOST_TEST(heard_by_all(2, [](const auto& c) {
                   table::shared a{c, {.workers = 2, .name = "a"}, table::sum{}, consistency::bulk_synchronous{}};
                   table::shared b{c, {.workers = 3, .name = "b"}, table::sum{}, consistency::bulk_synchronous{}};
                   table::run(
                       1, [](auto&, auto&) {}, a, b);
               }) == said(core::error_kind::shape, "b: its workers are not those of a (tables of one run share them)"));
}

BOOST_AUTO_TEST_SUITE_END()

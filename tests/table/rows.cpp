// SPDX-License-Identifier: BSL-1.0
#include <boost/test/unit_test.hpp>
#include <gamut/table/concept.hpp>
#include <gamut/table/managed.hpp>
#include <gamut/table/record.hpp>
#include <gamut/table/worker.hpp>

#include "tables.hpp"

namespace {

namespace communicator = tables::communicator;
namespace consistency = tables::consistency;
namespace table = tables::table;
using table::entries;

struct not_a_row {
    void apply(double) {}
};
struct forgetful {  // remembers, and does not say what
    double last = 0;
    void apply(std::span<double>, std::span<const double> update, std::size_t) { last = update[0]; }
};
static_assert(table::Row<table::sum> && table::Row<table::descent> && table::Row<table::adaptive>);
static_assert(table::Row<forgetful> && !table::SavedRow<forgetful>);
static_assert(!table::Row<not_a_row>);

struct greatest {  // a user's own
    void apply(std::span<double> values, std::span<const double> update, std::size_t) const {
        for (std::size_t j = 0; j < values.size(); ++j) values[j] = std::max(values[j], update[j]);
    }
};

/// What a row becomes by steps of `gradient`, each the sum of two workers'.
template <class R> std::vector<double> after(R row, int steps, const std::vector<double>& gradient) {
    std::vector<double> values(gradient.size());
    for (int k = 0; k < steps; ++k) row.apply(std::span<double>(values), std::span<const double>(gradient), 2);
    return values;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(rows)

BOOST_AUTO_TEST_CASE(formulas) {
    BOOST_TEST(after(table::sum{}, 3, {1, -2}) == std::vector<double>({3, -6}), boost::test_tools::per_element());
    // v = g, w = -g/2; v = 3/2 g, w = -5/4 g; v = 7/4 g, w = -17/8 g, with g = 2
    BOOST_TEST(after(table::descent{.rate = .5, .momentum = .5}, 3, {4})[0] == -4.25);
    // h = k g^2: each step is rate / sqrt(k), whatever the gradient's size
    const auto w = after(table::adaptive{.rate = 1, .floor = 1e-300}, 4, {6, -0.02});
    const double expected = 1 + 1 / std::sqrt(2) + 1 / std::sqrt(3) + 1 / std::sqrt(4);
    BOOST_TEST(std::abs(w[0] + expected) < 1e-14);
    BOOST_TEST(std::abs(w[1] - expected) < 1e-14);
    BOOST_TEST(after(table::adaptive{}, 2, {0})[0] == 0);
}

BOOST_AUTO_TEST_CASE(entries_are_in_order_and_others_are_zero) {
    entries some{{9, 1}, {2, 5}, {9, 2}};
    some.add(4, -1);
    BOOST_TEST(some.size() == 3u);
    BOOST_TEST(some[9] == 3);
    BOOST_TEST(some[2] == 5);
    BOOST_TEST(some[3] == 0);
    BOOST_TEST(some[~std::uint64_t{0}] == 0);
    std::vector<std::uint64_t> indices;
    for (const auto& one : some) indices.push_back(one.index);
    BOOST_TEST(indices == (std::vector<std::uint64_t>{2, 4, 9}), boost::test_tools::per_element());
    entries other{{1, 1}, {4, 1}};
    other.add(some);
    BOOST_TEST((other == entries{{1, 1}, {2, 5}, {4, 0}, {9, 3}}));
    BOOST_TEST(entries{}.empty());
    BOOST_TEST(entries{}[0] == 0);
}

BOOST_AUTO_TEST_CASE(a_row_of_ones_own) {
    const auto work = [](const auto& c) {
        table::shared t{c, {.width = 2, .workers = 5, .servers = 2}, greatest{}, consistency::bulk_synchronous{}};
        t.run(4, [](auto& me) {
            me.get(0);
            if (me.id() == me.clock()) me.add(0, std::vector<double>{static_cast<double>(10 * me.clock()), -1});
        });
        return std::string(t.row(0) == std::vector<double>({30, 0}) ? "" : "another greatest; ");
    };
    BOOST_TEST(work(communicator::single<>{}) == "");
    BOOST_TEST(tables::on_sim(3, work) == "");
}

BOOST_AUTO_TEST_CASE(rows_that_nobody_adds_to_stay_and_cost_nothing) {
    table::shared t{communicator::single<>{},
                    {.rows = std::uint64_t{1} << 40, .width = 2, .workers = 2, .servers = 3},
                    table::descent{.rate = 1, .momentum = .5},
                    consistency::bulk_synchronous{}};
    const std::uint64_t far = (std::uint64_t{1} << 40) - 1;
    t.run(3, [&](auto& me) {
        if (me.clock() == 0) me.add(far, std::vector<double>{1, 2});
        me.get(far - 1);
    });
    BOOST_TEST(t.row(far) == std::vector<double>({-1, -2}),
               boost::test_tools::per_element());  // no step by momentum alone
    BOOST_TEST(t.row(far - 1) == std::vector<double>(2), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(the_sum_of_a_clock_does_not_depend_on_who_added_what) {
    const std::vector<double> parts{1e16, 1, -1e16, 1, 0x1p-30, -3};
    const auto total = [&](std::size_t shift) {
        table::shared t{
            communicator::single<>{}, {.workers = parts.size()}, table::sum{}, consistency::bulk_synchronous{}};
        t.run(1, [&](auto& me) { me.add(0, std::vector<double>{parts[(me.id() + shift) % parts.size()]}); });
        return t.row(0)[0];
    };
    for (std::size_t shift = 1; shift < parts.size(); ++shift) BOOST_TEST(total(shift) == total(0));
}

BOOST_AUTO_TEST_CASE(numbers_that_are_not_finite_are_seen) {
    table::shared t{
        communicator::single<>{}, {.width = 2, .workers = 2}, table::sum{}, consistency::bulk_synchronous{}};
    t.run(1, [](auto& me) {
        me.add(0, std::vector<double>{me.id() == 0 ? std::numeric_limits<double>::infinity() : 1., 1.});
    });
    BOOST_TEST(std::isnan(t.row(0)[0]));
    BOOST_TEST(t.row(0)[1] == 2);
}

BOOST_AUTO_TEST_CASE(records_add_up) {
    std::vector<table::record> seen;
    table::report said;
    const auto work = [&](const auto& c) {
        table::shared t{c,
                        {.rows = 2, .workers = 4, .servers = 2, .name = "weights"},
                        table::sum{},
                        consistency::bounded_staleness{.slack = 1}};
        std::vector<table::record> mine;
        t.run(2, [](auto&) {});
        const auto report = t.run(
            5,
            [](auto& me) {
                me.get(0);
                me.get(1);
                me.get(0);
                me.add(0, std::vector<double>{1});
            },
            [&](const table::record& one) { mine.push_back(one); });
        if (c.rank() == 1) seen = mine, said = report;
        return std::string();
    };
    tables::on_sim(2, work);
    BOOST_TEST(seen.size() == 5u);
    BOOST_TEST(said.history.size() == 5u);
    table::record sums;
    for (std::size_t k = 0; k < seen.size(); ++k) {
        const auto& one = seen[k];
        BOOST_TEST(one.table == "weights");
        BOOST_TEST(one.clock == 2 + k);
        BOOST_TEST(one.clocks == 1u);
        BOOST_TEST(one.hits + one.waits == 4u * 3);
        BOOST_TEST(one.applied == 2u * 4);  // at each of two servers
        BOOST_TEST(one.most_stale <= 1u);
        BOOST_TEST(one.staleness <= 1);
        BOOST_TEST(one.seconds > 0);
        // updates to two servers, and a question and an answer for each wait
        BOOST_TEST(one.messages == 4u * 2 + 2 * one.waits);
        BOOST_TEST(one.bytes > 48 * one.messages);
        sums.messages += one.messages;
        sums.bytes += one.bytes;
        sums.waits += one.waits;
    }
    BOOST_TEST(sums.messages == said.total.messages);
    BOOST_TEST(sums.bytes == said.total.bytes);
    BOOST_TEST(sums.waits == said.total.waits);
    BOOST_TEST(said.total.clocks == 5u);
    BOOST_TEST(said.message == "");
}

BOOST_AUTO_TEST_CASE(long_runs_have_records_of_several_clocks) {
    table::shared t{communicator::single<>{}, {}, table::sum{}, consistency::bulk_synchronous{}};
    const auto said = t.run(100000, [](auto& me) { me.add(0, std::vector<double>{1}); });
    BOOST_TEST(t.row(0)[0] == 100000);
    BOOST_TEST(said.history.size() == 50000u);
    BOOST_TEST(said.history[7].clock == 14u);
    BOOST_TEST(said.history[7].clocks == 2u);
    BOOST_TEST(said.history[7].applied == 2u);
    BOOST_TEST(said.total.applied == 100000u);
}

BOOST_AUTO_TEST_CASE(a_server_that_pushes_sends_what_changed_to_those_who_have_it) {
    table::report pushed, pulled;
    const auto run = [](table::report& to, bool pushes) {
        tables::on_sim(3, [&](const auto& c) {
            table::shared t{c,
                            {.rows = 8, .workers = 2, .servers = 1, .workers_on = {1, 2}, .servers_on = {0}},
                            table::sum{},
                            consistency::bounded_staleness{.slack = 0, .pushes = pushes}};
            const auto said = t.run(10, [](auto& me) {
                me.get(me.id());  // of its own,
                me.get(2);        // both read,
                me.add(2, std::vector<double>{1});
                me.add(3, std::vector<double>{1});  // and nobody does
            });
            if (c.rank() == 0) to = said;
            return std::string();
        });
    };
    run(pushed, true);
    run(pulled, false);
    BOOST_TEST(pushed.total.pushed == 2u * 10);  // the row that changes, to both
    BOOST_TEST(pulled.total.pushed == 0u);
    // two questions of each worker, once; an update and a push per clock
    BOOST_TEST(pushed.total.messages == 2u * 2 * 2 + 10 * (2 + 2));
    BOOST_TEST(pulled.total.messages == 10u * (2 + 2 * 2 * 2));
    BOOST_TEST(pushed.total.bytes < pulled.total.bytes);
}

BOOST_AUTO_TEST_SUITE_END()

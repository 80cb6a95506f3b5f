// SPDX-License-Identifier: BSL-1.0
// What a table must do, as functions that all ranks call, whatever the communicator. Boost.Test's checks are for one
// thread, so a rank returns the sentences that turned out false instead.
#pragma once

#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <gamut/communicator/network.hpp>
#include <gamut/communicator/sim.hpp>
#include <gamut/communicator/single.hpp>
#include <gamut/communicator/threads.hpp>
#include <gamut/consistency/asynchronous.hpp>
#include <gamut/consistency/backup_workers.hpp>
#include <gamut/consistency/bounded_staleness.hpp>
#include <gamut/consistency/bulk_synchronous.hpp>
#include <gamut/core/error.hpp>
#include <gamut/core/exact_sum.hpp>
#include <gamut/table/adaptive.hpp>
#include <gamut/table/descent.hpp>
#include <gamut/table/entries.hpp>
#include <gamut/table/layout.hpp>
#include <gamut/table/run.hpp>
#include <gamut/table/shared.hpp>
#include <gamut/table/sparse.hpp>
#include <gamut/table/sum.hpp>
#include <set>
#include <span>
#include <string>
#include <vector>

namespace tables {

namespace communicator = gamut::communicator;
namespace consistency = gamut::consistency;
namespace core = gamut::core;
namespace table = gamut::table;

struct verdict {
    std::set<std::string> failures{};

    void check(bool holds, const std::string& sentence) {
        if (!holds) failures.insert(sentence);
    }
    std::string text() const {
        std::string all;
        for (const auto& one : failures) all += one + "; ";
        return all;
    }
};

/// What all ranks say.
template <class Work> std::string on_threads(int ranks, Work work) {
    std::vector<std::string> said(static_cast<std::size_t>(ranks));
    communicator::threads<>::run(ranks, [&](const auto& c) { said[static_cast<std::size_t>(c.rank())] = work(c); });
    std::string all;
    for (const auto& one : said) all += one;
    return all;
}
template <class Work> std::string on_sim(int ranks, Work work, const communicator::network& model = {}) {
    std::string all;
    communicator::sim<>::run(ranks, model, [&](const auto& c) {
        const std::string mine = work(c);
        all += mine;
    });
    return all;
}

inline bool same_bits(const std::vector<double>& a, const std::vector<double>& b) {
    bool same = a.size() == b.size();
    for (std::size_t j = 0; same && j < a.size(); ++j)
        same = std::bit_cast<std::uint64_t>(a[j]) == std::bit_cast<std::uint64_t>(b[j]);
    return same;
}

/// A gradient that depends on all bits of the weights, on the worker and on the row.
inline std::vector<double> gradient(const std::vector<double>& w, std::size_t worker, std::uint64_t row) {
    std::vector<double> g(w.size());
    for (std::size_t j = 0; j < g.size(); ++j)
        g[j] = std::tanh(w[j] - 0.1 * static_cast<double>(worker + j + row)) / 3 + w[j] * 0.1;
    return g;
}
constexpr auto descend = [](auto& me) {
    for (std::uint64_t row = 0; row < 5; ++row) me.add(row, gradient(me.get(row), me.id(), row));
};
inline table::layout shape(std::size_t servers) { return {.rows = 5, .width = 3, .workers = 4, .servers = servers}; }
inline const table::descent logic{.rate = .3, .momentum = .5};

/// The same without a table: one process, the sum of four gradients, the heavy ball.
inline std::vector<double> alone(int clocks) {
    std::vector<double> all;
    for (std::uint64_t row = 0; row < 5; ++row) {
        std::vector<double> w(3), velocity(3), total(3);
        for (int k = 0; k < clocks; ++k) {
            std::vector<double> partials;
            for (std::size_t worker = 0; worker < 4; ++worker)
                for (const double g : gradient(w, worker, row)) partials.push_back(g);
            std::vector<std::int32_t> exponents(3);
            std::vector<std::int64_t> multiples(3);
            core::exponents(partials, 4, exponents);
            core::quantize(partials, 4, exponents, multiples);
            core::restore(multiples, exponents, total);
            for (std::size_t j = 0; j < 3; ++j) {
                velocity[j] = .5 * velocity[j] + total[j] / 4;
                w[j] -= .3 * velocity[j];
            }
        }
        all.insert(all.end(), w.begin(), w.end());
    }
    return all;
}

template <class C, class K> std::vector<double> trajectory(const C& c, const K& rule, const table::layout& layout) {
    table::shared t{c, layout, logic, rule};
    t.run(20, descend);
    return t.values();
}

/// Three workers add 1, 2, 3.
template <class C, class K> void known_steps(const C& c, const K& rule, verdict& result) {
    for (const std::size_t servers : {1, 2, 3}) {
        table::shared t{c,
                        {.rows = 3, .width = 2, .workers = 3, .servers = servers},
                        table::descent{.rate = .5, .momentum = .9},
                        rule};
        const auto body = [](auto& me) {
            for (std::uint64_t row = 0; row < 3; ++row) {
                me.get(row);
                me.add(row, std::vector<double>(2, static_cast<double>(me.id() + 1)));
            }
        };
        t.run(1, body);
        for (const double w : t.values()) result.check(w == -1, "the first step leads to -1");
        t.run(1, body);
        for (const double w : t.values()) result.check(std::abs(w + 2.9) < 1e-15, "the second step leads to -2.9");
        result.check(t.clock() == 2, "two runs of a clock are two clocks");
    }
}

template <class C> void equal_bits(const C& c, verdict& result) {
    const auto expected = alone(20);
    const auto all = [&](const auto& rule, const std::string& what) {
        for (const std::size_t servers : {1, 2, 3, 5, 7})
            result.check(same_bits(trajectory(c, rule, shape(servers)), expected),
                         what + " has the bits of one process for any number of servers");
    };
    all(consistency::bulk_synchronous{}, "bulk synchronous");
    all(consistency::bounded_staleness{.slack = 0}, "slack 0");
    all(consistency::bounded_staleness{.slack = 0, .pushes = true}, "pushed slack 0");
    auto dedicated = shape(3);
    dedicated.servers_on = {c.size() - 1};
    dedicated.workers_on = {0};
    result.check(same_bits(trajectory(c, consistency::bulk_synchronous{}, dedicated), expected),
                 "ranks that only serve, or only work, don't change the bits");
    for (const auto order : {table::priority::fifo, table::priority::random, table::priority::magnitude}) {
        auto early = shape(2);
        early.early = {.bandwidth = 1e12, .priority = order};
        result.check(same_bits(trajectory(c, consistency::bulk_synchronous{}, early), expected),
                     "what goes early doesn't change the bits");
    }
}

template <class C> void reads(const C& c, verdict& result) {
    for (const bool pushes : {false, true}) {
        table::shared t{c,
                        {.rows = 2, .workers = 3, .servers = 2},
                        table::sum{},
                        consistency::bounded_staleness{.slack = 2, .pushes = pushes}};
        const std::vector<double> one{1};
        t.run(30, [&](auto& me) {
            const auto k = static_cast<double>(me.clock());
            const double others = 2 * std::max(0., k - 2);
            const double before = me.get(1)[0];
            result.check(before >= k + others,
                         "what is read has all but the last `slack` clocks, and all of one's own");
            result.check(before <= k + 2 * (k + 3), "and nothing that nobody has added yet");
            result.check(me.staleness() <= 2, "staleness is within the slack");
            me.add(1, one);
            result.check(me.get(1)[0] >= k + 1 + others, "what this clock added is read in this clock");
        });
        result.check(t.values() == std::vector<double>({0, 90}), "nothing is lost");
    }
    table::shared t{c, {.workers = 3, .servers = 1}, table::sum{}, consistency::asynchronous{}};
    const auto done = t.run(30, [&](auto& me) {
        const double before = me.get(0)[0];
        me.add(0, std::vector<double>{1});
        result.check(me.get(0)[0] >= before + 1, "asynchronous workers read what they wrote");
    });
    result.check(t.row(0)[0] == 90 && done.total.applied == 90, "asynchronous updates are all applied, each once");
}

template <class C> void sparse_is_dense(const C& c, verdict& result) {
    const table::layout wide{.rows = 2, .width = 100, .workers = 3, .servers = 2};
    table::layout endless = wide;
    endless.width = ~std::uint64_t{0};
    const auto index = [](std::size_t worker, std::uint64_t clock, std::size_t k) {
        return (7 * worker + 3 * clock + 11 * k) % 20;
    };
    const auto both = [&](const auto& row) {
        table::shared dense{c, wide, row, consistency::bulk_synchronous{}};
        table::shared sparse{c, endless, table::sparse{row}, consistency::bulk_synchronous{}};
        dense.run(6, [&](auto& me) {
            const auto w = me.get(1);
            std::vector<double> g(100);
            for (std::size_t k = 0; k < 4; ++k) {
                const auto j = index(me.id(), me.clock(), k);
                g[j] += 1 / (1 + w[j] * w[j] + static_cast<double>(k));
            }
            me.add(1, g);
        });
        sparse.run(6, [&](auto& me) {
            const table::entries w = me.get(1);
            for (std::size_t k = 0; k < 4; ++k) {
                const auto j = index(me.id(), me.clock(), k);
                me.add(1, j, 1 / (1 + w[j] * w[j] + static_cast<double>(k)));
            }
        });
        const auto values = dense.row(1);
        const auto entries = sparse.row(1);
        std::vector<double> spread(100);
        for (const auto& one : entries) spread[static_cast<std::size_t>(one.index)] = one.value;
        result.check(spread == values, "a sparse row has the values of a dense one");
        result.check(entries.size() == 20, "it has the entries that were added to, and no others");
        result.check(sparse.row(0).empty(), "a row that nobody added to is empty");
    };
    both(table::sum{});
    both(table::descent{.rate = .1, .momentum = .9});
    both(table::adaptive{});
}

template <class C> void several_tables(const C& c, verdict& result) {
    table::shared weights{c, shape(2), logic, consistency::bulk_synchronous{}};
    table::shared counts{c, {.workers = 4, .servers = 3}, table::sum{}, consistency::bounded_staleness{.slack = 3}};
    {
        table::shared passing{c, {.workers = 1}, table::sum{}, consistency::asynchronous{}};
        passing.run(2, [](auto& me) { me.add(0, std::vector<double>{5}); });
        result.check(passing.row(0)[0] == 10, "tables come and go");
    }
    const auto said = table::run(
        20,
        [](auto& mine, auto& count) {
            descend(mine);
            count.add(0, std::vector<double>{1});
        },
        weights, counts);
    result.check(same_bits(weights.values(), alone(20)), "two tables in one run don't disturb each other");
    result.check(counts.values() == std::vector<double>{80}, "and both are added to");
    result.check(said.size() == 2 && said[1].history.size() == 20, "each has its report");
}

template <class C> void values_given(const C& c, verdict& result) {
    table::shared t{
        c, {.rows = 3, .width = 2, .workers = 2, .servers = 2}, table::sum{}, consistency::bulk_synchronous{}};
    const auto add_one = [](auto& me) {
        for (std::uint64_t row = 0; row < 3; ++row) {
            me.get(row);
            me.add(row, std::vector<double>{1, -1});
        }
    };
    t.run(1, add_one);
    t.set(1, std::vector<double>{10, -0.0});
    result.check(t.values() == std::vector<double>({2, -2, 10, 0, 2, -2}) && std::signbit(t.values()[3]),
                 "set gives one row its values, to the last bit");
    double seen = 10;
    t.run(1, [&](auto& me) {
        seen = me.get(1)[0];
        add_one(me);
    });
    result.check(seen == 10, "the next run reads what was set");
    result.check(t.row(1) == std::vector<double>({12, -2}), "and goes on from there");
}

/// All of it.
template <class C> std::string check(const C& c) {
    verdict result;
    known_steps(c, consistency::bulk_synchronous{}, result);
    known_steps(c, consistency::bounded_staleness{.slack = 0, .pushes = true}, result);
    equal_bits(c, result);
    reads(c, result);
    sparse_is_dense(c, result);
    several_tables(c, result);
    values_given(c, result);
    c.barrier();
    return result.text();
}

}  // namespace tables

// SPDX-License-Identifier: BSL-1.0
// Random schedules: machines, networks and who is slow when, drawn for a seed, on ranks in virtual time, which finds a deadlock at once.
// Whatever the schedule, nothing is lost, nobody waits for ever, and what is synchronous has the bits of one rank.
// GAMUT_SCHEDULES=10000 in the environment: so many seeds instead of 1000.
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include <gamut/communicator/network.hpp>
#include <gamut/communicator/sim.hpp>
#include <gamut/communicator/single.hpp>
#include <gamut/consistency/asynchronous.hpp>
#include <gamut/consistency/backup_workers.hpp>
#include <gamut/consistency/bounded_staleness.hpp>
#include <gamut/consistency/bulk_synchronous.hpp>
#include <gamut/core/error.hpp>
#include <gamut/core/random.hpp>
#include <gamut/exchange/asynchronous_push_sum.hpp>
#include <gamut/exchange/gossip.hpp>
#include <gamut/exchange/nodes.hpp>
#include <gamut/table/shared.hpp>
#include <gamut/table/sum.hpp>
#include <gamut/topology/concept.hpp>
#include <gamut/topology/random_pairs.hpp>

#include "averaging.hpp"

using namespace gamut;
using averaging::array;

namespace {

std::uint64_t seeds() {
    const char* const wanted = std::getenv("GAMUT_SCHEDULES");
#ifdef __SANITIZE_THREAD__
    constexpr std::uint64_t enough = 50;  // ranks are threads, and ThreadSanitizer looks at each of them
#else
    constexpr std::uint64_t enough = 1000;
#endif
    return wanted != nullptr ? std::strtoull(wanted, nullptr, 10) : enough;
}

/// What a seed makes of the machines.
struct schedule {
    core::random draw;
    int ranks;
    communicator::network machines{};

    explicit schedule(std::uint64_t seed) : draw{.seed = seed}, ranks(1 + static_cast<int>(draw.below(0, 6))) {
        const auto rank = [&](std::uint64_t index) {
            return static_cast<int>(draw.below(index, static_cast<std::size_t>(ranks)));
        };
        machines.latency = 1e-6 * static_cast<double>(std::size_t{1} << draw.below(1, 14));
        machines.bandwidth = 1e4 * static_cast<double>(std::size_t{1} << draw.below(2, 14));
        for (std::uint64_t k = 0; k < draw.below(3, 4); ++k)
            machines.links.push_back({.from = rank(10 + k),
                                      .to = rank(20 + k),
                                      .latency = 0.1 * draw.uniform(30 + k),
                                      .bandwidth = 1e3 * (1 + draw.uniform(40 + k))});
        if (draw.below(4, 2) == 1) machines.stragglers.push_back({.rank = rank(5), .factor = 1 + 50 * draw.uniform(6)});
    }
    std::size_t nodes() const { return 2 + draw.below(7, 8); }
    /// How long somebody works in a step, most often little.
    double work(std::size_t who, std::uint64_t step) const {
        const double u = draw.uniform(1000 + 1000 * who + step);
        return 1e-3 * u * u * u * u;
    }
};

/// f(seed, schedule) returns what went wrong.
template <class F> void on_schedules(F&& f) {
    std::size_t wrong = 0;
    for (std::uint64_t seed = 1; seed <= seeds() && wrong < 3; ++seed) {
        std::string said;
        try {
            said = f(schedule(seed));
        } catch (const std::exception& problem) {
            said = problem.what();
        }
        wrong += !said.empty();
        BOOST_TEST(said == "", "seed " << seed << ": " << said);
    }
}

/// Everybody is heard by one or three others, so that shares are halves and quarters, and sums of few steps exact.
struct circle {
    std::size_t offset = 1;
    bool three = false;
    topology::node_list sources(std::size_t i, std::size_t n, std::size_t) const {
        topology::node_list heard{(i + offset) % n};
        if (three && n > 3) heard = {(i + 1) % n, (i + 2) % n, (i + 3) % n};
        return heard;
    }
};

template <class K> std::string counted(const schedule& s, const K& rule) {
    constexpr std::uint64_t clocks = 12, rows = 3;
    const std::size_t workers = s.nodes();
    std::string wrong;
    communicator::sim<>::run(s.ranks, s.machines, [&](const auto& c) {
        table::shared t(c, {.rows = rows, .width = 2, .workers = workers, .servers = 1 + s.draw.below(8, 4)},
                        table::sum{}, rule);
        bool fresh = true;
        const auto done = t.run(clocks, [&](auto& me) {
            const auto now = me.get(me.clock() % rows);
            c.work(s.work(me.id(), me.clock()));
            if constexpr (K::needs_clock) fresh = fresh && rule.oldest(me.clock()) + me.staleness() <= me.clock();
            for (std::uint64_t row = 0; row < rows; ++row) me.add(row, std::vector<double>{1, 0.5 * (now[0] >= 0)});
        });
        double sums[2] = {0, 0};
        for (std::uint64_t row = 0; row < rows; ++row)
            for (std::size_t j = 0; j < 2; ++j) sums[j] += t.row(row)[j];
        // backup_workers: what came too late is counted, not added
        const auto all = static_cast<double>(clocks * rows * workers);
        const bool some_lost = K::needs_server;
        if (!fresh) wrong = "somebody read what was too old";
        if (2 * sums[1] != sums[0]) wrong = "half of an update";
        if (some_lost ? !(sums[0] <= all && sums[0] >= static_cast<double>(clocks * rows)) : sums[0] != all)
            wrong = core::text("the sum is ", sums[0], " of ", all);
        if (done.total.late > 0 && !some_lost) wrong = "late";
    });
    return wrong;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(schedules)

BOOST_AUTO_TEST_CASE(push_sum_without_waiting_loses_nothing) {
    on_schedules([](const schedule& s) {
        std::string wrong;
        communicator::sim<>::run(s.ranks, s.machines, [&](const auto& c) {
            const exchange::nodes all(c, s.nodes());
            const exchange::asynchronous_push_sum<circle> method{
                {.offset = 1 + s.draw.below(9, all.count() - 1), .three = s.draw.below(50, 2) == 1}};
            exchange::state_of<std::remove_const_t<decltype(method)>, array, std::remove_const_t<decltype(all)>> state(
                method, all, array(1));
            for (std::size_t i = 0; i < all.size(); ++i)
                state.copies()[i][0] = static_cast<double>(s.draw.below(60 + all.first() + i, 1000));
            // numbers of 14 bits, of which every step of a node may take half or a quarter: so many steps are exact
            const std::uint64_t steps = 36 / (all.count() * (method.topology.three ? 2 : 1));
            std::uint64_t step = 0;
            for (const std::uint64_t end : {steps / 2, steps}) {
                for (; step < end; ++step)
                    state.round(0, [&](std::size_t i, const array&, array& slope) {
                        c.work(s.work(all.first() + i, step));
                        slope[0] = 0;
                    });
                state.settle();
                double sums[2] = {0, 0}, begun = 0;
                for (std::size_t i = 0; i < all.size(); ++i)
                    for (std::size_t j = 0; j < 2; ++j) sums[j] += state.sums(i)[j];
                c.all_reduce(std::span<double>(sums), communicator::operation::sum);
                for (std::size_t i = 0; i < all.count(); ++i) begun += static_cast<double>(s.draw.below(60 + i, 1000));
                if (sums[0] != begun || sums[1] != static_cast<double>(all.count()))
                    wrong =
                        core::text("sums of ", sums[0], " and ", sums[1], " instead of ", begun, " and ", all.count());
            }
        });
        return wrong;
    });
}

BOOST_AUTO_TEST_CASE(gossip_has_the_bits_of_one_rank) {
    on_schedules([](const schedule& s) -> std::string {
        const exchange::gossip method{topology::random_pairs{.seed = s.draw.below(9, 100)}};
        const auto alone = averaging::of(communicator::single<>{}, method, s.nodes(), 3, 6);
        bool same = true;
        communicator::sim<>::run(s.ranks, s.machines, [&](const auto& c) {
            c.work(s.work(static_cast<std::size_t>(c.rank()), 0));
            const auto found = averaging::of(c, method, s.nodes(), 3, 6);
            same = same && found.numbers == alone.numbers && found.left == alone.left;
        });
        return same ? "" : "other bits";
    });
}

BOOST_AUTO_TEST_CASE(tables_count_every_update_once) {
    on_schedules([](const schedule& s) -> std::string {
        switch (s.draw.below(70, 4)) {
        case 0:
            return counted(s, consistency::bulk_synchronous{});
        case 1:
            return counted(
                s, consistency::bounded_staleness{.slack = s.draw.below(71, 4), .pushes = s.draw.below(72, 2) == 1});
        case 2:
            return counted(s, consistency::asynchronous{});
        default:
            return counted(s, consistency::backup_workers{.enough = 1 + s.draw.below(73, s.nodes())});
        }
    });
}

BOOST_AUTO_TEST_SUITE_END()

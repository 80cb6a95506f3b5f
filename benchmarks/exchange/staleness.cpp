// SPDX-License-Identifier: BSL-1.0
// Does a little staleness pay as theory says? A worker per process and a table on the first; worker r works 1 + d times as long in the clocks
// c with c mod P = r. Work is sleep, so more processes than processors do no harm. The time that bulk-synchronous clocks take over
// that with slack, and that over what theory says.
// run: mpirun -n 4 staleness --output FILE
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <thread>
#include <vector>

#include <gamut/communicator/mpi.hpp>
#include <gamut/consistency/bounded_staleness.hpp>
#include <gamut/consistency/bulk_synchronous.hpp>
#include <gamut/core/error.hpp>
#include <gamut/core/text.hpp>
#include <gamut/table/shared.hpp>
#include <gamut/table/sum.hpp>

#include "../measure.hpp"

using namespace gamut;

namespace {

const communicator::mpi<>* ranks = nullptr;
double unit = 0.01;  // seconds that a clock's work takes

/// Seconds of `clocks` clocks, and throws unless nothing that was added is lost.
template <class K> double seconds(const K& rule, std::uint64_t delay, std::uint64_t clocks) {
    table::shared t{*ranks, {.servers = 1}, table::sum{}, rule};
    const auto workers = static_cast<std::uint64_t>(ranks->size());
    std::uint64_t clock = 0;
    ranks->barrier();
    const double took = benchmark::seconds([&] {
        t.run(clocks, [&](auto& me) {
            me.get(0);
            const std::uint64_t times = clock++ % workers == me.id() ? 1 + delay : 1;
            std::this_thread::sleep_for(std::chrono::duration<double>(static_cast<double>(times) * unit));
            me.add(0, std::vector<double>{1});
        });
    });
    if (t.row(0)[0] != static_cast<double>(clocks * workers)) throw core::error("staleness: updates are lost");
    return took;
}

struct theory {
    std::size_t workers;
    std::uint64_t delay;
    std::vector<double> over_synchronous;  // with slack 1, 2, 3
};
const std::vector<theory> known{{4, 1, {1.6, 1.6, 1.6}}, {4, 4, {2, 2.5, 2.5}}, {8, 4, {2, 3, 10 / 3.}}};

}  // namespace

int main(int argc, char** argv) {
    communicator::mpi_session session(argc, argv);
    const communicator::mpi<> everybody;
    ranks = &everybody;
    unit = std::stod(benchmark::option(argc, argv, "--unit", "0.02"));
    const std::uint64_t clocks = std::stoul(benchmark::option(argc, argv, "--clocks", "48"));
    std::vector<benchmark::record> records;
    for (const theory& one : known) {
        if (one.workers != static_cast<std::size_t>(everybody.size())) continue;
        std::vector<consistency::bounded_staleness> rules;
        for (std::uint64_t slack = 1; slack <= one.over_synchronous.size(); ++slack)
            for (const bool pushes : {false, true}) rules.push_back({.slack = slack, .pushes = pushes});
        std::vector<std::vector<double>> ratios(rules.size());
        for (int repeat = 0; repeat < 3; ++repeat) {
            const double together = seconds(consistency::bulk_synchronous{}, one.delay, clocks);
            for (std::size_t i = 0; i < rules.size(); ++i)
                ratios[i].push_back(together / seconds(rules[i], one.delay, clocks));
        }
        for (std::size_t i = 0; i < rules.size(); ++i) {
            const double paid = benchmark::median(ratios[i]);
            const std::string name = core::text("P ", one.workers, ", d ", one.delay, ", slack ", rules[i].slack,
                                                rules[i].pushes ? ", pushed" : "");
            records.push_back({name, "synchronous_over_stale", paid, std::numeric_limits<double>::infinity()});
            records.push_back({name, "over_ideal", paid / one.over_synchronous[rules[i].slack - 1], 0.9, true});
        }
    }
    return everybody.rank() == 0 ? benchmark::report(records, benchmark::option(argc, argv, "--output", "")) : 0;
}

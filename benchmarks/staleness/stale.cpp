// SPDX-License-Identifier: BSL-1.0
// What benchmarks/staleness.py runs: a factorisation by stochastic gradients through a table, a worker per rank, worker r slower by 1 + d
// in the clocks c with c mod P = r. A line of JSON: for each number of epochs the seconds of a run, and the objective behind it.
//     stale --workers P --delay D --slack S --epochs 20,25                          on simulated ranks: a clock's work is a virtual second
//     mpirun -n P stale --mpi 1 --delay D --slack S --epochs 20,25 --work 0.01      on processes: a clock's work is a sleep of so many seconds
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <sstream>
#include <string>
#include <thread>
#include <type_traits>
#include <vector>

#include <gamut/backend/sparse.hpp>
#include <gamut/communicator/mpi.hpp>
#include <gamut/communicator/sim.hpp>
#include <gamut/core/clock.hpp>
#include <gamut/core/random.hpp>
#include <gamut/data/arrays.hpp>
#include <gamut/learn/detail/entry_factors.hpp>
#include <gamut/learn/detail/shards.hpp>
#include <gamut/learn/detail/table_descent.hpp>

#include "../measure.hpp"

using namespace gamut;
using sparse = backend::sparse_matrix<double>;

namespace {

/// Three of ten entries of a matrix of rank 4, and noise.
data::arrays<sparse> ratings() {
    const core::random draws{.seed = 5};
    sparse x;
    x.columns = 120;
    for (std::size_t i = 0; i < 480; ++i, ++x.rows) {
        for (std::size_t j = 0; j < x.columns; ++j) {
            if (draws.uniform(100000 + i * x.columns + j) > 0.3) continue;
            double value = 0.3 * draws.normal(200000 + i * x.columns + j);
            for (std::size_t k = 0; k < 4; ++k) value += draws.normal(4 * i + k) * draws.normal(10000 + 4 * j + k);
            x.indices.push_back(static_cast<std::int32_t>(j));
            x.values.push_back(value);
        }
        x.offsets.push_back(static_cast<std::int64_t>(x.indices.size()));
    }
    return data::arrays<sparse>(std::move(x));
}

struct point {
    double seconds = 0, objective = 0;
};

/// A run of so many epochs, 20 clocks each; work(clock) is what a worker does beside.
template <class C, class Work>
point descend(const C& ranks, std::uint64_t slack, std::size_t epochs, double rate, Work&& work) {
    data::request wanted;
    wanted.labels = false;
    wanted.blocks = static_cast<std::size_t>(ranks.size());
    const auto entries = ratings().load(ranks, wanted);
    using rows = std::remove_const_t<decltype(entries)>;
    const learn::detail::shards<C> by(ranks, entries.partition, 1);
    learn::detail::entry_factors<C, rows> factors(by, entries, 4, false, 0.5, 1);
    learn::detail::table_descent<C, rows> descent(
        by, entries, factors, {.batch = 24, .rate = rate, .lambda = 0.5, .consistency = {.slack = slack}}, 0);
    ranks.barrier();
    std::uint64_t clock = 0;
    const double seconds = descent.run(epochs, [&] { work(clock++); }).seconds;
    return {seconds, factors.objective()};
}

double extra = 0;  // of the command line; network::slower is a plain function
int workers = 0;
double in_turn(int rank, std::uint64_t clock) {
    return clock % static_cast<std::uint64_t>(workers) == static_cast<std::uint64_t>(rank) ? 1 + extra : 1;
}

}  // namespace

int main(int argc, char** argv) try {
    const auto number = [&](const char* name, const char* otherwise) {
        return std::atof(benchmark::option(argc, argv, name, otherwise).c_str());
    };
    extra = number("--delay", "1");
    const auto slack = static_cast<std::uint64_t>(number("--slack", "0"));
    const double rate = number("--rate", "0.01"), unit = number("--work", "0.01");
    std::vector<std::size_t> epochs;
    std::stringstream list(benchmark::option(argc, argv, "--epochs", "25"));
    for (std::string one; std::getline(list, one, ',');)
        epochs.push_back(static_cast<std::size_t>(std::atol(one.c_str())));

    std::vector<point> found(epochs.size());
    bool shows = true;
    if (number("--mpi", "0") > 0) {
        const communicator::mpi_session session(argc, argv);
        const communicator::mpi<> ranks;
        workers = ranks.size();
        shows = ranks.rank() == 0;
        for (std::size_t e = 0; e < epochs.size(); ++e)
            found[e] = descend(ranks, slack, epochs[e], rate, [&](std::uint64_t clock) {
                std::this_thread::sleep_for(std::chrono::duration<double>(unit * in_turn(ranks.rank(), clock)));
            });
    } else {
        workers = static_cast<int>(number("--workers", "4"));
        const communicator::network fast{.latency = 1e-9, .bandwidth = 1e18, .slower = in_turn};
        for (std::size_t e = 0; e < epochs.size(); ++e)
            communicator::sim<>::run(workers, fast, [&](const communicator::sim<>& ranks) {
                const point one = descend(ranks, slack, epochs[e], rate, [&](std::uint64_t) { ranks.work(1); });
                if (ranks.rank() == 0) found[e] = one;
            });
    }
    for (std::size_t e = 0; shows && e < epochs.size(); ++e)
        std::printf("%s[%zu, %.9f, %.12g]%s", e == 0 ? "[" : ", ", epochs[e], found[e].seconds, found[e].objective,
                    e + 1 == epochs.size() ? "]\n" : "");
    return 0;
} catch (const std::exception& error) {
    std::fprintf(stderr, "stale: %s\n", error.what());
    return 1;
}

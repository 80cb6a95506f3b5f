// SPDX-License-Identifier: BSL-1.0
// How long does a step of logistic regression take on several processes? sgd with one copy of the weights (its gradients are summed exactly),
// with exchange::all_reduce, and gossip with one peer, a node per process, in single precision. benchmarks/exchange/in_pytorch.py does the same.
// run: logistic --write FILE, once, then mpirun -n 4 logistic --output FILE
#include <cstddef>
#include <cstdio>
#include <limits>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <gamut/communicator/mpi.hpp>
#include <gamut/core/random.hpp>
#include <gamut/exchange/all_reduce.hpp>
#include <gamut/exchange/gossip.hpp>
#include <gamut/exchange/none.hpp>
#include <gamut/gamut.hpp>
#include <gamut/topology/one_peer.hpp>

#include "../measure.hpp"

using namespace gamut;

namespace {

constexpr std::size_t rows = 8192, columns = 500, batch = 256;

/// Normal columns; the label is 1 where a normal direction and noise say so.
std::pair<backend::dense_matrix<float>, std::vector<double>> problem() {
    backend::dense_matrix<float> x(rows, columns);
    std::vector<double> y(rows);
    const core::random entries{.seed = 1, .stream = 1}, direction{.seed = 1, .stream = 2},
        noise{.seed = 1, .stream = 3};
    for (std::size_t i = 0; i < rows; ++i) {
        double score = 4 * noise.normal(i);
        for (std::size_t j = 0; j < columns; ++j) {
            x(i, j) = static_cast<float>(entries.normal(i * columns + j));
            score += static_cast<double>(x(i, j)) * direction.normal(j);
        }
        y[i] = score > 0 ? 1 : 0;
    }
    return {std::move(x), std::move(y)};
}

/// Entries by rows, and labels, in single precision.
int write(const std::string& path) {
    const auto [x, y] = problem();
    std::FILE* const file = std::fopen(path.c_str(), "wb");
    if (file == nullptr) return 1;
    for (std::size_t i = 0; i < rows; ++i)
        for (std::size_t j = 0; j < columns; ++j) {
            const float entry = x(i, j);
            std::fwrite(&entry, sizeof entry, 1, file);
        }
    for (const double label : y) {
        const auto one = static_cast<float>(label);
        std::fwrite(&one, sizeof one, 1, file);
    }
    return std::fclose(file) == 0 ? 0 : 1;
}

/// Seconds of a step, after the first epoch and without the passes that look at the objective; and the objective at the end.
template <class Data, class E>
std::pair<double, double> step(const communicator::mpi<>& ranks, const Data& data, const E& exchange,
                               std::size_t epochs) {
    const estimator e{
        .model = model::logistic{},
        .penalty = penalty::l2{1e-3},
        .solver = solver::sgd{.rate = 0.1,
                              .batch = batch,
                              .check_every = 0,
                              .blocks = std::is_same_v<E, exchange::none> ? 0 : static_cast<std::size_t>(ranks.size()),
                              .exchange = exchange,
                              .stop = {.iterations = epochs + 2, .tolerance = 0}},
        .backend = backend::host<float>{.threads = 1},
        .communicator = ranks,
        .prepare = {.columns = data::columns::as_given}};
    double begin = 0, end = 0;
    const auto fit = e.fit(data, [&](const core::record& now) {
        if (now.iteration == 1) begin = now.seconds;
        if (now.iteration == epochs + 1) end = now.seconds;
        return false;
    });
    return {(end - begin) / static_cast<double>(epochs * (rows / batch)), fit.objective};
}

}  // namespace

int main(int argc, char** argv) {
    if (const std::string path = benchmark::option(argc, argv, "--write", ""); !path.empty()) return write(path);
    communicator::mpi_session session(argc, argv);
    const communicator::mpi<> ranks;
    auto [x, y] = problem();
    const data::arrays data(std::move(x), y);
    const std::size_t epochs = std::stoul(benchmark::option(argc, argv, "--epochs", "10"));
    const double no_goal = std::numeric_limits<double>::infinity();
    std::vector<benchmark::record> records;
    const auto say = [&](const char* name, const auto& exchange) {
        const auto [seconds, objective] = step(ranks, data, exchange, epochs);
        records.push_back({name, "microseconds_per_step", 1e6 * seconds, no_goal});
        records.push_back({name, "objective", objective, no_goal});
    };
    say("one copy", exchange::none{});
    say("all_reduce", exchange::all_reduce{});
    say("gossip", exchange::gossip{topology::one_peer_exponential{}});
    return ranks.rank() == 0 ? benchmark::report(records, benchmark::option(argc, argv, "--output", "")) : 0;
}

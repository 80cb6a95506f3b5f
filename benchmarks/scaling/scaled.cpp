// SPDX-License-Identifier: BSL-1.0
// What benchmarks/scaling.py runs.
//     mpirun -n RANKS scaled LEARNER                 a line of JSON: seconds of a fit, and processor seconds of the busiest rank
//     scaled LEARNER --ranks N --latency S --bandwidth B    the same on simulated ranks: virtual seconds
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <exception>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <gamut/backend/sparse.hpp>
#include <gamut/communicator/mpi.hpp>
#include <gamut/core/random.hpp>
#include <gamut/data/arrays.hpp>
#include <gamut/learn/factorisation.hpp>
#include <gamut/learn/k_means.hpp>
#include <gamut/learn/random_forest.hpp>
#include <gamut/learn/topics.hpp>

#include "../measure.hpp"
#include "worked.hpp"

using namespace gamut;

namespace {

using dense = data::arrays<backend::dense_matrix<double>>;
using sparse = data::arrays<backend::sparse_matrix<double>>;

double processor_seconds() {
    timespec now{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

dense mixture(std::size_t rows, std::size_t columns, std::size_t kinds, double apart) {
    const core::random centres{.seed = 1}, noise{.seed = 2};
    backend::dense_matrix<double> x(rows, columns);
    std::vector<double> y;
    for (std::size_t i = 0; i < rows; ++i) {
        const std::size_t kind = noise.below(i, kinds);
        for (std::size_t j = 0; j < columns; ++j)
            x(i, j) = apart * centres.normal(kind * columns + j) + noise.normal(rows + i * columns + j);
        y.push_back(static_cast<double>(kind));
    }
    return dense(std::move(x), y);
}

/// `per_row` entries in a row, at different places; counts, or numbers near the product of two factors.
sparse table(std::size_t rows, std::size_t columns, std::size_t per_row, bool counts) {
    const core::random place{.seed = 3}, value{.seed = 4};
    backend::sparse_matrix<double> x;
    x.rows = rows;
    x.columns = columns;
    std::vector<std::int32_t> row;
    for (std::size_t i = 0; i < rows; ++i) {
        row.clear();
        const std::size_t subject = place.below(i, 50);
        for (std::size_t e = 0; e < per_row; ++e) {
            const double u = place.uniform(rows + i * per_row + e);
            const auto anywhere = static_cast<std::size_t>(u * static_cast<double>(columns));
            // half of the words are of the document's subject
            row.push_back(
                static_cast<std::int32_t>(counts && e % 2 == 0 ? (anywhere / 50 * 50 + subject) % columns : anywhere));
        }
        std::sort(row.begin(), row.end());
        row.erase(std::unique(row.begin(), row.end()), row.end());
        for (const std::int32_t j : row) {
            x.indices.push_back(j);
            x.values.push_back(counts ? 1
                                      : value.normal(i) * value.normal(rows + static_cast<std::size_t>(j)) +
                                            0.1 * value.normal(10 * rows + x.values.size()));
        }
        x.offsets.push_back(static_cast<std::int64_t>(x.indices.size()));
    }
    return sparse(std::move(x));
}

/// A fit by these ranks; small is what the simulation runs.
template <class C> class fits {
public:
    fits(std::string name, bool small) : name_(std::move(name)), small_(small) {
        if (name_ == "k_means")
            rows_.emplace_back(mixture(small ? 131072 : 400000, 32, 32, 0.7));
        else if (name_ == "random_forest")
            rows_.emplace_back(mixture(small ? 2000 : 6000, 16, 10, 0.8));
        else if (name_ == "topics")
            entries_.emplace_back(table(small ? 8192 : 6000, 5000, 100, true));
        else if (name_ == "factorisation")
            entries_.emplace_back(table(small ? 16384 : 20000, 1000, 50, false));
        else
            throw core::option_error(
                core::text("scaled: ", name_, " (there are k_means, random_forest, topics, factorisation) name one"));
    }
    void operator()(const C& ranks) const {
        if (name_ == "k_means") {
            learn::k_means<C> l{.clusters = 32, .threads = 1, .communicator = ranks};
            l.stop = {.iterations = small_ ? 5u : 20u, .tolerance = 0};
            l.fit(rows_[0]);
        } else if (name_ == "random_forest") {
            learn::random_forest<C>{.trees = small_ ? 256u : 64u, .threads = 1, .communicator = ranks}.fit(rows_[0]);
        } else if (name_ == "topics") {
            learn::topics<C> l{.count = 50, .nodes = small_ ? 256u : 8u, .threads = 1, .communicator = ranks};
            l.stop.iterations = small_ ? 4 : 20;
            l.fit(entries_[0]);
        } else {
            learn::factorisation<C> l{.rank = 8, .lambda = 1, .threads = 1, .communicator = ranks};
            l.stop = {.iterations = small_ ? 1u : 5u, .tolerance = 0};
            l.fit(entries_[0]);
        }
    }

private:
    std::string name_;
    bool small_;
    std::vector<dense> rows_;
    std::vector<sparse> entries_;
};

int simulate(const std::string& name, int ranks, const communicator::network& network) {
    const fits<scaling::worked> fit(name, true);
    const auto done = communicator::sim<>::run(ranks, network,
                                               [&](const communicator::sim<>& inner) { fit(scaling::worked(inner)); });
    std::printf("{\"virtual_seconds\": %.9f}\n", done.seconds);
    return 0;
}

int measure(const std::string& name, int argc, char** argv) {
    const communicator::mpi_session session(argc, argv);
    const communicator::mpi<> ranks;
    const fits<communicator::mpi<>> fit(name, false);
    ranks.barrier();
    const double before = processor_seconds();
    double seconds = benchmark::seconds([&] {
        fit(ranks);
        ranks.barrier();
    });
    double busiest[] = {seconds, processor_seconds() - before};
    ranks.all_reduce(std::span<double>(busiest), communicator::operation::maximum);
    if (ranks.rank() == 0) std::printf("{\"seconds\": %.6f, \"processor_seconds\": %.6f}\n", busiest[0], busiest[1]);
    return 0;
}

}  // namespace

int main(int argc, char** argv) try {
    const std::string name = argc > 1 ? argv[1] : "";
    const int simulated = std::atoi(benchmark::option(argc, argv, "--ranks", "0").c_str());
    if (simulated == 0) return measure(name, argc, argv);
    communicator::network network;
    network.latency = std::atof(benchmark::option(argc, argv, "--latency", "50e-6").c_str());
    network.bandwidth = std::atof(benchmark::option(argc, argv, "--bandwidth", "1e9").c_str());
    return simulate(name, simulated, network);
} catch (const std::exception& error) {
    std::fprintf(stderr, "scaled: %s\n", error.what());
    return 1;
}

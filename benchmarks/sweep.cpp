// SPDX-License-Identifier: BSL-1.0
// Does value-and-gradient read the data once? Logistic loss on a dense double matrix of 1 GB (--bytes), against a plain read
// of it by the same threads and against two passes, X w and then X's. Medians of alternating runs.
#include <cstddef>
#include <cstdlib>
#include <string>
#include <vector>

#include <gamut/backend/pack.hpp>
#include <gamut/backend/sweep.hpp>
#include <gamut/core/random.hpp>
#include <gamut/model/logistic.hpp>

#include "measure.hpp"

using namespace gamut;

namespace {

using lanes = backend::pack<double>;

double read_all(const std::vector<std::size_t>& bounds, const backend::dense_matrix<double>& x, int threads) {
    double total = 0;
#pragma omp parallel for num_threads(threads) reduction(+ : total) schedule(dynamic)
    for (std::size_t shard = 0; shard < bounds.size() - 1; ++shard) {
        const double* first = x.row(bounds[shard]);
        const std::size_t n = (bounds[shard + 1] - bounds[shard]) * x.columns / 32 * 32;
        lanes a(0), b(0), c(0), d(0);
        for (std::size_t i = 0; i < n; i += 32) {
            a += lanes::load(first + i);
            b += lanes::load(first + i + 8);
            c += lanes::load(first + i + 16);
            d += lanes::load(first + i + 24);
        }
        total += ((a + b) + (c + d)).total();
    }
    return total;
}

}  // namespace

int main(int argc, char** argv) {
    const double bytes = std::atof(benchmark::option(argc, argv, "--bytes", "1e9").c_str());
    const int threads = backend::host<>{}.threads_of(1);
    const auto loss = model::loss_formula(model::logistic{});
    std::vector<benchmark::record> records;
    for (const std::size_t p : {std::size_t(512), std::size_t(4096)}) {
        const std::size_t n = static_cast<std::size_t>(bytes / 8) / p, shards = 64;
        backend::dense_matrix<double> x(n, p);
        const core::random draw{.seed = 1};
        for (std::size_t i = 0; i < x.values.size(); ++i)
            x.values[i] = static_cast<double>((i * 2654435761u) % 1000003) / 1000003 - 0.5;
        std::vector<double> y(n), w(p), z(n);
        for (std::size_t i = 0; i < n; ++i) y[i] = draw.uniform(i) < 0.5 ? 0 : 1;
        for (std::size_t j = 0; j < p; ++j) w[j] = draw.normal(n + j) / static_cast<double>(p);
        std::vector<std::size_t> bounds;
        for (std::size_t s = 0; s <= shards; ++s) bounds.push_back(n * s / shards);
        const backend::sweep once(x, backend::observations<double>{y.data(), nullptr, static_cast<double>(n)}, bounds,
                                  loss, 1, threads);
        std::vector<double> partials(shards * once.gradient_size());
        const double bias = 0;
        volatile double sink = 0;
        std::vector<double> over_read, over_two, rate;
        for (int repeat = 0; repeat < 11; ++repeat) {
            const double read = benchmark::seconds([&] { sink = sink + read_all(bounds, x, threads); });
            const double sweep =
                benchmark::seconds([&] { once.gradient(w.data(), &bias, once.all(), partials.data()); });
            // two products: X w as it is, and X's as the transposed half of a pass, which costs another read
            const double first = benchmark::seconds([&] { once.multiply(w.data(), &bias, once.all(), z.data()); });
            const double second = benchmark::seconds([&] {
#pragma omp parallel for num_threads(threads) schedule(dynamic)
                for (std::size_t shard = 0; shard < shards; ++shard) {
                    double* g = partials.data() + shard * once.gradient_size();
                    for (std::size_t i = bounds[shard]; i < bounds[shard + 1]; ++i) {
                        const double* row = x.row(i);
                        const lanes s(z[i]);
                        for (std::size_t j = 0; j < p; j += 8)
                            (lanes::load(g + j) + s * lanes::load(row + j)).store(g + j);
                    }
                }
            });
            if (repeat == 0) continue;  // warm-up
            over_read.push_back(sweep / read);
            over_two.push_back(sweep / (first + second));
            rate.push_back(static_cast<double>(n * p) * 8e-9 / sweep);
        }
        const std::string name = "dense_" + std::to_string(p);
        std::printf("%s: %zu rows, %d threads, the sweep runs at %.1f GB/s\n", name.c_str(), n, threads,
                    benchmark::median(rate));
        records.push_back({name, "over_read", benchmark::median(over_read), 1.25});
        records.push_back({name, "over_two_products", benchmark::median(over_two), 0.6});
    }
    return benchmark::report(records, benchmark::option(argc, argv, "--output", ""));
}

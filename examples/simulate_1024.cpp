// SPDX-License-Identifier: BSL-1.0
// How would averaging do on 1,024 machines? The same code on ranks that do not exist: error against virtual time on four graphs, as a
// table and a picture, on a network of 50 us and 1 GB/s with a megabyte of weights on each node.
// run: simulate_1024 out/simulate_1024.svg
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <vector>

#include <gamut/communicator/sim.hpp>
#include <gamut/core/chart.hpp>
#include <gamut/exchange/routes.hpp>
#include <gamut/gamut.hpp>
#include <gamut/topology/exponential.hpp>
#include <gamut/topology/one_peer.hpp>
#include <gamut/topology/random_regular.hpp>
#include <gamut/topology/ring.hpp>

using namespace gamut;
using array = backend::array<backend::host<>>;
using curve = std::vector<std::pair<double, double>>;  // virtual seconds, mean square error

template <class Graph> curve simulate(const Graph& graph, std::size_t rounds) {
    curve seen(rounds);
    const double width = 125'000, mean = 511 / 1024.0;  // numbers on a node: one is computed with, the others only cost
    communicator::sim<>::run(1024, {.latency = 50e-6, .bandwidth = 1e9 / width}, [&](const communicator::sim<>& ranks) {
        const exchange::nodes all(ranks, 1024);
        exchange::routes way("simulate", graph, topology::metropolis{}, exchange::need::doubly);
        std::vector<array> x(1, array(1, ranks.rank() % 2 ? 1.0 : -1.0 + ranks.rank() / 512.0)), y = x;
        for (std::size_t k = 0; k < rounds; ++k) {
            seen[k].first = std::max(seen[k].first, ranks.now());
            seen[k].second += (x[0][0] - mean) * (x[0][0] - mean) / 1024;
            all.mix(way.at(all, k), x, y);
            std::swap(x, y);
        }
    });
    return seen;
}

int main(int argc, char** argv) {
    const std::vector<std::pair<const char*, curve>> curves{
        {"ring", simulate(topology::ring{}, 60)},
        {"random, degree 4", simulate(topology::random_regular{}, 60)},
        {"exponential", simulate(topology::exponential{}, 25)},
        {"one peer", simulate(topology::one_peer_exponential{}, 21)}};
    core::chart picture{"1,024 nodes", "virtual milliseconds", "log10 of the error", {}, {}};
    for (const auto& [name, points] : curves) {
        std::printf("%-18s error %.1e after %.4f virtual seconds\n", name, std::sqrt(points.back().second),
                    points.back().first);
        core::chart::line line{.name = name, .colour = core::svg::colour(picture.lines.size())};
        for (const auto& [seconds, square] : points)
            line.x.push_back(1e3 * seconds), line.y.push_back(std::log10(std::sqrt(square) + 1e-16));
        picture.lines.push_back(line);
    }
    core::whole_file file(argc > 1 ? argv[1] : "simulate_1024.svg");
    file.write(picture.drawn());
    file.close();
    return curves[3].second.back().second < 1e-24 ? 0 : 1;
}

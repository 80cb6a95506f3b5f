// SPDX-License-Identifier: BSL-1.0
// How would averaging do on 1,024 machines? The same code on ranks that do not exist: error against virtual time on four graphs, as a
// table and a picture, on a network of 50 us and 1 GB/s with a megabyte of weights on each node.
// run: simulate_1024 out/simulate_1024.svg
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include <gamut/communicator/sim.hpp>
#include <gamut/exchange/nodes.hpp>
#include <gamut/exchange/routes.hpp>
#include <gamut/gamut.hpp>
#include <gamut/topology/exponential.hpp>
#include <gamut/topology/one_peer.hpp>
#include <gamut/topology/random_regular.hpp>
#include <gamut/topology/ring.hpp>

using namespace gamut;
using array = backend::array<backend::host<>>;
using curve = std::vector<std::pair<double, double>>;  // virtual seconds, error

template <class Graph> curve simulate(const Graph& graph, std::size_t rounds) {
    curve seen;
    const double width = 125'000;  // numbers on a node; one is computed with, the others only cost
    communicator::sim<>::run(1024, {.latency = 50e-6, .bandwidth = 1e9 / width}, [&](const communicator::sim<>& ranks) {
        const exchange::nodes all(ranks, 1024);
        exchange::routes way("simulate", graph, topology::metropolis{}, exchange::need::doubly);
        std::vector<array> x(1, array(1, ranks.rank() % 2 ? 1.0 : -1.0 + ranks.rank() / 512.0)), y = x;
        const double mean = 0.5 * (1 - 1 + 511 / 512.0);
        for (std::size_t k = 0; k < rounds; ++k) {
            const double now = ranks.now(), error = std::abs(x[0][0] - mean);
            if (ranks.rank() == 0) seen.emplace_back(now, std::max(error, 1e-16));
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
    std::string picture =
        "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 640 420' font-family='sans-serif' font-size='12'>"
        "<text x='20' y='20'>error of rank 0 (log10, 0 to -16) over virtual seconds (0 to .3)</text>";
    for (std::size_t c = 0; c < curves.size(); ++c) {
        const auto& [name, points] = curves[c];
        const std::string colour = std::vector<std::string>{"#1b9e77", "#d95f02", "#7570b3", "#e7298a"}[c];
        std::printf("%-18s error %.1e after %.4f virtual seconds\n", name, points.back().second, points.back().first);
        picture += "<polyline fill='none' stroke='" + colour + "' points='";
        for (const auto& [seconds, error] : points)
            picture += std::to_string(20 + 1800 * seconds) + ',' + std::to_string(40 - 22 * std::log10(error)) + ' ';
        picture += "'/><text x='480' y='" + std::to_string(60 + 18 * c) + "' fill='" + colour + "'>" + name + "</text>";
    }
    core::whole_file file(argc > 1 ? argv[1] : "simulate_1024.svg");
    file.write(picture + "</svg>\n");
    file.close();
    return curves[3].second.back().second < 1e-12 ? 0 : 1;
}

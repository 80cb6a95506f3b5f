// SPDX-License-Identifier: BSL-1.0
// Sixteen nodes have a number each and want the mean, without anybody in the middle. How many rounds does it take on different
// graphs, and how many messages between processes?
// run: mpirun -n 4 average_consensus
#include <cmath>
#include <cstdio>
#include <utility>
#include <vector>

#include <gamut/communicator/counting.hpp>
#include <gamut/communicator/mpi.hpp>
#include <gamut/exchange/nodes.hpp>
#include <gamut/exchange/routes.hpp>
#include <gamut/gamut.hpp>
#include <gamut/topology/base_k.hpp>
#include <gamut/topology/exponential.hpp>
#include <gamut/topology/mesh.hpp>
#include <gamut/topology/one_peer.hpp>
#include <gamut/topology/ring.hpp>

using namespace gamut;
using array = backend::array<backend::host<>>;

template <class Ranks, class Graph> bool agree_on(const char* name, const Ranks& ranks, const Graph& graph) {
    const exchange::nodes all(ranks, 16);
    exchange::routes way("average_consensus", graph, topology::metropolis{}, exchange::need::doubly);
    std::vector<array> x(all.size(), array(1)), y = x;
    for (std::size_t i = 0; i < x.size(); ++i) x[i][0] = std::pow(static_cast<double>(all.first() + i), 2);
    const double mean = 15 * 31 / 6.0;
    double apart = 1;
    std::size_t rounds = 0;
    ranks.reset();
    while (apart > 1e-9 && rounds < 10'000) {
        all.mix(way.at(all, rounds++), x, y);
        std::swap(x, y);
        const auto sent = ranks.messages();
        apart = all.distance(x, array(1, mean));  // only to see how far it is: no node needs to know
        if (apart <= 1e-9 && ranks.rank() == 0)
            std::printf("%-24s %6zu rounds %6llu messages of rank 0\n", name, rounds,
                        static_cast<unsigned long long>(sent));
    }
    return apart <= 1e-9;
}

int main(int argc, char** argv) {
    communicator::mpi_session session(argc, argv);
    const communicator::counting<communicator::mpi<>> ranks;
    bool right = agree_on("ring", ranks, topology::ring{});
    right = agree_on("mesh", ranks, topology::mesh{}) && right;
    right = agree_on("exponential", ranks, topology::exponential{}) && right;
    right = agree_on("one peer, exponential", ranks, topology::one_peer_exponential{}) && right;
    right = agree_on("base 3", ranks, topology::base_k{.k = 2}) && right;
    return right ? 0 : 1;
}

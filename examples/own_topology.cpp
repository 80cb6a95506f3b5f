// SPDX-License-Identifier: BSL-1.0
// A graph of one's own: a torus, on which everybody hears four neighbours. Two members are all it takes; weights, checks and every
// exchange follow.
#include <cstdio>

#include <gamut/exchange/gossip.hpp>
#include <gamut/gamut.hpp>
#include <gamut/topology/concept.hpp>
#include <gamut/topology/mixing_matrix.hpp>
#include <gamut/topology/ring.hpp>

using namespace gamut;

struct torus {
    static constexpr auto kind = topology::symmetric;
    std::size_t rows = 4;

    topology::node_list sources(std::size_t i, std::size_t n, std::size_t) const {
        const std::size_t columns = n / rows, y = i / columns, x = i % columns;
        return {(y + 1) % rows * columns + x, (y + rows - 1) % rows * columns + x, y * columns + (x + 1) % columns,
                y * columns + (x + columns - 1) % columns};
    }
};

int main() {
    const topology::mixing_matrix ours(torus{}, topology::metropolis{}, 16, 0),
        ring(topology::ring{}, topology::metropolis{}, 16, 0);
    std::printf("of the nodes' distance a step leaves %.4f on the torus, %.4f on a ring\n",
                ours.second_singular_value(), ring.second_singular_value());
    const estimator e{
        .model = model::logistic{},
        .penalty = penalty::l2{.strength = 1e-2},
        .solver =
            solver::sgd{.rate = 0.1, .blocks = 16, .exchange = exchange::gossip{torus{}}, .stop = {.iterations = 20}}};
    const data::csv<> patients{.path = "examples/data/breast_cancer.csv"};
    const double accuracy = e.fit(patients).score(patients).accuracy;
    std::printf("accuracy %.4f\n", accuracy);
    return ours.not_column_stochastic().empty() && accuracy > 0.95 ? 0 : 1;
}

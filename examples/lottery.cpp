// SPDX-License-Identifier: BSL-1.0
// The lottery ticket hypothesis on handwritten digits: a twentieth of a network's weights, found by pruning and put back to where they began, learns
// nearly as much as all of them; the same weights from another start, or others in their stead, learn less.
#include <cstdio>
#include <cstdlib>

#include <gamut/gamut.hpp>
#include <gamut/network.hpp>
#include <gamut/shrink.hpp>

using namespace gamut;

int main() {
    const data::csv<> digits{.path = "examples/data/digits.csv"};
    const auto known = data::all_but_every(digits, 5), others = data::every(digits, 5);
    const estimator reader{
        .model = network::classifier{network::dense{48}, network::relu{}, network::dense{48}, network::relu{},
                                     network::dense{10}},
        .penalty = penalty::l2{1e-3},
        .solver =
            solver::sgd{.rate = 0.05, .momentum = 0.9, .batch = 64, .check_every = 0, .stop = {.iterations = 12}}};

    const auto found = shrink::lottery(reader, known, {.keep = 0.05, .rounds = 5, .compare = true});
    const auto accuracy = [&](const char* name, const auto& fit) {
        const auto left = shrink::sparsity_of(fit);
        const double share = fit.score(others).accuracy;
        std::printf("%-34s %4zu of %zu weights: %.4f of other digits\n", name, left.alive, left.size, share);
        return share;
    };
    const double dense = accuracy("the network", found.dense), ticket = accuracy("the ticket", found.ticket);
    const double redrawn = accuracy("its weights from another start", *found.redrawn);
    const double random = accuracy("weights that were drawn", *found.random_mask);
    return ticket > dense - 0.04 && ticket > redrawn && ticket > random ? EXIT_SUCCESS : EXIT_FAILURE;
}

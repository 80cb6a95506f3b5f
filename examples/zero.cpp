// SPDX-License-Identifier: BSL-1.0
// What ranks must keep and say: the same network by Adam on four ranks (threads here), with everything on every rank, with ZeRO's three
// stages, with gradients that leave while others are computed, and as sufficient factors. The weights are the same in every bit.
#include <cstdio>
#include <vector>

#include <gamut/communicator/counting.hpp>
#include <gamut/communicator/threads.hpp>
#include <gamut/gamut.hpp>
#include <gamut/network.hpp>
#include <gamut/solver/wait_free.hpp>
#include <gamut/solver/zero.hpp>
#include <gamut/update/adam.hpp>

using namespace gamut;

int main() {
    const data::csv<> digits{.path = "examples/data/digits.csv"};
    constexpr int ranks = 4;
    int right = 0;
    communicator::threads<>::run(ranks, [&](const communicator::threads<>& threads) {
        const communicator::counting<communicator::threads<>> c(threads);
        std::vector<double> first;
        const auto train = [&](const char* name, const auto& sharing, const solver::zero_usage* used) {
            const estimator e{.model = network::classifier{network::dense{256}, network::relu{}, network::dense{10}},
                              .penalty = penalty::l2{1e-4},
                              .solver = solver::sgd{.rate = 0.002,
                                                    .update = update::adam{},
                                                    .batch = 32,
                                                    .check_every = 0,
                                                    .sharing = sharing,
                                                    .stop = {.iterations = 3}},
                              .backend = backend::host<double>{.threads = 1},
                              .communicator = c};
            c.reset();
            const auto fit = e.fit(digits);
            if (first.empty()) first = fit.weights;
            const std::size_t all = fit.weights.size();
            if (c.rank() == 0)
                std::printf("%-22s keeps %6zu of Adam, %6zu weights; %5.1f MB sent; %s bits\n", name,
                            used ? used->memory : 2 * all, used ? used->weights : all,
                            static_cast<double>(c.bytes()) / 1e6, fit.weights == first ? "the same" : "OTHER");
            if (c.rank() == 0 && fit.weights == first) ++right;
        };
        solver::zero_usage used;
        train("replicated", solver::replicated{}, nullptr);
        train("zero, stage 1", solver::zero{.stage = 1, .usage = &used}, &used);
        train("zero, stage 2", solver::zero{.stage = 2, .usage = &used}, &used);
        train("zero, stage 3", solver::zero{.stage = 3, .usage = &used}, &used);
        train("zero, with overlap", solver::zero{.stage = 2, .overlap = true, .usage = &used}, &used);
        train("wait-free", solver::wait_free{}, nullptr);
        train("wait-free by factors", solver::wait_free{.factors = true}, nullptr);
    });
    return right == 7 ? 0 : 1;
}

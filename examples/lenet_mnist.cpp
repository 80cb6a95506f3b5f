// SPDX-License-Identifier: BSL-1.0
// LeNet reads digits: lenet_mnist t10k-images-idx3-ubyte t10k-labels-idx1-ubyte, or, without files, the 8 x 8 ones that gamut ships.
#include <cstddef>
#include <cstdio>
#include <exception>

#include <gamut/gamut.hpp>
#include <gamut/network.hpp>

using namespace gamut;

template <class Source>
double fit_and_score(const Source& pictures, std::size_t size, std::size_t kernel, std::size_t border,
                     data::columns columns) {
    const auto lenet = network::classifier{network::picture{size, size},
                                           network::convolution{.channels = 8, .kernel = kernel, .border = border},
                                           network::max_pool{2},
                                           network::relu{},
                                           network::convolution{.channels = 16, .kernel = kernel, .border = border},
                                           network::max_pool{2},
                                           network::relu{},
                                           network::flatten{},
                                           network::dense{64},
                                           network::relu{},
                                           network::dense{10}};
    const estimator reader{.model = lenet,
                           .penalty = penalty::l2{1e-4},
                           .solver =
                               solver::sgd{.rate = solver::schedule::step{.rate = 0.05, .factor = 0.2, .every = 6},
                                           .momentum = 0.9,
                                           .batch = 64,
                                           .check_every = 0,
                                           .stop = {.iterations = 10}},
                           .backend = backend::host<float>{},
                           .prepare = {.columns = columns}};
    const auto fit = reader.fit(data::all_but_every(pictures, 5), core::progress{});
    const auto unseen = fit.score(data::every(pictures, 5));
    std::printf("%zu parameters, %.1f s: accuracy %.4f on %zu pictures that it has not seen\n", fit.weights.size(),
                fit.seconds, unseen.accuracy, unseen.rows);
    return unseen.accuracy;
}

int main(int count, char** words) try {
    if (count == 3)
        return fit_and_score(data::idx<float>{.path = words[1], .labels = words[2], .scale = 1. / 255}, 28, 5, 0,
                             data::columns::as_given) > 0.97
                   ? 0
                   : 1;
    return fit_and_score(data::csv<float>{.path = "examples/data/digits.csv"}, 8, 3, 1, data::columns::standardized) >
                   0.95
               ? 0
               : 1;
} catch (const std::exception& problem) {
    std::fprintf(stderr, "%s\n", problem.what());
    return 1;
}

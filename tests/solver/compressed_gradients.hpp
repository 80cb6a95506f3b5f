// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <stdexcept>
#include <string>
#include <vector>

#include <gamut/backend/host.hpp>
#include <gamut/communicator/single.hpp>
#include <gamut/compressor/error_feedback.hpp>
#include <gamut/compressor/half.hpp>
#include <gamut/compressor/int8.hpp>
#include <gamut/compressor/low_rank.hpp>
#include <gamut/compressor/none.hpp>
#include <gamut/compressor/random_k.hpp>
#include <gamut/compressor/top_k.hpp>
#include <gamut/core/random.hpp>
#include <gamut/data/arrays.hpp>
#include <gamut/model/softmax.hpp>
#include <gamut/penalty/l2.hpp>
#include <gamut/solver/problem.hpp>
#include <gamut/solver/sgd.hpp>

/// Descents along gradients in compressed messages.
namespace compressed_gradients {

using namespace gamut;

/// 90 rows of 11 columns and three classes.
inline auto rows() {
    const core::random draw{.seed = 29};
    constexpr std::size_t n = 90, p = 11;
    std::vector<double> x(n * p), y(n);
    for (std::size_t i = 0; i < n; ++i) {
        double z = draw.normal(1'000'000 + i);
        for (std::size_t j = 0; j < p; ++j) z += (x[i * p + j] = draw.normal(i * p + j)) * (j % 3 ? 1 : -1);
        y[i] = z > 1 ? 2 : z > -1 ? 1 : 0;
    }
    return data::arrays(x, n, p, y);
}

template <class Compressor, class C, class... O>
auto minimum(const C& ranks, const Compressor& compressor, std::size_t epochs, const std::string& resume = {},
             O&&... observers) {
    const auto data = rows().load(ranks, {.classification = true, .blocks = 4});
    const solver::problem problem(model::softmax{}, data, penalty::l2{.strength = 1e-2}, backend::host<>{.threads = 1},
                                  ranks, true);
    return solver::sgd{.rate = .1,
                       .momentum = .5,
                       .batch = 30,
                       .blocks = 4,
                       .compressor = compressor,
                       .stop = {.iterations = epochs, .tolerance = 0},
                       .resume = resume}
        .minimize(problem, observers...);
}

template <class F> void for_each_compressor(F&& f) {
    f(compressor::half{});
    f(compressor::int8{});
    f(compressor::random_k{.share = .4});
    f(compressor::error_feedback{compressor::top_k{.share = .1}});
    f(compressor::error_feedback{compressor::low_rank{.rank = 1}});
    f(compressor::error_feedback{compressor::random_k{.share = .1}});
}

/// Throws unless these ranks have the bits of one.
template <class C> void check_bits(const C& ranks) {
    for_each_compressor([&](const auto& compressor) {
        const auto alone = minimum(communicator::single<>{}, compressor, 4), found = minimum(ranks, compressor, 4);
        if (found.weights.download() != alone.weights.download())
            throw std::runtime_error(std::string(compressor.name) + ": other weights");
        for (std::size_t k = 0; k < alone.history.size(); ++k)
            if (found.history[k].objective != alone.history[k].objective)
                throw std::runtime_error(std::string(compressor.name) + ": another history");
    });
}

}  // namespace compressed_gradients

// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include <gamut/core/checkpoint.hpp>
#include <gamut/core/early_stopping.hpp>
#include <gamut/core/error.hpp>
#include <gamut/core/result.hpp>

namespace gamut::core {

/// Observer: keeps the weights of the iteration with the smallest score, on every rank; with a path, rank 0 also writes them,
/// a checkpoint of kind "best" with `weights` and `score`. Pass it by reference. fitted::set_weights takes the weights.
template <class S = objective_score> struct keep_best {
    static_assert(Score<S>, "keep_best: score must be callable with a const core::record& and return a number");

    std::string path{};     ///< empty: in memory only
    std::size_t every = 1;  ///< iterations between scores
    S score{};

    double best = std::numeric_limits<double>::infinity();
    std::size_t best_iteration = 0;
    std::vector<double> weights{};  ///< empty: no iteration had a score

    void operator()(const record& now) {
        if (every == 0) throw option_error("keep_best: every is 0 (some iterations must be scored) try 1");
        if (now.iteration % every != 0) return;
        const double found = score(now);
        if (!(found < best)) return;
        weights = now.weights();
        best = found;
        best_iteration = now.iteration;
        if (path.empty() || now.rank != 0) return;
        checkpoint made;
        made.kind = "best";
        made.step = now.iteration;
        made.put("weights", weights);
        made.put("score", std::span<const double>(&found, 1));
        made.save(path);
    }
};

}  // namespace gamut::core

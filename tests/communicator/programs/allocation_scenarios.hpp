// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <exception>
#include <filesystem>
#include <string>
#include <unistd.h>
#include <vector>

#include <gamut/communicator/together.hpp>
#include <gamut/compressor/error_feedback.hpp>
#include <gamut/compressor/top_k.hpp>
#include <gamut/consistency/bounded_staleness.hpp>
#include <gamut/core/random.hpp>
#include <gamut/core/text.hpp>
#include <gamut/data/arrays.hpp>
#include <gamut/estimator.hpp>
#include <gamut/exchange/gossip.hpp>
#include <gamut/fitted.hpp>
#include <gamut/model/logistic.hpp>
#include <gamut/model_file.hpp>
#include <gamut/penalty/l2.hpp>
#include <gamut/solver/asynchronous.hpp>
#include <gamut/solver/lbfgs.hpp>
#include <gamut/solver/sgd.hpp>
#include <gamut/topology/ring.hpp>

/// What ranks do while one of them runs out of memory.
namespace allocation_scenarios {

using namespace gamut;

inline const auto& rows() {
    static const auto made = [] {
        const core::random draw{.seed = 3};
        constexpr std::size_t n = 48, p = 4;
        std::vector<double> x(n * p), y(n);
        for (std::size_t i = 0; i < n * p; ++i) x[i] = draw.normal(i);
        for (std::size_t i = 0; i < n; ++i) y[i] = x[i * p] - x[i * p + 1] + draw.normal(1000 + i) > 0 ? 1 : 0;
        return data::arrays(x, n, p, y);
    }();
    return made;
}

template <class C, class Solver> double objective(const C& ranks, const Solver& solver) {
    const auto looks = [](const core::record&) { return false; };
    const estimator e{
        .model = model::logistic{}, .penalty = penalty::l2{.strength = 1e-2}, .solver = solver, .communicator = ranks};
    return e.fit(rows(), looks).objective;
}

/// A file of this process; of several, rank 0's is written and read.
struct own_file {
    const std::string path =
        (std::filesystem::temp_directory_path() / core::text("gamut_allocations_", ::getpid(), ".json")).string();
    ~own_file() { std::filesystem::remove(path); }
};

/// A fit that goes through a file.
template <class C> double through_a_file(const C& ranks) {
    static const own_file file;
    fitted<model::logistic, double, C> fit{.communicator = ranks};
    fit.features = {"a", "b"};
    fit.classes = {"no", "yes"};
    fit.outputs = 1;
    fit.weights = {1, 2};
    fit.intercept = {3};
    fit.scaling.means = fit.scaling.scales = {1, 1};
    save(fit, file.path);
    return load<model::logistic>(file.path, ranks).weights[1];
}

constexpr int count = 5;
inline const char* const names[count] = {"lbfgs", "compressed gradients", "gossip", "tables", "a file"};

/// A number that ranks share, or what they throw together.
template <class C> double run(int which, const C& ranks) {
    const core::stop stop{.iterations = 2};
    if (which == 0) return objective(ranks, solver::lbfgs{.stop = stop});
    if (which == 1)
        return objective(ranks, solver::sgd{.rate = .1,
                                            .blocks = 4,
                                            .compressor = compressor::error_feedback{compressor::top_k{.share = .5}},
                                            .stop = stop});
    if (which == 2)
        return objective(
            ranks, solver::sgd{.rate = .1, .blocks = 4, .exchange = exchange::gossip{topology::ring{}}, .stop = stop});
    if (which == 4) return communicator::together(ranks, [&] { return through_a_file(ranks); });
    return objective(ranks, solver::asynchronous{.rate = .1,
                                                 .blocks = 4,
                                                 .consistency = consistency::bounded_staleness{.slack = 0},
                                                 .servers = 2,
                                                 .stop = stop});
}

/// What became of it: the error's words, or the number.
template <class C> std::string ended(int which, const C& ranks) {
    try {
        return core::text("found ", run(which, ranks));
    } catch (const core::out_of_memory& problem) {
        return core::text("out of memory: ", problem.what());
    } catch (const std::exception& problem) {
        return core::text("another error: ", problem.what());
    }
}

}  // namespace allocation_scenarios

// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gamut/core/error.hpp>
#include <gamut/network.hpp>
#include <gamut/penalty/l2.hpp>
#include <gamut/solver/pipeline.hpp>

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "network/tiny_mix.hpp"

/// Networks for pipelines, and the first step of one.
namespace nets {

using namespace gamut;

using mlp = network::classifier<network::dense, network::relu, network::dense, network::relu, network::dense>;
inline mlp small() { return mlp{{24}, {}, {16}, {}, {10}}; }

using block = network::residual<network::dense, network::relu, network::dense>;
using deep = network::classifier<network::dense, network::relu, block, block, network::dropout, network::dense>;
inline deep residual() {
    const block one{network::dense{12}, network::relu{}, network::dense{12}};
    return deep{{12}, {}, one, one, {0.3}, {10}};
}

using with_means = network::classifier<network::dense, network::batch_norm, network::relu, network::dense>;
inline with_means normalised() { return with_means{{12}, {}, {}, {10}}; }

/// The columns as a picture of 4 x 5 positions.
using lenet = network::classifier<network::picture, network::convolution, network::max_pool, network::relu,
                                  network::convolution, network::relu, network::flatten, network::dense>;
inline lenet pictures() {
    return lenet{{4, 5, 1}, {.channels = 3, .kernel = 2}, {2, 1}, {}, {.channels = 4, .kernel = 2}, {}, {}, {10}};
}

/// Every row weighs 1, or, `weighted`, 1 to 3.
template <class C> auto rows_of(const C& c, std::size_t rows, std::size_t groups, bool classes, bool weighted) {
    data::request wanted;
    wanted.classification = classes;
    wanted.blocks = groups;
    auto loaded = tiny_mix(rows, 1, 0).load(c, wanted);
    for (std::size_t i = 0; weighted && i < loaded.local_rows(); ++i)
        loaded.weights.push_back(1 + static_cast<double>((loaded.first_row + i) % 3));
    return loaded;
}

/// f(problem) for a network and `rows` rows of TinyMix in `groups` groups.
template <class Model, class C, class F>
void with_problem(const Model& model, const C& c, std::size_t rows, std::size_t groups, F&& f, bool weighted = false) {
    const estimator e{.model = model,
                      .penalty = penalty::l2{1e-2},
                      .solver = solver::pipeline{},
                      .communicator = c,
                      .prepare = {.columns = data::columns::as_given}};
    const auto data = rows_of(c, rows, groups, model::is_classification<Model>, weighted);
    f(e.problem_of(data));
}

/// The weights that a solver finds.
template <class Options, class Problem> std::vector<double> found(const Options& options, const Problem& p) {
    const auto w = options.minimize(p).weights.download();
    return {w.begin(), w.end()};
}

/// After one epoch.
template <class Options, class Problem> std::vector<double> after_an_epoch(Options options, const Problem& p) {
    options.check_every = 0;
    options.stop.iterations = 1;
    return found(options, p);
}

/// A rule that fails at a step, where it is told to.
struct failing {
    static constexpr std::size_t slots = 0;
    bool fails = false;
    template <class T> auto at(std::size_t step) const {
        if (fails && step == 3) throw core::data_error("the third step is too steep");
        return [](const T&, T&, T*) {};
    }
};

/// What a rank hears when the stage of rank `fails` does.
template <class C> std::string heard(const C& c, int fails) {
    std::string what;
    with_problem(small(), c, 120, 4, [&](const auto& p) {
        try {
            solver::pipeline{.update = failing{c.rank() == fails}, .batch = 16, .stages = 3, .micro_batches = 2}
                .minimize(p);
        } catch (const core::data_error& problem) {
            what = problem.what();
        }
    });
    return what;
}

}  // namespace nets

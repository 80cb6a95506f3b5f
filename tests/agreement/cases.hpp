// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cmath>
#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "../fits/fit.hpp"

#include <gamut/gamut.hpp>

/// Solvers on the same convex problem: whichever is chosen, wherever it runs, the optimum is the same.
namespace agreement {

using namespace gamut;

struct answer {
    std::string from;
    double objective = 0;
    std::vector<double> weights;
};

/// As much as the intercepts of softmax are known: up to a number added to all of them.
inline std::vector<double> centred(std::vector<double> weights, std::size_t outputs) {
    double mean = 0;
    for (std::size_t k = weights.size() - outputs; k < weights.size(); ++k)
        mean += weights[k] / static_cast<double>(outputs);
    if (outputs > 1)
        for (std::size_t k = weights.size() - outputs; k < weights.size(); ++k) weights[k] -= mean;
    return weights;
}

template <class Model, class Source>
std::vector<answer> answers(Model model, const Source& source, double l2, const fits::settings& how) {
    std::vector<answer> all;
    const auto add = [&](const char* solver, auto penalty, auto method) {
        const auto found = fits::fit(model, penalty, method, source, how);
        const std::size_t outputs = found.intercept.size();
        all.push_back({std::string(Model::name) + ", " + solver + " (" + found.message + ")", found.objective,
                       centred(found.solver_weights, outputs)});
        return found.solver_weights.size();
    };
    constexpr core::stop tight{.iterations = 5000, .tolerance = 1e-10};
    add("newton_cg", penalty::l2{l2}, solver::newton_cg<>{.stop = tight});
    const std::size_t all_weights = add("lbfgs", penalty::l2{l2}, solver::lbfgs<>{.stop = tight});
    add("admm", penalty::elastic_net{0, l2}, solver::admm<>{.stop = tight});
    add("admm, one block", penalty::elastic_net{0, l2}, solver::admm<>{.blocks = 1, .stop = tight});
    add("admm without acceleration", penalty::elastic_net{0, l2}, solver::admm<>{.acceleration = 0, .stop = tight});
    add("disadmm", penalty::l0{.kappa = all_weights, .l2 = l2}, solver::disadmm<>{});
    return all;
}

/// "" or who disagrees with the first by how much.
inline std::string disagreement(const answer& a, const answer& b, double objective, double weights) {
    const double off = std::abs(a.objective - b.objective) / std::abs(a.objective);
    double largest = 0, apart = 0;
    if (a.weights.size() != b.weights.size()) return b.from + ": another number of weights than " + a.from;
    for (std::size_t j = 0; j < a.weights.size(); ++j) {
        largest = std::max(largest, std::abs(a.weights[j]));
        apart = std::max(apart, std::abs(a.weights[j] - b.weights[j]));
    }
    if (off <= objective && apart <= weights * largest) return "";
    return b.from + ": objective " + std::to_string(off) + ", weights " + std::to_string(apart / largest) +
           " off from " + a.from;
}

}  // namespace agreement

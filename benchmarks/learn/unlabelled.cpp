// SPDX-License-Identifier: BSL-1.0
#include <gamut/learn/factorisation.hpp>
#include <gamut/learn/k_means.hpp>
#include <gamut/learn/nonnegative_factorisation.hpp>
#include <gamut/learn/principal_components.hpp>
#include <gamut/learn/sparse_coding.hpp>

#include "gamut_learner.hpp"

bool peer::fit_unlabelled(const arguments& given, double memory_before) {
    const std::string name = given.text("--learner", "");
    const auto tolerance = [&](double otherwise) { return given.real("--tolerance", core::text(otherwise).c_str()); };
    if (name == "k_means") {
        learn::k_means<> learner{.clusters = given.number("--clusters", "8"), .threads = threads(given)};
        learner.stop.tolerance = tolerance(learner.stop.tolerance);
        serve(memory_before, learner, dense(given), [](const auto& fit, std::string&) { return fit.centres; });
        return true;
    }
    if (name == "factorisation") {
        learn::factorisation<> learner{
            .rank = given.number("--rank", "8"), .lambda = given.real("--lambda", "1"), .threads = threads(given)};
        learner.method = learn::descent::alternating;
        if (learner.alpha = given.real("--alpha", "0"); learner.alpha > 0) learner.method = learn::descent::implicit;
        learner.stop = {.iterations = given.number("--sweeps", "10"), .tolerance = 0};
        serve(memory_before, learner, sparse(given), [](const auto& fit, std::string&) {
            auto both = fit.row_factors;
            both.insert(both.end(), fit.column_factors.begin(), fit.column_factors.end());
            return both;
        });
        return true;
    }
    if (name == "nonnegative_factorisation") {
        learn::nonnegative_factorisation<> learner{.rank = given.number("--rank", "8"), .threads = threads(given)};
        learner.stop.tolerance = tolerance(learner.stop.tolerance);
        serve(memory_before, learner, dense(given), [](const auto& fit, std::string&) { return fit.parts; });
        return true;
    }
    if (name == "sparse_coding") {
        learn::sparse_coding<> learner{
            .atoms = given.number("--atoms", "16"), .lambda = given.real("--lambda", "0.1"), .threads = threads(given)};
        learner.stop.tolerance = tolerance(learner.stop.tolerance);
        serve(memory_before, learner, dense(given), [](const auto& fit, std::string&) { return fit.dictionary; });
        return true;
    }
    if (name == "principal_components") {
        const learn::principal_components<> learner{.components = given.number("--components", "2"),
                                                    .threads = threads(given)};
        serve(memory_before, learner, dense(given), [](const auto& fit, std::string&) { return fit.directions; });
        return true;
    }
    return false;
}

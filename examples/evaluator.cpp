// SPDX-License-Identifier: BSL-1.0
// evaluator FOLDER TEST.csv TABLE.csv   scores every checkpoint that a logistic fit leaves in FOLDER, until the fit ends
// evaluator FOLDER                      the same beside a fit of its own
// run: evaluator out/evaluator
#include <gamut/core/checkpoints.hpp>
#include <gamut/data/csv.hpp>
#include <gamut/data/split.hpp>
#include <gamut/estimator.hpp>
#include <gamut/evaluate.hpp>
#include <gamut/model/logistic.hpp>
#include <gamut/penalty/l2.hpp>
#include <gamut/solver/sgd.hpp>

#include <cstdio>
#include <exception>
#include <filesystem>
#include <string>
#include <thread>

using namespace gamut;

template <class Source> void watch(const std::string& folder, const Source& test, const std::string& table) {
    for (const auto& at : evaluate<model::logistic>(folder, test, {.table = table, .poll = 0.01}))
        std::printf("%s %3zu  log-loss %.4f  accuracy %.3f\n", at.last ? "end " : "step", std::size_t(at.step),
                    at.score.loss, at.score.accuracy);
}

int main(int count, char** words) try {
    if (count == 4) {
        watch(words[1], data::csv{.path = words[2]}, words[3]);
        return 0;
    }
    const std::string folder = count > 1 ? words[1] : "out/evaluator";
    std::filesystem::remove_all(folder);
    const auto [train, test] =
        data::split(data::csv{.path = "examples/data/breast_cancer.csv"}, {.test_fraction = 0.3, .seed = 1});
    const std::jthread fit([&rows = train, &folder] {
        const estimator classifier{.model = model::logistic{},
                                   .penalty = penalty::l2{.strength = 1e-3},
                                   .solver = solver::sgd{.rate = 0.05, .stop = {.iterations = 20}}};
        classifier.fit(rows, core::checkpoints{.every = 2, .folder = folder, .keep = 0});
    });
    watch(folder, test, folder + "/scores.csv");
    return 0;
} catch (const std::exception& problem) {
    std::fprintf(stderr, "%s\n", problem.what());
    return 1;
}

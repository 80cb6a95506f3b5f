// SPDX-License-Identifier: BSL-1.0
// How many of ten measurements does it take to foretell the progression of diabetes, and which? The best subset of every size,
// what information criteria and cross-validation say about them, as a table and as pictures.
//
// run: kappa_path out/kappa_path
#include <cstdio>
#include <filesystem>
#include <string>

#include <gamut/gamut.hpp>

using namespace gamut;

int main(int argc, char** argv) {
    const estimator sparse{.model = model::linear{}, .penalty = penalty::l0{}, .solver = solver::path{.largest = 10}};
    const auto found = cross_validate(sparse, data::csv<>{.path = "examples/data/diabetes.csv"}, {.count = 10});
    const auto& path = found.path;

    std::printf("kappa      loss       bic  cross-validated  features\n");
    for (std::size_t i = 0; i < path.size(); ++i) {
        std::printf("%5zu  %8.1f  %8.1f   %6.1f +- %5.1f ", path[i].kappa, path[i].loss,
                    criterion::bic{}(path.information(i)), found.curve[i].mean, found.curve[i].standard_error);
        for (const std::size_t j : path[i].support) std::printf(" %s", path.base.features[j].c_str());
        std::printf("\n");
    }
    const auto chosen = path.best(criterion::bic{});
    std::printf("bic takes %zu features; least cross-validated loss: %zu; one standard error: %zu\n",
                chosen.support().size(), path[found.least()].kappa, path[found.one_standard_error()].kappa);
    if (argc > 1) {
        const std::string name = argv[1];
        const auto folder = std::filesystem::path(name).parent_path();
        if (!folder.empty()) std::filesystem::create_directories(folder);
        save(found, name + ".csv");
        draw(path, name + "_weights.svg");
        draw(found, name + "_losses.svg");
    }
    return chosen.support().size() == 5 ? 0 : 1;
}

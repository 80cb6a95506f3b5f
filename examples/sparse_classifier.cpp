// SPDX-License-Identifier: BSL-1.0
// A kappa-sparse classifier from a file, fitted by all ranks together:
// run: mpirun -n 4 sparse_classifier examples/data/breast_cancer.csv --kappa 3 --l2 1e-3 --output out/demo
#include <cstdio>
#include <filesystem>
#include <string>

#include <CLI/CLI.hpp>

#include <gamut/communicator/mpi.hpp>
#include <gamut/gamut.hpp>
#include <gamut/model_file.hpp>

using namespace gamut;

int main(int argc, char** argv) {
    std::string file, output = "out/sparse_classifier";
    penalty::l0 sparse{.kappa = 3, .l2 = 1e-3};
    CLI::App options("Fits a classifier with at most kappa features.");
    options.add_option("file", file, "CSV with a header; the label is the last column")->required();
    options.add_option("--kappa", sparse.kappa, "features, at most")->capture_default_str();
    options.add_option("--l2", sparse.l2, "ridge penalty on the standardised weights")->capture_default_str();
    options.add_option("--output", output, "folder for model.json and history.jsonl")->capture_default_str();
    CLI11_PARSE(options, argc, argv);

    communicator::mpi_session session(argc, argv);
    const communicator::counting<communicator::mpi<>> ranks{communicator::mpi<>{}};
    try {
        estimator classifier{.model = model::logistic{}, .penalty = sparse, .communicator = ranks};
        const data::csv<> all{.path = file};
        const auto [train, test] = data::split(all, {.test_fraction = 0.25, .seed = 1});

        std::filesystem::create_directories(output);
        core::json_lines history(output + "/history.jsonl");
        const auto fit = classifier.fit(all, core::progress{}, history);
        const auto bytes = ranks.bytes();
        history.close();
        save(fit, output + "/model.json");
        const auto accuracy = classifier.fit(train).score(test).accuracy;  // of a fit that did not see these rows

        if (ranks.rank() == 0) {
            std::printf("\nobjective  %.10f (%s)\nfeatures  ", fit.objective,
                        std::string(core::name(fit.status)).c_str());
            for (const auto j : fit.support())
                std::printf(" %s%s", fit.features[j].c_str(), j == fit.support().back() ? "\n" : ",");
            std::printf("accuracy   %.4f on a quarter of the rows, fitted on the others\n", accuracy);
            std::printf("time       %.3f s on %d ranks, %.0f passes over the data\n", fit.seconds, ranks.size(),
                        double(fit.passes));
            std::printf("sent       %.1f kB by each rank\nwritten    %s/model.json, history.jsonl\n",
                        double(bytes) / 1e3, output.c_str());
        }
    } catch (const core::error& problem) {  // the same one on every rank
        if (ranks.rank() == 0) std::fprintf(stderr, "sparse_classifier: %s\n", problem.what());
        return 1;
    }
}

// SPDX-License-Identifier: BSL-1.0
// How long does a step of training take, and does it learn? VGG11 and a residual network of 8 layers on CIFAR-10's pictures, in float.
//     pictures --wait 1 [--threads 2]   answers lines `NAME BATCH GROUPS STEPS` (NAME vgg11 or resnet8), as networks.cpp does
//     pictures [--output FILE]          share of 1,000 other pictures that a slim one of 8 layers misreads after 5 epochs of 1,000
// The pictures are those of GAMUT_CIFAR_DIR/data_batch_1.bin or, without such a file, as many made up in a file of that format.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <numbers>
#include <string>
#include <unistd.h>
#include <vector>

#include <gamut/core/random.hpp>
#include <gamut/data/cifar.hpp>
#include <gamut/data/every.hpp>

#include "picture_nets.hpp"
#include "steps.hpp"

using namespace gamut;

namespace {

/// Ten kinds of waves, by their direction, length and colour, at any phase and with noise: 2,000 records of CIFAR-10's format.
void make_up_pictures(const std::string& path) {
    std::ofstream file(path, std::ios::binary);
    const core::random draws{.seed = 3, .stream = 1};
    std::vector<char> record(1 + 3 * 1024);
    for (std::size_t i = 0; i < 2000; ++i) {
        const std::size_t kind = draws.below(20000000 + i, 10);
        const double angle = std::numbers::pi * static_cast<double>(kind % 5) / 5, waves = kind < 5 ? 0.5 : 1.1,
                     phase = 2 * std::numbers::pi * draws.uniform(10000000 + i);
        record[0] = static_cast<char>(kind);
        for (std::size_t c = 0; c < 3; ++c)
            for (std::size_t p = 0; p < 1024; ++p) {
                const double along =
                    std::cos(angle) * static_cast<double>(p % 32) + std::sin(angle) * static_cast<double>(p / 32);
                const double grey = 128 + 40 * std::sin(waves * along + phase + static_cast<double>(c * (kind % 3))) +
                                    40 * draws.normal((i * 3 + c) * 1024 + p);
                record[1 + c * 1024 + p] =
                    static_cast<char>(static_cast<unsigned char>(std::min(255.0, std::max(0.0, grey))));
            }
        file.write(record.data(), static_cast<std::streamsize>(record.size()));
    }
}

/// data_batch_1.bin, for as long as this lives.
struct pictures {
    std::string path;
    bool made_up = false;
    pictures() {
        if (const char* folder = std::getenv("GAMUT_CIFAR_DIR")) path = std::string(folder) + "/data_batch_1.bin";
        if (path.empty() || !std::filesystem::exists(path)) {
            made_up = true;
            path =
                (std::filesystem::temp_directory_path() / core::text("gamut_pictures_", ::getpid(), ".bin")).string();
            make_up_pictures(path);
        }
    }
    ~pictures() {
        if (made_up) std::filesystem::remove(path);
    }
    data::cifar<float> source() const { return {.paths = {path}, .scale = 1. / 64}; }
};

}  // namespace

int main(int argc, char** argv) {
    const pictures all;
    constexpr network::picture cifar{32, 32, 3};
    const int threads = std::atoi(benchmark::option(argc, argv, "--threads", "2").c_str());
    if (benchmark::option(argc, argv, "--wait", "0") != "0") {
        network_steps::answer_lines([&](const std::string& name, std::size_t batch, std::size_t groups) {
            return name == "vgg11"
                       ? network_steps::steps_of(picture_nets::vgg11(cifar, 64), all.source(), batch, groups, threads)
                       : network_steps::steps_of(picture_nets::resnet8(cifar, 16), all.source(), batch, groups,
                                                 threads);
        });
        return 0;
    }
    const auto rows = all.source().load(communicator::single<>{}, {.classification = true});
    const auto fit =
        estimator{.model = picture_nets::resnet8(cifar, 8),
                  .solver = solver::sgd{.rate = 0.05, .momentum = 0.9, .check_every = 0, .stop = {.iterations = 5}},
                  .backend = backend::host<float>{.threads = threads}}
            .fit(data::every(all.source(), 2));
    return benchmark::report(
        {{"pictures read by resnet8", all.made_up ? "wrong_of_made_up" : "wrong",
          1 - fit.score(data::all_but_every(all.source(), 2)).accuracy, all.made_up ? 0.1 : HUGE_VAL}},
        benchmark::option(argc, argv, "--output", ""));
}

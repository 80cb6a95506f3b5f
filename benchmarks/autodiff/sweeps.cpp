// SPDX-License-Identifier: BSL-1.0
// sweeps: for every line `MODEL COLUMNS CLASSES REPEATS` on stdin (MODEL logistic or softmax) so many gradients over random rows of
// 32 MB, one thread; answers with processor seconds per gradient and a number that depends on every bit of it. benchmarks/autodiff.py
// compiles it with these headers and with those of a commit from before there were programs.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <iostream>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include <gamut/backend/sweep.hpp>
#include <gamut/model/logistic.hpp>
#include <gamut/model/softmax.hpp>

using namespace gamut;

namespace {

double processor_seconds() {
    timespec now{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

struct rows_at_hand {
    backend::dense_matrix<double> x;
    std::vector<double> y, w, bias, partials;
    std::vector<std::size_t> bounds;

    rows_at_hand(std::size_t columns, std::size_t classes) : x((std::size_t(4) << 20) / columns, columns), y(x.rows) {
        for (std::size_t i = 0; i < x.values.size(); ++i)
            x.values[i] = static_cast<double>((i * 2654435761u) % 1000003) / 1000003 - 0.5;
        for (std::size_t i = 0; i < y.size(); ++i) y[i] = static_cast<double>((i * 7919) % classes);
        const std::size_t outputs = classes == 2 ? 1 : classes;
        for (std::size_t k = 0; k < columns * outputs; ++k)
            w.push_back((static_cast<double>((k * 48271) % 2003) / 2003 - 0.5) / static_cast<double>(columns));
        bias.resize(outputs);
        for (std::size_t s = 0; s <= 16; ++s) bounds.push_back(x.rows * s / 16);
        partials.resize(16 * ((columns + 1) * outputs + 1));
    }
};

template <class Model> void answer(rows_at_hand& at, const Model& model, int repeats) {
    const backend::sweep once(
        at.x, backend::observations<double>{at.y.data(), nullptr, static_cast<double>(at.x.rows), nullptr}, at.bounds,
        model::loss_formula(model), at.bias.size(), 1);
    const auto gradient = [&] { once.gradient(at.w.data(), at.bias.data(), once.all(), at.partials.data()); };
    gradient();
    std::uint64_t bits = 14695981039346656037u;
    for (const double value : at.partials) {
        std::uint64_t word;
        std::memcpy(&word, &value, sizeof word);
        bits = (bits ^ word) * 1099511628211u;
    }
    const double start = processor_seconds();
    for (int k = 0; k < repeats; ++k) gradient();
    std::printf("{\"seconds\": %.9f, \"bits\": \"%016llx\"}\n", (processor_seconds() - start) / repeats,
                static_cast<unsigned long long>(bits));
    std::fflush(stdout);
}

}  // namespace

int main() {
    std::map<std::string, std::unique_ptr<rows_at_hand>> known;
    for (std::string line; std::getline(std::cin, line);) {
        std::istringstream words(line);
        std::string name;
        std::size_t columns = 0, classes = 0;
        int repeats = 0;
        words >> name >> columns >> classes >> repeats;
        auto& at = known[std::to_string(columns) + ' ' + std::to_string(classes)];
        if (!at) at = std::make_unique<rows_at_hand>(columns, classes);
        if (name == "logistic")
            answer(*at, model::logistic{}, repeats);
        else
            answer(*at, model::softmax{}, repeats);
    }
    return 0;
}

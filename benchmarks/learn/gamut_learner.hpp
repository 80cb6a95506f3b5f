// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <iostream>
#include <string>
#include <utility>
#include <vector>

#include "../peers/gamut_peer.hpp"

/// What the parts of gamut_learner share: a learner fits the arrays once for every line, and says how long that took.
namespace peer {

// Three files, so that they compile side by side.
bool fit_unlabelled(const arguments& given, double memory_before);
bool fit_labelled(const arguments& given, double memory_before);
bool fit_documents(const arguments& given, double memory_before);

inline data::arrays<backend::dense_matrix<double>> dense(const arguments& given, const std::string& name,
                                                         std::size_t rows, const std::string& labels_name) {
    const std::string folder = given.text("--arrays", ".");
    backend::dense_matrix<double> x(rows, given.number("--columns", "0"));
    {
        const mapped<double> from(folder + "/" + name, rows * x.columns);
        std::copy(from.begin(), from.end(), x.values.begin());
    }
    std::vector<double> y;
    read<double>(folder + "/" + labels_name, rows, y);
    return data::arrays(std::move(x), y);
}

inline void write_numbers(const std::string& path, const std::vector<double>& values) {
    std::FILE* file = std::fopen(path.c_str(), "wb");
    if (file == nullptr) throw core::data_error(core::text(path, ": cannot be written"));
    std::fwrite(values.data(), sizeof(double), values.size(), file);
    std::fclose(file);
}

inline int threads(const arguments& given) { return static_cast<int>(given.number("--threads", "1")); }

/// For the r-th line on stdin (`fit FILE`): fit = learner(seed r).fit(source), then answer(fit, more) returns the numbers for the file, and
/// may write `, "name": value` to `more`. One line of JSON each; `trace` has the objective after every iteration.
template <class Learner, class Source, class Answer>
void serve(double memory_before, Learner learner, const Source& source, Answer&& answer) {
    std::string line;
    for (std::uint64_t r = 0; std::getline(std::cin, line); ++r) {
        if constexpr (requires { learner.seed; }) learner.seed = r;
        forget_peak();
        const double processor = processor_seconds();
        decltype(learner.fit(source)) found;
        const double seconds = benchmark::seconds([&] { found = learner.fit(source); });
        const double used = processor_seconds() - processor, peak = memory("VmHWM:") - memory_before;
        std::string more;
        write_numbers(line.substr(line.find(' ') + 1), answer(found, more));
        std::printf("{\"seconds\": %.6f, \"processor_seconds\": %.6f, \"objective\": %.12g, \"status\": \"%s\", "
                    "\"iterations\": %zu, \"memory\": %.0f%s, \"trace\": [",
                    seconds, used, found.objective, std::string(core::name(found.status)).c_str(), found.iterations,
                    peak, more.c_str());
        const char* comma = "";
        for (const core::record& now : found.history)  // seconds of the whole call, loading included
            std::printf("%s[%.6f, %.12g, 0]", std::exchange(comma, ", "), now.seconds + seconds - found.seconds,
                        now.objective);
        std::printf("]}\n");
        std::fflush(stdout);
    }
}

}  // namespace peer

// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

/// What every benchmark needs: a clock, medians of paired runs, and the list of records that scripts/bench reads.
namespace benchmark {

struct record {
    std::string name, metric;
    double value, goal;     // goal: not finite if there is none
    bool at_least = false;  // the goal is to have as much, not as little
};

template <class F> double seconds(F&& f) {
    const auto start = std::chrono::steady_clock::now();
    f();
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

inline double median(std::vector<double> values) {
    std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2), values.end());
    return values[values.size() / 2];
}

/// The argument after `option`, or `otherwise`.
inline std::string option(int argc, char** argv, const char* option, const char* otherwise) {
    for (int i = 1; i + 1 < argc; ++i)
        if (std::strcmp(argv[i], option) == 0) return argv[i + 1];
    return otherwise;
}

/// Prints the records, and writes them to `path` unless it is empty. Returns the exit code.
inline int report(const std::vector<record>& records, const std::string& path) {
    for (const record& r : records)
        if (std::isfinite(r.goal))
            std::printf("%-22s %-18s %8.3f  (goal %s%.3g)\n", r.name.c_str(), r.metric.c_str(), r.value,
                        r.at_least ? "at least " : "", r.goal);
        else
            std::printf("%-22s %-18s %8.3f\n", r.name.c_str(), r.metric.c_str(), r.value);
    if (path.empty()) return 0;
    std::FILE* file = std::fopen(path.c_str(), "w");
    if (file == nullptr) return 1;
    std::fputs("[", file);
    for (std::size_t i = 0; i < records.size(); ++i)
        std::fprintf(file, "%s\n  {\"case\": \"%s\", \"metric\": \"%s\", \"value\": %.6g, \"goal\": %s%s}",
                     i ? "," : "", records[i].name.c_str(), records[i].metric.c_str(), records[i].value,
                     std::isfinite(records[i].goal) ? std::to_string(records[i].goal).c_str() : "null",
                     records[i].at_least ? ", \"at_least\": true" : "");
    std::fputs("\n]\n", file);
    return std::fclose(file) == 0 ? 0 : 1;
}

}  // namespace benchmark

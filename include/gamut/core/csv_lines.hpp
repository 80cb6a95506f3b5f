// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <exception>
#include <string>
#include <string_view>
#include <utility>

#include <gamut/core/result.hpp>
#include <gamut/core/whole_file.hpp>

namespace gamut::core {

/// Observer: one line of a CSV file (RFC 4180) per record, written by rank 0, below a line of names. Numbers keep 17 digits; one
/// that is not finite is left empty. The lines grow in path + ".partial", which takes its name `path` when the observer is
/// closed. Pass it by reference; throws core::error when the disk refuses.
class csv_lines {
public:
    explicit csv_lines(std::string path) : file_(std::move(path)) {}
    csv_lines(csv_lines&&) noexcept = default;
    csv_lines& operator=(csv_lines&&) noexcept = default;
    ~csv_lines() {
        try {
            close();
        } catch (const std::exception& problem) {
            std::fprintf(stderr, "gamut: %s\n", problem.what());
        }
    }

    void operator()(const record& now) {
        if (now.rank != 0) return;
        if (!file_.is_open()) file_.write(names);
        file_.write(format(now));
    }

    /// Gives the file its name. Called by the destructor, which can only print what goes wrong.
    void close() { file_.close(); }

    static constexpr std::string_view names =
        "solver,phase,iteration,objective,residual,dual_residual,step,nonzeros,passes,seconds,ranks\n";

    static std::string format(const record& now) {
        std::string line;
        append(line, now.solver);
        append(line, now.phase);
        append(line, now.iteration);
        append(line, now.objective);
        append(line, now.residual);
        append(line, now.dual_residual);
        append(line, now.step);
        append(line, now.nonzeros);
        append(line, now.passes);
        append(line, now.seconds);
        append(line, static_cast<std::size_t>(now.ranks));
        line.back() = '\n';
        return line;
    }

private:
    static void append(std::string& line, std::string_view value) {
        if (value.find_first_of(",\"\r\n") == value.npos) {
            line += value;
        } else {
            line += '"';
            for (const char c : value) {
                if (c == '"') line += '"';
                line += c;
            }
            line += '"';
        }
        line += ',';
    }
    static void append(std::string& line, double value) {
        char digits[40];
        if (std::isfinite(value))
            line.append(digits,
                        std::to_chars(digits, digits + sizeof digits, value, std::chars_format::general, 17).ptr);
        line += ',';
    }
    static void append(std::string& line, std::size_t value) { (line += std::to_string(value)) += ','; }

    whole_file file_;
};

}  // namespace gamut::core

// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <string>
#include <string_view>
#include <utility>

#include <gamut/core/result.hpp>
#include <gamut/core/whole_file.hpp>

namespace gamut::core {

/// Observer: one JSON object per record and line, written by rank 0. Numbers keep 17 digits; one that is not finite
/// becomes null. The lines grow in path + ".partial", which takes its name `path` when the observer is closed, so that
/// a file called `path` is always whole. Pass it by reference; throws core::error when the disk refuses.
class json_lines {
public:
    explicit json_lines(std::string path) : file_(std::move(path)) {}
    json_lines(json_lines&&) noexcept = default;
    json_lines& operator=(json_lines&&) noexcept = default;
    ~json_lines() {
        try {
            close();
        } catch (const std::exception& problem) {
            std::fprintf(stderr, "gamut: %s\n", problem.what());
        }
    }

    void operator()(const record& now) {
        if (now.rank == 0) file_.write(format(now));
    }

    /// Gives the file its name. Called by the destructor, which can only print what goes wrong.
    void close() { file_.close(); }

    static std::string format(const record& now) {
        std::string line = "{\"solver\":";
        append_string(line, now.solver);
        line += ",\"phase\":";
        append_string(line, now.phase);
        append_number(line, "iteration", now.iteration);
        append_number(line, "objective", now.objective);
        append_number(line, "residual", now.residual);
        append_number(line, "dual_residual", now.dual_residual);
        append_number(line, "step", now.step);
        append_number(line, "nonzeros", now.nonzeros);
        append_number(line, "passes", now.passes);
        append_number(line, "seconds", now.seconds);
        append_number(line, "ranks", static_cast<std::size_t>(now.ranks));
        line += "}\n";
        return line;
    }

    /// A text as JSON writes it, in quotes.
    static void append_string(std::string& line, std::string_view value) {
        constexpr char digits[] = "0123456789abcdef";
        line += '"';
        for (const char c : value) {
            const auto byte = static_cast<unsigned char>(c);
            if (c == '"' || c == '\\')
                (line += '\\') += c;
            else if (byte < 0x20)
                ((line += "\\u00") += digits[byte >> 4]) += digits[byte & 15];
            else
                line += c;
        }
        line += '"';
    }

private:
    static void append_number(std::string& line, std::string_view key, double value) {
        ((line += ",\"") += key) += "\":";
        if (!std::isfinite(value)) {
            line += "null";
            return;
        }
        char digits[40];
        const auto end = std::to_chars(digits, digits + sizeof digits, value, std::chars_format::general, 17).ptr;
        line.append(digits, end);
    }

    static void append_number(std::string& line, std::string_view key, std::size_t value) {
        ((line += ",\"") += key) += "\":";
        line += std::to_string(value);
    }

    whole_file file_;
};

}  // namespace gamut::core

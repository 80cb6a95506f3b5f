// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <concepts>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gamut/core/checkpoint.hpp>
#include <gamut/core/checkpoint_history.hpp>
#include <gamut/core/checkpoints.hpp>
#include <gamut/core/result.hpp>

namespace gamut::core {

/// What a run goes on from: a checkpoint (a path that ends in ".checkpoint"), or the newest whole one of a folder of core::checkpoints;
/// nothing (empty), and it begins at the beginning.
///     solver::lbfgs<>{.resume = "run"}
/// What reads and parses files comes with the name, behind pointers: a program that names none compiles none of that.
class resume_from {
public:
    resume_from() = default;
    template <std::convertible_to<std::string> Path>
    requires(!std::same_as<std::remove_cvref_t<Path>, resume_from>) resume_from(Path&& path)
        : path_(std::forward<Path>(path)),
          reader_(&reading) {}

    bool empty() const { return path_.empty(); }
    const std::string& path() const { return path_; }

    /// Of a name that is not empty: core::newest_checkpoint, and what is done with it.
    std::optional<checkpoint> newest() const { return reader_->newest(path_); }
    std::string bytes(const checkpoint& of) const { return reader_->bytes(of); }
    checkpoint of_bytes(std::string_view bytes, const std::string& path) const {
        return reader_->of_bytes(bytes, path);
    }
    std::vector<record> history(const checkpoint& of, std::string_view solver) const {
        return reader_->history(of, solver);
    }

private:
    struct functions {
        std::optional<checkpoint> (*newest)(const std::string&);
        std::string (*bytes)(const checkpoint&);
        checkpoint (*of_bytes)(std::string_view, const std::string&);
        std::vector<record> (*history)(const checkpoint&, std::string_view);
    };
    static constexpr functions reading{&newest_checkpoint, [](const checkpoint& of) { return of.bytes(); },
                                       &checkpoint::of_bytes, &get_history};

    std::string path_{};
    const functions* reader_ = nullptr;
};

}  // namespace gamut::core

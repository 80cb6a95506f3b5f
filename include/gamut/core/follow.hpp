// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <unistd.h>

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <optional>
#include <string>

#include <gamut/core/checkpoint.hpp>
#include <gamut/core/checkpoints.hpp>
#include <gamut/core/clock.hpp>
#include <gamut/core/error.hpp>

namespace gamut::core {

/// How core::follow watches a folder.
struct following {
    double poll = 0.5;                     ///< seconds between looks
    double patience = 0;                   ///< seconds without anything new after which it gives up; 0: never
    std::optional<std::uint64_t> after{};  ///< steps up to this one are passed over
};

/// Calls visit(checkpoint) once for every checkpoint of a run that is going on, by rising step, and in the end for its end mark, of
/// kind "end". True: the end mark was reached; false: nothing came for `patience` seconds, or, if visit returns bool, it
/// returned false. Files appear whole or not at all, and are checked nevertheless: damaged ones are passed over with a line on the
/// standard error. Those that core::checkpoints{.keep} removes before they were seen are missed.
template <class F> bool follow(const std::string& folder, F&& visit, const following& how = {}) {
    if (!(how.poll > 0 && std::isfinite(how.poll)))
        throw option_error(text("follow: poll is ", how.poll, " seconds (it must be above 0) try 0.5"));
    if (!(how.patience >= 0))
        throw option_error(
            text("follow: patience is ", how.patience, " seconds (it must be 0 or more) 0 waits for ever"));
    std::optional<std::uint64_t> done = how.after;
    clock since;
    const auto show = [&](const std::string& path) {  // false: no more
        std::optional<checkpoint> found;
        try {
            found = checkpoint::load(path);
        } catch (const data_error& problem) {
            if (::access(path.c_str(), F_OK) == 0) std::fprintf(stderr, "gamut: %s\n", problem.what());
        }
        since = clock();
        if (!found) return true;
        if constexpr (requires { static_cast<bool>(visit(*found)); }) {
            return static_cast<bool>(visit(*found));
        } else {
            visit(*found);
            return true;
        }
    };
    for (;;) {
        // a mark that is there now stands behind all that the folder has
        const bool ended = ::access(end_mark_of(folder).c_str(), F_OK) == 0;
        for (const checkpoint_file& file : checkpoints_in(folder)) {
            if (done && file.step <= *done) continue;
            done = file.step;
            if (!show(file.path)) return false;
        }
        if (ended) return show(end_mark_of(folder));
        if (how.patience > 0 && since.seconds() >= how.patience) return false;
        const timespec pause{static_cast<time_t>(how.poll), static_cast<long>((how.poll - std::floor(how.poll)) * 1e9)};
        ::nanosleep(&pause, nullptr);
    }
}

}  // namespace gamut::core

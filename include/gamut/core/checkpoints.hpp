// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <gamut/core/checkpoint.hpp>
#include <gamut/core/error.hpp>
#include <gamut/core/result.hpp>
#include <gamut/core/stable_sort.hpp>

namespace gamut::core {

/// A checkpoint of a run in a folder.
struct checkpoint_file {
    std::uint64_t step = 0;
    std::string path;
};

namespace detail {

inline constexpr std::string_view checkpoint_suffix = ".checkpoint";

inline std::string checkpoint_name(std::uint64_t step) {
    std::string digits = std::to_string(step);
    return "step-" + std::string(digits.size() < 12 ? 12 - digits.size() : 0, '0') + digits + ".checkpoint";
}

/// The names in a folder, sorted; none, if it is not there. Throws core::error when it cannot be read.
[[gnu::cold]] inline std::vector<std::string> names_in(const std::string& folder) {
    std::vector<std::string> names;
    DIR* const open = ::opendir(folder.c_str());
    if (open == nullptr) {
        if (errno == ENOENT) return names;
        if (errno == ENOTDIR)
            throw error(text(folder, ": is no folder (checkpoints are files in one, whose names end in ",
                             checkpoint_suffix, ") name the folder, or one of them"));
        throw error(text(folder, ": cannot be read (", std::strerror(errno), ") check the path and the rights"));
    }
    while (const dirent* const entry = ::readdir(open)) names.emplace_back(entry->d_name);
    ::closedir(open);
    stable_sort(names, [](const std::string& a, const std::string& b) { return a < b; });
    return names;
}

/// Makes a folder and those above it.
[[gnu::cold]] inline void make_folder(const std::string& path) {
    for (std::size_t slash = path.find('/', 1); slash != path.npos; slash = path.find('/', slash + 1))
        ::mkdir(path.substr(0, slash).c_str(), 0777);
    if (::mkdir(path.c_str(), 0777) == 0) return;
    const int why = errno;
    struct stat found {};
    if (::stat(path.c_str(), &found) == 0 && S_ISDIR(found.st_mode)) return;
    throw error(text(path, ": cannot be created (", std::strerror(why), ") check the path, the rights and the space"));
}

}  // namespace detail

/// The checkpoints that a folder has, by rising step; files that are still being written are none of them.
[[gnu::cold]] inline std::vector<checkpoint_file> checkpoints_in(const std::string& folder) {
    constexpr std::string_view prefix = "step-";
    std::vector<checkpoint_file> found;
    for (const std::string& name : detail::names_in(folder)) {
        if (!name.starts_with(prefix) || !name.ends_with(detail::checkpoint_suffix)) continue;
        const char* const first = name.data() + prefix.size();
        const char* const last = name.data() + name.size() - detail::checkpoint_suffix.size();
        std::uint64_t step = 0;
        if (const auto [end, problem] = std::from_chars(first, last, step); end != last || problem != std::errc{})
            continue;
        found.push_back({step, folder + '/' + name});
    }
    stable_sort(found, [](const auto& a, const auto& b) { return a.step < b.step; });
    return found;
}

/// The mark that a run leaves in its folder when it ends: a checkpoint of kind "end" with its last weights.
inline std::string end_mark_of(const std::string& folder) { return folder + "/end.checkpoint"; }

/// What `from` names: a checkpoint (a path that ends in ".checkpoint"), or the newest whole one of a folder; nothing where the
/// folder is not there yet, or has none. Damaged ones are passed over with a line on the standard error, unless there is no other.
[[gnu::cold]] inline std::optional<checkpoint> newest_checkpoint(const std::string& from) {
    if (from.ends_with(detail::checkpoint_suffix)) return checkpoint::load(from);
    auto files = checkpoints_in(from);
    for (; !files.empty(); files.pop_back()) {
        try {
            return checkpoint::load(files.back().path);
        } catch (const data_error& problem) {
            if (files.size() == 1) {
                std::string why = problem.what();
                constexpr std::string_view older = "take an older checkpoint";
                if (why.ends_with(older))
                    why.replace(why.size() - older.size(), older.size(),
                                "there is no older one: begin in a new folder");
                throw data_error(why);
            }
            std::fprintf(stderr, "gamut: %s\n", problem.what());
        }
    }
    return std::nullopt;
}

/// Observer: what a run needs to go on, as files folder/step-000000000012.checkpoint that are whole or not there; rank 0 writes.
///     solver::sgd{.stop = {.iterations = 500}, .resume = "run"}.minimize(problem, core::checkpoints{.every = 10, .folder = "run"})
/// goes on from the newest one in "run", and begins at the beginning where there is none. Besides every `every` iterations
/// a run is saved where an observer or a limit ends it. When it ends, it leaves its last weights as folder/end.checkpoint.
/// Costs one all-reduce of 8 bytes per iteration in place of one of 4, and per checkpoint the time of the disk (fsync).
/// Throws option_error when the solver cannot be resumed, or the folder has later checkpoints of another run.
struct checkpoints {
    std::size_t every = 1;  ///< iterations
    std::string folder = "checkpoints";
    std::size_t keep = 3;  ///< so many of the newest stay; 0: all
    double seconds = 0;    ///< and no sooner than so long after the last one

    bool begun = false;
    double saved_at = 0;  ///< seconds of the run

    void operator()(const record& now) {
        if (every == 0) throw option_error("checkpoints: every is 0 (some iterations must be saved) try 1");
        if (!(seconds >= 0))
            throw option_error(text("checkpoints: seconds is ", seconds, " (it must be 0 or more) try 60"));
        if (now.run == nullptr)
            throw option_error(
                text("checkpoints: ", now.solver.empty() ? "this solver" : now.solver,
                     " cannot be resumed (it does not say what its state is) leave the checkpoints out, or, in a "
                     "solver of your own, see gamut/solver/state.hpp"));
        if (begun || now.rank != 0) return;
        begin(now);
        begun = true;
    }

    bool wants(const record& now) const {
        return now.rank == 0 && now.iteration > 0 && now.iteration % every == 0 &&
               (seconds == 0 || now.seconds - saved_at >= seconds);
    }

    [[gnu::cold]] void take(const record& now, const checkpoint& state) {
        state.save(folder + '/' + detail::checkpoint_name(state.step));
        saved_at = now.seconds;
        if (keep == 0) return;
        const auto files = checkpoints_in(folder);
        for (std::size_t i = 0; i + keep < files.size(); ++i) ::unlink(files[i].path.c_str());
    }

    void end(const checkpoint& last) const {
        detail::make_folder(folder);
        last.save(end_mark_of(folder));
    }

private:
    [[gnu::cold]] void begin(const record& now) {
        detail::make_folder(folder);
        const auto files = checkpoints_in(folder);
        if (!files.empty() && files.back().step >= now.iteration)
            throw option_error(text("checkpoints: '", folder, "' has one of step ", files.back().step,
                                    " (of another run, which this one, at step ", now.iteration,
                                    ", would mix with) set the solver's resume, remove them, or name another folder"));
        // of a run that was killed while it wrote, and of one that goes on now
        for (const std::string& name : detail::names_in(folder))
            if (name.ends_with(".checkpoint.partial")) ::unlink((folder + '/' + name).c_str());
        ::unlink(end_mark_of(folder).c_str());
    }
};

}  // namespace gamut::core

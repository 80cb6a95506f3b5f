// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <mutex>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <gamut/core/checkpoints.hpp>
#include <gamut/core/clock.hpp>
#include <gamut/core/detail/read_file.hpp>
#include <gamut/core/error.hpp>
#include <gamut/core/result.hpp>
#include <gamut/core/wait_watcher.hpp>

namespace gamut::core {

/// What a rank last said of itself.
struct sign_of_life {
    int rank = 0, ranks = 1;
    std::string node{};
    std::int64_t process = 0;
    std::uint64_t waits = 0;      ///< collectives that it has entered
    bool waiting = false;         ///< in the last of them
    std::string operation{};      ///< which
    std::uint64_t iteration = 0;  ///< the last one that its observers saw
    double since = 0;             ///< seconds since 1970 when it last entered or left one
    double said = 0;              ///< when it said so
};

/// Who waits for whom, in a sentence, as rank signs[i].rank sees it at the time `now`; ranks that never said anything are missing in `signs`.
/// A rank is waited for when it has entered fewer collectives than the most, or is the one in none; a sign older than `silent` seconds is one
/// of a process or a machine that is gone.
inline std::string stall_sentence(std::span<const sign_of_life> signs, int ranks, double now, double silent) {
    std::uint64_t most = 0;
    const sign_of_life* first = nullptr;
    for (const sign_of_life& one : signs) {
        if (!one.waiting || one.waits < most || (first != nullptr && one.waits == most)) continue;
        most = one.waits;
        first = &one;
    }
    if (first == nullptr) return "nobody waits";
    std::size_t waiting = 0, late = 0;
    std::string who;
    const auto seconds = [](double s) {
        char digits[32];
        std::snprintf(digits, sizeof digits, "%.1f s", s);
        return std::string(digits);
    };
    for (int rank = 0; rank < ranks; ++rank) {
        const auto found = std::find_if(signs.begin(), signs.end(), [&](const auto& s) { return s.rank == rank; });
        if (found != signs.end() && found->waits >= most && found->waiting) {
            ++waiting;
            continue;
        }
        if (++late > 4) continue;
        if (late > 1) who += "; ";
        if (found == signs.end()) {
            who += text("rank ", rank, ", which was never heard of");
            continue;
        }
        who += text("rank ", rank, " on ", found->node, " (process ", found->process, "), which ");
        if (now - found->said > silent)
            who += text("has been silent for ", seconds(now - found->said), ": its process or machine is gone");
        else if (found->waiting)
            who += text("is in ", found->operation, " number ", found->waits, " instead, for ",
                        seconds(now - found->since));
        else
            who += text("has computed for ", seconds(now - found->since), ", after iteration ", found->iteration);
    }
    if (late > 4) who += text("; and ", late - 4, " more");
    std::string sentence = text(waiting, " of ", ranks, " ranks have waited ", seconds(now - first->since), " in ",
                                first->operation, " number ", most, ", after iteration ", first->iteration);
    if (late == 0) return sentence + "; all are there: the network is slow, or cut";
    return sentence + "; everybody waits for " + who;
}

/// Observer and watcher: says which rank, on which node, everybody waits for when nothing has moved for `after` seconds. Each rank has its own;
/// they leave signs of life in files folder/rank-<rank>.life, about `after` / 4 seconds apart, in a folder that all nodes see. Give it to
/// communicator::traced, and to fit as an observer; pass it by reference.
///     core::stall_report stalls("run", rank, ranks, 30);
///     stdout: gamut: 7 of 8 ranks have waited 31.2 s in all_reduce(sum) number 812, after iteration 40; everybody waits for rank 3 on
///     node7 (process 4711), which has computed for 31.4 s, after iteration 40
/// One line per stall, by the lowest rank that waits, on the standard error. It ends nothing: that is mpi_session's deadline.
class stall_report final : public wait_watcher {
public:
    stall_report(std::string folder, int rank, int ranks, double after = 30, std::FILE* out = stderr)
        : folder_(std::move(folder)),
          after_(after),
          out_(out) {
        if (!(after > 0))
            throw option_error(text("stall_report: after is ", after, " seconds (it must be above 0) try 30"));
        detail::make_folder(folder_);
        mine_.rank = rank;
        mine_.ranks = ranks;
        char node[256] = "";
        if (::gethostname(node, sizeof node - 1) != 0) node[0] = '\0';
        mine_.node = node[0] == '\0' ? "?" : node;
        mine_.process = ::getpid();
        mine_.since = now();
        say(mine_);
        thread_ = std::jthread([this](std::stop_token stop) { watch(stop); });
    }
    stall_report(stall_report&&) = delete;

    void operator()(const record& seen) {
        const std::lock_guard lock(guard_);
        mine_.iteration = seen.iteration;
    }
    void enter(const char* operation, std::size_t) override {
        const std::lock_guard lock(guard_);
        ++mine_.waits;
        mine_.waiting = true;
        operation_ = operation;
        moved_ = clock();
    }
    void leave() override {
        const std::lock_guard lock(guard_);
        mine_.waiting = false;
        moved_ = clock();
    }

    /// The file in which a rank leaves its signs.
    static std::string path_of(const std::string& folder, int rank) { return text(folder, "/rank-", rank, ".life"); }

private:
    static double now() {
        return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
    }

    void watch(const std::stop_token& stop) {
        std::mutex asleep;
        std::unique_lock lock(asleep);
        std::uint64_t reported = 0;
        while (!stop.stop_requested()) {
            wake_.wait_for(lock, stop, std::chrono::duration<double>(after_ / 4), [] { return false; });
            if (stop.stop_requested()) break;
            const sign_of_life sign = current();
            say(sign);
            if (!sign.waiting || sign.waits == reported || now() - sign.since < after_) continue;
            std::vector<sign_of_life> signs = heard(sign);
            const bool speaks = std::none_of(signs.begin(), signs.end(), [&](const sign_of_life& s) {
                return s.rank < sign.rank && s.waiting && s.waits >= sign.waits;
            });
            reported = sign.waits;
            if (!speaks) continue;
            std::fprintf(out_, "gamut: %s\n", stall_sentence(signs, sign.ranks, now(), after_).c_str());
            std::fflush(out_);
        }
    }

    sign_of_life current() {
        const std::lock_guard lock(guard_);
        sign_of_life sign = mine_;
        sign.operation = operation_;
        sign.since = now() - moved_.seconds();
        return sign;
    }

    /// Never throws: a stall must not be made worse by a full disk.
    void say(const sign_of_life& s) const noexcept {
        try {
            const std::string path = path_of(folder_, s.rank), partial = path + ".partial";
            const std::string line = text(s.rank, ' ', s.ranks, ' ', s.process, ' ', s.waits, ' ', s.waiting ? 1 : 0,
                                          ' ', s.iteration, ' ', all_digits(s.since), ' ', all_digits(now()), ' ',
                                          s.node, ' ', s.operation.empty() ? "-" : s.operation, '\n');
            const int handle = ::open(partial.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
            if (handle < 0) return;
            const bool written = ::write(handle, line.data(), line.size()) == static_cast<ssize_t>(line.size());
            ::close(handle);
            if (written) std::rename(partial.c_str(), path.c_str());
        } catch (...) {}
    }

    /// Of all ranks that can be heard; own: this one's.
    std::vector<sign_of_life> heard(const sign_of_life& own) const {
        std::vector<sign_of_life> signs;
        for (int rank = 0; rank < own.ranks; ++rank) {
            if (rank == own.rank) {
                signs.push_back(own);
                signs.back().said = now();
                continue;
            }
            sign_of_life other;
            if (read(path_of(folder_, rank), other) && other.rank == rank) signs.push_back(other);
        }
        return signs;
    }

    static bool read(const std::string& path, sign_of_life& s) {
        std::string line;
        try {
            detail::reading(path).append(line, 4096);
        } catch (const data_error&) {
            return false;
        }
        const char* at = line.data();
        const char* const end = at + line.size();
        bool good = true;
        const auto number = [&](auto& value) {
            const auto [rest, problem] = std::from_chars(at, end, value);
            good = good && problem == std::errc{} && rest != end && *rest == ' ';
            at = good ? rest + 1 : end;
        };
        int is_waiting = 0;
        number(s.rank);
        number(s.ranks);
        number(s.process);
        number(s.waits);
        number(is_waiting);
        number(s.iteration);
        number(s.since);
        number(s.said);
        if (!good || line.empty() || line.back() != '\n') return false;
        const std::string_view rest(at, static_cast<std::size_t>(end - at) - 1);
        const auto space = rest.find(' ');
        if (space == rest.npos) return false;
        s.waiting = is_waiting != 0;
        s.node = rest.substr(0, space);
        s.operation = rest.substr(space + 1);
        return true;
    }

    std::string folder_;
    double after_;
    std::FILE* out_;
    std::mutex guard_;  // of what follows
    sign_of_life mine_;
    const char* operation_ = "";
    clock moved_;
    std::condition_variable_any wake_;
    std::jthread thread_;  // last: starts when all else is there, is joined before anything goes
};

}  // namespace gamut::core

// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <unistd.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <string>
#include <string_view>
#include <utility>

#include <gamut/core/checkpoints.hpp>
#include <gamut/core/clock.hpp>
#include <gamut/core/error.hpp>
#include <gamut/core/json_lines.hpp>
#include <gamut/core/result.hpp>
#include <gamut/core/wait_watcher.hpp>
#include <gamut/core/whole_file.hpp>

namespace gamut::core {

/// Observer: what this rank did when, a file folder/trace-<rank>.json of Chrome's trace events, one a line. A span for each iteration
/// in the row "iterations", and, if the communicator is communicator::traced, one for each time that it waited for others in the row
/// "waiting". scripts/merge_traces makes one file of those of all ranks, for chrome://tracing or ui.perfetto.dev.
/// Each rank has its own; pass it by reference. The file gets its name when it is closed; throws core::error when the disk refuses.
/// Times are microseconds of the machine's clock since 1970, kept up by one that never runs backwards.
class timeline final : public wait_watcher {
public:
    timeline(std::string folder, int rank)
        : file_(folder + "/trace-" + std::to_string(rank) + ".json"),
          rank_(rank),
          start_(
              std::chrono::duration<double, std::micro>(std::chrono::system_clock::now().time_since_epoch()).count()) {
        detail::make_folder(folder);
        char node[256] = "";
        if (::gethostname(node, sizeof node - 1) != 0) node[0] = '\0';
        buffer_ = "[\n";
        name("process_name", 0, text("rank ", rank, " on ", std::string_view(node)));
        name("thread_name", 0, "iterations");
        name("thread_name", 1, "waiting");
        flush();
    }
    timeline(timeline&&) = delete;
    ~timeline() {
        try {
            close();
        } catch (const std::exception& problem) {
            std::fprintf(stderr, "gamut: %s\n", problem.what());
        }
    }

    void operator()(const record& now) {
        const double end = microseconds();
        std::string arguments = text("\"iteration\":", now.iteration);
        if (now.objective - now.objective == 0) arguments += ",\"objective\":" + all_digits(now.objective);
        span(0, now.phase.empty() ? now.solver : now.phase, iteration_began_, end, arguments);
        iteration_began_ = end;
        flush();
    }

    void enter(const char* operation, std::size_t bytes) override {
        operation_ = operation;
        bytes_ = bytes;
        entered_ = microseconds();
    }
    void leave() override {
        span(1, operation_, entered_, microseconds(), text("\"bytes\":", bytes_, ",\"number\":", waits_++));
    }

    /// Gives the file its name. Called by the destructor, which can only print what goes wrong.
    void close() {
        if (!file_.is_open()) return;
        buffer_ += text("{\"ph\":\"M\",\"name\":\"process_sort_index\",\"pid\":", rank_,
                        ",\"args\":{\"sort_index\":", rank_, "}}\n]\n");
        flush();
        file_.close();
    }

private:
    void flush() { file_.write(std::exchange(buffer_, {})); }  // waits are written when an iteration ends
    double microseconds() const { return start_ + 1e6 * clock_.seconds(); }

    void name(const char* what, int row, std::string_view value) {
        buffer_ += text("{\"ph\":\"M\",\"name\":\"", what, "\",\"pid\":", rank_, ",\"tid\":", row,
                        ",\"args\":{\"name\":", quoted(value), "}},\n");
    }
    void span(int row, std::string_view what, double begin, double end, const std::string& arguments) {
        char times[96];
        std::snprintf(times, sizeof times, "\"ts\":%.3f,\"dur\":%.3f", begin, end - begin);
        buffer_ += text("{\"ph\":\"X\",\"name\":", quoted(what), ",\"pid\":", rank_, ",\"tid\":", row, ",",
                        std::string_view(times), ",\"args\":{", arguments, "}},\n");
    }
    static std::string quoted(std::string_view value) {
        std::string line;
        json_lines::append_string(line, value);
        return line;
    }

    whole_file file_;
    std::string buffer_;
    int rank_;
    double start_;
    clock clock_;
    double iteration_began_ = start_, entered_ = 0;
    const char* operation_ = "";
    std::size_t bytes_ = 0, waits_ = 0;
};

}  // namespace gamut::core

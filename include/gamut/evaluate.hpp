// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gamut/core/checkpoint.hpp>
#include <gamut/core/checkpoints.hpp>
#include <gamut/core/error.hpp>
#include <gamut/core/follow.hpp>
#include <gamut/core/text.hpp>
#include <gamut/data/concept.hpp>
#include <gamut/fit_of.hpp>
#include <gamut/fitted.hpp>
#include <gamut/fwd.hpp>

namespace gamut {

/// One checkpoint's quality on a test set.
struct evaluated {
    std::uint64_t step = 0;
    bool last = false;  ///< of the end mark: the run's result
    gamut::score score{};
};

/// How `evaluate` goes about it.
struct evaluation {
    std::string table{};  ///< a CSV file to write; empty: none
    double poll = 0.5;    ///< seconds between looks at the folder
    double patience = 0;  ///< seconds without a new checkpoint after which it gives up; 0: never
};

namespace detail {

/// A table that grows line by line, each written at once; it goes on where an earlier one ended. Its folder is made: the run that it
/// watches may not have begun.
class evaluation_table {
public:
    explicit evaluation_table(const std::string& path) : path_(path) {
        if (path_.empty()) return;
        if (const auto slash = path_.rfind('/'); slash != path_.npos && slash > 0)
            core::detail::make_folder(path_.substr(0, slash));
        handle_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
        if (handle_ < 0) fail("cannot be opened");
        try {
            take_over();
        } catch (...) {
            ::close(handle_);
            throw;
        }
    }
    evaluation_table(const evaluation_table&) = delete;
    evaluation_table& operator=(const evaluation_table&) = delete;
    ~evaluation_table() {
        if (handle_ >= 0) ::close(handle_);
    }

    /// The last step that it had.
    std::optional<std::uint64_t> after() const { return after_; }

    void add(const evaluated& row) {
        std::string line = core::text(row.step, ',', row.last ? "end" : "step", ',', row.score.rows);
        for (const double value : {row.score.loss, row.score.accuracy, row.score.r_squared})
            line += ',' + (std::isfinite(value) ? core::all_digits(value) : std::string());
        write(line + '\n');
    }

private:
    static constexpr std::string_view names = "step,kind,rows,loss,accuracy,r_squared\n";

    // whole lines stay, but for an end: the run goes on, and will end again
    void take_over() {
        std::string all(1 << 16, '\0');
        std::size_t size = 0;
        for (;;) {
            if (size == all.size()) all.resize(2 * all.size());
            const auto got = ::read(handle_, all.data() + size, all.size() - size);
            if (got < 0 && errno == EINTR) continue;
            if (got < 0) fail("cannot be read");
            if (got == 0) break;
            size += static_cast<std::size_t>(got);
        }
        all.resize(size);
        if (all.empty()) return write(names);
        if (!all.starts_with(names))
            throw core::data_error(
                core::text(path_, ": another table (its first line is not that of evaluate) name another file"));
        std::size_t kept = names.size();
        for (std::size_t begin = kept, end; (end = all.find('\n', begin)) != all.npos; begin = end + 1) {
            const std::string_view line = std::string_view(all).substr(begin, end - begin);
            std::uint64_t step = 0;
            const auto [rest, problem] = std::from_chars(line.data(), line.data() + line.size(), step);
            if (problem != std::errc{} || !std::string_view(rest, line.data() + line.size()).starts_with(",step,"))
                break;
            after_ = step;
            kept = end + 1;
        }
        if (::ftruncate(handle_, static_cast<off_t>(kept)) != 0 ||
            ::lseek(handle_, static_cast<off_t>(kept), SEEK_SET) < 0)
            fail("cannot be written");
    }

    void write(std::string_view bytes) {
        while (handle_ >= 0 && !bytes.empty()) {
            const auto done = ::write(handle_, bytes.data(), bytes.size());
            if (done < 0 && errno == EINTR) continue;
            if (done < 0) fail("cannot be written");
            bytes.remove_prefix(static_cast<std::size_t>(done));
        }
    }

    [[noreturn]] void fail(const char* problem) const {
        throw core::error(core::text(path_, ": ", problem, " (", std::strerror(errno),
                                     ") check the folder, the rights and the space"));
    }

    std::string path_;
    int handle_ = -1;
    std::optional<std::uint64_t> after_;
};

}  // namespace detail

/// Watches the folder of core::checkpoints while an estimator's fit runs, in this program or another, and scores every checkpoint
/// once and in order on a test set, that is read once; ends behind the end mark, whose score is the last. Give the run
/// checkpoints{.keep = 0}, or those that it removes first are missed. The table gets a line at once for each; one that exists already is
/// continued behind its last step. One process; needs no training data. Throws data_error, option_error or core::error.
template <class Model, class T = double, data::DataSource S>
std::vector<evaluated> evaluate(const std::string& folder, const S& test, const evaluation& how = {},
                                const Model& model = {}) {
    using rows_type = decltype(std::declval<const fitted<Model, T>&>().load(test));
    detail::evaluation_table table(how.table);
    std::optional<rows_type> rows;
    std::vector<evaluated> found;
    core::follow(folder,
                 [&](const core::checkpoint& each) {
                     const fitted<Model, T> fit = fit_of<Model, T>(each, {}, model);
                     if (!rows) rows.emplace(fit.load(test));
                     found.push_back({each.step, each.kind == "end", fit.score_rows(*rows)});
                     table.add(found.back());
                 },
                 {.poll = how.poll, .patience = how.patience, .after = table.after()});
    return found;
}

}  // namespace gamut

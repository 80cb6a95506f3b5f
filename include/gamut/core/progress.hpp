// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>

#include <gamut/core/result.hpp>

namespace gamut::core {

namespace detail {

/// "[#####...............] 25 %  100 of 400  12.5/s  at most 0:24 left", made of the records that a run began and is at. Without a
/// limit of iterations only how many there were, and the rate; without time that went by no rate.
[[gnu::cold]] inline std::string progress_bar(const record& first, const record& now) {
    constexpr std::size_t width = 30;
    std::string bar;
    const double share =
        now.limit > 0 ? std::min(1.0, static_cast<double>(now.iteration) / static_cast<double>(now.limit)) : 0;
    char part[96];
    if (now.limit > 0) {
        const auto full = static_cast<std::size_t>(share * width);
        bar = '[' + std::string(full, '#') + std::string(width - full, '.');
        std::snprintf(part, sizeof part, "] %.0f %%  %zu of %zu", std::floor(100 * share), now.iteration, now.limit);
    } else {
        std::snprintf(part, sizeof part, "%zu iterations", now.iteration);
    }
    bar += part;
    const double seconds = now.seconds - first.seconds;
    if (!(seconds > 0) || now.iteration <= first.iteration) return bar;
    const double rate = static_cast<double>(now.iteration - first.iteration) / seconds;
    std::snprintf(part, sizeof part, rate < 100 ? "  %.3g/s" : "  %.0f/s", rate);
    bar += part;
    if (now.limit > now.iteration) {
        const double left = std::min(static_cast<double>(now.limit - now.iteration) / rate, 3.6e9);
        const auto whole = static_cast<unsigned long long>(std::ceil(left));
        if (whole >= 3600)
            std::snprintf(part, sizeof part, "  at most %llu:%02llu:%02llu left", whole / 3600, whole / 60 % 60,
                          whole % 60);
        else
            std::snprintf(part, sizeof part, "  at most %llu:%02llu left", whole / 60, whole % 60);
        bar += part;
    }
    return bar;
}

/// The table behind core::progress: remembers which columns it has and the last record it did not print.
class progress_table {
public:
    progress_table() = default;
    progress_table(progress_table&& other) noexcept
        : out_(std::exchange(other.out_, nullptr)),
          columns_(other.columns_),
          last_(other.last_),
          pending_(std::exchange(other.pending_, false)),
          printed_at_(other.printed_at_),
          first_(other.first_),
          terminal_(other.terminal_),
          drawn_(std::exchange(other.drawn_, false)),
          drawn_at_(other.drawn_at_) {}
    progress_table& operator=(progress_table&& other) noexcept {
        finish();
        out_ = std::exchange(other.out_, nullptr);
        columns_ = other.columns_;
        last_ = other.last_;
        pending_ = std::exchange(other.pending_, false);
        printed_at_ = other.printed_at_;
        first_ = other.first_;
        terminal_ = other.terminal_;
        drawn_ = std::exchange(other.drawn_, false);
        drawn_at_ = other.drawn_at_;
        return *this;
    }
    ~progress_table() { finish(); }

    [[gnu::cold]] void show(std::FILE* out, std::size_t every, const record& now) {
        if (out_ == nullptr || now.iteration <= last_.iteration || now.solver != last_.solver)
            begin(out, now);
        else if (now.phase != last_.phase)
            title(now);
        last_ = now;
        pending_ = true;
        if (due(every, now)) print();
        if (terminal_ && (!drawn_ || now.seconds - drawn_at_ >= 0.1)) draw();
    }

    void finish() noexcept {
        erase();
        if (pending_) print();
        out_ = nullptr;
    }

private:
    static constexpr std::size_t numbers = 4;

    static std::array<double, numbers> values(const record& now) {
        return {now.objective, now.residual, now.dual_residual, now.step};
    }

    [[gnu::cold]] void begin(std::FILE* out, const record& now) {
        erase();
        if (pending_) print();
        out_ = out;
        first_ = now;
        const char* const kind = std::getenv("TERM");
        terminal_ = ::isatty(::fileno(out)) == 1 && kind != nullptr && std::string_view(kind) != "dumb";
        const auto first = values(now);
        for (std::size_t i = 0; i < numbers; ++i) columns_[i] = !std::isnan(first[i]);
        title(now);
        std::fprintf(out_, "%9s", "iteration");
        constexpr const char* names[numbers] = {"objective", "residual", "dual residual", "step"};
        for (std::size_t i = 0; i < numbers; ++i)
            if (columns_[i]) std::fprintf(out_, "  %*s", i == 0 ? 17 : 13, names[i]);
        std::fprintf(out_, "  %9s  %9s\n", "nonzeros", "seconds");
    }

    [[gnu::cold]] void title(const record& now) {
        if (now.solver.empty() && now.phase.empty()) return;
        erase();
        std::fprintf(out_, "%.*s%s%.*s\n", static_cast<int>(now.solver.size()), now.solver.data(),
                     now.solver.empty() || now.phase.empty() ? "" : ": ", static_cast<int>(now.phase.size()),
                     now.phase.data());
    }

    // 1..10, then 20..100 by tens, 200..1000 by hundreds and so on; slow iterations at least every two seconds
    [[gnu::cold]] bool due(std::size_t every, const record& now) const {
        if (every > 0) return now.iteration % every == 0;
        std::size_t stride = 1;
        while (now.iteration / stride > 10) stride *= 10;
        return now.iteration % stride == 0 || now.seconds - printed_at_ >= 2;
    }

    // a line below the table, drawn again and again; no more than a terminal of 80 columns holds
    [[gnu::cold]] void draw() {
        std::fprintf(out_, "\r%.79s\033[K", progress_bar(first_, last_).c_str());
        std::fflush(out_);
        drawn_ = true;
        drawn_at_ = last_.seconds;
    }

    void erase() {
        if (!std::exchange(drawn_, false)) return;
        std::fputs("\r\033[K", out_);
        std::fflush(out_);
    }

    [[gnu::cold]] void print() {
        erase();
        std::fprintf(out_, "%9zu", last_.iteration);
        const auto now = values(last_);
        for (std::size_t i = 0; i < numbers; ++i) {
            if (!columns_[i]) continue;
            if (std::isnan(now[i]))
                std::fprintf(out_, "  %*s", i == 0 ? 17 : 13, "-");
            else
                std::fprintf(out_, i == 0 ? "  %17.10g" : "  %13.3e", now[i]);
        }
        std::fprintf(out_, "  %9zu  %9.3f\n", last_.nonzeros, last_.seconds);
        std::fflush(out_);
        pending_ = false;
        printed_at_ = last_.seconds;
    }

    std::FILE* out_ = nullptr;
    std::array<bool, numbers> columns_{};
    record last_{};
    bool pending_ = false;
    double printed_at_ = 0;
    record first_{};
    bool terminal_ = false, drawn_ = false;
    double drawn_at_ = 0;
};

}  // namespace detail

/// Observer: a table on rank 0, one line for each of the first ten iterations, then for every tenth, hundredth ...
/// Numbers that the first record lacks get no column. The last iteration's line is printed at the latest when the
/// observer goes out of scope. On a terminal a bar stands below the table, with the rate and, where the solver says how many
/// iterations it may take, the time that they would need.
struct progress {
    std::FILE* out = stdout;
    std::size_t every = 0;  ///< a line each so many iterations; 0: see above
    detail::progress_table table{};

    void operator()(const record& now) {
        if (now.rank == 0) table.show(out, every, now);
    }
};

}  // namespace gamut::core

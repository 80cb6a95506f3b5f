// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <utility>

#include <gamut/core/result.hpp>

namespace gamut::core {

namespace detail {

/// The table behind core::progress: remembers which columns it has and the last record it did not print.
class progress_table {
public:
    progress_table() = default;
    progress_table(progress_table&& other) noexcept
        : out_(std::exchange(other.out_, nullptr)),
          columns_(other.columns_),
          last_(other.last_),
          pending_(std::exchange(other.pending_, false)),
          printed_at_(other.printed_at_) {}
    progress_table& operator=(progress_table&& other) noexcept {
        finish();
        out_ = std::exchange(other.out_, nullptr);
        columns_ = other.columns_;
        last_ = other.last_;
        pending_ = std::exchange(other.pending_, false);
        printed_at_ = other.printed_at_;
        return *this;
    }
    ~progress_table() { finish(); }

    void show(std::FILE* out, std::size_t every, const record& now) {
        if (out_ == nullptr || now.iteration <= last_.iteration || now.solver != last_.solver)
            begin(out, now);
        else if (now.phase != last_.phase)
            title(now);
        last_ = now;
        pending_ = true;
        if (due(every, now)) print();
    }

    void finish() noexcept {
        if (pending_) print();
        out_ = nullptr;
    }

private:
    static constexpr std::size_t numbers = 4;

    static std::array<double, numbers> values(const record& now) {
        return {now.objective, now.residual, now.dual_residual, now.step};
    }

    void begin(std::FILE* out, const record& now) {
        if (pending_) print();
        out_ = out;
        const auto first = values(now);
        for (std::size_t i = 0; i < numbers; ++i) columns_[i] = !std::isnan(first[i]);
        title(now);
        std::fprintf(out_, "%9s", "iteration");
        constexpr const char* names[numbers] = {"objective", "residual", "dual residual", "step"};
        for (std::size_t i = 0; i < numbers; ++i)
            if (columns_[i]) std::fprintf(out_, "  %*s", i == 0 ? 17 : 13, names[i]);
        std::fprintf(out_, "  %9s  %9s\n", "nonzeros", "seconds");
    }

    void title(const record& now) {
        if (now.solver.empty() && now.phase.empty()) return;
        std::fprintf(out_, "%.*s%s%.*s\n", static_cast<int>(now.solver.size()), now.solver.data(),
                     now.solver.empty() || now.phase.empty() ? "" : ": ", static_cast<int>(now.phase.size()),
                     now.phase.data());
    }

    // 1..10, then 20..100 by tens, 200..1000 by hundreds and so on; slow iterations at least every two seconds
    bool due(std::size_t every, const record& now) const {
        if (every > 0) return now.iteration % every == 0;
        std::size_t stride = 1;
        while (now.iteration / stride > 10) stride *= 10;
        return now.iteration % stride == 0 || now.seconds - printed_at_ >= 2;
    }

    void print() {
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
};

}  // namespace detail

/// Observer: a table on rank 0, one line for each of the first ten iterations, then for every tenth, hundredth ...
/// Numbers that the first record lacks get no column. The last iteration's line is printed at the latest when the
/// observer goes out of scope.
struct progress {
    std::FILE* out = stdout;
    std::size_t every = 0;  ///< a line each so many iterations; 0: see above
    detail::progress_table table{};

    void operator()(const record& now) {
        if (now.rank == 0) table.show(out, every, now);
    }
};

}  // namespace gamut::core

// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <utility>
#include <vector>

namespace gamut::table::detail {

/// What a server was told of clocks that are not complete yet.
template <class Values> class open_clocks {
public:
    struct addition {
        std::uint64_t row = 0;
        Values values{};
    };
    struct one_clock {
        std::vector<std::vector<addition>> of_worker{};
        std::vector<bool> is_over{};  // by worker: it adds no more
        std::size_t over = 0;
    };

    explicit open_clocks(std::size_t workers) : workers_(workers) {}

    /// The k-th clock from the first that is not complete.
    one_clock& at(std::uint64_t k) {
        while (clocks_.size() <= k)
            clocks_.push_back({std::vector<std::vector<addition>>(workers_), std::vector<bool>(workers_), 0});
        return clocks_[static_cast<std::size_t>(k)];
    }
    bool first_has(std::size_t quorum) const { return !clocks_.empty() && clocks_.front().over >= quorum; }
    one_clock take_first() {
        one_clock first = std::move(clocks_.front());
        clocks_.pop_front();
        return first;
    }

    /// What the worker adds to a row; again: instead of what it said before.
    static void put(one_clock& clock, std::uint64_t worker, std::uint64_t row, Values values) {
        auto& mine = clock.of_worker[static_cast<std::size_t>(worker)];
        for (auto& one : mine)
            if (one.row == row) {
                one.values = std::move(values);
                return;
            }
        mine.push_back({row, std::move(values)});
    }

private:
    std::size_t workers_;
    std::deque<one_clock> clocks_;
};

}  // namespace gamut::table::detail

// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <unordered_map>
#include <vector>

namespace gamut::table::detail {

/// What a worker added in a clock, row by row in the order in which it began to.
template <class Rows> class ledger {
public:
    using values = typename Rows::values;
    struct entry {
        std::uint64_t row = 0;
        values sum{};
        bool unsent = true;  // the servers don't have all of it
    };

    void add(std::uint64_t row, typename Rows::given more, std::uint64_t width) {
        const auto [at, fresh] = place_.try_emplace(row, entries_.size());
        if (fresh) entries_.push_back({row, Rows::none(width)});
        entry& one = entries_[at->second];
        Rows::add(one.sum, more);
        one.unsent = true;
    }
    const values* find(std::uint64_t row) const {
        const auto found = place_.find(row);
        return found == place_.end() ? nullptr : &entries_[found->second].sum;
    }
    std::vector<entry>& all() { return entries_; }
    void forget(std::size_t k) {
        place_.erase(entries_[k].row);
        entries_.erase(entries_.begin() + static_cast<std::ptrdiff_t>(k));
        for (auto& [row, at] : place_)
            if (at > k) --at;
    }
    void clear() {
        entries_.clear();
        place_.clear();
    }

private:
    std::vector<entry> entries_;
    std::unordered_map<std::uint64_t, std::size_t> place_;
};

}  // namespace gamut::table::detail

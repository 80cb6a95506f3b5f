// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <vector>

namespace gamut::table {

/// Some entries of a long row, in the order of their indices; all others are 0.
class entries {
public:
    struct entry {
        std::uint64_t index = 0;
        double value = 0;
        friend bool operator==(const entry&, const entry&) = default;
    };
    using const_iterator = std::vector<entry>::const_iterator;

    entries() = default;
    entries(std::initializer_list<entry> list) {
        for (const auto& one : list) add(one.index, one.value);
    }

    double operator[](std::uint64_t index) const {
        const auto at = place(index);
        return at != list_.end() && at->index == index ? at->value : 0;
    }
    /// Cheap where indices come in rising order; else what lies behind moves.
    void add(std::uint64_t index, double value) {
        if (list_.empty() || list_.back().index < index) {
            list_.push_back({index, value});
            return;
        }
        const auto at = place(index);
        if (at->index == index)
            list_[static_cast<std::size_t>(at - list_.begin())].value += value;
        else
            list_.insert(at, {index, value});
    }
    void add(const entries& other) {
        for (const auto& one : other) add(one.index, one.value);
    }

    std::size_t size() const { return list_.size(); }
    bool empty() const { return list_.empty(); }
    const_iterator begin() const { return list_.begin(); }
    const_iterator end() const { return list_.end(); }
    friend bool operator==(const entries&, const entries&) = default;

private:
    const_iterator place(std::uint64_t index) const {
        return std::lower_bound(list_.begin(), list_.end(), index,
                                [](const entry& one, std::uint64_t at) { return one.index < at; });
    }

    std::vector<entry> list_;
};

}  // namespace gamut::table

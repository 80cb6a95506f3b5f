// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <utility>
#include <vector>

namespace gamut::quadratic {

/// x_j'x_k for j != k: products of pairs of columns that have been needed so far, for about as many columns as `room` says; beyond that all are forgotten.
/// Memory: a number for each pair of these columns, and one per column of the data. Looking one up is O(1).
class known_products {
public:
    known_products(std::size_t columns, std::size_t room) : room_(room), slot_(columns, none) {}

    /// These columns are about to be asked for, together.
    void prepare(std::span<const std::size_t> columns) {
        const auto fresh = static_cast<std::size_t>(
            std::count_if(columns.begin(), columns.end(), [&](std::size_t j) { return slot_[j] == none; }));
        if (seen_.size() + fresh > room_) {
            for (const std::size_t j : seen_) slot_[j] = none;
            seen_.clear();
            products_.clear();
        }
        for (const std::size_t j : columns) {
            if (slot_[j] != none) continue;
            slot_[j] = seen_.size();
            seen_.push_back(j);
        }
        products_.resize(seen_.size() * (seen_.size() - std::min<std::size_t>(seen_.size(), 1)) / 2,
                         std::numeric_limits<double>::infinity());
    }
    bool knows(std::size_t j, std::size_t k) const { return products_[place(j, k)] != unknown; }
    double operator()(std::size_t j, std::size_t k) const { return products_[place(j, k)]; }
    /// Infinity is not remembered.
    void set(std::size_t j, std::size_t k, double value) { products_[place(j, k)] = value; }

    /// What is remembered, for each(name, numbers) to take down or to bring back.
    template <class Each> void describe(Each& each) {
        std::vector<std::uint64_t> seen(seen_.begin(), seen_.end());
        each("columns", seen);
        each("products", products_);
        std::fill(slot_.begin(), slot_.end(), none);
        seen_.assign(seen.begin(), seen.end());
        for (std::size_t i = 0; i < seen_.size(); ++i) slot_.at(seen_[i]) = i;
    }

private:
    static constexpr std::size_t none = std::numeric_limits<std::size_t>::max();
    static constexpr double unknown = std::numeric_limits<double>::infinity();

    std::size_t place(std::size_t j, std::size_t k) const {
        const auto [low, high] = std::minmax(slot_[j], slot_[k]);
        return high * (high - 1) / 2 + low;
    }

    std::size_t room_;
    std::vector<std::size_t> slot_, seen_;
    std::vector<double> products_;
};

}  // namespace gamut::quadratic

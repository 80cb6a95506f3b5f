// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <span>
#include <vector>

namespace gamut::solver::detail {

/// Numbers >= 0 to draw by: a binary tree of sums. Setting one and drawing one cost log2(size); a sum is always that of its two
/// halves as they are, so the same history gives the same bits, and what is 0 is never drawn.
class priorities {
public:
    explicit priorities(std::size_t size)
        : size_(size),
          leaves_(std::bit_ceil(std::max<std::size_t>(size, 1))),
          sums_(2 * leaves_, 0.0) {}

    std::size_t size() const { return size_; }
    double total() const { return sums_[1]; }
    double operator[](std::size_t j) const { return sums_[leaves_ + j]; }

    /// NaN counts as 0, and what is too large to be added up as the largest that can be.
    void set(std::size_t j, double value) {
        sums_[leaves_ + j] = usable(value);
        for (std::size_t i = (leaves_ + j) / 2; i > 0; i /= 2) sums_[i] = sums_[2 * i] + sums_[2 * i + 1];
    }
    void assign(std::span<const double> values) {
        for (std::size_t j = 0; j < size_; ++j) sums_[leaves_ + j] = usable(values[j]);
        for (std::size_t i = leaves_; i-- > 1;) sums_[i] = sums_[2 * i] + sums_[2 * i + 1];
    }

    /// Where the running sum passes `share` of the total, 0 <= share < 1; the total must not be 0.
    std::size_t at(double share) const {
        double left = share * total();
        std::size_t i = 1;
        while (i < leaves_) {
            i *= 2;
            if (sums_[i + 1] > 0 && left >= sums_[i]) left -= sums_[i++];
        }
        return i - leaves_;
    }

private:
    static double usable(double value) { return value > 0 ? std::min(value, 1e290) : 0; }

    std::size_t size_, leaves_;
    std::vector<double> sums_;  // 1 is the root, 2 i and 2 i + 1 are below i
};

}  // namespace gamut::solver::detail

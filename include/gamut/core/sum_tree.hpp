// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <span>
#include <vector>

namespace gamut::core {

/// Numbers >= 0 to draw by, in proportion: a binary tree of sums. Changing one and finding one cost log2(size) steps; a sum is always that of
/// its two halves as they are, so rounding does not build up and what is 0 is never found.
///     w_0 + ... + w_(k-1) <= u < w_0 + ... + w_k        k = find(u)
/// "F+ tree": Yu, Hsieh, Yun, Vishwanathan and Dhillon, WWW 2015.
class sum_tree {
public:
    explicit sum_tree(std::size_t size)
        : size_(size),
          leaves_(std::bit_ceil(std::max<std::size_t>(size, 1))),
          sums_(2 * leaves_, 0.0) {}

    std::size_t size() const { return size_; }
    double total() const { return sums_[1]; }
    double operator[](std::size_t k) const { return sums_[leaves_ + k]; }

    /// NaN counts as 0, and what is too large to be added up as the largest that can be.
    void set(std::size_t k, double value) {
        sums_[leaves_ + k] = usable(value);
        for (std::size_t at = (leaves_ + k) / 2; at > 0; at /= 2) sums_[at] = sums_[2 * at] + sums_[2 * at + 1];
    }

    /// All at once: value(k).
    template <class F>
    requires requires(F& value) { value(std::size_t{}); }
    void assign(F&& value) {
        for (std::size_t k = 0; k < size_; ++k) sums_[leaves_ + k] = usable(value(k));
        for (std::size_t at = leaves_; --at > 0;) sums_[at] = sums_[2 * at] + sums_[2 * at + 1];
    }
    void assign(std::span<const double> values) {
        assign([&](std::size_t k) { return values[k]; });
    }

    /// 0 <= u < total(); beyond that, which rounding may ask for, the last number that is not 0.
    std::size_t find(double u) const {
        std::size_t at = 1;
        while (at < leaves_) {
            at *= 2;
            if (u >= sums_[at] && sums_[at + 1] > 0) u -= sums_[at++];
        }
        return at - leaves_;
    }

private:
    static double usable(double value) { return value > 0 ? std::min(value, 1e290) : 0; }

    std::size_t size_, leaves_;
    std::vector<double> sums_;  // 1 is the root, 2 at and 2 at + 1 are below at; leaves last
};

}  // namespace gamut::core

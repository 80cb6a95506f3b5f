// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <vector>

namespace gamut::learn::detail {

/// Weights of 0..size-1 in a tree of sums: one is changed, or drawn in proportion, in log2(size) steps. Sums are made anew from their
/// two parts, so rounding does not build up.   Fenwick-like "F+ tree": Yu, Hsieh, Yun, Vishwanathan and Dhillon, WWW 2015.
class weight_tree {
public:
    explicit weight_tree(std::size_t size)
        : size_(size),
          leaves_(std::bit_ceil(std::max<std::size_t>(size, 1))),
          sums_(2 * leaves_) {}

    double total() const { return sums_[1]; }
    double operator[](std::size_t k) const { return sums_[leaves_ + k]; }

    void set(std::size_t k, double weight) {
        std::size_t at = leaves_ + k;
        sums_[at] = weight;
        for (at /= 2; at > 0; at /= 2) sums_[at] = sums_[2 * at] + sums_[2 * at + 1];
    }

    /// All weights at once: weight(k).
    template <class F> void assign(F&& weight) {
        for (std::size_t k = 0; k < size_; ++k) sums_[leaves_ + k] = weight(k);
        for (std::size_t at = leaves_; --at > 0;) sums_[at] = sums_[2 * at] + sums_[2 * at + 1];
    }

    /// The k with  w_0 + ... + w_(k-1) <= u < w_0 + ... + w_k.
    std::size_t find(double u) const {
        std::size_t at = 1;
        while (at < leaves_) {
            at *= 2;
            if (u >= sums_[at]) {
                u -= sums_[at];
                ++at;
            }
        }
        return std::min(at - leaves_, size_ - 1);
    }

private:
    std::size_t size_, leaves_;
    std::vector<double> sums_;  // of the node at: its parts 2 at and 2 at + 1; leaves last
};

}  // namespace gamut::learn::detail

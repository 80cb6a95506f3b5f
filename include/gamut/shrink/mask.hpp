// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <gamut/core/random.hpp>
#include <gamut/shrink/tensor.hpp>

namespace gamut::shrink {

/// Which parameters of a network are alive: the others are 0 and stay so. A rule for held_problem: the projection onto the weights that
/// are 0 where the mask says.
struct mask {
    std::vector<std::uint8_t> alive{};  ///< 1 or 0 for each parameter; those outside of tensors are alive

    template <class T> void place(std::span<T> w) const {
        for (std::size_t k = 0; k < alive.size(); ++k)
            if (alive[k] == 0) w[k] = T(0);  // also where it is no number
    }
    template <class T> void direct(std::span<T> gradient) const { place(gradient); }

    std::size_t count(const tensor& t) const {
        const auto* const first = alive.data() + t.offset;
        return static_cast<std::size_t>(std::count(first, first + t.size(), std::uint8_t(1)));
    }
    std::size_t count(const std::vector<tensor>& tensors) const {
        std::size_t sum = 0;
        for (const tensor& t : tensors) sum += count(t);
        return sum;
    }

    friend bool operator==(const mask&, const mask&) = default;
};

/// The mask of a pruned network: its tensors' weights that are not 0.
template <class T> mask mask_of(std::span<const T> weights, const std::vector<tensor>& tensors) {
    mask m{std::vector<std::uint8_t>(weights.size(), 1)};
    for (const tensor& t : tensors)
        for (std::size_t k = t.offset; k < t.offset + t.size(); ++k) m.alive[k] = weights[k] != T(0) ? 1 : 0;
    return m;
}
template <class Model, class T, class C> mask mask_of(const fitted_network<Model, T, C>& fit) {
    return mask_of(std::span<const double>(fit.weights), tensors_of(fit));
}

/// As many weights alive in each tensor, but which ones is drawn: what a lottery ticket is compared with.
inline mask shuffled(const mask& m, const std::vector<tensor>& tensors, std::uint64_t seed) {
    mask drawn = m;
    for (const tensor& t : tensors) {
        const auto order = core::permutation({.seed = seed, .stream = t.block}, t.size());
        for (std::size_t i = 0; i < t.size(); ++i) drawn.alive[t.offset + order[i]] = m.alive[t.offset + i];
    }
    return drawn;
}

}  // namespace gamut::shrink

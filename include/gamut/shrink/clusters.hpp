// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <gamut/shrink/tensor.hpp>

namespace gamut::shrink {

/// Weights that are one number in many places. A rule for held_problem: the projection onto the weights that are equal within a
/// cluster, and 0 where they are lost. The members of a cluster get the mean of their gradients, which is what a step of all weights
/// amounts to after that projection; Han et al. take their sum, and with it a rate that is smaller by the size of the cluster.
struct clusters {
    static constexpr std::uint32_t lost = 0, free = 1, first = 2;

    std::vector<std::uint32_t> of{};  ///< per parameter: lost, free, or its cluster, from `first` on
    std::size_t count = 0;

    template <class T> void place(std::span<T> w) const {
        struct cluster {
            double begin = 0, sum = 0,
                   size = 0;  // differences from the first member: equal ones have their mean exactly
        };
        std::vector<cluster> all(count);
        for (std::size_t k = 0; k < of.size(); ++k) {
            if (of[k] == lost) w[k] = T(0);
            if (of[k] < first) continue;
            cluster& c = all[of[k] - first];
            if (c.size == 0) c.begin = static_cast<double>(w[k]);
            c.sum += static_cast<double>(w[k]) - c.begin;
            ++c.size;
        }
        for (std::size_t k = 0; k < of.size(); ++k)
            if (of[k] >= first)
                w[k] = static_cast<T>(all[of[k] - first].begin + all[of[k] - first].sum / all[of[k] - first].size);
    }
    template <class T> void direct(std::span<T> gradient) const { place(gradient); }
};

/// The clusters of a network whose weights are shared: equal numbers of a tensor.
inline clusters clusters_of(std::span<const double> weights, const std::vector<tensor>& tensors) {
    clusters found{std::vector<std::uint32_t>(weights.size(), clusters::free)};
    for (const tensor& t : tensors) {
        const std::span<const double> own = weights.subspan(t.offset, t.size());
        std::vector<double> values(own.begin(), own.end());
        std::sort(values.begin(), values.end());
        values.erase(std::unique(values.begin(), values.end()), values.end());
        for (std::size_t i = 0; i < own.size(); ++i) {
            const auto place = std::lower_bound(values.begin(), values.end(), own[i]) - values.begin();
            found.of[t.offset + i] =
                own[i] == 0
                    ? clusters::lost
                    : static_cast<std::uint32_t>(clusters::first + found.count + static_cast<std::size_t>(place));
        }
        found.count += values.size();
    }
    return found;
}

}  // namespace gamut::shrink

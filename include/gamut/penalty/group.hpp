// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <vector>

#include <gamut/penalty/concept.hpp>

namespace gamut::penalty {

/// Group lasso: strength * sum over groups g of weight_g |W_g|_2 + l1 |W|_1. A group is some consecutive features with all
/// their outputs; it is zero as a whole. With l1 > 0, the sparse group lasso, groups that are not zero have zeros too.
/// Without sizes every feature is a group: all outputs share the support.   Yuan and Lin 2006; Simon et al. 2013.
struct group {
    double strength = 1;
    std::vector<std::size_t> sizes{};  ///< features in each group, in their order; empty: 1 each
    std::vector<double> weights{};     ///< one per group; empty: the square root of its size
    double l1 = 0;

    void validate(layout shape) const {
        detail::check_strength("penalty::group", "strength", strength);
        detail::check_strength("penalty::group", "l1", l1);
        std::size_t features = 0;
        for (const std::size_t size : sizes) {
            if (size == 0) throw core::option_error("penalty::group: sizes has a 0 (a group has at least one feature)");
            features += size;
        }
        if (!sizes.empty() && features != shape.features)
            throw core::option_error(core::text("penalty::group: the sizes add up to ", features, " (there are ",
                                                shape.features, " features) each is in one group"));
        if (!weights.empty() && weights.size() != groups(shape))
            throw core::option_error(core::text("penalty::group: ", weights.size(), " weights (there are ",
                                                groups(shape), " groups) give one for each, or none"));
        for (const double weight : weights) detail::check_strength("penalty::group", "a weight", weight);
    }

    std::size_t groups(layout shape) const { return sizes.empty() ? shape.features : sizes.size(); }
    std::size_t size(std::size_t g) const { return sizes.empty() ? 1 : sizes[g]; }
    double weight(std::size_t g) const {
        return weights.empty() ? std::sqrt(static_cast<double>(size(g))) : weights[g];
    }

    template <class T> double value(std::span<const T> w, layout shape) const {
        double sum = 0;
        for (std::size_t g = 0, begin = 0; g < groups(shape); ++g) {
            const std::size_t count = size(g) * shape.outputs;
            sum += value_of(g, w.subspan(begin, count));
            begin += count;
        }
        return sum;
    }
    /// Of each group v the soft threshold u = soft(v, step l1), times max(0, 1 - step strength weight_g / |u|). `out` may be `v`.
    template <class T> void prox(std::span<const T> v, T step, std::span<T> out, layout shape) const {
        for (std::size_t g = 0, begin = 0; g < groups(shape); ++g) {
            const std::size_t count = size(g) * shape.outputs;
            prox_of(g, v.subspan(begin, count), step, out.subspan(begin, count));
            begin += count;
        }
    }

    /// The same of one group.
    template <class T> double value_of(std::size_t g, std::span<const T> w) const {
        double sum = 0;
        for (const T entry : w) sum += std::abs(static_cast<double>(entry));
        return strength * weight(g) * norm(w) + (l1 > 0 ? l1 * sum : 0.0);
    }
    template <class T> void prox_of(std::size_t g, std::span<const T> v, T step, std::span<T> out) const {
        for (std::size_t j = 0; j < v.size(); ++j) out[j] = detail::shrink(v[j], step * static_cast<T>(l1));
        const double length = norm(std::span<const T>(out)),
                     threshold = static_cast<double>(step) * strength * weight(g);
        // what is not a number stays visible
        const T factor = length <= threshold ? T(0) : static_cast<T>(1 - threshold / length);
        for (T& entry : out) entry = factor * entry;
    }

private:
    template <class T> static double norm(std::span<const T> v) {
        double largest = 0, sum = 0;
        for (const T entry : v) largest = std::max(largest, std::abs(static_cast<double>(entry)));
        if (!(largest > 0 && std::isfinite(largest))) {
            for (const T entry : v) sum += static_cast<double>(entry);
            return std::abs(sum);
        }
        for (const T entry : v) sum += static_cast<double>(entry) / largest * (static_cast<double>(entry) / largest);
        return largest * std::sqrt(sum);
    }
};

}  // namespace gamut::penalty

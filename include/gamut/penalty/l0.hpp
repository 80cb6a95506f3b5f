// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <span>
#include <vector>

#include <gamut/penalty/concept.hpp>

namespace gamut::penalty {

/// What l0 counts.
enum class support {
    entries,     ///< weights that are not 0, all together
    per_output,  ///< weights that are not 0, for each output (class) on its own
    rows         ///< features with any weight that is not 0: all outputs share the support
};

/// At most kappa non-zeros, and among those the best fit:
///   value(W) = l1 |W|_1 + l2/2 |W|_F^2   if count(W) <= kappa and lower <= W <= upper, else infinite.
/// The features in `free` may always be non-zero and are not counted. With `sizes` groups are counted: some consecutive features with
/// all their outputs, which are zero as a whole or not at all, as in penalty::group. Rows are groups of one feature.
///
/// prox(v, step) is exact and takes linear time; with r = 1/step:
///   z_j    = clip(soft(r v_j, l1) / (r + l2), lower, upper)       the best non-zero weight
///   gain_j = r/2 v_j^2 - [r/2 (z_j - v_j)^2 + l1 |z_j| + l2/2 z_j^2]    what it is better than 0 by
///   the kappa largest gains (added up over a row or group) keep their z, and so do the free features; the rest is 0.
/// Of equal gains the lower index is kept, so the support is the same on every machine. Not convex: solvers that rely on
/// this prox alone are heuristics.
struct l0 {
    std::size_t kappa = 1;
    double l2 = 0, l1 = 0;
    double lower = -std::numeric_limits<double>::infinity();
    double upper = std::numeric_limits<double>::infinity();
    support over = support::entries;
    std::vector<std::size_t> free{};   ///< features, in any order
    std::vector<std::size_t> sizes{};  ///< features in each group, in their order; empty: `over` says what is counted

    /// The weights on a support have neither l1 nor bounds.
    bool is_smooth() const { return l1 == 0 && std::isinf(lower) && std::isinf(upper); }

    [[gnu::cold]] void validate(layout shape) const {
        detail::check_strength("penalty::l0", "l2", l2);
        detail::check_strength("penalty::l0", "l1", l1);
        detail::check_bounds("penalty::l0", lower, upper);
        if (!(lower <= 0 && upper >= 0))
            throw core::option_error(core::text("penalty::l0: lower is ", lower, " and upper is ", upper,
                                                " (0, the weight of what is left out, must lie between them)"));
        for (const std::size_t feature : free)
            if (feature >= shape.features)
                throw core::option_error(core::text("penalty::l0: free has feature ", feature, " (there are ",
                                                    shape.features, ", counted from 0)"));
        if (sizes.empty()) return;
        std::size_t features = 0;
        for (const std::size_t size : sizes) {
            if (!(size >= 1 && size <= shape.features))
                throw core::option_error(
                    core::text("penalty::l0: sizes has ", size, " (a group has 1 to ", shape.features, " features)"));
            features += size;
        }
        if (features != shape.features)
            throw core::option_error(core::text("penalty::l0: the sizes add up to ", features, " (there are ",
                                                shape.features, " features) each is in one group"));
        if (over == support::per_output && shape.outputs > 1)
            throw core::option_error(
                "penalty::l0: sizes and over = per_output (a group is kept with all its outputs) leave one out");
        const std::vector<bool> counted = counted_features(shape);
        for (std::size_t g = 0, i = 0; g < sizes.size(); i += sizes[g++])
            for (std::size_t k = i; k < i + sizes[g]; ++k)
                if (counted[k] != counted[i])
                    throw core::option_error(core::text("penalty::l0: free has feature ", counted[k] ? i : k,
                                                        " but not feature ", counted[k] ? k : i,
                                                        " (they are in one group) name both, or neither"));
    }

    /// What is counted.
    detail::units units_of(layout shape) const {
        if (!sizes.empty()) return {sizes, shape.outputs};
        return {shape.size(), over == support::rows ? shape.outputs : 1};
    }

    template <class T> double value(std::span<const T> w, layout shape) const {
        const std::vector<bool> counted = counted_features(shape);
        const detail::units units = units_of(shape);
        const std::size_t competitions = competitions_of(shape);
        std::vector<std::size_t> used(competitions);
        double sum = 0;
        bool inside = true;
        for (std::size_t u = 0; u < units.count(); ++u) {
            bool any = false;
            for (std::size_t j = units.first(u); j < units.first(u + 1); ++j) {
                const double x = static_cast<double>(w[j]);
                sum += l1 * std::abs(x) + 0.5 * l2 * x * x;
                inside = inside && !(w[j] < static_cast<T>(lower)) && !(w[j] > static_cast<T>(upper));
                any = any || x != 0;
            }
            if (any && counted[units.first(u) / shape.outputs]) ++used[u % competitions];
        }
        for (const std::size_t count : used) inside = inside && count <= kappa;
        return inside ? sum : std::numeric_limits<double>::infinity();
    }

    /// `out` may be `v`.
    template <class T> void prox(std::span<const T> v, T step, std::span<T> out, layout shape) const {
        const std::vector<bool> counted = counted_features(shape);
        const double scale = power_of_two_near_inverse(v);
        // gains of what competes: entries, rows, or groups; a support per output is one competition each
        const detail::units units = units_of(shape);
        const std::size_t stride = competitions_of(shape);
        std::vector<double> gains;
        std::vector<bool> keep(units.count());
        for (std::size_t first = 0; first < stride; ++first) {
            gains.clear();
            for (std::size_t g = first; g < keep.size(); g += stride) {
                double gain = 0;
                for (std::size_t j = units.first(g); j < units.first(g + 1); ++j) gain += gain_of(v[j], step, scale);
                // what is not a number must stay visible: it is kept
                if (std::isnan(gain)) gain = std::numeric_limits<double>::infinity();
                gains.push_back(counted[units.first(g) / shape.outputs] ? gain
                                                                        : -1.0);  // a free feature does not compete
            }
            const double least = kappa_th_largest(gains);
            std::size_t places = kappa;
            for (const double gain : gains) places -= gain > least ? 1 : 0;
            for (std::size_t i = 0, g = first; i < gains.size(); ++i, g += stride) {
                const bool tie_kept = gains[i] == least && gains[i] >= 0 && places > 0;
                if (tie_kept) --places;
                keep[g] = gains[i] > least || tie_kept || gains[i] < 0;
            }
        }
        for (std::size_t j = 0; j < v.size(); ++j) out[j] = keep[units.of(j)] ? best_nonzero(v[j], step) : T(0);
    }

    /// How many competitions for kappa places there are; unit u takes part in the one u % that.
    std::size_t competitions_of(layout shape) const {
        return over == support::per_output && sizes.empty() ? shape.outputs : 1;
    }

private:
    template <class T> T best_nonzero(T v, T step) const {
        const T z = detail::shrink(v, step * static_cast<T>(l1)) / (T(1) + step * static_cast<T>(l2));
        return detail::clip(z, static_cast<T>(lower), static_cast<T>(upper));
    }

    // step * gain = z (soft(v, step l1) - (1 + step l2) z / 2): the formula above without its cancellation, in units
    // where the largest |v| is about 1, so that squares neither overflow nor vanish
    template <class T> double gain_of(T v, T step, double scale) const {
        const double soft = static_cast<double>(detail::shrink(v, step * static_cast<T>(l1))) * scale;
        const double z = static_cast<double>(best_nonzero(v, step)) * scale;
        return z * (soft - 0.5 * (1 + static_cast<double>(step) * l2) * z);
    }

    template <class T> static double power_of_two_near_inverse(std::span<const T> v) {
        double largest = 0;
        for (const T entry : v)
            if (std::isfinite(entry)) largest = std::max(largest, std::abs(static_cast<double>(entry)));
        return largest > 0 ? std::ldexp(1.0, std::clamp(-std::ilogb(largest), -1000, 1000)) : 1.0;
    }

    // what a gain must exceed to be kept for certain: the kappa-th largest, found without sorting
    double kappa_th_largest(const std::vector<double>& gains) const {
        if (kappa == 0) return std::numeric_limits<double>::infinity();
        if (kappa >= gains.size()) return -1;
        std::vector<double> selected = gains;
        const auto place = selected.begin() + static_cast<std::ptrdiff_t>(kappa - 1);
        std::nth_element(selected.begin(), place, selected.end(), [](double a, double b) { return a > b; });
        return *place;
    }

    std::vector<bool> counted_features(layout shape) const {
        std::vector<bool> counted(shape.features, true);
        for (const std::size_t feature : free) counted[feature] = false;
        return counted;
    }
};

}  // namespace gamut::penalty

// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <type_traits>
#include <vector>

#include <gamut/penalty/concept.hpp>
#include <gamut/penalty/elastic_net.hpp>
#include <gamut/penalty/group.hpp>
#include <gamut/penalty/l1.hpp>

namespace gamut::quadratic {

/// How coordinate descent sees a penalty: parts, each of some consecutive features with all their outputs, and the prox and the
/// thresholds of a part alone:  penalty(w) = sum over parts g of value(g, w_g),   prox(g, v, step) = argmin over z of  value(g, z) +
/// |z - v|^2 / (2 step),   excess(g, slope) = 0 exactly where 0 is optimal for that slope. Of a separable penalty every feature is a part.
/// Each costs O(entries of the part); feasible(g) of groups with l1 sixty times that.
template <class Penalty> class parts_of {
public:
    static constexpr bool whole = false;  ///< the weights of a part are updated one by one

    parts_of(const Penalty& p, penalty::layout shape) : p_(p), shape_(shape) {}

    std::size_t size() const { return shape_.features; }
    std::size_t begin(std::size_t part) const { return part; }  // features
    std::size_t end(std::size_t part) const { return part + 1; }

    double value(std::size_t, std::span<const double> w) const {
        double sum = 0;
        for (const double x : w) sum += p_.value(x);
        return sum;
    }
    void prox(std::size_t, std::span<const double> v, double step, std::span<double> out) const {
        for (std::size_t j = 0; j < v.size(); ++j) out[j] = p_.prox(v[j], step);
    }
    /// The length of the least step that a slope makes at 0, over the step: 0 where 0 is optimal.
    double excess(std::size_t, std::span<const double> slope) const {
        double largest = 0;
        for (const double s : slope) largest = std::max(largest, std::abs(p_.prox(-tiny * s, tiny)) / tiny);
        return largest;
    }
    /// Parts with the largest come first into the working set.
    double score(std::size_t, std::span<const double> slope) const {
        double largest = 0;
        for (const double s : slope) largest = std::max(largest, std::abs(s));
        return largest;
    }

    /// Convex penalties: theirs is `l2/2 |w|^2` and a norm; the largest t <= 1 such that no excess of t slope is above 0.
    static constexpr bool has_norm =
        std::is_same_v<Penalty, penalty::l1> || std::is_same_v<Penalty, penalty::elastic_net>;
    double ridge() const {
        if constexpr (requires { p_.l2; })
            return p_.l2;
        else
            return 0;
    }
    double threshold() const {
        if constexpr (requires { p_.l1; })
            return p_.l1;
        else
            return p_.strength;
    }
    double feasible(std::size_t part, std::span<const double> slope) const {
        const double largest = score(part, slope);
        return largest > threshold() ? threshold() / largest : 1.0;
    }

private:
    static constexpr double tiny = 0x1p-20;
    const Penalty& p_;
    penalty::layout shape_;
};

template <> class parts_of<penalty::group> {
public:
    static constexpr bool whole = true;
    static constexpr bool has_norm = true;

    parts_of(const penalty::group& p, penalty::layout shape) : p_(p), begins_(1, 0) {
        for (std::size_t g = 0; g < p.groups(shape); ++g) begins_.push_back(begins_.back() + p.size(g));
    }

    std::size_t size() const { return begins_.size() - 1; }
    std::size_t begin(std::size_t part) const { return begins_[part]; }
    std::size_t end(std::size_t part) const { return begins_[part + 1]; }

    double value(std::size_t part, std::span<const double> w) const { return p_.value_of(part, w); }
    void prox(std::size_t part, std::span<const double> v, double step, std::span<double> out) const {
        p_.prox_of(part, v, step, out);
    }
    double excess(std::size_t part, std::span<const double> slope) const {
        return std::max(0.0, length_above(slope, 1.0) - p_.strength * p_.weight(part));
    }
    double score(std::size_t part, std::span<const double> slope) const {
        const double weight = p_.weight(part);
        return length_above(slope, 1.0) / (weight > 0 ? weight : 1e-300);
    }
    double ridge() const { return 0; }
    double threshold() const { return p_.strength + p_.l1; }
    double feasible(std::size_t part, std::span<const double> slope) const {
        const double limit = p_.strength * p_.weight(part);
        if (length_above(slope, 1.0) <= limit) return 1;
        double low = 0, high = 1;
        if (p_.l1 == 0) return limit / length_above(slope, 1.0);
        for (int i = 0; i < 60; ++i) {
            const double middle = 0.5 * (low + high);
            (length_above(slope, middle) <= limit ? low : high) = middle;
        }
        return low;
    }

private:
    // |soft(t slope, l1)|
    double length_above(std::span<const double> slope, double t) const {
        double sum = 0;
        for (const double s : slope) {
            const double above = std::max(0.0, std::abs(t * s) - p_.l1);
            sum += above * above;
        }
        return std::sqrt(sum);
    }

    const penalty::group& p_;
    std::vector<std::size_t> begins_;
};

}  // namespace gamut::quadratic

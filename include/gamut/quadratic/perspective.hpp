// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <span>
#include <utility>
#include <vector>

#include <gamut/penalty/l0.hpp>

namespace gamut::quadratic {

/// What has been decided about each group (what l0 counts: an entry of W, a row, or a group of rows): it may take part, it does, it does not.
enum class choice : unsigned char { open, in, out };

/// The choices of one node of a search tree, and how many open groups may still come in, for each competition (one; one per
/// output with support::per_output).
struct choices {
    std::vector<choice> of;
    std::vector<std::size_t> places;
};

/// The convex relaxation of penalty::l0 and of its counting, for some choices:
///   psi(w) = min over s of  sum_g  l1 |w_g|_1 + l2/2 |w_g|^2 / s_g,   0 <= s <= 1,  sum of s over open groups <= places,
/// s = 1 for what is in, w = 0 for what is out. Its conjugate at -gradient is a selection:
///   psi*(-G) = sum of the gains that are in + sum of the `places` largest open gains,
///   gain_g   = max over v of  -G_g'v - l1 |v|_1 - l2/2 |v|^2      (|soft(G, l1)|^2 / (2 l2) if nothing bounds v)
/// Everything is linear time but for a sort, and the same on all ranks. The bounds of l0 are kept by gains only.
/// Perspective: Frangioni and Gentile 2006. With nothing fixed psi is the squared k-support norm: McDonald, Pontil and
/// Stamos 2014, whose prox is algorithm 1 there.
class perspective {
public:
    perspective(const penalty::l0& term, penalty::layout shape)
        : term_(term),
          shape_(shape),
          units_(term.units_of(shape)),
          competitions_(term.competitions_of(shape)),
          free_(units_.count()) {
        for (const std::size_t feature : term.free)
            for (std::size_t j = feature * shape.outputs; j < (feature + 1) * shape.outputs; ++j)
                free_[units_.of(j)] = true;
    }

    std::size_t groups() const { return free_.size(); }
    /// The entries of group g are first(g) to first(g + 1).
    std::size_t first(std::size_t group) const { return units_.first(group); }
    std::size_t group_of(std::size_t entry) const { return units_.of(entry); }
    std::size_t entries() const { return shape_.size(); }
    std::size_t competitions() const { return competitions_; }
    std::size_t competition(std::size_t group) const { return group % competitions_; }
    bool is_free(std::size_t group) const { return free_[group]; }
    double l2() const { return term_.l2; }
    double l1() const { return term_.l1; }

    /// Nothing decided but the free features.
    choices undecided() const {
        choices all{std::vector<choice>(groups(), choice::open), std::vector<std::size_t>(competitions_, term_.kappa)};
        for (std::size_t g = 0; g < groups(); ++g)
            if (free_[g]) all.of[g] = choice::in;
        settle(all);
        return all;
    }

    void decide(choices& c, std::size_t group, choice what) const {
        c.of[group] = what;
        if (what == choice::in) --c.places[competition(group)];
    }

    /// Decides what is decided by counting: no places left, or a place for everybody.
    void settle(choices& c) const {
        std::vector<std::size_t> open(competitions_);
        for (std::size_t g = 0; g < groups(); ++g) open[competition(g)] += c.of[g] == choice::open ? 1 : 0;
        for (std::size_t g = 0; g < groups(); ++g) {
            if (c.of[g] != choice::open) continue;
            const std::size_t m = competition(g);
            if (c.places[m] == 0)
                c.of[g] = choice::out;
            else if (open[m] <= c.places[m]) {
                --open[m];
                decide(c, g, choice::in);
            }
        }
    }

    bool decided(const choices& c) const { return std::find(c.of.begin(), c.of.end(), choice::open) == c.of.end(); }

    /// argmax over v of  -slope v - l1 |v| - l2/2 v^2  within the bounds, and that maximum.
    std::pair<double, double> best_entry(double slope) const {
        const double pull = penalty::detail::shrink(-slope, term_.l1);
        if (pull == 0) return {0, 0};
        const double v =
            std::clamp(term_.l2 > 0 ? pull / term_.l2 : std::copysign(infinity, pull), term_.lower, term_.upper);
        if (std::isinf(v)) return {v, infinity};
        return {v, v * (pull - 0.5 * term_.l2 * v)};
    }

    void gains(std::span<const double> gradient, std::vector<double>& out) const {
        out.assign(groups(), 0);
        for (std::size_t j = 0; j < entries(); ++j) out[units_.of(j)] += best_entry(gradient[j]).second;
    }

    /// What a selection among the gains comes to.
    struct selection {
        double worth = 0;  ///< psi*(-G)
        std::vector<double> last,
            next;  ///< of each competition: the least open gain that is in, the largest that is not
        std::vector<unsigned char> selected;  ///< groups that make up the worth
    };
    selection select(const choices& c, std::span<const double> gains) const {
        selection s{0, std::vector<double>(competitions_, infinity), std::vector<double>(competitions_, 0),
                    std::vector<unsigned char>(groups())};
        std::vector<std::pair<double, std::size_t>> open;
        for (std::size_t m = 0; m < competitions_; ++m) {
            open.clear();
            for (std::size_t g = m; g < groups(); g += competitions_) {
                if (c.of[g] == choice::in) s.worth += gains[g], s.selected[g] = 1;
                if (c.of[g] == choice::open) open.emplace_back(-gains[g], g);
            }
            const std::size_t k = std::min(c.places[m], open.size());
            if (k < open.size()) {
                std::nth_element(open.begin(), open.begin() + static_cast<std::ptrdiff_t>(k), open.end());
                s.next[m] = -open[k].first;
            }
            std::sort(open.begin(), open.begin() + static_cast<std::ptrdiff_t>(k));
            for (std::size_t i = 0; i < k; ++i) s.worth -= open[i].first, s.selected[open[i].second] = 1;
            if (k > 0) s.last[m] = -open[k - 1].first;
        }
        return s;
    }

    /// Decides open groups for which the other decision would lift the bound by `slack` or more. Returns the least such lift.
    double screen(choices& c, std::span<const double> gains, const selection& s, double slack) const {
        double least = infinity;
        for (std::size_t g = 0; g < groups(); ++g) {
            if (c.of[g] != choice::open) continue;
            const std::size_t m = competition(g);
            const double lift = s.selected[g] != 0 ? gains[g] - s.next[m] : s.last[m] - gains[g];
            if (!(lift >= slack)) continue;
            decide(c, g, s.selected[g] != 0 ? choice::in : choice::out);
            least = std::min(least, lift);
        }
        return least;
    }

    /// w = argmin over z of  psi(z) + |z - v|^2 / (2 step), and the shares s.   `w` may be `v`.
    void prox(const choices& c, std::span<const double> v, double step, std::span<double> w,
              std::vector<double>& shares) const {
        for (std::size_t j = 0; j < entries(); ++j) w[j] = penalty::detail::shrink(v[j], step * term_.l1);
        const double ridge = step * term_.l2;
        share(c, w, ridge, shares);
        for (std::size_t j = 0; j < entries(); ++j) {
            const double s = shares[units_.of(j)];
            w[j] = s > 0 ? w[j] * (s / (s + ridge)) : 0;
        }
    }

    /// psi(w), and the shares that attain it; infinite where w is not 0 though it is out.
    double value(const choices& c, std::span<const double> w, std::vector<double>& shares) const {
        share(c, w, 0, shares);
        double sum = 0;
        for (std::size_t j = 0; j < entries(); ++j) {
            if (w[j] == 0) continue;
            const double s = shares[units_.of(j)];
            if (!(s > 0)) return infinity;
            sum += term_.l1 * std::abs(w[j]) + 0.5 * term_.l2 * w[j] * w[j] / s;
        }
        return sum;
    }

private:
    static constexpr double infinity = std::numeric_limits<double>::infinity();

    /// s_g = clip(t |w_g| - offset, 0, 1) for open groups, with the t that makes their sum the number of places; 1 if there is a
    /// place for all that are not 0. Piecewise linear in t: found among its corners.
    void share(const choices& c, std::span<const double> w, double offset, std::vector<double>& s) const {
        s.assign(groups(), 0);
        std::vector<std::pair<double, std::size_t>> sizes;
        std::vector<std::pair<double, double>> corners;
        for (std::size_t m = 0; m < competitions_; ++m) {
            sizes.clear();
            for (std::size_t g = m; g < groups(); g += competitions_) {
                if (c.of[g] == choice::out) continue;
                if (c.of[g] == choice::in) {
                    s[g] = 1;
                    continue;
                }
                double square = 0;
                const std::size_t first = units_.first(g), last = units_.first(g + 1);
                for (std::size_t j = first; j < last; ++j) square += w[j] * w[j];
                const double size = last - first == 1 ? std::abs(w[first]) : std::sqrt(square);
                if (size > 0) sizes.emplace_back(size, g);
            }
            if (sizes.size() <= c.places[m]) {
                for (const auto& [size, g] : sizes) s[g] = 1;
                continue;
            }
            corners.clear();
            for (const auto& [size, g] : sizes) {
                corners.emplace_back(offset / size, size);
                corners.emplace_back((1 + offset) / size, -size);
            }
            std::sort(corners.begin(), corners.end());
            const double wanted = static_cast<double>(c.places[m]);
            double t = 0, total = 0, slope = 0;
            for (const auto& [at, change] : corners) {
                const double there = total + slope * (at - t);
                if (there >= wanted && slope > 0) break;
                total = there;
                t = at;
                slope += change;
            }
            if (slope > 0) t += (wanted - total) / slope;
            for (const auto& [size, g] : sizes) s[g] = std::clamp(t * size - offset, 0.0, 1.0);
        }
    }

    const penalty::l0& term_;
    penalty::layout shape_;
    penalty::detail::units units_;
    std::size_t competitions_;
    std::vector<bool> free_;
};

}  // namespace gamut::quadratic

// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <utility>
#include <vector>

#include <gamut/backend/aligned_vector.hpp>
#include <gamut/backend/kernel.hpp>
#include <gamut/backend/matrix.hpp>
#include <gamut/backend/pack.hpp>

namespace gamut::solver::detail {

/// 1/2 w'Hw - q'w over p candidates, H symmetric and positive semidefinite, both in memory. Candidates compete within their
/// group only: those first[g] <= j < first[g + 1] for at most room[g] places. Or sets of them, units, come and go together, the
/// candidates unit[u] <= j < unit[u + 1]: then there is one group.
struct quadratic {
    backend::dense_matrix<double> hessian;  // p x p
    std::vector<double> slope;              // p
    std::vector<std::size_t> first, room;
    std::vector<std::size_t> unit{};  // empty: every candidate is one

    std::size_t size() const { return slope.size(); }
    std::size_t groups() const { return room.size(); }
    std::size_t units() const { return unit.empty() ? size() : unit.size() - 1; }
    std::size_t begin(std::size_t u) const { return unit.empty() ? u : unit[u]; }
    std::size_t end(std::size_t u) const { return unit.empty() ? u + 1 : unit[u + 1]; }
    std::size_t group_of(std::size_t j) const {
        return static_cast<std::size_t>(std::upper_bound(first.begin(), first.end(), j) - first.begin()) - 1;
    }
};

/// The largest entry of a vector, the first of equals; none: no entry is above 0.
struct best_entry {
    static constexpr std::size_t none = static_cast<std::size_t>(-1);
    std::size_t index = none;
    double gain = 0;
};

/// The indices j < count with the largest gain(j) above 0, at most n, ascending.
template <class F> std::vector<std::size_t> largest_gains(std::size_t count, std::size_t n, F&& gain) {
    std::vector<std::pair<double, std::size_t>> gains;
    for (std::size_t j = 0; j < count; ++j)
        if (const double g = gain(j); g > 0) gains.emplace_back(-g, j);
    n = std::min(n, gains.size());
    std::nth_element(gains.begin(), gains.begin() + static_cast<std::ptrdiff_t>(n), gains.end());
    std::vector<std::size_t> best;
    for (std::size_t i = 0; i < n; ++i) best.push_back(gains[i].second);
    std::sort(best.begin(), best.end());
    return best;
}

/// What adding candidate j to the support would gain once s has left it, for all j at once: the largest.
///   (d_j + m_j a)^2 / (2 (v_j + m_j^2 b)),  where the denominator is above floor_j
/// a = 0, b = 0: nothing leaves.
struct largest_gain {
    template <std::size_t Bytes>
    GAMUT_INLINE static double run(std::size_t n, const double* d, const double* m, const double* v,
                                   const double* floor, double a, double b) {
        using P = backend::pack<double, Bytes>;
        const P pa(a), pb(b);
        P best(0);
        std::size_t j = 0;
        for (; j + 8 <= n; j += 8) {
            const P mj = P::load(m + j), numerator = P::load(d + j) + mj * pa,
                    denominator = P::load(v + j) + mj * mj * pb;
            const P gain = select(denominator > P::load(floor + j), numerator * numerator / denominator, P(0));
            best = select(best < gain, gain, best);
        }
        double lanes[8], largest = 0;
        best.store(lanes);
        for (const double lane : lanes) largest = largest < lane ? lane : largest;
        for (; j < n; ++j) {
            const double numerator = d[j] + m[j] * a, denominator = v[j] + m[j] * m[j] * b;
            const double gain = denominator > floor[j] ? numerator * numerator / denominator : 0;
            largest = largest < gain ? gain : largest;
        }
        return 0.5 * largest;
    }
};

/// y += a x.
struct add_scaled {
    template <std::size_t Bytes> GAMUT_INLINE static void run(std::size_t n, double a, const double* x, double* y) {
        using P = backend::pack<double, Bytes>;
        std::size_t j = 0;
        for (; j + 8 <= n; j += 8) (P::load(y + j) + P(a) * P::load(x + j)).store(y + j);
        for (; j < n; ++j) y[j] += a * x[j];
    }
};

/// d += a x and v += b x^2.
struct add_scaled_and_squares {
    template <std::size_t Bytes>
    GAMUT_INLINE static void run(std::size_t n, double a, double b, const double* x, double* d, double* v) {
        using P = backend::pack<double, Bytes>;
        std::size_t j = 0;
        for (; j + 8 <= n; j += 8) {
            const P xj = P::load(x + j);
            (P::load(d + j) + P(a) * xj).store(d + j);
            (P::load(v + j) + P(b) * (xj * xj)).store(v + j);
        }
        for (; j < n; ++j) {
            d[j] += a * x[j];
            v[j] += b * (x[j] * x[j]);
        }
    }
};

/// The best weights on a support S that changes by one candidate at a time. With Q = (H_SS)^-1 it keeps, for all candidates j,
///   w_S = Q q_S                     the weights
///   d   = q - H_:S w_S              the slopes left, 0 within S
///   M   = H_:S Q                    what each candidate has in common with each member
///   v_j = H_jj - sum_s M_js H_js    the curvature of j that S leaves, 0 within S
/// A member's loss is w_s^2 / (2 Q_ss), a candidate's gain d_j^2 / (2 v_j), and that of s going for j
///   (d_j + M_js w_s / Q_ss)^2 / (2 (v_j + M_js^2 / Q_ss)) - w_s^2 / (2 Q_ss):  all exact.
/// Adding, removing and exchanging cost O(p |S|), and so do all the gains together. Candidates that S explains to rounding
/// (v_j <= 1e-10 H_jj) are not added.
class quadratic_support {
public:
    explicit quadratic_support(const quadratic& of)
        : of_(&of),
          p_(of.size()),
          d_(of.slope.begin(), of.slope.end()),
          v_(p_),
          floor_(p_),
          t_(p_),
          zero_(p_),
          used_(of.groups()) {
        for (std::size_t j = 0; j < p_; ++j) {
            v_[j] = of.hessian(j, j);
            floor_[j] = rounding * std::abs(v_[j]);
        }
    }

    std::size_t size() const { return s_.size(); }
    /// Candidates that are in.
    std::size_t entries() const { return s_.size(); }
    bool has_room(std::size_t group) const { return used_[group] < of_->room[group]; }
    const std::vector<std::size_t>& members() const { return s_; }
    std::vector<std::size_t> sorted_members() const {
        std::vector<std::size_t> sorted = s_;
        std::sort(sorted.begin(), sorted.end());
        return sorted;
    }
    std::size_t group_of(std::size_t j) const { return of_->group_of(j); }
    /// The weight of members()[place].
    double weight(std::size_t place) const { return w_[place]; }
    /// Its place on the diagonal of (H_SS)^-1.
    double inverse(std::size_t place) const { return q_[place][place]; }
    /// 1/2 w'Hw - q'w = -1/2 q_S'w_S.
    double value() const { return value_; }

    /// All of w.
    std::vector<double> weights() const {
        std::vector<double> all(p_);
        for (std::size_t k = 0; k < s_.size(); ++k) all[s_[k]] = w_[k];
        return all;
    }

    /// False if j is a member already, or explained by the members.
    bool add(std::size_t j) {
        if (!(v_[j] > floor_[j])) return false;
        const std::size_t k = s_.size();
        const double vj = v_[j], wj = d_[j] / vj;
        // t = H_:j - M H_Sj: the part of j's column that S does not explain
        std::copy_n(of_->hessian.row(j), p_, t_.data());
        for (std::size_t s = 0; s < k; ++s) axpy(-of_->hessian(j, s_[s]), column(s), t_.data());
        std::vector<double> m(k);
        for (std::size_t s = 0; s < k; ++s) m[s] = column(s)[j];
        backend::run<add_scaled_and_squares>(p_, -wj, -1 / vj, t_.data(), d_.data(), v_.data());
        for (double& t : t_) t /= vj;
        for (std::size_t s = 0; s < k; ++s) axpy(-m[s], t_.data(), column(s));
        m_.push_back(t_);
        for (std::size_t a = 0; a < k; ++a) {
            for (std::size_t b = 0; b < k; ++b) q_[a][b] += m[a] * m[b] / vj;
            q_[a].push_back(-m[a] / vj);
            w_[a] -= m[a] * wj;
        }
        q_.emplace_back();
        for (std::size_t a = 0; a < k; ++a) q_[k].push_back(-m[a] / vj);
        q_[k].push_back(1 / vj);
        s_.push_back(j);
        w_.push_back(wj);
        enter(j);
        revalue();
        return true;
    }

    /// Takes members()[place] out; the last member moves there.
    void remove(std::size_t place) {
        const std::size_t k = s_.size(), j = s_[place];
        const double inverse = 1 / q_[place][place], share = w_[place] * inverse;
        const double* const u = column(place);
        backend::run<add_scaled_and_squares>(p_, share, inverse, u, d_.data(), v_.data());
        for (std::size_t s = 0; s < k; ++s)
            if (s != place) axpy(-q_[s][place] * inverse, u, column(s));
        for (std::size_t a = 0; a < k; ++a) {
            if (a == place) continue;
            w_[a] -= q_[a][place] * share;
            const double factor = q_[a][place] * inverse;
            for (std::size_t b = 0; b < k; ++b)
                if (b != place) q_[a][b] -= factor * q_[place][b];
        }
        const std::size_t last = k - 1;
        std::swap(q_[place], q_[last]);
        q_.pop_back();
        for (auto& row : q_) {
            std::swap(row[place], row[last]);
            row.pop_back();
        }
        std::swap(m_[place], m_[last]);
        m_.pop_back();
        std::swap(s_[place], s_[last]);
        s_.pop_back();
        std::swap(w_[place], w_[last]);
        w_.pop_back();
        --used_[of_->group_of(j)];
        floor_[j] = rounding * std::abs(of_->hessian(j, j));
        for (const std::size_t s : s_) d_[s] = v_[s] = 0;
        revalue();
    }

    /// What losing members()[place] costs.
    double loss(std::size_t place) const { return 0.5 * w_[place] * w_[place] / q_[place][place]; }
    std::size_t cheapest_member() const {
        std::size_t best = 0;
        for (std::size_t s = 1; s < s_.size(); ++s)
            if (loss(s) < loss(best) || (loss(s) == loss(best) && s_[s] > s_[best])) best = s;
        return best;
    }

    /// What adding j would gain; 0 for members and for what they explain.
    double gain(std::size_t j) const { return v_[j] > floor_[j] ? 0.5 * d_[j] * d_[j] / v_[j] : 0; }
    /// Of the groups that have room.
    best_entry best_addition() const {
        best_entry found;
        for (std::size_t g = 0; g < of_->groups(); ++g) {
            if (!has_room(g)) continue;
            const best_entry here = best(g, zero_.data(), 0, 0);
            if (here.gain > found.gain) found = here;
        }
        return found;
    }

    /// The candidates that would gain most, at most n, ascending; members and what they explain are none.
    std::vector<std::size_t> largest_gains(std::size_t n) const {
        return detail::largest_gains(p_, n, [this](std::size_t j) { return gain(j); });
    }

    struct exchange {
        std::size_t place = 0, candidate = best_entry::none;
        double gain = 0;  ///< net
    };
    /// The exchange of one member for one candidate of its group that gains most; candidate none: no exchange gains more than `least`.
    exchange best_exchange(double least) const {
        exchange found{.gain = least};
        for (std::size_t s = 0; s < s_.size(); ++s) {
            const std::size_t g = of_->group_of(s_[s]), first = of_->first[g], n = of_->first[g + 1] - first;
            const double inverse = 1 / q_[s][s], share = w_[s] * inverse, lost = loss(s);
            const double most = backend::run<largest_gain>(n, d_.data() + first, column(s) + first, v_.data() + first,
                                                           floor_.data() + first, share, inverse);
            if (!(most - lost > found.gain)) continue;
            const best_entry entry = best(g, column(s), share, inverse);
            if (entry.index != best_entry::none && entry.gain - lost > found.gain)
                found = {s, entry.index, entry.gain - lost};
        }
        return found;
    }
    void apply(const exchange& e) {
        remove(e.place);
        add(e.candidate);
    }

    /// Everything anew from the members: what rounding has added up is gone.
    void refresh() {
        const std::vector<std::size_t> members = sorted_members();
        *this = quadratic_support(*of_);
        for (const std::size_t j : members) add(j);
    }

private:
    static constexpr double rounding = 1e-10;

    double* column(std::size_t s) { return m_[s].data(); }
    const double* column(std::size_t s) const { return m_[s].data(); }
    void axpy(double a, const double* x, double* y) const { backend::run<add_scaled>(p_, a, x, y); }

    void enter(std::size_t j) {
        ++used_[of_->group_of(j)];
        floor_[j] = std::numeric_limits<double>::infinity();  // a member is no candidate
        for (const std::size_t s : s_) d_[s] = v_[s] = 0;
    }
    void revalue() {
        value_ = 0;
        for (std::size_t k = 0; k < s_.size(); ++k) value_ -= 0.5 * of_->slope[s_[k]] * w_[k];
    }

    best_entry best(std::size_t group, const double* m, double a, double b) const {
        best_entry found;
        for (std::size_t j = of_->first[group]; j < of_->first[group + 1]; ++j) {
            const double numerator = d_[j] + m[j] * a, denominator = v_[j] + m[j] * m[j] * b;
            const double gain = denominator > floor_[j] ? 0.5 * numerator * numerator / denominator : 0;
            if (gain > found.gain) found = {j, gain};
        }
        return found;
    }

    const quadratic* of_;
    std::size_t p_;
    double value_ = 0;
    std::vector<std::size_t> s_;
    std::vector<double> w_;
    backend::aligned_vector<double> d_, v_, floor_, t_, zero_;
    std::vector<backend::aligned_vector<double>> m_;
    std::vector<std::vector<double>> q_;
    std::vector<std::size_t> used_;  // places, per group
};

}  // namespace gamut::solver::detail

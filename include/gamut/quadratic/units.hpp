// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <utility>
#include <vector>

#include <gamut/backend/aligned_vector.hpp>
#include <gamut/backend/kernel.hpp>
#include <gamut/quadratic/detail/small_factor.hpp>
#include <gamut/quadratic/objective.hpp>

namespace gamut::quadratic {

/// support for units, sets of candidates that come and go together (rows, groups): the same formulas by blocks. s, t are
/// units now, and with Q = (H_SS)^-1
///   w_S = Q q_S,   d = q - H_:S w_S,   M = H_:S Q,   V_t = H_tt - M_t: H_St
/// A member's loss is 1/2 w_s' (Q_ss)^-1 w_s, a candidate's gain 1/2 d_t' V_t^-1 d_t, and that of s going for t
///   1/2 e' (V_t + M_ts (Q_ss)^-1 M_ts')^-1 e - 1/2 w_s' (Q_ss)^-1 w_s,   e = d_t + M_ts (Q_ss)^-1 w_s:   all exact.
/// Without the second term in the inverse it is a bound: few exchanges need more than that.
/// Adding, removing and exchanging cost O(p |S| m), m the size of a unit and |S| counted in candidates, and so do the bounds of all
/// exchanges together; p m^2 for the factors. H is positive definite. Units that S explains to rounding are not added.
class units {
public:
    explicit units(const objective& of) : of_(&of), p_(of.size()), v_begin_(of.units() + 1), ready_(of.units()) {
        for (std::size_t u = 0; u < of.units(); ++u) {
            const std::size_t n = of.end(u) - of.begin(u);
            widest_ = std::max(widest_, n);
            v_begin_[u + 1] = v_begin_[u] + n * n;
        }
        slots_ = std::min(of.room[0], of.units());
        length_ = (p_ + slots_ * widest_ + 7) / 8 * 8;
        taken_.resize(slots_);
        member_.resize(of.units());
        d_.resize(length_);
        std::copy(of.slope.begin(), of.slope.end(), d_.begin());
        v_.resize(v_begin_.back());
        factor_.resize(v_begin_.back());
        for (std::size_t u = 0; u < of.units(); ++u) {
            const std::size_t begin = of.begin(u), n = of.end(u) - begin;
            for (std::size_t a = 0; a < n; ++a)
                for (std::size_t b = 0; b < n; ++b) v_[v_begin_[u] + a * n + b] = of.hessian(begin + a, begin + b);
        }
        factorize();
    }

    std::size_t size() const { return s_.size(); }
    bool has_room(std::size_t) const { return s_.size() < slots_; }
    std::size_t room(std::size_t) const { return slots_ - s_.size(); }
    /// Members that there may be.
    std::size_t most() const { return slots_; }
    const std::vector<std::size_t>& members() const { return s_; }
    std::vector<std::size_t> sorted_members() const {
        std::vector<std::size_t> sorted = s_;
        std::sort(sorted.begin(), sorted.end());
        return sorted;
    }
    std::size_t group_of(std::size_t) const { return 0; }
    /// Candidates that are in.
    std::size_t entries() const {
        std::size_t sum = 0;
        for (const std::size_t u : s_) sum += width(u);
        return sum;
    }
    /// The trace of the unit's block of (H_SS)^-1.
    double inverse(std::size_t place) const {
        double sum = 0;
        for (std::size_t a = 0; a < width(s_[place]); ++a) sum += row(place, a)[at(place) + a];
        return sum;
    }
    double value() const { return value_; }

    std::vector<double> weights() const {
        std::vector<double> all(p_);
        for (std::size_t place = 0; place < s_.size(); ++place)
            for (std::size_t a = 0; a < width(s_[place]); ++a) all[of_->begin(s_[place]) + a] = weight(place, a);
        return all;
    }

    /// False if u is a member already, or explained by the members.
    bool add(std::size_t u) {
        if (!ready_[u] || !has_room(0)) return false;
        const std::size_t n = width(u), begin = of_->begin(u);
        const double* const l = factor_.data() + v_begin_[u];
        std::vector<double> w(d_.begin() + static_cast<std::ptrdiff_t>(begin),
                              d_.begin() + static_cast<std::ptrdiff_t>(begin + n));
        detail::solve_lower(n, l, w.data());
        detail::solve_upper(n, l, w.data());
        // [ t | -M' ]: t = H_:u - M H_Su, the part of the unit's columns that S does not explain
        const std::size_t slot = free_slot();
        rows t(n * length_), coefficients(widest_);
        for (std::size_t a = 0; a < n; ++a) {
            double* const ta = t.data() + a * length_;
            std::copy_n(of_->hessian.row(begin + a), p_, ta);
            for (std::size_t s = 0; s < s_.size(); ++s) {
                const std::size_t first = of_->begin(s_[s]), m = width(s_[s]);
                for (std::size_t b = 0; b < m; ++b) coefficients[b] = -of_->hessian(begin + a, first + b);
                combine(m, coefficients.data(), m_[s].data(), ta);
            }
            ta[p_ + slot * widest_ + a] += 1;
        }
        for (std::size_t a = 0; a < n; ++a) coefficients[a] = -w[a];
        combine(n, coefficients.data(), t.data(), d_.data());
        lower(n, l, t);
        curve(n, t, -1);
        upper(n, l, t);
        for (std::size_t s = 0; s < s_.size(); ++s)
            for (std::size_t b = 0; b < width(s_[s]); ++b) {
                double* const r = m_[s].data() + b * length_;
                for (std::size_t a = 0; a < n; ++a) coefficients[a] = -r[begin + a];
                combine(n, coefficients.data(), t.data(), r);
            }
        m_.push_back(std::move(t));
        s_.push_back(u);
        slot_.push_back(slot);
        taken_[slot] = member_[u] = true;
        settle();
        return true;
    }

    /// Takes members()[place] out; the last member moves there.
    void remove(std::size_t place) {
        const std::size_t u = s_[place], n = width(u), first = at(place), last = s_.size() - 1;
        std::vector<double> l = block_factor(place), share(n), coefficients(n);
        for (std::size_t a = 0; a < n; ++a) share[a] = weight(place, a);
        detail::solve_lower(n, l.data(), share.data());
        detail::solve_upper(n, l.data(), share.data());
        rows t = std::move(m_[place]);
        combine(n, share.data(), t.data(), d_.data());
        lower(n, l.data(), t);
        curve(n, t, 1);
        upper(n, l.data(), t);
        for (std::size_t s = 0; s < s_.size(); ++s) {
            if (s == place) continue;
            for (std::size_t b = 0; b < width(s_[s]); ++b) {
                double* const r = m_[s].data() + b * length_;
                for (std::size_t a = 0; a < n; ++a) coefficients[a] = -r[first + a];
                combine(n, coefficients.data(), t.data(), r);
                std::fill_n(r + first, widest_, 0.0);
            }
        }
        std::fill_n(d_.begin() + static_cast<std::ptrdiff_t>(first), widest_, 0.0);
        taken_[slot_[place]] = member_[u] = false;
        std::swap(m_[place], m_[last]);
        m_.pop_back();
        std::swap(s_[place], s_[last]);
        s_.pop_back();
        std::swap(slot_[place], slot_[last]);
        slot_.pop_back();
        settle();
    }

    /// What losing members()[place] costs.
    double loss(std::size_t place) const {
        const std::size_t n = width(s_[place]);
        const std::vector<double> l = block_factor(place);
        std::vector<double> w(n);
        for (std::size_t a = 0; a < n; ++a) w[a] = weight(place, a);
        return 0.5 * detail::solve_lower(n, l.data(), w.data());
    }
    std::size_t cheapest_member() const {
        std::size_t best = 0;
        double least = s_.empty() ? 0 : loss(0);
        for (std::size_t s = 1; s < s_.size(); ++s)
            if (const double here = loss(s); here < least || (here == least && s_[s] > s_[best]))
                best = s, least = here;
        return best;
    }

    /// What adding u would gain; 0 for members and for what they explain.
    double gain(std::size_t u) const {
        if (!ready_[u]) return 0;
        std::vector<double> e(d_.begin() + static_cast<std::ptrdiff_t>(of_->begin(u)),
                              d_.begin() + static_cast<std::ptrdiff_t>(of_->end(u)));
        return 0.5 * detail::solve_lower(e.size(), factor_.data() + v_begin_[u], e.data());
    }
    best_entry best_addition() const {
        best_entry found;
        for (std::size_t u = 0; u < of_->units() && has_room(0); ++u)
            if (const double here = gain(u); here > found.gain) found = {u, here};
        return found;
    }

    /// The units that would gain most, at most n, ascending; members and what they explain are none.
    std::vector<std::size_t> largest_gains(std::size_t n) const {
        std::vector<double> gains(of_->units());
        for (std::size_t u = 0; u < gains.size(); ++u) gains[u] = gain(u);
        return quadratic::largest_gains(gains, n);
    }

    using exchange = quadratic::exchange;
    /// The exchange of one member for one candidate that gains most; candidate none: no exchange gains more than `least`.
    exchange best_exchange(double least) const {
        exchange found{.gain = least};
        rows e(length_);
        std::vector<double> share(widest_), x(widest_), curvature(widest_ * widest_);
        for (std::size_t s = 0; s < s_.size(); ++s) {
            const std::size_t n = width(s_[s]);
            const std::vector<double> l = block_factor(s);
            for (std::size_t a = 0; a < n; ++a) share[a] = weight(s, a);
            const double lost = 0.5 * detail::solve_lower(n, l.data(), share.data());
            detail::solve_upper(n, l.data(), share.data());
            std::copy_n(d_.data(), p_, e.data());
            combine(n, share.data(), m_[s].data(), e.data());
            for (std::size_t t = 0; t < of_->units(); ++t) {
                if (member_[t]) continue;
                const std::size_t begin = of_->begin(t), m = width(t);
                if (ready_[t]) {
                    std::copy_n(e.data() + begin, m, x.data());
                    if (!(0.5 * detail::solve_lower(m, factor_.data() + v_begin_[t], x.data()) - lost > found.gain))
                        continue;
                }
                std::copy_n(v_.data() + v_begin_[t], m * m, curvature.data());
                add_back(s, begin, m, l, curvature.data());
                if (explained(t, curvature.data()) || !detail::factor_small(m, curvature.data())) continue;
                std::copy_n(e.data() + begin, m, x.data());
                const double gain = 0.5 * detail::solve_lower(m, curvature.data(), x.data()) - lost;
                if (gain > found.gain) found = {s, t, gain};
            }
        }
        return found;
    }
    void apply(const exchange& e) {
        remove(e.place);
        add(e.candidate);
    }

    /// These are the members now, but for those that others explain; who was one already stays as it is.
    void reset(const std::vector<std::size_t>& members) {
        for (std::size_t place = s_.size(); place-- > 0;)
            if (std::find(members.begin(), members.end(), s_[place]) == members.end()) remove(place);
        for (const std::size_t u : members) add(u);
    }

    /// The same, from what `base` is.
    void reset(const units& base, const std::vector<std::size_t>& members) {
        *this = base;
        reset(members);
    }

    /// Everything anew from the members: what rounding has added up is gone.
    void refresh() {
        const std::vector<std::size_t> members = sorted_members();
        *this = units(*of_);
        for (const std::size_t u : members) add(u);
    }

private:
    using rows = backend::aligned_vector<double>;
    static constexpr double rounding = 1e-11;

    std::size_t width(std::size_t u) const { return of_->end(u) - of_->begin(u); }
    /// A row of a member: [ a column of M | the same column of Q ], Q's entries in the slots of their members.
    const double* row(std::size_t place, std::size_t a) const { return m_[place].data() + a * length_; }
    std::size_t at(std::size_t place) const { return p_ + slot_[place] * widest_; }
    /// d_ is [ d | -w ].
    double weight(std::size_t place, std::size_t a) const { return -d_[at(place) + a]; }

    void combine(std::size_t count, const double* a, const double* x, double* y) const {
        backend::run<detail::add_combination>(length_, count, a, x, length_, y);
    }
    /// L^-1 times some rows, and L^-T.
    void lower(std::size_t n, const double* l, rows& t) const {
        std::vector<double> c(n);
        for (std::size_t a = 0; a < n; ++a) {
            for (std::size_t b = 0; b < a; ++b) c[b] = -l[a * n + b];
            combine(a, c.data(), t.data(), t.data() + a * length_);
            for (std::size_t j = 0; j < length_; ++j) t[a * length_ + j] *= l[a * n + a];
        }
    }
    void upper(std::size_t n, const double* l, rows& t) const {
        std::vector<double> c(n);
        for (std::size_t a = n; a-- > 0;) {
            for (std::size_t b = a + 1; b < n; ++b) c[b] = -l[b * n + a];
            combine(n - a - 1, c.data() + a + 1, t.data() + (a + 1) * length_, t.data() + a * length_);
            for (std::size_t j = 0; j < length_; ++j) t[a * length_ + j] *= l[a * n + a];
        }
    }
    /// V_u += sign t_u't_u for all units.
    void curve(std::size_t n, const rows& t, double sign) {
        for (std::size_t u = 0; u < of_->units(); ++u) {
            const std::size_t begin = of_->begin(u), m = width(u);
            double* const v = v_.data() + v_begin_[u];
            for (std::size_t c = 0; c < n; ++c) {
                const double* const x = t.data() + c * length_ + begin;
                for (std::size_t a = 0; a < m; ++a)
                    for (std::size_t b = 0; b < m; ++b) v[a * m + b] += sign * x[a] * x[b];
            }
        }
    }
    /// curvature += M_ts (Q_ss)^-1 M_ts', where l is the factor of Q_ss.
    void add_back(std::size_t place, std::size_t begin, std::size_t m, const std::vector<double>& l,
                  double* curvature) const {
        const std::size_t n = width(s_[place]);
        std::vector<double> x(m * n);
        for (std::size_t a = 0; a < m; ++a) {
            for (std::size_t b = 0; b < n; ++b) x[a * n + b] = row(place, b)[begin + a];
            detail::solve_lower(n, l.data(), x.data() + a * n);
        }
        for (std::size_t a = 0; a < m; ++a)
            for (std::size_t b = 0; b <= a; ++b) {
                double sum = 0;
                for (std::size_t c = 0; c < n; ++c) sum += x[a * n + c] * x[b * n + c];
                curvature[a * m + b] += sum;
            }
    }
    /// The factor of Q_ss.
    std::vector<double> block_factor(std::size_t place) const {
        const std::size_t n = width(s_[place]);
        std::vector<double> l(n * n);
        for (std::size_t a = 0; a < n; ++a)
            for (std::size_t b = 0; b <= a; ++b)  // symmetric but for rounding
                l[a * n + b] = 0.5 * (row(place, a)[at(place) + b] + row(place, b)[at(place) + a]);
        if (!detail::factor_small(n, l.data()))  // rounding alone: as if its weights had nothing to do with each other
            for (std::size_t a = 0; a < n; ++a)
                for (std::size_t b = 0; b <= a; ++b)
                    l[a * n + b] = a == b ? 1 / std::sqrt(std::max(row(place, a)[at(place) + a], 1e-300)) : 0;
        return l;
    }

    bool explained(std::size_t u, const double* curvature) const {
        const std::size_t begin = of_->begin(u), m = width(u);
        for (std::size_t a = 0; a < m; ++a)
            if (curvature[a * m + a] > rounding * std::abs(of_->hessian(begin + a, begin + a))) return false;
        return true;
    }
    void factorize() {
        factor_ = v_;
        for (std::size_t u = 0; u < of_->units(); ++u)
            ready_[u] = !member_[u] && !explained(u, v_.data() + v_begin_[u]) &&
                        detail::factor_small(width(u), factor_.data() + v_begin_[u]);
    }
    /// What is known of members, the factors, and the value.
    void settle() {
        value_ = 0;
        for (std::size_t place = 0; place < s_.size(); ++place) {
            const std::size_t u = s_[place], begin = of_->begin(u), n = width(u);
            for (std::size_t a = 0; a < n; ++a) {
                d_[begin + a] = 0;
                value_ -= 0.5 * of_->slope[begin + a] * weight(place, a);
            }
            std::fill_n(v_.begin() + static_cast<std::ptrdiff_t>(v_begin_[u]), n * n, 0.0);
        }
        factorize();
    }
    std::size_t free_slot() const {
        return static_cast<std::size_t>(std::find(taken_.begin(), taken_.end(), false) - taken_.begin());
    }

    const objective* of_;
    std::size_t p_, widest_ = 1, slots_ = 0, length_ = 0;
    double value_ = 0;
    std::vector<std::size_t> s_, slot_;  // members, and where they are in Q
    std::vector<bool> taken_, member_;   // slots; units
    std::vector<std::size_t> v_begin_;   // of each unit
    rows d_, v_, factor_;                // of v_, where ready_
    std::vector<bool> ready_;
    std::vector<rows> m_;  // of each member, a row for each of its candidates
};

}  // namespace gamut::quadratic

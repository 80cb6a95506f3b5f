// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <numeric>
#include <utility>
#include <vector>

#include <gamut/backend/aligned_vector.hpp>
#include <gamut/backend/kernel.hpp>
#include <gamut/quadratic/detail/support_kernels.hpp>
#include <gamut/quadratic/objective.hpp>

namespace gamut::quadratic {

/// The best weights on a support S that changes by one candidate at a time, or is set. With Q = (H_SS)^-1 it keeps, for all candidates j,
///   w_S = Q q_S                     the weights
///   d   = q - H_:S w_S              the slopes left, 0 within S
///   M   = H_:S Q                    what each candidate has in common with each member
///   v_j = H_jj - sum_s M_js H_js    the curvature of j that S leaves, 0 within S
/// A member's loss is w_s^2 / (2 Q_ss), a candidate's gain d_j^2 / (2 v_j), and that of s going for j
///   (d_j + M_js w_s / Q_ss)^2 / (2 (v_j + M_js^2 / Q_ss)) - w_s^2 / (2 Q_ss):  all exact.
/// Adding, removing and exchanging cost O(p |S|), and so do all the gains together. Candidates that S explains to rounding
/// (v_j <= 1e-10 H_jj) are not added.
class support : public places {
public:
    explicit support(const objective& of)
        : places(of),
          p_(of.size()),
          d_(of.slope.begin(), of.slope.end()),
          v_(p_),
          floor_(p_),
          zero_(p_),
          stride_(odd_lines(p_)) {
        for (std::size_t j = 0; j < p_; ++j) {
            v_[j] = of.diagonal(j);
            floor_[j] = rounding * std::abs(v_[j]);
        }
    }

    std::size_t size() const { return s_.size(); }
    /// Candidates that are in.
    std::size_t entries() const { return s_.size(); }
    const std::vector<std::size_t>& members() const { return s_; }
    std::vector<std::size_t> sorted_members() const {
        std::vector<std::size_t> sorted = s_;
        std::sort(sorted.begin(), sorted.end());
        return sorted;
    }
    /// The weight of members()[place].
    double weight(std::size_t place) const { return w_[place]; }
    /// Its place on the diagonal of (H_SS)^-1.
    double inverse(std::size_t place) const { return q(place, place); }
    /// 1/2 w'Hw - q'w = -1/2 q_S'w_S.
    double value() const { return value_; }

    /// All of w.
    std::vector<double> weights() const {
        std::vector<double> all(p_);
        for (std::size_t k = 0; k < s_.size(); ++k) all[s_[k]] = w_[k];
        return all;
    }

    /// False if j is a member already, or explained by the members.
    bool add(std::size_t j) { return change(none, j); }

    /// Takes members()[place] out; the last member moves there.
    void remove(std::size_t place) { change(place, none); }

    /// What losing members()[place] costs.
    double loss(std::size_t place) const { return 0.5 * w_[place] * w_[place] / q(place, place); }
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
        std::vector<double> gains(p_);
        backend::run<detail::addition_gains>(p_, d_.data(), v_.data(), floor_.data(), gains.data());
        return quadratic::largest_gains(gains, n);
    }

    using exchange = quadratic::exchange;
    /// The exchange of one member for one candidate of its group that gains most; candidate none: no exchange gains more than `least`.
    /// None gains more than adding its candidate alone: (d + m a)^2 / (v + m^2 b) <= d^2 / v + a^2 / b. So once the member that is worth
    /// least has shown what can be had, few candidates are left.
    exchange best_exchange(double least) const {
        exchange found{.gain = least};
        if (s_.empty()) return found;
        const std::size_t first_member = cheapest_member();
        consider(first_member, found);
        std::vector<double> is_left(p_);  // what members explain together may replace one of them
        backend::run<detail::contenders>(p_, d_.data(), v_.data(), floor_.data(), found.gain, is_left.data());
        const auto count = static_cast<std::size_t>(std::accumulate(is_left.begin(), is_left.end(), 0.0));
        const bool few = 16 * count < p_;
        std::vector<std::size_t> left;
        if (few) {
            left.reserve(count);
            for (std::size_t j = 0; j < p_; ++j)
                if (is_left[j] != 0) left.push_back(j);
        }
        for (std::size_t s = 0; s < s_.size(); ++s) {
            if (s == first_member) continue;
            if (few)
                consider(s, left, found);
            else
                consider(s, found);
        }
        return found;
    }
    void apply(const exchange& e) {
        if (!change(e.place, e.candidate)) remove(e.place);  // rounding has it that the others explain the candidate
    }

    /// Everything anew from the members: what rounding has added up is gone.
    void refresh() { reset(sorted_members()); }

    /// These are the members now, but for those that the ones before explain. O(p k^2), which is less than k changes cost: they are
    /// bound by what they write.
    void reset(const std::vector<std::size_t>& members) {
        for (const std::size_t j : s_) floor_[j] = rounding * std::abs(of_->diagonal(j));
        std::fill(used_.begin(), used_.end(), 0);
        s_.clear();
        if (of_->lazy) of_->lazy->prepare(members);
        std::vector<double> l;  // rows of the factor of H_SS, one behind the other, with inverse diagonals
        std::vector<const double*> h;
        for (const std::size_t j : members) {
            const double* const row = of_->row(j);
            const std::size_t k = s_.size(), begin = l.size();
            double rest = of_->diagonal(j);
            for (std::size_t a = 0, at = 0; a < k; at += ++a) {
                double sum = row[s_[a]];
                for (std::size_t b = 0; b < a; ++b) sum -= l[at + b] * l[begin + b];
                sum *= l[at + a];
                l.push_back(sum);
                rest -= sum * sum;
            }
            if (!(rest > floor_[j])) {  // a member is none twice
                l.resize(begin);
                continue;
            }
            l.push_back(1 / std::sqrt(rest));
            s_.push_back(j);
            h.push_back(row);
            floor_[j] = std::numeric_limits<double>::infinity();
            ++used_[of_->group_of(j)];
        }
        const std::size_t k = s_.size();
        make_room(k);
        const std::vector<double> q = invert(l);
        w_.assign(k, 0.0);
        for (std::size_t a = 0; a < k; ++a)
            for (std::size_t b = 0; b < k; ++b) w_[a] += q[a * k + b] * of_->slope[s_[b]];
        columns_.clear();
        for (std::size_t a = 0; a < k; ++a) columns_.push_back(column(a));
        std::copy(of_->slope.begin(), of_->slope.end(), d_.begin());
        for (std::size_t j = 0; j < p_; ++j) v_[j] = of_->diagonal(j);
        backend::run<detail::member_columns>(p_, k, h.data(), q.data(), w_.data(), columns_.data(), d_.data(),
                                             v_.data());
        for (const std::size_t s : s_) d_[s] = v_[s] = 0;
        revalue();
    }
    /// The same as from what another support of the same function is.
    void reset(const support&, const std::vector<std::size_t>& members) { reset(members); }

private:
    static constexpr double rounding = 1e-10;

    static constexpr std::size_t none = best_entry::none;

    /// An odd number of cache lines: as columns start in different sets of a cache, many of them stay in it together.
    static std::size_t odd_lines(std::size_t numbers) {
        constexpr std::size_t line = 64 / sizeof(double);
        return ((numbers + line - 1) / line | 1) * line;
    }

    /// Q_ab
    double& q(std::size_t a, std::size_t b) { return q_[a * capacity_ + b]; }
    const double& q(std::size_t a, std::size_t b) const { return q_[a * capacity_ + b]; }
    /// M_:s
    double* column(std::size_t s) { return m_.data() + slots_[s] * stride_; }
    const double* column(std::size_t s) const { return m_.data() + slots_[s] * stride_; }

    /// For so many members; what there is stays.
    void make_room(std::size_t members) {
        if (members <= capacity_) return;
        const std::size_t before = capacity_, k = std::min(before, s_.size()), now = std::max(members, 2 * before);
        m_.resize(now * stride_);
        std::vector<double> q(now * now);
        for (std::size_t a = 0; a < k; ++a) std::copy_n(q_.data() + a * before, k, q.data() + a * now);
        q_ = std::move(q);
        for (std::size_t s = before; s < now; ++s) slots_.push_back(s);
        capacity_ = now;
    }

    /// members()[s] for any candidate of its group, or for one of these.
    void consider(std::size_t s, exchange& found) const {
        const std::size_t g = of_->group_of(s_[s]), first = of_->first[g], n = of_->first[g + 1] - first;
        const double inverse = 1 / q(s, s), share = w_[s] * inverse, lost = loss(s);
        if (!backend::run<detail::exceeds_gain>(n, d_.data() + first, column(s) + first, v_.data() + first,
                                                floor_.data() + first, share, inverse, found.gain + lost))
            return;
        const best_entry entry = best(g, column(s), share, inverse);
        if (entry.index != best_entry::none && entry.gain - lost > found.gain)
            found = {s, entry.index, entry.gain - lost};
    }
    void consider(std::size_t s, const std::vector<std::size_t>& candidates, exchange& found) const {
        const std::size_t g = of_->group_of(s_[s]), first = of_->first[g], last = of_->first[g + 1];
        const double inverse = 1 / q(s, s), share = w_[s] * inverse, lost = loss(s);
        const double* const column_s = column(s);
        for (const std::size_t j : candidates) {
            if (j < first || j >= last) continue;
            const double m = column_s[j], numerator = d_[j] + m * share, denominator = v_[j] + m * m * inverse;
            if (!(denominator > floor_[j]) || !(numerator * numerator > 2 * (found.gain + lost) * denominator))
                continue;
            const double gain = 0.5 * numerator * numerator / denominator - lost;
            if (gain > found.gain) found = {s, j, gain};
        }
    }

    /// members()[place] leaves and j enters, either of which may be none. False, and nothing happens, if j is a member already or
    /// explained by those that stay.
    bool change(std::size_t place, std::size_t j) {
        const std::size_t k = s_.size();
        const bool leaves = place != none, enters = j != none;
        const double* const row = enters ? of_->row(j) : nullptr;
        if (enters && !leaves) make_room(k + 1);
        detail::column_exchange how;
        if (leaves) {
            how.leaving = how.fresh = column(place);
            how.inverse = 1 / q(place, place);
            how.share = w_[place] * how.inverse;
        }
        columns_.clear();
        leaves_.clear();
        enters_.clear();
        h_.clear();
        m_at_.clear();
        for (std::size_t s = 0; s < k; ++s) {
            if (s == place) continue;
            columns_.push_back(column(s));
            leaves_.push_back(leaves ? -q(s, place) * how.inverse : 0);
            h_.push_back(enters ? row[s_[s]] : 0);
            m_at_.push_back(enters ? columns_.back()[j] + (leaves ? leaves_.back() * how.leaving[j] : 0) : 0);
        }
        if (enters) {
            const double u = leaves ? how.leaving[j] : 0, vj = v_[j] + how.inverse * u * u;
            if (!(vj > floor_[j])) return false;
            how.entering = row;
            how.curvature = vj;
            how.weight = (d_[j] + how.share * u) / vj;
            if (!leaves) how.fresh = column(k);
            for (std::size_t s = 0; s < columns_.size(); ++s) {
                how.h_leaving += h_[s] * leaves_[s];
                enters_.push_back(-m_at_[s] / vj);
            }
        } else {
            enters_.assign(columns_.size(), 0);
            how.fresh = nullptr;
        }
        how.h = h_.data();
        how.leaves = leaves_.data();
        how.enters = enters_.data();
        backend::run<detail::column_exchange>(&how, p_, columns_.data(), columns_.size(), d_.data(), v_.data());
        if (leaves) forget(place, how);
        if (enters) learn(j, how);
        for (const std::size_t s : s_) d_[s] = v_[s] = 0;
        revalue();
        return true;
    }

    /// All but M, d and v. The last member moves to where the one was that leaves, and m_at_ with it.
    void forget(std::size_t place, const detail::column_exchange& how) {
        const std::size_t last = s_.size() - 1, j = s_[place];
        for (std::size_t a = 0; a <= last; ++a) {
            if (a == place) continue;
            const double factor = q(a, place) * how.inverse;
            w_[a] -= q(a, place) * how.share;
            double* const row = &q(a, 0);
            const double* const leaving = &q(place, 0);
            for (std::size_t b = 0; b < place; ++b) row[b] -= factor * leaving[b];
            for (std::size_t b = place + 1; b <= last; ++b) row[b] -= factor * leaving[b];
        }
        if (place < last) {
            std::copy_n(&q(last, 0), last + 1, &q(place, 0));
            for (std::size_t a = 0; a < last; ++a) q(a, place) = q(a, last);
        }
        std::swap(slots_[place], slots_[last]);
        std::swap(s_[place], s_[last]);
        s_.pop_back();
        std::swap(w_[place], w_[last]);
        w_.pop_back();
        if (place < last) std::rotate(m_at_.begin() + static_cast<std::ptrdiff_t>(place), m_at_.end() - 1, m_at_.end());
        --used_[of_->group_of(j)];
        floor_[j] = rounding * std::abs(of_->diagonal(j));
    }
    void learn(std::size_t j, const detail::column_exchange& how) {
        const std::size_t k = s_.size();
        for (std::size_t a = 0; a < k; ++a) {
            const double factor = m_at_[a] / how.curvature;
            double* const row = &q(a, 0);
            for (std::size_t b = 0; b < k; ++b) row[b] += factor * m_at_[b];
            q(a, k) = q(k, a) = -factor;
            w_[a] -= m_at_[a] * how.weight;
        }
        q(k, k) = 1 / how.curvature;
        s_.push_back(j);
        w_.push_back(how.weight);
        ++used_[of_->group_of(j)];
        floor_[j] = std::numeric_limits<double>::infinity();  // a member is no candidate
    }
    /// Q = (L L')^-1, which is returned as well, without gaps.
    std::vector<double> invert(const std::vector<double>& l) {
        const std::size_t k = s_.size();
        const auto at = [](std::size_t a, std::size_t b) { return a * (a + 1) / 2 + b; };
        std::vector<double> inverse(l.size());  // of L
        for (std::size_t b = 0; b < k; ++b) {
            inverse[at(b, b)] = l[at(b, b)];
            for (std::size_t a = b + 1; a < k; ++a) {
                double sum = 0;
                for (std::size_t c = b; c < a; ++c) sum -= l[at(a, c)] * inverse[at(c, b)];
                inverse[at(a, b)] = sum * l[at(a, a)];
            }
        }
        std::vector<double> compact(k * k);
        for (std::size_t a = 0; a < k; ++a)
            for (std::size_t b = 0; b <= a; ++b) {
                double sum = 0;
                for (std::size_t c = a; c < k; ++c) sum += inverse[at(c, a)] * inverse[at(c, b)];
                q(a, b) = q(b, a) = compact[a * k + b] = compact[b * k + a] = sum;
            }
        return compact;
    }
    void revalue() {
        value_ = 0;
        for (std::size_t k = 0; k < s_.size(); ++k) value_ -= 0.5 * of_->slope[s_[k]] * w_[k];
    }

    best_entry best(std::size_t group, const double* m, double a, double b) const {
        const std::size_t first = of_->first[group], n = of_->first[group + 1] - first;
        best_entry found = backend::run<detail::largest_gain>(n, d_.data() + first, m + first, v_.data() + first,
                                                              floor_.data() + first, a, b);
        if (found.index != none) found.index += first;
        return found;
    }

    std::size_t p_;
    double value_ = 0;
    std::vector<std::size_t> s_;
    std::vector<double> w_;
    backend::aligned_vector<double> d_, v_, floor_, zero_;
    std::size_t stride_, capacity_ = 0;  // of the columns of M; of members
    backend::aligned_vector<double> m_;  // M_:s in slot slots_[s]; the other slots are free
    std::vector<std::size_t> slots_;
    std::vector<double> q_;         // rows of Q, capacity_ apart
    std::vector<double*> columns_;  // of those that stay, and what a change does to them
    std::vector<double> leaves_, enters_, h_, m_at_;
};

}  // namespace gamut::quadratic

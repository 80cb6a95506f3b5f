// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

#include <gamut/backend/aligned_vector.hpp>
#include <gamut/backend/gram.hpp>
#include <gamut/backend/host.hpp>
#include <gamut/backend/kernel.hpp>
#include <gamut/backend/matrix.hpp>
#include <gamut/core/stable_sort.hpp>
#include <gamut/quadratic/best_alone.hpp>
#include <gamut/quadratic/detail/support_kernels.hpp>
#include <gamut/quadratic/objective.hpp>

namespace gamut::quadratic {

/// The best weights on a support S that changes by one candidate at a time, or is set, with l1 and within bounds:
///     f(w) = 1/2 w'Hw - q'w + l1 |w|_1,   lower <= w_j <= upper,   w_j = 0 outside S.
/// What support knows in closed form takes two steps here. First what a change would bring if no weight met a bound or 0 on
/// its way: with F the members inside their bounds, Q = (H_FF)^-1, M = H_:F Q, d = q - Hw and v as there,
///     a candidate j gains         z d_j - l1 |z| - 1/2 v_j z^2   at its best z within the bounds (best_alone)
///     a member s in F costs       w_s^2 / (2 Q_ss),              and leaves d_j + M_js w_s / Q_ss and v_j + M_js^2 / Q_ss
///     one at a bound b costs      b d_s - l1 |b| + 1/2 v_s b^2,  and leaves d_j + b (H_js - M_j: H_Fs) and v_j;
/// then, for the few that promise most, the best weights there are. A member whose best weight is 0 is none any more.
/// A change costs O(p k^2 + k^3) for k members.
class bounded_support : public places {
public:
    explicit bounded_support(const objective& of)
        : places(of),
          p_(of.size()),
          d_(of.slope.begin(), of.slope.end()),
          is_member_(p_) {}

    std::size_t size() const { return at_.members.size(); }
    std::size_t entries() const { return size(); }
    const std::vector<std::size_t>& members() const { return at_.members; }
    std::vector<std::size_t> sorted_members() const {
        std::vector<std::size_t> sorted = at_.members;
        std::sort(sorted.begin(), sorted.end());
        return sorted;
    }
    double value() const { return at_.value; }
    /// All of w.
    std::vector<double> weights() const {
        std::vector<double> all(p_);
        for (std::size_t a = 0; a < size(); ++a) all[at_.members[a]] = at_.weights[a];
        return all;
    }

    /// False if j is a member already, or gains nothing.
    bool add(std::size_t j) {
        if (is_member_[j]) return false;
        point wider = after({.candidate = j, .weight = entering(j).weight});
        if (!(wider.value < at_.value)) return false;
        move_to(std::move(wider));
        return true;
    }

    /// Of the groups that have room.
    best_entry best_addition() const {
        std::vector<proposal> proposals;
        for (std::size_t g = 0; g < of_->groups(); ++g)
            if (has_room(g)) propose(none, g, 0, d_.data(), here().v.data(), proposals);
        best_entry found;
        for (const proposal& each : best_of(std::move(proposals))) {
            const double gain = at_.value - after(each).value;
            if (gain > found.gain) found = {each.candidate, gain};
        }
        return found;
    }

    /// The candidates that promise most, at most n, ascending.
    std::vector<std::size_t> largest_gains(std::size_t n) const {
        std::vector<double> gains(p_);
        for (std::size_t j = 0; j < p_; ++j)
            if (!is_member_[j]) gains[j] = entering(j).gain;
        return quadratic::largest_gains(gains, n);
    }

    struct exchange {
        std::size_t place = 0, candidate = best_entry::none;
        double gain = 0;    ///< net
        double weight = 0;  ///< of the candidate, about
    };
    /// The exchange of one member for one candidate of its group that gains most, of those that promise most; candidate none: none of
    /// them gains more than `least`.
    exchange best_exchange(double least) const {
        const response& r = here();
        std::vector<proposal> proposals;
        backend::aligned_vector<double> d(p_), v(p_);
        for (std::size_t place = 0; place < size(); ++place) {
            const std::size_t j = at_.members[place], group = of_->group_of(j), a = r.of_member[place];
            const double w = at_.weights[place];
            std::copy(d_.begin(), d_.end(), d.begin());
            std::copy(r.v.begin(), r.v.end(), v.begin());
            double cost = 0;
            if (a != none) {
                const double inverse = 1 / r.q(a, a), *const m = r.m.row(a);
                cost = 0.5 * w * w * inverse;
                for (std::size_t i = 0; i < p_; ++i) {
                    d[i] += m[i] * w * inverse;
                    v[i] += m[i] * m[i] * inverse;
                }
            } else {
                const double* const row = of_->row(j);
                cost = w * d_[j] - of_->l1 * std::abs(w) + 0.5 * r.v[j] * w * w;
                backend::add_multiple(w, row, d.data(), p_);
                for (std::size_t b = 0; b < r.free.size(); ++b)
                    backend::add_multiple(-w * row[at_.members[r.free[b]]], r.m.row(b), d.data(), p_);
            }
            propose(place, group, cost, d.data(), v.data(), proposals);
        }
        exchange found{.gain = least};
        for (const proposal& each : best_of(std::move(proposals))) {
            const double gain = at_.value - after(each).value;
            if (gain > found.gain) found = {each.place, each.candidate, gain, each.weight};
        }
        return found;
    }
    void apply(const exchange& e) {
        move_to(after({.place = e.place, .candidate = e.candidate, .weight = e.weight}));
        for (best_entry more = best_addition(); more.index != best_entry::none && add(more.index);)
            more = best_addition();  // where others have become 0
    }

    /// Everything anew from the members: what rounding has added up is gone.
    void refresh() { move_to(at_); }
    /// These are the members now, but for those whose best weight is 0.
    void reset(const std::vector<std::size_t>& members) {
        if (of_->lazy) of_->lazy->prepare(members);
        point next;
        std::vector<bool> seen(p_);
        for (const std::size_t j : members)
            if (!seen[j]) next.members.push_back(j), seen[j] = true;
        next.weights.assign(next.members.size(), 0.0);
        solve(next);
        move_to(next);
    }
    void reset(const bounded_support&, const std::vector<std::size_t>& members) { reset(members); }

private:
    static constexpr std::size_t tried = 8, none = best_entry::none;

    struct point {
        std::vector<std::size_t> members{};
        std::vector<double> weights{};
        double value = 0;
    };
    /// The member in that place, or nobody, leaves, and the candidate enters with about that weight.
    struct proposal {
        std::size_t place = none, candidate = none;
        double weight = 0, promise = 0;
    };
    /// How all candidates depend on the members in F.
    struct response {
        std::vector<std::size_t> free, of_member;  // places of F; for each member its number there, or none
        backend::dense_matrix<double> q, m;        // Q, and M'
        backend::aligned_vector<double> v;         // 0 where F explains a candidate
    };

    best_alone alone(std::size_t j, double slope) const {
        const double curvature = of_->diagonal(j);  // nothing moves one that has none
        return curvature > 0 ? best_alone(slope, curvature, of_->l1, of_->lower, of_->upper) : best_alone{};
    }
    best_alone entering(std::size_t j) const {
        const double curvature = here().v[j];
        return curvature > 0 ? best_alone(d_[j], curvature, of_->l1, of_->lower, of_->upper) : best_alone{};
    }

    const response& here() const {
        if (response_) return *response_;
        response r;
        const std::size_t k = size();
        r.of_member.assign(k, none);
        std::vector<const double*> rows;
        for (std::size_t a = 0; a < k; ++a) {
            if (!(at_.weights[a] > of_->lower && at_.weights[a] < of_->upper)) continue;
            r.of_member[a] = r.free.size();
            r.free.push_back(a);
            rows.push_back(of_->row(at_.members[a]));
        }
        const std::size_t f = r.free.size();
        r.q = inverse(rows, r.free);
        r.m = backend::dense_matrix<double>(f, p_);
        r.v.resize(p_);
        for (std::size_t j = 0; j < p_; ++j) r.v[j] = of_->diagonal(j);
        std::vector<double*> columns;
        for (std::size_t a = 0; a < f; ++a) columns.push_back(r.m.row(a));
        const std::vector<double> zeros(f);
        backend::aligned_vector<double> unused(p_);
        backend::run<detail::member_columns>(p_, f, rows.data(), r.q.values.data(), zeros.data(), columns.data(),
                                             unused.data(), r.v.data());
        for (std::size_t j = 0; j < p_; ++j)
            if (!(r.v[j] > 1e-10 * of_->diagonal(j))) r.v[j] = 0;
        response_ = std::move(r);
        return *response_;
    }
    /// (H_FF)^-1, or of something near that has one.
    backend::dense_matrix<double> inverse(const std::vector<const double*>& rows,
                                          const std::vector<std::size_t>& free) const {
        using host = backend::host<double>;
        const std::size_t f = free.size();
        backend::dense_matrix<double> h(f, f), q(f, f);
        for (double ridge = 0;; ridge = std::max(1e-14, 100 * ridge)) {
            for (std::size_t a = 0; a < f; ++a) {
                for (std::size_t b = 0; b < f; ++b) h(a, b) = rows[a][at_.members[free[b]]];
                h(a, a) += ridge * of_->diagonal(at_.members[free[a]]);
            }
            if (host::factorize(f, h.values.data()) || ridge > 1) break;
        }
        for (std::size_t a = 0; a < f; ++a) {
            q(a, a) = 1;
            host::solve(f, h.values.data(), q.row(a));
        }
        return q;
    }

    /// The few most promising candidates of a group where slopes and curvatures are as said, once that has been paid.
    void propose(std::size_t place, std::size_t group, double cost, const double* d, const double* v,
                 std::vector<proposal>& to) const {
        const std::size_t most = place == none ? tried : 2;
        std::vector<proposal> best;
        for (std::size_t j = of_->first[group]; j < of_->first[group + 1]; ++j) {
            if (is_member_[j] || !(v[j] > 0)) continue;
            const best_alone step(d[j], v[j], of_->l1, of_->lower, of_->upper);
            const double promise = step.gain - cost;
            if (!(step.gain > 0) || (best.size() == most && !(promise > best.back().promise))) continue;
            if (best.size() == most) best.pop_back();
            best.push_back({place, j, step.weight, promise});
            for (std::size_t i = best.size() - 1; i > 0 && best[i].promise > best[i - 1].promise; --i)
                std::swap(best[i], best[i - 1]);
        }
        to.insert(to.end(), best.begin(), best.end());
    }
    static std::vector<proposal> best_of(std::vector<proposal> all) {
        core::stable_sort(all, [](const auto& a, const auto& b) { return a.promise > b.promise; });
        all.resize(std::min(all.size(), tried));
        return all;
    }

    /// The best weights after a change. It begins where they would be if nothing met a bound or 0.
    point after(const proposal& change) const {
        const response& r = here();
        const std::size_t k = size(), f = r.free.size(), s = change.place, leaving = s == none ? none : r.of_member[s];
        std::vector<double> moves(f);  // of F
        for (std::size_t a = 0; a < f; ++a) moves[a] = -change.weight * r.m(a, change.candidate);
        if (leaving != none) {
            const double share = (at_.weights[s] + moves[leaving]) / r.q(leaving, leaving);
            for (std::size_t a = 0; a < f; ++a) moves[a] -= r.q(a, leaving) * share;
        } else if (s != none) {
            for (std::size_t a = 0; a < f; ++a) moves[a] += at_.weights[s] * r.m(a, at_.members[s]);
        }
        point next;
        for (std::size_t a = 0; a < k; ++a) {
            if (a == s) continue;
            const double before = at_.weights[a], there = before + (r.of_member[a] != none ? moves[r.of_member[a]] : 0);
            next.members.push_back(at_.members[a]);
            next.weights.push_back(of_->l1 > 0 && there * before < 0 ? 0 : std::clamp(there, of_->lower, of_->upper));
        }
        next.members.push_back(change.candidate);
        next.weights.push_back(change.weight);
        solve(next);
        return next;
    }
    /// Members whose weight is 0 leave.
    void move_to(point next) {
        for (std::size_t a = next.members.size(); a-- > 0;) {
            if (next.weights[a] != 0) continue;
            next.members.erase(next.members.begin() + static_cast<std::ptrdiff_t>(a));
            next.weights.erase(next.weights.begin() + static_cast<std::ptrdiff_t>(a));
        }
        at_ = std::move(next);
        response_.reset();
        std::fill(is_member_.begin(), is_member_.end(), false);
        std::fill(used_.begin(), used_.end(), 0);
        for (const std::size_t j : at_.members) {
            is_member_[j] = true;
            ++used_[of_->group_of(j)];
        }
        std::copy(of_->slope.begin(), of_->slope.end(), d_.begin());
        for (std::size_t a = 0; a < size(); ++a)
            backend::add_multiple(-at_.weights[a], of_->row(at_.members[a]), d_.data(), p_);
    }

    /// The best weights on these members, from those that they have: one coordinate after another, and now and then Newton's method for
    /// those that are neither 0 nor at a bound, as far as they stay so.
    void solve(point& at) const {
        const std::size_t k = at.members.size();
        backend::dense_matrix<double> h(k, k);
        std::vector<double> g(k);
        for (std::size_t a = 0; a < k; ++a) {
            const double* const row = of_->row(at.members[a]);
            for (std::size_t b = 0; b < k; ++b) h(a, b) = row[at.members[b]];
            g[a] = of_->slope[at.members[a]];
        }
        std::vector<double>& w = at.weights;
        for (std::size_t a = 0; a < k; ++a)
            if (w[a] != 0) backend::add_multiple(-w[a], h.row(a), g.data(), k);
        constexpr std::size_t most = 256;
        for (std::size_t sweep = 0, newton = 3; sweep < most; ++sweep) {
            double gain = 0;
            for (std::size_t a = 0; a < k; ++a) {
                const double curvature = h(a, a);
                if (!(curvature > 0)) continue;
                const double z = alone(at.members[a], g[a] + curvature * w[a]).weight, change = z - w[a];
                if (change == 0) continue;
                w[a] = z;
                gain += 0.5 * curvature * change * change;
                backend::add_multiple(-change, h.row(a), g.data(), k);
            }
            at.value = value_of(at, g);
            if (gain <= 1e-15 * std::abs(at.value)) return;
            if (sweep != newton) continue;
            newton += 4;
            for (std::size_t walls = 0; walls <= k && move_on_face(h, g, w); ++walls) {}
        }
        at.value = value_of(at, g);
    }
    double value_of(const point& at, const std::vector<double>& g) const {
        double value = 0;
        for (std::size_t a = 0; a < g.size(); ++a)
            value += of_->l1 * std::abs(at.weights[a]) - 0.5 * at.weights[a] * (of_->slope[at.members[a]] + g[a]);
        return value;
    }
    /// Whether a wall stopped it: there is another face to move on.
    bool move_on_face(const backend::dense_matrix<double>& h, std::vector<double>& g, std::vector<double>& w) const {
        using host = backend::host<double>;
        std::vector<std::size_t> free;
        for (std::size_t a = 0; a < w.size(); ++a)
            if (w[a] != 0 && w[a] > of_->lower && w[a] < of_->upper) free.push_back(a);
        const std::size_t m = free.size();
        backend::dense_matrix<double> face(m, m);
        std::vector<double> way(m);
        for (std::size_t a = 0; a < m; ++a) {
            for (std::size_t b = 0; b < m; ++b) face(a, b) = h(free[a], free[b]);
            way[a] = g[free[a]] - std::copysign(of_->l1, w[free[a]]);
        }
        if (m == 0 || !host::factorize(m, face.values.data())) return false;
        host::solve(m, face.values.data(), way.data());
        double length = 1;
        std::size_t end = m;  // which gets to its end first
        double stop = 0;
        for (std::size_t a = 0; a < m; ++a) {
            const double from = w[free[a]];
            const bool kink = of_->l1 > 0;
            const double low = from > 0 && kink ? 0 : of_->lower, high = from < 0 && kink ? 0 : of_->upper,
                         wall = way[a] > 0 ? high : low;
            if (way[a] == 0 || !((wall - from) / way[a] < length)) continue;
            length = (wall - from) / way[a];
            end = a;
            stop = wall;
        }
        for (std::size_t a = 0; a < m; ++a) {
            const double before = w[free[a]], now = a == end ? stop : before + length * way[a];
            w[free[a]] = now;
            backend::add_multiple(before - now, h.row(free[a]), g.data(), g.size());
        }
        return end != m;
    }

    std::size_t p_;
    point at_;
    backend::aligned_vector<double> d_;
    mutable std::optional<response> response_;  // at at_, once somebody has asked
    std::vector<bool> is_member_;
};

}  // namespace gamut::quadratic

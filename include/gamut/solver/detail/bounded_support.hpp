// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <utility>
#include <vector>

#include <gamut/backend/aligned_vector.hpp>
#include <gamut/backend/gram.hpp>
#include <gamut/backend/host.hpp>
#include <gamut/backend/matrix.hpp>
#include <gamut/solver/detail/quadratic_support.hpp>

namespace gamut::solver::detail {

/// One weight alone: the z that makes 1/2 curvature z^2 - slope z + l1 |z| least within bounds, and what that is below 0.
struct best_alone {
    double weight, gain;
    best_alone(double slope, double curvature, double l1, double lower, double upper) {
        const double soft = slope > l1 ? slope - l1 : slope < -l1 ? slope + l1 : 0;
        weight = std::clamp(soft / curvature, lower, upper);
        gain = weight * slope - l1 * std::abs(weight) - 0.5 * curvature * weight * weight;
    }
};

/// The best weights on a support S that changes by one candidate at a time, or is set, with l1 and within bounds:
///     f(w) = 1/2 w'Hw - q'w + l1 |w|_1,   lower <= w_j <= upper,   w_j = 0 outside S.
/// What quadratic_support knows in closed form takes two steps here. First what a candidate alone would gain, all other weights as
/// they are, d = q - Hw the slopes:
///     z_j = clip(soft(d_j, l1) / H_jj, lower, upper),   gain_j = z_j d_j - l1 |z_j| - 1/2 H_jj z_j^2,   which is no more than it gains;
/// then, for the few that promise most, the best weights of all. A member whose best weight is 0 is none any more.
/// An exchange that is looked for costs O(p k^2 + k^4), for k members.
class bounded_support {
public:
    explicit bounded_support(const quadratic& of)
        : of_(&of),
          p_(of.size()),
          d_(of.slope.begin(), of.slope.end()),
          is_member_(p_),
          used_(of.groups()) {}

    std::size_t size() const { return at_.members.size(); }
    std::size_t entries() const { return size(); }
    bool has_room(std::size_t group) const { return used_[group] < of_->room[group]; }
    std::size_t room(std::size_t group) const { return of_->room[group] - used_[group]; }
    /// Members that there may be.
    std::size_t most() const {
        std::size_t sum = 0;
        for (std::size_t g = 0; g < of_->groups(); ++g)
            sum += std::max(used_[g], std::min(of_->room[g], of_->first[g + 1] - of_->first[g]));
        return sum;
    }
    const std::vector<std::size_t>& members() const { return at_.members; }
    std::vector<std::size_t> sorted_members() const {
        std::vector<std::size_t> sorted = at_.members;
        std::sort(sorted.begin(), sorted.end());
        return sorted;
    }
    std::size_t group_of(std::size_t j) const { return of_->group_of(j); }
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
        const point wider = with(at_, j, alone(j, d_[j]).weight);
        if (!(wider.value < at_.value)) return false;
        move_to(wider);
        return true;
    }

    /// Of the groups that have room.
    best_entry best_addition() const {
        std::vector<proposal> proposals;
        for (std::size_t g = 0; g < of_->groups(); ++g)
            if (has_room(g)) propose(0, g, d_.data(), at_.value, tried, proposals);
        best_entry found;
        for (const proposal& each : best_of(std::move(proposals), tried)) {
            const double gain =
                at_.value - with(at_, each.candidate, alone(each.candidate, d_[each.candidate]).weight).value;
            if (gain > found.gain) found = {each.candidate, gain};
        }
        return found;
    }

    /// The candidates that would gain most alone, at most n, ascending.
    std::vector<std::size_t> largest_gains(std::size_t n) const {
        std::vector<double> gains(p_);
        for (std::size_t j = 0; j < p_; ++j)
            if (!is_member_[j]) gains[j] = alone(j, d_[j]).gain;
        return detail::largest_gains(gains, n);
    }

    struct exchange {
        std::size_t place = 0, candidate = best_entry::none;
        double gain = 0;  ///< net
    };
    /// The exchange of one member for one candidate of its group that gains most, of those that promise most; candidate none: none of
    /// them gains more than `least`.
    exchange best_exchange(double least) const {
        std::vector<proposal> proposals;
        std::vector<point> left;
        backend::aligned_vector<double> slopes(p_);
        for (std::size_t place = 0; place < size(); ++place) {
            left.push_back(without(place));
            slopes_at(left.back(), slopes);
            propose(place, of_->group_of(at_.members[place]), slopes.data(), left.back().value, 2, proposals);
        }
        exchange found{.gain = least};
        for (const proposal& each : best_of(std::move(proposals), tried)) {
            const double gain = at_.value - with(left[each.place], each.candidate, each.weight).value;
            if (gain > found.gain) found = {each.place, each.candidate, gain};
        }
        return found;
    }
    void apply(const exchange& e) {
        move_to(with(without(e.place), e.candidate, 0));
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
    static constexpr std::size_t tried = 8;

    struct point {
        std::vector<std::size_t> members{};
        std::vector<double> weights{};
        double value = 0;
    };
    struct proposal {
        double value;  // of f, no less than what comes of it
        std::size_t place, candidate;
        double weight;
    };

    /// Candidate j where its slope is that; nothing moves one without curvature.
    best_alone alone(std::size_t j, double slope) const {
        const double curvature = of_->diagonal(j);
        return curvature > 0 ? best_alone(slope, curvature, of_->l1, of_->lower, of_->upper)
                             : best_alone(0, 1, of_->l1, of_->lower, of_->upper);
    }

    /// The most promising `most` candidates of a group, where f and its slopes are as said.
    void propose(std::size_t place, std::size_t group, const double* slopes, double value, std::size_t most,
                 std::vector<proposal>& to) const {
        std::vector<proposal> here;
        for (std::size_t j = of_->first[group]; j < of_->first[group + 1]; ++j) {
            if (is_member_[j]) continue;
            const best_alone s = alone(j, slopes[j]);
            if (s.gain > 0 && (here.size() < most || value - s.gain < here.back().value)) {
                here.push_back({value - s.gain, place, j, s.weight});
                for (std::size_t k = here.size() - 1; k > 0 && here[k].value < here[k - 1].value; --k)
                    std::swap(here[k], here[k - 1]);
                if (here.size() > most) here.pop_back();
            }
        }
        to.insert(to.end(), here.begin(), here.end());
    }
    static std::vector<proposal> best_of(std::vector<proposal> all, std::size_t most) {
        std::stable_sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.value < b.value; });
        all.resize(std::min(all.size(), most));
        return all;
    }

    point with(point at, std::size_t j, double weight) const {
        at.members.push_back(j);
        at.weights.push_back(weight);
        solve(at);
        return at;
    }
    point without(std::size_t place) const {
        point at = at_;
        at.members.erase(at.members.begin() + static_cast<std::ptrdiff_t>(place));
        at.weights.erase(at.weights.begin() + static_cast<std::ptrdiff_t>(place));
        solve(at);
        return at;
    }
    /// Members whose weight is 0 leave.
    void move_to(point next) {
        for (std::size_t a = next.members.size(); a-- > 0;) {
            if (next.weights[a] != 0) continue;
            next.members.erase(next.members.begin() + static_cast<std::ptrdiff_t>(a));
            next.weights.erase(next.weights.begin() + static_cast<std::ptrdiff_t>(a));
        }
        at_ = std::move(next);
        std::fill(is_member_.begin(), is_member_.end(), false);
        std::fill(used_.begin(), used_.end(), 0);
        for (const std::size_t j : at_.members) {
            is_member_[j] = true;
            ++used_[of_->group_of(j)];
        }
        slopes_at(at_, d_);
    }
    void slopes_at(const point& at, backend::aligned_vector<double>& d) const {
        std::copy(of_->slope.begin(), of_->slope.end(), d.begin());
        for (std::size_t a = 0; a < at.members.size(); ++a)
            if (at.weights[a] != 0) backend::add_multiple(-at.weights[a], of_->row(at.members[a]), d.data(), p_);
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
                const double change = alone(at.members[a], g[a] + curvature * w[a]).weight - w[a];
                if (change == 0) continue;
                w[a] += change;
                gain += 0.5 * curvature * change * change;
                backend::add_multiple(-change, h.row(a), g.data(), k);
            }
            at.value = value_of(at, g);
            if (gain <= 1e-15 * std::abs(at.value)) return;
            if (sweep != newton) continue;
            newton *= 2;
            move_on_face(h, g, w);
        }
        at.value = value_of(at, g);
    }
    double value_of(const point& at, const std::vector<double>& g) const {
        double value = 0;
        for (std::size_t a = 0; a < g.size(); ++a)
            value += of_->l1 * std::abs(at.weights[a]) - 0.5 * at.weights[a] * (of_->slope[at.members[a]] + g[a]);
        return value;
    }
    void move_on_face(const backend::dense_matrix<double>& h, std::vector<double>& g, std::vector<double>& w) const {
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
        if (m == 0 || !host::factorize(m, face.values.data())) return;
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
    }

    const quadratic* of_;
    std::size_t p_;
    point at_;
    backend::aligned_vector<double> d_;
    std::vector<bool> is_member_;
    std::vector<std::size_t> used_;  // places, per group
};

}  // namespace gamut::solver::detail

// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <span>
#include <utility>
#include <vector>

#include <gamut/quadratic/perspective.hpp>
#include <gamut/quadratic/semidefinite.hpp>
#include <gamut/quadratic/symmetric.hpp>

namespace gamut::quadratic {

/// Minimises 1/2 w'Mw + q'w + psi(w), psi the relaxed penalty for some choices, with l2 > 0; everything in memory.
/// Accelerated proximal gradient steps (FISTA, restarted) find which shares are 0, 1 or between; a Newton step there solves
/// the rest exactly, and is taken if it goes down. Costs n |support| per gradient and a^3/3 per Newton step, a the number of
/// weights that are not 0. Stops when `enough(primal, dual)` says so; both lack the constant of the loss.
class relaxed {
public:
    relaxed(const symmetric& m, const perspective& penalty, double largest)
        : m_(m),
          relaxed_(penalty),
          largest_(std::max(largest, std::numeric_limits<double>::min())) {}

    struct solution {
        std::vector<double> w, gradient, shares, gains;
        double primal = 0, dual = 0;
        perspective::selection selected;
    };

    template <class Enough>
    solution minimize(const choices& c, std::span<const double> q, std::vector<double> start, Enough&& enough,
                      std::size_t rounds = 200) const {
        solution s;
        s.w = std::move(start);
        for (std::size_t j = 0; j < s.w.size(); ++j)
            if (c.of[relaxed_.group_of(j)] == choice::out) s.w[j] = 0;
        std::size_t steps = 1;
        for (std::size_t round = 0;; ++round) {
            evaluate(c, q, s);
            if (enough(s.primal, s.dual) || s.primal - s.dual <= 1e-13 * std::abs(s.primal) || round >= rounds)
                return s;
            std::vector<double> u = proximal(c, q, s.w, s.gradient, steps);
            const double at_u = value(c, q, u);
            const std::vector<double> direction = newton(c, q, u);
            bool taken = false;
            std::vector<double> v(u.size());
            for (double t = 1; t > 0.2 && !taken; t *= 0.5) {
                for (std::size_t j = 0; j < u.size(); ++j) v[j] = u[j] + t * direction[j];
                taken = value(c, q, v) < at_u;
            }
            if (!taken && !(at_u < s.primal) && steps >= 256) return s;  // rounding
            steps = taken ? std::max<std::size_t>(1, steps / 2) : std::min<std::size_t>(256, 2 * steps);
            if (taken || at_u <= s.primal) s.w = taken ? v : u;
        }
    }

private:
    double value(const choices& c, std::span<const double> q, std::span<const double> w) const {
        m_.multiply_add(w, q, product_);
        double sum = relaxed_.value(c, w, shares_);
        for (std::size_t j = 0; j < w.size(); ++j) sum += 0.5 * w[j] * (product_[j] + q[j]);
        return sum;
    }

    void evaluate(const choices& c, std::span<const double> q, solution& s) const {
        m_.multiply_add(s.w, q, s.gradient);
        s.primal = relaxed_.value(c, s.w, s.shares);
        double smooth = 0, slope = 0;
        for (std::size_t j = 0; j < s.w.size(); ++j) {
            smooth += 0.5 * s.w[j] * (s.gradient[j] + q[j]);
            slope += s.w[j] * s.gradient[j];
        }
        s.primal += smooth;
        relaxed_.gains(s.gradient, s.gains);
        s.selected = relaxed_.select(c, s.gains);
        s.dual = smooth - slope - s.selected.worth;
    }

    std::vector<double> proximal(const choices& c, std::span<const double> q, const std::vector<double>& w,
                                 const std::vector<double>& gradient, std::size_t steps) const {
        std::vector<double> x = w, y = w, g = gradient, next(w.size());
        double momentum = 1;
        for (std::size_t k = 0; k < steps; ++k) {
            if (k > 0) m_.multiply_add(y, q, g);
            for (std::size_t j = 0; j < w.size(); ++j) next[j] = y[j] - g[j] / largest_;
            relaxed_.prox(c, next, 1 / largest_, next, shares_);
            double turn = 0;  // restart where the momentum points up
            for (std::size_t j = 0; j < w.size(); ++j) turn += (y[j] - next[j]) * (next[j] - x[j]);
            const double after = turn > 0 ? 1 : 0.5 * (1 + std::sqrt(1 + 4 * momentum * momentum));
            const double carry = turn > 0 ? 0 : (momentum - 1) / after;
            for (std::size_t j = 0; j < w.size(); ++j) y[j] = next[j] + carry * (next[j] - x[j]);
            momentum = after;
            std::swap(x, next);
        }
        return x;
    }

    /// The Newton direction at u among the weights that are not 0, with shares of 1 and between as they are. Where the shares
    /// of a competition lie between, psi = l2/2 (sum |w_g|)^2 / (places - shares of 1).
    std::vector<double> newton(const choices& c, std::span<const double> q, const std::vector<double>& u) const {
        const std::size_t m = relaxed_.competitions();
        const double l2 = relaxed_.l2(), l1 = relaxed_.l1();
        m_.multiply_add(u, q, product_);
        relaxed_.value(c, u, shares_);
        std::vector<double> room(m), total(m), size(relaxed_.groups());
        for (std::size_t k = 0; k < m; ++k) room[k] = static_cast<double>(c.places[k]);
        std::vector<std::size_t> active;
        const auto between = [&](std::size_t g) { return c.of[g] == choice::open && shares_[g] < 1; };
        for (std::size_t g = 0; g < relaxed_.groups(); ++g) {
            double square = 0;
            const std::size_t first = relaxed_.first(g), last = relaxed_.first(g + 1);
            for (std::size_t j = first; j < last; ++j) square += u[j] * u[j];
            size[g] = std::sqrt(square);
            if (c.of[g] == choice::out || (c.of[g] == choice::open && !(shares_[g] > 0))) continue;
            if (between(g))
                total[relaxed_.competition(g)] += size[g];
            else if (c.of[g] == choice::open)
                room[relaxed_.competition(g)] -= 1;
            for (std::size_t j = first; j < last; ++j)
                if (u[j] != 0 || (l1 == 0 && !between(g))) active.push_back(j);
        }
        const std::size_t a = active.size();
        std::vector<double> matrix(a * a), right(a);
        for (std::size_t r = 0; r < a; ++r) {
            const std::size_t i = active[r], g = relaxed_.group_of(i), k = relaxed_.competition(g);
            const double* const row = m_.row(i);
            const double unit = between(g) ? u[i] / size[g] : 0,
                         strength = between(g) ? l2 / std::max(room[k], 1e-12) : l2;
            for (std::size_t s = 0; s <= r; ++s) {
                const std::size_t j = active[s], h = relaxed_.group_of(j);
                double entry = row[j];
                if (between(g) && between(h) && relaxed_.competition(h) == k) entry += strength * unit * u[j] / size[h];
                if (between(g) && g == h && relaxed_.first(g + 1) - relaxed_.first(g) > 1)
                    entry += strength * total[k] / size[g] * ((i == j ? 1 : 0) - unit * u[j] / size[g]);
                if (i == j && !between(g)) entry += l2;
                matrix[r * a + s] = entry;
            }
            const double pull = between(g) ? strength * total[k] * unit : l2 * u[i];
            right[r] = -(product_[i] + pull + l1 * (u[i] > 0 ? 1 : u[i] < 0 ? -1 : 0));
        }
        semidefinite(std::move(matrix), a).solve(right);
        std::vector<double> direction(u.size());
        for (std::size_t r = 0; r < a; ++r) direction[active[r]] = std::isfinite(right[r]) ? right[r] : 0;
        return direction;
    }

    const symmetric& m_;
    const perspective& relaxed_;
    double largest_;
    mutable std::vector<double> product_, shares_;
};

}  // namespace gamut::quadratic

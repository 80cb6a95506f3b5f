// SPDX-License-Identifier: BSL-1.0
// An oracle for fits of few weights that shares no code with the solvers: losses written out, and Newton's method on each support.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <map>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include <gamut/backend/host.hpp>
#include <gamut/communicator/single.hpp>
#include <gamut/data/standardize.hpp>
#include <gamut/model/linear.hpp>
#include <gamut/model/logistic.hpp>
#include <gamut/model/poisson.hpp>
#include <gamut/model/softmax.hpp>
#include <gamut/model/squared_hinge.hpp>
#include <gamut/penalty/l0.hpp>
#include <gamut/solver/problem.hpp>

namespace claims {

using namespace gamut;
using rows = data::dataset<backend::dense_matrix<double>>;
using alone = communicator::single<>;
template <class Model> using problem = solver::problem<Model, rows, penalty::l0, backend::host<>, alone>;

template <class Model> problem<Model> problem_of(const rows& all, const penalty::l0& term) {
    return {Model{}, all, term, {.threads = 1}, alone{}, true, data::standardize(alone{}, all)};
}

/// One row's loss at its values z, one per output, with its derivatives.
template <class Model>
double loss_of_row(std::span<const double> z, double y, std::span<double> slope, std::vector<double>& curvature) {
    const std::size_t c = z.size();
    if constexpr (std::is_same_v<Model, model::softmax>) {
        const double most = *std::max_element(z.begin(), z.end());
        double sum = 0;
        for (std::size_t k = 0; k < c; ++k) sum += slope[k] = std::exp(z[k] - most);
        for (std::size_t k = 0; k < c; ++k) slope[k] /= sum;
        for (std::size_t k = 0; k < c; ++k)
            for (std::size_t l = 0; l < c; ++l) curvature[k * c + l] = slope[k] * ((k == l ? 1 : 0) - slope[l]);
        const auto label = static_cast<std::size_t>(y);
        slope[label] -= 1;
        return most + std::log(sum) - z[label];
    } else if constexpr (std::is_same_v<Model, model::logistic>) {
        const double p = 1 / (1 + std::exp(-z[0]));
        slope[0] = p - y;
        curvature[0] = p * (1 - p);
        return std::max(z[0], 0.0) + std::log1p(std::exp(-std::abs(z[0]))) - y * z[0];
    } else if constexpr (std::is_same_v<Model, model::poisson>) {
        slope[0] = std::exp(z[0]) - y;
        curvature[0] = std::exp(z[0]);
        return std::exp(z[0]) - y * z[0];
    } else if constexpr (std::is_same_v<Model, model::squared_hinge>) {
        const double s = 2 * y - 1, missing = std::max(0.0, 1 - s * z[0]);
        slope[0] = -2 * s * missing;
        curvature[0] = missing > 0 ? 2 : 0;
        return missing * missing;
    } else {
        static_assert(std::is_same_v<Model, model::linear>);
        slope[0] = z[0] - y;
        curvature[0] = 1;
        return 0.5 * slope[0] * slope[0];
    }
}

/// The least objectives on supports of units: weights (feature * outputs + output), or rows of them.
template <class Model> class oracle {
public:
    oracle(const rows& all, const penalty::l0& term)
        : term_(term),
          n_(all.rows()),
          p_(all.columns()),
          c_(all.classes.empty() || !std::is_same_v<Model, model::softmax> ? 1 : all.classes.size()),
          x_(all.x.values.begin(), all.x.values.end()),
          y_(all.y.begin(), all.y.end()),
          width_(term.over == penalty::support::rows ? c_ : 1),
          competitions_(term.over == penalty::support::per_output ? c_ : 1) {
        const auto scaling = data::standardize(alone{}, all);
        for (std::size_t i = 0; i < n_; ++i)
            for (std::size_t j = 0; j < p_; ++j)
                x_[i * p_ + j] = scaling.scales[j] > 0 ? (x_[i * p_ + j] - scaling.means[j]) / scaling.scales[j] : 0;
    }

    using support = std::vector<std::size_t>;  // units, ascending
    std::size_t units() const { return p_ * c_ / width_; }

    double best_of_all() {
        double best = std::numeric_limits<double>::infinity();
        support chosen;
        std::vector<std::size_t> used(competitions_);
        extend(chosen, used, 0, best);
        return best;
    }

    /// Over all exchanges of one unit for another of its competition, and additions where there is room.
    double best_exchange(const support& of) {
        double best = std::numeric_limits<double>::infinity();
        std::vector<std::size_t> used(competitions_);
        for (const std::size_t u : of) ++used[u % competitions_];
        for (std::size_t in = 0; in < units(); ++in) {
            if (std::find(of.begin(), of.end(), in) != of.end()) continue;
            if (used[in % competitions_] < term_.kappa) {
                support more = of;
                more.push_back(in);
                best = std::min(best, least(more));
            }
            for (std::size_t k = 0; k < of.size(); ++k) {
                if (of[k] % competitions_ != in % competitions_) continue;
                support other = of;
                other[k] = in;
                best = std::min(best, least(other));
            }
        }
        return best;
    }

    /// The units that are used by weights as a problem has them.
    support support_of(std::span<const double> w) const {
        support used;
        for (std::size_t u = 0; u < units(); ++u)
            for (std::size_t j = u * width_; j < (u + 1) * width_; ++j)
                if (w[j] != 0 && (used.empty() || used.back() != u)) used.push_back(u);
        return used;
    }

    /// Newton's method with halved steps, until one gains nothing to rounding.
    double least(support on) {
        std::sort(on.begin(), on.end());
        const auto [known, fresh] = known_.emplace(on, 0.0);
        if (!fresh) return known->second;
        std::vector<std::size_t> entries;
        for (const std::size_t u : on)
            for (std::size_t j = u * width_; j < (u + 1) * width_; ++j) entries.push_back(j);
        const std::size_t m = entries.size() + c_;
        std::vector<double> w(m), g(m), h(m * m);
        double value = evaluate(entries, w, &g, &h);
        for (int k = 0; k < 200; ++k) {
            const std::vector<double> d = solve(h, g);
            double decrease = 0;
            for (std::size_t e = 0; e < m; ++e) decrease += g[e] * d[e];
            if (!(decrease > 1e-14 * std::abs(value))) break;
            double length = 1;
            std::vector<double> there(m);
            for (; length > 1e-12; length /= 2) {
                for (std::size_t e = 0; e < m; ++e) there[e] = w[e] - length * d[e];
                if (evaluate(entries, there, nullptr, nullptr) <= value - 1e-4 * length * decrease) break;
            }
            if (!(length > 1e-12)) break;
            w = there;
            value = evaluate(entries, w, &g, &h);
        }
        return known->second = value;
    }

private:
    void extend(support& chosen, std::vector<std::size_t>& used, std::size_t from, double& best) {
        if (chosen.size() == std::min(term_.kappa, units() / competitions_) * competitions_) {
            best = std::min(best, least(chosen));
            return;
        }
        for (std::size_t u = from; u < units(); ++u) {
            if (used[u % competitions_] == term_.kappa) continue;
            ++used[u % competitions_];
            chosen.push_back(u);
            extend(chosen, used, u + 1, best);
            chosen.pop_back();
            --used[u % competitions_];
        }
    }

    /// The objective at weights of `entries` and the intercepts, with derivatives if asked for.
    double evaluate(const std::vector<std::size_t>& entries, const std::vector<double>& w, std::vector<double>* g,
                    std::vector<double>* h) const {
        const std::size_t m = w.size(), e = entries.size();
        std::vector<double> z(c_), slope(c_), curvature(c_ * c_), x(m);
        std::vector<std::size_t> output(m);
        for (std::size_t a = 0; a < m; ++a) output[a] = a < e ? entries[a] % c_ : a - e;
        if (g) std::fill(g->begin(), g->end(), 0.0), std::fill(h->begin(), h->end(), 0.0);
        double sum = 0;
        for (std::size_t i = 0; i < n_; ++i) {
            std::fill(z.begin(), z.end(), 0.0);
            for (std::size_t a = 0; a < m; ++a) {
                x[a] = a < e ? x_[i * p_ + entries[a] / c_] : 1;
                z[output[a]] += x[a] * w[a];
            }
            sum += loss_of_row<Model>(z, y_[i], slope, curvature);
            if (!g) continue;
            for (std::size_t a = 0; a < m; ++a) {
                (*g)[a] += x[a] * slope[output[a]] / static_cast<double>(n_);
                for (std::size_t b = 0; b < m; ++b)
                    (*h)[a * m + b] += x[a] * x[b] * curvature[output[a] * c_ + output[b]] / static_cast<double>(n_);
            }
        }
        double squares = 0;
        for (std::size_t a = 0; a < e; ++a) {
            squares += w[a] * w[a];
            if (g) (*g)[a] += term_.l2 * w[a], (*h)[a * m + a] += term_.l2;
        }
        return sum / static_cast<double>(n_) + 0.5 * term_.l2 * squares;
    }

    /// (H + tiny I)^-1 g: what softmax's common shift leaves undetermined stays small.
    static std::vector<double> solve(std::vector<double> h, std::vector<double> g) {
        const std::size_t m = g.size();
        double trace = 0;
        for (std::size_t a = 0; a < m; ++a) trace += h[a * m + a];
        for (std::size_t a = 0; a < m; ++a) h[a * m + a] += 1e-11 * trace + 1e-300;
        for (std::size_t k = 0; k < m; ++k)
            for (std::size_t a = k + 1; a < m; ++a) {
                const double factor = h[a * m + k] / h[k * m + k];
                for (std::size_t b = k; b < m; ++b) h[a * m + b] -= factor * h[k * m + b];
                g[a] -= factor * g[k];
            }
        for (std::size_t k = m; k-- > 0;) {
            for (std::size_t b = k + 1; b < m; ++b) g[k] -= h[k * m + b] * g[b];
            g[k] /= h[k * m + k];
        }
        return g;
    }

    penalty::l0 term_;
    std::size_t n_, p_, c_;
    std::vector<double> x_, y_;
    std::size_t width_, competitions_;
    std::map<support, double> known_;
};

}  // namespace claims

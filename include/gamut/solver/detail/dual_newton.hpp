// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <span>
#include <vector>

#include <gamut/autodiff/dual.hpp>
#include <gamut/autodiff/gradient.hpp>
#include <gamut/backend/aligned_vector.hpp>
#include <gamut/backend/gram.hpp>
#include <gamut/backend/host.hpp>
#include <gamut/backend/kernel.hpp>
#include <gamut/data/standardize.hpp>
#include <gamut/model/concept.hpp>
#include <gamut/solver/detail/dual_rows.hpp>

namespace gamut::solver::detail {

/// z_k = x~_i'v for the rows i of `order`, v as u, bias and spread say.
template <class Model, class Matrix> struct dual_products {
    using T = typename Matrix::value_type;
    template <std::size_t Bytes>
    GAMUT_INLINE static void run(const dual_rows<Model, Matrix>* b, const std::uint32_t* order, std::size_t count,
                                 const T* u, double bias, double spread, double* z) {
        for (std::size_t k = 0; k < count; ++k) {
            const std::size_t i = order[k];
            z[k] = static_cast<double>(b->x.template product<Bytes>(b->first + i, u)) + bias -
                   spread * static_cast<double>(b->rows[i].center);
        }
    }
};

/// The rows of `order` take these alphas, and u, bias and spread follow. Returns how many have changed.
template <class Model, class Matrix> struct dual_moves {
    using T = typename Matrix::value_type;
    template <std::size_t Bytes>
    GAMUT_INLINE static std::size_t run(dual_rows<Model, Matrix>* b, const std::uint32_t* order, std::size_t count,
                                        const double* alpha) {
        std::size_t changed = 0;
        for (std::size_t k = 0; k < count; ++k) {
            const std::size_t i = order[k];
            const T next = static_cast<T>(alpha[k]);
            if (next == b->rows[i].alpha) continue;
            b->template move<Bytes>(i, next - b->rows[i].alpha);
            b->rows[i].alpha = next;
            ++changed;
        }
        return changed;
    }
};

/// Where one alpha after another gets on slowly, and columns are few: all alphas of a block at once, by Newton's method for what
/// their best values are a function of. With a row's answer to a prediction, a_i(z) = argmax over a of
/// -phi*(-a) - z a - q/2 (a - alpha_i)^2, and c the curvature of the penalty's conjugate, the best alphas are a(X~v), where v solves
///     F(v) = v - v_0 - c sum_i omega_i (a_i(x~_i'v) - alpha_i) x~_i = 0,      v_0 = v at alpha
/// F is c times the gradient of a convex function, and its derivative I + c X~'D X~ with D_i = -omega_i da_i/dz, 0 for
/// rows at an end. q = 0 unless the conjugate is a line; then alphas are held back by a q that falls tenfold, which makes a(z)
/// continuous (a proximal point method, whose steps gain the more the smaller q is).
/// A step costs two visits to each row, the second moments of the rows between the ends, and p^3 / 3 for a factorisation.
/// Mangasarian, A finite Newton method for classification, 2002; Qi and Sun 1993 (semismooth Newton); Rockafellar 1976 (proximal
/// point), Li, Sun and Toh 2018 (both together).
template <class Model, class Matrix> class dual_newton {
public:
    using T = typename Matrix::value_type;
    using rows_type = dual_rows<Model, Matrix>;
    static constexpr std::size_t most_columns = 2048;
    static constexpr bool is_line = [] {
        if constexpr (model::FacetedModel<Model>)
            return Model::dual_bend == 0;
        else
            return false;
    }();
    static constexpr double usual_steps = is_line ? 40 : 8;

    /// Entries that are read in the time that a step takes, about.
    static double cost(double entries, double pairs, double rows, double between, double columns) {
        const double multiplication = 1.0 / 24;  // in a matrix product, of the time that a random entry takes
        const double moments = std::min(0.2 * pairs, multiplication * columns * columns);
        return rows * 3 * entries + between * moments + multiplication * columns * columns * columns / 3;
    }

    /// Everything is referred to, and must live longer.
    dual_newton(const Matrix& x, const T* y, backend::row_range range, const data::standardization& scaling,
                bool intercept)
        : x_(&x),
          y_(y),
          range_(range),
          intercept_(intercept) {
        if (scaling.scales.empty()) return;
        means_ = scaling.means;
        means_.resize(x.columns);
        for (const double s : scaling.scales) inverse_scales_.push_back(1 / s);
    }

    struct ascent {
        std::size_t visits;  // of rows
        bool is_done;
    };
    /// Moves the alphas of `order`, and u, bias and spread with them, until the dual is within `enough` / Omega of its best, nothing gains
    /// any more or `most` visits are made. violation: how far rows between the ends are from what they should predict.
    ascent ascend(rows_type& b, std::span<const std::uint32_t> order, double violation, double enough,
                  std::size_t most) {
        const ascent done = attempts(b, order, violation, enough, most);
        all_z_ = earlier_z_ = z_ = before_ = tried_ = dz_ = moved_ = hessian_ = {};  // needed for a moment only
        now_ = next_ = {};
        return done;
    }

private:
    ascent attempts(rows_type& b, std::span<const std::uint32_t> order, double violation, double enough,
                    std::size_t most) {
        const std::size_t n = order.size();
        all_z_.resize(n);
        u_.resize(x_->columns);
        weights_.assign(range_.end - range_.begin, T(0));
        std::size_t visits = 0;
        double q = is_line ? 0.1 * violation : 0;
        for (std::size_t attempt = 0; attempt < 40 && visits < most; ++attempt, q *= 0.1) {
            earlier_z_.swap(all_z_);
            all_z_.resize(n);
            backend::run<dual_products<Model, Matrix>>(&b, order.data(), n, static_cast<const T*>(b.u),
                                                       static_cast<double>(b.bias), static_cast<double>(b.spread),
                                                       all_z_.data());
            visits += n;
            if (gap(b, order) <= enough) return {visits, true};
            choose_rows(b, order, attempt == 0);
            visits += solve(b, q, 0.1 * enough, most);
            const double gain = this->gain(b);
            if (!(gain > 0)) break;
            visits += backend::run<dual_moves<Model, Matrix>>(&b, rows_.data(), rows_.size(),
                                                              static_cast<const double*>(now_.alpha.data()));
        }
        return {visits, false};
    }

    /// Each row's answer to its z, and minus its derivative times omega.
    struct answers {
        std::vector<double> alpha, slope;
        void resize(std::size_t n) {
            alpha.resize(n);
            slope.resize(n);
        }
    };

    std::size_t size() const { return x_->columns + (intercept_ ? 1 : 0); }
    double mean(std::size_t j) const { return means_.empty() ? 0 : means_[j]; }
    double inverse_scale(std::size_t j) const { return means_.empty() ? 1 : inverse_scales_[j]; }
    /// The intercept's column of ones, so that all columns bend by the same c.
    static double ones(const rows_type& b) {
        return std::sqrt(static_cast<double>(b.intercept_curvature) / static_cast<double>(b.curvature));
    }

    /// How far the dual is from its best at most, times Omega: with a* the slope of the loss at z,
    ///   sum of omega (phi(z) + phi*(-alpha) + z alpha) = sum of omega (phi*(-alpha) - phi*(-a*) + z (alpha - a*)).
    double gap(const rows_type& b, std::span<const std::uint32_t> order) const {
        double sum = 0;
        for (std::size_t k = 0; k < order.size(); ++k) {
            const auto& row = b.rows[order[k]];
            const double alpha = static_cast<double>(row.alpha), y = static_cast<double>(row.label), z = all_z_[k],
                         best = b.model->dual_step(alpha, y, z, 0.0);
            sum += static_cast<double>(b.weight(order[k])) *
                   (b.model->conjugate(alpha, y) - b.model->conjugate(best, y) + z * (alpha - best));
        }
        return sum;
    }

    /// Rows that are pushed beyond their end by more than a tenth of what the last attempt has moved any row's prediction stay where
    /// they are: with a tenth of q the next moves about a tenth as far, and the one after it looks again.
    void choose_rows(const rows_type& b, std::span<const std::uint32_t> order, bool all) {
        double largest = 0;
        for (std::size_t k = 0; !all && k < order.size(); ++k)
            largest = std::max(largest, std::abs(all_z_[k] - earlier_z_[k]));
        rows_.clear();
        z_.clear();
        for (std::size_t k = 0; k < order.size(); ++k) {
            if constexpr (model::FacetedModel<Model>) {
                const auto& row = b.rows[order[k]];
                if (!all && b.push(row.alpha, row.label, static_cast<T>(all_z_[k])) > 0.1 * largest) continue;
            }
            rows_.push_back(order[k]);
            z_.push_back(all_z_[k]);
        }
        const std::size_t n = rows_.size();
        before_ = z_;
        dz_.resize(n);
        tried_.resize(n);
        for (answers* a : {&now_, &next_}) a->resize(n);
    }

    void answer(const rows_type& b, double q, const double* z, answers& out) const {
        const Model& model = *b.model;
        for (std::size_t k = 0; k < rows_.size(); ++k) {
            const auto& row = b.rows[rows_[k]];
            const double alpha = static_cast<double>(row.alpha), y = static_cast<double>(row.label),
                         omega = static_cast<double>(b.weight(rows_[k]));
            double a, slope;
            if constexpr (model::FacetedModel<Model>) {
                a = model.dual_step(alpha, y, z[k], q);
                const bool between = a > model.dual_least(y) && a < model.dual_most(y);
                slope = between ? 1 / (q + Model::dual_bend) : 0;
            } else {
                using number = autodiff::dual<double>;
                const auto formula = model::loss_formula(model);
                number kept[autodiff::scratch_of<decltype(formula)> + 1];
                const number at(z[k], 1.0);
                number adjoint(0.0);
                autodiff::rows<number> rows(1, &at, &adjoint, kept);
                rows.move_to(number(y), number(1.0), number(1.0));
                autodiff::pull_row(formula, rows);
                a = -adjoint.value;
                slope = adjoint.tangent;
            }
            out.alpha[k] = a;
            out.slope[k] = omega * slope;
        }
    }

    /// sum of c omega_i (a_i - alpha_i) x~_i, the ones last.
    std::vector<double> moved(const rows_type& b, const std::vector<double>& a) const {
        const std::size_t p = x_->columns;
        const double c = static_cast<double>(b.curvature);
        std::vector<double> sum(size());
        double total = 0;
        for (std::size_t k = 0; k < rows_.size(); ++k) {
            const std::size_t i = rows_[k];
            const double by = a[k] - static_cast<double>(b.rows[i].alpha);
            if (by == 0) continue;
            const double step = c * static_cast<double>(b.weight(i)) * by;
            total += step;
            b.x.visit(b.first + i, [&](std::size_t j, T entry) { sum[j] += step * static_cast<double>(entry); });
        }
        for (std::size_t j = 0; j < p; ++j) sum[j] = (sum[j] - total * mean(j)) * inverse_scale(j);
        if (intercept_) sum[p] = total * ones(b);
        return sum;
    }

    static double square(const std::vector<double>& x) {
        return std::inner_product(x.begin(), x.end(), x.begin(), 0.0);
    }

    /// F(v) = 0 for this q, to where the dual could gain no more than `enough`, or `most` row visits have been made; z_, now_ and
    /// moved_ are what it ends with.
    std::size_t solve(const rows_type& b, double q, double enough, std::size_t most) {
        const std::size_t d = size(), n = rows_.size();
        const double c = static_cast<double>(b.curvature);
        std::vector<double> v(d), step(d), f;  // v - v_0
        std::size_t visits = n;
        answer(b, q, z_.data(), now_);
        for (std::size_t k = 0;; ++k) {
            moved_ = moved(b, now_.alpha);
            f = v;
            for (std::size_t j = 0; j < d; ++j) f[j] -= moved_[j];
            visits += n;
            const double left = square(f);
            if (k == 50 || visits > most || !(left > 2 * c * enough) || !direction(b, f, step)) break;
            products(b, step);
            visits += 2 * n;
            const double vs = std::inner_product(v.begin(), v.end(), step.begin(), 0.0), ss = square(step);
            const auto slope_at = [&](double t) {  // of what is minimised, along the step
                for (std::size_t i = 0; i < n; ++i) tried_[i] = z_[i] + t * dz_[i];
                answer(b, q, tried_.data(), next_);
                double slope = (vs + t * ss) / c;
                for (std::size_t i = 0; i < n; ++i)
                    slope += static_cast<double>(b.weight(rows_[i])) *
                             (static_cast<double>(b.rows[rows_[i]].alpha) - next_.alpha[i]) * dz_[i];
                return slope;
            };
            const double t = line_search(std::inner_product(f.begin(), f.end(), step.begin(), 0.0) / c, slope_at);
            if (!(t > 0)) break;
            for (std::size_t j = 0; j < d; ++j) v[j] += t * step[j];
            z_.swap(tried_);
            std::swap(now_, next_);
        }
        return visits;
    }

    /// Where a convex function, of which slope_at says the derivative, is least, within a tenth of its slope at 0. The last call of
    /// slope_at is for that place. 0: there is none that is better.
    template <class F> static double line_search(double slope_at_0, F&& slope_at) {
        if (!(slope_at_0 < 0)) return 0;
        double low = 0, high = 0, below = slope_at_0, above = 0, t = 1;
        for (int k = 0; k < 40; ++k) {
            const double slope = slope_at(t);
            if (std::abs(slope) <= -0.1 * slope_at_0) return t;
            if (slope < 0) {
                low = t;
                below = slope;
                above *= 0.5;  // Illinois
            } else {
                high = t;
                above = slope;
                if (low > 0) below *= 0.5;
            }
            const bool bounded = high > 0, known = bounded && std::isfinite(above);
            t = !bounded ? 2 * low
                : known  ? std::clamp(low + (high - low) * below / (below - above), low + 0.05 * (high - low),
                                      high - 0.05 * (high - low))
                         : 0.5 * (low + high);
            if (t > 1e6 || (bounded && high - low <= 1e-12 * high)) break;
        }
        if (low > 0) slope_at(low);
        return low;
    }

    /// (I + c X~'D X~) step = -f
    bool direction(const rows_type& b, const std::vector<double>& f, std::vector<double>& step) {
        const std::size_t d = size(), p = x_->columns;
        const double c = static_cast<double>(b.curvature), one = intercept_ ? ones(b) : 0;
        std::fill(weights_.begin(), weights_.end(), T(0));
        for (std::size_t k = 0; k < rows_.size(); ++k) weights_[rows_[k]] = static_cast<T>(now_.slope[k]);
        std::vector<std::size_t> columns(d);
        std::iota(columns.begin(), columns.end(), std::size_t(0));
        const backend::moment_columns all(columns, p,
                                          {means_.empty() ? nullptr : means_.data(), inverse_scales_.data()});
        hessian_.resize(d * d);
        backend::products_of_columns(*x_, range_, y_,
                                     backend::row_weights<T>{.values = weights_.data(), .first = range_.begin}, all,
                                     {0, d}, hessian_.data(), d);
        for (std::size_t j = 0; j < d; ++j) {
            for (std::size_t l = 0; l < d; ++l) hessian_[j * d + l] *= c * (j == p ? one : 1) * (l == p ? one : 1);
            hessian_[j * d + j] += 1;
            step[j] = -f[j];
        }
        if (!backend::host<double>::factorize(d, hessian_.data())) return false;
        backend::host<double>::solve(d, hessian_.data(), step.data());
        return true;
    }

    /// dz = X~ step.
    void products(const rows_type& b, const std::vector<double>& step) {
        const std::size_t p = x_->columns;
        double bias = intercept_ ? step[p] * ones(b) : 0;
        for (std::size_t j = 0; j < p; ++j) {
            const double raw = step[j] * inverse_scale(j);
            u_[j] = static_cast<T>(raw);
            bias -= mean(j) * raw;
        }
        backend::run<dual_products<Model, Matrix>>(&b, rows_.data(), rows_.size(), static_cast<const T*>(u_.data()),
                                                   bias, 0.0, dz_.data());
    }

    /// Of the dual, times Omega, if the alphas become what they are now.
    double gain(const rows_type& b) const {
        double sum = -square(moved_) / (2 * static_cast<double>(b.curvature));
        for (std::size_t k = 0; k < rows_.size(); ++k) {
            const auto& row = b.rows[rows_[k]];
            const double alpha = static_cast<double>(row.alpha), y = static_cast<double>(row.label), a = now_.alpha[k];
            if (a == alpha) continue;
            sum += static_cast<double>(b.weight(rows_[k])) *
                   (b.model->conjugate(alpha, y) - b.model->conjugate(a, y) - before_[k] * (a - alpha));
        }
        return sum;
    }

    const Matrix* x_;
    const T* y_;
    backend::row_range range_;
    bool intercept_;
    std::vector<double> means_, inverse_scales_;  // empty: 0, 1
    std::vector<std::uint32_t> rows_;             // that this attempt moves
    std::vector<double> all_z_, earlier_z_, z_, before_, tried_, dz_, moved_, hessian_;
    std::vector<T> weights_;
    backend::aligned_vector<T> u_;
    answers now_, next_;
};

}  // namespace gamut::solver::detail

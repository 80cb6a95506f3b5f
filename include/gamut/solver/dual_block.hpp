// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include <gamut/autodiff/gradient.hpp>
#include <gamut/backend/aligned_vector.hpp>
#include <gamut/backend/kernel.hpp>
#include <gamut/backend/pack.hpp>
#include <gamut/backend/row_access.hpp>
#include <gamut/backend/sweep.hpp>
#include <gamut/core/random.hpp>
#include <gamut/data/standardize.hpp>
#include <gamut/model/concept.hpp>
#include <gamut/solver/detail/dual_newton.hpp>
#include <gamut/solver/detail/dual_passes.hpp>
#include <gamut/solver/detail/dual_rows.hpp>

namespace gamut::solver {

/// What a round of dual ascent asks of a block.
struct dual_round {
    double curvature = 1;            ///< of the penalty's conjugate, as this block shall see it: sigma' / l2
    double intercept_curvature = 0;  ///< the same for the intercept: sigma' / mu
    double momentum = 0;     ///< w belongs to alphas that far beyond those of now, seen from those of a round ago
    std::size_t epochs = 1;  ///< at most as many row visits as so many passes have
    double enough = 0;       ///< an epoch that gains less than this share of the loss is the last
    bool is_alone = false;   ///< there are no other blocks: its own best is worth Newton's method
    core::random order{};    ///< a stream of draws for this block and round
};

/// What blocks add up: [ v of the rows | and, with an intercept, of those with alpha > 0 alone | scalars ].
struct dual_sums {
    enum scalar : std::size_t { conjugate, conjugate_at_0, balance, step_squared, rows, visits, scalars_of_a_side };
    std::size_t features = 0;
    bool intercept = false;

    std::size_t sides() const { return intercept ? 2 : 1; }
    std::size_t size() const { return sides() * (features + scalars_of_a_side); }
    std::size_t at(scalar s, std::size_t side = 0) const { return sides() * features + side * scalars_of_a_side + s; }
};

/// The dual variables of one block of rows, and ascent along one of them after another (SDCA) with w held by the others.
/// In the words of model::DualModel, with the columns standardised and Omega the sum of all sample weights, the dual is
///     D(alpha) = -1/Omega sum_i omega_i phi*(-alpha_i) - g*(v),   v = 1/Omega sum_i omega_i alpha_i x~_i,
/// and g* bends by at most 1/l2. Rows are never standardised: |x~_i|^2 is known, and x~_i'x~_k = x_i'A x_k - c_i - c_k + m'A m with
/// A = 1/scales^2, m the means, c_i = x_i'A m, so a step costs the stored entries of a row, twice, and five numbers more.
/// Memory: 6 to 8 numbers per row, 4 vectors of weights; while Newton's method runs 10 numbers per row and p^2.
template <class Model, class Matrix> class dual_block {
public:
    using T = typename Matrix::value_type;

    /// Everything is referred to, and must live longer. Reads the rows once.
    dual_block(const Model& m, const Matrix& x, backend::row_range range, const backend::observations<T>& seen,
               const data::standardization& scaling, bool intercept)
        : model_(&m),
          scaling_(&scaling),
          sums_{x.columns, intercept},
          total_weight_(seen.total_weight),
          x_(x),
          first_(range.begin),
          omega_(seen.omega ? seen.omega + range.begin : nullptr),
          rows_(range.end - range.begin),
          before_(rows_.size()),
          push_(model::FacetedModel<Model> ? rows_.size() : 0),
          u_(x.columns),
          start_(x.columns),
          now_(x.columns + 1),
          earlier_(x.columns + 1),
          newton_(x, seen.y, range, scaling, intercept) {
        const std::size_t p = x.columns;
        const bool scaled = std::any_of(scaling.scales.begin(), scaling.scales.end(), [](double s) { return s != 1; }),
                   as_it_is = sizeof(T) == sizeof(double) && !scaled && scaling.means.empty();
        std::vector<double> a(as_it_is ? 0 : p, 1.0);
        if (scaled)
            for (std::size_t j = 0; j < p; ++j) a[j] = 1 / (scaling.scales[j] * scaling.scales[j]);
        if (scaled) a_.assign(a.begin(), a.end());
        double mean_square = 0;
        for (std::size_t j = 0; j < scaling.means.size(); ++j)
            mean_square += a[j] * scaling.means[j] * scaling.means[j];
        mean_square_ = mean_square;
        for (std::size_t i = 0; i < rows_.size(); ++i) {
            double square = 0, center = 0;
            if (as_it_is)
                square = static_cast<double>(x_.template square<16>(first_ + i));
            else
                x_.visit(first_ + i, [&](std::size_t j, T entry) {
                    const double e = static_cast<double>(entry);
                    square += a[j] * e * e;
                    if (!scaling.means.empty()) center += a[j] * e * scaling.means[j];
                });
            const auto stored = static_cast<double>(x_.stored(first_ + i));
            entries_ += stored;
            pairs_ += stored * stored;
            const double norm = std::max(0.0, square - 2 * center + mean_square);
            rows_[i] = {T(0), seen.y[first_ + i], static_cast<T>(norm), static_cast<T>(center)};
            squares_ += static_cast<double>(weight(i)) * norm;
        }
    }

    std::size_t rows() const { return rows_.size(); }
    const dual_sums& layout() const { return sums_; }
    /// sum of omega_i |x~_i|^2
    double squares() const { return squares_; }
    /// The dual variable of a row of the block.
    T alpha(std::size_t i) const { return rows_[i].alpha; }

    /// The loss at the weights w (of standardised columns, the intercept last), which all blocks know. The next ascent starts there.
    double survey(std::span<const T> w) {
        start_at(w);
        view b = look();
        const bool is_zero = std::all_of(u_.begin(), u_.end(), [](T u) { return u == T(0); });
        return loss_ = backend::run<surveyor>(&b, is_zero, push_.data());
    }

    /// A round from the weights of the last survey. Adds up in `sums`, which has layout().size() entries, of the alphas after the
    /// round: v, the conjugates, their balance sum omega_i alpha_i / Omega, and the square of the distance of v and (side 1) of the
    /// balance from those that w belongs to.
    void ascend(const dual_round& how, std::span<double> sums) {
        view b = look();
        b.curvature = static_cast<T>(how.curvature / total_weight_);
        b.intercept_curvature = static_cast<T>(how.intercept_curvature / total_weight_);
        std::fill(sums.begin(), sums.end(), 0.0);
        for (std::size_t i = 0; i < rows_.size(); ++i) before_[i] = rows_[i].alpha;
        if (how.momentum != 0) step_back(b, how);

        T limit = std::numeric_limits<T>::infinity(), all = 0;
        if constexpr (model::FacetedModel<Model>) {
            for (std::size_t i = 0; i < rows_.size(); ++i)
                if (weight(i) > T(0)) all = std::max(all, -push_[i]);
            limit = all;
        }
        order_.clear();
        for (std::size_t i = 0; i < rows_.size(); ++i)
            if (weight(i) > T(0) && (!model::FacetedModel<Model> || !(push_[i] > limit)))
                order_.push_back(static_cast<std::uint32_t>(i));

        const std::size_t budget = how.epochs * rows_.size();
        // where the conjugate is a line, the gap is far more than what the dual lacks
        const double enough = (newton::is_line ? 0.1 : 1) * how.enough * std::abs(loss_) * total_weight_;
        double gain = 0;
        std::uint64_t draws = how.order.bits(0);
        std::size_t visits = rows_.size();
        while (visits < budget + rows_.size() && !order_.empty()) {
            shuffle(draws);
            visits += order_.size();
            const auto done = backend::run<epoch>(&b, order_.data(), order_.size(), limit);
            if (done.gain <= enough) break;
            if (how.is_alone && newton_is_quicker(std::exchange(gain, done.gain), done.gain, enough)) {
                order_ = rows_with_weight();
                const auto [read, is_done] =
                    newton_.ascend(b, order_, static_cast<double>(done.violation), enough, 5 * budget);
                visits += read;
                if (!is_done) doubt_ *= 4;
                break;
            }
            if constexpr (model::FacetedModel<Model>) {
                order_.resize(done.rows);
                limit = done.violation;
                if (!(done.violation > T(0.01) * all)) break;
            }
        }
        measure(b, how, sums);
        collect(b, sums);
        sums[sums_.at(dual_sums::rows)] = static_cast<double>(rows_.size());
        sums[sums_.at(dual_sums::visits)] = static_cast<double>(visits + rows_.size());
    }

    /// Goes only this share of the way of the last round.
    void shorten(double share) {
        for (std::size_t j = 0; j < now_.size(); ++j) now_[j] = earlier_[j] + share * (now_[j] - earlier_[j]);
        for (std::size_t i = 0; i < rows_.size(); ++i)
            rows_[i].alpha = before_[i] + static_cast<T>(share) * (rows_[i].alpha - before_[i]);
    }

    /// What must outlive an interruption between two rounds: the dual variables; and v and balance, now and a round ago, and the
    /// doubts in Newton's method. `survey` must follow `restore`.
    std::vector<T> alphas() const {
        std::vector<T> all;
        for (const auto& row : rows_) all.push_back(row.alpha);
        return all;
    }
    std::vector<double> memory() const {
        std::vector<double> all(now_);
        all.insert(all.end(), earlier_.begin(), earlier_.end());
        all.push_back(doubt_);
        return all;
    }
    void restore(std::span<const T> alphas, std::span<const double> memory) {
        for (std::size_t i = 0; i < rows_.size(); ++i) rows_[i].alpha = alphas[i];
        std::copy_n(memory.begin(), now_.size(), now_.begin());
        std::copy_n(memory.begin() + static_cast<std::ptrdiff_t>(now_.size()), earlier_.size(), earlier_.begin());
        doubt_ = memory.back();
    }

private:
    using view = detail::dual_rows<Model, Matrix>;
    using epoch = detail::dual_epoch<Model, Matrix>;
    using newton = detail::dual_newton<Model, Matrix>;
    using surveyor = detail::dual_survey<Model, Matrix>;
    using collector = detail::dual_collect<Model, Matrix>;

    T weight(std::size_t i) const { return omega_ ? omega_[i] : T(1); }
    double mean(std::size_t j) const { return scaling_->means[j]; }
    double scale(std::size_t j) const { return scaling_->scales[j]; }
    bool as_given() const { return scaling_->scales.empty(); }

    /// The weights for the rows as they are.
    void start_at(std::span<const T> w) {
        const std::size_t p = sums_.features;
        bias_ = sums_.intercept ? static_cast<double>(w[p]) : 0;
        if (as_given()) {
            std::copy_n(w.data(), p, u_.data());
            std::copy_n(w.data(), p, start_.data());
        }
        for (std::size_t j = 0; j < p && !as_given(); ++j) {
            const double scaled = static_cast<double>(w[j]) / scale(j);
            u_[j] = start_[j] = static_cast<T>(scaled);
            bias_ -= mean(j) * scaled;
        }
    }
    view look() {
        return {.model = model_,
                .x = x_,
                .first = first_,
                .count = rows_.size(),
                .rows = rows_.data(),
                .omega = omega_,
                .a = a_.empty() ? nullptr : a_.data(),
                .u = u_.data(),
                .bias = static_cast<T>(bias_),
                .mean_square = static_cast<T>(mean_square_),
                .share = static_cast<T>(1 / total_weight_)};
    }

    /// From the weights of the point beyond to those that this block sees when its alphas are what they are.
    void step_back(view& b, const dual_round& how) {
        const std::size_t p = sums_.features;
        double bias = how.intercept_curvature * (now_[p] - earlier_[p]);
        const double factor = how.curvature * how.momentum;
        bias *= how.momentum;
        for (std::size_t j = 0; j < p; ++j) {
            const double back = factor * (now_[j] - earlier_[j]);
            if (as_given()) {
                u_[j] -= static_cast<T>(back);
            } else {
                u_[j] -= static_cast<T>(back / scale(j));
                bias -= mean(j) * back / scale(j);
            }
        }
        b.bias -= static_cast<T>(bias);
    }

    /// Whether Newton's method gets on faster than further epochs, of which the last two have gained as said.
    bool newton_is_quicker(double before, double gain, double enough) const {
        const std::size_t columns = sums_.features + (sums_.intercept ? 1 : 0);
        if (columns > newton::most_columns || !(before > 0)) return false;
        const auto rows = static_cast<double>(rows_.size()), left = static_cast<double>(order_.size());
        const double ratio = std::clamp(gain / before, 0.01, 0.999),
                     epochs = std::log(std::max(gain / std::max(enough, 1e-300), 1.0)) / -std::log(ratio);
        double between = left;
        if constexpr (model::FacetedModel<Model>)
            between = static_cast<double>(
                std::count_if(order_.begin(), order_.end(), [&](std::uint32_t i) { return is_between(i); }));
        const double step = newton::cost(entries_ / rows, pairs_ / rows, left, between, static_cast<double>(columns));
        return doubt_ * newton::usual_steps * step < epochs * left * 2 * entries_ / rows;
    }
    std::vector<std::uint32_t> rows_with_weight() const {
        std::vector<std::uint32_t> rows;
        for (std::size_t i = 0; i < rows_.size(); ++i)
            if (weight(i) > T(0)) rows.push_back(static_cast<std::uint32_t>(i));
        return rows;
    }
    bool is_between(std::size_t i) const {
        const T alpha = rows_[i].alpha, y = rows_[i].label;
        return alpha > model_->dual_least(y) && alpha < model_->dual_most(y);
    }

    /// Fisher and Yates. The draws follow from one random number (splitmix64; Steele et al. 2014), 32 bits for each row: one is
    /// more likely than another by less than rows / 2^32.
    void shuffle(std::uint64_t& draws) {
        std::uint64_t bits = 0;
        for (std::size_t n = order_.size(); n > 1; --n) {
            bits >>= 32;
            if ((order_.size() - n) % 2 == 0) {
                bits = draws += 0x9e3779b97f4a7c15u;
                bits = (bits ^ bits >> 30) * 0xbf58476d1ce4e5b9u;
                bits = (bits ^ bits >> 27) * 0x94d049bb133111ebu;
                bits ^= bits >> 31;
            }
            std::swap(order_[n - 1], order_[(bits & 0xffffffffu) * n >> 32]);
        }
    }

    /// How far v and the balance moved.
    void measure(const view& b, const dual_round& how, std::span<double> sums) const {
        const double spread = static_cast<double>(b.spread);
        double square = detail::sum_of(sums_.features, [&](std::size_t j) {
            double moved = static_cast<double>(u_[j]) - static_cast<double>(start_[j]);
            if (!as_given()) moved = moved * scale(j) - spread * mean(j) / scale(j);
            return moved * moved;
        });
        square /= how.curvature * how.curvature;
        sums[sums_.at(dual_sums::step_squared)] = square;
        if (sums_.intercept) {
            const std::size_t p = sums_.features;
            const double balance = spread / how.curvature - how.momentum * (now_[p] - earlier_[p]);
            sums[sums_.at(dual_sums::step_squared, 1)] = balance * balance;
        }
    }

    void collect(const view& b, std::span<double> sums) {
        std::swap(now_, earlier_);
        std::fill(now_.begin(), now_.end(), 0.0);
        const std::size_t p = sums_.features;
        double* const scalars = sums.data() + sums_.at(dual_sums::conjugate);
        for (std::size_t i = 0; i < rows_.size(); ++i) {
            const double omega = static_cast<double>(weight(i)), alpha = static_cast<double>(rows_[i].alpha),
                         y = static_cast<double>(rows_[i].label);
            if (omega == 0) continue;
            double* const side =
                scalars + (sums_.intercept && alpha > 0 ? std::size_t(dual_sums::scalars_of_a_side) : 0);
            side[dual_sums::conjugate] += omega * model_->conjugate(alpha, y);
            if (sums_.intercept) side[dual_sums::conjugate_at_0] += omega * model_->conjugate(0.0, y);
            side[dual_sums::balance] += omega * alpha;
        }
        for (std::size_t k = 0; k < sums_.sides(); ++k) {
            double* const v = sums.data() + k * p;
            double* const side = scalars + k * dual_sums::scalars_of_a_side;
            backend::run<collector>(&b, k == 1 || !sums_.intercept, k == 0, v);
            const double share = 1 / total_weight_;
            for (std::size_t j = 0; j < p; ++j) {
                v[j] = as_given() ? v[j] * share : (v[j] - side[dual_sums::balance] * mean(j)) / scale(j) * share;
                now_[j] += v[j];
            }
            for (const auto s : {dual_sums::conjugate, dual_sums::conjugate_at_0, dual_sums::balance})
                side[s] /= total_weight_;
            now_[p] += side[dual_sums::balance];
        }
    }

    const Model* model_;
    const data::standardization* scaling_;
    dual_sums sums_;
    double total_weight_, mean_square_ = 0, squares_ = 0, entries_ = 0, pairs_ = 0;
    double doubt_ = 1;            // in Newton's method, which may fail where rounding is all that is left
    double bias_ = 0, loss_ = 0;  // of the last survey
    backend::row_access<Matrix> x_;
    std::size_t first_;
    const T* omega_;
    std::vector<detail::dual_row<T>> rows_;
    std::vector<T> before_, push_;
    backend::aligned_vector<T> u_, start_, a_;
    std::vector<double> now_, earlier_;  // v and balance of these rows
    std::vector<std::uint32_t> order_;
    newton newton_;
};

}  // namespace gamut::solver

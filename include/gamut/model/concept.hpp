// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <concepts>
#include <cstddef>

#include <gamut/autodiff/arithmetic.hpp>
#include <gamut/autodiff/functions.hpp>
#include <gamut/autodiff/gradient.hpp>
#include <gamut/autodiff/leaf.hpp>
#include <gamut/autodiff/reduce.hpp>

/// A model says what is minimised and what is predicted, as two formulas:
///
///     constexpr auto loss(auto w, auto X, auto y) const;     a sum or a mean over rows
///     constexpr auto predict(auto w, auto X) const;          one value per row, or one per row and output
///
/// and may say more:
///     static constexpr bool classification = true;           y is a class index 0, 1, ..., k - 1; else a number
///     std::size_t outputs(std::size_t classes) const;        then w is a matrix with that many columns
///     static constexpr std::size_t most_classes = 2;         of a classification; default: no limit
///     void validate() const;                                 throws core::option_error
///     static constexpr bool nonnegative = true;              the loss is convex and never below 0: bounds follow from it
///     static constexpr bool convex = true;                   the loss is convex, and may be below 0: its minimum can be bounded
///     static constexpr bool nonsmooth = true;                   the loss has corners: gradients alone do not find its minimum (see DualModel for what does)
///     static constexpr double threshold = 0;                 a prediction above it is the second class; default 0.5
///     static constexpr double least_label = 0;               labels below it are refused
///     static constexpr const char* name = "...";              what model files call it
/// X w stands for the product plus the intercept, if there is one.
namespace gamut::model {

template <class M>
concept MultiOutput = requires(const M& m, std::size_t classes) {
    { m.outputs(classes) } -> std::convertible_to<std::size_t>;
};

template <class M> inline constexpr int rank = MultiOutput<M> ? 2 : 1;

template <class M>
concept HasLoss = requires(const M& m) {
    m.loss(autodiff::weights<rank<M>>{}, autodiff::data{}, autodiff::labels{});
};

template <class M>
concept HasPredict = requires(const M& m) {
    m.predict(autodiff::weights<rank<M>>{}, autodiff::data{});
};

template <class M>
requires HasLoss<M>
constexpr auto loss_formula(const M& m) {
    return m.loss(autodiff::weights<rank<M>>{}, autodiff::data{}, autodiff::labels{});
}
template <class M>
requires HasPredict<M>
constexpr auto prediction_formula(const M& m) { return m.predict(autodiff::weights<rank<M>>{}, autodiff::data{}); }

template <class M>
concept Model = HasLoss<M> && HasPredict<M> && requires(const M& m) {
    requires autodiff::Loss<decltype(loss_formula(m))>;
    requires autodiff::Elementwise<decltype(prediction_formula(m))>;
};

/// Fails to compile, in one sentence, when M is no model.
template <class M> constexpr void explain() {
    static_assert(HasLoss<M>, "model: needs loss(w, X, y) that returns a formula; see gamut/model/concept.hpp");
    static_assert(HasPredict<M>, "model: needs predict(w, X) that returns a formula; see gamut/model/concept.hpp");
    if constexpr (HasLoss<M>) {
        using formula = decltype(loss_formula(std::declval<const M&>()));
        static_assert(autodiff::Expression<formula>,
                      "model: loss(w, X, y) must return a formula; see gamut/model/concept.hpp");
        if constexpr (autodiff::Expression<formula>) {
            static_assert(autodiff::shape_of<formula> == autodiff::shape::total,
                          "model: loss(w, X, y) must be one number; end it with mean(...) or sum(...)");
            static_assert(formula::active, "model: loss(w, X, y) does not depend on w; write it with X * w");
        }
    }
}

/// It is a network (gamut/network/): a formula of several products, which it makes itself.
template <class M> inline constexpr bool is_network = false;
template <class M>
requires requires { M::is_network; }
inline constexpr bool is_network<M> = M::is_network;

template <class M> inline constexpr bool is_classification = false;
template <class M>
requires requires { M::classification; }
inline constexpr bool is_classification<M> = M::classification;

template <class M> inline constexpr bool is_nonnegative = false;
template <class M>
requires requires { M::nonnegative; }
inline constexpr bool is_nonnegative<M> = M::nonnegative;

template <class M> inline constexpr bool is_convex = is_nonnegative<M>;
template <class M>
requires requires { M::convex; }
inline constexpr bool is_convex<M> = M::convex;

template <class M> inline constexpr bool is_nonsmooth = false;
template <class M>
requires requires { M::nonsmooth; }
inline constexpr bool is_nonsmooth<M> = M::nonsmooth;

/// A prediction of one output above it means the second of two classes.
template <class M> inline constexpr double threshold = 0.5;
template <class M>
requires requires { M::threshold; }
inline constexpr double threshold<M> = M::threshold;

/// What dual coordinate ascent must know of a model whose loss is the mean of phi(z_i, y_i), phi convex in z = x'w:
///     conjugate(alpha, y)          phi*(-alpha) = max over z of -alpha z - phi(z, y); finite where alpha may be
///     dual_step(alpha, y, z, q)    argmax over a of -phi*(-a) - z a - q/2 (a - alpha)^2
/// At the optimum alpha_i = -phi'(z_i). Both are templates over the type of the numbers, alpha = 0 is where ascent begins, and
/// what dual_step returns for z and alpha that are finite is allowed, also for q = 0.
/// Shalev-Shwartz and Zhang, Stochastic dual coordinate ascent methods for regularized loss minimization, JMLR 14 (2013).
template <class M>
concept DualModel = Model<M> && !MultiOutput<M> && requires(const M& m, double x, float f) {
    { m.conjugate(x, x) } -> std::same_as<double>;
    { m.conjugate(f, f) } -> std::same_as<float>;
    { m.dual_step(x, x, x, x) } -> std::same_as<double>;
    { m.dual_step(f, f, f, f) } -> std::same_as<float>;
};

/// A dual model whose conjugate is a parabola or a line on an interval of alpha, at whose ends many rows end up:
///     dual_slope(alpha, y, z)      the derivative of -phi*(-alpha) - z alpha in alpha
///     dual_least(y), dual_most(y)  the ends of the interval, maybe infinite
///     dual_bend                    minus the second derivative
/// Rows that are pushed hard against an end are left alone for a while (shrinking).
template <class M>
concept FacetedModel = DualModel<M> && requires(const M& m, double x, float f) {
    { m.dual_slope(x, x, x) } -> std::same_as<double>;
    { m.dual_slope(f, f, f) } -> std::same_as<float>;
    { m.dual_least(x) } -> std::same_as<double>;
    { m.dual_most(f) } -> std::same_as<float>;
    { M::dual_bend } -> std::convertible_to<double>;
};

/// Columns of the weights of a model for a problem with that many classes.
template <class M> std::size_t outputs_of(const M& m, std::size_t classes) {
    if constexpr (MultiOutput<M>)
        return m.outputs(classes);
    else
        return 1;
}

}  // namespace gamut::model

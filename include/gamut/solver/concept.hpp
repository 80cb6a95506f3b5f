// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>
#include <vector>

#include <gamut/communicator/concept.hpp>
#include <gamut/core/result.hpp>

/// What a solver may see. No files, no models, no rows: functions of the weights, whose values are already summed over
/// all ranks and have the same bits on every one of them, and a communicator for what else must be agreed.
namespace gamut::solver {

/// A differentiable function of an array of weights.
///   value_and_gradient(w, gradient)    returns the value; gradient has dimension() entries
template <class F>
concept Function = requires(const F& f, const typename F::array& w, typename F::array& gradient) {
    { f.dimension() } -> std::convertible_to<std::size_t>;
    { f.value(w) } -> std::convertible_to<double>;
    { f.value_and_gradient(w, gradient) } -> std::convertible_to<double>;
};

/// h = hessian(w), made at one point and used many times: h.times(v, out) is out = H v, one pass and one reduction.
template <class F>
concept TwiceDifferentiable = Function<F> && requires(const F& f, const typename F::array& w, typename F::array& out) {
    f.hessian(w).times(w, out);
};

/// What can be minimised.
///   smooth        true: value() is the whole objective, a smooth penalty included.
///                 false: value() is the loss alone, and the objective is value() + penalty().
///   start()       where to begin: zeros, or the weights of an earlier fit
///   passes()      how often value, gradient and products with the Hessian have read the data so far
template <class P>
concept Problem = Function<P> && requires(const P& p) {
    { std::bool_constant<P::smooth>::value } -> std::convertible_to<bool>;
    { p.start() } -> std::convertible_to<typename P::array>;
    { p.passes() } -> std::convertible_to<std::size_t>;
    requires communicator::Communicator<std::remove_cvref_t<decltype(p.communicator())>>;
};

template <class P>
concept SmoothProblem = Problem<P> && P::smooth;

/// A problem whose penalty is known as such. penalty() and prox() are of the whole penalty, smooth or not; the
/// intercepts pass through a prox unchanged.
///   prox(v, step, out)    out = argmin over z of  penalty(z) + |z - v|^2 / (2 step)
///   nonzeros(w)           weights that are not 0, intercepts not counted
template <class P>
concept Composite = Problem<P> && requires(const P& p, const typename P::array& v, typename P::array& out) {
    { p.penalty(v) } -> std::convertible_to<double>;
    p.prox(v, 1.0, out);
    { p.nonzeros(v) } -> std::convertible_to<std::size_t>;
};

/// The loss has corners, and says so: slopes alone do not lead to its minimum.
template <class P> inline constexpr bool has_nonsmooth_loss = requires { requires P::nonsmooth_loss; };

/// A composite problem whose loss is a sum over blocks() parts, none of which talks to others:
///   sum over b of block(b).value(w)  =  the loss at w, without any penalty.
/// This rank owns the parts first_block() <= b < last_block(), maybe none. What a block computes is not counted by
/// passes(): solvers do that, for ranks own different numbers of blocks.
template <class P>
concept Consensus = Composite<P> && requires(const P& p, std::size_t b) {
    { p.blocks() } -> std::convertible_to<std::size_t>;
    { p.first_block() } -> std::convertible_to<std::size_t>;
    { p.last_block() } -> std::convertible_to<std::size_t>;
    requires Function<std::remove_cvref_t<decltype(p.block(b))>>;
};

/// A problem that can look at some columns only: on_columns(columns, penalty, from) is a problem of those columns, with a penalty
/// of its own, that begins at `from`; see problem.hpp.
template <class P>
concept ColumnAccess = Composite<P> &&
    requires(const P& p, std::span<const std::size_t> columns, typename P::array from) {
    *p.on_columns(columns, p.penalty_term(), from);
};

/// second_derivatives(w, entries): those of the loss at w with respect to some weights, as a dense matrix on every rank.
template <class P>
concept SecondDerivatives = Problem<P> &&
    requires(const P& p, const typename P::array& w, std::span<const std::size_t> e) {
    p.second_derivatives(w, e)(std::size_t(0), std::size_t(0));
};

/// Some of the rows, the same ones on any number of ranks: batch `index` of the epoch that (seed, epoch) shuffles.
struct batch {
    static constexpr std::size_t all_rows = static_cast<std::size_t>(-1);  ///< a size: no training, nothing is dropped
    std::size_t size = 0;                                                  ///< rows wanted, over all ranks together
    std::uint64_t seed = 0, epoch = 0;
    std::size_t index = 0;
};

/// A problem that can look at some rows only.
///   batches(size)              batches of about `size` rows in an epoch, which shows every row once
///   batch_gradient(w, b, g)    the value of the batch, scaled as value() is, and its gradient: over the batches of an
///                              epoch both average to those of all rows
template <class P>
concept Stochastic = Problem<P> &&
    requires(const P& p, const typename P::array& w, batch b, typename P::array& gradient) {
    { p.batches(b.size) } -> std::convertible_to<std::size_t>;
    { p.batch_gradient(w, b, gradient) } -> std::convertible_to<double>;
};

/// A problem whose blocks can be nodes, each with a copy of the weights and its own rows:
///   local_gradient(b, w, batch, g)    what node b minimises: the mean over b of value and gradient is batch_gradient's
///   local_prox(v, step, out)          prox, of one copy
/// They never communicate.
template <class P>
concept Decentralised = Consensus<P> && Stochastic<P> &&
    requires(const P& p, std::size_t b, const typename P::array& w, batch rows, typename P::array& gradient) {
    { p.local_gradient(b, w, rows, gradient) } -> std::convertible_to<double>;
    p.local_prox(w, 0.1, gradient);
};

/// A problem in blocks of rows that can ascend their part of the dual; see solver/dual_block.hpp for what that is.
///   dual_block(b)      made once, kept by the solver: it holds the dual variables of block b's rows
template <class P>
concept DualProblem = Composite<P> && requires(const P& p, std::size_t b) {
    { p.blocks() } -> std::convertible_to<std::size_t>;
    { p.first_block() } -> std::convertible_to<std::size_t>;
    { p.last_block() } -> std::convertible_to<std::size_t>;
    { p.has_intercept() } -> std::same_as<bool>;
    { p.threads() } -> std::convertible_to<int>;
    { p.total_weight() } -> std::convertible_to<double>;
    { p.layout().features } -> std::convertible_to<std::size_t>;
    p.penalty_term();
    p.dual_block(b).shorten(1.0);
};

/// The loss is known to be at least 0.
template <class P> bool has_nonnegative_loss(const P& p) {
    if constexpr (requires { p.nonnegative(); })
        return p.nonnegative();
    else if constexpr (requires { P::nonnegative_loss; })
        return P::nonnegative_loss;
    else
        return false;
}

/// A problem that is known at run time only, any_problem, says that its loss is quadratic. Others have gram_rows and the like.
template <class P> bool is_quadratic(const P& p) {
    if constexpr (requires { p.quadratic(); })
        return p.quadratic();
    else
        return false;
}

/// minimize(problem, observers...) returns a result; the solver itself does not change.
template <class S, class P>
concept SolverFor = Problem<P> && requires(const S& solver, const P& p) {
    { solver.minimize(p) } -> std::same_as<core::result<typename P::array>>;
};

/// What a local solver did.
struct improvement {
    std::size_t passes = 0;  ///< over the rows of its function
    double residual = 0;     ///< norm of the gradient of f + rho/2 |w - centre|^2 where it stopped
};

/// improve(f, w, centre, rho) moves w towards argmin f(w) + rho/2 |w - centre|^2, from w, and never talks to other ranks.
template <class S, class F>
concept LocalSolverFor = Function<F> && requires(const S& solver, const F& f, typename F::array& w) {
    { solver.improve(f, w, w, 1.0) } -> std::same_as<improvement>;
};

/// The objective at w: loss and penalty.
template <Problem P> double objective(const P& p, const typename P::array& w) {
    if constexpr (P::smooth)
        return p.value(w);
    else
        return p.value(w) + p.penalty(w);
}

/// What `minimize` is declared to return for a problem that a solver refuses: its body says why, at compile time. It has
/// the members of a result, so that what a program does with them is no error of its own that comes before the reason.
struct refused : core::result<std::vector<double>> {};

}  // namespace gamut::solver

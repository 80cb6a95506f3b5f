// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include <gamut/core/observe.hpp>
#include <gamut/model/concept.hpp>
#include <gamut/model/linear.hpp>
#include <gamut/penalty/concept.hpp>
#include <gamut/penalty/l0.hpp>
#include <gamut/penalty/none.hpp>
#include <gamut/solver/any_problem.hpp>
#include <gamut/solver/problem.hpp>

namespace gamut::solver {

/// A solver says  static constexpr bool takes_any_problem = true;  when any_smooth_problem or any_l0_problem has all that it asks for.
template <class S> inline constexpr bool takes_any_problem = requires { requires S::takes_any_problem; };

namespace detail {

template <class B, class H> class erased_operator final : public any_operator<B> {
public:
    explicit erased_operator(H held) : held_(std::move(held)) {}
    void times(const backend::array<B>& v, backend::array<B>& out) const override { held_.times(v, out); }

private:
    H held_;
};

template <class B, class F> class erased_block final : public any_function<B> {
public:
    using typename any_function<B>::array;
    explicit erased_block(F held) : any_function<B>(held.dimension()), held_(std::move(held)) {}
    double value(const array& w) const override { return held_.value(w); }
    double value_and_gradient(const array& w, array& gradient) const override {
        return held_.value_and_gradient(w, gradient);
    }

private:
    std::unique_ptr<const any_operator<B>> make_hessian(const array& w) const override {
        return std::make_unique<erased_operator<B, decltype(held_.hessian(w))>>(held_.hessian(w));
    }
    F held_;
};

template <class B, class P> class erased_intercepts final : public any_intercepts<B> {
public:
    using typename any_intercepts<B>::array;
    erased_intercepts(const P& whole, array from)
        : part_(whole.on_columns(std::span<const std::size_t>(), penalty::none{}, std::move(from))) {}
    double value_and_gradient(const array& b, array& gradient) const override {
        return part_->value_and_gradient(b, gradient);
    }
    backend::dense_matrix<double> second_derivatives(const array& b,
                                                     std::span<const std::size_t> entries) const override {
        return part_->second_derivatives(b, entries);
    }

private:
    typename P::template column_problem<penalty::none> part_;
};

/// What is the same for all: P behind Interface, which is any_problem or derived from it.
template <class Interface, class P> class erased : public Interface {
    using backend_type = typename P::backend_type;

public:
    using interface_type = Interface;
    using array = typename P::array;

    double value(const array& w) const override { return p_.value(w); }
    double value_and_gradient(const array& w, array& gradient) const override {
        return p_.value_and_gradient(w, gradient);
    }
    array start() const override { return p_.start(); }
    std::size_t passes() const override { return p_.passes(); }
    std::size_t nonzeros(const array& w) const override { return p_.nonzeros(w); }
    std::vector<double> column_squares() const override { return p_.column_squares(); }
    backend::dense_matrix<double> second_derivatives(const array& w,
                                                     std::span<const std::size_t> entries) const override {
        return p_.second_derivatives(w, entries);
    }

protected:
    template <class... More>
    explicit erased(const P& p, More&&... more)
        : Interface(
              {p.communicator(),
               p.dataset().features,
               p.dataset().classes,
               p.dataset().label,
               p.scaling(),
               p.layout(),
               p.dimension(),
               p.rows(),
               p.has_intercept(),
               requires { p.moments();
}, P::nonnegative_loss, p.threads()
}  // namespace detail
,
              std::forward<More>(more)...),
          p_(p) {}
const P& original() const { return p_; }

private:
std::unique_ptr<const any_operator<backend_type>> make_hessian(const array& w) const override {
    return std::make_unique<erased_operator<backend_type, decltype(p_.hessian(w))>>(p_.hessian(w));
}
std::unique_ptr<const any_intercepts<backend_type>> make_intercepts(array from) const override {
    return std::make_unique<erased_intercepts<backend_type, P>>(p_, std::move(from));
}
const P& p_;
};  // namespace gamut::solver

template <class P>
using smooth_interface = any_smooth_problem<typename P::backend_type,
                                            std::remove_cvref_t<decltype(std::declval<const P&>().communicator())>>;
template <class P>
using l0_interface =
    any_l0_problem<typename P::backend_type, std::remove_cvref_t<decltype(std::declval<const P&>().communicator())>>;

template <class P> class erased_smooth final : public erased<smooth_interface<P>, P> {
public:
    explicit erased_smooth(const P& p)
        : erased<smooth_interface<P>, P>(
              p, static_cast<double>(p.penalty_term().second_derivative(typename P::value_type(0)))) {}
};

template <class P> class erased_l0 final : public erased<l0_interface<P>, P> {
    using part_type = typename P::template column_problem<penalty::l0>;
    using erased<l0_interface<P>, P>::original;

public:
    using typename erased<l0_interface<P>, P>::array;

    /// part: what p belongs to, if that is nobody else's.
    explicit erased_l0(const P& p, std::unique_ptr<const part_type> part = {})
        : erased<l0_interface<P>, P>(p, p.penalty_term()),
          part_(std::move(part)) {}

    double penalty(const array& w) const override { return original().penalty(w); }
    void prox(const array& v, double step, array& out) const override { original().prox(v, step, out); }
    std::size_t blocks() const override { return original().blocks(); }
    std::size_t first_block() const override { return original().first_block(); }
    std::size_t last_block() const override { return original().last_block(); }

private:
    std::unique_ptr<const any_function<typename P::backend_type>> make_block(std::size_t b) const override {
        return std::make_unique<erased_block<typename P::backend_type, decltype(original().block(b))>>(
            original().block(b));
    }
    std::unique_ptr<const l0_interface<P>> make_part(std::span<const std::size_t> columns, const penalty::l0& penalty,
                                                     array from) const override {
        std::unique_ptr<const part_type> part(new part_type(original().on_columns(columns, penalty, std::move(from))));
        const P& p = **part;
        return std::make_unique<erased_l0>(p, std::move(part));
    }
    std::unique_ptr<const part_type> part_;
};

/// The interface that a problem can be seen through; void: it is seen as it is.
template <class P> struct seen_through { using type = void; };
template <class Model, class Dataset, class Penalty, class Backend, class C>
requires(Backend::host_memory) struct seen_through<problem<Model, Dataset, Penalty, Backend, C>> {
    using P = problem<Model, Dataset, Penalty, Backend, C>;
    static constexpr bool counts =
        std::is_same_v<Penalty, penalty::l0> && !std::is_same_v<Model, model::linear> && model::is_convex<Model>;
    using type = std::conditional_t<P::smooth, erased_smooth<P>, std::conditional_t<counts, erased_l0<P>, void>>;
};

/// It is to be seen through that, and the solver does not refuse it so.
template <class Solver, class P, class Seen = typename seen_through<P>::type>
concept SolvesErased =
    takes_any_problem<Solver> && !std::is_void_v<Seen> && SolverFor<Solver, typename Seen::interface_type>;

}  // namespace detail

/// solver.minimize(problem, observers...), with the problem behind an interface where the solver knows it through one: the same
/// bits, and one instance of the solver for all models and matrices.
template <class Solver, class P, class... O>
[[gnu::cold]] auto minimize(const Solver& solver, const P& problem, O&&... observers) {
    if constexpr (detail::SolvesErased<Solver, P>) {
        using seen = typename detail::seen_through<P>::type;
        const seen any(problem);
        if constexpr (sizeof...(O) == 0) {
            return solver::minimize_any(solver, static_cast<const typename seen::interface_type&>(any),
                                        core::any_observer());
        } else {
            core::observers<std::remove_reference_t<O>...> all(observers...);
            using erased_observer = std::conditional_t<core::may_keep<core::observers<std::remove_reference_t<O>...>>,
                                                       core::any_keeper, core::any_observer>;
            return solver::minimize_any(solver, static_cast<const typename seen::interface_type&>(any),
                                        erased_observer(all));
        }
    } else {
        return solver.minimize(problem, observers...);
    }
}

}  // namespace gamut::solver

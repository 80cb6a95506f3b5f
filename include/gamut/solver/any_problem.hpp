// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <gamut/backend/array.hpp>
#include <gamut/backend/matrix.hpp>
#include <gamut/core/names.hpp>
#include <gamut/core/observe.hpp>
#include <gamut/core/result.hpp>
#include <gamut/data/standardize.hpp>
#include <gamut/fwd.hpp>
#include <gamut/penalty/concept.hpp>
#include <gamut/penalty/l0.hpp>
#include <gamut/penalty/none.hpp>

/// Problems whose model and matrix are hidden behind one virtual call per pass over the data. Kernels stay templates of model and
/// matrix; a solver is compiled once per backend and communicator, by whoever fits first or in the library gamut::compiled.
/// erased_problem.hpp makes one of a problem. See docs/decisions/0018-solvers-compiled-once.md.
namespace gamut::solver {

/// out = H v, one pass.
template <class B> class any_operator {
public:
    virtual ~any_operator() = default;
    virtual void times(const backend::array<B>& v, backend::array<B>& out) const = 0;
};

/// The loss as a function of some weights; see Function in concept.hpp.
template <class B> class any_function {
public:
    using array = backend::array<B>;
    using value_type = typename B::value_type;

    explicit any_function(std::size_t dimension) : dimension_(dimension) {}
    virtual ~any_function() = default;

    std::size_t dimension() const { return dimension_; }
    virtual double value(const array& w) const = 0;
    virtual double value_and_gradient(const array& w, array& gradient) const = 0;

    /// See TwiceDifferentiable.
    class hessian_at {
    public:
        explicit hessian_at(std::unique_ptr<const any_operator<B>> held) : held_(std::move(held)) {}
        void times(const array& v, array& out) const { held_->times(v, out); }

    private:
        std::unique_ptr<const any_operator<B>> held_;
    };
    hessian_at hessian(const array& w) const { return hessian_at(make_hessian(w)); }

protected:
    virtual std::unique_ptr<const any_operator<B>> make_hessian(const array& w) const = 0;

private:
    std::size_t dimension_;
};

/// The loss as a function of the intercepts alone.
template <class B> class any_intercepts {
public:
    using array = backend::array<B>;
    virtual ~any_intercepts() = default;
    virtual double value_and_gradient(const array& b, array& gradient) const = 0;
    virtual backend::dense_matrix<double> second_derivatives(const array& b,
                                                             std::span<const std::size_t> entries) const = 0;
};

/// What all solvers ask of a problem in this process's memory. It refers to the problem that it is made of.
template <class B, class C> class any_problem : public any_function<B> {
public:
    using backend_type = B;
    using typename any_function<B>::array;

    /// What does not change.
    struct facts {
        const C& communicator;
        const core::names& feature_names;
        const std::vector<std::string>& class_names;
        const std::string& label;
        const data::standardization& scaling;
        penalty::layout layout{};
        std::size_t dimension = 0, rows = 0;
        bool has_intercept = false, quadratic = false, nonnegative = false;
        int threads = 1;
    };
    explicit any_problem(const facts& known) : any_function<B>(known.dimension), facts_(known) {}

    const C& communicator() const { return facts_.communicator; }
    const core::names& feature_names() const { return facts_.feature_names; }
    const std::vector<std::string>& class_names() const { return facts_.class_names; }
    const std::string& label() const { return facts_.label; }
    const data::standardization& scaling() const { return facts_.scaling; }
    penalty::layout layout() const { return facts_.layout; }
    std::size_t rows() const { return facts_.rows; }
    int threads() const { return facts_.threads; }
    bool has_intercept() const { return facts_.has_intercept; }
    /// The loss is quadratic in the weights; see is_quadratic in stopping.hpp.
    bool quadratic() const { return facts_.quadratic; }
    /// The loss is at least 0.
    bool nonnegative() const { return facts_.nonnegative; }

    virtual array start() const = 0;
    virtual std::size_t passes() const = 0;
    virtual std::size_t nonzeros(const array& w) const = 0;
    virtual std::vector<double> column_squares() const = 0;
    virtual backend::dense_matrix<double> second_derivatives(const array& w,
                                                             std::span<const std::size_t> entries) const = 0;

    /// No columns: what best_start asks for.
    std::unique_ptr<const any_intercepts<B>> on_columns(std::span<const std::size_t>, const penalty::none&,
                                                        array from) const {
        return make_intercepts(std::move(from));
    }

protected:
    virtual std::unique_ptr<const any_intercepts<B>> make_intercepts(array from) const = 0;

private:
    facts facts_;
};

/// A problem with a smooth penalty, which is part of value() and of gradients.
template <class B, class C> class any_smooth_problem : public any_problem<B, C> {
public:
    static constexpr bool smooth = true;

    /// Of the penalty solvers ask only how curved it is at 0.
    struct curvature {
        double at_zero = 0;
        double second_derivative(typename B::value_type) const { return at_zero; }
    };
    any_smooth_problem(const typename any_problem<B, C>::facts& known, double curvature_at_zero)
        : any_problem<B, C>(known),
          penalty_{curvature_at_zero} {}

    const curvature& penalty_term() const { return penalty_; }

private:
    curvature penalty_;
};

/// A problem with penalty::l0 and a convex loss that is not quadratic.
template <class B, class C> class any_l0_problem : public any_problem<B, C> {
public:
    using typename any_function<B>::array;
    static constexpr bool smooth = false;

    any_l0_problem(const typename any_problem<B, C>::facts& known, const penalty::l0& penalty)
        : any_problem<B, C>(known),
          penalty_(penalty) {}

    const penalty::l0& penalty_term() const { return penalty_; }
    virtual double penalty(const array& w) const = 0;
    virtual void prox(const array& v, double step, array& out) const = 0;

    /// See Consensus.
    virtual std::size_t blocks() const = 0;
    virtual std::size_t first_block() const = 0;
    virtual std::size_t last_block() const = 0;
    class block_function {
    public:
        using array = backend::array<B>;
        explicit block_function(std::unique_ptr<const any_function<B>> held) : held_(std::move(held)) {}
        std::size_t dimension() const { return held_->dimension(); }
        double value(const array& w) const { return held_->value(w); }
        double value_and_gradient(const array& w, array& gradient) const {
            return held_->value_and_gradient(w, gradient);
        }
        auto hessian(const array& w) const { return held_->hessian(w); }

    private:
        std::unique_ptr<const any_function<B>> held_;
    };
    block_function block(std::size_t b) const { return block_function(make_block(b)); }

    /// See ColumnAccess.
    using any_problem<B, C>::on_columns;
    std::unique_ptr<const any_l0_problem> on_columns(std::span<const std::size_t> columns, const penalty::l0& penalty,
                                                     array from = {}) const {
        return make_part(columns, penalty, std::move(from));
    }

protected:
    virtual std::unique_ptr<const any_function<B>> make_block(std::size_t b) const = 0;
    virtual std::unique_ptr<const any_l0_problem> make_part(std::span<const std::size_t> columns,
                                                            const penalty::l0& penalty, array from) const = 0;

private:
    penalty::l0 penalty_;
};

/// solver.minimize(problem, observer), out of line: what gamut::compiled holds of each solver, for core::any_observer; see compiled.hpp.
/// Runs that core::any_keeper watches are compiled where they stand.
template <class Solver, class P, class Observer>
core::result<typename P::array> minimize_any(const Solver& solver, const P& problem, Observer observer) {
    return solver.minimize(problem, observer);
}

}  // namespace gamut::solver

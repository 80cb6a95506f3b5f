// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <utility>
#include <vector>

#include <gamut/autodiff/blocks.hpp>
#include <gamut/autodiff/program.hpp>
#include <gamut/backend/array.hpp>
#include <gamut/backend/host.hpp>
#include <gamut/communicator/agree.hpp>
#include <gamut/communicator/single.hpp>
#include <gamut/data/standardize.hpp>
#include <gamut/fwd.hpp>
#include <gamut/penalty/concept.hpp>
#include <gamut/penalty/none.hpp>
#include <gamut/solver/concept.hpp>
#include <gamut/solver/formula_rows.hpp>

namespace gamut::solver {

/// A formula of blocks of parameters, over the rows of all ranks, as something that any solver minimises:
///
///     struct names { autodiff::matrix<0> hidden{4, 8}; autodiff::vector<1> output{8}; } w;
///     const auto loss = mean(square(tanh(X * w.hidden) * w.output - y));
///     solver::formula_problem problem(loss, w, rows, start);
///     const auto found = solver::lbfgs{}.minimize(problem);
///
/// The weights are all blocks, one after another, each row-major. The penalty sees blocks that multiply (matrices and vectors, and
/// those that are looked up), not rows and numbers. What the formula says of "the rows at hand" (column_mean) is of at most 128 of a
/// group; see formula_rows.hpp. dropout drops in batches only.
/// Value, gradient, product with the Hessian: one pass over the rows and one global sum each; a product costs about two gradients.
/// Twice = false: there are no products with the Hessian, and no code for them.
template <class Program, class Dataset, class Penalty, class Backend, class C, bool Twice> class formula_problem {
    using rows_type = formula_rows<Program, Dataset, Backend, C>;
    using T = typename Backend::value_type;
    static_assert(penalty::Separable<Penalty, T>,
                  "formula_problem: needs a penalty that is a sum over weights, such as none, l2 or l1");

public:
    using backend_type = Backend;
    using array = backend::array<Backend>;
    using value_type = T;
    static constexpr bool smooth = penalty::Smooth<Penalty, T>;

    /// The rows are referred to and must live as long as the problem. Collective.
    /// Throws shape_error, the same on all ranks, where formula, blocks and data do not fit.
    template <autodiff::Expression E, class Names>
    formula_problem(const E& formula, const Names& names, const Dataset& rows, const std::vector<T>& start,
                    Penalty penalty = {}, Backend machine = {}, C ranks = {}, data::standardization scaling = {})
        : formula_problem(autodiff::cut(formula), autodiff::shapes_of(names), rows, start, std::move(penalty), machine,
                          std::move(ranks), std::move(scaling)) {}
    formula_problem(const Program& program, std::vector<autodiff::block_shape> blocks, const Dataset& rows,
                    const std::vector<T>& start, Penalty penalty = {}, Backend machine = {}, C ranks = {},
                    data::standardization scaling = {})
        : blocks_(std::move(blocks)),
          penalty_(std::move(penalty)),
          rows_(program, blocks_, rows, machine, ranks, std::move(scaling)),
          start_(std::span<const T>(start)) {
        if (start.size() != rows_.dimension())
            throw core::shape_error(core::text("formula_problem: a start of ", start.size(),
                                               " numbers (the blocks have ", rows_.dimension(), ") give one for each"));
        std::size_t offset = 0;
        for (std::size_t b = 0; b < blocks_.size(); ++b) {
            const std::size_t size = blocks_[b].size();
            if (autodiff::multiplied_blocks<Program>.has(b)) {
                const penalty::layout layout{blocks_[b].rows, blocks_[b].columns};
                penalty::validate(penalty_, layout);
                penalised_.push_back({b, offset, layout});
            }
            offset += size;
        }
        sums_.resize(dimension() + 1);
    }

    std::size_t dimension() const { return rows_.dimension(); }
    const std::vector<autodiff::block_shape>& blocks_of_parameters() const { return blocks_; }
    const C& communicator() const { return rows_.ranks(); }
    const Dataset& dataset() const { return rows_.data(); }
    const data::standardization& scaling() const { return rows_.scaling(); }
    const array& start() const { return start_; }
    std::size_t passes() const { return passes_; }
    const rows_type& rows() const { return rows_; }

    double value(const array& w) const {
        ++passes_;
        double loss = 0;
        rows_.loss(w.data(), std::span<double>(&loss, 1));
        if constexpr (smooth) loss += penalty(w);
        return loss;
    }
    double value_and_gradient(const array& w, array& gradient) const {
        ++passes_;
        rows_.gradient(w.data(), sums_);
        return with_penalty(w, gradient);
    }

    /// h.times(v, out): out = H v.
    class hessian_at {
    public:
        void times(const array& v, array& out) const {
            const formula_problem& p = *problem_;
            ++p.passes_;
            p.rows_.hessian(at_.data(), v.data(), std::span(p.sums_).first(p.dimension()));
            for (std::size_t k = 0; k < out.size(); ++k) out[k] = static_cast<T>(p.sums_[k]);
            if constexpr (smooth)
                for (const auto& block : p.penalised_)
                    for (std::size_t k = block.offset; k < block.offset + block.layout.size(); ++k)
                        out[k] += p.penalty_.second_derivative(at_[k]) * v[k];
        }

    private:
        friend class formula_problem;
        hessian_at(const formula_problem& p, const array& w) : problem_(&p), at_(w) {}
        const formula_problem* problem_;
        array at_;
    };
    hessian_at hessian(const array& w) const requires Twice { return {*this, w}; }

    double penalty(const array& w) const {
        double sum = 0;
        for (const auto& block : penalised_)
            sum += penalty::value(penalty_, w.span().subspan(block.offset, block.layout.size()), block.layout);
        return sum;
    }
    void prox(const array& v, double step, array& out) const {
        std::copy_n(v.data(), v.size(), out.data());
        for (const auto& block : penalised_) {
            const std::span<T> entries = out.span().subspan(block.offset, block.layout.size());
            penalty::prox(penalty_, std::span<const T>(entries), static_cast<T>(step), entries, block.layout);
        }
    }
    std::size_t nonzeros(const array& w) const { return backend::count_nonzeros(w); }
    /// The penalty of one block of parameters at w, which is added to its gradient.
    double add_penalty(std::size_t block, const T* w, T* gradient) const requires smooth {
        for (const auto& one : penalised_) {
            if (one.block != block) continue;
            for (std::size_t k = 0; k < one.layout.size(); ++k) gradient[k] += penalty_.derivative(w[k]);
            return penalty::value(penalty_, std::span<const T>(w, one.layout.size()), one.layout);
        }
        return 0;
    }

    std::size_t batches(std::size_t size) const { return rows_.batches(size); }
    double batch_gradient(const array& w, const batch& wanted, array& gradient) const {
        rows_.gradient(w.data(), wanted, sums_);
        if (wanted.index + 1 == batches(wanted.size)) ++passes_;
        return with_penalty(w, gradient);
    }

private:
    struct penalised_block {
        std::size_t block, offset;
        penalty::layout layout;
    };
    double with_penalty(const array& w, array& gradient) const {
        for (std::size_t k = 0; k < gradient.size(); ++k) gradient[k] = static_cast<T>(sums_[k]);
        double value = sums_.back();
        if constexpr (smooth) {
            for (const auto& block : penalised_)
                for (std::size_t k = block.offset; k < block.offset + block.layout.size(); ++k)
                    gradient[k] += penalty_.derivative(w[k]);
            value += penalty(w);
        }
        return value;
    }

    std::vector<autodiff::block_shape> blocks_;
    Penalty penalty_;
    rows_type rows_;
    array start_;
    std::vector<penalised_block> penalised_;
    mutable std::vector<double> sums_;
    mutable std::size_t passes_ = 0;
};

template <autodiff::Expression E, class Names, class Dataset, class T, class Penalty = penalty::none,
          class Backend = backend::host<T>, class C = communicator::single<>>
formula_problem(const E&, const Names&, const Dataset&, const std::vector<T>&, Penalty = {}, Backend = {}, C = {},
                data::standardization = {})
    -> formula_problem<decltype(autodiff::cut(std::declval<const E&>())), Dataset, Penalty, Backend, C>;

}  // namespace gamut::solver

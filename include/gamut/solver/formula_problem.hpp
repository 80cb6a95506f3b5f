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
        rows_.gradient(w.data(), sums());
        return with_penalty(w, gradient);
    }

    /// h.times(v, out): out = H v.
    class hessian_at {
    public:
        void times(const array& v, array& out) const {
            const formula_problem& p = *problem_;
            ++p.passes_;
            p.rows_.hessian(at_.data(), v.data(), std::span(p.sums()).first(p.dimension()));
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
        rows_.gradient(w.data(), wanted, sums());
        count_batch(wanted);
        return with_penalty(w, gradient);
    }

    // every group of rows as a node with its own copy of the weights; see solver::Decentralised
    void local_prox(const array& v, double step, array& out) const { prox(v, step, out); }
    double local_gradient(std::size_t b, const array& w, const batch& wanted, array& gradient) const {
        rows_.group_gradient(b, w.data(), wanted, sums());
        for (double& sum : sums_) sum *= static_cast<double>(blocks());
        return with_penalty(w, gradient);
    }

    std::size_t blocks() const { return dataset().partition.blocks; }
    std::size_t first_block() const { return rows_.groups().begin; }
    std::size_t last_block() const { return rows_.groups().end; }
    /// The loss of one of this rank's groups, without penalty. It refers to the problem.
    struct group {
        using array = formula_problem::array;
        const formula_problem& problem;
        std::size_t number;

        std::size_t dimension() const { return problem.dimension(); }
        double value(const array& w) const { return problem.rows_.group_loss(number, w.data()); }
        double value_and_gradient(const array& w, array& gradient) const {
            problem.rows_.group_gradient(number, w.data(), problem.sums());
            for (std::size_t k = 0; k < gradient.size(); ++k) gradient[k] = static_cast<T>(problem.sums_[k]);
            return problem.sums_.back();
        }
    };
    group block(std::size_t b) const { return {*this, b}; }

    /// The memory that evaluations keep, until the next one: for those who run the steps elsewhere.
    void give_back() const {
        rows_.give_back();
        std::vector<double>().swap(sums_);
    }

    // ---- for those who sum gradients block by block ----
    /// The objective of a loss; adds what a smooth penalty adds to the gradient of that.
    double add_penalty(double loss, const array& w, array& gradient) const {
        if constexpr (smooth) {
            for (const auto& one : penalised_)
                add_slopes(one.block, w.span().subspan(one.offset, one.layout.size()),
                           gradient.span().subspan(one.offset, one.layout.size()));
            loss += penalty(w);
        }
        return loss;
    }
    /// The same for some entries of a block alone; 0 where the penalty does not look.
    void add_slopes(std::size_t block, std::span<const T> w, std::span<T> gradient) const requires smooth {
        if (find(block) != nullptr)
            for (std::size_t k = 0; k < w.size(); ++k) gradient[k] += penalty_.derivative(w[k]);
    }
    /// The penalty of a block.
    double penalty_of(std::size_t block, std::span<const T> w) const {
        const penalised_block* const one = find(block);
        return one != nullptr ? penalty::value(penalty_, w, one->layout) : 0;
    }
    /// A batch's gradient was summed elsewhere.
    void count_batch(const batch& done) const {
        if (done.index + 1 == batches(done.size)) ++passes_;
    }

private:
    struct penalised_block {
        std::size_t block, offset;
        penalty::layout layout;
    };
    const penalised_block* find(std::size_t block) const {
        for (const auto& one : penalised_)
            if (one.block == block) return &one;
        return nullptr;
    }
    /// [ gradient | loss ]; taken when it is wanted first.
    std::vector<double>& sums() const {
        sums_.resize(dimension() + 1);
        return sums_;
    }
    double with_penalty(const array& w, array& gradient) const {
        for (std::size_t k = 0; k < gradient.size(); ++k) gradient[k] = static_cast<T>(sums_[k]);
        return add_penalty(sums_.back(), w, gradient);
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

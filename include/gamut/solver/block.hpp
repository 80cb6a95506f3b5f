// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <span>

#include <gamut/backend/matrix.hpp>
#include <gamut/backend/sweep.hpp>
#include <gamut/model/concept.hpp>
#include <gamut/solver/dual_block.hpp>
#include <gamut/solver/problem_rows.hpp>
#include <gamut/solver/scaled_weights.hpp>

namespace gamut::solver {

/// The loss of one of this rank's blocks of rows, without penalty: the sum over all blocks is the loss. It never communicates, and
/// refers to the problem it is of. A pass over the block's rows for each of value, value_and_gradient, hessian(w) and a product
/// with that.
template <class Rows, class Scaled> class block {
public:
    using array = typename Scaled::array;
    using value_type = typename array::value_type;

    block(const Rows& rows, const Scaled& scaled, backend::shard_range shards)
        : rows_(&rows),
          scaled_(&scaled),
          shards_(shards) {}

    std::size_t dimension() const { return scaled_->dimension(); }
    double value(const array& w) const {
        const auto e = scaled_->effective_weights(w);
        const auto partials = rows_->partials(shards_.size());
        rows_->sweep().value(e.w(), e.b(), shards_, partials.data());
        double sum = 0;
        for (const double part : partials) sum += part;
        return sum;
    }
    double value_and_gradient(const array& w, array& gradient) const {
        const auto e = scaled_->effective_weights(w);
        const std::size_t m = rows_->sweep().gradient_size();
        const auto partials = rows_->partials(shards_.size() * m);
        rows_->sweep().gradient(e.w(), e.b(), shards_, partials.data());
        const std::span<double> sum = add_rows(partials, m);
        scaled_->to_gradient(sum, gradient);
        return sum.back();
    }
    /// Of some of its rows: rows[s] for every shard s of this rank. The slopes of a penalty, `bends`, are added to the gradient, after
    /// both were multiplied by `factor`.
    double rows_gradient(const array& w, std::span<const backend::row_range> rows, double factor, array& gradient,
                         std::span<const value_type> bends = {}) const {
        const auto e = scaled_->effective_weights(w);
        const std::size_t m = rows_->sweep().gradient_size();
        const auto partials = rows_->partials(shards_.size() * m);
        rows_->sweep().gradient(e.w(), e.b(), shards_, rows, partials.data());
        const std::span<double> sum = add_rows(partials, m);
        for (double& s : sum) s *= factor;
        scaled_->to_gradient(sum, gradient, bends);
        return sum.back();
    }
    class hessian_at {
    public:
        void times(const array& v, array& out) const {
            const auto e = block_.scaled_->effective_weights(v);
            const auto& sweep = block_.rows_->sweep();
            const std::size_t m = sweep.hessian_size();
            const auto partials = block_.rows_->partials(block_.shards_.size() * m);
            sweep.hessian(curvature_, e.w(), e.b(), block_.shards_, partials.data());
            block_.scaled_->to_gradient(add_rows(partials, m), out);
        }

    private:
        friend class block;
        hessian_at(const block& of, const array& w) : block_(of) {
            const auto e = of.scaled_->effective_weights(w);
            of.rows_->sweep().linearize(e.w(), e.b(), of.shards_, curvature_);
        }
        block block_;
        typename Rows::sweep_type::curvature curvature_;
    };
    hessian_at hessian(const array& w) const { return hessian_at(*this, w); }

private:
    /// The first row becomes the sum of the rows, in their order.
    static std::span<double> add_rows(std::span<double> partials, std::size_t m) {
        const std::span<double> sum = partials.first(m);
        for (std::size_t r = 1; r * m < partials.size(); ++r)
            for (std::size_t j = 0; j < m; ++j) sum[j] += partials[r * m + j];
        return sum;
    }

    const Rows* rows_;
    const Scaled* scaled_;
    backend::shard_range shards_;
};

/// Block b of a problem's rows, b counted over all ranks: one of this rank's.
template <class Rows, class Scaled>
block<Rows, Scaled> block_of(const Rows& rows, const Scaled& scaled, std::size_t b) {
    const std::size_t per_block = rows.shards_of_a_block(), first = b - rows.own_blocks().begin;
    return {rows, scaled, {first * per_block, (first + 1) * per_block}};
}

/// The dual variables of the rows of one of this rank's blocks. It refers to the data and the scaling.
template <class Model, class Rows, class Scaled>
auto dual_block_of(const Model& model, const Rows& rows, const Scaled& scaled, std::size_t b) {
    const auto& data = rows.data();
    const data::range own = data.partition.block_rows(b);
    return solver::dual_block<Model, typename Rows::matrix_type>(
        model, data.x, {own.begin - data.first_row, own.end - data.first_row},
        {data.y.data(), data.weights.empty() ? nullptr : data.weights.data(), rows.total_weight()}, scaled.scaling(),
        scaled.has_intercept());
}

}  // namespace gamut::solver

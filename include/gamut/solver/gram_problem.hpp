// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include <gamut/backend/array.hpp>
#include <gamut/backend/gram.hpp>
#include <gamut/backend/matrix.hpp>
#include <gamut/communicator/single.hpp>
#include <gamut/penalty/concept.hpp>
#include <gamut/solver/concept.hpp>

namespace gamut::solver {

/// A problem whose loss is quadratic in the weights, 1/2 w'Gw - q'w + constant, and which can say so.
///   moments()    { gram: d x d, slope: q, constant }, the same on all ranks; one pass over the data, one global sum of
///                about d^2 numbers
template <class P>
concept Quadratic = Problem<P> && requires(const P& p) {
    p.moments();
};

/// The same problem in terms of its Gram matrix: after one pass nothing reads the data and nothing is sent, every rank
/// does the same on its own. Each product with G costs d^2, however many rows there were. Some of its columns are a problem of
/// the same type, with a part of the matrix.
template <class P> class gram_problem {
    static_assert(Quadratic<P> && Composite<P>, "gram_problem: needs a composite problem with moments()");
    using moments_type = std::remove_cvref_t<decltype(std::declval<const P&>().moments())>;
    using penalty_type = std::remove_cvref_t<decltype(std::declval<const P&>().penalty_term())>;

public:
    using array = typename P::array;
    using value_type = typename array::value_type;
    static constexpr bool smooth = false;

    explicit gram_problem(const P& rows)
        : gram_problem(rows.moments(), rows.penalty_term(), rows.layout(), rows.start(), rows.threads()) {}

    /// For second moments that are known already.
    gram_problem(moments_type moments, const penalty_type& penalty, penalty::layout shape, array start, int threads)
        : moments_(std::make_shared<const moments_type>(std::move(moments))),
          slope_(std::span<const value_type>(moments_->slope)),
          start_(std::move(start)),
          penalty_(penalty),
          shape_(shape),
          threads_(threads) {}

    std::size_t dimension() const { return slope_.size(); }
    communicator::single<> communicator() const { return {}; }
    const array& start() const { return start_; }
    std::size_t passes() const { return 0; }
    std::size_t rows() const { return 0; }
    int threads() const { return threads_; }

    double value(const array& w) const {
        array product(w.size());
        multiply(w, product);
        return 0.5 * backend::dot(w, product) - backend::dot(slope_, w) + moments_->constant;
    }
    double value_and_gradient(const array& w, array& gradient) const {
        multiply(w, gradient);
        const double value = 0.5 * backend::dot(w, gradient) - backend::dot(slope_, w) + moments_->constant;
        gradient = gradient - slope_;
        return value;
    }
    struct hessian_of {
        const gram_problem& problem;
        void times(const array& v, array& out) const { problem.multiply(v, out); }
    };
    hessian_of hessian(const array&) const { return {*this}; }
    const moments_type& moments() const { return *moments_; }

    backend::dense_matrix<double> second_derivatives(const array&, std::span<const std::size_t> entries) const {
        backend::dense_matrix<double> part(entries.size(), entries.size());
        for (std::size_t i = 0; i < entries.size(); ++i)
            for (std::size_t j = 0; j < entries.size(); ++j)
                part(i, j) = static_cast<double>(moments_->gram(entries[i], entries[j]));
        return part;
    }
    std::vector<double> column_squares() const {
        std::vector<double> squares(shape_.features);
        for (std::size_t j = 0; j < squares.size(); ++j) squares[j] = static_cast<double>(moments_->gram(j, j));
        return squares;
    }

    double penalty(const array& w) const { return penalty::value(penalty_, w.span().first(shape_.size()), shape_); }
    void prox(const array& v, double step, array& out) const {
        const std::vector<value_type> given = v.download();
        std::vector<value_type> result = given;
        penalty::prox(penalty_, std::span<const value_type>(given).first(shape_.size()), static_cast<value_type>(step),
                      std::span<value_type>(result).first(shape_.size()), shape_);
        out.upload(result);
    }
    std::size_t nonzeros(const array& w) const {
        const auto weights = w.span().first(shape_.size());
        return weights.size() - static_cast<std::size_t>(std::count(weights.begin(), weights.end(), value_type(0)));
    }
    const penalty_type& penalty_term() const { return penalty_; }
    penalty::layout layout() const { return shape_; }

    /// See ColumnAccess.
    class column_problem {
    public:
        explicit column_problem(gram_problem part) : part_(std::move(part)) {}
        const gram_problem& operator*() const { return part_; }
        const gram_problem* operator->() const { return &part_; }

    private:
        gram_problem part_;
    };
    column_problem on_columns(std::span<const std::size_t> columns, const penalty_type& penalty,
                              array from = {}) const {
        std::vector<std::size_t> kept(columns.begin(), columns.end());
        for (std::size_t e = shape_.size(); e < dimension(); ++e) kept.push_back(e);
        moments_type part{backend::dense_matrix<value_type>(kept.size(), kept.size()),
                          std::vector<value_type>(kept.size()), moments_->constant};
        for (std::size_t i = 0; i < kept.size(); ++i) {
            for (std::size_t j = 0; j < kept.size(); ++j) part.gram(i, j) = moments_->gram(kept[i], kept[j]);
            part.slope[i] = moments_->slope[kept[i]];
        }
        if (from.size() == 0) from = array(kept.size());
        return column_problem(gram_problem(std::move(part), penalty, {columns.size(), 1}, std::move(from), threads_));
    }

    /// The same loss with another penalty; the matrix is shared.
    gram_problem with_penalty(const penalty_type& penalty) const {
        gram_problem other = *this;
        other.penalty_ = penalty;
        return other;
    }

    /// One block: the loss itself.
    std::size_t blocks() const { return 1; }
    std::size_t first_block() const { return 0; }
    std::size_t last_block() const { return 1; }
    const gram_problem& block(std::size_t) const { return *this; }

private:
    void multiply(const array& v, array& out) const { backend::multiply(moments_->gram, v.data(), out.data()); }

    std::shared_ptr<const moments_type> moments_;
    array slope_, start_;
    penalty_type penalty_;
    penalty::layout shape_;
    int threads_;
};

}  // namespace gamut::solver

// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <vector>

#include <gamut/backend/array.hpp>
#include <gamut/backend/gram.hpp>
#include <gamut/backend/matrix.hpp>
#include <gamut/communicator/single.hpp>
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
/// does the same on its own. Each product with G costs d^2, however many rows there were.
template <class P> class gram_problem {
    static_assert(Quadratic<P> && Composite<P>, "gram_problem: needs a composite problem with moments()");

public:
    using array = typename P::array;
    using value_type = typename array::value_type;
    static constexpr bool smooth = false;

    explicit gram_problem(const P& rows)
        : rows_(rows),
          moments_(rows.moments()),
          slope_(std::span<const value_type>(moments_.slope)) {}

    std::size_t dimension() const { return rows_.dimension(); }
    communicator::single<> communicator() const { return {}; }
    array start() const { return rows_.start(); }
    std::size_t passes() const { return 0; }

    double value(const array& w) const {
        array product(w.size());
        multiply(w, product);
        return 0.5 * backend::dot(w, product) - backend::dot(slope_, w) + moments_.constant;
    }
    double value_and_gradient(const array& w, array& gradient) const {
        multiply(w, gradient);
        const double value = 0.5 * backend::dot(w, gradient) - backend::dot(slope_, w) + moments_.constant;
        gradient = gradient - slope_;
        return value;
    }
    struct hessian_of {
        const gram_problem& problem;
        void times(const array& v, array& out) const { problem.multiply(v, out); }
    };
    hessian_of hessian(const array&) const { return {*this}; }

    double penalty(const array& w) const { return rows_.penalty(w); }
    void prox(const array& v, double step, array& out) const { rows_.prox(v, step, out); }
    std::size_t nonzeros(const array& w) const { return rows_.nonzeros(w); }
    decltype(auto) penalty_term() const { return rows_.penalty_term(); }
    auto layout() const { return rows_.layout(); }

    /// One block: the loss itself.
    std::size_t blocks() const { return 1; }
    std::size_t first_block() const { return 0; }
    std::size_t last_block() const { return 1; }
    const gram_problem& block(std::size_t) const { return *this; }

private:
    void multiply(const array& v, array& out) const { backend::multiply(moments_.gram, v.data(), out.data()); }

    const P& rows_;
    decltype(std::declval<const P&>().moments()) moments_;
    array slope_;
};

}  // namespace gamut::solver

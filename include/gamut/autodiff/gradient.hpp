// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>

#include <gamut/autodiff/concept.hpp>
#include <gamut/autodiff/dual.hpp>
#include <gamut/autodiff/leaf.hpp>
#include <gamut/autodiff/node.hpp>
#include <gamut/autodiff/reduce.hpp>

/// The compile-time reverse pass. A loss is a total over rows whose dependence on the weights goes through the product
/// Z = X W alone, so its gradient is X' S with S = d loss / d Z, one row of S per row of Z. A backend computes Z for a few
/// rows, calls `pull_row` for S, and adds X' S, all while those rows of X are in cache: the data are read once.
namespace gamut::autodiff {

template <class Formula>
concept Loss = Expression<Formula> &&(shape_of<Formula> == shape::total) && Formula::active;

/// What a formula reads and writes at one row, or at one vector of rows if V is a vector of numbers.
///   values, adjoints   outputs
///   scratch            scratch_of<Formula> x outputs
template <class V> class rows {
public:
    using value_type = V;

    constexpr rows(std::size_t outputs, const V* values, V* adjoints, V* scratch)
        : outputs_(outputs),
          values_(values),
          adjoints_(adjoints),
          scratch_(scratch) {}

    /// Moves to another row: its label, sample weight omega_i, and omega_i / Omega.
    constexpr void move_to(const V& label, const V& sum_weight, const V& mean_weight) {
        label_ = label;
        sum_weight_ = sum_weight;
        mean_weight_ = mean_weight;
        used_ = 0;
    }

    constexpr std::size_t outputs() const { return outputs_; }
    constexpr const V& label() const { return label_; }
    constexpr const V& sum_weight() const { return sum_weight_; }
    constexpr const V& mean_weight() const { return mean_weight_; }

    /// Entry k of x_i' w.
    constexpr const V& product(std::size_t k) const { return values_[k]; }
    constexpr void add_adjoint(std::size_t k, const V& adjoint) { adjoints_[k] = adjoints_[k] + adjoint; }

    constexpr V* take_scratch(std::size_t count) {
        V* p = scratch_ + used_;
        used_ += count;
        return p;
    }
    constexpr std::size_t scratch_mark() const { return used_; }
    constexpr void release_scratch(std::size_t mark) { used_ = mark; }

private:
    std::size_t outputs_;
    const V* values_;
    V* adjoints_;
    V* scratch_;
    V label_{};
    V sum_weight_{};
    V mean_weight_{};
    std::size_t used_ = 0;
};

/// The share of the row in the loss; adds its derivatives to the adjoints (which the caller has set to zero).
template <Loss Formula, class R> constexpr typename R::value_type pull_row(const Formula& loss, R& row) {
    typename Formula::template tape<R> tape;
    loss.forward(row, 0, tape);
    loss.reverse(row, 0, tape, typename R::value_type(1));
    return tape.value;
}

}  // namespace gamut::autodiff

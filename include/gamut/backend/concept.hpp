// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <concepts>
#include <cstddef>
#include <span>

#include <gamut/autodiff/leaf.hpp>

namespace gamut::backend {

/// Reads arrays at one index: what an elementwise formula is evaluated with, on the host and in a kernel.
template <class T> struct index_reader {
    using value_type = T;
    constexpr T load(const T* first, std::size_t i) const { return first[i]; }
};

/// A machine that stores numbers and maps formulas over them.
///   storage               contiguous memory of value_type
///   allocate(n, value)    n equal numbers
///   upload, download      to and from the host
///   map(formula, n, out)  out_i = formula(i)
///   sum(formula, n)       sum of formula(i), the same bits for any number of threads
///   maximum(formula, n)   the largest formula(i), 0 if there are none
template <class B>
concept Backend = requires(typename B::storage s, const typename B::storage c,
                           autodiff::entries<typename B::value_type> formula, std::size_t n, typename B::value_type v,
                           std::span<const typename B::value_type> from, std::span<typename B::value_type> to) {
    { B::allocate(n, v) } -> std::same_as<typename B::storage>;
    { B::data(c) } -> std::same_as<const typename B::value_type*>;
    { B::size(c) } -> std::convertible_to<std::size_t>;
    B::upload(from, s);
    B::download(c, to);
    B::map(formula, n, B::data(s));
    { B::sum(formula, n) } -> std::same_as<double>;
    { B::maximum(formula, n) } -> std::same_as<double>;
};

}  // namespace gamut::backend

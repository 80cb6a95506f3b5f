// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include <gamut/autodiff/dual.hpp>
#include <gamut/autodiff/steps.hpp>
#include <gamut/backend/pack.hpp>
#include <gamut/backend/pack_functions.hpp>

/// What the formulas of a program read and write: tables in memory, and how eight numbers of them come and go.
namespace gamut::backend::detail {

/// A slot, or a row of parameters: values, their derivatives in a direction (tangents), and the same of the adjoints. Rows are `stride`
/// apart: a multiple of 8, or 1 where there is one value per row; per_row of them belong to each row of the data, and there is space
/// for a multiple of 8.
template <class T> struct table {
    T* values = nullptr;
    T* tangents = nullptr;
    T* adjoints = nullptr;
    T* adjoint_tangents = nullptr;
    std::size_t columns = 0, stride = 0, per_row = 1;
};

/// All that the formula of a step can reach.
template <class T> struct region {
    const table<T>* slots;
    const table<T>* parameters;
    std::size_t rows, per_row;  // of the data, and of the tables for each of them
    const T* y;
    const T* omega;
    T share;
};

/// How a vector of numbers, or of duals, is read and written; of a dual the second pointer is the tangents'.
template <class V> struct lane_memory;
template <class T, std::size_t B, std::size_t W, bool O> struct lane_memory<pack<T, B, W, O>> {
    using P = pack<T, B, W, O>;
    using scalar = T;
    GAMUT_INLINE static P load(const T* v, const T*) { return P::load(v); }
    GAMUT_INLINE static P spread(const T* v, const T*) { return P(*v); }
    GAMUT_INLINE static P gather(const T* v, const T*, std::size_t s) { return P::gather(v, s); }
    GAMUT_INLINE static void store(const P& x, T* v, T*) { x.store(v); }
    GAMUT_INLINE static void add(const P& x, T* v, T*) { (P::load(v) + x).store(v); }
    GAMUT_INLINE static void store_total(const P& x, T* v, T*) { *v = x.total(); }
    GAMUT_INLINE static void add_total(const P& x, T* v, T*) { *v += x.total(); }
    GAMUT_INLINE static void scatter(const P& x, T* v, T*, std::size_t s) { x.scatter(v, s); }
    GAMUT_INLINE static void scatter_add(const P& x, T* v, T*, std::size_t s) { (P::gather(v, s) + x).scatter(v, s); }
};
template <class P> struct lane_memory<autodiff::dual<P>> {
    using D = autodiff::dual<P>;
    using scalar = typename P::value_type;
    using T = scalar;
    using one = lane_memory<P>;
    GAMUT_INLINE static D load(const T* v, const T* t) { return {P::load(v), P::load(t)}; }
    GAMUT_INLINE static D spread(const T* v, const T* t) { return {P(*v), P(*t)}; }
    GAMUT_INLINE static D gather(const T* v, const T* t, std::size_t s) { return {P::gather(v, s), P::gather(t, s)}; }
    GAMUT_INLINE static void store(const D& x, T* v, T* t) { x.value.store(v), x.tangent.store(t); }
    GAMUT_INLINE static void add(const D& x, T* v, T* t) { one::add(x.value, v, v), one::add(x.tangent, t, t); }
    GAMUT_INLINE static void store_total(const D& x, T* v, T* t) { *v = x.value.total(), *t = x.tangent.total(); }
    GAMUT_INLINE static void add_total(const D& x, T* v, T* t) { *v += x.value.total(), *t += x.tangent.total(); }
    GAMUT_INLINE static void scatter(const D& x, T* v, T* t, std::size_t s) {
        x.value.scatter(v, s), x.tangent.scatter(t, s);
    }
    GAMUT_INLINE static void scatter_add(const D& x, T* v, T* t, std::size_t s) {
        one::scatter_add(x.value, v, v, s), one::scatter_add(x.tangent, t, t, s);
    }
};

/// 0, 1, ..., 7.
template <class P> GAMUT_INLINE P first_numbers() {
    constexpr typename P::value_type numbers[8] = {0, 1, 2, 3, 4, 5, 6, 7};
    return P::load(numbers);
}
/// x where it is one of the first `count` lanes, else 0.
template <class P> GAMUT_INLINE P first_lanes(const P& x, std::size_t count) {
    if (count >= 8) return x;
    return select(first_numbers<P>() < P(count), x, P(0));
}
template <class P> GAMUT_INLINE autodiff::dual<P> first_lanes(const autodiff::dual<P>& x, std::size_t count) {
    return {first_lanes(x.value, count), first_lanes(x.tangent, count)};
}
template <class V> GAMUT_INLINE auto plain(const V& x) { return autodiff::value_of(x); }

/// f.operator()<I>() for the elements I of a set.
template <autodiff::place_set Set, class F> GAMUT_INLINE void for_each_place(const F& f) {
    [&]<std::size_t... N>(std::index_sequence<N...>) { (f.template operator()<Set.at(N)>(), ...); }
    (std::make_index_sequence<Set.size()>());
}

}  // namespace gamut::backend::detail

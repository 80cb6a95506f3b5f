// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <type_traits>

namespace gamut::autodiff {

/// A value and its derivative in one direction: x + e t with e^2 = 0. Running the reverse pass on duals differentiates
/// the gradient in that direction, which is a Hessian-vector product (forward over reverse; Griewank and Walther 2008,
/// section 5.4).
template <class V> struct dual {
    V value{};
    V tangent{};

    constexpr dual() = default;
    constexpr dual(const V& v, const V& t) : value(v), tangent(t) {}
    template <class S>
    requires(std::is_arithmetic_v<S> || std::is_same_v<S, V>) constexpr dual(const S& v) : value(v), tangent(0) {}

    friend constexpr dual operator+(const dual& a, const dual& b) { return {a.value + b.value, a.tangent + b.tangent}; }
    friend constexpr dual operator-(const dual& a, const dual& b) { return {a.value - b.value, a.tangent - b.tangent}; }
    friend constexpr dual operator-(const dual& a) { return {-a.value, -a.tangent}; }
    friend constexpr dual operator*(const dual& a, const dual& b) {
        return {a.value * b.value, a.value * b.tangent + a.tangent * b.value};
    }
    friend constexpr dual operator/(const dual& a, const dual& b) {
        const V q = a.value / b.value;
        return {q, (a.tangent - q * b.tangent) / b.value};
    }
    constexpr dual& operator+=(const dual& b) { return *this = *this + b; }

    friend constexpr auto operator<(const dual& a, const dual& b) { return a.value < b.value; }
    friend constexpr auto operator<=(const dual& a, const dual& b) { return a.value <= b.value; }
    friend constexpr auto operator>(const dual& a, const dual& b) { return a.value > b.value; }
    friend constexpr auto operator>=(const dual& a, const dual& b) { return a.value >= b.value; }
    friend constexpr auto operator==(const dual& a, const dual& b) { return a.value == b.value; }
};

template <class T> inline constexpr bool is_dual = false;
template <class V> inline constexpr bool is_dual<dual<V>> = true;

/// The number inside: of a dual its value.
template <class V> constexpr const V& value_of(const V& x) { return x; }
template <class V> constexpr const V& value_of(const dual<V>& x) { return x.value; }

/// condition ? a : b for one number; backends add overloads for their vectors of numbers.
template <class V> constexpr V select(bool condition, const V& a, const V& b) { return condition ? a : b; }
template <class Mask, class V>
requires(!std::is_same_v<Mask, bool>) constexpr dual<V> select(const Mask& condition, const dual<V>& a,
                                                               const dual<V>& b) {
    return {select(condition, a.value, b.value), select(condition, a.tangent, b.tangent)};
}

}  // namespace gamut::autodiff

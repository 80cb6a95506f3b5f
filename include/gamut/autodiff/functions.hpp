// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cmath>

#include <gamut/autodiff/concept.hpp>
#include <gamut/autodiff/node.hpp>

/// Elementary functions of formulas. Each is a type with `value(x)` and `derivative(x, f)`, f being the value; both are
/// written for numbers, vectors of numbers and duals, so the same lines give first and second derivatives.
namespace gamut::autodiff {

struct exponential {
    template <class V> static constexpr V value(const V& x) {
        using std::exp;
        return exp(x);
    }
    template <class V> static constexpr V derivative(const V&, const V& f) { return f; }
};

struct logarithm {
    template <class V> static constexpr V value(const V& x) {
        using std::log;
        return log(x);
    }
    template <class V> static constexpr V derivative(const V& x, const V&) { return V(1) / x; }
};

/// log(1 + x), exact for small x.
struct logarithm_of_one_plus {
    template <class V> static constexpr V value(const V& x) {
        using std::log1p;
        return log1p(x);
    }
    template <class V> static constexpr V derivative(const V& x, const V&) { return V(1) / (V(1) + x); }
};

struct square_root {
    template <class V> static constexpr V value(const V& x) {
        using std::sqrt;
        return sqrt(x);
    }
    template <class V> static constexpr V derivative(const V&, const V& f) { return V(0.5) / f; }
};

struct squared {
    template <class V> static constexpr V value(const V& x) { return x * x; }
    template <class V> static constexpr V derivative(const V& x, const V&) { return x + x; }
};

/// -1, 0 or 1.
struct signum {
    template <class V> static constexpr V value(const V& x) {
        return select(x > V(0), V(1), select(x < V(0), V(-1), V(0)));
    }
    template <class V> static constexpr V derivative(const V&, const V&) { return V(0); }
};

/// |x|; its derivative at 0 is taken as 0.
struct magnitude {
    template <class V> static constexpr V value(const V& x) { return select(x < V(0), -x, x); }
    template <class V> static constexpr V derivative(const V& x, const V&) { return apply<signum>(x); }
};

/// 1 / (1 + exp(-x)) without overflow: exp is taken of -|x| only.
struct sigmoidal {
    template <class V> static constexpr V value(const V& x) {
        const V e = apply<exponential>(-apply<magnitude>(x));
        return select(x < V(0), e, V(1)) / (V(1) + e);
    }
    template <class V> static constexpr V derivative(const V&, const V& f) { return f * (V(1) - f); }
};

/// log(1 + exp(x)) = max(x, 0) + log(1 + exp(-|x|)).
struct soft_plus {
    template <class V> static constexpr V value(const V& x) {
        const V e = apply<exponential>(-apply<magnitude>(x));
        return select(x > V(0), x, V(0)) + apply<logarithm_of_one_plus>(e);
    }
    template <class V> static constexpr V derivative(const V& x, const V&) { return apply<sigmoidal>(x); }
};

/// exp(x) - 1, exact for small x.
struct exponential_minus_one {
    template <class V> static constexpr V value(const V& x) {
        using std::expm1;
        return expm1(x);
    }
    template <class V> static constexpr V derivative(const V&, const V& f) { return f + V(1); }
};

struct sine;
struct cosine {
    template <class V> static constexpr V value(const V& x) {
        using std::cos;
        return cos(x);
    }
    template <class V> static constexpr V derivative(const V& x, const V&) { return -apply<sine>(x); }
};
struct sine {
    template <class V> static constexpr V value(const V& x) {
        using std::sin;
        return sin(x);
    }
    template <class V> static constexpr V derivative(const V& x, const V&) { return apply<cosine>(x); }
};

struct hyperbolic_tangent {
    template <class V> static constexpr V value(const V& x) {
        using std::tanh;
        return tanh(x);
    }
    template <class V> static constexpr V derivative(const V&, const V& f) { return V(1) - f * f; }
};

/// 2 / sqrt(pi) times the integral of exp(-t^2) from 0 to x.
struct error_function {
    template <class V> static constexpr V value(const V& x) {
        using std::erf;
        return erf(x);
    }
    template <class V> static constexpr V derivative(const V& x, const V&) {
        return V(1.12837916709551257390) * apply<exponential>(-(x * x));
    }
};

/// max(x, 0); its derivative at 0 is taken as 0.
struct rectifier {
    template <class V> static constexpr V value(const V& x) { return select(x > V(0), x, V(0)); }
    template <class V> static constexpr V derivative(const V& x, const V&) { return select(x > V(0), V(1), V(0)); }
};

/// x times the standard normal distribution function of x. Hendrycks and Gimpel 2016.
struct gaussian_rectifier {
    template <class V> static constexpr V distribution(const V& x) {
        return V(0.5) + V(0.5) * apply<error_function>(V(0.70710678118654752440) * x);
    }
    template <class V> static constexpr V value(const V& x) { return x * distribution(x); }
    template <class V> static constexpr V derivative(const V& x, const V&) {
        return distribution(x) + x * (V(0.39894228040143267794) * apply<exponential>(V(-0.5) * (x * x)));
    }
};

struct negation {
    template <class V> static constexpr V value(const V& x) { return -x; }
    template <class V> static constexpr V derivative(const V&, const V&) { return V(-1); }
};

namespace detail {
template <class Op, class A> constexpr auto make_unary(const A& a) {
    static_assert(Elementwise<A>,
                  "formula: a function of one value needs a value per row or entry; a sum over rows can only be "
                  "added, subtracted and scaled");
    return unary<Op, node_type<A>>(a.node());
}
}  // namespace detail

template <Expression A> constexpr auto exp(const A& a) { return detail::make_unary<exponential>(a); }
template <Expression A> constexpr auto log(const A& a) { return detail::make_unary<logarithm>(a); }
template <Expression A> constexpr auto log1p(const A& a) { return detail::make_unary<logarithm_of_one_plus>(a); }
template <Expression A> constexpr auto sqrt(const A& a) { return detail::make_unary<square_root>(a); }
template <Expression A> constexpr auto square(const A& a) { return detail::make_unary<squared>(a); }
template <Expression A> constexpr auto abs(const A& a) { return detail::make_unary<magnitude>(a); }
template <Expression A> constexpr auto sign(const A& a) { return detail::make_unary<signum>(a); }
template <Expression A> constexpr auto expm1(const A& a) { return detail::make_unary<exponential_minus_one>(a); }
template <Expression A> constexpr auto sin(const A& a) { return detail::make_unary<sine>(a); }
template <Expression A> constexpr auto cos(const A& a) { return detail::make_unary<cosine>(a); }
template <Expression A> constexpr auto tanh(const A& a) { return detail::make_unary<hyperbolic_tangent>(a); }
template <Expression A> constexpr auto erf(const A& a) { return detail::make_unary<error_function>(a); }
template <Expression A> constexpr auto relu(const A& a) { return detail::make_unary<rectifier>(a); }
template <Expression A> constexpr auto gelu(const A& a) { return detail::make_unary<gaussian_rectifier>(a); }
template <Expression A> constexpr auto sigmoid(const A& a) { return detail::make_unary<sigmoidal>(a); }
template <Expression A> constexpr auto softplus(const A& a) { return detail::make_unary<soft_plus>(a); }

}  // namespace gamut::autodiff

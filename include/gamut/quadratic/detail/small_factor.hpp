// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cmath>
#include <cstddef>

#include <gamut/backend/kernel.hpp>
#include <gamut/backend/pack.hpp>

namespace gamut::quadratic::detail {

/// y += a_0 x_0 + a_1 x_1 + ..., where x_k begins at x + k stride.
struct add_combination {
    template <std::size_t Bytes>
    GAMUT_INLINE static void run(std::size_t n, std::size_t count, const double* a, const double* x, std::size_t stride,
                                 double* y) {
        using P = backend::pack<double, Bytes>;
        std::size_t j = 0;
        for (; j + 8 <= n; j += 8) {
            P sum = P::load(y + j);
            for (std::size_t k = 0; k < count; ++k) sum = sum + P(a[k]) * P::load(x + k * stride + j);
            sum.store(y + j);
        }
        for (; j < n; ++j)
            for (std::size_t k = 0; k < count; ++k) y[j] += a[k] * x[k * stride + j];
    }
};

/// The lower triangle of the Cholesky factor of a small matrix, in place, with the inverses of its diagonal there; false if it is
/// not definite.
inline bool factor_small(std::size_t n, double* a) {
    for (std::size_t i = 0; i < n; ++i)
        for (std::size_t j = 0; j <= i; ++j) {
            double sum = a[i * n + j];
            for (std::size_t k = 0; k < j; ++k) sum -= a[i * n + k] * a[j * n + k];
            if (i == j && !(sum > 0)) return false;
            a[i * n + j] = i == j ? 1 / std::sqrt(sum) : sum * a[j * n + j];
        }
    return true;
}
/// x = L^-1 x, and |x|^2.
inline double solve_lower(std::size_t n, const double* l, double* x) {
    double square = 0;
    for (std::size_t i = 0; i < n; ++i) {
        double sum = x[i];
        for (std::size_t k = 0; k < i; ++k) sum -= l[i * n + k] * x[k];
        x[i] = sum * l[i * n + i];
        square += x[i] * x[i];
    }
    return square;
}
/// x = L^-T x.
inline void solve_upper(std::size_t n, const double* l, double* x) {
    for (std::size_t i = n; i-- > 0;) {
        double sum = x[i];
        for (std::size_t k = i + 1; k < n; ++k) sum -= l[k * n + i] * x[k];
        x[i] = sum * l[i * n + i];
    }
}

}  // namespace gamut::quadratic::detail

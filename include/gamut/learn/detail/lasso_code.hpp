// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

namespace gamut::learn::detail {

/// Minimises  1/2 |x|^2 - z'c + 1/2 c'Qc + lambda |c|_1  over c, with z = Dx and Q = DD', from where c is: coordinate descent over entries
/// that are not 0 until they settle, then over all, until the duality gap is at most `gap` |x|^2 (or 1000 rounds over all are done).
/// Returns the value. The dual value, with r = x - D'c and s = min(1, lambda / max |z - Qc|):  s x'r - s^2 / 2 r'r.
inline double lasso_code(const std::vector<double>& q, const double* z, double square, double lambda, double gap,
                         double* c) {
    const auto k = static_cast<std::size_t>(std::sqrt(static_cast<double>(q.size())) + 0.5);
    std::vector<double> slope(z, z + k);  // z - Qc
    const auto change = [&](std::size_t a, double by) {
        const double* const row = q.data() + a * k;
        for (std::size_t b = 0; b < k; ++b) slope[b] -= by * row[b];
        c[a] += by;
    };
    const auto start = std::vector<double>(c, c + k);
    for (std::size_t a = 0; a < k; ++a) c[a] = 0;
    for (std::size_t a = 0; a < k; ++a)
        if (start[a] != 0) change(a, start[a]);
    const auto step = [&](std::size_t a) {
        const double curvature = q[a * k + a];
        if (!(curvature > 0)) return 0.0;
        const double full = slope[a] + curvature * c[a];
        const double next = full > lambda    ? (full - lambda) / curvature
                            : full < -lambda ? (full + lambda) / curvature
                                             : 0;
        const double by = next - c[a];
        if (by == 0) return 0.0;
        change(a, by);
        if (next == 0) c[a] = 0;
        return std::abs(by) * std::sqrt(curvature);
    };
    double value = 0;
    for (int round = 0; round < 1000; ++round) {
        double ones = 0, along = 0, quadratic = 0, most = 0;
        for (std::size_t a = 0; a < k; ++a) {
            ones += std::abs(c[a]);
            along += c[a] * z[a];
            quadratic += c[a] * (z[a] - slope[a]);
            most = std::max(most, std::abs(slope[a]));
        }
        const double rest = std::max(0.0, square - 2 * along + quadratic);
        value = rest / 2 + lambda * ones;
        const double s = most > lambda ? lambda / most : 1;
        if (value - (s * (square - along) - s * s / 2 * rest) <= gap * square) break;
        for (std::size_t a = 0; a < k; ++a) step(a);
        for (int inner = 0; inner < 100; ++inner) {
            double moved = 0;
            for (std::size_t a = 0; a < k; ++a)
                if (c[a] != 0) moved = std::max(moved, step(a));
            if (moved * moved <= 1e-3 * gap * square) break;
        }
    }
    return value;
}

}  // namespace gamut::learn::detail

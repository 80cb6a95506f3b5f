// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cmath>
#include <cstddef>
#include <span>
#include <vector>

namespace gamut::quadratic {

/// M = M', n x n numbers in double precision, row-major; a product q + M w costs n times the entries of w that are not 0.
struct symmetric {
    std::size_t n = 0;
    std::vector<double> entries;
    const double* row(std::size_t i) const { return entries.data() + i * n; }

    /// out = q + M w; zeros of w cost nothing.
    void multiply_add(std::span<const double> w, std::span<const double> q, std::vector<double>& out) const {
        out.assign(q.begin(), q.end());
        for (std::size_t i = 0; i < w.size(); ++i) {
            if (w[i] == 0) continue;
            const double* const r = row(i);
            const double x = w[i];
            for (std::size_t j = 0; j < out.size(); ++j) out[j] += x * r[j];
        }
    }

    /// At least the largest eigenvalue, nearly: thirty power iterations and 1 % more.
    double largest() const {
        std::vector<double> v(n), product;
        const std::vector<double> zero(n);
        for (std::size_t i = 0; i < n; ++i) v[i] = 1 + 0.37 * static_cast<double>((i * 7919) % 101) / 101;
        double size = 0;
        for (int k = 0; k < 30; ++k) {
            double square = 0;
            for (const double x : v) square += x * x;
            if (!(square > 0)) break;
            for (double& x : v) x /= std::sqrt(square);
            multiply_add(v, zero, product);
            size = 0;
            for (const double x : product) size += x * x;
            size = std::sqrt(size);
            v = product;
        }
        return 1.01 * size;
    }
};

}  // namespace gamut::quadratic

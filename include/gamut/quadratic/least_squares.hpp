// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include <gamut/backend/matrix.hpp>

namespace gamut::quadratic {

/// loss(w) = 1/2 w'Gw - q'w + constant: least squares in terms of second moments, the intercept last. d^2 numbers; a value costs d times
/// the weights that are not 0.
struct least_squares {
    backend::dense_matrix<double> gram;
    std::vector<double> slope;
    double constant = 0;

    double loss(std::span<const double> w) const {
        double sum = constant;
        for (std::size_t a = 0; a < slope.size(); ++a) {
            if (w[a] == 0) continue;
            sum -= slope[a] * w[a];
            double row = 0;
            for (std::size_t b = 0; b < slope.size(); ++b) row += gram(a, b) * w[b];
            sum += 0.5 * w[a] * row;
        }
        return sum;
    }

    /// From sums over rows of products of [ X~ | 1 | y - label ] (solver::moments_by). Where there is no intercept the label is
    /// put back.
    static least_squares of(const backend::dense_matrix<double>& products, double label, bool intercept) {
        const std::size_t p = products.rows - 2, d = p + (intercept ? 1 : 0);
        const double shift = intercept ? 0 : label, scale = 1 / products(p, p);
        least_squares f{backend::dense_matrix<double>(d, d), std::vector<double>(d), 0};
        for (std::size_t a = 0; a < d; ++a) {
            for (std::size_t b = 0; b < d; ++b) f.gram(a, b) = products(a, b) * scale;
            f.slope[a] = (products(a, p + 1) + shift * products(a, p)) * scale;
        }
        f.constant =
            0.5 * scale * (products(p + 1, p + 1) + 2 * shift * products(p, p + 1) + shift * shift * products(p, p));
        return f;
    }
};

}  // namespace gamut::quadratic

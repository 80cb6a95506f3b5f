// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gamut/autodiff/gradient.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

/// One row of data as a formula sees it: the products z = x'W, the label and the weights.
struct test_row {
    std::vector<double> z;
    double y = 0, omega = 1, total = 1;
};

/// A loss at one row, its derivatives in z, and these differentiated in direction t.
struct test_derivatives {
    double value = 0;
    std::vector<double> slope, curvature;
};

template <class Formula>
test_derivatives derivatives_at(const Formula& formula, const test_row& at, const std::vector<double>& t = {}) {
    using gamut::autodiff::dual;
    const std::size_t c = at.z.size(), scratch = gamut::autodiff::scratch_of<Formula> * c;
    test_derivatives d{0, std::vector<double>(c), std::vector<double>(c)};
    std::vector<double> kept(scratch);
    gamut::autodiff::rows<double> row(c, at.z.data(), d.slope.data(), kept.data());
    row.move_to(at.y, at.omega, at.omega / at.total);
    d.value = gamut::autodiff::pull_row(formula, row);
    if (t.empty()) return d;
    std::vector<dual<double>> z(c), adjoint(c), kept_duals(scratch);
    for (std::size_t k = 0; k < c; ++k) z[k] = {at.z[k], t[k]};
    gamut::autodiff::rows<dual<double>> second(c, z.data(), adjoint.data(), kept_duals.data());
    second.move_to(at.y, at.omega, at.omega / at.total);
    gamut::autodiff::pull_row(formula, second);
    for (std::size_t k = 0; k < c; ++k) d.curvature[k] = adjoint[k].tangent;
    return d;
}

inline void close(double got, double wanted, double tolerance, const char* what) {
    BOOST_TEST(std::abs(got - wanted) <= tolerance * std::max(1.0, std::abs(wanted)),
               what << ": " << got << " (wanted " << wanted << ")");
}

/// First derivatives against central differences of the value, second ones against central differences of the first.
template <class Formula> void check_derivatives(const Formula& formula, const test_row& at, const char* what) {
    constexpr double h = 6e-6;
    const std::size_t c = at.z.size();
    std::vector<double> t(c);
    for (std::size_t k = 0; k < c; ++k) t[k] = std::cos(1.0 + static_cast<double>(k));
    const test_derivatives exact = derivatives_at(formula, at, t);
    test_row low = at, high = at;
    for (std::size_t k = 0; k < c; ++k) {
        low.z[k] -= h;
        high.z[k] += h;
        close(exact.slope[k],
              (derivatives_at(formula, high).value - derivatives_at(formula, low).value) / (high.z[k] - low.z[k]), 1e-7,
              what);
        low.z[k] = high.z[k] = at.z[k];
    }
    for (std::size_t k = 0; k < c; ++k) {
        low.z[k] -= h * t[k];
        high.z[k] += h * t[k];
    }
    const test_derivatives after = derivatives_at(formula, high), before = derivatives_at(formula, low);
    for (std::size_t k = 0; k < c; ++k)
        close(exact.curvature[k], (after.slope[k] - before.slope[k]) / (2 * h), 1e-5, what);
}

// SPDX-License-Identifier: BSL-1.0
#pragma once

namespace gamut::backend {

/// A number as the sum high + low of two doubles, |low| <= ulp(high) / 2: about 32 digits, for sums whose terms cancel. Sums and
/// products have a relative error below 2^-100 while nothing overflows (factors below 2^990) or underflows.
/// Dekker, Numerische Mathematik 18 (1971); Hida, Li and Bailey, Algorithms for quad-double precision arithmetic (2001).
struct double_double {
    double high = 0, low = 0;

    constexpr double_double() = default;
    constexpr double_double(double x) : high(x) {}
    constexpr double_double(double of_high, double of_low) : high(of_high), low(of_low) {}

    constexpr double value() const { return high + low; }
    constexpr double_double operator-() const { return {-high, -low}; }

    /// a + b, for any a and b, and what rounding left out.
    static constexpr double_double sum(double a, double b) {
        const double s = a + b, from_b = s - a;
        return {s, (a - (s - from_b)) + (b - from_b)};
    }
    /// a + b for |a| >= |b|.
    static constexpr double_double ordered_sum(double a, double b) {
        const double s = a + b;
        return {s, b - (s - a)};
    }
    static constexpr double_double product(double a, double b) {
        constexpr double splitter = 134217729;  // 2^27 + 1
        const double ta = splitter * a, tb = splitter * b;
        const double a1 = ta - (ta - a), b1 = tb - (tb - b), a2 = a - a1, b2 = b - b1, p = a * b;
        return {p, ((a1 * b1 - p) + a1 * b2 + a2 * b1) + a2 * b2};
    }

    friend constexpr double_double operator+(double_double a, double_double b) {
        const double_double s = sum(a.high, b.high), t = sum(a.low, b.low);
        const double_double u = ordered_sum(s.high, s.low + t.high);
        return ordered_sum(u.high, u.low + t.low);
    }
    friend constexpr double_double operator-(double_double a, double_double b) { return a + -b; }
    friend constexpr double_double operator*(double_double a, double_double b) {
        const double_double p = product(a.high, b.high);
        return ordered_sum(p.high, p.low + (a.high * b.low + a.low * b.high));
    }
    friend constexpr double_double operator/(double_double a, double_double b) {
        const double first = a.high / b.high;
        const double_double left = a - double_double(first) * b;
        const double second = left.high / b.high;
        const double_double rest = left - double_double(second) * b;
        return ordered_sum(first, second) + double_double(rest.high / b.high);
    }
    constexpr double_double& operator+=(double_double b) { return *this = *this + b; }
    constexpr double_double& operator-=(double_double b) { return *this = *this - b; }
};

}  // namespace gamut::backend

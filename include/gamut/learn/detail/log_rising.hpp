// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cmath>
#include <cstddef>
#include <vector>

namespace gamut::learn::detail {

/// log Gamma(x) for x > 0, by Stirling's series from 8 on; 13 digits. std::lgamma writes a global, and threads call this.
inline double log_gamma(double x) {
    double below = 1;
    for (; x < 8; x += 1) below *= x;
    const double r = 1 / x, s = r * r;
    const double series =
        r * (1.0 / 12 - s * (1.0 / 360 - s * (1.0 / 1260 - s * (1.0 / 1680 - s * (1.0 / 1188 - s * 691.0 / 360360)))));
    return (x - 0.5) * std::log(x) - x + 0.91893853320467274178 + series - std::log(below);
}

/// log of a (a + 1) ... (a + n - 1) = log Gamma(a + n) - log Gamma(a), a > 0.
inline double log_rising(double a, std::size_t n) {
    if (n > 8) return log_gamma(a + static_cast<double>(n)) - log_gamma(a);
    double product = 1;
    for (std::size_t i = 0; i < n; ++i) product *= a + static_cast<double>(i);
    return std::log(product);
}

/// log_rising(a, n) again and again for one a: numbers below `most` are computed once.
class rising_logs {
public:
    rising_logs(double a, std::size_t most) : a_(a) {
        for (std::size_t n = 0; n < most; ++n) small_.push_back(log_rising(a, n));
    }
    double operator()(std::size_t n) const { return n < small_.size() ? small_[n] : log_rising(a_, n); }

private:
    double a_;
    std::vector<double> small_;
};

/// Its derivative by a: 1 / a + 1 / (a + 1) + ... + 1 / (a + n - 1).
inline double rising_slope(double a, std::size_t n) {
    double sum = 0;
    for (std::size_t i = 0; i < n; ++i) sum += 1 / (a + static_cast<double>(i));
    return sum;
}

}  // namespace gamut::learn::detail

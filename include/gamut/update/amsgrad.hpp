// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cmath>
#include <cstddef>

#include <gamut/update/adam.hpp>
#include <gamut/update/concept.hpp>

namespace gamut::update {

/// Adam whose steps never lengthen: it divides by the largest mean square so far.
///   m = first m + (1 - first) g
///   v = second v + (1 - second) g^2
///   largest = max(largest, v)
///   d = m / (1 - first^k) / (sqrt(largest / (1 - second^k)) + epsilon)        at step k
/// Converges on convex problems on which Adam does not: Reddi, Kale, Kumar, On the convergence of Adam and beyond, ICLR
/// 2018, algorithm 2, which has no corrections for the beginning at 0; .corrected = false leaves them out.
struct amsgrad {
    double first = 0.9, second = 0.999, epsilon = 1e-8;
    bool corrected = true;

    static constexpr std::size_t slots = 3;
    static constexpr bool adaptive = true;

    template <class T> auto at(std::size_t step) const {
        return [first = static_cast<T>(first), rest = static_cast<T>(1 - first), second = static_cast<T>(second),
                rest_of_squares = static_cast<T>(1 - second),
                mean = static_cast<T>(corrected ? detail::correction(first, step) : 1),
                square = static_cast<T>(corrected ? detail::correction(second, step) : 1),
                epsilon = static_cast<T>(epsilon)](const auto&, auto& g, auto* memory) {
            using std::sqrt;
            auto &m = memory[0], &v = memory[1], &largest = memory[2];
            m = first * m + rest * g;
            v = second * v + rest_of_squares * (g * g);
            largest = detail::larger(largest, v);
            g = mean * m / (sqrt(square * largest) + epsilon);
        };
    }
    void validate() const { detail::check_means("amsgrad", first, second, epsilon); }
};

}  // namespace gamut::update

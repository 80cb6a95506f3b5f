// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cmath>
#include <cstddef>

#include <gamut/update/concept.hpp>

namespace gamut::update {

namespace detail {
/// The options of adam and its children.
inline void check_means(const char* rule, double first, double second, double epsilon) {
    check_decay(rule, "first", first, "0.9");
    check_decay(rule, "second", second, "0.999");
    check_positive(rule, "epsilon", epsilon, "1e-8");
}
}  // namespace detail

/// Running means of the gradient and of its square, corrected for their beginning at 0.
///   m = first m + (1 - first) g
///   v = second v + (1 - second) g^2
///   d = m / (1 - first^k) / (sqrt(v / (1 - second^k)) + epsilon)        at step k
/// Kingma and Ba, Adam: a method for stochastic optimization, ICLR 2015, algorithm 1.
struct adam {
    double first = 0.9, second = 0.999, epsilon = 1e-8;

    static constexpr std::size_t slots = 2;
    static constexpr bool adaptive = true;

    template <class T> auto at(std::size_t step) const {
        return [first = static_cast<T>(first), rest = static_cast<T>(1 - first), second = static_cast<T>(second),
                rest_of_squares = static_cast<T>(1 - second), mean = static_cast<T>(detail::correction(first, step)),
                square = static_cast<T>(detail::correction(second, step)),
                epsilon = static_cast<T>(epsilon)](const auto&, auto& g, auto* memory) {
            using std::sqrt;
            auto &m = memory[0], &v = memory[1];
            m = first * m + rest * g;
            v = second * v + rest_of_squares * (g * g);
            g = mean * m / (sqrt(square * v) + epsilon);
        };
    }
    void validate() const { detail::check_means("adam", first, second, epsilon); }
};

}  // namespace gamut::update

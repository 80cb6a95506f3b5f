// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cmath>
#include <cstddef>

#include <gamut/update/concept.hpp>

namespace gamut::update {

/// Steps that shorten with the sum of squared gradients of their weight.
///   s = s + g^2
///   d = g / (sqrt(s) + epsilon)
/// Duchi, Hazan, Singer, Adaptive subgradient methods, JMLR 12 (2011), figure 1, diagonal.
struct adagrad {
    double epsilon = 1e-10;

    static constexpr std::size_t slots = 1;
    static constexpr bool adaptive = true;

    template <class T> auto at(std::size_t) const {
        return [epsilon = static_cast<T>(epsilon)](const auto&, auto& g, auto* memory) {
            using std::sqrt;
            auto& s = memory[0];
            s = s + g * g;
            g = g / (sqrt(s) + epsilon);
        };
    }
    void validate() const { detail::check_positive("adagrad", "epsilon", epsilon, "1e-10"); }
};

}  // namespace gamut::update

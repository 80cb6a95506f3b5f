// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cmath>
#include <cstddef>

#include <gamut/update/concept.hpp>

namespace gamut::update {

/// Gradients divided by a running root mean square of theirs.
///   s = decay s + (1 - decay) g^2
///   d = g / (sqrt(s) + epsilon)
/// Tieleman and Hinton, Lecture 6.5, Neural networks for machine learning, 2012.
struct rmsprop {
    double decay = 0.9, epsilon = 1e-8;

    static constexpr std::size_t slots = 1;
    static constexpr bool adaptive = true;

    template <class T> auto at(std::size_t) const {
        return [decay = static_cast<T>(decay), rest = static_cast<T>(1 - decay),
                epsilon = static_cast<T>(epsilon)](const auto&, auto& g, auto* memory) {
            using std::sqrt;
            auto& s = memory[0];
            s = decay * s + rest * (g * g);
            g = g / (sqrt(s) + epsilon);
        };
    }
    void validate() const {
        detail::check_decay("rmsprop", "decay", decay, "0.9");
        detail::check_positive("rmsprop", "epsilon", epsilon, "1e-8");
    }
};

}  // namespace gamut::update

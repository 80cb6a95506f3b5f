// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>

#include <gamut/update/concept.hpp>

namespace gamut::update {

/// The heavy ball: a velocity that forgets.
///   v = momentum v + g
///   d = v
/// Polyak 1964, without dampening.
struct momentum {
    double momentum = 0.9;

    static constexpr std::size_t slots = 1;

    template <class T> auto at(std::size_t) const {
        return [mu = static_cast<T>(momentum)](const auto&, auto& g, auto* memory) {
            auto& v = memory[0];
            v = mu * v + g;
            g = v;
        };
    }
    double gain() const { return 1 / (1 - momentum); }
    void validate() const { detail::check_decay("momentum", "momentum", momentum, "0.9"); }
};

}  // namespace gamut::update

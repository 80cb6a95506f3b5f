// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>

#include <gamut/update/concept.hpp>

namespace gamut::update {

/// A velocity that looks ahead.
///   v = momentum v + g
///   d = g + momentum v
/// Nesterov 1983; in this form Sutskever, Martens, Dahl, Hinton, On the importance of initialization and momentum in deep
/// learning, ICML 2013, with the weights where the gradient is taken.
struct nesterov {
    double momentum = 0.9;

    static constexpr std::size_t slots = 1;

    template <class T> auto at(std::size_t) const {
        return [mu = static_cast<T>(momentum)](const auto&, auto& g, auto* memory) {
            auto& v = memory[0];
            v = mu * v + g;
            g = g + mu * v;
        };
    }
    double gain() const { return 1 / (1 - momentum); }
    void validate() const { detail::check_decay("nesterov", "momentum", momentum, "0.9"); }
};

}  // namespace gamut::update

// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cmath>
#include <cstddef>

#include <gamut/update/adam.hpp>
#include <gamut/update/concept.hpp>

namespace gamut::update {

/// Adam, and weights that shrink at the same rate whatever their gradients are.
///   d = Adam's direction + decay w,          so that a step is  w = (1 - rate decay) w - rate Adam's
/// The decay is no part of the objective that a solver reports, and moves the minimum that it finds. It acts on every weight
/// it is given, intercepts included.
/// Loshchilov and Hutter, Decoupled weight decay regularization, ICLR 2019, algorithm 2; their decay is this times the rate.
struct adamw {
    double first = 0.9, second = 0.999, epsilon = 1e-8, decay = 0.01;

    static constexpr std::size_t slots = 2;
    static constexpr bool adaptive = true;

    template <class T> auto at(std::size_t step) const {
        return [direct = alone().at<T>(step), decay = static_cast<T>(decay)](const auto& w, auto& g, auto* memory) {
            direct(w, g, memory);
            g = g + decay * w;
        };
    }
    void validate() const {
        detail::check_means("adamw", first, second, epsilon);
        if (!(decay >= 0 && std::isfinite(decay)))
            throw core::option_error(
                core::text("update::adamw: decay is ", decay, " (it must be finite and at least 0) try 0.01"));
    }

private:
    adam alone() const { return {.first = first, .second = second, .epsilon = epsilon}; }
};

}  // namespace gamut::update

// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cmath>
#include <cstddef>
#include <span>
#include <vector>

#include <gamut/core/error.hpp>
#include <gamut/table/concept.hpp>

namespace gamut::table {

/// Gradient descent with the workers' mean gradient g, by the heavy ball:
///   v = momentum v + g
///   w = w - rate v
/// Polyak, Some methods of speeding up the convergence of iteration methods, 1964.
struct descent {
    double rate = 0.1, momentum = 0;
    std::vector<double> velocity{};

    static constexpr const char* name = "descent";

    void apply(std::span<double> values, std::span<const double> update, std::size_t count) {
        velocity.resize(values.size());
        for (std::size_t j = 0; j < values.size(); ++j) {
            velocity[j] = momentum * velocity[j] + update[j] / static_cast<double>(count);
            values[j] -= rate * velocity[j];
        }
    }

    template <class Visit> void state(Visit&& visit) { visit(velocity); }

    void validate() const {
        if (!(rate > 0) || !std::isfinite(rate))
            throw core::option_error(core::text("descent: rate is ", rate, " (it must be positive and finite)"));
        if (!(momentum >= 0 && momentum < 1))
            throw core::option_error(core::text("descent: momentum is ", momentum, " (it must be in [0, 1))"));
    }
};

static_assert(SavedRow<descent>);

}  // namespace gamut::table

// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cmath>
#include <cstddef>
#include <span>
#include <vector>

#include <gamut/core/error.hpp>
#include <gamut/table/concept.hpp>

namespace gamut::table {

/// Gradient descent with the workers' mean gradient g and a rate for each weight:
///   h = h + g^2
///   w = w - rate g / (sqrt(h) + floor)
/// Duchi, Hazan, Singer, Adaptive subgradient methods for online learning, JMLR 12 (2011) (AdaGrad).
struct adaptive {
    double rate = 0.1, floor = 1e-8;
    std::vector<double> squares{};

    static constexpr const char* name = "adaptive";

    void apply(std::span<double> values, std::span<const double> update, std::size_t count) {
        squares.resize(values.size());
        for (std::size_t j = 0; j < values.size(); ++j) {
            const double g = update[j] / static_cast<double>(count);
            squares[j] += g * g;
            values[j] -= rate * g / (std::sqrt(squares[j]) + floor);
        }
    }

    template <class Visit> void state(Visit&& visit) { visit(squares); }

    void validate() const {
        if (!(rate > 0) || !std::isfinite(rate))
            throw core::option_error(core::text("adaptive: rate is ", rate, " (it must be positive and finite)"));
        if (!(floor > 0) || !std::isfinite(floor))
            throw core::option_error(core::text("adaptive: floor is ", floor, " (it must be positive and finite)"));
    }
};

static_assert(SavedRow<adaptive>);

}  // namespace gamut::table

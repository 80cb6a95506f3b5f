// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <gamut/solver/schedule.hpp>
#include <gamut/update/concept.hpp>

namespace gamut::solver::detail {

/// A piece of the weights on a server, as a row of a table: the mean g of what workers added becomes a step.
///   w = w - rate d,   d what the rule makes of g;   the rate is that of the epoch, a step being so much of it
template <class Rate, class Update> struct served_weights {
    static constexpr const char* name = "served_weights";

    Rate rate{};
    Update rule{};
    double step_of_epoch = 1, scale = 1;
    std::uint64_t steps = 0;
    std::vector<double> memory{};

    void apply(std::span<double> values, std::span<const double> update, std::size_t count) {
        std::vector<double> direction(update.begin(), update.end());
        for (double& g : direction) g /= static_cast<double>(count);
        memory.resize(Update::slots * values.size());
        const double step = scale * schedule::at(rate, static_cast<double>(steps++) * step_of_epoch);
        update::direct(rule, static_cast<std::size_t>(steps), std::span<const double>(values),
                       std::span<double>(direction), std::span<double>(memory));
        for (std::size_t j = 0; j < values.size(); ++j) values[j] -= step * direction[j];
    }

    template <class Visit> void state(Visit&& visit) {
        visit(steps);
        visit(memory);
    }
};

}  // namespace gamut::solver::detail

// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <concepts>
#include <string_view>

#include <gamut/core/error.hpp>
#include <gamut/core/text.hpp>
#include <gamut/update/momentum.hpp>
#include <gamut/update/nesterov.hpp>
#include <gamut/update/plain.hpp>

namespace gamut::solver {

/// How a solver with an option `momentum` uses its velocity v = momentum v + g:
///   heavy_ball steps along v (Polyak 1964), nesterov along g + momentum v.    See update/momentum.hpp and update/nesterov.hpp.
enum class momentum_rule { heavy_ball, nesterov };

/// The rule that `update`, `momentum` and `rule` are together, as the argument of f: `update`, or where that is update::plain,
/// the momentum's.
template <class Update, class F>
void with_update(const Update& update, double momentum, momentum_rule rule, const F& f) {
    if constexpr (!std::same_as<Update, update::plain>)
        f(update);
    else if (rule == momentum_rule::nesterov)
        f(update::nesterov{momentum});
    else
        f(update::momentum{momentum});
}

/// Throws option_error for a momentum that is none, or that stands beside a rule with a memory of its own.
template <class Update> void check_momentum(std::string_view solver, double momentum) {
    if (!(momentum >= 0 && momentum < 1))
        throw core::option_error(
            core::text(solver, ": momentum is ", momentum, " (it must be at least 0 and below 1) try 0.9"));
    if (!std::same_as<Update, update::plain> && momentum > 0)
        throw core::option_error(core::text(solver, ": momentum is ", momentum,
                                            " (another rule than update::plain has its own memory) leave it at 0"));
}

}  // namespace gamut::solver

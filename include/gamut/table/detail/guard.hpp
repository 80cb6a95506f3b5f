// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <string>

#include <gamut/core/error.hpp>
#include <gamut/table/record.hpp>

namespace gamut::table::detail {

/// A sentence when staleness and momentum do not go together, else nothing. Updates that are tau late, on average, behave
/// like momentum tau / (1 + tau) (Mitliagkas et al., Asynchrony begets momentum, 2016): what the logic has comes on top,
/// and the two together must stay below 1.
template <class R> std::string warning(const R& logic, const record& run) {
    if constexpr (requires { run.staleness + logic.momentum; }) {
        const double implied = run.staleness / (1 + run.staleness);
        if (run.staleness >= 1 && logic.momentum > 0 && logic.momentum + implied >= 1)
            return core::text(run.table, ": updates came ", core::rounded(run.staleness, 2),
                              " updates late on average, with momentum ", logic.momentum,
                              " (staleness acts as momentum ", core::rounded(implied, 2),
                              " more) use less momentum, or consistency::bounded_staleness");
    }
    return {};
}

}  // namespace gamut::table::detail

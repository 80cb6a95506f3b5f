// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <numeric>
#include <optional>
#include <string>
#include <vector>

#include <gamut/core/result.hpp>
#include <gamut/solver/detail/every_exchange.hpp>
#include <gamut/solver/detail/every_support.hpp>
#include <gamut/solver/polish.hpp>

namespace gamut::solver::detail {

/// Compares `best` with all supports, or else with all exchanges, by fitting them, where they are few; keeps what is better. What
/// can be said then; nothing if they are many, a fit did not converge, or `go_on(best)`, asked after each fit, said no.
template <Cardinality P, class GoOn>
[[gnu::cold]] std::optional<std::string> compare_by_fits(const P& p, const polish& polishing,
                                                         core::result<typename P::array>& best, GoOn&& go_on) {
    if (const every_support<P> supports(p); supports.affordable()) {
        const auto fitted = supports.improve(polishing, best, go_on);
        return fitted ? std::optional(supports.says(*fitted)) : std::nullopt;
    }
    if (const every_exchange<P> exchanges(p, best.weights); exchanges.affordable()) {
        const auto fitted = exchanges.improve(polishing, best, go_on);
        return fitted ? std::optional(exchanges.says(*fitted)) : std::nullopt;
    }
    return std::nullopt;
}

/// Some columns of a quadratic loss are so nearly collinear that products of them lose digits (polish::loses_digits): exchanges
/// judged by the Gram matrix may be wrong. Where all columns together are collinear anyway, or looking at them costs more than some
/// passes, only the weights in use are looked at.
/// `of_rows`: how many the data have.
template <Cardinality P> [[gnu::cold]] bool loses_digits(const P& p, std::size_t of_rows, const typename P::array& w) {
    const auto features = static_cast<double>(p.layout().features), rows = static_cast<double>(of_rows);
    const restricted<P> inside(p, w);
    std::vector<std::size_t> entries = inside.entries();
    if (features <= 512 && features + 1 < rows && features * features * rows <= 4e8) {
        entries.resize(p.dimension());
        std::iota(entries.begin(), entries.end(), std::size_t(0));
    } else if (entries.size() > 1024) {
        return false;
    }
    auto h = p.second_derivatives(w, entries);
    for (std::size_t e = 0; e < entries.size(); ++e) h(e, e) += inside.ridge_of(entries[e]);
    return polish::loses_digits(std::move(h));
}

}  // namespace gamut::solver::detail

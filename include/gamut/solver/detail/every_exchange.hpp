// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <gamut/core/result.hpp>
#include <gamut/core/text.hpp>
#include <gamut/penalty/l0.hpp>
#include <gamut/solver/polish.hpp>

namespace gamut::solver::detail {

/// All exchanges of one unit (weight, row or group) of a support for one outside that competes with it, and all additions where there is
/// room: each is fitted. Goes on from those that are better until none is: a local optimum in the strict sense.
///   members * others <= 4000, and that * rows * (unknowns on the support) <= 2 10^7
/// Each costs what polish takes on its columns, some 5 passes over them. Without l1 and bounds only.
/// All ranks look at the same exchanges in the same order.
template <Cardinality P> class every_exchange {
    using A = typename P::array;
    using T = typename A::value_type;

public:
    every_exchange(const P& p, const A& w)
        : p_(p),
          shape_(p.layout()),
          units_(p.penalty_term().units_of(shape_)),
          free_(units_.count()) {
        const penalty::l0& term = p.penalty_term();
        for (const std::size_t feature : term.free)
            for (std::size_t k = 0; k < shape_.outputs; ++k) free_[units_.of(feature * shape_.outputs + k)] = true;
        const std::vector<T> weights = w.download();
        const auto [members, others] = members_and_others(weights);
        std::size_t unknowns = weights.size() - shape_.size();
        for (const std::size_t m : members) unknowns += units_.first(m + 1) - units_.first(m);
        number_ = static_cast<double>(std::max<std::size_t>(members.size(), 1)) * static_cast<double>(others.size());
        if constexpr (requires { p.rows(); })
            affordable_ = term.is_smooth() && term.kappa > 0 && p.rows() > 0 && number_ <= 4000 &&
                          number_ * static_cast<double>(p.rows()) * static_cast<double>(unknowns) <= 2e7;
    }

    /// Whether there are few enough.
    bool affordable() const { return affordable_; }

    /// Replaces `best` by better ones until none is. `go_on(best)` is asked after each fit; how many exchanges the last one was compared
    /// with, or nothing if it said no or a fit did not converge: then nothing follows about all of them.
    template <class GoOn>
    [[gnu::cold]] std::optional<std::size_t> improve(const polish& polishing, core::result<A>& best,
                                                     GoOn&& go_on) const {
        const std::size_t competitions = p_.penalty_term().competitions_of(shape_);
        for (;;) {
            const std::vector<T> w = best.weights.download();
            const auto [members, others] = members_and_others(w);
            std::vector<std::size_t> used(competitions);
            for (const std::size_t m : members) ++used[m % competitions];
            std::optional<core::result<A>> better;
            std::size_t fitted = 0;
            bool all = true;
            const auto look = [&](std::vector<T> start, std::size_t in) {
                for (std::size_t j = units_.first(in); j < units_.first(in + 1); ++j) start[j] = static_cast<T>(1e-3);
                core::result<A> found = polishing.improve(p_, A(std::span<const T>(start)));
                all = all && found.status == core::status::converged;
                ++fitted;
                if (found.status == core::status::converged &&
                    // by more than rounding: of equal columns the first stays
                    found.objective < (better ? better->objective - 1e-12 * std::abs(better->objective)
                                              : best.objective - 1e-10 * std::abs(best.objective)))
                    better = std::move(found);
                return go_on(better ? *better : best);
            };
            for (const std::size_t in : others) {
                if (used[in % competitions] < p_.penalty_term().kappa) {
                    if (!look(w, in)) return std::nullopt;
                    continue;
                }
                for (const std::size_t out : members) {
                    if (out % competitions != in % competitions) continue;
                    std::vector<T> start = w;
                    std::fill(start.begin() + static_cast<std::ptrdiff_t>(units_.first(out)),
                              start.begin() + static_cast<std::ptrdiff_t>(units_.first(out + 1)), T(0));
                    if (!look(std::move(start), in)) return std::nullopt;
                }
            }
            if (!better) return all ? std::optional(fitted) : std::nullopt;
            best = *std::move(better);
        }
    }

    std::string says(std::size_t fitted) const {
        return core::text("no exchange of one ", units_.are_entries() ? "weight" : "row or group",
                          " improves it: each of ", fitted, " was fitted");
    }

private:
    /// Units that are not 0, and those that are; without the free ones.
    std::pair<std::vector<std::size_t>, std::vector<std::size_t>> members_and_others(const std::vector<T>& w) const {
        std::pair<std::vector<std::size_t>, std::vector<std::size_t>> split;
        for (std::size_t u = 0; u < units_.count(); ++u) {
            if (free_[u]) continue;
            bool any = false;
            for (std::size_t j = units_.first(u); j < units_.first(u + 1); ++j) any = any || w[j] != 0;
            (any ? split.first : split.second).push_back(u);
        }
        return split;
    }

    const P& p_;
    penalty::layout shape_;
    penalty::detail::units units_;
    std::vector<bool> free_;
    double number_ = 0;
    bool affordable_ = false;
};

}  // namespace gamut::solver::detail

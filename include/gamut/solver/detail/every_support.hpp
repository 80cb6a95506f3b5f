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

/// All supports that cannot grow, kappa units in each competition with the free features, where there are few:
///   number = C(units, kappa)^competitions <= 2000, and number * rows * dimension <= 2 10^7
/// Each costs what polish takes on its columns, some 5 passes over them. Without l1 and bounds only.
/// All ranks look at the same supports in the same order.
template <Cardinality P> class every_support {
    using A = typename P::array;
    using T = typename A::value_type;

public:
    explicit every_support(const P& p) : p_(p), shape_(p.layout()), units_(p.penalty_term().units_of(shape_)) {
        const penalty::l0& term = p.penalty_term();
        std::vector<bool> free(shape_.features);
        for (const std::size_t feature : term.free) free[feature] = true;
        const std::size_t competitions = term.competitions_of(shape_);
        for (std::size_t c = 0; c < competitions; ++c) {
            std::vector<std::size_t> members;
            for (std::size_t u = c; u < units_.count(); u += competitions)
                if (!free[units_.first(u) / shape_.outputs]) members.push_back(u);
            competing_.push_back(std::move(members));
        }
        number_ = term.is_smooth() ? 1.0 : 0.0;
        for (const auto& members : competing_) {
            const std::size_t places = std::min(term.kappa, members.size());
            places_.push_back(places);
            for (std::size_t k = 0; k < places && number_ <= most; ++k)
                number_ *= static_cast<double>(members.size() - k) / static_cast<double>(k + 1);
        }
    }

    /// Whether there are few enough.
    bool affordable() const {
        if constexpr (requires { p_.rows(); })
            return number_ >= 1 && number_ <= most && p_.rows() > 0 &&
                   number_ * static_cast<double>(p_.rows()) * static_cast<double>(p_.dimension()) <= 2e7;
        else
            return false;
    }

    /// Replaces `best` where another support is better. `go_on()` is asked between fits; how many supports were fitted, or nothing if
    /// it said no or a fit did not converge: then nothing follows about all of them.
    template <class GoOn>
    [[gnu::cold]] std::optional<std::size_t> improve(const polish& polishing, core::result<A>& best,
                                                     GoOn&& go_on) const {
        std::vector<std::vector<std::size_t>> chosen;
        for (const std::size_t places : places_) {
            chosen.emplace_back(places);
            for (std::size_t k = 0; k < places; ++k) chosen.back()[k] = k;
        }
        std::size_t fitted = 0;
        bool all = true;
        do {
            core::result<A> found = polishing.improve(p_, start_on(chosen, best.weights.download()));
            all = all && found.status == core::status::converged;
            ++fitted;
            if (found.status == core::status::converged &&
                found.objective < best.objective - 1e-12 * std::abs(best.objective))
                best = std::move(found);
            if (!go_on(best)) return std::nullopt;
        } while (next(chosen));
        return all ? std::optional(fitted) : std::nullopt;
    }

    static std::string says(std::size_t fitted) {
        return core::text("the best of all ", fitted, " supports: each was fitted");
    }

private:
    static constexpr double most = 2000;

    /// The best weights so far on this support, and small ones where they are 0.
    A start_on(const std::vector<std::vector<std::size_t>>& chosen, const std::vector<T>& best) const {
        std::vector<T> w(best.size());
        std::copy(best.begin() + static_cast<std::ptrdiff_t>(shape_.size()), best.end(),
                  w.begin() + static_cast<std::ptrdiff_t>(shape_.size()));
        for (std::size_t c = 0; c < chosen.size(); ++c)
            for (const std::size_t k : chosen[c])
                for (std::size_t u = competing_[c][k], j = units_.first(u); j < units_.first(u + 1); ++j)
                    w[j] = best[j] != 0 ? best[j] : static_cast<T>(1e-3);
        return A(std::span<const T>(w));
    }

    /// The next choice in lexicographic order, the last competition first; false after the last one.
    bool next(std::vector<std::vector<std::size_t>>& chosen) const {
        for (std::size_t c = chosen.size(); c-- > 0;) {
            std::vector<std::size_t>& s = chosen[c];
            const std::size_t n = competing_[c].size(), k = s.size();
            for (std::size_t i = k; i-- > 0;) {
                if (s[i] + (k - i) >= n) continue;
                ++s[i];
                for (std::size_t l = i + 1; l < k; ++l) s[l] = s[l - 1] + 1;
                return true;
            }
            for (std::size_t i = 0; i < k; ++i) s[i] = i;
        }
        return false;
    }

    const P& p_;
    penalty::layout shape_;
    penalty::detail::units units_;
    std::vector<std::vector<std::size_t>> competing_;
    std::vector<std::size_t> places_;
    double number_ = 0;
};

}  // namespace gamut::solver::detail

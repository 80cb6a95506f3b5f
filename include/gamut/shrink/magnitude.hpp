// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <gamut/core/error.hpp>
#include <gamut/core/text.hpp>
#include <gamut/shrink/mask.hpp>
#include <gamut/shrink/tensor.hpp>

namespace gamut::shrink {

/// Among which weights the small ones are looked for: those of the whole network, or of each tensor (a layer) alone.
enum class scope { global, layer };

namespace detail {
inline void check_keep(const char* who, double keep) {
    if (!(keep > 0 && keep <= 1))
        throw core::option_error(
            core::text(who, ": keep is ", keep, " (the share of weights that stay is above 0 and at most 1) try 0.5"));
}
}  // namespace detail

/// Keeps the largest |w|: a share `keep` of the weights that multiply, of all of them or of each tensor, rounded, and at least
/// one. Of equal ones the first. What a mask has taken already stays taken.
/// One selection in linear time; no messages: all ranks have the same weights.   Han, Pool, Tran, Dally, NeurIPS 2015.
struct magnitude {
    double keep = 0.5;
    shrink::scope scope = shrink::scope::global;

    void validate() const { detail::check_keep("magnitude", keep); }

    mask operator()(std::span<const double> weights, const std::vector<tensor>& tensors, mask before) const {
        validate();
        check_finite(weights);
        std::vector<std::size_t> places;
        const auto select = [&](std::size_t of) {
            const auto wanted = static_cast<std::size_t>(std::llround(keep * static_cast<double>(of)));
            const std::size_t stay = std::min(std::max<std::size_t>(wanted, 1), places.size());
            std::nth_element(places.begin(), places.begin() + static_cast<std::ptrdiff_t>(stay), places.end(),
                             [&](std::size_t a, std::size_t b) {
                                 const double x = std::abs(weights[a]), y = std::abs(weights[b]);
                                 return x > y || (x == y && a < b);
                             });
            for (std::size_t i = stay; i < places.size(); ++i) before.alive[places[i]] = 0;
            places.clear();
        };
        for (const tensor& t : tensors) {
            for (std::size_t k = t.offset; k < t.offset + t.size(); ++k)
                if (before.alive[k] != 0) places.push_back(k);
            if (scope == shrink::scope::layer) select(t.size());
        }
        if (scope == shrink::scope::global) select(size_of(tensors));
        return before;
    }
    mask operator()(std::span<const double> weights, const std::vector<tensor>& tensors) const {
        return (*this)(weights, tensors, mask_of(weights, tensors));
    }
};

}  // namespace gamut::shrink

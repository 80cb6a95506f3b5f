// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gamut/autodiff/steps.hpp>

namespace gamut::autodiff {

/// The same formula over slots and parameters that are numbered from 0: layers that look alike become one type, and so one kernel.
template <place_set Slots, place_set Parameters> struct relabel {
    template <class E> constexpr auto operator()(const E& e) const {
        if constexpr (requires { typename E::parts; })
            return e.children([&](const auto&... parts) { return e.with((*this)(parts)...); });
        else
            return e;
    }
    template <std::size_t I, shape F, bool A> constexpr auto operator()(const slot<I, F, A>&) const {
        return slot<Slots.below(I), F, A>{};
    }
    template <std::size_t I, shape F> constexpr auto operator()(const parameter<I, F>&) const {
        return parameter<Parameters.below(I), F>{};
    }
};

}  // namespace gamut::autodiff

// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <type_traits>

#include <gamut/penalty/concept.hpp>
#include <gamut/penalty/l0.hpp>
#include <gamut/solver/admm.hpp>
#include <gamut/solver/disadmm.hpp>
#include <gamut/solver/lbfgs.hpp>

namespace gamut::solver {

/// The solver that suits a penalty: disadmm searches for the best kappa weights, lbfgs is fast where everything is smooth,
/// admm takes whatever has a prox.
template <class Penalty> struct default_for {
    using type = std::conditional_t<std::is_same_v<Penalty, penalty::l0>, disadmm<>,
                                    std::conditional_t<penalty::Smooth<Penalty>, lbfgs<>, admm<>>>;
};

}  // namespace gamut::solver

// SPDX-License-Identifier: BSL-1.0
#include <type_traits>

#include <gamut/quadratic/best_alone.hpp>
#include <gamut/quadratic/bounded_support.hpp>
#include <gamut/quadratic/candidates.hpp>
#include <gamut/quadratic/descent.hpp>
#include <gamut/quadratic/gram_path.hpp>
#include <gamut/quadratic/known_products.hpp>
#include <gamut/quadratic/lazy_products.hpp>
#include <gamut/quadratic/least_squares.hpp>
#include <gamut/quadratic/nodes.hpp>
#include <gamut/quadratic/objective.hpp>
#include <gamut/quadratic/parts_of.hpp>
#include <gamut/quadratic/perspective.hpp>
#include <gamut/quadratic/relaxed.hpp>
#include <gamut/quadratic/semidefinite.hpp>
#include <gamut/quadratic/support.hpp>
#include <gamut/quadratic/support_model.hpp>
#include <gamut/quadratic/support_search.hpp>
#include <gamut/quadratic/symmetric.hpp>
#include <gamut/quadratic/units.hpp>

using namespace gamut;

static_assert(std::is_copy_constructible_v<quadratic::support> && std::is_copy_constructible_v<quadratic::units> &&
              std::is_copy_constructible_v<quadratic::bounded_support>);  // searches work on copies

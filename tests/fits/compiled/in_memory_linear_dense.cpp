// SPDX-License-Identifier: BSL-1.0
#include "../compile.hpp"

template struct fits::detail::compiled_in_memory<gamut::model::linear, fits::dense>;
template struct fits::detail::compiled_of_one_output<gamut::model::linear, fits::dense>;

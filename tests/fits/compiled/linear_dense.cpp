// SPDX-License-Identifier: BSL-1.0
#include "../compile.hpp"

template struct fits::detail::compiled<gamut::model::linear, fits::dense>;
template struct fits::detail::compiled_default<fits::dense>;

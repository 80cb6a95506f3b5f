// SPDX-License-Identifier: BSL-1.0
#include "../compile.hpp"

template struct fits::detail::compiled_in_memory<gamut::model::softmax, fits::dense>;

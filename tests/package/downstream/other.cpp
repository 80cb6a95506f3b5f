// SPDX-License-Identifier: BSL-1.0
// The whole library in a second file of the same program: nothing in it may be defined twice.
#include <gamut/gamut.hpp>
#include <gamut/model_file.hpp>
#include <gamut/version.hpp>

static_assert(gamut::version.major == 0 && gamut::version.minor == 1);

// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "../precompiled.hpp"

#include <gamut/gamut.hpp>

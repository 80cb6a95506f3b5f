// SPDX-License-Identifier: BSL-1.0
#pragma once

#define GAMUT_VERSION_MAJOR 0
#define GAMUT_VERSION_MINOR 1
#define GAMUT_VERSION_PATCH 0

namespace gamut {

/// The library's version. Before 1.0 a new minor version may break source compatibility.
struct version_number {
    int major, minor, patch;
};

inline constexpr version_number version{GAMUT_VERSION_MAJOR, GAMUT_VERSION_MINOR, GAMUT_VERSION_PATCH};

}  // namespace gamut

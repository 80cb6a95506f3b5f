// SPDX-License-Identifier: BSL-1.0
// What nearly every test file includes, compiled once. A test file still includes what it uses.
#pragma once

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <fstream>
#include <limits>
#include <numeric>
#include <span>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#if __has_include(<gamut/backend/host.hpp>)
#    include <gamut/backend/host.hpp>
#endif

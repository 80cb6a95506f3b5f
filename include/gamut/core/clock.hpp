// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <chrono>

namespace gamut::core {

/// Seconds since it was made; never runs backwards.
class clock {
public:
    double seconds() const { return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count(); }

private:
    std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

}  // namespace gamut::core

// expect: any_observer: the observer keeps states, which would be lost; use core::any_keeper
// SPDX-License-Identifier: BSL-1.0
#include <gamut/gamut.hpp>

int main() {
    gamut::core::checkpoints kept;
#ifdef GAMUT_MISUSE_FIXED
    const gamut::core::any_keeper seen(kept);
#else
    const gamut::core::any_observer seen(kept);
#endif
    return static_cast<bool>(seen) ? 0 : 1;
}

// expect: extra: needs a topology that does not change; use exchange::gradient_tracking
// SPDX-License-Identifier: BSL-1.0
#include <gamut/exchange/extra.hpp>
#include <gamut/exchange/gradient_tracking.hpp>
#include <gamut/topology/random_pairs.hpp>

using namespace gamut;

int main() {
#ifdef GAMUT_MISUSE_FIXED
    (void)exchange::gradient_tracking{topology::random_pairs{}};
#else
    (void)exchange::extra{topology::random_pairs{}};
#endif
}

// expect: exact_diffusion: needs a symmetric topology; use exchange::gradient_tracking, or push_diging
// SPDX-License-Identifier: BSL-1.0
#include <gamut/exchange/exact_diffusion.hpp>
#include <gamut/exchange/gradient_tracking.hpp>
#include <gamut/topology/exponential.hpp>

using namespace gamut;

int main() {
#ifdef GAMUT_MISUSE_FIXED
    (void)exchange::gradient_tracking{topology::exponential{}};
#else
    (void)exchange::exact_diffusion{topology::exponential{}};
#endif
}

// expect: consistency: this rule needs a clock (how stale something is is counted in clocks); use table::shared, or consistency::asynchronous
// SPDX-License-Identifier: BSL-1.0
#include <gamut/consistency/asynchronous.hpp>
#include <gamut/consistency/bounded_staleness.hpp>

using namespace gamut;

int main() {
#ifdef GAMUT_MISUSE_FIXED
    consistency::check_without_clock(consistency::asynchronous{});
#else
    consistency::check_without_clock(consistency::bounded_staleness{.slack = 3});
#endif
}

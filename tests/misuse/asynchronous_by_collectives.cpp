// expect: consistency: this rule needs letters, not collectives (those wait for everybody); use table::shared, or consistency::bulk_synchronous
// SPDX-License-Identifier: BSL-1.0
#include <gamut/consistency/asynchronous.hpp>
#include <gamut/consistency/bulk_synchronous.hpp>

using namespace gamut;

int main() {
#ifdef GAMUT_MISUSE_FIXED
    consistency::check_collectives(consistency::bulk_synchronous{});
#else
    consistency::check_collectives(consistency::asynchronous{});
#endif
}

// expect: consistency: the first K of N updates need a server to see who came first; use table::shared
// SPDX-License-Identifier: BSL-1.0
#include <gamut/consistency/backup_workers.hpp>
#include <gamut/consistency/bulk_synchronous.hpp>

using namespace gamut;

int main() {
#ifdef GAMUT_MISUSE_FIXED
    consistency::check_collectives(consistency::bulk_synchronous{});
#else
    consistency::check_collectives(consistency::backup_workers{.enough = 3});
#endif
}

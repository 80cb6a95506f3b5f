// expect: table::shared: a row that remembers something needs state(visit) to be saved; see gamut/table/concept.hpp
// SPDX-License-Identifier: BSL-1.0
#include <gamut/communicator/single.hpp>
#include <gamut/consistency/bulk_synchronous.hpp>
#include <gamut/table/shared.hpp>

using namespace gamut;

struct last {
    double seen = 0;
    void apply(std::span<double> values, std::span<const double> update, std::size_t) {
        values[0] = seen;
        seen = update[0];
    }
#ifdef GAMUT_MISUSE_FIXED
    template <class Visit> void state(Visit&& visit) { visit(seen); }
#endif
};

int main() {
    table::shared t{communicator::single<>{}, {.rows = 2}, last{}, consistency::bulk_synchronous{}};
    t.save("a.table");
}

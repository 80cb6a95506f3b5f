// expect: table::shared: rows need apply(values, update, count); see gamut/table/concept.hpp
// SPDX-License-Identifier: BSL-1.0
#include <gamut/communicator/single.hpp>
#include <gamut/consistency/bulk_synchronous.hpp>
#include <gamut/table/shared.hpp>

using namespace gamut;

struct product {
#ifdef GAMUT_MISUSE_FIXED
    void apply(std::span<double> values, std::span<const double> update, std::size_t) const {
#else
    void apply(std::span<double> values, std::span<const double> update) const {
#endif
        for (std::size_t j = 0; j < values.size(); ++j) values[j] *= update[j];
}
}
;

int main() {
    table::shared t{communicator::single<>{}, {.rows = 2}, product{}, consistency::bulk_synchronous{}};
    t.run(1, [](auto& me) { me.get(0); });
}

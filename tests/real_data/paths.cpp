// SPDX-License-Identifier: BSL-1.0
#include "best_subsets.hpp"

#include <gamut/solver/path.hpp>

namespace {

/// Every row of the table, all from one path.
template <class Model> void check(const real_data::best_subsets<Model>& proven) {
    const gamut::solver::path path{.largest = proven.table.back()["k"].template get<std::size_t>()};
    const auto found = path.minimize(proven.with(1));
    for (const auto& expected : proven.table) {
        BOOST_REQUIRE(expected["k"] < found.size());
        proven.check(expected, found[expected["k"]].result);
    }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(paths, *boost::unit_test::precondition(real_data::is_there))

BOOST_AUTO_TEST_CASE(bss_diabetes) { check(real_data::diabetes()); }
BOOST_AUTO_TEST_CASE(bss_prostate) { check(real_data::prostate()); }
BOOST_AUTO_TEST_CASE(logit_l0_saheart) { check(real_data::saheart()); }

BOOST_AUTO_TEST_SUITE_END()

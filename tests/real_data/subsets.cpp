// SPDX-License-Identifier: BSL-1.0
#include "best_subsets.hpp"

#include <gamut/solver/exact.hpp>

namespace {

/// Every row of the table, proven again.
template <class Model> void check(const real_data::best_subsets<Model>& proven) {
    for (const auto& expected : proven.table) {
        const auto found = gamut::solver::exact{.stop = {.tolerance = 1e-9}}.minimize(proven.with(expected["k"]));
        BOOST_TEST((found.status == gamut::core::status::converged));
        proven.check(expected, found);
    }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(subsets, *boost::unit_test::precondition(real_data::is_there))

BOOST_AUTO_TEST_CASE(bss_diabetes) { check(real_data::diabetes()); }
BOOST_AUTO_TEST_CASE(bss_prostate) { check(real_data::prostate()); }
BOOST_AUTO_TEST_CASE(logit_l0_saheart) { check(real_data::saheart()); }

BOOST_AUTO_TEST_SUITE_END()

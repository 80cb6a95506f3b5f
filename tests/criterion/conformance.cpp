// SPDX-License-Identifier: BSL-1.0
// Criteria by their formulas, computed by hand.
#include <boost/test/unit_test.hpp>

#include <cmath>
#include <cstddef>

#include <gamut/core/error.hpp>
#include <gamut/criterion/aic.hpp>
#include <gamut/criterion/bic.hpp>
#include <gamut/criterion/concept.hpp>
#include <gamut/criterion/ebic.hpp>
#include <gamut/criterion/gic.hpp>

using namespace gamut;
using criterion::Criterion;
using criterion::information;

static_assert(Criterion<criterion::aic> && Criterion<criterion::bic> && Criterion<criterion::ebic> &&
              Criterion<criterion::gic>);
static_assert(!Criterion<int>);
namespace {
struct of_nothing {
    double operator()() const { return 0; }
};
struct fewest {
    std::size_t operator()(const information& fit) const { return fit.chosen; }
};
static_assert(!Criterion<of_nothing> && Criterion<fewest>);
}  // namespace

BOOST_AUTO_TEST_SUITE(criteria)

BOOST_AUTO_TEST_CASE(formulas) {
    const information fit{.deviance = 100, .degrees_of_freedom = 4, .rows = 442, .candidates = 10, .chosen = 3};
    BOOST_TEST(std::abs(criterion::aic{}(fit)-108) <= 1e-12);
    BOOST_TEST(std::abs(criterion::bic{}(fit) - (100 + 4 * 6.09131)) <= 1e-4);  // log 442
    BOOST_TEST(std::abs(criterion::ebic{.gamma = 0}(fit)-criterion::bic{}(fit)) <= 1e-12);
    BOOST_TEST(std::abs(criterion::ebic{.gamma = 1}(fit)-criterion::bic{}(fit)-2 * std::log(120.)) <= 1e-10);
    BOOST_TEST(std::abs(criterion::ebic{}(fit)-criterion::bic{}(fit)-std::log(120.)) <= 1e-10);
    BOOST_TEST(std::abs(criterion::gic{}(fit) - (100 + 4 * 1.806863 * 2.302585)) <= 1e-4);  // log log 442, log 10
}

BOOST_AUTO_TEST_CASE(many_candidates_do_not_overflow) {
    const information fit{.deviance = 1, .degrees_of_freedom = 2, .rows = 1e9, .candidates = 1000000000, .chosen = 500};
    BOOST_TEST(std::isfinite(criterion::ebic{.gamma = 1}(fit)));
    BOOST_TEST(std::isfinite(criterion::gic{}({.deviance = 1, .degrees_of_freedom = 1, .rows = 10, .candidates = 0})));
}

BOOST_AUTO_TEST_CASE(wrong_options_are_refused) {
    BOOST_CHECK_THROW(criterion::ebic{.gamma = -1}({}), core::option_error);
    BOOST_CHECK_THROW(criterion::ebic{.gamma = std::nan("")}({}), core::option_error);
}

BOOST_AUTO_TEST_SUITE_END()

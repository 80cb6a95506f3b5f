// SPDX-License-Identifier: BSL-1.0
// A whole fit, written once, on the host and on a device.
#include <boost/test/unit_test.hpp>

#include <cmath>
#include <cstddef>
#include <vector>

#include <gamut/backend/device_sweep.hpp>
#include <gamut/backend/host.hpp>
#include <gamut/core/result.hpp>
#include <gamut/data/arrays.hpp>
#include <gamut/estimator.hpp>
#include <gamut/model/logistic.hpp>
#include <gamut/penalty/l1.hpp>
#include <gamut/penalty/l2.hpp>
#include <gamut/solver/admm.hpp>

#include "systems.hpp"

using namespace gamut;
using namespace gamut::device_test;

namespace {

constexpr std::size_t rows = 200, columns = 6;

/// Labels that follow the first columns, with enough mistakes that no plane separates them.
template <class Matrix> std::vector<double> labels(const Matrix& x) {
    const auto dense = as_dense(x);
    const auto noise = random_numbers<double>(rows, 41);
    std::vector<double> y(rows);
    for (std::size_t i = 0; i < rows; ++i) y[i] = dense(i, 0) - 0.5 * dense(i, 1) + noise[i] > 0.1 ? 1 : 0;
    return y;
}

template <class System, class Matrix, class Penalty> void fits_agree(const Matrix& x, const Penalty& penalty) {
    const solver::admm<> consensus{.stop = {.iterations = 2000, .tolerance = 1e-12}};
    const estimator on_host{.model = model::logistic{}, .penalty = penalty, .solver = consensus};
    const estimator on_device{.model = model::logistic{},
                              .penalty = penalty,
                              .solver = consensus,
                              .backend = backend::device<double, System>{}};
    const data::arrays source(x, labels(x));
    const auto expected = on_host.fit(source), found = on_device.fit(source);
    BOOST_TEST((expected.status == core::status::converged));
    BOOST_TEST((found.status == core::status::converged));
    BOOST_TEST(std::abs(found.objective - expected.objective) <= 1e-10);
    BOOST_TEST(largest_difference(found.weights, expected.weights) <= 1e-10);
    BOOST_TEST(largest_difference(found.intercept, expected.intercept) <= 1e-10);
    for (std::size_t j = 0; j < expected.weights.size(); ++j)
        BOOST_TEST((found.weights[j] == 0) == (expected.weights[j] == 0));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(fit)

BOOST_AUTO_TEST_CASE(logistic_admm_with_l1_agrees_with_the_host) {
    fits_agree<backend::system::cpp>(random_dense<double>(rows, columns, 40), penalty::l1{.strength = 0.02});
    fits_agree<backend::system::cpp>(random_sparse<double>(rows, columns, 40), penalty::l1{.strength = 0.02});
}

BOOST_AUTO_TEST_CASE(offsets_are_refused_on_a_device) {
    const auto x = random_dense<double>(rows, columns, 40);
    data::arrays source(x, labels(x));
    source.offsets.assign(rows, 0.5);
    const estimator on_device{.model = model::logistic{},
                              .penalty = penalty::l1{.strength = 0.02},
                              .solver = solver::admm<>{.stop = {.iterations = 2000, .tolerance = 1e-12}},
                              .backend = backend::device<double, backend::system::cpp>{}};
    BOOST_CHECK_THROW(on_device.fit(source), core::option_error);
}

BOOST_AUTO_TEST_CASE(logistic_admm_with_l2_agrees_with_the_host) {
    fits_agree<backend::system::cpp>(random_dense<double>(rows, columns, 40), penalty::l2{.strength = 0.02});
}

BOOST_AUTO_TEST_SUITE_END()

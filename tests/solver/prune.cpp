// SPDX-License-Identifier: BSL-1.0
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <span>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <gamut/backend/host.hpp>
#include <gamut/communicator/threads.hpp>
#include <gamut/data/csv.hpp>
#include <gamut/data/standardize.hpp>
#include <gamut/model/softmax.hpp>
#include <gamut/penalty/l0.hpp>
#include <gamut/solver/polish.hpp>
#include <gamut/solver/problem.hpp>
#include <gamut/solver/prune.hpp>

#include "../fits/any_communicator.hpp"

using namespace gamut;

namespace {

using rows = data::dataset<backend::dense_matrix<double>>;
using problem = solver::problem<model::softmax, rows, penalty::l0, backend::host<>, fits::any_communicator>;

struct loaded {
    rows data;
    data::standardization scaling;
    problem fit;

    explicit loaded(const penalty::l0& penalty, const fits::any_communicator& ranks = {})
        : data(data::csv<>{.path = "examples/data/iris.csv"}.load(ranks, {.classification = true, .blocks = 4})),
          scaling(data::standardize(ranks, data)),
          fit({}, data, penalty, {.threads = 1}, ranks, true, scaling) {}
};

constexpr std::size_t p = 4, c = 3;

}  // namespace

BOOST_AUTO_TEST_SUITE(prune)

BOOST_AUTO_TEST_CASE(as_many_are_left_as_may_be) {
    using enum penalty::support;
    for (const auto over : {entries, per_output, rows})
        for (std::size_t kappa = 0; kappa <= 4; ++kappa) {
            const loaded problem({.kappa = kappa, .l2 = 1e-2, .over = over});
            const auto found = solver::prune{}.minimize(problem.fit);
            BOOST_TEST((found.status == core::status::converged), found.message);
            std::vector<std::size_t> per_class(c), per_feature(p);
            std::size_t all = 0;
            for (std::size_t j = 0; j < p; ++j)
                for (std::size_t k = 0; k < c; ++k)
                    if (found.weights[j * c + k] != 0) ++all, ++per_class[k], ++per_feature[j];
            if (over == entries) BOOST_TEST(all == kappa);
            if (over == per_output)
                for (const std::size_t used : per_class) BOOST_TEST(used == kappa);
            if (over == rows) BOOST_TEST(all == kappa * c);
            // the best weights on what is left: slopes are 0 there
            typename problem::array gradient(problem.fit.dimension());
            problem.fit.value_and_gradient(found.weights, gradient);
            for (std::size_t e = 0; e < p * c; ++e)
                if (found.weights[e] != 0) BOOST_TEST(std::abs(gradient[e] + 1e-2 * found.weights[e]) <= 1e-7);
        }
}

BOOST_AUTO_TEST_CASE(the_best_rows_of_iris_are_found) {
    double best = std::numeric_limits<double>::infinity();
    const loaded problem({.kappa = 2, .l2 = 1e-2, .over = penalty::support::rows});
    for (std::size_t a = 0; a < p; ++a)
        for (std::size_t b = 0; b < a; ++b) {
            std::vector<double> w(problem.fit.dimension());
            for (std::size_t k = 0; k < c; ++k) w[a * c + k] = w[b * c + k] = 1;
            best = std::min(
                best,
                solver::polish{}.improve(problem.fit, typename ::problem::array(std::span<const double>(w))).objective);
        }
    const auto found = solver::prune{}.minimize(problem.fit);
    BOOST_TEST(found.objective >= best - 1e-10);
    BOOST_TEST(found.objective <= best + 1e-8);
}

BOOST_AUTO_TEST_CASE(copies_of_columns_are_no_better_and_it_is_called_a_heuristic) {
    const loaded once({.kappa = 2, .l2 = 1e-2, .over = penalty::support::rows});
    rows twice = once.data;
    twice.x = backend::dense_matrix<double>(once.data.x.rows, 2 * p);
    twice.features = {"a", "b", "c", "d", "a2", "b2", "c2", "d2"};
    const auto& given = once.data.x;
    for (std::size_t i = 0; i < given.rows; ++i)
        for (std::size_t j = 0; j < 2 * p; ++j) twice.x(i, j) = given(i, j % p);
    const fits::any_communicator alone;
    const problem doubled({}, twice, {.kappa = 2, .l2 = 1e-2, .over = penalty::support::rows}, {.threads = 1}, alone,
                          true, data::standardize(alone, twice));
    const auto found = solver::prune{}.minimize(doubled);
    BOOST_TEST(found.objective >= solver::prune{}.minimize(once.fit).objective - 1e-12);  // copies add nothing
    BOOST_TEST(found.message.find("a heuristic, without a certificate") != std::string::npos, found.message);
}

BOOST_AUTO_TEST_CASE(bounds_count_in_what_is_chosen) {
    const loaded problem({.kappa = 4, .l2 = 1e-2, .lower = 0});
    const auto found = solver::prune{}.minimize(problem.fit);
    std::size_t used = 0;
    for (std::size_t e = 0; e < p * c; ++e) {
        BOOST_TEST(found.weights[e] >= 0);
        used += found.weights[e] != 0 ? 1 : 0;
    }
    BOOST_TEST(used <= 4U);
    double best = std::numeric_limits<double>::infinity();  // of all 495 supports
    for (std::size_t mask = 0; mask < (1U << (p * c)); ++mask) {
        if (__builtin_popcountll(mask) != 4) continue;
        std::vector<double> w(problem.fit.dimension());
        for (std::size_t e = 0; e < p * c; ++e) w[e] = (mask >> e & 1) != 0 ? 1e-3 : 0;
        const decltype(found.weights) start{std::span<const double>(w)};
        best = std::min(best, solver::polish{.stop = {.iterations = 3}}.improve(problem.fit, start).objective);
    }
    BOOST_TEST(found.objective <= 1.08 * best);  // free weights, clipped, are at 1.9 times that
}

BOOST_AUTO_TEST_CASE(an_observer_ends_it_with_kappa_weights) {
    const loaded problem({.kappa = 1, .l2 = 1e-2, .over = penalty::support::per_output});
    const auto found = solver::prune{}.minimize(problem.fit, [](const core::record&) { return true; });
    BOOST_TEST((found.status == core::status::stopped));
    BOOST_TEST(problem.fit.nonzeros(found.weights) == c);
}

BOOST_AUTO_TEST_CASE(ranks_change_no_bit) {
    const penalty::l0 penalty{.kappa = 2, .l2 = 1e-2, .over = penalty::support::per_output};
    const auto alone = solver::prune{}.minimize(loaded(penalty).fit);
    communicator::threads<>::run(3, [&](const communicator::threads<>& ranks) {
        const auto together = solver::prune{}.minimize(loaded(penalty, ranks).fit);
        if (together.weights.download() != alone.weights.download() || together.objective != alone.objective)
            throw core::error("other bits");
    });
}

BOOST_AUTO_TEST_CASE(wrong_options_are_refused) {
    const loaded problem({.kappa = 1});
    for (const double keep : {0.0, 1.0, -1.0, std::nan("")})
        BOOST_CHECK_THROW(solver::prune{.keep = keep}.minimize(problem.fit), core::option_error);
    BOOST_CHECK_THROW(solver::prune{.grow = std::nan("")}.minimize(problem.fit), core::option_error);
}

BOOST_AUTO_TEST_SUITE_END()

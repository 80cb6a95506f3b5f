// SPDX-License-Identifier: BSL-1.0
// What the default solver says of few weights, against an oracle of its own.
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <gamut/core/random.hpp>
#include <gamut/core/text.hpp>
#include <gamut/data/arrays.hpp>
#include <gamut/data/csv.hpp>
#include <gamut/solver/default_for.hpp>

#include "claims.hpp"

using namespace gamut;

namespace {

/// Of each loss; those of softmax are larger.
template <class Model> constexpr std::size_t problems = std::is_same_v<Model, model::softmax> ? 60 : 300;

/// m rows of p columns, about half of them dummies that one to three rows have, and labels that some of them explain.
template <class Model> claims::rows random_rows(std::uint64_t seed, std::size_t m, std::size_t p) {
    const core::random draw{.seed = seed};
    std::vector<double> x(m * p), y(m), noise(m);
    for (std::size_t j = 0; j < p; ++j) {
        const bool rare = draw.uniform(100 + j) < 0.5;
        const auto ones = static_cast<std::size_t>(1 + 3 * draw.uniform(200 + j));
        for (std::size_t i = 0; i < m && !rare; ++i) x[i * p + j] = draw.normal(1000 + i * p + j);
        for (std::size_t k = 0; k < ones && rare; ++k)
            x[static_cast<std::size_t>(draw.uniform(300 + 10 * j + k) * static_cast<double>(m)) * p + j] = 1;
    }
    constexpr bool classes = model::is_classification<Model>, counts = std::is_same_v<Model, model::poisson>;
    constexpr double number = std::is_same_v<Model, model::softmax> ? 3 : 2;
    for (std::size_t i = 0; i < m; ++i) {
        double z = 0.7 * draw.normal(5000 + i);
        for (std::size_t j = 0; j < p; ++j) z += 1.5 * draw.normal(6000 + j) * x[i * p + j];
        const double last = number - 1;
        y[i] = classes  ? (static_cast<double>(i) < number ? static_cast<double>(i)
                                                           : std::clamp(std::floor(0.5 * z + 0.5 * number), 0.0, last))
               : counts ? std::floor(std::exp(std::clamp(z, -3.0, 3.0)))
                        : z;
    }
    if (counts) y[0] = 1;
    return data::arrays(x, m, p, y).load(claims::alone{}, {.classification = classes, .blocks = 4});
}

bool says(std::string_view message, std::string_view words) { return message.find(words) != message.npos; }

/// How often the best of all was claimed, a local optimum was, and nothing was.
struct counts {
    std::size_t of_all = 0, local = 0, nothing = 0;
};

/// What is claimed must hold to `within`, relatively.
template <class Model> void check(const claims::rows& all, const penalty::l0& term, bool enumerate, counts& told) {
    constexpr double within = 1e-6;
    using solver_type = typename solver::default_for<Model, penalty::l0>::type;
    const auto found = solver_type{}.minimize(claims::problem_of<Model>(all, term));
    claims::oracle<Model> oracle(all, term);
    const std::string what =
        core::text(Model::name, ", ", all.rows(), " x ", all.columns(), ", kappa ", term.kappa, ", l2 ", term.l2,
                   ", over ", static_cast<int>(term.over), ": ", found.message, "; objective ", found.objective);
    BOOST_TEST((found.status == core::status::converged), what);
    const auto weights = found.weights.download();
    const auto support = oracle.support_of(weights);
    BOOST_TEST(std::abs(found.objective - oracle.least(support)) <= within * std::abs(found.objective), what);
    if (enumerate) {
        const double best = oracle.best_of_all();
        BOOST_TEST(found.lower_bound <= best + 1e-9 * std::abs(best), what);
        BOOST_TEST(found.objective <= best + within * std::abs(best), what << "; best " << best);
    }
    if (says(found.message, "the best of all") || says(found.message, "no exchange")) {
        const double best = oracle.best_exchange(support);
        BOOST_TEST(found.objective <= best + within * std::abs(best), what << "; an exchange gives " << best);
    }
    ++(says(found.message, "the best of all") ? told.of_all
       : says(found.message, "no exchange")   ? told.local
                                              : told.nothing);
}

/// fitted: all supports are fitted in the end.
template <class Model> void check_random(std::uint64_t seed, bool fitted) {
    counts told;
    for (std::size_t k = 0; k < problems<Model>; ++k) {
        const core::random draw{.seed = seed + k, .stream = 7};
        constexpr bool several = std::is_same_v<Model, model::softmax>;
        const auto m = static_cast<std::size_t>(10 + 21 * draw.uniform(0)),
                   p = static_cast<std::size_t>(3 + (several ? 3 : 6) * draw.uniform(1)),
                   kappa = static_cast<std::size_t>(1 + 3 * draw.uniform(2));
        const auto over = static_cast<penalty::support>(several ? k % 3 : 0);
        check<Model>(random_rows<Model>(seed + k, m, p),
                     {.kappa = kappa, .l2 = std::pow(10, -3 + 2 * draw.uniform(3)), .over = over}, true, told);
    }
    BOOST_TEST_MESSAGE(Model::name << ": " << told.of_all << " best of all, " << told.local << " local optima, "
                                   << told.nothing << " neither");
    if (fitted) BOOST_TEST(told.of_all == problems<Model>);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(estimator_claims)

BOOST_AUTO_TEST_CASE(few_weights_of_logistic) { check_random<model::logistic>(1, true); }
BOOST_AUTO_TEST_CASE(few_weights_of_softmax) { check_random<model::softmax>(1001, true); }
BOOST_AUTO_TEST_CASE(few_weights_of_poisson) { check_random<model::poisson>(2001, true); }
BOOST_AUTO_TEST_CASE(few_weights_of_squared_hinge) { check_random<model::squared_hinge>(3001, true); }
BOOST_AUTO_TEST_CASE(few_weights_of_linear) { check_random<model::linear>(4001, false); }

/// 178 wines, 13 columns, three classes: with a small l2 the second-order model hides better supports.
BOOST_AUTO_TEST_CASE(wine) {
    const auto all =
        data::csv<>{.path = "examples/data/wine.csv"}.load(claims::alone{}, {.classification = true, .blocks = 8});
    counts told;
    for (const double l2 : {1e-2, 3e-4}) {
        for (const std::size_t kappa : {1u, 2u, 4u, 7u})
            for (const auto over : {penalty::support::rows, penalty::support::entries, penalty::support::per_output}) {
                const bool few =
                    over == penalty::support::rows ? kappa <= 2 : over == penalty::support::entries && kappa == 1;
                check<model::softmax>(all, {.kappa = kappa, .l2 = l2, .over = over}, few, told);
            }
    }
    BOOST_TEST(told.nothing == 0u);
    BOOST_TEST(told.of_all == 12u);
}

BOOST_AUTO_TEST_SUITE_END()

// SPDX-License-Identifier: BSL-1.0
#include "cases.hpp"

#include <boost/test/unit_test.hpp>

using namespace agreement;

namespace {

const data::csv<> breast_cancer{.path = "examples/data/breast_cancer.csv"},
    diabetes{.path = "examples/data/diabetes.csv"}, iris{.path = "examples/data/iris.csv"};

void check(const std::vector<answer>& all, double objective, double weights) {
    for (const answer& one : all) BOOST_TEST(disagreement(all[0], one, objective, weights) == "");
}

}  // namespace

BOOST_AUTO_TEST_SUITE(agreement_of_solvers)

BOOST_AUTO_TEST_CASE(solvers_agree) {
    for (const double l2 : {1., 1e-2}) {
        check(answers(model::linear{}, diabetes, l2, {}), 1e-10, 1e-5);
        check(answers(model::logistic{}, breast_cancer, l2, {}), 1e-10, 1e-5);
        check(answers(model::softmax{}, iris, l2, {}), 1e-10, 1e-5);
    }
}

BOOST_AUTO_TEST_CASE(solvers_agree_on_columns_as_given) {
    const data::preparation as_given{data::intercept::none, data::columns::as_given};
    check(answers(model::softmax{}, iris, 1e-2, {.prepare = as_given}), 1e-10, 1e-5);
}

BOOST_AUTO_TEST_CASE(stochastic_gradients_come_close) {
    const auto best = fits::fit(model::logistic{}, penalty::l2{.1}, solver::newton_cg<>{}, breast_cancer);
    const auto found =
        fits::fit(model::logistic{}, penalty::l2{.1},
                  solver::sgd<>{.rate = 0.01, .momentum = 0.9, .stop = {.iterations = 100}}, breast_cancer);
    BOOST_TEST(found.objective >= best.objective - 1e-12);
    BOOST_TEST(found.objective <= best.objective * 1.001);
}

BOOST_AUTO_TEST_CASE(float_agrees_with_double_to_its_rounding) {
    const data::csv<float> source{.path = "examples/data/breast_cancer.csv"};
    for (const double l2 : {1., 1e-2}) {
        const auto exact = fits::fit(model::logistic{}, penalty::l2{l2}, solver::newton_cg<>{}, breast_cancer);
        const auto close = [&](const auto& found, double tolerance) {
            BOOST_TEST(std::abs(found.objective - exact.objective) <= tolerance * exact.objective,
                       found.objective << " " << found.message);
            BOOST_TEST(core::name(found.status) == "converged", found.message);
        };
        for (const double tolerance :
             {1e-4, 1e-9}) {  // the second is below what float can know: that is no reason to go on
            const core::stop stop{.iterations = 500, .tolerance = tolerance};
            close(fits::fit(model::logistic{}, penalty::l2{l2}, solver::newton_cg<>{.stop = stop}, source), 1e-5);
            close(fits::fit(model::logistic{}, penalty::l2{l2}, solver::lbfgs<>{.stop = stop}, source), 1e-5);
            close(fits::fit(model::logistic{}, penalty::elastic_net{0, l2}, solver::admm<>{.stop = stop}, source),
                  1e-5);
        }
        close(fits::fit(model::logistic{}, penalty::l0{.kappa = 30, .l2 = l2}, solver::disadmm<>{}, source), 1e-5);
    }
}

BOOST_AUTO_TEST_CASE(ranks_as_threads_agree_with_one_rank) {
    const auto alone = answers(model::logistic{}, breast_cancer, 1e-2, {});
    communicator::threads<>::run(3, [&](const communicator::threads<>& ranks) {
        const auto together = answers(model::logistic{}, breast_cancer, 1e-2, {.ranks = ranks, .threads = 1});
        for (std::size_t i = 0; i < alone.size(); ++i)
            if (const auto found = disagreement(alone[i], together[i], 0, 0); found != "") throw core::error(found);
    });
}

// Other bits, but not another answer.
BOOST_AUTO_TEST_CASE(fast_sums_agree_with_exact_ones) {
    const auto exact = fits::fit(model::logistic{}, penalty::l2{1e-2}, solver::lbfgs<>{}, breast_cancer);
    communicator::threads<core::fast>::run(3, [&](const communicator::threads<core::fast>& ranks) {
        const estimator fast{.model = model::logistic{}, .penalty = penalty::l2{1e-2}, .communicator = ranks};
        const auto found = fast.fit(breast_cancer);
        if (!(std::abs(found.objective - exact.objective) <= 1e-12 * exact.objective))
            throw core::error(core::text(found.objective));
    });
}

BOOST_AUTO_TEST_SUITE_END()

// SPDX-License-Identifier: BSL-1.0
#include "files.hpp"

#include <gamut/gamut.hpp>

using namespace gamut;
using nlohmann::json;
using real_data::answer;

namespace {

/// 1/2 |w|^2 + C times the sum of the losses.
template <class Model, class Source>
auto solve(const Model& model, const Source& source, double rows, double C, data::intercept intercept,
           double tolerance) {
    const estimator machine{.model = model,
                            .penalty = penalty::l2{1 / (rows * C)},
                            .solver = solver::dual{.stop = {.iterations = 20000, .tolerance = tolerance}},
                            .prepare = {intercept, data::columns::as_given}};
    const auto fit = machine.fit(source);
    BOOST_TEST_MESSAGE("C = " << C << ": " << core::name(fit.status) << ", gap " << fit.history.back().residual
                              << " after " << fit.iterations << " rounds, " << fit.passes << " passes, " << fit.seconds
                              << " s");
    BOOST_TEST((fit.status == core::status::converged));
    return fit;
}

template <class Source> void check_svm(const answer& known, const Source& source, double rows) {
    for (const json& expected : known.solutions()) {
        if (expected["kernel"] != "linear") continue;
        const double C = expected["C"];
        const auto fit = solve(model::hinge{}, source, rows, C, data::intercept::free, 1e-9);
        real_data::check_close("objective", fit.objective * rows * C, expected["primal_objective"],
                               known.objective_tolerance());
        BOOST_TEST(std::abs(fit.intercept[0] - expected["bias"].get<double>()) <= 1e-2);
        BOOST_TEST(std::abs(fit.score(source).accuracy - expected["train_accuracy"].get<double>()) <= 1.01 / rows);
    }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(support_vectors, *boost::unit_test::precondition(real_data::is_there))

BOOST_AUTO_TEST_CASE(svm_heart) {
    check_svm(answer("svm_heart"), data::libsvm<>{.path = real_data::path("heart_scale/heart_scale"), .features = 13},
              270);
}

BOOST_AUTO_TEST_CASE(svm_sonar) {
    // M is +1: the second class, for classes that are text are in its order and R comes after M; the sign of the bias turns
    const answer known("svm_sonar");
    const data::csv<> source{.path = real_data::path("sonar/sonar.csv")};
    const json& expected = known.solutions().front();
    const auto fit = solve(model::hinge{}, source, 208, expected["C"], data::intercept::free, 1e-9);
    real_data::check_close("objective", fit.objective * 208, expected["primal_objective"], known.objective_tolerance());
    BOOST_TEST(std::abs(fit.intercept[0] + expected["bias"].get<double>()) <= 1e-2);
    BOOST_TEST(std::abs(fit.score(source).accuracy - expected["train_accuracy"].get<double>()) <= 1.01 / 208);
}

BOOST_AUTO_TEST_CASE(l2svm_agaricus) {
    const answer known("l2svm_agaricus");
    const data::libsvm<> train{.path = real_data::path("agaricus/agaricus.txt.train")},
        test{.path = real_data::path("agaricus/agaricus.txt.test")};
    for (const json& expected : known.solutions()) {
        const double C = expected["C"];
        const auto fit = solve(model::squared_hinge{}, train, 6513, C, data::intercept::none, 1e-10);
        real_data::check_close("objective", fit.objective * 6513 * C, expected["objective"],
                               known.objective_tolerance());
        double square = 0;
        for (const double w : fit.weights) square += w * w;
        real_data::check_close("|w|", std::sqrt(square), expected["norm2_w"], 1e-4);
        BOOST_TEST(std::abs(fit.score(train).accuracy - expected["train_accuracy"].get<double>()) <= 1.01 / 6513);
        BOOST_TEST(fit.score(test).accuracy == expected["test_accuracy"].get<double>());
    }
}

BOOST_AUTO_TEST_SUITE_END()

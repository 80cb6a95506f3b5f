// SPDX-License-Identifier: BSL-1.0
#include "files.hpp"

#include <gamut/gamut.hpp>

using namespace gamut;
using nlohmann::json;
using real_data::answer;
using real_data::number;

namespace {

constexpr data::preparation as_given{data::intercept::free, data::columns::as_given};
constexpr data::preparation no_intercept{data::intercept::none, data::columns::as_given};
const solver::coordinate tight{.stop = {.tolerance = 1e-11}};

/// One solution; objectives of the answers are sums over n rows.
template <class Model, class Penalty, class Source>
auto check(Model model, const Penalty& penalty, const Source& source, const json& expected, const answer& known,
           double n, data::preparation prepare) {
    const estimator e{.model = model, .penalty = penalty, .solver = tight, .prepare = prepare};
    const auto found = e.fit(source);
    BOOST_TEST_MESSAGE(core::name(found.status) << ", " << found.iterations << " iterations, " << found.passes
                                                << " passes, " << found.seconds << " s: " << found.message);
    BOOST_TEST((found.status == core::status::converged));
    real_data::check_close("objective", found.objective * n, expected["objective"], known.objective_tolerance());
    return found;
}

template <class Source> void check_lassos(const answer& known, const Source& source, double n) {
    for (const auto& expected : known["solutions"]) {
        const penalty::elastic_net penalty{number(expected, "lambda1") / n, number(expected, "lambda2") / n};
        const auto found = check(model::linear{}, penalty, source, expected, known, n, as_given);
        BOOST_TEST(found.support() == expected["support_index0"].get<std::vector<std::size_t>>(),
                   boost::test_tools::per_element());
        const auto& weights = expected["coef_on_support"];
        const auto support = found.support();
        for (std::size_t i = 0; i < support.size() && i < weights.size(); ++i)
            real_data::check_close("weight of " + found.features[support[i]], found.weights[support[i]], weights[i],
                                   known.tolerance("coefficients "));
    }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(coordinate, *boost::unit_test::precondition(real_data::is_there))

BOOST_AUTO_TEST_CASE(lasso_diabetes) {
    check_lassos(answer("lasso_diabetes"), data::csv<>{.path = real_data::path("diabetes/diabetes.csv")}, 442);
}

BOOST_AUTO_TEST_CASE(lasso_riboflavin) {
    const real_data::unpacked file("riboflavin/riboflavin.csv.gz");
    check_lassos(answer("lasso_riboflavin"), data::csv<>{.path = file.name()}, 71);
}

BOOST_AUTO_TEST_CASE(group_lasso_bardet) {
    const answer known("group_lasso_bardet");
    const real_data::unpacked file("bardet/bardet.csv.gz");
    for (const auto& expected : known["solutions"]) {
        const penalty::group penalty{.strength = number(expected, "lambda_g") / 120,
                                     .sizes = std::vector<std::size_t>(20, 5)};
        const auto found =
            check(model::linear{}, penalty, data::csv<>{.path = file.name()}, expected, known, 120, as_given);
        std::vector<std::size_t> groups;
        for (std::size_t g = 0; g < 20; ++g)
            if (std::any_of(found.weights.begin() + static_cast<std::ptrdiff_t>(5 * g),
                            found.weights.begin() + static_cast<std::ptrdiff_t>(5 * g + 5),
                            [](double w) { return w != 0; }))
                groups.push_back(g);
        BOOST_TEST(groups == expected["selected_groups0"].get<std::vector<std::size_t>>(),
                   boost::test_tools::per_element());
    }
}

BOOST_AUTO_TEST_CASE(logit_l1_golub) {
    const answer known("logit_l1_golub");
    const real_data::unpacked file("golub/golub.csv.gz");
    for (const json& expected : known["solutions"]) {
        const penalty::elastic_net penalty{number(expected, "lambda1") / 38, number(expected, "lambda2") / 38};
        const auto found = check(model::logistic{}, penalty, data::csv<>{.path = file.name()}, expected, known, 38, {});
        BOOST_TEST(found.support() == expected["support_index0"].get<std::vector<std::size_t>>(),
                   boost::test_tools::per_element());
    }
}

BOOST_AUTO_TEST_CASE(logit_adult) {
    const answer known("logit_adult");
    const data::libsvm<> train{.path = real_data::path("adult/a8a"), .features = 123},
        test{.path = real_data::path("adult/a9a.t")};
    for (const json& expected : known["l1"]) {
        const penalty::elastic_net penalty{number(expected, "lambda1") / 22696, number(expected, "lambda2") / 22696};
        const auto found = check(model::logistic{}, penalty, train, expected, known, 22696, as_given);
        BOOST_TEST(std::abs(found.score(test).accuracy - expected["test_accuracy_a9a.t"].get<double>()) <=
                   known.tolerance("accuracy +-"));
    }
}

BOOST_AUTO_TEST_CASE(logit_rcv1_small) {
    const answer known("logit_rcv1_small");
    const auto train = real_data::vowpal_wabbit("rcv1_small/rcv1_small.dat", 50000);
    for (const json& expected : known["l1"]) {
        const penalty::elastic_net penalty{number(expected, "lambda1") / 1000, number(expected, "lambda2") / 1000};
        const auto found = check(model::logistic{}, penalty, train, expected, known, 1000, no_intercept);
        BOOST_TEST(found.support() == expected["support_index0"].get<std::vector<std::size_t>>(),
                   boost::test_tools::per_element());
    }
}

BOOST_AUTO_TEST_CASE(softmax_group_digits) {
    const answer known("softmax_group_digits");
    const auto all = real_data::digits();
    for (const json& expected : known.solutions()) {
        const penalty::group penalty{.strength = number(expected, "lambda_g") / 1437};
        const auto found =
            check(model::softmax{}, penalty, data::all_but_every(all, 5), expected, known, 1437, as_given);
        BOOST_TEST(found.support() == expected["support_index0"].get<std::vector<std::size_t>>(),
                   boost::test_tools::per_element());
    }
}

BOOST_AUTO_TEST_SUITE_END()

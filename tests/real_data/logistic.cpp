// SPDX-License-Identifier: BSL-1.0
#include "files.hpp"

#include "../fits/fit.hpp"

#include <gamut/gamut.hpp>

using namespace gamut;
using nlohmann::json;
using real_data::answer;
using real_data::number;

namespace {

constexpr data::preparation as_given{data::intercept::free, data::columns::as_given};
constexpr data::preparation no_intercept{data::intercept::none, data::columns::as_given};
constexpr core::stop tight{.iterations = 20000, .tolerance = 1e-10};

/// One solution by ADMM, or by truncated Newton when there is no l1 penalty. blocks: 1 where rows are few, see linear.cpp.
template <class Source>
auto solve(const json& expected, const answer& known, const Source& source, double n, data::preparation prepare,
           std::size_t blocks = 8) {
    const double l1 = number(expected, "lambda1") / n, l2 = number(expected, "lambda2") / n;
    const fits::settings how{.prepare = prepare};
    const auto found =
        l1 > 0 ? fits::fit(model::logistic{}, penalty::elastic_net{l1, l2},
                           solver::admm<>{.blocks = blocks, .stop = tight}, source, how)
               : fits::fit(model::logistic{}, penalty::l2{l2}, solver::newton_cg<>{.stop = tight}, source, how);
    BOOST_TEST_MESSAGE("lambda1 = " << l1 * n << ", lambda2 = " << l2 * n << ": " << core::name(found.status) << ", "
                                    << found.iterations << " iterations, " << found.passes << " passes, "
                                    << found.seconds << " s");
    BOOST_TEST_CONTEXT("lambda1 = " << l1 * n << ", lambda2 = " << l2 * n << ": " << core::name(found.status)
                                    << " after " << found.iterations << " iterations, " << found.passes << " passes")
    real_data::check_close("objective", found.objective * n, expected["objective"], known.objective_tolerance());
    return found;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(logistic, *boost::unit_test::precondition(real_data::is_there))

BOOST_AUTO_TEST_CASE(logit_l2_heart) {
    const answer known("logit_l2_heart");
    const data::libsvm<> source{.path = real_data::path("heart_scale/heart_scale"), .features = 13};
    const auto check = [&](const json& expected, data::preparation prepare) {
        const auto found = solve(expected, known, source, 270, prepare);
        for (std::size_t j = 0; j < 13; ++j)
            real_data::check_close("weight", found.weights[j], expected["w"][j], known.tolerance("coefficients "));
        const double l2 = expected["lambda2"].get<double>() / 270;
        const auto lbfgs =
            fits::fit(model::logistic{}, penalty::l2{l2}, solver::lbfgs<>{.stop = tight}, source, {.prepare = prepare});
        real_data::check_close("objective of lbfgs", lbfgs.objective * 270, expected["objective"],
                               known.objective_tolerance());
        const auto admm = fits::fit(model::logistic{}, penalty::elastic_net{0, l2}, solver::admm<>{.stop = tight},
                                    source, {.prepare = prepare});
        real_data::check_close("objective of admm", admm.objective * 270, expected["objective"],
                               known.objective_tolerance());
    };
    for (const json& expected : known["intercept"]) check(expected, as_given);
    for (const json& expected : known["no_intercept"]) check(expected, no_intercept);
}

BOOST_AUTO_TEST_CASE(logit_adult) {
    const answer known("logit_adult");
    const data::libsvm<> train{.path = real_data::path("adult/a8a"), .features = 123},
        test{.path = real_data::path("adult/a9a.t")};
    for (const char* penalty : {"l2", "l1"})
        for (const json& expected : known[penalty]) {
            const auto found = solve(expected, known, train, 22696, as_given);
            BOOST_TEST(std::abs(found.score(train).accuracy - expected["train_accuracy"].get<double>()) <=
                       known.tolerance("accuracy +-"));
            BOOST_TEST(std::abs(found.score(test).accuracy - expected["test_accuracy_a9a.t"].get<double>()) <=
                       known.tolerance("accuracy +-"));
        }
}

BOOST_AUTO_TEST_CASE(logit_l1_golub) {
    const answer known("logit_l1_golub");
    const real_data::unpacked file("golub/golub.csv.gz");
    for (const json& expected : known["solutions"]) {
        const auto found = solve(expected, known, data::csv<>{.path = file.name()}, 38, {}, 1);
        BOOST_TEST(found.support == expected["support_index0"].get<std::vector<std::size_t>>(),
                   boost::test_tools::per_element());
    }
}

BOOST_AUTO_TEST_CASE(logit_rcv1_small) {
    const answer known("logit_rcv1_small");
    const auto train = real_data::vowpal_wabbit("rcv1_small/rcv1_small.dat", 50000);
    const auto test = real_data::vowpal_wabbit("rcv1_small/rcv1_small_test.data", 50000);
    for (const char* penalty : {"l2", "l1"})
        for (const json& expected : known[penalty]) {
            const auto found = solve(expected, known, train, 1000, no_intercept, 1);
            BOOST_TEST(std::abs(found.score(test).accuracy - expected["test_accuracy"].get<double>()) <= 0.0021);
            if (expected.contains("support_index0"))
                BOOST_TEST(found.support == expected["support_index0"].get<std::vector<std::size_t>>(),
                           boost::test_tools::per_element());
        }
}

BOOST_AUTO_TEST_SUITE_END()

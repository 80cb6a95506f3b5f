// SPDX-License-Identifier: BSL-1.0
#include "files.hpp"

#include "../fits/fit.hpp"

#include <gamut/gamut.hpp>

using namespace gamut;
using nlohmann::json;
using real_data::answer;

namespace {

constexpr data::preparation as_given{data::intercept::free, data::columns::as_given};
constexpr core::stop tight{.iterations = 2000, .tolerance = 1e-9};
/// For many rows: with a gradient of 1e-6 times that at the start the objective is within 1e-10 of the least, and the
/// last two steps, half of all passes, are saved.
constexpr core::stop large{.iterations = 2000, .tolerance = 1e-6};

template <class Train, class Test>
void check(const json& expected, const answer& known, const Train& train, const Test& test, double rows,
           double accuracy, data::preparation prepare = as_given, const core::stop& stop = tight) {
    const double l2 = expected["lambda2"].get<double>() / rows;
    const auto found =
        fits::fit(model::softmax{}, penalty::l2{l2}, solver::newton_cg<>{.stop = stop}, train, {.prepare = prepare});
    BOOST_TEST_MESSAGE("lambda2 = " << l2 * rows << ": " << core::name(found.status) << ", " << found.iterations
                                    << " iterations, " << found.passes << " passes, " << found.seconds << " s");
    BOOST_TEST_CONTEXT("lambda2 = " << l2 * rows << ": " << core::name(found.status)) {
        real_data::check_close("objective", found.objective * rows, expected["objective"], known.objective_tolerance());
        BOOST_TEST(std::abs(found.score(train).accuracy - expected["train_accuracy"].get<double>()) <= accuracy);
        if (expected.contains("test_accuracy"))
            BOOST_TEST(std::abs(found.score(test).accuracy - expected["test_accuracy"].get<double>()) <=
                       accuracy + 1e-12);
    }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(softmax, *boost::unit_test::precondition(real_data::is_there))

BOOST_AUTO_TEST_CASE(softmax_l2_iris) {
    const answer known("softmax_l2_iris");
    const data::csv<> source{.path = real_data::path("iris/iris.csv"), .header = data::header::yes};
    for (const json& expected : known.solutions()) {
        check(expected, known, source, source, 150, 1e-12);
        const double l2 = expected["lambda2"].get<double>() / 150;
        const auto lbfgs =
            fits::fit(model::softmax{}, penalty::l2{l2}, solver::lbfgs<>{.stop = tight}, source, {.prepare = as_given});
        real_data::check_close("objective of lbfgs", lbfgs.objective * 150, expected["objective"],
                               known.objective_tolerance());
    }
}

BOOST_AUTO_TEST_CASE(softmax_l2_digits) {
    const answer known("softmax_l2_digits");
    const auto all = real_data::digits();
    for (const json& expected : known.solutions())
        check(expected, known, data::all_but_every(all, 5), data::every(all, 5), 1437, 1.0 / 360);
}

BOOST_AUTO_TEST_CASE(softmax_l2_covtype_small) {
    const answer known("softmax_l2_covtype_small");
    const std::string folder = real_data::path("covtype_small/covtype.scale.");
    for (const json& expected : known.solutions())
        check(expected, known, data::libsvm<>{.path = folder + "train.small", .features = 54},
              data::libsvm<>{.path = folder + "test.small"}, 500, 1.0 / 50);
}

BOOST_AUTO_TEST_CASE(softmax_l2_phoneme) {
    const answer known("softmax_l2_phoneme");
    const real_data::unpacked file("phoneme/phoneme.csv.gz");
    const std::vector<bool> is_train = real_data::rows_with(file.name(), ",train");  // the last cell of a row says
    const data::csv<> all{.path = file.name(), .label = "g", .ignore = {"split"}};
    const auto train = data::rows_where(all, [&](std::size_t row) { return is_train[row]; });
    const auto test = data::rows_where(all, [&](std::size_t row) { return !is_train[row]; });
    for (const json& expected : known.solutions())
        check(expected, known, train, test, 3340, known.tolerance("test accuracy +-"), {}, large);
}

BOOST_AUTO_TEST_CASE(softmax_l2_mnist10k) {
    const answer known("softmax_l2_mnist10k");
    std::vector<double> x = real_data::idx("mnist10k/t10k-images-idx3-ubyte.gz");
    for (double& value : x) value /= 255;
    const data::arrays all(x, 10000, 784, real_data::idx("mnist10k/t10k-labels-idx1-ubyte.gz"));
    for (const json& expected : known.solutions())
        check(expected, known, data::all_but_every(all, 5), data::every(all, 5), 8000,
              known.tolerance("test accuracy +-"), as_given, large);
}

BOOST_AUTO_TEST_SUITE_END()

// SPDX-License-Identifier: BSL-1.0
// What an estimator does for the models that only the dual needs or that say more than a loss.
#include <boost/test/unit_test.hpp>

#include <cmath>
#include <string>
#include <vector>

#include "../data/helpers.hpp"

#include <gamut/communicator/threads.hpp>
#include <gamut/core/random.hpp>
#include <gamut/data/arrays.hpp>
#include <gamut/estimator.hpp>
#include <gamut/model/hinge.hpp>
#include <gamut/model/poisson.hpp>
#include <gamut/model_file.hpp>
#include <gamut/penalty/l2.hpp>
#include <gamut/solver/dual.hpp>

using namespace gamut;

BOOST_AUTO_TEST_SUITE(model_fits)

BOOST_AUTO_TEST_CASE(a_hinge_tells_classes_apart_by_the_sign_and_is_saved_as_such) {
    // class "b" where 2 x0 - x1 > 0.3, by a margin
    const core::random numbers{.seed = 4};
    std::vector<double> x;
    std::vector<std::string> y;
    for (std::size_t i = 0; y.size() < 80; ++i) {
        const double a = numbers.normal(2 * i), b = numbers.normal(2 * i + 1), z = 2 * a - b - 0.3;
        if (std::abs(z) < 0.2) continue;
        x.insert(x.end(), {a, b});
        y.push_back(z > 0 ? "b" : "a");
    }
    const data::arrays source(x, 80, 2, y);
    const estimator machine{.model = model::hinge{}, .penalty = penalty::l2{1e-4}, .solver = solver::dual{}};
    const auto fit = machine.fit(source);
    BOOST_TEST((fit.status == core::status::converged));
    BOOST_TEST(fit.score(source).accuracy == 1);
    const auto guess = fit.predict(source);
    for (std::size_t i = 0; i < 80; ++i) {
        BOOST_TEST(guess.class_name(i) == y[i]);
        BOOST_TEST((guess.value(i) > 0) == (y[i] == "b"));
    }
    const test::temporary_file own("", "fit.json");
    const std::string& file = own.path;
    save(fit, file);
    const auto again = load<model::hinge>(file);
    BOOST_TEST(again.weights == fit.weights, boost::test_tools::per_element());
    BOOST_TEST(again.predict(source).class_name(3) == y[3]);
    BOOST_CHECK_THROW(load<model::poisson>(file), core::data_error);
}

BOOST_AUTO_TEST_CASE(negative_counts_are_refused_by_all_ranks_alike) {
    std::vector<double> x(40), y(40, 2);
    for (std::size_t i = 0; i < 40; ++i) x[i] = static_cast<double>(i);
    y[17] = -1;
    y[30] = -2;
    const data::arrays source(x, 40, 1, y);
    const auto message_on = [&](const auto& ranks) {
        const estimator counts{.model = model::poisson{},
                               .penalty = penalty::l2{1},
                               .solver = solver::dual{.blocks = 3},
                               .communicator = ranks};
        try {
            counts.fit(source);
        } catch (const core::data_error& e) {
            return std::string(e.what());
        }
        return std::string();
    };
    const std::string alone = message_on(communicator::single<>{});
    BOOST_TEST(alone.find("label -1 in row 17") != std::string::npos, alone);
    communicator::threads<>::run(3, [&](const auto& ranks) {
        if (message_on(ranks) != alone) throw std::runtime_error("another message");
    });
}

BOOST_AUTO_TEST_SUITE_END()

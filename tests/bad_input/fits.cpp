// SPDX-License-Identifier: BSL-1.0
#include "fit_cases.hpp"
#include <bad_input/failure.hpp>

#include <boost/test/unit_test.hpp>

#include <exception>

#include <gamut/communicator/threads.hpp>

using namespace gamut;

namespace {

using test::failure;
using test::failure_of;

void check(const test::bad_fit& bad) {
    BOOST_TEST_CONTEXT(bad.what) {
        const failure alone = failure_of([&] { bad.fit({}); });
        BOOST_TEST(static_cast<int>(alone.kind) == static_cast<int>(bad.kind), alone.message);
        for (const char* word : bad.words)
            BOOST_TEST(alone.message.find(word) != std::string::npos, alone.message << " lacks " << word);
        if (bad.kind != core::error_kind::data)  // of bad rows, the first five are named
            BOOST_TEST(alone.message.find('\n') == std::string::npos, alone.message);
        std::vector<failure> together(3);
        communicator::threads<>::run(3, [&](const communicator::threads<>& ranks) {
            together[static_cast<std::size_t>(ranks.rank())] = failure_of([&] { bad.fit({.ranks = ranks}); });
        });
        for (const failure& one : together) {
            BOOST_TEST(static_cast<int>(one.kind) == static_cast<int>(bad.kind), one.message);
            BOOST_TEST(one.message == together[0].message);
            BOOST_TEST(one.message.ends_with(alone.message), one.message << " is not " << alone.message);
        }
    }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(bad_fits)

BOOST_AUTO_TEST_CASE(wrong_options_are_refused_by_name) {
    for (const test::bad_fit& bad : test::bad_options()) check(bad);
}

BOOST_AUTO_TEST_CASE(arrays_and_labels_that_cannot_be_learned_from_are_refused) {
    for (const test::bad_fit& bad : test::bad_arrays()) check(bad);
}

BOOST_AUTO_TEST_CASE(there_are_many_of_them) {
    BOOST_TEST(test::bad_options().size() + test::bad_arrays().size() >= 75u);
}

BOOST_AUTO_TEST_CASE(rows_that_a_model_cannot_predict_are_refused) {
    const auto fit =
        fits::fit(model::softmax{}, penalty::l2{}, solver::lbfgs<>{}, data::csv<>{.path = "examples/data/iris.csv"});
    const auto refuses = [](core::error_kind kind, std::vector<const char*> words, auto&& work) {
        const failure found = failure_of(work);
        BOOST_TEST(static_cast<int>(found.kind) == static_cast<int>(kind), found.message);
        for (const char* word : words)
            BOOST_TEST(found.message.find(word) != std::string::npos, found.message << " lacks " << word);
    };
    const auto x = test::some_rows(10, 4);
    data::arrays renamed(x);
    renamed.features = {"sepal length (cm)", "sepal width (cm)", "petal width (cm)", "petal length (cm)"};
    using core::error_kind;
    refuses(error_kind::shape, {"x has 3 columns", "the model has 4"},
            [&] { fit.predict(data::arrays(test::some_rows(10, 3))); });
    refuses(error_kind::shape, {"column 2", "petal width", "petal length"}, [&] { fit.predict(renamed); });
    refuses(error_kind::data, {"x(3, 1) is nan"}, [&] { fit.predict(data::arrays(test::with(x, 3, 1, NAN))); });
    refuses(error_kind::data, {"breast_cancer.csv", "sepal length (cm)"},
            [&] { fit.predict(data::csv<>{.path = "examples/data/breast_cancer.csv"}); });
    refuses(error_kind::data, {"y(0)", "label 'rose' is unknown", "setosa, versicolor, virginica"},
            [&] { fit.score(data::arrays(x, std::vector<std::string>(10, "rose"))); });
    refuses(error_kind::shape, {"9 labels", "10 rows"},
            [&] { fit.score(data::arrays(x, std::vector<std::string>(9, "setosa"))); });
}

BOOST_AUTO_TEST_SUITE_END()

// SPDX-License-Identifier: BSL-1.0
// A problem made by hand refuses labels that its model does not take, on all ranks with the same words.
#include <boost/test/unit_test.hpp>

#include <cstddef>
#include <string>
#include <vector>

#include "../data/helpers.hpp"

#include <gamut/backend/host.hpp>
#include <gamut/communicator/single.hpp>
#include <gamut/communicator/threads.hpp>
#include <gamut/core/error.hpp>
#include <gamut/data/arrays.hpp>
#include <gamut/data/libsvm.hpp>
#include <gamut/model/check_labels.hpp>
#include <gamut/model/linear.hpp>
#include <gamut/model/logistic.hpp>
#include <gamut/model/poisson.hpp>
#include <gamut/model/softmax.hpp>
#include <gamut/penalty/l1.hpp>
#include <gamut/solver/problem.hpp>

using namespace gamut;

namespace {

template <class Model, class C, class Dataset>
std::string trouble(const Model& model, const C& ranks, const Dataset& rows) {
    try {
        const solver::problem problem(model, rows, penalty::l1{}, backend::host<>{}, ranks, true);
        return "";
    } catch (const core::data_error& error) {
        return error.what();
    }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(check_labels)

BOOST_AUTO_TEST_CASE(numbers_are_no_classes) {
    const test::temporary_file file("-1 1:2\n1 1:3\n-1 2:1\n1 1:1\n");
    const communicator::single<> here;
    const data::libsvm<> source{.path = file.path};
    const std::string expected = file.path +
                                 ": the labels are numbers (this model is a classifier, and takes classes) load "
                                 "the rows with data::request{.classification = true}, or fit an estimator";
    BOOST_TEST(trouble(model::logistic{}, here, source.load(here)) == expected);
    BOOST_TEST(trouble(model::softmax{}, here, source.load(here)) == expected);
    BOOST_TEST(trouble(model::linear{}, here, source.load(here)) == "");
    BOOST_TEST(trouble(model::logistic{}, here, source.load(here, {.classification = true})) == "");
}

BOOST_AUTO_TEST_CASE(one_rank_with_a_bad_label_is_enough) {
    backend::dense_matrix<double> x(6, 1);
    const std::vector<double> counts{0, 1, 2, 3, -1, 4}, one(6, 1.0);
    for (std::size_t i = 0; i < 6; ++i) x(i, 0) = static_cast<double>(i);
    const communicator::single<> here;
    const std::string expected = trouble(model::poisson{}, here, data::arrays(x, counts).load(here, {.blocks = 6}));
    BOOST_TEST(expected == "arrays: label -1 in row 4 (this model takes labels of at least 0)");
    for (const int size : {2, 3, 6, 7})
        communicator::threads<>::run(size, [&](const communicator::threads<>& ranks) {
            const auto rows = data::arrays(x, counts).load(ranks, {.blocks = 6});
            if (trouble(model::poisson{}, ranks, rows) != expected) throw core::error("another message");
        });

    auto made = data::arrays(x, counts).load(here);
    made.classes = {"a", "b"};
    BOOST_TEST(
        trouble(model::logistic{}, here, made) ==
        "arrays: label 2 in row 2 (a classifier takes classes 0 to 1) let data::arrays, csv or libsvm number them");
    BOOST_TEST(trouble(model::logistic{}, here, data::arrays(x, one).load(here, {.classification = true}))
                   .find("1 class (a classifier needs two or more)") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()

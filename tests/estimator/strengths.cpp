// SPDX-License-Identifier: BSL-1.0
// The path of a Lagrangian penalty, through an estimator: every strength's fit predicts, scores, and is saved.
#include <boost/test/unit_test.hpp>

#include <cmath>
#include <cstddef>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "../data/helpers.hpp"
#include "../fits/any_communicator.hpp"

#include <gamut/communicator/threads.hpp>
#include <gamut/core/error.hpp>
#include <gamut/criterion/bic.hpp>
#include <gamut/data/csv.hpp>
#include <gamut/draw.hpp>
#include <gamut/estimator.hpp>
#include <gamut/fitted_path.hpp>
#include <gamut/model/linear.hpp>
#include <gamut/model/softmax.hpp>
#include <gamut/penalty/elastic_net.hpp>
#include <gamut/penalty/l1.hpp>
#include <gamut/solver/coordinate.hpp>
#include <gamut/solver/strengths.hpp>

using namespace gamut;

namespace {

const data::csv<> diabetes{.path = "examples/data/diabetes.csv"};

template <class Model, class Penalty, class Solver>
using fit_by = estimator<Model, Penalty, Solver, backend::host<>, fits::any_communicator>;

std::string text_of(const std::string& path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

BOOST_AUTO_TEST_SUITE(strengths)

BOOST_AUTO_TEST_CASE(every_strength_is_the_fit_that_the_strength_alone_has) {
    const fit_by<model::linear, penalty::elastic_net, solver::strengths> along{
        .penalty = {.l1 = 2, .l2 = 1},
        .solver = {.count = 12, .least = 1e-3, .solver = {.stop = {.tolerance = 1e-10}}}};
    const auto path = along.fit(diabetes);
    BOOST_REQUIRE(path.size() == 12u);
    BOOST_TEST(path[0].support.empty());
    for (std::size_t i = 0; i < path.size(); ++i) {
        const double strength = path[i].strength;
        BOOST_TEST((i == 0 || strength < path[i - 1].strength));
        const fit_by<model::linear, penalty::elastic_net, solver::coordinate> alone{
            .penalty = {.l1 = strength, .l2 = strength / 2}, .solver = {.stop = {.tolerance = 1e-10}}};
        const auto expected = alone.fit(diabetes);
        const auto fit = path.fit(i);
        BOOST_TEST(fit.objective == expected.objective, boost::test_tools::tolerance(1e-8));
        BOOST_TEST(fit.lower_bound <= fit.objective);
        BOOST_TEST(fit.score(diabetes).loss == path[i].loss, boost::test_tools::tolerance(1e-8));
        BOOST_TEST(fit.predict(diabetes).values.size() == 442u);
        double nonzeros = 1;  // the intercept
        for (const double w : fit.weights) nonzeros += w != 0;
        BOOST_TEST(path[i].degrees_of_freedom == nonzeros);
        BOOST_TEST(path.information(i).candidates == 10u);
    }
}

BOOST_AUTO_TEST_CASE(the_table_and_the_picture_speak_of_strengths) {
    const fit_by<model::linear, penalty::l1, solver::strengths> along{.solver = {.count = 9, .least = 0.01}};
    const auto path = along.fit(diabetes);
    const test::temporary_file folder("");
    save(path, folder.path + ".csv");
    const std::string table = text_of(folder.path + ".csv");
    BOOST_TEST(table.find("strength,objective,") == 0u, table.substr(0, 60));
    std::size_t lines = 0;
    for (const char c : table) lines += c == '\n';
    BOOST_TEST(lines == 10u);
    draw(path, folder.path + ".svg");
    const std::string picture = text_of(folder.path + ".svg");
    BOOST_TEST(picture.find("how far the strength has fallen") != std::string::npos);
    BOOST_TEST(picture.find("nan") == std::string::npos);
    BOOST_TEST(path.best(criterion::bic{}).score(diabetes).r_squared > 0.4);
}

BOOST_AUTO_TEST_CASE(classes_and_ranks) {
    const data::csv<> iris{.path = "examples/data/iris.csv"};
    const auto digest = [&](const fits::any_communicator& ranks) {
        const fit_by<model::softmax, penalty::l1, solver::strengths> along{.solver = {.count = 5, .least = 0.05},
                                                                           .communicator = ranks};
        const auto path = along.fit(iris);
        std::vector<double> all;
        for (std::size_t i = 0; i < path.size(); ++i) {
            const auto w = path.solver_weights(i);
            all.insert(all.end(), w.begin(), w.end());
            all.push_back(path[i].loss);
        }
        return all;
    };
    const auto alone = digest({});
    BOOST_TEST(alone.size() == 5 * 16u);
    for (const int size : {2, 3, 5})
        communicator::threads<>::run(size, [&](const communicator::threads<>& ranks) {
            if (digest(ranks) != alone) throw core::error("other bits");
        });
}

BOOST_AUTO_TEST_SUITE_END()

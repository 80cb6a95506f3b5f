// SPDX-License-Identifier: BSL-1.0
#include "files.hpp"

#include <gamut/data/csv.hpp>
#include <gamut/data/standardize.hpp>
#include <gamut/model/linear.hpp>
#include <gamut/model/logistic.hpp>
#include <gamut/penalty/l0.hpp>
#include <gamut/solver/path.hpp>
#include <gamut/solver/problem.hpp>

using namespace gamut;
using real_data::answer;

namespace {

/// The proven optimum for every row of a table of best subsets, all from one path: `key` is `factor` times our objective.
template <class Model>
void check(const nlohmann::json& table, const std::string& file, const std::string& label,
           const std::vector<std::string>& skip, double l2, const char* key, double tolerance) {
    using rows = data::dataset<backend::dense_matrix<double>>;
    const communicator::single<> alone;
    const rows all = data::csv<>{.path = real_data::path(file), .label = label, .ignore = skip}.load(
        alone, {.classification = model::is_classification<Model>, .blocks = 8});
    const double n = static_cast<double>(all.rows()), factor = std::is_same_v<Model, model::linear> ? 2 * n : n;
    const solver::problem<Model, rows, penalty::l0, backend::host<>, communicator::single<>> problem(
        {}, all, {.l2 = l2}, {}, alone, true, data::standardize(alone, all));
    const auto path = solver::path{.largest = table.back()["k"].get<std::size_t>()}.minimize(problem);
    for (const auto& expected : table) {
        const std::size_t k = expected["k"];
        BOOST_REQUIRE(k < path.size());
        const auto& found = path[k].result;
        BOOST_TEST_CONTEXT("k = " << k << ": " << found.message) {
            real_data::check_close(key, found.objective * factor, expected[key], tolerance);
            std::vector<std::size_t> support;
            for (std::size_t j = 0; j < all.columns(); ++j)
                if (found.weights[j] != 0) support.push_back(j);
            BOOST_TEST(support == expected["support_index0"].get<std::vector<std::size_t>>(),
                       boost::test_tools::per_element());
        }
    }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(paths, *boost::unit_test::precondition(real_data::is_there))

BOOST_AUTO_TEST_CASE(bss_diabetes) {
    check<model::linear>(answer("bss_diabetes")["table"], "diabetes/diabetes.csv", "", {}, 0, "rss", 1e-9);
}

BOOST_AUTO_TEST_CASE(bss_prostate) {
    check<model::linear>(answer("bss_prostate")["all97"], "prostate/prostate.csv", "lpsa", {"train"}, 0, "rss", 1e-9);
}

// no l2 in the answer: one so small that it is not seen in eight digits
BOOST_AUTO_TEST_CASE(logit_l0_saheart) {
    check<model::logistic>(answer("logit_l0_saheart")["table"], "saheart/saheart.csv", "", {}, 1e-9, "objective", 1e-7);
}

BOOST_AUTO_TEST_SUITE_END()

// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "files.hpp"

#include <gamut/backend/host.hpp>
#include <gamut/communicator/single.hpp>
#include <gamut/core/result.hpp>
#include <gamut/data/csv.hpp>
#include <gamut/data/standardize.hpp>
#include <gamut/model/linear.hpp>
#include <gamut/model/logistic.hpp>
#include <gamut/penalty/l0.hpp>
#include <gamut/solver/problem.hpp>

/// Tables of proven best subsets, one row for each kappa, and the problems that they are the answers to.
namespace real_data {

template <class Model> class best_subsets {
    using rows = gamut::data::dataset<gamut::backend::dense_matrix<double>>;
    using alone = gamut::communicator::single<>;

public:
    using problem =
        gamut::solver::problem<Model, rows, gamut::penalty::l0, gamut::backend::host<>, gamut::communicator::single<>>;

    /// `key` is n times the objective, twice that for least squares.
    nlohmann::json table;
    const char* key;
    double tolerance, l2;
    rows all;

    best_subsets(nlohmann::json answers, const char* what, double within, const std::string& file,
                 const std::string& label = "", const std::vector<std::string>& skip = {}, double ridge = 0)
        : table(std::move(answers)),
          key(what),
          tolerance(within),
          l2(ridge),
          all(gamut::data::csv<>{.path = path(file), .label = label, .ignore = skip}.load(
              alone{}, {.classification = gamut::model::is_classification<Model>, .blocks = 8})) {}

    problem with(std::size_t kappa) const {
        return {{}, all, {.kappa = kappa, .l2 = l2}, {}, alone{}, true, gamut::data::standardize(alone{}, all)};
    }

    template <class A> void check(const nlohmann::json& expected, const gamut::core::result<A>& found) const {
        const double n = static_cast<double>(all.rows()),
                     factor = std::is_same_v<Model, gamut::model::linear> ? 2 * n : n;
        BOOST_TEST_CONTEXT("k = " << expected["k"] << ": " << found.message) {
            check_close(key, found.objective * factor, expected[key], tolerance);
            std::vector<std::size_t> support;
            for (std::size_t j = 0; j < all.columns(); ++j)
                if (found.weights[j] != 0) support.push_back(j);
            BOOST_TEST(support == expected["support_index0"].get<std::vector<std::size_t>>(),
                       boost::test_tools::per_element());
        }
    }
};

inline best_subsets<gamut::model::linear> diabetes() {
    return {answer("bss_diabetes")["table"], "rss", 1e-9, "diabetes/diabetes.csv"};
}
inline best_subsets<gamut::model::linear> prostate() {
    return {answer("bss_prostate")["all97"], "rss", 1e-9, "prostate/prostate.csv", "lpsa", {"train"}};
}
/// No l2 in the answer: one so small that it is not seen in eight digits.
inline best_subsets<gamut::model::logistic> saheart() {
    return {answer("logit_l0_saheart")["table"], "objective", 1e-7, "saheart/saheart.csv", "", {}, 1e-9};
}

}  // namespace real_data

// SPDX-License-Identifier: BSL-1.0
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <gamut/model/logistic.hpp>
#include <gamut/model/softmax.hpp>
#include <gamut/penalty/l0.hpp>
#include <gamut/solver/detail/every_support.hpp>
#include <gamut/solver/disadmm.hpp>
#include <gamut/solver/swap.hpp>

#include "enumerate.hpp"

using namespace gamut;

namespace {

/// 16 rows of 6 rare columns, on which the second-order model hides the best exchange.
enumerate::rows rare_rows() {
    std::vector<double> x(16 * 6), y{0, 1, 1, 1, 0, 1, 1, 1, 1, 0, 1, 0, 1, 0, 1, 1};
    const auto set = [&](std::size_t i, std::size_t j, double v) { x[i * 6 + j] = v; };
    set(0, 1, -.1), set(1, 0, -1.1), set(1, 1, .2), set(1, 2, 1.1), set(2, 2, -1.2), set(4, 0, -.6), set(5, 2, -1.9);
    set(6, 2, .8), set(7, 0, -.7), set(7, 1, .4), set(8, 2, 1.1), set(9, 0, -.5), set(9, 2, .8), set(11, 1, .2);
    set(11, 3, -1), set(13, 1, .7), set(14, 0, .4), set(14, 2, .9), set(14, 5, 1), set(15, 4, 2);
    return data::arrays(x, 16, 6, y).load(fits::any_communicator{}, {.classification = true, .blocks = 4});
}

template <class Solver> void is_best_of_all(const Solver& solver) {
    const enumerate::rows data = rare_rows();
    const auto p = enumerate::problem_of<model::logistic>(data, {.kappa = 3, .l2 = 1e-2});
    const auto best = enumerate::best_of_all(p);
    const auto found = solver.minimize(p);
    BOOST_TEST(found.objective <= best.objective * (1 + 1e-9));
    BOOST_TEST(found.lower_bound <= best.objective * (1 + 1e-9));
    BOOST_TEST(found.message.find("the best of all 20 supports") != std::string::npos, found.message);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(solver_every_support)

BOOST_AUTO_TEST_CASE(few_supports_of_rare_columns_are_all_fitted) {
    is_best_of_all(solver::swap{});
    is_best_of_all(solver::disadmm<>{});
}

BOOST_AUTO_TEST_CASE(of_every_way_to_count_all_are_fitted) {
    const enumerate::rows data = enumerate::random_rows(5, 30, 4, 3, true);
    for (const auto& [over, number] :
         {std::pair(penalty::support::entries, "all 66 supports"), std::pair(penalty::support::rows, "all 6 supports"),
          std::pair(penalty::support::per_output, "all 216 supports")}) {
        const auto p = enumerate::problem_of<model::softmax>(data, {.kappa = 2, .l2 = 1e-2, .over = over});
        const auto found = solver::swap{}.minimize(p);
        BOOST_TEST(found.objective <= enumerate::best_of_all(p).objective * (1 + 1e-9));
        BOOST_TEST(found.message.find(number) != std::string::npos, found.message);
    }
}

BOOST_AUTO_TEST_SUITE_END()

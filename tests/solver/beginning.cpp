// SPDX-License-Identifier: BSL-1.0
#include <gamut/solver/beginning.hpp>

#include <boost/test/unit_test.hpp>

#include <cmath>
#include <cstddef>
#include <vector>

#include "enumerate.hpp"

#include <gamut/model/linear.hpp>
#include <gamut/model/logistic.hpp>

using namespace gamut;

BOOST_AUTO_TEST_SUITE(solver_beginning)

BOOST_AUTO_TEST_CASE(the_best_intercepts_are_closed_forms) {
    for (const bool weighted : {false, true}) {
        const auto classes = enumerate::random_rows(3, 40, 4, 2, weighted),
                   numbers = enumerate::random_rows(4, 40, 4, 0, weighted);
        const auto mean = [](const auto& rows) {
            double sum = 0, weight = 0;
            for (std::size_t i = 0; i < rows.local_rows(); ++i) {
                sum += rows.weight(i) * rows.y[i];
                weight += rows.weight(i);
            }
            return sum / weight;
        };
        const auto check = [](const auto& problem, double wanted, double known_to) {
            const auto start = solver::best_start(problem).weights.download();
            for (std::size_t j = 0; j < 4; ++j) BOOST_TEST(start[j] == 0);
            BOOST_TEST(std::abs(start[4] - wanted) <= known_to);
        };
        const double share = mean(classes);
        check(enumerate::problem_of<model::logistic>(classes, {.kappa = 1}), std::log(share / (1 - share)), 1e-6);
        check(enumerate::problem_of<model::linear>(numbers, {.kappa = 1}), mean(numbers), 1e-12);
    }
}

/// x0^2 + 3 x0 x1 + 5 x1^2
struct parabola {
    using array = backend::array<backend::host<double>>;
    std::size_t dimension() const { return 2; }
    double value(const array& w) const {
        const auto x = w.download();
        return x[0] * x[0] + 3 * x[0] * x[1] + 5 * x[1] * x[1];
    }
    double value_and_gradient(const array& w, array& g) const {
        const auto x = w.download();
        g.upload(std::vector<double>{2 * x[0] + 3 * x[1], 3 * x[0] + 10 * x[1]});
        return value(w);
    }
};

BOOST_AUTO_TEST_CASE(a_function_in_other_units_is_the_same_function) {
    const parabola f;
    const solver::rescaled<parabola> g(f, {2, 0.25});
    parabola::array u(2);
    u.upload(std::vector<double>{0.3, 8});
    const auto w = g.given(u);
    BOOST_TEST(g.value(u) == f.value(w));
    BOOST_TEST(backend::distance(g.measured(w), u) == 0);
    parabola::array of_g(2), of_f(2);
    g.value_and_gradient(u, of_g);
    f.value_and_gradient(w, of_f);
    BOOST_TEST(of_g.download()[0] == 2 * of_f.download()[0]);
    BOOST_TEST(of_g.download()[1] == 0.25 * of_f.download()[1]);
}

BOOST_AUTO_TEST_SUITE_END()

// SPDX-License-Identifier: BSL-1.0
#include <gamut/solver/stopping.hpp>

#include <boost/test/unit_test.hpp>

#include <cmath>
#include <cstddef>
#include <vector>

#include "quadratic.hpp"

using namespace gamut;

namespace {

/// Loss of rows at margins w0 and of a parabola in w1: exp(-w0) / 2 + (w1 - 1)^2 / 2, which has no minimum, or with ridge
/// w0^2 / 2 that has one.
struct fading {
    using array = toy::array;
    double ridge = 0;

    std::size_t dimension() const { return 2; }
    double value(const array& w) const {
        const auto x = w.download();
        return 0.5 * std::exp(-x[0]) + 0.5 * (x[1] - 1) * (x[1] - 1) + 0.5 * ridge * x[0] * x[0];
    }
    double value_and_gradient(const array& w, array& g) const {
        const auto x = w.download();
        g.upload(std::vector<double>{-0.5 * std::exp(-x[0]) + ridge * x[0], x[1] - 1});
        return value(w);
    }
    struct product {
        double first;
        void times(const array& v, array& out) const {
            const auto x = v.download();
            out.upload(std::vector<double>{first * x[0], x[1]});
        }
    };
    product hessian(const array& w) const { return {0.5 * std::exp(-w.download()[0]) + ridge}; }
};

toy::array point(std::vector<double> entries) {
    toy::array w(entries.size());
    w.upload(entries);
    return w;
}

solver::verdict at(const fading& f, std::vector<double> where, double allowed) {
    const toy::array w = point(std::move(where));
    toy::array g(2);
    const double value = f.value_and_gradient(w, g);
    return solver::judge(f, w, g, value, allowed).first;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(solver_stopping)

BOOST_AUTO_TEST_CASE(newtons_step_says_what_is_left_to_gain) {
    const fading f{.ridge = 1};
    const toy::array w = point({0, 3});
    toy::array g(2);
    f.value_and_gradient(w, g);
    const auto step = solver::newton_step_at(f, w, g, 1e-12, 10);
    BOOST_TEST(std::abs(step.direction.download()[1] + 2) < 1e-12);
    BOOST_TEST(std::abs(step.gain - 0.5 * (0.25 / 1.5 + 4)) < 1e-12);
}

BOOST_AUTO_TEST_CASE(a_loss_that_fades_for_ever_has_no_minimum_and_a_ridge_gives_one) {
    BOOST_TEST((at({}, {20, 1}, 1e-6) == solver::verdict::unbounded));
    BOOST_TEST((at({}, {20, 1 + 1e-9}, 1e-6) == solver::verdict::unbounded));
    BOOST_TEST((at({}, {20, 1.1}, 1e-6) == solver::verdict::unfinished));  // first the parabola
    BOOST_TEST((at({.ridge = 1}, {0.351733711249, 1}, 1e-6) == solver::verdict::confirmed));
    BOOST_TEST((at({.ridge = 1}, {2, 1}, 1e-6) == solver::verdict::unfinished));
}

BOOST_AUTO_TEST_SUITE_END()

// SPDX-License-Identifier: BSL-1.0
// The convex relaxation of penalty::l0, alone and with a quadratic, against every support there is.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <gamut/backend/matrix.hpp>
#include <gamut/core/random.hpp>
#include <gamut/penalty/l0.hpp>
#include <gamut/quadratic/least_squares.hpp>
#include <gamut/quadratic/nodes.hpp>
#include <gamut/quadratic/perspective.hpp>
#include <gamut/quadratic/relaxed.hpp>
#include <gamut/quadratic/symmetric.hpp>

#include "random_quadratic.hpp"

using namespace gamut;
using quadratic::choice;

namespace {

std::vector<double> random_numbers(std::size_t n, std::uint64_t seed) {
    const core::random draw{.seed = seed, .stream = 7};
    std::vector<double> v(n);
    for (std::size_t j = 0; j < n; ++j) v[j] = 2 * draw.normal(j);
    return v;
}

/// Moments of a random least squares, with an intercept last if there is one more entry than features.
quadratic::least_squares moments_of(std::uint64_t seed, std::size_t d) {
    const auto f = test::random_quadratic(seed, {0, d}, {d});
    return {f.hessian, f.slope, 3.0};
}

/// min of the loss and l2/2 |w|^2 over weights on a support (bits of `on`) and the intercepts.
double best_on(const quadratic::least_squares& f, std::size_t features, unsigned on, double l2) {
    const std::size_t d = f.slope.size();
    auto g = quadratic::objective{f.gram, f.slope, {0, d}, {d}};
    std::vector<std::size_t> support;
    for (std::size_t j = 0; j < features; ++j) {
        g.hessian(j, j) += l2;
        if (on >> j & 1) support.push_back(j);
    }
    for (std::size_t j = features; j < d; ++j) support.push_back(j);
    return f.constant + test::best_value(g, support);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(perspective)

BOOST_AUTO_TEST_CASE(the_relaxation_is_below_the_penalty_and_equal_on_supports_that_are_allowed) {
    const std::size_t p = 6;
    const penalty::l0 term{.kappa = 3, .l2 = 0.8, .l1 = 0.3};
    const quadratic::perspective relaxed(term, {p, 1});
    const auto nothing = relaxed.undecided();
    std::vector<double> shares;
    for (unsigned on = 0; on < 64; ++on) {
        auto w = random_numbers(p, on);
        double exact = 0;
        std::size_t size = 0;
        for (std::size_t j = 0; j < p; ++j) {
            if ((on >> j & 1) == 0) w[j] = 0;
            exact += 0.3 * std::abs(w[j]) + 0.4 * w[j] * w[j];
            size += on >> j & 1;
        }
        const double value = relaxed.value(nothing, w, shares);
        if (size <= 3)
            BOOST_TEST(std::abs(value - exact) <= 1e-12 * (1 + exact));
        else
            BOOST_TEST(value >= exact);
        double sum = 0;
        for (const double s : shares) {
            BOOST_TEST(s >= 0);
            BOOST_TEST(s <= 1);
            sum += s;
        }
        BOOST_TEST(sum <= 3 + 1e-12);
    }
}

BOOST_AUTO_TEST_CASE(the_conjugate_and_the_prox_belong_to_the_relaxation) {
    const std::size_t p = 7;
    const penalty::l0 term{.kappa = 3, .l2 = 0.8, .l1 = 0.3};
    const quadratic::perspective relaxed(term, {p, 1});
    auto c = relaxed.undecided();
    relaxed.decide(c, 2, choice::in);
    relaxed.decide(c, 4, choice::out);
    std::vector<double> gains, shares, w(p), z;
    for (std::uint64_t seed = 1; seed < 30; ++seed) {
        const auto v = random_numbers(p, seed);
        const double step = 0.3 + 0.1 * double(seed);
        relaxed.prox(c, v, step, w, shares);
        BOOST_TEST(w[4] == 0);
        const auto distance = [&](const std::vector<double>& x) {
            double sum = relaxed.value(c, x, shares);
            for (std::size_t j = 0; j < p; ++j) sum += (x[j] - v[j]) * (x[j] - v[j]) / (2 * step);
            return sum;
        };
        const double least = distance(w);
        // Fenchel: psi(w) + psi*(u) >= w'u, with equality at u = (v - w) / step, a subgradient there
        std::vector<double> gradient(p);
        double product = 0;
        for (std::size_t j = 0; j < p; ++j) {
            gradient[j] = (w[j] - v[j]) / step;
            product -= gradient[j] * w[j];
        }
        relaxed.gains(gradient, gains);
        const double conjugate = relaxed.select(c, gains).worth;
        const double psi = relaxed.value(c, w, shares);
        // what is out has no say in the conjugate
        BOOST_TEST(std::abs(psi + conjugate - product) <= 1e-9 * (1 + psi));
        for (std::uint64_t other = 0; other < 20; ++other) {
            z = w;
            const auto away = random_numbers(p, 100 * seed + other);
            for (std::size_t j = 0; j < p; ++j)
                if (j != 4) z[j] += (other % 2 == 0 ? 1e-3 : 0.3) * away[j];
            BOOST_TEST(distance(z) >= least - 1e-12);
        }
    }
}

BOOST_AUTO_TEST_CASE(counting_decides_the_rest) {
    const penalty::l0 term{.kappa = 2, .l2 = 1, .free = {3}};
    const quadratic::perspective relaxed(term, {5, 1});
    auto c = relaxed.undecided();
    BOOST_TEST((c.of[3] == choice::in));
    BOOST_TEST(!relaxed.decided(c));
    relaxed.decide(c, 0, choice::in);
    relaxed.decide(c, 4, choice::in);
    relaxed.settle(c);  // no places left
    BOOST_TEST(relaxed.decided(c));
    BOOST_TEST((c.of[1] == choice::out && c.of[2] == choice::out));
    auto d = relaxed.undecided();
    relaxed.decide(d, 0, choice::out);
    relaxed.decide(d, 1, choice::out);
    relaxed.settle(d);  // a place for everybody
    BOOST_TEST((d.of[2] == choice::in && d.of[4] == choice::in));
}

BOOST_AUTO_TEST_CASE(a_relaxed_quadratic_has_no_gap_and_is_below_every_support) {
    const std::size_t p = 8;
    for (std::uint64_t seed = 1; seed < 8; ++seed) {
        const auto f = moments_of(seed, p);
        const penalty::l0 term{.kappa = 3, .l2 = 0.3};
        const quadratic::perspective relaxed(term, {p, 1});
        const quadratic::symmetric m{p, std::vector<double>(f.gram.values.begin(), f.gram.values.end())};
        std::vector<double> q(p);
        for (std::size_t j = 0; j < p; ++j) q[j] = -f.slope[j];
        const auto s =
            quadratic::relaxed(m, relaxed, m.largest())
                .minimize(relaxed.undecided(), q, std::vector<double>(p), [](double, double) { return false; });
        BOOST_TEST(s.primal >= s.dual - 1e-12);
        BOOST_TEST(s.primal - s.dual <= 1e-8);
        double best = std::numeric_limits<double>::infinity();
        for (unsigned on = 0; on < 1u << p; ++on)
            if (__builtin_popcount(on) <= 3) best = std::min(best, best_on(f, p, on, term.l2));
        BOOST_TEST(s.dual + f.constant <= best + 1e-10);
    }
}

BOOST_AUTO_TEST_CASE(bounds_of_nodes_hold_for_every_support_they_allow) {
    const std::size_t p = 7;
    for (const std::size_t intercepts : {0u, 1u})
        for (const double l2 : {0.0, 0.4})
            for (std::uint64_t seed = 1; seed < 4; ++seed) {
                const auto f = moments_of(seed, p + intercepts);
                const penalty::l0 term{.kappa = 3, .l2 = l2};
                const quadratic::perspective relaxed(term, {p, 1});
                const quadratic::nodes nodes(quadratic::least_squares{f.gram, f.slope, f.constant}, relaxed);
                auto c = relaxed.undecided();
                relaxed.decide(c, 1, choice::in);
                relaxed.decide(c, 5, choice::out);
                const auto node = nodes.relax(c, nodes.start(), std::numeric_limits<double>::infinity());
                double best = std::numeric_limits<double>::infinity();
                std::vector<double> with(p, best), without(p, best);  // the best that have j, or have it not
                for (unsigned on = 0; on < 1u << p; ++on) {
                    if (__builtin_popcount(on) > 3 || (on >> 1 & 1) == 0 || (on >> 5 & 1) != 0) continue;
                    const double value = best_on(f, p, on, l2);
                    best = std::min(best, value);
                    for (std::size_t j = 0; j < p; ++j)
                        (on >> j & 1 ? with : without)[j] = std::min((on >> j & 1 ? with : without)[j], value);
                    auto all = relaxed.undecided();
                    for (std::size_t j = 0; j < p; ++j) relaxed.decide(all, j, on >> j & 1 ? choice::in : choice::out);
                    const auto fit = nodes.fit(all);
                    BOOST_TEST(std::abs(fit.objective - value) <= 1e-8);
                    BOOST_TEST(fit.weights.size() == p + intercepts);
                }
                BOOST_TEST(node.bound <= best + 1e-10);
                for (std::size_t j = 0; j < p; ++j) {
                    if (c.of[j] != choice::open) continue;
                    BOOST_TEST(node.bound + node.lift_in[j] <= with[j] + 1e-8);
                    BOOST_TEST(node.bound + node.lift_out[j] <= without[j] + 1e-8);
                }
            }
}

BOOST_AUTO_TEST_SUITE_END()

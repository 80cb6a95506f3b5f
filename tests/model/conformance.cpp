// SPDX-License-Identifier: BSL-1.0
// Every model of one output: its formula's derivatives, its conjugate, its dual step.
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include <gamut/autodiff/gradient.hpp>
#include <gamut/core/random.hpp>
#include <gamut/model/concept.hpp>
#include <gamut/model/hinge.hpp>
#include <gamut/model/linear.hpp>
#include <gamut/model/logistic.hpp>
#include <gamut/model/poisson.hpp>
#include <gamut/model/squared_hinge.hpp>

#include "autodiff/row.hpp"

using namespace gamut;

namespace {

template <class M> double loss(const M& m, double z, double y) {
    return derivatives_at(model::loss_formula(m), {.z = {z}, .y = y}).value;
}
template <class M> double slope(const M& m, double z, double y) {
    return derivatives_at(model::loss_formula(m), {.z = {z}, .y = y}).slope[0];
}

template <class M> std::vector<double> labels() {
    if constexpr (model::is_classification<M>) return {0, 1};
    if constexpr (requires { M::least_label; }) return {0, 1, 2.5, 40};
    return {-3.5, 0, 1.25};
}

/// z where rows are, away from a kink.
template <class M, class F> void at_points(F&& f) {
    const core::random numbers{.seed = 3};
    for (const double y : labels<M>())
        for (std::uint64_t i = 0; i < 40; ++i) f(3 * numbers.normal(i), y);
}

template <class M> void derivatives(const M& m) {
    at_points<M>([&](double z, double y) {
        if (std::abs(1 - std::abs(z)) > 1e-3)
            check_derivatives(model::loss_formula(m), {.z = {z}, .y = y, .omega = 1.5, .total = 7}, M::name);
    });
}

/// phi(z) + phi*(-alpha) >= -alpha z, with equality at alpha = -phi'(z).
template <class M> void conjugates(const M& m) {
    at_points<M>([&](double z, double y) {
        const double alpha = -slope(m, z, y);
        close(m.conjugate(alpha, y), -alpha * z - loss(m, z, y), 1e-12, M::name);
        for (const double other : {-5.0, -1.0, -.1, 0.0, .3, 2.0})
            BOOST_TEST(m.conjugate(alpha, y) >= -alpha * other - loss(m, other, y) - 1e-12, M::name);
    });
}

/// What dual_step returns is allowed, and nothing near it is better. It is found for any z that alpha meets, in steps of any length.
template <class M> void steps(const M& m) {
    at_points<M>([&](double z, double y) {
        const double alpha = -slope(m, 2 * z - 1, y);  // some allowed alpha
        for (const double q : {0.0, 1e-6, .1, 1.0, 30.0, 1e6}) {
            const auto gain = [&](double a) {
                return -m.conjugate(a, y) - z * a - 0.5 * q * (a - alpha) * (a - alpha);
            };
            const double next = m.dual_step(alpha, y, z, q), best = gain(next);
            BOOST_TEST(std::isfinite(best));
            // alphas of losses' slopes are allowed: the whole range that matters
            const double scale = 1 + std::abs(best);
            for (double at = -30; at <= 30; at += 0.37)
                BOOST_TEST(best >= gain(-slope(m, at, y)) - 1e-7 * scale,
                           M::name << ": z " << z << " y " << y << " q " << q << ", better at " << at);
            for (const double share : {1e-3, 1e-2, .1, .5, .9})
                BOOST_TEST(best >= gain(next + share * (alpha - next)) - 1e-10 * scale,
                           M::name << " z " << z << " y " << y);
            // a step from where a step ended goes nowhere, if z has moved with it
            const double again = m.dual_step(next, y, z + q * (next - alpha), q);
            close(again, next, q > 1e5 ? 1e-6 : 1e-9, M::name);
        }
    });
}

/// From alpha = 0, with z far away: finite, and allowed.
template <class M> void far_away(const M& m) {
    for (const double y : labels<M>())
        for (const double z : {-1e6, -800.0, -30.0, 30.0, 600.0})
            for (const double q : {1e-12, 1.0, 1e9}) {
                const double next = m.dual_step(0.0, y, z, q);
                BOOST_TEST(std::isfinite(next), M::name << " y " << y << " z " << z << " q " << q << ": " << next);
                BOOST_TEST(std::isfinite(m.conjugate(next, y)), M::name);
                const float single =
                    m.dual_step(0.f, static_cast<float>(y), static_cast<float>(z) / 20, static_cast<float>(q));
                BOOST_TEST(std::isfinite(single), M::name);
            }
}

template <class M> void single_precision(const M& m) {
    at_points<M>([&](double z, double y) {
        const float alpha = static_cast<float>(-slope(m, z + 1, y));
        const double wanted = m.dual_step(static_cast<double>(alpha), y, z, 0.5);
        const float got = m.dual_step(alpha, static_cast<float>(y), static_cast<float>(z), 0.5f);
        BOOST_TEST(std::abs(got - wanted) <= 2e-5 * (1 + std::abs(wanted) + std::abs(y)), M::name);
    });
}

/// The slope is the derivative of what dual_step climbs; what it pushes against an end stays, the rest moves up.
template <class M> void facets(const M& m) {
    for (const double y : {0.0, 1.0})
        for (const double beta : {0.0, .25, 1.0})
            for (const double z : {-3.0, -1.0, -.5, 0.0, .5, 1.0, 3.0}) {
                const double alpha = (2 * y - 1) * beta, slope = m.dual_slope(alpha, y, z), h = 1e-5;
                const double next = m.dual_step(alpha, y, z, 2.0);
                BOOST_TEST(next >= m.dual_least(y));
                BOOST_TEST(next <= m.dual_most(y));
                const bool stays =
                    (slope <= 0 && alpha <= m.dual_least(y)) || (slope >= 0 && alpha >= m.dual_most(y)) || slope == 0;
                BOOST_TEST((next == alpha) == stays);
                if (!stays) BOOST_TEST((next - alpha) * slope > 0);
                const auto value = [&](double a) { return -m.conjugate(a, y) - z * a; };
                BOOST_TEST(std::abs((value(alpha + h) - value(alpha - h)) / (2 * h) - slope) <= 1e-8);
                BOOST_TEST(std::abs((m.dual_slope(alpha - h, y, z) - m.dual_slope(alpha + h, y, z)) / (2 * h) -
                                    M::dual_bend) <= 1e-8);
            }
}

static_assert(model::DualModel<model::linear> && model::DualModel<model::logistic> && model::DualModel<model::hinge> &&
              model::DualModel<model::squared_hinge> && model::DualModel<model::poisson>);
static_assert(model::FacetedModel<model::hinge> && model::FacetedModel<model::squared_hinge>);

template <class F> void each_model(F&& f) {
    f(model::linear{});
    f(model::logistic{});
    f(model::hinge{});
    f(model::squared_hinge{});
    f(model::poisson{});
}

}  // namespace

BOOST_AUTO_TEST_SUITE(model_conformance)

BOOST_AUTO_TEST_CASE(derivatives_agree_with_differences) {
    each_model([](const auto& m) { derivatives(m); });
}

BOOST_AUTO_TEST_CASE(conjugates_are_conjugate) {
    each_model([](const auto& m) { conjugates(m); });
}

BOOST_AUTO_TEST_CASE(a_dual_step_is_the_best_one) {
    each_model([](const auto& m) { steps(m); });
}

BOOST_AUTO_TEST_CASE(a_dual_step_from_afar_stays_allowed) {
    each_model([](const auto& m) { far_away(m); });
}

BOOST_AUTO_TEST_CASE(single_precision_agrees_with_double) {
    each_model([](const auto& m) { single_precision(m); });
}

BOOST_AUTO_TEST_CASE(slopes_and_ends_of_facets) {
    facets(model::hinge{});
    facets(model::squared_hinge{});
}

BOOST_AUTO_TEST_CASE(known_values) {
    BOOST_TEST(loss(model::hinge{}, .25, 1) == .75);
    BOOST_TEST(loss(model::hinge{}, .25, 0) == 1.25);
    BOOST_TEST(loss(model::hinge{}, 2, 1) == 0);
    BOOST_TEST(loss(model::squared_hinge{}, .5, 1) == .25);
    BOOST_TEST(loss(model::squared_hinge{}, .5, 0) == 2.25);
    BOOST_TEST(loss(model::poisson{}, 0, 3) == 1);
    BOOST_TEST(slope(model::poisson{}, 0, 3) == -2);
    // from alpha = 0 and q = 1/2, at z = 0: half of the hinge's margin costs the whole interval
    BOOST_TEST(model::hinge{}.dual_step(0.0, 1.0, 0.0, 0.5) == 1);
    BOOST_TEST(model::hinge{}.dual_step(0.0, 0.0, 0.0, 4.0) == -.25);
    BOOST_TEST(model::squared_hinge{}.dual_step(0.0, 1.0, 0.0, 0.5) == 1);
    BOOST_TEST(model::linear{}.dual_step(1.0, 3.0, 0.0, 1.0) == 2);
}

BOOST_AUTO_TEST_SUITE_END()

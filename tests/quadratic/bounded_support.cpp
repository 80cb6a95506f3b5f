// SPDX-License-Identifier: BSL-1.0
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <gamut/communicator/single.hpp>
#include <gamut/core/random.hpp>
#include <gamut/quadratic/best_alone.hpp>
#include <gamut/quadratic/bounded_support.hpp>
#include <gamut/quadratic/support.hpp>
#include <gamut/quadratic/support_search.hpp>

#include "random_quadratic.hpp"

using namespace gamut;
using quadratic::bounded_support;
using quadratic::objective;

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

struct limits {
    double l1, lower, upper;
};
const limits kinds[] = {{0, 0, infinity}, {0.3, -infinity, infinity}, {0, -0.2, 0.3}, {0.1, -0.2, infinity},
                        {0.2, 0, 0.4},    {0, -infinity, 0}};

objective limited(std::uint64_t seed, std::vector<std::size_t> first, std::vector<std::size_t> room,
                  const limits& within) {
    objective f = test::random_quadratic(seed, std::move(first), std::move(room));
    f.l1 = within.l1;
    f.lower = within.lower;
    f.upper = within.upper;
    return f;
}

double value_at(const objective& f, const std::vector<double>& w) {
    double value = 0;
    for (std::size_t a = 0; a < w.size(); ++a) {
        value += f.l1 * std::abs(w[a]) - f.slope[a] * w[a];
        for (std::size_t b = 0; b < w.size(); ++b) value += 0.5 * w[a] * f.hessian(a, b) * w[b];
    }
    return value;
}

/// Linear equations by Gauss-Jordan elimination.
std::vector<double> solution(std::vector<std::vector<double>> a) {
    const std::size_t k = a.size();
    for (std::size_t c = 0; c < k; ++c)
        for (std::size_t r = 0; r < k; ++r) {
            if (r == c) continue;
            const double factor = a[r][c] / a[c][c];
            for (std::size_t j = c; j <= k; ++j) a[r][j] -= factor * a[c][j];
        }
    std::vector<double> x;
    for (std::size_t i = 0; i < k; ++i) x.push_back(a[i][k] / a[i][i]);
    return x;
}

/// The least value on a support: every weight is tried at either bound, at 0, below 0 and above 0, and what is in bounds counts.
double tried_out(const objective& f, const std::vector<std::size_t>& support) {
    enum { at_lower, at_upper, at_zero, below, above, kinds_of_weights };
    std::vector<int> kind(support.size(), 0);
    double best = 0;
    for (;;) {
        std::vector<double> w(f.size());
        std::vector<std::size_t> free;
        bool possible = true;
        for (std::size_t a = 0; a < support.size(); ++a) {
            const double fixed = kind[a] == at_lower ? f.lower : kind[a] == at_upper ? f.upper : 0;
            possible = possible && std::isfinite(fixed);
            if (kind[a] >= below)
                free.push_back(support[a]);
            else
                w[support[a]] = fixed;
        }
        if (possible) {
            std::vector<std::vector<double>> equations;
            for (std::size_t a = 0, i = 0; a < support.size(); ++a) {
                if (kind[a] < below) continue;
                const std::size_t j = support[a];
                equations.emplace_back();
                for (const std::size_t other : free) equations[i].push_back(f.hessian(j, other));
                double right = f.slope[j] - (kind[a] == above ? f.l1 : -f.l1);
                for (std::size_t b = 0; b < w.size(); ++b) right -= f.hessian(j, b) * w[b];
                equations[i++].push_back(right);
            }
            const std::vector<double> z = solution(equations);
            for (std::size_t i = 0, a = 0; a < support.size(); ++a) {
                if (kind[a] < below) continue;
                possible = possible && z[i] >= f.lower && z[i] <= f.upper && (kind[a] == above ? z[i] > 0 : z[i] < 0);
                w[support[a]] = z[i++];
            }
            if (possible) best = std::min(best, value_at(f, w));
        }
        std::size_t a = 0;
        while (a < kind.size() && ++kind[a] == kinds_of_weights) kind[a++] = 0;
        if (a == kind.size()) return best;
    }
}

void check_weights(const objective& f, const bounded_support& s) {
    const std::vector<double> w = s.weights();
    for (const double weight : w) BOOST_TEST((weight >= f.lower && weight <= f.upper));
    for (const std::size_t j : s.members()) BOOST_TEST(w[j] != 0);
    BOOST_TEST(static_cast<std::size_t>(std::count_if(w.begin(), w.end(), [](double x) { return x != 0; })) ==
               s.size());
    BOOST_TEST(std::abs(s.value() - value_at(f, w)) <= 1e-12 * (1 + std::abs(s.value())));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(solver_bounded_support)

BOOST_AUTO_TEST_CASE(the_weights_on_a_support_are_the_best) {
    for (const limits& within : kinds)
        for (std::uint64_t seed = 0; seed < 12; ++seed) {
            const objective f = limited(seed, {0, 9}, {4}, within);
            const core::random draw{.seed = seed, .stream = 5};
            std::vector<std::size_t> support;
            for (std::uint64_t t = 0; support.size() < 4; ++t)
                if (const std::size_t j = draw.below(t, 9);
                    std::find(support.begin(), support.end(), j) == support.end())
                    support.push_back(j);
            bounded_support s(f);
            s.reset(support);
            check_weights(f, s);
            const double best = tried_out(f, support);
            BOOST_TEST(std::abs(s.value() - best) <= 1e-10 * (1e-3 + std::abs(best)));
        }
}

BOOST_AUTO_TEST_CASE(columns_that_are_nearly_the_same_are_no_obstacle) {
    for (const limits& within : kinds) {
        objective f = limited(3, {0, 6}, {4}, within);
        for (std::size_t a = 0; a < 6; ++a)  // x_a = x_0 + something small
            for (std::size_t b = 0; b < 6; ++b) f.hessian(a, b) = 1 + (a == b ? 1e-4 * static_cast<double>(1 + a) : 0);
        for (std::size_t a = 0; a < 6; ++a) f.slope[a] = 0.5 + 1e-4 * static_cast<double>(a);
        bounded_support s(f);
        s.reset({0, 2, 3, 5});
        check_weights(f, s);
        const double best = tried_out(f, {0, 2, 3, 5});
        BOOST_TEST(std::abs(s.value() - best) <= 1e-9 * std::abs(best));
    }
}

BOOST_AUTO_TEST_CASE(forty_members_much_alike_end_where_nothing_pulls) {
    constexpr std::size_t p = 40;
    for (const limits& within : kinds)
        for (const double shared : {0.9, 0.99, 0.999}) {
            objective f = limited(5, {0, p}, {p}, within);
            const core::random draw{.seed = 8};
            for (std::size_t a = 0; a < p; ++a) {
                for (std::size_t b = 0; b < p; ++b) f.hessian(a, b) = a == b ? 1 : shared;
                f.slope[a] = 1 + 0.3 * draw.normal(a);
            }
            std::vector<std::size_t> all(p);
            for (std::size_t a = 0; a < p; ++a) all[a] = a;
            bounded_support s(f);
            s.reset(all);
            check_weights(f, s);
            // what the value lacks is at most what the slopes say: the sum of (best alone, curvature 1 - shared at least) gains
            const std::vector<double> w = s.weights();
            double lacking = 0;
            for (std::size_t a = 0; a < p; ++a) {
                double slope = f.slope[a];
                for (std::size_t b = 0; b < p; ++b) slope -= f.hessian(a, b) * w[b];
                const double to = quadratic::best_alone(slope + (1 - shared) * w[a], 1 - shared, f.l1, f.lower, f.upper)
                                      .weight,
                             step = to - w[a];
                lacking += slope * step - f.l1 * (std::abs(to) - std::abs(w[a])) - 0.5 * (1 - shared) * step * step;
            }
            BOOST_TEST(lacking <= 1e-9 * std::abs(s.value()));
        }
}

BOOST_AUTO_TEST_CASE(disturbed_supports_keep_to_the_places_of_every_group) {
    std::size_t searches = 0;
    for (const limits& within : kinds)
        for (std::uint64_t seed = 0; seed < 15; ++seed) {
            const objective f = limited(seed, {0, 10, 20, 30}, {3, 3, 3}, within);
            bounded_support base(f);
            quadratic::fill(base);
            if (base.size() == 0) continue;
            for (const auto& found :
                 quadratic::disturbed_supports(communicator::single<>{}, 1, base, 0, 30, {0.8}, seed)) {
                ++searches;
                for (std::size_t g = 0; g < 3; ++g)
                    BOOST_REQUIRE(std::count_if(found.members.begin(), found.members.end(),
                                                [&](std::size_t j) { return j / 10 == g; }) <= 3);
            }
        }
    BOOST_TEST(searches > 1000u);
}

BOOST_AUTO_TEST_CASE(gains_of_additions_and_exchanges_are_what_they_bring) {
    for (const limits& within : kinds)
        for (std::uint64_t seed = 0; seed < 5; ++seed) {
            const objective f = limited(seed, {0, 8, 20}, {2, 3}, within);
            bounded_support s(f);
            for (;;) {
                const auto next = s.best_addition();
                if (next.index == quadratic::best_entry::none) break;
                const double before = s.value();
                BOOST_REQUIRE(s.add(next.index));
                BOOST_TEST(std::abs(before - s.value() - next.gain) <= 1e-10 * (1 + std::abs(before)));
                check_weights(f, s);
            }
            for (;;) {
                const auto exchange = s.best_exchange(1e-9);
                if (exchange.candidate == quadratic::best_entry::none) break;
                const double before = s.value();
                s.apply(exchange);
                BOOST_TEST(before - s.value() >= exchange.gain - 1e-10 * (1 + std::abs(before)));
                check_weights(f, s);
            }
            const auto members = s.sorted_members();
            BOOST_TEST(std::count_if(members.begin(), members.end(), [](std::size_t j) { return j < 8; }) <= 2);
            BOOST_TEST(std::count_if(members.begin(), members.end(), [](std::size_t j) { return j >= 8; }) <= 3);
            // nor does another one alone bring anything, where there is room
            for (std::size_t j = 0; j < 20; ++j) {
                if (!s.has_room(s.group_of(j))) continue;
                bounded_support wider = s;
                wider.add(j);
                BOOST_TEST(wider.value() >= s.value() - 1e-9);
            }
            const double value = s.value();
            s.refresh();
            BOOST_TEST(std::abs(s.value() - value) <= 1e-12 * (1 + std::abs(value)));
        }
}

BOOST_AUTO_TEST_CASE(without_limits_it_is_the_quadratic_support) {
    for (std::uint64_t seed = 0; seed < 5; ++seed) {
        const objective f = test::random_quadratic(seed, {0, 30}, {6});
        bounded_support s(f);
        quadratic::support exact(f);
        s.reset({3, 9, 14, 28, 3});
        exact.reset({3, 9, 14, 28});
        BOOST_TEST(std::abs(s.value() - exact.value()) <= 1e-10 * std::abs(exact.value()));
        BOOST_TEST(s.size() == 4u);
        const auto one = s.best_exchange(0);
        const auto same = exact.best_exchange(0);
        BOOST_TEST(one.candidate == same.candidate);
        BOOST_TEST(s.members()[one.place] == exact.members()[same.place]);
        BOOST_TEST(std::abs(one.gain - same.gain) <= 1e-10 * same.gain);
        BOOST_TEST(s.best_addition().index == exact.best_addition().index);
        BOOST_TEST(s.largest_gains(7) == exact.largest_gains(7), boost::test_tools::per_element());
    }
}

BOOST_AUTO_TEST_SUITE_END()

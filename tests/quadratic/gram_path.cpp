// SPDX-License-Identifier: BSL-1.0
// Supports of every size, and what leads to them: candidates, models in terms of them, least squares from second moments.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <gamut/core/random.hpp>
#include <gamut/penalty/l0.hpp>
#include <gamut/quadratic/candidates.hpp>
#include <gamut/quadratic/gram_path.hpp>
#include <gamut/quadratic/least_squares.hpp>
#include <gamut/quadratic/objective.hpp>
#include <gamut/quadratic/support_model.hpp>

#include "random_quadratic.hpp"

using namespace gamut;

namespace {

double best_on(const quadratic::least_squares& f, std::vector<std::size_t> support, std::size_t features, double l2) {
    const std::size_t d = f.slope.size();
    quadratic::objective g{f.gram, f.slope, {0, d}, {d}};
    for (std::size_t j = 0; j < features; ++j) g.hessian(j, j) += l2;
    for (std::size_t j = features; j < d; ++j) support.push_back(j);
    return f.constant + test::best_value(g, support);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(gram_path)

BOOST_AUTO_TEST_CASE(least_squares_are_those_of_the_rows) {
    const std::size_t n = 11, p = 3;
    const core::random draw{.seed = 4};
    const double label = 0.7;
    std::vector<std::vector<double>> rows(n);
    backend::dense_matrix<double> products(p + 2, p + 2);
    for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t j = 0; j < p; ++j) rows[i].push_back(draw.normal(10 * i + j));
        rows[i].push_back(1);
        rows[i].push_back(draw.normal(10 * i + 9) + 2 - label);
        for (std::size_t a = 0; a < p + 2; ++a)
            for (std::size_t b = 0; b < p + 2; ++b) products(a, b) += rows[i][a] * rows[i][b];
    }
    for (const bool intercept : {false, true}) {
        const auto f = quadratic::least_squares::of(products, label, intercept);
        std::vector<double> w{0.3, -0.8, 0};
        if (intercept) w.push_back(0.4);
        double loss = 0;
        for (const auto& row : rows) {
            double residual = row[p + 1] + (intercept ? 0 : label);
            for (std::size_t j = 0; j < w.size(); ++j) residual -= w[j] * row[j];
            loss += 0.5 * residual * residual / double(n);
        }
        BOOST_TEST(std::abs(f.loss(w) - loss) <= 1e-12);
    }
}

BOOST_AUTO_TEST_CASE(the_best_support_of_every_size_is_found_and_described) {
    const std::size_t p = 9;
    for (std::uint64_t seed = 1; seed < 6; ++seed) {
        const auto random = test::random_quadratic(seed, {0, p + 1}, {p + 1});
        const quadratic::least_squares f{random.hessian, random.slope, 2.0};
        const std::vector<double> l2{0.5, 0.1};
        const auto path = quadratic::gram_path(f, {.free = {4}}, p, l2, {.largest = 4, .restarts = 10});
        BOOST_TEST(path.size() == 10u);
        for (const auto& found : path) {
            double best = std::numeric_limits<double>::infinity();
            for (unsigned on = 0; on < 1u << p; ++on) {
                if (static_cast<std::size_t>(__builtin_popcount(on & ~(1u << 4))) > found.kappa) continue;
                std::vector<std::size_t> support;
                for (std::size_t j = 0; j < p; ++j)
                    if (on >> j & 1) support.push_back(j);
                best = std::min(best, best_on(f, support, p, found.l2));
            }
            BOOST_TEST(std::abs(found.objective - best) <= 1e-9);
            double ridge = 0;
            for (std::size_t j = 0; j < p; ++j) ridge += 0.5 * found.l2 * found.weights[j] * found.weights[j];
            BOOST_TEST(std::abs(found.loss + ridge - found.objective) <= 1e-12);
            BOOST_TEST(std::abs(f.loss(found.weights) - found.loss) <= 1e-12);
        }
    }
}

BOOST_AUTO_TEST_CASE(a_model_of_candidates_is_the_quadratic_with_the_others_at_their_best) {
    const std::size_t p = 8;  // candidates 0, 2, 3, 7; 5 is free, the last entry an intercept; 1, 4, 6 stay as they are
    const auto f = test::random_quadratic(6, {0, p + 1}, {p + 1});
    const penalty::l0 term{.kappa = 3, .l2 = 0.2, .free = {5}};
    const std::vector<std::size_t> pool{0, 2, 3, 7};
    std::vector<double> w(p + 1), slopes(p + 1);
    w[0] = 0.3, w[2] = -0.4, w[5] = 0.6, w[8] = 1.5;
    for (std::size_t a = 0; a <= p; ++a) {
        slopes[a] = -f.slope[a];
        for (std::size_t b = 0; b <= p; ++b) slopes[a] += f.hessian(a, b) * w[b];
    }
    const quadratic::candidates all(term, {p, 1});
    quadratic::support_model model(term, {p, 1}, w, pool, all.shape_of(pool));
    const auto& entries = model.entries();
    BOOST_TEST(entries == (std::vector<std::size_t>{0, 2, 3, 5, 7, 8}), boost::test_tools::per_element());
    backend::dense_matrix<double> h(6, 6);
    std::vector<double> of_entries;
    for (std::size_t a = 0; a < 6; ++a) {
        of_entries.push_back(slopes[entries[a]]);
        for (std::size_t b = 0; b < 6; ++b) h(a, b) = f.hessian(entries[a], entries[b]);
    }
    model.set(h, of_entries);
    quadratic::support s(model.function());
    for (const std::size_t k : {0u, 3u}) s.add(k);  // the weights 0 and 7
    const auto found = model.weights<double>(s);
    // the best weights on 0, 7, 5 and the intercept
    quadratic::objective g{f.hessian, f.slope, {0, p + 1}, {p + 1}};
    for (std::size_t j = 0; j < p; ++j) g.hessian(j, j) += term.l2;
    for (const std::size_t j : {0u, 7u, 5u, 8u}) {
        double slope = -g.slope[j];
        for (std::size_t k = 0; k <= p; ++k) slope += g.hessian(j, k) * found[k];
        BOOST_TEST(std::abs(slope) <= 1e-9);
    }
    for (const std::size_t j : {1u, 2u, 3u, 4u, 6u}) BOOST_TEST(found[j] == 0);
    BOOST_TEST(model.members_of(std::span<const double>(w)) == (std::vector<std::size_t>{0, 1}),
               boost::test_tools::per_element());

    // the same from rows F of H = F'F: those of a square root
    const auto few = test::of_few_rows(2, 15, p + 1, 3);
    const auto model_of = [&](bool by_rows) {
        quadratic::support_model one(term, {p, 1}, w, pool, all.shape_of(pool));
        std::vector<double> there;
        for (const std::size_t e : one.entries()) {
            there.push_back(-few.first.slope[e]);
            for (std::size_t b = 0; b <= p; ++b) there.back() += (few.first.hessian(e, b) - (e == b ? 1e-3 : 0)) * w[b];
        }
        if (!by_rows) {
            backend::dense_matrix<double> part(6, 6);
            for (std::size_t a = 0; a < 6; ++a)
                for (std::size_t b = 0; b < 6; ++b)
                    part(a, b) = few.first.hessian(entries[a], entries[b]) - (a == b ? 1e-3 : 0);
            one.set(part, there);
            return one;
        }
        // F as few_rows draws it
        const core::random draw{.seed = 2};
        const auto entry = [&](std::size_t i, std::size_t j) {
            return draw.normal(1000000 + i) + draw.normal(i * (p + 1) + j);
        };
        auto inside = std::make_shared<quadratic::lazy_products>(17, 4, term.l2, 1);
        std::vector<std::vector<double>> outside(2, std::vector<double>(17));
        std::vector<double> product(17);
        for (std::size_t i = 0; i < 15; ++i) {
            inside->set_row(i, [&](std::size_t k) { return entry(i, pool[k]); });
            for (std::size_t j = 0; j <= p; ++j) product[i] += entry(i, j) * w[j];
            outside[0][i] = entry(i, 5);
            outside[1][i] = entry(i, 8);
        }
        for (const std::size_t i : {15u, 16u}) inside->set_row(i, [](std::size_t) { return 0.0; });
        one.set_rows(inside, outside, product, there);
        return one;
    };
    const auto matrix = model_of(false), rows = model_of(true);
    for (std::size_t a = 0; a < 4; ++a) {
        BOOST_TEST(std::abs(matrix.function().slope[a] - rows.function().slope[a]) <= 1e-9);
        for (std::size_t b = 0; b < 4; ++b)
            BOOST_TEST(std::abs(matrix.function().row(a)[b] - rows.function().row(a)[b]) <= 1e-9);
    }
}

BOOST_AUTO_TEST_CASE(candidates_are_what_competes) {
    const penalty::l0 by_output{.kappa = 2, .over = penalty::support::per_output, .free = {1}};
    const quadratic::candidates entries(by_output, {4, 2});
    BOOST_TEST(entries.are_entries());
    BOOST_TEST(entries.groups() == 2u);
    BOOST_TEST(entries.places() == 4u);
    BOOST_TEST(entries.all() == (std::vector<std::size_t>{0, 4, 6, 1, 5, 7}), boost::test_tools::per_element());
    const auto shape = entries.shape_of(entries.all());
    BOOST_TEST(shape.first == (std::vector<std::size_t>{0, 3, 6}), boost::test_tools::per_element());
    const std::vector<double> scores{1, 9, 100, 100, 3, 2, 2, 4};
    BOOST_TEST(entries.largest(scores, 2, 8) == (std::vector<std::size_t>{4, 1}), boost::test_tools::per_element());

    const penalty::l0 groups{.kappa = 1, .sizes = {2, 1, 3}};
    const quadratic::candidates units(groups, {6, 1});
    BOOST_TEST(!units.are_entries());
    BOOST_TEST(units.size() == 3u);
    BOOST_TEST(units.shape_of(units.all()).unit == (std::vector<std::size_t>{0, 2, 3, 6}),
               boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(largest_gains_are_the_first_of_equals) {
    BOOST_TEST(quadratic::largest_gains({0, 2, 5, 2, -1, 2}, 3) == (std::vector<std::size_t>{1, 2, 3}),
               boost::test_tools::per_element());
    BOOST_TEST(quadratic::largest_gains({0, -2}, 3).empty());
}

BOOST_AUTO_TEST_SUITE_END()

// SPDX-License-Identifier: BSL-1.0
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <type_traits>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "enumerate.hpp"

#include <gamut/communicator/threads.hpp>
#include <gamut/core/random.hpp>
#include <gamut/data/csv.hpp>
#include <gamut/model/linear.hpp>
#include <gamut/model/logistic.hpp>
#include <gamut/model/softmax.hpp>
#include <gamut/solver/disadmm.hpp>
#include <gamut/solver/prune.hpp>
#include <gamut/solver/swap.hpp>

using namespace gamut;
using enumerate::problem_of;
using penalty::support;

namespace {

/// n features in groups of one to three.
std::vector<std::size_t> random_sizes(std::uint64_t seed, std::size_t n) {
    const core::random draw{.seed = seed, .stream = 9};
    std::vector<std::size_t> sizes;
    for (std::size_t left = n; left > 0; left -= sizes.back())
        sizes.push_back(std::min<std::size_t>(left, 1 + draw.below(left, 3)));
    return sizes;
}

/// How often swap finds the best of all supports; never anything better.
struct tally {
    std::size_t tried = 0, found = 0;
    template <class P> void count(const P& p, const core::result<typename P::array>& result) {
        const double best = enumerate::best_of_all(p).objective;
        BOOST_TEST(result.objective >= best - 1e-8 * std::abs(best));
        BOOST_TEST(std::abs(result.objective - solver::objective(p, result.weights)) <= 1e-12);
        ++tried;
        found += result.objective <= best + 1e-7 * std::abs(best) ? 1 : 0;
    }
};

/// No exchange of one unit for another is better, with the best weights for each.
template <class P> void check_exchanges(const P& p, const core::result<typename P::array>& result) {
    const auto of = enumerate::groups_of(p.penalty_term(), p.layout());
    std::vector<bool> in(of.back() + 1);
    for (std::size_t j = 0; j < of.size(); ++j)
        if (result.weights[j] != 0) in[of[j]] = true;
    for (std::size_t s = 0; s < in.size(); ++s)
        for (std::size_t t = 0; t < in.size(); ++t) {
            if (!in[s] || in[t]) continue;
            typename P::array w(p.dimension());
            for (std::size_t j = 0; j < of.size(); ++j) w[j] = (in[of[j]] && of[j] != s) || of[j] == t ? 0.01 : 0;
            if (!std::isfinite(p.penalty(w))) continue;  // a free one went
            BOOST_TEST(solver::polish{}.improve(p, w).objective >= result.objective * (1 - 1e-8));
        }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(swap_units)

BOOST_AUTO_TEST_CASE(the_best_groups_of_small_problems_are_found) {
    tally squares, classes, three, alone;
    for (std::size_t trial = 0; trial < 60; ++trial) {
        const std::size_t p = 6 + trial % 5;
        penalty::l0 term{.l2 = trial % 3 == 0 ? 1e-4 : 1e-2, .sizes = random_sizes(trial, p)};
        term.kappa = 1 + trial % (term.sizes.size() - 1);
        if (trial % 5 == 0)
            for (std::size_t i = 0; i < term.sizes[0]; ++i) term.free.push_back(i);
        const auto linear = enumerate::random_rows(trial, 30 + trial % 30, p, 0, trial % 3 == 0);
        const auto of_squares = problem_of<model::linear>(linear, term, trial % 4 != 1);
        squares.count(of_squares, solver::disadmm<>{}.minimize(of_squares));
        const auto two = enumerate::random_rows(1000 + trial, 30 + trial % 30, p, 2, trial % 3 == 1);
        const auto of_two = problem_of<model::logistic>(two, term);
        classes.count(of_two, solver::disadmm<>{}.minimize(of_two));
        const auto found = solver::swap{}.minimize(of_two);
        alone.count(of_two, found);
        check_exchanges(of_two, found);
        if (trial % 4 != 0) continue;
        const auto softmax = enumerate::random_rows(2000 + trial, 30 + trial % 30, p, 3, trial % 3 == 1);
        const auto of_three = problem_of<model::softmax>(softmax, term);
        three.count(of_three, solver::disadmm<>{}.minimize(of_three));
    }
    BOOST_TEST_MESSAGE("found " << squares.found << ", " << classes.found << ", " << alone.found << ", " << three.found
                                << " of " << squares.tried << ", " << classes.tried << ", " << alone.tried << ", "
                                << three.tried);
    for (const tally& t : {squares, classes, alone, three}) BOOST_TEST(t.found + t.tried / 20 >= t.tried);
}

BOOST_AUTO_TEST_CASE(the_best_rows_of_small_problems_are_found) {
    tally all, alone;
    for (std::size_t trial = 0; trial < 40; ++trial) {
        const std::size_t p = 4 + trial % 5;
        penalty::l0 term{.kappa = 1 + trial % (p - 1), .l2 = trial % 2 == 0 ? 1e-2 : 1e-3, .over = support::rows};
        if (trial % 5 == 0) term.free = {p - 1};
        const auto data = enumerate::random_rows(3000 + trial, 40 + trial % 30, p, 3 + trial % 2, trial % 3 == 0);
        const auto problem = problem_of<model::softmax>(data, term, trial % 4 != 1);
        all.count(problem, solver::disadmm<>{}.minimize(problem));
        const auto found = solver::swap{}.minimize(problem);
        alone.count(problem, found);
        check_exchanges(problem, found);
    }
    BOOST_TEST_MESSAGE("found " << all.found << " and " << alone.found << " of " << all.tried);
    BOOST_TEST(all.found + 2 >= all.tried);
    BOOST_TEST(alone.found + 2 >= alone.tried);
}

BOOST_AUTO_TEST_CASE(groups_of_one_are_entries_or_rows_bit_for_bit) {
    const auto data = enumerate::random_rows(7, 60, 9, 2, false);
    const auto entries = problem_of<model::logistic>(data, {.kappa = 3, .l2 = 1e-3}),
               ones =
                   problem_of<model::logistic>(data, {.kappa = 3, .l2 = 1e-3, .sizes = std::vector<std::size_t>(9, 1)});
    const auto a = solver::swap{}.minimize(entries), b = solver::swap{}.minimize(ones);
    BOOST_TEST(a.objective == b.objective);
    BOOST_TEST(a.weights.download() == b.weights.download(), boost::test_tools::per_element());

    const auto classes = enumerate::random_rows(8, 60, 6, 3, false);
    const auto rows = problem_of<model::softmax>(classes, {.kappa = 2, .l2 = 1e-3, .over = support::rows}),
               singles = problem_of<model::softmax>(classes,
                                                    {.kappa = 2, .l2 = 1e-3, .sizes = std::vector<std::size_t>(6, 1)});
    const auto c = solver::swap{}.minimize(rows), d = solver::swap{}.minimize(singles);
    BOOST_TEST(c.objective == d.objective);
    BOOST_TEST(c.weights.download() == d.weights.download(), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_small_pool_is_filled_anew_until_it_holds_the_best) {
    const auto data = enumerate::random_rows(11, 200, 60, 0, true);
    const penalty::l0 term{.kappa = 3, .l2 = 1e-3, .sizes = random_sizes(4, 60)};
    const auto problem = problem_of<model::linear>(data, term);
    const auto all = solver::swap{}.minimize(problem), few = solver::swap{.pool = 5}.minimize(problem);
    BOOST_TEST(std::abs(few.objective - all.objective) <= 1e-10 * all.objective);
    check_exchanges(problem, all);
}

/// A small pool first, and all in the end: where the products of all are cheap, but those of a few much cheaper.
BOOST_AUTO_TEST_CASE(in_the_end_all_candidates_are_looked_at) {
    const auto wide = enumerate::random_rows(5, 40, 700, 0, true);
    const auto groups =
        problem_of<model::linear>(wide, {.kappa = 3, .l2 = 1e-2, .sizes = std::vector<std::size_t>(140, 5)});
    const auto entries = problem_of<model::linear>(wide, {.kappa = 3, .l2 = 1e-2});
    const auto of_groups = solver::swap{}.minimize(groups), of_entries = solver::swap{}.minimize(entries);
    BOOST_TEST(of_groups.message.find("all 140 candidates") != std::string::npos, of_groups.message);
    BOOST_TEST(of_entries.message.find("all 700 candidates") != std::string::npos, of_entries.message);
    check_exchanges(groups, of_groups);
    check_exchanges(entries, of_entries);
}

/// Matrices of that many weights, with four blocks of rows.
std::size_t memory_for(std::size_t weights) { return 8 * 6 * weights * weights; }

BOOST_AUTO_TEST_CASE(what_is_too_much_for_a_matrix_is_exchanged_in_parts) {
    std::size_t better = 0, close = 0, tried = 0;
    for (std::size_t trial = 0; trial < 12; ++trial) {
        const std::size_t outputs = trial % 3 == 0 ? 3 : 1;
        penalty::l0 term{.kappa = 8, .l2 = 1e-3, .over = trial % 3 == 0 ? support::rows : support::entries};
        if (trial % 3 == 1) term.sizes = random_sizes(trial, 30);
        if (trial % 4 == 0) term.free = {0};
        if (trial % 4 == 0 && !term.sizes.empty())
            for (std::size_t i = 1; i < term.sizes[0]; ++i) term.free.push_back(i);
        const auto check = [&](const auto& problem) {
            const solver::swap whole{.blocks = 4},
                parts{.blocks = 4, .memory = memory_for(trial % 3 == 2 ? 9 : 6 * std::max<std::size_t>(outputs, 2))};
            // from a poor start: the last ones
            typename std::remove_cvref_t<decltype(problem)>::array w(problem.dimension());
            const auto of = enumerate::groups_of(term, problem.layout());
            for (std::size_t e = 0; e < of.size(); ++e) w[e] = of[e] + 8 > of.back() ? 1e-3 : 0;
            const auto start = solver::polish{}.improve(problem, w), found = parts.from(problem, w);
            const double after_prune = parts.minimize(problem).objective;
            BOOST_TEST(after_prune <= solver::prune{}.minimize(problem).objective * (1 + 1e-12));
            BOOST_TEST((found.status == core::status::converged));
            BOOST_TEST(found.message.starts_with("no exchange of "), found.message);
            BOOST_TEST(found.objective <= start.objective * (1 + 1e-12));
            BOOST_TEST(std::abs(found.objective - solver::objective(problem, found.weights)) <= 1e-12);
            typename std::remove_cvref_t<decltype(problem)>::array gradient(problem.dimension());
            problem.value_and_gradient(found.weights, gradient);
            for (std::size_t e = 0; e < problem.layout().size(); ++e)
                if (found.weights[e] != 0) BOOST_TEST(std::abs(gradient[e] + 1e-3 * found.weights[e]) <= 1e-7);
            const double best = whole.minimize(problem).objective;
            better += found.objective < start.objective * (1 - 1e-9) ? 1 : 0;
            close += after_prune <= best * 1.05 ? 1 : 0;
            ++tried;
        };
        const auto data = enumerate::random_rows(60 + trial, 120, 30, outputs == 3 ? 3 : 2 * (trial % 2), false);
        if (outputs == 3)
            check(problem_of<model::softmax>(data, term));
        else if (trial % 2 == 1)
            check(problem_of<model::logistic>(data, term));
        else
            check(problem_of<model::linear>(data, term));
    }
    BOOST_TEST_MESSAGE("better than its start " << better << ", close to that of all at once " << close << " of "
                                                << tried);
    BOOST_TEST(better == tried);
    BOOST_TEST(close == tried);
}

BOOST_AUTO_TEST_CASE(ranks_change_no_bit) {
    const auto compute = [](const fits::any_communicator& ranks) {
        const auto data = enumerate::random_rows(12, 90, 20, 3, false, ranks);
        const penalty::l0 term{.kappa = 3, .l2 = 1e-2, .sizes = random_sizes(5, 20)};
        const auto problem = problem_of<model::softmax>(data, term, true, true, ranks);
        return solver::swap{.blocks = 4, .restarts = 5, .pool = 6}.minimize(problem);
    };
    const auto alone = compute({});
    for (const int size : {2, 3})
        communicator::threads<>::run(size, [&](const communicator::threads<>& ranks) {
            const auto together = compute(ranks);
            if (together.objective != alone.objective || together.iterations != alone.iterations ||
                together.weights.download() != alone.weights.download())
                throw core::error(core::text("other bits: ", together.objective, " instead of ", alone.objective));
        });
}

BOOST_AUTO_TEST_SUITE_END()

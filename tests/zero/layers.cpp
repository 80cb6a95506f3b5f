// SPDX-License-Identifier: BSL-1.0
// Layers whose gradients are of other kinds than a product's: means over rows, dropout, pictures, tables.
#include <gamut/network.hpp>

#include <gamut/communicator/threads.hpp>
#include <gamut/data/arrays.hpp>
#include <gamut/penalty/l1.hpp>
#include <gamut/solver/wait_free.hpp>
#include <gamut/solver/zero.hpp>

#include <boost/test/unit_test.hpp>

#include <atomic>
#include <cstddef>
#include <string>
#include <vector>

#include "network/tiny_mix.hpp"

using namespace gamut;

BOOST_AUTO_TEST_SUITE(layers)

namespace {

const auto pictures =
    network::classifier{network::picture{4, 5}, network::convolution{3, 3}, network::batch_norm{}, network::relu{},
                        network::flatten{},     network::dropout{0.2},      network::dense{10}};

template <class Sharing, class C = communicator::single<>>
auto fit(const Sharing& sharing, const C& ranks = {}, int threads = 1) {
    return estimator{.model = pictures,
                     .penalty = penalty::l2{1e-3},
                     .solver = solver::sgd{.rate = 0.02,
                                           .momentum = 0.9,
                                           .batch = 16,
                                           .check_every = 0,
                                           .sharing = sharing,
                                           .stop = {.iterations = 2, .tolerance = 0}},
                     .backend = backend::host<double>{.threads = threads},
                     .communicator = ranks}
        .fit(tiny_mix(100, 1, 0));
}

template <class F> int holds_on(int ranks, const F& f) {
    std::atomic<int> right{0};
    communicator::threads<>::run(ranks, [&](const communicator::threads<>& c) {
        if (f(c)) ++right;
    });
    return right;
}

}  // namespace

BOOST_AUTO_TEST_CASE(pictures_have_the_same_bits) {
    const auto whole = fit(solver::replicated{});
    const auto same = [&](const auto& found) {
        return found.weights == whole.weights && found.statistics == whole.statistics;
    };
    for (int stage = 1; stage <= 3; ++stage)
        for (const bool overlap : {false, true})
            BOOST_TEST(holds_on(3, [&](const auto& c) {
                           return same(fit(solver::zero{.stage = stage, .overlap = overlap}, c));
                       }) == 3);
    BOOST_TEST(holds_on(1, [&](const auto& c) { return same(fit(solver::zero{.stage = 3}, c, 3)); }) == 1);
    // filters of 9 x 3 numbers are fewer than their factors; the last layer is not
    BOOST_TEST(holds_on(3, [&](const auto& c) { return same(fit(solver::wait_free{.factors = true}, c)); }) == 3);
}

BOOST_AUTO_TEST_CASE(a_table_is_shared_and_a_bad_row_is_an_error_on_all_ranks) {
    // words 0 ... 6, three per row, the last row with a word that there is not
    const auto sentences = [](bool bad) {
        std::vector<double> x, y;
        for (std::size_t i = 0; i < 60; ++i) {
            for (std::size_t j = 0; j < 3; ++j) x.push_back(static_cast<double>((i * (j + 2) + j) % 7));
            y.push_back(static_cast<double>(i % 2));
        }
        if (bad) x.back() = 7;
        return data::arrays(x, 60, 3, y);
    };
    const auto on = [&](const auto& sharing, const auto& ranks) {
        return estimator{
            .model = network::classifier{network::embedding{7, 4}, network::flatten{}, network::dense{2}},
            .solver =
                solver::sgd{.rate = 0.1, .batch = 8, .check_every = 0, .sharing = sharing, .stop = {.iterations = 2}},
            .backend = backend::host<double>{.threads = 1},
            .communicator = ranks,
            .prepare = {.columns = data::columns::as_given}};
    };
    BOOST_TEST(holds_on(2, [&](const auto& c) {
                   const auto found = on(solver::zero{.stage = 3}, c).fit(sentences(false)).weights;
                   return found == on(solver::zero{.stage = 3, .overlap = true}, c).fit(sentences(false)).weights &&
                          found == on(solver::replicated{}, c).fit(sentences(false)).weights &&
                          found == on(solver::wait_free{.factors = true}, c).fit(sentences(false)).weights;
               }) == 2);
    // the batch that has the word, before any record has looked at it
    const auto throws = [&](bool pieces) {
        return holds_on(2, [&](const auto& c) {
            const auto e = on(solver::replicated{}, c);
            const auto rows = e.load(sentences(true));
            const auto problem = e.problem_of(rows);
            auto gradient = problem.start();
            int errors = 0;
            for (std::size_t index = 0; index < problem.batches(8); ++index) try {
                    const solver::batch wanted{8, 1, 0, index};
                    if (pieces)
                        solver::detail::sharded_weights(problem, problem.start(), 8, 3)
                            .batch_gradient(wanted, gradient);
                    else
                        solver::wait_free{}.gradients(problem, 8)(problem.start(), wanted, gradient);
                } catch (const core::data_error& error) {
                    errors += std::string(error.what()).find("number them 0, 1") != std::string::npos;
                }
            return errors == 1;
        });
    };
    BOOST_TEST(throws(true) == 2);
    BOOST_TEST(throws(false) == 2);
}

BOOST_AUTO_TEST_CASE(a_prox_goes_with_gradients_that_do_not_wait) {
    const auto run = [&](const auto& sharing, const auto& ranks) {
        return estimator{.model = network::classifier{network::dense{10}},
                         .penalty = penalty::l1{0.02},
                         .solver =
                             solver::sgd{.rate = 0.05, .batch = 20, .sharing = sharing, .stop = {.iterations = 3}},
                         .backend = backend::host<double>{.threads = 1},
                         .communicator = ranks}
            .fit(tiny_mix(100, 1, 0));
    };
    BOOST_TEST(holds_on(3, [&](const auto& c) {
                   const auto found = run(solver::wait_free{}, c), whole = run(solver::replicated{}, c);
                   return found.weights == whole.weights && found.history.size() == whole.history.size() &&
                          found.history.back().objective == whole.history.back().objective;
               }) == 3);
}

BOOST_AUTO_TEST_SUITE_END()

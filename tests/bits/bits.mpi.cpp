// SPDX-License-Identifier: BSL-1.0
// Runs on 1 to 5 ranks under mpirun. Every rank also fits alone: where all agree with that, all numbers of ranks agree.
#include "cases.hpp"

#include <boost/test/unit_test.hpp>

#include <gamut/communicator/mpi.hpp>

using namespace bits;

BOOST_AUTO_TEST_SUITE(bits_of_fits)

BOOST_AUTO_TEST_CASE(fits_on_all_ranks_have_the_bits_of_fits_on_one) {
    const communicator::mpi<> ranks;
    for (const fit_case& c : all_cases()) {
        const std::string found = difference(c.run({.ranks = ranks, .threads = 1}), c.run({.threads = 1}));
        BOOST_TEST(found == "", c.name << " on rank " << ranks.rank() << " of " << ranks.size() << ": " << found);
    }
}

BOOST_AUTO_TEST_CASE(a_file_that_the_ranks_read_in_parts_gives_the_bits_of_one_reader) {
    const data::csv<> file{.path = "examples/data/breast_cancer.csv"};
    const penalty::l0 sparse{.kappa = 3, .l2 = 1e-3};
    const auto bits_on = [&](const auto& ranks) {
        const estimator classifier{.model = model::logistic{}, .penalty = sparse, .communicator = ranks};
        const auto fit = classifier.fit(file);
        const auto score = fit.score(file);
        std::string text;
        for (const double value : fit.weights) append(text, value);
        for (const double value : {fit.intercept[0], fit.objective, score.loss, score.accuracy}) append(text, value);
        for (const core::record& now : fit.history) append(text, now.objective);
        return text;
    };
    BOOST_TEST(bits_on(communicator::mpi<>{}) == bits_on(communicator::single<>{}));
}

BOOST_AUTO_TEST_SUITE_END()

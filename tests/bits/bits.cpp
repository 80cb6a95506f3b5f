// SPDX-License-Identifier: BSL-1.0
#include "cases.hpp"

#include <boost/test/unit_test.hpp>

#include <gamut/communicator/threads.hpp>

using namespace bits;

namespace {

/// A quarter of all: every model and solver is among them.
std::vector<fit_case> some_cases() {
    std::vector<fit_case> some, all = all_cases();
    for (std::size_t i = 0; i < all.size(); i += 4) some.push_back(all[i]);
    return some;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(bits_of_fits)

BOOST_AUTO_TEST_CASE(any_number_of_ranks_as_threads_gives_the_same_bits) {
    const auto cases = all_cases();
    std::vector<std::vector<std::string>> expected;
    for (const fit_case& c : cases) expected.push_back(c.run({.threads = 1}));
    for (const int size : {2, 3, 4, 5}) {
        std::vector<std::vector<std::string>> differences(static_cast<std::size_t>(size));
        communicator::threads<>::run(size, [&](const communicator::threads<>& ranks) {
            auto& mine = differences[static_cast<std::size_t>(ranks.rank())];
            for (std::size_t i = 0; i < cases.size(); ++i)
                mine.push_back(difference(cases[i].run({.ranks = ranks, .threads = 1}), expected[i]));
        });
        for (std::size_t rank = 0; rank < differences.size(); ++rank)
            for (std::size_t i = 0; i < cases.size(); ++i)
                BOOST_TEST(differences[rank][i] == "",
                           cases[i].name << " on rank " << rank << " of " << size << ": " << differences[rank][i]);
    }
}

BOOST_AUTO_TEST_CASE(any_number_of_threads_in_a_rank_gives_the_same_bits) {
    for (const fit_case& c : some_cases()) {
        const std::string found = difference(c.run({.threads = 3}), c.run({.threads = 1}));
        BOOST_TEST(found == "", c.name << ": " << found);
    }
}

BOOST_AUTO_TEST_CASE(ranks_without_rows_or_blocks_change_nothing) {
    const bits::table tiny{.rows = 3, .columns = 4};
    std::vector<fit_case> cases;
    add_solvers(cases, "logistic, three rows", model::logistic{}, data::arrays(tiny.dense<double>(), tiny.labels(2)),
                {});
    for (const fit_case& c : cases) {
        const auto expected = c.run({});
        communicator::threads<>::run(12, [&](const communicator::threads<>& ranks) {
            const std::string found = difference(c.run({.ranks = ranks, .threads = 1}), expected);
            if (found != "") throw core::error(c.name + ": " + found);
        });
    }
}

BOOST_AUTO_TEST_CASE(a_second_fit_gives_the_same_bits) {
    for (const fit_case& c : some_cases()) BOOST_TEST(difference(c.run({}), c.run({})) == "", c.name);
}

BOOST_AUTO_TEST_CASE(a_different_problem_gives_different_bits) {  // the comparison can fail
    const bits::table rows{.rows = 40, .columns = 6};
    const data::arrays source(rows.dense<double>(), rows.labels(2));
    const auto bits_with = [&](double strength) {
        return described(fits::fit(model::logistic{}, penalty::l2{strength}, solver::lbfgs<>{}, source));
    };
    BOOST_TEST(difference(bits_with(0.1), bits_with(std::nextafter(0.1, 1))) != "");
}

BOOST_AUTO_TEST_SUITE_END()

// SPDX-License-Identifier: BSL-1.0
// What every learner owes, whatever it learns.
#include "cases.hpp"

#include <boost/test/unit_test.hpp>

#include <fstream>
#include <iterator>
#include <limits>
#include <stdexcept>
#include <string>
#include <vector>

#include "../data/helpers.hpp"
#include "../solver/interrupted.hpp"

#include <gamut/communicator/threads.hpp>

using namespace learners;

namespace {

/// Runs work(case, ranks) on so many ranks and checks that what it returns is empty.
template <class Work> void check_on_ranks(int size, const std::vector<learner_case>& cases, Work work) {
    std::vector<lines> found(static_cast<std::size_t>(size));
    communicator::threads<>::run(size, [&](const communicator::threads<>& ranks) {
        for (std::size_t i = 0; i < cases.size(); ++i)
            found[static_cast<std::size_t>(ranks.rank())].push_back(work(i, ranks_type(ranks)));
    });
    for (std::size_t rank = 0; rank < found.size(); ++rank)
        for (std::size_t i = 0; i < cases.size(); ++i)
            BOOST_TEST(found[rank][i] == "",
                       cases[i].name << " on rank " << rank << " of " << size << ": " << found[rank][i]);
}

/// The learners that take these rows.
std::vector<learner_case> cases_for(const learners::table& data) {
    std::vector<learner_case> some;
    for (auto& c : all_cases())
        if (c.weighs || !data.different_weights) some.push_back(std::move(c));
    return some;
}

std::string message_of(const std::function<void()>& work) {
    try {
        work();
    } catch (const core::error& problem) {
        return problem.what();
    }
    return "";
}

}  // namespace

BOOST_AUTO_TEST_SUITE(learn_conformance)

BOOST_AUTO_TEST_CASE(any_number_of_ranks_gives_the_same_bits) {
    for (const learners::table& data :
         {learners::table{}, learners::table{.different_weights = true}, learners::table{.rows = 9}}) {
        const auto cases = cases_for(data);
        std::vector<lines> expected;
        for (const auto& c : cases) expected.push_back(c.fit({}, data, {}));
        for (const int size : {2, 3, 4, 5})
            check_on_ranks(size, cases, [&](std::size_t i, const ranks_type& ranks) {
                return difference(cases[i].fit(ranks, data, {}), expected[i]);
            });
    }
}

BOOST_AUTO_TEST_CASE(ranks_without_rows_change_nothing) {
    const auto cases = all_cases();
    const learners::table few{.rows = 6};
    check_on_ranks(9, cases, [&](std::size_t i, const ranks_type& ranks) {
        return difference(cases[i].fit(ranks, few, {}), cases[i].fit({}, few, {}));
    });
}

BOOST_AUTO_TEST_CASE(answers_and_scores_are_the_same_on_any_number_of_ranks) {
    const learners::table data{.different_weights = true};
    const auto cases = cases_for(data);
    std::vector<answers> expected;
    std::vector<lines> scores;
    for (const auto& c : cases) {
        expected.push_back(c.answer({}, data));
        scores.push_back(c.score({}, data));
        BOOST_TEST(expected.back().rows.size() == data.rows, c.name);
    }
    check_on_ranks(3, cases, [&](std::size_t i, const ranks_type& ranks) {
        const answers mine = cases[i].answer(ranks, data);
        for (std::size_t r = 0; r < mine.rows.size(); ++r)
            if (mine.rows[r] != expected[i].rows.at(mine.first_row + r))
                return "row " + std::to_string(mine.first_row + r) + mine.rows[r] + " and" +
                       expected[i].rows[mine.first_row + r];
        return difference(cases[i].score(ranks, data), scores[i]);
    });
}

BOOST_AUTO_TEST_CASE(a_second_fit_gives_the_same_bits_and_other_data_give_others) {
    for (const auto& c : all_cases()) {
        BOOST_TEST(difference(c.fit({}, learners::table{}, {}), c.fit({}, learners::table{}, {})) == "", c.name);
        BOOST_TEST(difference(c.fit({}, learners::table{}, {}), c.fit({}, learners::table{.rows = 140}, {})) != "",
                   c.name);
    }
}

BOOST_AUTO_TEST_CASE(weights_of_one_are_no_weights_and_weights_count) {
    for (const auto& c : all_cases()) {
        BOOST_TEST(difference(c.fit({}, learners::table{}, {}), c.fit({}, learners::table{.weight = 1}, {})) == "",
                   c.name);
        if (!c.weighs)
            BOOST_TEST(message_of([&] { c.fit({}, learners::table{.weight = 2}, {}); }).find("weights") !=
                           std::string::npos,
                       c.name);
        if (c.sums)
            BOOST_TEST(c.objective(learners::table{.weight = 2}) == 2 * c.objective(learners::table{}),
                       boost::test_tools::tolerance(1e-12));
        if (c.minimises)
            BOOST_TEST(c.objective(learners::table{.different_weights = true}) != c.objective(learners::table{}),
                       c.name);
    }
}

BOOST_AUTO_TEST_CASE(no_rows_are_refused) {
    for (const auto& c : all_cases())
        BOOST_TEST(message_of([&] { c.fit({}, learners::table{.rows = 0}, {}); }).find("(") != std::string::npos,
                   c.name);
}

BOOST_AUTO_TEST_CASE(one_row_can_be_fitted) {
    for (const auto& c : all_cases()) {
        const auto alone = c.fit_smallest({}, learners::table{.rows = 1});
        BOOST_TEST(!alone.empty(), c.name);
    }
}

BOOST_AUTO_TEST_CASE(more_parts_than_rows_are_refused) {
    for (const auto& c : all_cases())
        if (c.fit_too_many) {
            const std::string why = message_of([&] { c.fit_too_many(learners::table{}); });
            BOOST_TEST(why.find("150 rows") != std::string::npos, c.name << ": " << why);
        }
}

BOOST_AUTO_TEST_CASE(values_that_are_not_finite_are_refused) {
    for (const double bad : {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()}) {
        auto x = learners::table{}.values();
        x(7, 2) = bad;
        const source_type source(data::arrays(std::move(x), learners::table{}.labels()));
        for (const auto& c : all_cases()) {
            const std::string why = message_of([&] { c.fit({}, source, {}); });
            BOOST_TEST(why.find("finite") != std::string::npos, c.name << ": " << why);
        }
    }
}

BOOST_AUTO_TEST_CASE(an_observer_may_stop_a_fit) {
    for (const auto& c : all_cases()) {
        if (!c.observes) continue;
        std::size_t seen = 0;
        const auto found = c.fit({}, learners::table{}, [&](const core::record&) { return ++seen > 0; });
        BOOST_TEST(seen == 1u, c.name);
        BOOST_TEST(found.back().find("stopped") != std::string::npos, c.name << ": " << found.back());
    }
}

BOOST_AUTO_TEST_CASE(an_observer_that_throws_on_one_rank_is_heard_on_all) {
    for (const auto& c : all_cases()) {
        if (!c.observes) continue;
        std::vector<std::string> heard(3);
        communicator::threads<>::run(3, [&](const communicator::threads<>& ranks) {
            const int me = ranks.rank();
            heard[static_cast<std::size_t>(me)] = message_of([&] {
                c.fit(ranks_type(ranks), learners::table{}, [me](const core::record&) {
                    if (me == 1) throw std::runtime_error("no more");
                    return false;
                });
            });
        });
        for (const auto& message : heard)
            BOOST_TEST(message.find("no more") != std::string::npos, c.name << ": " << message);
    }
}

BOOST_AUTO_TEST_CASE(a_run_goes_on_from_a_checkpoint_with_the_same_bits_on_other_ranks) {
    std::size_t resumed = 0;
    for (const auto& c : all_cases()) {
        if (!c.resume) continue;
        const learners::table data{.different_weights = c.weighs};
        const lines whole = c.fit({}, data, {});
        for (const auto& [before, after] : {std::pair{1, 3}, std::pair{4, 1}, std::pair{2, 9}})
            for (const std::size_t iterations : {1u, 4u, 100'000u}) {
                const interrupted::scratch folder("learner_run");
                communicator::threads<>::run(before, [&](const communicator::threads<>& ranks) {
                    c.interrupt(ranks_type(ranks), data, folder.folder(), iterations);
                });
                BOOST_TEST_REQUIRE(core::newest_checkpoint(folder.folder()).has_value(), c.name);
                check_on_ranks(after, {c}, [&](std::size_t, const ranks_type& ranks) {
                    return difference(c.resume(ranks, data, folder.folder()), whole);
                });
                ++resumed;
            }
    }
    BOOST_TEST(resumed >= 9 * 12u);
}

BOOST_AUTO_TEST_CASE(a_run_goes_on_with_its_own_learner_and_data_only) {
    const learners::table data;
    const interrupted::scratch folder("learner_run");
    const auto cases = all_cases();
    const auto named = [&](const std::string& name) -> const learner_case& {
        for (const auto& c : cases)
            if (c.name == name) return c;
        throw std::runtime_error(name);
    };
    const auto& sums = named("nonnegative_factorisation");
    BOOST_TEST(difference(sums.resume({}, data, folder.folder()), sums.fit({}, data, {})) == "");  // none yet
    sums.interrupt({}, data, folder.folder(), 3);
    BOOST_TEST_REQUIRE(core::newest_checkpoint(folder.folder()).has_value());
    const auto complaint = [&](const learner_case& c, const learners::table& rows) {
        return message_of([&] { c.resume({}, rows, folder.folder()); });
    };
    BOOST_TEST(complaint(sums, data) == "");
    BOOST_TEST(complaint(named("sparse_coding"), data).find("a checkpoint of 'nonnegative_factorisation'") !=
               std::string::npos);
    BOOST_TEST(complaint(sums, {.rows = 140}).find("other data") != std::string::npos);
    BOOST_TEST(complaint(sums, {.columns = 7}).find("other data") != std::string::npos);
    const auto forest = message_of([&] {
        core::checkpoints keeper{.folder = folder.folder()};
        learn::random_forest<ranks_type>{.trees = 2}.fit(source_type(data), keeper);
    });
    BOOST_TEST(forest.find("cannot be resumed") != std::string::npos, forest);
    const auto batches = message_of(
        [&] { learn::k_means<ranks_type>{.clusters = 2, .batch = 5, .resume = "x"}.fit(source_type(data)); });
    BOOST_TEST(batches.find("restarts = 1 and batch = 0") != std::string::npos, batches);
    const auto kept = message_of([&] {
        core::checkpoints keeper{.folder = folder.folder()};
        learn::k_means<ranks_type>{.clusters = 2, .restarts = 2}.fit(source_type(data), keeper);
    });
    BOOST_TEST(kept ==
               "k_means: checkpoints with restarts or a batch (only one run by all rows keeps what it needs) leave the "
               "checkpoints out, or set restarts = 1 and batch = 0");
}

BOOST_AUTO_TEST_CASE(a_loaded_fit_is_the_saved_one) {
    const gamut::test::temporary_file file("", "fit.json");
    for (const auto& c : all_cases()) {
        const std::string found = c.save_and_load({}, learners::table{}, file.path);
        BOOST_TEST(found == "", c.name << ": " << found);
    }
}

BOOST_AUTO_TEST_CASE(a_file_of_one_learner_is_no_other) {
    const gamut::test::temporary_file file("", "fit.json");
    const auto cases = all_cases();
    const std::string path = file.path;
    cases[0].save_and_load({}, learners::table{}, path);
    std::string text;
    {
        std::ifstream in(path, std::ios::binary);
        text.assign(std::istreambuf_iterator<char>(in), {});
    }
    const auto complaint = [&](const std::string& changed) {
        std::ofstream(path, std::ios::binary) << changed;
        return message_of([&] { learn::load<learn::fitted_k_means>(path); });
    };
    BOOST_TEST(complaint(text) == "");
    std::string other = text;
    other.replace(other.find("\"clusters\": 4"), 13, "\"clusters\": 5");
    BOOST_TEST(complaint(other).find("checksum") != std::string::npos);
    BOOST_TEST(complaint(text.substr(0, text.size() / 2)).find("no JSON") != std::string::npos);
    BOOST_TEST(complaint("{}").find("no learner") != std::string::npos);
    BOOST_TEST(complaint("{\"format\": \"gamut learner\"}").find("version") != std::string::npos);
    BOOST_TEST(message_of([&] { learn::load<learn::fitted_k_means>(path + ".none"); }).find("cannot be opened") !=
               std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()

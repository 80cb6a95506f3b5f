// SPDX-License-Identifier: BSL-1.0
#include <boost/test/unit_test.hpp>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <gamut/communicator/threads.hpp>
#include <gamut/core/checkpoints.hpp>
#include <gamut/core/follow.hpp>
#include <gamut/data/csv.hpp>
#include <gamut/data/split.hpp>
#include <gamut/estimator.hpp>
#include <gamut/evaluate.hpp>
#include <gamut/fit_of.hpp>
#include <gamut/model/logistic.hpp>
#include <gamut/penalty/l2.hpp>
#include <gamut/solver/lbfgs.hpp>
#include <gamut/solver/sgd.hpp>
#include <gamut/validation.hpp>

#include "../solver/interrupted.hpp"

using namespace gamut;
using interrupted::scratch;
namespace fs = std::filesystem;

namespace {

const data::csv<> table{.path = "examples/data/breast_cancer.csv"};
const auto parts = data::split(table, {.test_fraction = 0.3, .seed = 3});

template <class C = communicator::single<>>
auto by_sgd(const std::string& from = {}, const C& ranks = {}, std::size_t iterations = 9) {
    return estimator{.model = model::logistic{},
                     .penalty = penalty::l2{.strength = 1e-3},
                     .solver =
                         solver::sgd{.rate = 0.05, .momentum = 0.5, .stop = {.iterations = iterations}, .resume = from},
                     .communicator = ranks};
}

std::string read(const fs::path& path) {
    std::ifstream in(path, std::ios::binary);
    std::ostringstream all;
    all << in.rdbuf();
    return all.str();
}

bool says(const std::exception& problem, std::string_view part) {
    return std::string_view(problem.what()).find(part) != std::string_view::npos;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(evaluate_)

BOOST_AUTO_TEST_CASE(a_checkpoint_is_a_model_without_the_training_data) {
    const scratch place("fit_of");
    core::checkpoints keeper{.folder = place.folder()};
    const auto fit = by_sgd().fit(parts.train, keeper);
    for (const auto& path : {core::end_mark_of(place.folder()), core::checkpoints_in(place.folder()).back().path}) {
        const auto again = fit_of<model::logistic>(core::checkpoint::load(path));
        BOOST_TEST(again.weights == fit.weights, boost::test_tools::per_element());
        BOOST_TEST(again.intercept == fit.intercept, boost::test_tools::per_element());
        BOOST_TEST((again.features == fit.features));
        BOOST_TEST(again.classes == fit.classes, boost::test_tools::per_element());
        BOOST_TEST(again.score(parts.test).loss == fit.score(parts.test).loss);
    }
    core::checkpoint none;
    BOOST_CHECK_THROW(fit_of<model::logistic>(none), core::data_error);
    BOOST_CHECK_EXCEPTION((fit_of<model::logistic, float>(*core::newest_checkpoint(place.folder()))), core::data_error,
                          [](const auto& p) { return says(p, "'weights' is of type double (float is needed"); });
}

BOOST_AUTO_TEST_CASE(every_checkpoint_is_scored_once_and_in_order_and_the_end_mark_ends_it) {
    const scratch place("evaluate");
    core::checkpoints keeper{.folder = place.folder(), .keep = 0};
    const auto fit = by_sgd().fit(parts.train, keeper);
    const std::string path = place.folder() + "/of/the/run/scores.csv";  // whose folders are not there yet
    const auto rows = evaluate<model::logistic>(place.folder(), parts.test, {.table = path});
    BOOST_REQUIRE(rows.size() == 10u);
    for (std::size_t i = 0; i < 9; ++i) {
        BOOST_TEST(rows[i].step == i + 1);
        BOOST_TEST(!rows[i].last);
        const auto one = fit_of<model::logistic>(core::checkpoint::load(core::checkpoints_in(place.folder())[i].path));
        BOOST_TEST(rows[i].score.loss == one.score(parts.test).loss);
    }
    BOOST_TEST(rows[9].last);
    BOOST_TEST(rows[9].score.loss == fit.score(parts.test).loss);
    BOOST_TEST(rows[9].score.accuracy == fit.score(parts.test).accuracy);

    const std::string text = read(path);
    std::istringstream lines(text);
    std::string line;
    std::size_t count = 0;
    while (std::getline(lines, line)) ++count;
    BOOST_TEST(count == 11u);
    BOOST_TEST(text.starts_with("step,kind,rows,loss,accuracy,r_squared\n1,step,"));
    BOOST_TEST(text.find("\n9,end,") != text.npos);

    // an evaluator that was killed in the midst of a line goes on behind what it had
    fs::resize_file(path, text.find("\n5,step") + 9);
    const auto rest = evaluate<model::logistic>(place.folder(), parts.test, {.table = path});
    BOOST_TEST(rest.size() == 6u);
    BOOST_TEST(rest[0].step == 5u);
    BOOST_TEST(read(path) == text);
    // and one that had ended evaluates the end again, for the run may have gone on
    BOOST_TEST(evaluate<model::logistic>(place.folder(), parts.test, {.table = path}).size() == 1u);
    BOOST_TEST(read(path) == text);

    std::ofstream(path) << "my,own\n1,2\n";
    BOOST_CHECK_EXCEPTION(evaluate<model::logistic>(place.folder(), parts.test, {.table = path}), core::data_error,
                          [](const auto& p) { return says(p, "another table"); });
    BOOST_TEST(read(path) == "my,own\n1,2\n");
}

BOOST_AUTO_TEST_CASE(it_watches_a_run_that_goes_on) {
    const scratch place("watch");
    std::vector<evaluated> rows;
    core::status ended{};
    {
        const std::jthread run([&] {
            core::checkpoints keeper{.folder = place.folder(), .keep = 0};
            ended = by_sgd({}, communicator::single<>{}, 40).fit(parts.train, keeper).status;
        });
        rows = evaluate<model::logistic>(place.folder(), parts.test, {.poll = 1e-3});
    }
    BOOST_TEST((ended == core::status::iteration_limit));
    BOOST_REQUIRE(rows.size() == 41u);
    for (std::size_t i = 0; i < 40; ++i) BOOST_TEST(rows[i].step == i + 1);
    BOOST_TEST(rows[40].last);
    BOOST_TEST(rows[40].score.loss == rows[39].score.loss);
}

BOOST_AUTO_TEST_CASE(torn_files_are_never_read_and_patience_ends) {
    const scratch place("patience");
    core::checkpoints keeper{.folder = place.folder(), .keep = 0};
    by_sgd().fit(parts.train, keeper);
    fs::remove(core::end_mark_of(place.folder()));
    const auto files = core::checkpoints_in(place.folder());
    fs::resize_file(files[2].path, fs::file_size(files[2].path) / 2);
    fs::copy_file(files[1].path, place.path / "step-000000000020.checkpoint.partial");
    std::vector<std::uint64_t> steps;
    const auto see = [&](const core::checkpoint& each) { steps.push_back(each.step); };
    BOOST_TEST(!core::follow(place.folder(), see, {.poll = 1e-3, .patience = 0.01}));
    BOOST_TEST(steps == (std::vector<std::uint64_t>{1, 2, 4, 5, 6, 7, 8, 9}), boost::test_tools::per_element());
    const auto first = [&](const core::checkpoint& each) { return each.step < 5; };
    BOOST_TEST(!core::follow(place.folder(), first, {.poll = 1e-3}));
    steps.clear();
    BOOST_TEST(!core::follow(place.folder(), see, {.poll = 1e-3, .patience = 0.01, .after = 7}));
    BOOST_TEST(steps == (std::vector<std::uint64_t>{8, 9}), boost::test_tools::per_element());
    BOOST_CHECK_THROW(core::follow(place.folder(), see, {.poll = 0}), core::option_error);
}

BOOST_AUTO_TEST_CASE(a_fit_through_the_interface_of_problems_is_resumed_too) {
    const auto by_lbfgs = [](const auto& ranks, const std::string& from, data::columns columns) {
        return estimator{.model = model::logistic{},
                         .penalty = penalty::l2{.strength = 1e-2},
                         .solver = solver::lbfgs{.resume = from},
                         .communicator = ranks,
                         .prepare = {.columns = columns}};
    };
    for (const auto columns : {data::columns::standardized, data::columns::as_given}) {
        const scratch place("erased");
        const auto whole = by_lbfgs(communicator::single<>{}, "", columns).fit(parts.train);
        core::checkpoints keeper{.every = 4, .folder = place.folder()};
        const auto early = [](const core::record& now) { return now.iteration >= 9; };
        const auto part = by_lbfgs(communicator::single<>{}, "", columns).fit(parts.train, early, keeper);
        BOOST_TEST((part.status == core::status::stopped));
        BOOST_TEST(fit_of<model::logistic>(*core::newest_checkpoint(place.folder())).weights == part.weights,
                   boost::test_tools::per_element());
        communicator::threads<>::run(3, [&](const auto& ranks) {
            core::checkpoints again{.every = 4, .folder = place.folder()};
            const auto rest = by_lbfgs(ranks, place.folder(), columns).fit(parts.train, again);
            if (rest.solver_weights != whole.solver_weights || rest.objective != whole.objective ||
                rest.passes != whole.passes || rest.history.size() != whole.history.size())
                throw core::error("other bits");
        });
        // other rows have other means
        BOOST_CHECK_EXCEPTION(by_lbfgs(communicator::single<>{}, place.folder(), columns).fit(parts.test),
                              core::data_error,
                              [](const auto& p) { return says(p, "made with other data (another number of rows)"); });
    }
}

BOOST_AUTO_TEST_CASE(validation_stops_and_keeps_the_best) {
    const auto classifier = by_sgd({}, communicator::single<>{}, 60);
    validation watch(classifier, parts.test, {.patience = 3});
    const auto fit = classifier.fit(parts.train, watch);
    const auto& history = watch.history();
    BOOST_REQUIRE(!history.empty());
    std::size_t least = 0;
    for (std::size_t i = 0; i < history.size(); ++i)
        if (history[i].score.loss < history[least].score.loss) least = i;
    BOOST_TEST(watch.best_iteration() == history[least].iteration);
    BOOST_TEST(watch.best_loss() == history[least].score.loss);
    BOOST_TEST(watch.best().score(parts.test).loss == watch.best_loss());
    BOOST_TEST(watch.best().iterations == watch.best_iteration());
    BOOST_TEST(history.back().score.loss == fit.score(parts.test).loss);
    BOOST_TEST((fit.status == core::status::stopped) == (history.size() == least + 4));
    // a loss that must gain a lot gains nothing
    validation strict(classifier, parts.test, {.patience = 2, .least_gain = 10});
    BOOST_TEST((classifier.fit(parts.train, strict).status == core::status::stopped));
    BOOST_TEST(strict.history().size() == 3u);
    BOOST_TEST(strict.best_iteration() == 0u);

    for (const int ranks : {2, 3})
        communicator::threads<>::run(ranks, [&](const auto& c) {
            const auto shared = by_sgd({}, c, 60);
            validation same(shared, parts.test, {.patience = 3});
            shared.fit(parts.train, same);
            if (same.best_loss() != watch.best_loss() || same.history().size() != history.size())
                throw core::error("other bits");
        });
    validation unused(classifier, parts.test);
    BOOST_CHECK_THROW(unused.best(), core::option_error);
    BOOST_CHECK_THROW(unused(core::record{}), core::option_error);
    BOOST_CHECK_THROW(validation(classifier, parts.test, {.every = 0}), core::option_error);
}

BOOST_AUTO_TEST_SUITE_END()

// SPDX-License-Identifier: BSL-1.0
#include <boost/test/unit_test.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include <gamut/communicator/read_together.hpp>
#include <gamut/core/checkpoint.hpp>
#include <gamut/core/checkpoints.hpp>
#include <gamut/core/early_stopping.hpp>
#include <gamut/core/keep_best.hpp>
#include <gamut/data/arrays.hpp>
#include <gamut/data/csv.hpp>
#include <gamut/estimator.hpp>
#include <gamut/model/hinge.hpp>
#include <gamut/model/linear.hpp>
#include <gamut/model/logistic.hpp>
#include <gamut/penalty/elastic_net.hpp>
#include <gamut/penalty/l0.hpp>
#include <gamut/penalty/l1.hpp>
#include <gamut/penalty/l2.hpp>
#include <gamut/penalty/mcp.hpp>
#include <gamut/penalty/none.hpp>
#include <gamut/solver/admm.hpp>
#include <gamut/solver/coordinate.hpp>
#include <gamut/solver/disadmm.hpp>
#include <gamut/solver/dual.hpp>
#include <gamut/solver/erased_problem.hpp>
#include <gamut/solver/lbfgs.hpp>
#include <gamut/solver/newton_cg.hpp>
#include <gamut/solver/parallel_coordinate.hpp>
#include <gamut/solver/schedule.hpp>
#include <gamut/solver/sgd.hpp>
#include <gamut/solver/state.hpp>
#include <gamut/solver/swap.hpp>

#include "interrupted.hpp"
#include "quadratic.hpp"

using namespace gamut;
using interrupted::scratch;
namespace fs = std::filesystem;

namespace {

const toy::table& numbers() {
    static const auto t = toy::random_table(60, 5, 0.2, true, true);
    return t;
}

template <class Loss, class Penalty, class Make>
std::string interrupt(std::string_view name, Penalty penalty, Make make) {
    return interrupted::at_every_iteration(name, [&](const auto& c, const std::string& from, auto&... observers) {
        auto solver = make();
        solver.resume = from;
        return solver.minimize(toy::make<Loss>(numbers(), penalty, 4, c), observers...);
    });
}

auto short_run(std::size_t iterations, const std::string& from = {}) {
    return solver::sgd{.rate = 0.3, .momentum = 0.5, .batch = 20, .stop = {.iterations = iterations}, .resume = from};
}
auto problem() { return toy::make<toy::logistic>(numbers(), penalty::l2{0.01}); }

struct pair {
    double a = 0;
    std::size_t b = 0;
    void describe(auto& each) {
        each("a", a);
        each("b", b);
    }
};
struct all_parts {
    toy::array w{3};
    std::vector<toy::array> list{toy::array(2), toy::array(2)};
    std::vector<std::uint64_t> seen{};
    std::optional<pair> some{}, none{pair{}};
    bool yes = false;
    std::int32_t below = 0;
    pair inner{};
    void describe(auto& each) {
        each("w", w);
        each("list", list);
        each("seen", seen);
        each("some", some);
        each("none", none);
        each("yes", yes);
        each("below", below);
        each("inner", inner);
    }
};

bool says(const std::exception& problem, std::string_view part) {
    return std::string_view(problem.what()).find(part) != std::string_view::npos;
}

std::vector<std::uint64_t> steps_in(const std::string& folder) {
    std::vector<std::uint64_t> steps;
    for (const auto& file : core::checkpoints_in(folder)) steps.push_back(file.step);
    return steps;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(solver_checkpoints)

BOOST_AUTO_TEST_CASE(sgd_goes_on_from_any_iteration_on_any_ranks_with_the_same_bits) {
    BOOST_TEST(interrupt<toy::logistic>("sgd", penalty::l2{0.01}, [] {
                   return solver::sgd{.rate = solver::schedule::inverse_time{.rate = 0.5, .decay = 0.1},
                                      .momentum = 0.8,
                                      .rule = solver::momentum_rule::nesterov,
                                      .batch = 7,
                                      .seed = 3,
                                      .stop = {.iterations = 9}};
               }) == "");
    BOOST_TEST(interrupt<toy::logistic>("sgd_prox", penalty::l1{0.02}, [] {
                   return solver::sgd{
                       .rate = 0.3, .momentum = 0.5, .batch = 16, .check_every = 3, .stop = {.iterations = 8}};
               }) == "");
    BOOST_TEST(interrupt<toy::squared>("sgd_converges", penalty::l2{0.5}, [] {
                   return solver::sgd{.rate = 0.5, .batch = 60, .stop = {.iterations = 500, .tolerance = 1e-3}};
               }) == "");
}

BOOST_AUTO_TEST_CASE(descents_go_on_from_any_iteration_on_any_ranks_with_the_same_bits) {
    BOOST_TEST(interrupt<toy::logistic>("lbfgs", penalty::l2{0.01}, [] { return solver::lbfgs{.memory = 3}; }) == "");
    BOOST_TEST(interrupt<toy::squared>("lbfgs_squared", penalty::none{}, [] { return solver::lbfgs{}; }) == "");
    BOOST_TEST(interrupt<toy::logistic>("newton_cg", penalty::l2{0.001}, [] { return solver::newton_cg{}; }) == "");
}

BOOST_AUTO_TEST_CASE(admm_goes_on_from_any_iteration_on_any_ranks_with_the_same_bits) {
    BOOST_TEST(interrupt<toy::logistic>("admm", penalty::l1{0.02}, [] {
                   return solver::admm{.acceleration = 4, .stop = {.tolerance = 1e-6}};
               }) == "");
    BOOST_TEST(interrupt<toy::squared>("admm_plain", penalty::l1{0.02}, [] {
                   return solver::admm{.rho = 0.05,
                                       .acceleration = 0,
                                       .objective_every = 3,
                                       .local = solver::lbfgs{},
                                       .stop = {.iterations = 12}};
               }) == "");
}

// solvers of columns, on a problem that an estimator makes
template <class Model, class Penalty, class Solver>
std::string interrupt_fit(std::string_view name, const Model& model, const Penalty& penalty, const Solver& solver,
                          std::size_t stride = 1) {
    const auto t = toy::random_table(50, 12, 0.3, model::is_classification<Model>);
    backend::dense_matrix<double> x(t.rows, t.columns);
    std::copy(t.x.begin(), t.x.end(), x.values.begin());
    const data::arrays rows(x, t.y);
    return interrupted::at_every_iteration(
        name,
        [&](const auto& c, const std::string& from, auto&... observers) {
            auto how = solver;
            how.resume = from;
            const estimator fit{.model = model, .penalty = penalty, .solver = how, .communicator = c};
            const auto loaded = fit.load(rows);
            const auto problem = fit.problem_of(loaded);
            return solver::minimize(how, problem, observers...);
        },
        stride);
}

BOOST_AUTO_TEST_CASE(coordinate_descent_goes_on_from_any_iteration_on_any_ranks_with_the_same_bits) {
    BOOST_TEST(interrupt_fit("lasso", model::linear{}, penalty::l1{0.05}, solver::coordinate{.working_set = 2}) == "");
    BOOST_TEST(interrupt_fit("sparse_logistic", model::logistic{}, penalty::mcp{.strength = 0.05},
                             solver::coordinate{.working_set = 2}) == "");
}

BOOST_AUTO_TEST_CASE(parallel_coordinate_descent_goes_on_from_any_measurement_on_any_ranks_with_the_same_bits) {
    BOOST_TEST(interrupt_fit("columns", model::linear{}, penalty::l1{0.05},
                             solver::parallel_coordinate{.selection = solver::selection::scheduled{.together = 3},
                                                         .rounds = 2}) == "");
    BOOST_TEST(
        interrupt_fit("random_columns", model::logistic{}, penalty::l1{0.02},
                      solver::parallel_coordinate{.selection = solver::selection::random{.together = 2}, .rounds = 3},
                      4) == "");
}

BOOST_AUTO_TEST_CASE(disadmm_goes_on_from_any_round_on_any_ranks_with_the_same_bits) {
    const penalty::l0 sparse{.kappa = 3, .l2 = 1e-2};
    BOOST_TEST(interrupt_fit("disadmm", model::logistic{}, sparse, solver::disadmm{.growth = 1.5}, 3) == "");
    BOOST_TEST(interrupt_fit("disadmm_gram", model::linear{}, sparse,
                             solver::disadmm{.growth = 1.5, .mode = solver::mode::gram}, 3) == "");
}

BOOST_AUTO_TEST_CASE(solvers_that_cannot_be_resumed_say_so_and_others_take_keepers_always) {
    const scratch place("not_resumable");
    const data::csv cancer{.path = "examples/data/breast_cancer.csv"};
    const auto fit = [&](auto penalty, auto solver) {
        core::checkpoints keeper{.folder = place.folder()};
        return estimator{.model = model::logistic{}, .penalty = penalty, .solver = solver}.fit(cancer, keeper).status;
    };
    BOOST_CHECK_EXCEPTION(fit(penalty::l0{.kappa = 2}, solver::swap{}), core::option_error, [](const auto& p) {
        return says(p, "checkpoints: swap cannot be resumed (it does not say what its state is)");
    });
    BOOST_TEST((fit(penalty::l0{.kappa = 0, .l2 = 1e-3}, solver::disadmm{}) == core::status::converged));
    BOOST_TEST(core::checkpoints_in(place.folder()).empty());
    BOOST_TEST(fs::exists(core::end_mark_of(place.folder())));
}

BOOST_AUTO_TEST_CASE(dual_ascent_goes_on_from_any_round_on_any_ranks_with_the_same_bits) {
    BOOST_TEST(
        interrupt_fit("svm", model::hinge{}, penalty::l2{0.05}, solver::dual{.blocks = 3, .local_epochs = 2}, 2) == "");
    BOOST_TEST(interrupt_fit("dual_logistic", model::logistic{}, penalty::elastic_net{.l1 = 0.01, .l2 = 0.02},
                             solver::dual{.blocks = 4, .local_epochs = 1}, 2) == "");
}

BOOST_AUTO_TEST_CASE(another_run_has_other_bits) {  // the comparison can fail
    const auto one = interrupted::described(short_run(4).minimize(problem()));
    auto other = short_run(4);
    other.seed = 2;
    BOOST_TEST(interrupted::difference(one, interrupted::described(other.minimize(problem()))) != "");
    BOOST_TEST(interrupted::difference(one, interrupted::described(short_run(4).minimize(problem()))) == "");
}

BOOST_AUTO_TEST_CASE(the_folder_has_the_newest_checkpoints_and_in_the_end_a_mark) {
    const scratch place("folder");
    const std::string folder = place.folder() + "/deep/er";
    core::checkpoints keeper{.every = 2, .folder = folder, .keep = 3};
    const auto found = short_run(11).minimize(problem(), keeper);
    BOOST_TEST(steps_in(folder) == (std::vector<std::uint64_t>{8, 10, 11}), boost::test_tools::per_element());
    BOOST_TEST(fs::exists(folder + "/step-000000000010.checkpoint"));
    const auto last = core::checkpoint::load(core::end_mark_of(folder));
    BOOST_TEST(last.kind == "end");
    BOOST_TEST(last.step == 11u);
    BOOST_TEST(last.characters("status") == "iteration limit");
    BOOST_TEST(last.get<double>("objective")[0] == found.objective);
    BOOST_TEST(last.get<double>("weights") == found.weights.download(), boost::test_tools::per_element());
    const auto file = core::newest_checkpoint(folder);
    BOOST_REQUIRE(file.has_value());
    BOOST_TEST(file->kind == "sgd");
    BOOST_TEST(file->step == 11u);
    BOOST_TEST(file->get<double>("weights") == found.weights.download(), boost::test_tools::per_element());

    const scratch all("folder_all");
    core::checkpoints every{.every = 1, .folder = all.folder(), .keep = 0};
    short_run(5).minimize(problem(), every);
    BOOST_TEST(steps_in(all.folder()) == (std::vector<std::uint64_t>{1, 2, 3, 4, 5}), boost::test_tools::per_element());
    core::checkpoints slow{.every = 1, .folder = all.folder() + "/slow", .keep = 0, .seconds = 1e9};
    short_run(5).minimize(problem(), slow);
    BOOST_TEST(steps_in(all.folder() + "/slow") == (std::vector<std::uint64_t>{5}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_longer_run_goes_on_from_a_finished_one) {
    const scratch place("longer");
    core::checkpoints first{.folder = place.folder()}, second = first;
    short_run(4).minimize(problem(), first);
    const auto found = short_run(9, place.folder()).minimize(problem(), second);
    BOOST_TEST(interrupted::difference(interrupted::described(found),
                                       interrupted::described(short_run(9).minimize(problem()))) == "");
    BOOST_TEST(found.seconds >= found.history.back().seconds);
    for (std::size_t i = 1; i < found.history.size(); ++i)
        BOOST_TEST(found.history[i].seconds >= found.history[i - 1].seconds);
}

BOOST_AUTO_TEST_CASE(a_folder_that_is_not_there_or_empty_is_a_beginning) {
    const scratch place("none");
    const auto expected = interrupted::described(short_run(3).minimize(problem()));
    BOOST_TEST(interrupted::described(short_run(3, place.folder()).minimize(problem())) == expected);
    fs::create_directory(place.path);
    std::ofstream(place.path / "step-000000000002.checkpoint.partial") << "torn";
    std::ofstream(place.path / "notes.txt") << "mine";
    BOOST_TEST(interrupted::described(short_run(3, place.folder()).minimize(problem())) == expected);
    BOOST_CHECK_THROW(short_run(3, place.folder() + "/step-000000000001.checkpoint").minimize(problem()),
                      core::data_error);
    core::checkpoints keeper{.folder = place.folder()};
    short_run(3).minimize(problem(), keeper);
    BOOST_TEST(!fs::exists(place.path / "step-000000000002.checkpoint.partial"));
    BOOST_TEST(fs::exists(place.path / "notes.txt"));
}

BOOST_AUTO_TEST_CASE(a_torn_newest_one_is_passed_over_and_a_torn_only_one_is_an_error) {
    const scratch place("torn");
    core::checkpoints keeper{.folder = place.folder()};
    short_run(4).minimize(problem(), keeper);
    const auto files = core::checkpoints_in(place.folder());
    BOOST_REQUIRE(files.size() == 3u);
    fs::resize_file(files[2].path, 100);
    BOOST_TEST(core::newest_checkpoint(place.folder())->step == 3u);
    BOOST_TEST(interrupted::described(short_run(6, place.folder()).minimize(problem())) ==
               interrupted::described(short_run(6).minimize(problem())));
    fs::remove(files[0].path);
    fs::resize_file(files[1].path, 0);
    fs::remove(files[2].path);
    BOOST_CHECK_THROW(short_run(6, place.folder()).minimize(problem()), core::data_error);
    for (const int ranks : {2, 3})  // the same error on all of them
        BOOST_CHECK_THROW(
            interrupted::on_ranks(ranks,
                                  [&](const auto& c) {
                                      const auto p = toy::make<toy::logistic>(numbers(), penalty::l2{0.01}, 4, c);
                                      return interrupted::described(short_run(6, place.folder()).minimize(p));
                                  }),
            core::data_error);
}

BOOST_AUTO_TEST_CASE(runs_that_would_mix_are_refused) {
    const scratch place("mix");
    core::checkpoints first{.folder = place.folder()}, second = first;
    short_run(4).minimize(problem(), first);
    BOOST_CHECK_EXCEPTION(short_run(4).minimize(problem(), second), core::option_error, [](const auto& p) {
        return says(p, "has one of step 4 (of another run, which this one, at step 0, would mix with)");
    });
    core::checkpoints never{.every = 0, .folder = place.folder()};
    BOOST_CHECK_THROW(short_run(4).minimize(problem(), never), core::option_error);
}

BOOST_AUTO_TEST_CASE(checkpoints_of_other_problems_are_refused_in_words) {
    const scratch place("other");
    core::checkpoints keeper{.folder = place.folder()};
    short_run(2).minimize(problem(), keeper);
    const auto small = toy::random_table(30, 3, 0, true);
    BOOST_CHECK_EXCEPTION(short_run(4, place.folder()).minimize(toy::make<toy::logistic>(small, penalty::l2{0.01})),
                          core::data_error,
                          [](const auto& p) { return says(p, "made with other data (another number of weights)"); });
    auto file = *core::newest_checkpoint(place.folder());
    file.kind = "lbfgs";
    file.save(place.folder() + "/foreign.checkpoint");
    BOOST_CHECK_EXCEPTION(
        short_run(4, place.folder() + "/foreign.checkpoint").minimize(problem()), core::data_error,
        [](const auto& p) { return says(p, "foreign.checkpoint: a checkpoint of 'lbfgs' (sgd is to go on)"); });
}

BOOST_AUTO_TEST_CASE(observers_see_the_weights) {
    core::keep_best best{};
    const auto found = short_run(6).minimize(problem(), best);
    std::size_t least = 0;
    for (std::size_t i = 0; i < found.history.size(); ++i)
        if (found.history[i].objective < found.history[least].objective) least = i;
    BOOST_TEST(best.best_iteration == found.history[least].iteration);
    toy::array w(best.weights.size());
    w.upload(best.weights);
    BOOST_TEST(problem().value(w) == best.best);

    // a score of the weights themselves
    core::early_stopping watch{.patience = 1, .score = [](const core::record& now) { return -now.weights()[0] * 0; }};
    BOOST_TEST((short_run(6).minimize(problem(), watch).status == core::status::stopped));
    for (const core::record& now : found.history) BOOST_TEST((now.run == nullptr));
}

BOOST_AUTO_TEST_CASE(parts_of_a_state_come_back) {
    all_parts from, to;
    from.w[2] = -0.0;
    from.list[1][0] = 5;
    from.seen = {1, 2, 3};
    from.some = pair{0.1, 7};
    from.none.reset();
    from.yes = true;
    from.below = -4;
    from.inner = {1e-300, 9};
    core::checkpoint file;
    solver::state_writer writer(file, communicator::single<>{});
    from.describe(writer);
    solver::state_reader reader(file);
    to.describe(reader);
    BOOST_TEST(std::signbit(to.w[2]));
    BOOST_TEST(to.list[1][0] == 5);
    BOOST_TEST(to.seen == from.seen, boost::test_tools::per_element());
    BOOST_REQUIRE(to.some.has_value());
    BOOST_TEST(to.some->a == 0.1);
    BOOST_TEST(to.some->b == 7u);
    BOOST_TEST(!to.none.has_value());
    BOOST_TEST(to.yes);
    BOOST_TEST(to.below == -4);
    BOOST_TEST(to.inner.a == 1e-300);
    BOOST_TEST(to.inner.b == 9u);
    to.list.pop_back();
    BOOST_CHECK_EXCEPTION(to.describe(reader), core::data_error,
                          [](const auto& p) { return says(p, "'list' has 4 numbers (2 are needed"); });
}

BOOST_AUTO_TEST_SUITE_END()

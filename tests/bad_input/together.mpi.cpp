// SPDX-License-Identifier: BSL-1.0
// One rank fails, and all ranks throw the same error, at once. Runs on 1 to 5 ranks.
#include "fit_cases.hpp"

#include <boost/test/unit_test.hpp>

#include <array>
#include <chrono>
#include <exception>
#include <new>
#include <stdexcept>

#include "../data/helpers.hpp"

#include <gamut/communicator/mpi.hpp>

using namespace gamut;

namespace {

const communicator::mpi<>& world() {
    static const communicator::mpi<> ranks;
    return ranks;
}

/// Of the machine, so that ranks can compare what they read.
double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

/// When this rank failed; 0: it did not.
double failed_at = 0;

template <class Error> [[noreturn]] void fail(const Error& error) {
    failed_at = now();
    throw error;
}

/// The largest of the ranks' numbers.
double largest(double mine) {
    world().all_reduce(std::span<double>(&mine, 1), communicator::operation::maximum);
    return mine;
}

/// Every rank runs `work`; all must throw that kind of error, with the words in its message, the same on all, and the last
/// of them within 2 s of the failure.
template <class Work> void fails_together(core::error_kind kind, const std::vector<std::string>& words, Work&& work) {
    world().barrier();
    const double begin = now();
    failed_at = 0;
    core::error_kind found = core::error_kind::none;
    std::string message;
    try {
        work();
    } catch (...) {
        found = core::kind_of(std::current_exception());
        message = core::message_of(std::current_exception());
    }
    const double last_to_know = largest(now()), first_to_fail = largest(failed_at);
    BOOST_TEST(last_to_know - std::max(first_to_fail, begin) < 2.0);
    BOOST_TEST(static_cast<int>(found) == static_cast<int>(kind), message);
    for (const std::string& word : words)
        BOOST_TEST(message.find(word) != std::string::npos, message << " lacks " << word);

    std::array<std::int64_t, 2> mine{static_cast<std::int64_t>(std::hash<std::string>{}(message)),
                                     static_cast<std::int64_t>(found)};
    std::vector<std::int64_t> all(2 * static_cast<std::size_t>(world().size()));
    world().gather(std::span<const std::int64_t>(mine), std::span<std::int64_t>(all));
    for (std::size_t i = 0; i < all.size(); ++i)
        BOOST_TEST(all[i] == all[i % 2], "another error than on rank 0: " << message);
}

int last() { return world().size() - 1; }

data::arrays<fits::dense> ordinary() { return data::arrays(test::some_rows(), test::some_labels<double>(40, {0, 1})); }

/// Throws on one rank, in its third iteration.
template <class Error> struct faulty_observer {
    int rank;
    Error error;
    bool operator()(const core::record& now) const {
        if (now.rank == rank && now.iteration >= 2) fail(error);
        return false;
    }
};

/// A penalty whose prox, or value, throws on the last rank, at some time.
struct faulty_prox {
    int* uses;
    double value(double w) const { return 0.1 * std::abs(w); }
    double prox(double v, double step) const {
        if (world().rank() == last() && --*uses < 0) fail(std::runtime_error("the prox is broken"));
        return penalty::l1{0.1}.prox(v, step);
    }
};
struct faulty_value {
    int* uses;
    double value(double w) const {
        if (world().rank() == last() && --*uses < 0) fail(std::runtime_error("the value is broken"));
        return 0.05 * w * w;
    }
    double prox(double v, double step) const { return v / (1 + 0.1 * step); }
    double derivative(double w) const { return 0.1 * w; }
    double second_derivative(double) const { return 0.1; }
};

/// A model that one rank refuses.
struct faulty_model : model::linear {
    void validate() const {
        if (world().rank() == last()) fail(core::option_error("faulty_model: not here"));
    }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(together)

BOOST_AUTO_TEST_CASE(bad_options_and_data_are_the_same_error_on_all_ranks) {
    for (const auto& cases : {test::bad_options(), test::bad_arrays()})
        for (const test::bad_fit& bad : cases) BOOST_TEST_CONTEXT(bad.what)
    fails_together(bad.kind, {bad.words.begin(), bad.words.end()}, [&] { bad.fit({.ranks = world()}); });
}

BOOST_AUTO_TEST_CASE(a_bad_line_in_the_part_of_one_rank_is_an_error_on_all) {
    std::string lines = "a,b,y\n";
    for (int i = 0; i < 1000; ++i) lines += core::text(i, ',', i == 990 ? "oops" : "1.5", ',', i % 2, '\n');
    const test::shared_file file(world(), lines, "together.csv");
    fails_together(core::error_kind::data, {"together.csv:992:5: ", "'oops'", "'b'"}, [&] {
        fits::fit(model::logistic{}, penalty::l2{}, solver::lbfgs<>{}, data::csv<>{.path = file.path},
                  {.ranks = world()});
    });
}

BOOST_AUTO_TEST_CASE(an_observer_that_throws_on_one_rank_fails_all) {
    const std::string from = world().size() > 1 ? "rank " + std::to_string(last()) + ": " : "";
    const auto check = [&](core::error_kind kind, const std::string& words, auto error) {
        const auto with = [&](auto penalty, auto solver) {
            fails_together(kind, {words}, [&] {
                fits::fit(model::logistic{}, penalty, solver, ordinary(),
                          {.ranks = world(), .observe = faulty_observer<decltype(error)>{last(), error}});
            });
        };
        with(penalty::l2{1e-3}, solver::lbfgs<>{});
        with(penalty::l2{1e-3}, solver::newton_cg<>{});
        with(penalty::l2{1e-3}, solver::sgd<>{});
        with(penalty::elastic_net{1e-3, 0}, solver::admm<>{});
        with(penalty::l0{.kappa = 2, .l2 = 1e-3}, solver::disadmm<>{});
    };
    check(core::error_kind::other, from + "the disk is full", std::runtime_error("the disk is full"));
    check(core::error_kind::option, from + "not this way", core::option_error("not this way"));
    check(core::error_kind::memory, "", std::bad_alloc());
}

BOOST_AUTO_TEST_CASE(an_observer_that_stops_on_one_rank_stops_all) {
    const fits::observer stop = [](const core::record& now) { return now.rank == last() && now.iteration == 2; };
    const auto found = fits::fit(model::logistic{}, penalty::l2{1e-3}, solver::lbfgs<>{}, ordinary(),
                                 {.ranks = world(), .observe = stop});
    BOOST_TEST(core::name(found.status) == "stopped");
    BOOST_TEST(found.iterations == 2u);
}

BOOST_AUTO_TEST_CASE(a_penalty_that_throws_on_one_rank_fails_all) {
    const auto check = [](const std::string& words, auto fit) {
        constexpr int never = 1 << 30;
        int uses = never;
        fit(&uses);
        std::int32_t used = never - uses;  // how often a whole run asks the last rank's penalty
        world().broadcast(std::span<std::int32_t>(&used, 1), last());
        BOOST_TEST(used > 20);
        for (const int good : {0, 1, 20, used / 2, used - 1}) {
            uses = good;
            fails_together(core::error_kind::other, {words}, [&] { fit(&uses); });
        }
    };
    check("the prox is broken", [](int* uses) {
        estimator{.model = model::logistic{},
                  .penalty = faulty_prox{uses},
                  .solver = solver::admm<>{.stop = {.iterations = 30, .tolerance = 0}},
                  .communicator = world()}
            .fit(ordinary());
    });
    check("the value is broken", [](int* uses) {
        estimator{.model = model::logistic{},
                  .penalty = faulty_value{uses},
                  .solver = solver::lbfgs<>{.stop = {.iterations = 30, .tolerance = 0}},
                  .communicator = world()}
            .fit(ordinary());
    });
}

BOOST_AUTO_TEST_CASE(a_model_that_one_rank_refuses_is_refused_by_all) {
    fails_together(core::error_kind::option, {"faulty_model: not here"}, [&] {
        estimator{.model = faulty_model{}, .penalty = penalty::l2{}, .communicator = world()}.fit(ordinary());
    });
}

BOOST_AUTO_TEST_CASE(after_a_failure_the_ranks_still_work_together) {
    const auto found =
        fits::fit(model::logistic{}, penalty::l2{1e-3}, solver::lbfgs<>{}, ordinary(), {.ranks = world()});
    BOOST_TEST(core::name(found.status) == "converged");
}

BOOST_AUTO_TEST_SUITE_END()

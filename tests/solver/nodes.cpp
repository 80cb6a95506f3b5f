// SPDX-License-Identifier: BSL-1.0
// sgd with an exchange: copies of the weights on nodes that meet.
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <type_traits>
#include <vector>

#include <gamut/backend/host.hpp>
#include <gamut/communicator/sim.hpp>
#include <gamut/communicator/single.hpp>
#include <gamut/communicator/threads.hpp>
#include <gamut/core/error.hpp>
#include <gamut/core/random.hpp>
#include <gamut/data/arrays.hpp>
#include <gamut/exchange/all_reduce.hpp>
#include <gamut/exchange/asynchronous_gossip.hpp>
#include <gamut/exchange/asynchronous_push_sum.hpp>
#include <gamut/exchange/concept.hpp>
#include <gamut/exchange/exact_diffusion.hpp>
#include <gamut/exchange/extra.hpp>
#include <gamut/exchange/gossip.hpp>
#include <gamut/exchange/gradient_tracking.hpp>
#include <gamut/exchange/none.hpp>
#include <gamut/exchange/periodic.hpp>
#include <gamut/exchange/push_diging.hpp>
#include <gamut/exchange/push_sum.hpp>
#include <gamut/model/logistic.hpp>
#include <gamut/penalty/l1.hpp>
#include <gamut/penalty/l2.hpp>
#include <gamut/solver/coordinate.hpp>
#include <gamut/solver/newton_cg.hpp>
#include <gamut/solver/problem.hpp>
#include <gamut/solver/sgd.hpp>
#include <gamut/topology/exponential.hpp>
#include <gamut/topology/one_peer.hpp>
#include <gamut/topology/random_pairs.hpp>
#include <gamut/topology/ring.hpp>
#include <gamut/topology/star.hpp>
#include <gamut/topology/weights.hpp>
#include <gamut/update/adam.hpp>
#include <gamut/update/momentum.hpp>

using namespace gamut;

namespace {

/// n rows of 5 columns and two classes; rows of different nodes come from different places.
auto rows_of(std::size_t n, std::size_t nodes) {
    const core::random draw{.seed = 17};
    backend::dense_matrix<double> x(n, 5);
    std::vector<double> y(n);
    for (std::size_t i = 0; i < n; ++i) {
        double z = 0;
        for (std::size_t j = 0; j < 5; ++j) {
            x(i, j) = draw.normal(5 * i + j) + 0.8 * std::sin(static_cast<double>((i * nodes / n) * (j + 1)));
            z += (j % 2 ? -1 : 1) * x(i, j);
        }
        y[i] = z + 4 * draw.normal(100'000 + i) > 0 ? 1 : 0;
    }
    return data::arrays(x, y);
}

struct found {
    std::vector<double> weights{}, history{};
    double objective = 0, apart = 0;
    core::status status{};
    bool operator==(const found& other) const { return weights == other.weights && history == other.history; }
};

template <class C, class Solver, class Source, class Penalty>
found minimum(const C& c, const Solver& solver, const Source& source, const Penalty& penalty, std::size_t blocks) {
    const auto rows = source.load(c, {.classification = true, .blocks = blocks});
    const solver::problem problem(model::logistic{}, rows, penalty, backend::host<>{.threads = 1}, c, true);
    const auto result = solver.minimize(problem);
    found f{result.weights.download(), {}, result.objective, result.history.back().dual_residual, result.status};
    for (const auto& now : result.history)
        for (const double x : {now.objective, now.residual, now.dual_residual})
            f.history.push_back(std::isnan(x) ? -1 : x);
    return f;
}

template <class E>
auto on_nodes(const E& exchange, double rate, std::size_t blocks, std::size_t batch, std::size_t epochs) {
    return solver::sgd<double, update::plain, E>{.rate = rate,
                                                 .batch = batch,
                                                 .check_every = epochs / 2,
                                                 .blocks = blocks,
                                                 .exchange = exchange,
                                                 .stop = {.iterations = epochs, .tolerance = 0}};
}

double distance(const std::vector<double>& a, const std::vector<double>& b) {
    double sum = 0;
    for (std::size_t j = 0; j < a.size(); ++j) sum += (a[j] - b[j]) * (a[j] - b[j]);
    return std::sqrt(sum);
}

template <class F> std::string words_of(F f) {
    try {
        f();
    } catch (const core::option_error& error) {
        return error.what();
    }
    return "";
}

}  // namespace

BOOST_AUTO_TEST_SUITE(nodes)

BOOST_AUTO_TEST_CASE(nodes_have_the_same_bits_on_any_ranks) {
    const auto source = rows_of(160, 8);
    const penalty::l2 ridge{.strength = 1e-2};
    const auto check = [&](const auto& exchange) {
        const auto solver = on_nodes(exchange, .05, 8, 40, 4);
        const found alone = minimum(communicator::single<>{}, solver, source, ridge, 8);
        BOOST_TEST(alone.apart >= 0);
        BOOST_TEST(std::isfinite(alone.objective));
        for (const int ranks : {2, 3, 5, 8, 9})
            communicator::threads<>::run(ranks, [&](const auto& c) {
                if (!(minimum(c, solver, source, ridge, 8) == alone)) throw core::error("other bits");
            });
    };
    check(exchange::gossip{topology::ring{}});
    check(exchange::gossip{topology::random_pairs{}});
    check(exchange::gradient_tracking{topology::one_peer_exponential{}});
    check(exchange::push_sum{topology::one_peer{topology::exponential{}}});
    check(exchange::periodic{.every = 3, .memory = exchange::at_meeting::average});
    check(exchange::all_reduce{});
    const auto solver = on_nodes(exchange::extra{topology::ring{}}, .05, 8, 40, 4);
    const found alone = minimum(communicator::single<>{}, solver, source, ridge, 8);
    communicator::sim<>::run(16, {}, [&](const auto& c) {
        if (!(minimum(c, solver, source, ridge, 8) == alone)) throw core::error("other bits");
    });
}

BOOST_AUTO_TEST_CASE(exact_methods_find_the_minimum_and_plain_gossip_stays_beside_it) {
    const auto source = rows_of(80, 4);
    const penalty::l2 ridge{.strength = 1e-2};
    const communicator::single<> here;
    const found best = minimum(here, solver::newton_cg{.stop = {.tolerance = 1e-13}}, source, ridge, 4);
    const auto after = [&](const auto& exchange, double rate) {
        const found f = minimum(here, on_nodes(exchange, rate, 4, 80, 2500), source, ridge, 4);
        return std::hypot(distance(f.weights, best.weights), f.apart);
    };
    BOOST_TEST(after(exchange::exact_diffusion{topology::ring{}}, .1) <= 1e-7);
    BOOST_TEST(after(exchange::extra{topology::ring{}}, .1) <= 1e-7);
    BOOST_TEST(after(exchange::gradient_tracking{topology::ring{}}, .1) <= 1e-7);
    BOOST_TEST(after(exchange::push_diging{topology::exponential{}}, .1) <= 1e-7);
    BOOST_TEST(after(exchange::all_reduce{}, .1) <= 1e-7);
    for (const double plateau :
         {after(exchange::gossip{topology::ring{}}, .1), after(exchange::adapt_while_combining<>{}, .1)}) {
        BOOST_TEST(plateau >= 1e-3);
        BOOST_TEST(plateau <= 1);
    }
}

BOOST_AUTO_TEST_CASE(one_copy_for_all_is_sgd_whatever_the_rule) {
    const auto source = rows_of(160, 8);
    const penalty::l2 ridge{.strength = 1e-2};
    const communicator::single<> here;
    const auto same = [&](const auto& update) {
        using U = std::remove_cvref_t<decltype(update)>;
        const solver::sgd<double, U> plain{.rate = .02, .update = update, .batch = 32, .stop = {.iterations = 5}};
        const solver::sgd<double, U, exchange::all_reduce> shared{
            .rate = .02, .update = update, .batch = 32, .blocks = 8, .stop = {.iterations = 5}};
        const found a = minimum(here, plain, source, ridge, 8), b = minimum(here, shared, source, ridge, 8);
        BOOST_TEST(distance(a.weights, b.weights) <= 1e-12);
        BOOST_TEST(b.apart <= 1e-15);
    };
    same(update::plain{});
    same(update::momentum{.momentum = .9});
    same(update::adam{});
}

BOOST_AUTO_TEST_CASE(what_becomes_of_momentum_at_a_meeting) {
    // nodes that meet after every step: forgotten momentum is none, and its mean is that of one copy; kept, too, for a mean is linear
    const auto source = rows_of(160, 4);
    const penalty::l2 ridge{.strength = 1e-2};
    const auto run = [&](const auto& exchange, double momentum) {
        auto solver = on_nodes(exchange, .05, 4, 40, 4);
        solver.momentum = momentum;
        return minimum(communicator::single<>{}, solver, source, ridge, 4).weights;
    };
    const auto meets = [&](std::size_t every, exchange::at_meeting memory) {
        return run(exchange::periodic{.every = every, .memory = memory}, .9);
    };
    using exchange::at_meeting;
    const auto none = run(exchange::all_reduce{}, 0), whole = run(exchange::all_reduce{}, .9);
    BOOST_TEST(distance(none, whole) > 1e-2);
    BOOST_TEST(distance(meets(1, at_meeting::reset), none) < 1e-13);
    BOOST_TEST(distance(meets(1, at_meeting::average), whole) < 1e-13);
    BOOST_TEST(distance(meets(1, at_meeting::keep), whole) < 1e-13);
    BOOST_TEST(distance(meets(3, at_meeting::keep), meets(3, at_meeting::average)) > 1e-6);
    BOOST_TEST(distance(meets(3, at_meeting::keep), meets(3, at_meeting::reset)) > 1e-3);
}

BOOST_AUTO_TEST_CASE(nodes_that_wait_for_nobody_come_near_the_minimum) {
    const auto source = rows_of(160, 4);
    const penalty::l2 ridge{.strength = 5e-2};
    const communicator::single<> here;
    const found best = minimum(here, solver::newton_cg{.stop = {.tolerance = 1e-13}}, source, ridge, 4);
    const auto near = [&](const found& f) {
        BOOST_TEST(f.objective >= best.objective - 1e-12);
        BOOST_TEST(f.objective <= best.objective + 2e-3);
        BOOST_TEST(f.apart <= .2);
    };
    const auto check = [&](const auto& exchange) {
        auto solver = on_nodes(exchange, .02, 4, 160, 1000);
        solver.check_every = 1;  // how far ranks run ahead, and so how near they come
        near(minimum(here, solver, source, ridge, 4));
        for (const int ranks : {2, 3, 4})
            communicator::threads<>::run(ranks, [&](const auto& c) {
                const found f = minimum(c, solver, source, ridge, 4);
                if (c.rank() == 0) near(f);
            });
        std::vector<found> twice;
        for (int again = 0; again < 2; ++again)
            communicator::sim<>::run(3, {.latency = 1e-3, .stragglers = {{.rank = 1, .factor = 7}}},
                                     [&](const auto& c) {
                                         const found f = minimum(c, solver, source, ridge, 4);
                                         if (c.rank() == 0) twice.push_back(f);
                                     });
        near(twice[0]);
        BOOST_TEST((twice[0] == twice[1]));  // in virtual time it is the same every time
    };
    check(exchange::asynchronous_push_sum{topology::exponential{}});
    check(exchange::asynchronous_gossip{topology::ring{}});
}

BOOST_AUTO_TEST_CASE(a_prox_follows_the_meeting) {
    const auto source = rows_of(160, 4);
    const penalty::l1 sparse{.strength = .05};
    const communicator::single<> here;
    const found best = minimum(here, solver::coordinate{.stop = {.tolerance = 1e-10}}, source, sparse, 4);
    const found shared = minimum(here, on_nodes(exchange::all_reduce{}, .5, 4, 160, 400), source, sparse, 4);
    BOOST_TEST(std::abs(shared.objective - best.objective) <= 1e-9);
    const found gossip =
        minimum(here, on_nodes(exchange::gossip{topology::ring{}}, .02, 4, 160, 2000), source, sparse, 4);
    BOOST_TEST(gossip.objective >= best.objective - 1e-12);
    BOOST_TEST(gossip.objective <= best.objective + 1e-2);
}

BOOST_AUTO_TEST_CASE(what_makes_no_sense_is_refused) {
    const auto source = rows_of(40, 4);
    const penalty::l2 ridge{.strength = 1e-2};
    const communicator::single<> here;
    BOOST_TEST(words_of([&] {
                   minimum(here, on_nodes(exchange::gossip{topology::ring{}}, .1, 0, 8, 2), source, ridge, 4);
               }) == "sgd: blocks is 0 (an exchange needs nodes) try 8");
    auto heavy = on_nodes(exchange::extra{topology::ring{}}, .1, 4, 8, 2);
    heavy.momentum = .9;
    BOOST_TEST(words_of([&] { minimum(here, heavy, source, ridge, 4); }).find("this exchange adds up gradients") !=
               std::string::npos);
    BOOST_TEST(words_of([&] {
                   minimum(here, on_nodes(exchange::gossip{topology::ring{}, topology::push{}}, .1, 4, 8, 2), source,
                           ridge, 4);
               }) == "");  // a ring hears as many as hear it
    BOOST_TEST(words_of([&] {
                   minimum(here, on_nodes(exchange::gossip{topology::star{}, topology::uniform{}}, .1, 4, 8, 2), source,
                           ridge, 4);
               }).find("gossip: what node 0 says counts 1.75 times in all (the weights must be doubly stochastic)") ==
               0u);
    BOOST_TEST(words_of([&] {
                   minimum(here, on_nodes(exchange::periodic{.every = 0}, .1, 4, 8, 2), source, ridge, 4);
               }) == "exchange::periodic: every is 0 (nodes must meet) try 8");
    // ranks that disagree about who hears whom all say so
    communicator::threads<>::run(3, [&](const auto& c) {
        const exchange::gossip<topology::random_pairs> mine{.topology = {.seed = static_cast<std::uint64_t>(c.rank())}};
        const auto said = words_of([&] { minimum(c, on_nodes(mine, .1, 6, 8, 2), source, ridge, 6); });
        if (said.find("gossip: ranks have different topologies") != 0) throw core::error(said);
    });
}

BOOST_AUTO_TEST_SUITE_END()

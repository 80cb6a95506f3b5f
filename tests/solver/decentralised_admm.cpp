// SPDX-License-Identifier: BSL-1.0
#include <boost/test/unit_test.hpp>

#include <cmath>
#include <cstddef>
#include <string>
#include <vector>

#include <gamut/backend/host.hpp>
#include <gamut/communicator/single.hpp>
#include <gamut/communicator/threads.hpp>
#include <gamut/core/random.hpp>
#include <gamut/data/arrays.hpp>
#include <gamut/exchange/gossip.hpp>
#include <gamut/model/logistic.hpp>
#include <gamut/penalty/l2.hpp>
#include <gamut/solver/decentralised_admm.hpp>
#include <gamut/solver/newton_cg.hpp>
#include <gamut/solver/problem.hpp>
#include <gamut/solver/sgd.hpp>
#include <gamut/topology/mesh.hpp>
#include <gamut/topology/ring.hpp>
#include <gamut/topology/star.hpp>
#include <gamut/topology/weights.hpp>

#include "interrupted.hpp"

using namespace gamut;

namespace {

/// 160 rows of 5 columns and two classes; rows of different nodes come from different places.
auto rows() {
    const core::random draw{.seed = 17};
    constexpr std::size_t n = 160, p = 5;
    std::vector<double> x(n * p), y(n);
    for (std::size_t i = 0; i < n; ++i) {
        double z = 4 * draw.normal(100'000 + i);
        for (std::size_t j = 0; j < p; ++j) {
            x[i * p + j] = draw.normal(p * i + j) + 0.8 * std::sin(static_cast<double>((i * 8 / n) * (j + 1)));
            z += (j % 2 ? -1 : 1) * x[i * p + j];
        }
        y[i] = z > 0 ? 1 : 0;
    }
    return data::arrays(x, n, p, y);
}

template <class C, class Solver, class... O> auto minimum(const C& c, const Solver& solver, O&... observers) {
    const auto data = rows().load(c, {.classification = true, .blocks = 8});
    const solver::problem problem(model::logistic{}, data, penalty::l2{.strength = 1e-2}, backend::host<>{.threads = 1},
                                  c, true);
    return solver.minimize(problem, observers...);
}

template <class G> auto admm_on(const G& graph, std::size_t iterations = 500, double tolerance = 1e-9) {
    return solver::decentralised_admm<G>{.topology = graph, .stop = {.iterations = iterations, .tolerance = tolerance}};
}

}  // namespace

BOOST_AUTO_TEST_SUITE(decentralised_admm)

BOOST_AUTO_TEST_CASE(a_run_that_is_stopped_between_looks_returns_where_it_is) {
    const communicator::single<> here;
    auto options = admm_on(topology::ring{});
    options.check_every = 0;
    auto stop = [](const core::record& now) { return now.iteration == 3; };
    const auto stopped = minimum(here, options, stop);
    BOOST_TEST((stopped.status == core::status::stopped));
    BOOST_TEST((stopped.weights.download() == minimum(here, admm_on(topology::ring{}, 3, 0)).weights.download()));
    BOOST_TEST(stopped.objective == minimum(here, admm_on(topology::ring{}, 3, 0)).objective);
    const solver::sgd gossip{.rate = 0.1,
                             .check_every = 0,
                             .blocks = 8,
                             .exchange = exchange::gossip{topology::ring{}},
                             .stop = {.iterations = 9}};
    auto three = gossip;
    three.stop.iterations = 3;
    BOOST_TEST(minimum(here, gossip, stop).objective == minimum(here, three).objective);
}

BOOST_AUTO_TEST_CASE(nodes_that_hear_their_neighbours_only_find_the_minimum_of_all) {
    const communicator::single<> here;
    const auto best = minimum(here, solver::newton_cg{.stop = {.tolerance = 1e-13}});
    const auto check = [&](const auto& graph) {
        const auto found = minimum(here, admm_on(graph));
        BOOST_TEST((found.status == core::status::converged), found.message);
        BOOST_TEST(backend::distance(found.weights, best.weights) <= 1e-7);
        BOOST_TEST(found.history.back().dual_residual <= 1e-7);
        BOOST_TEST(std::abs(found.objective - best.objective) <= 1e-13);
    };
    check(topology::ring{});
    check(topology::mesh{});
}

BOOST_AUTO_TEST_CASE(an_end_before_the_minimum_is_not_called_converged) {
    const auto found = minimum(communicator::single<>{}, admm_on(topology::ring{}, 5));
    BOOST_TEST((found.status == core::status::iteration_limit));
    BOOST_TEST(found.history.back().residual > 1e-9);
}

BOOST_AUTO_TEST_CASE(any_number_of_ranks_has_the_bits_of_one_and_interruptions_change_nothing) {
    BOOST_TEST(interrupted::at_every_iteration(
                   "decentralised_admm",
                   [](const auto& c, const std::string& resume, auto&... observers) {
                       auto solver = admm_on(topology::ring{}, 7);
                       solver.resume = resume;
                       return minimum(c, solver, observers...);
                   },
                   2) == "");
    const solver::decentralised_admm<> solver{.stop = {.iterations = 4}};
    const auto alone = interrupted::described(minimum(communicator::single<>{}, solver));
    for (const int ranks : {5, 9})
        BOOST_TEST(interrupted::on_ranks(
                       ranks, [&](const auto& c) { return interrupted::described(minimum(c, solver)); }) == alone);
}

BOOST_AUTO_TEST_CASE(what_makes_no_sense_is_refused) {
    const auto says = [](const auto& solver) -> std::string {
        try {
            minimum(communicator::single<>{}, solver);
        } catch (const core::option_error& error) {
            return error.what();
        }
        return "";
    };
    BOOST_TEST(says(solver::decentralised_admm<>{.rho = -1}) ==
               "decentralised_admm: rho is -1 (it must be finite and above 0, or 0 to have it chosen) try 0");
    BOOST_TEST(says(solver::decentralised_admm<topology::star, solver::lbfgs<>, topology::uniform>{}) != "");
}

BOOST_AUTO_TEST_SUITE_END()

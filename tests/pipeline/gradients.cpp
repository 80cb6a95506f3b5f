// SPDX-License-Identifier: BSL-1.0
#include <gamut/communicator/single.hpp>
#include <gamut/communicator/threads.hpp>
#include <gamut/solver/pipeline.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <type_traits>
#include <vector>

#include "pipeline/nets.hpp"

using namespace gamut;
using nets::with_problem;
namespace schedule = solver::pipeline_schedule;

BOOST_AUTO_TEST_SUITE(gradients)

namespace {
using ranks = communicator::threads<>;

/// The largest difference between the gradient of a batch of all rows in stages on as many ranks, and the problem's; as a share of its
/// largest entry.
template <class Model, class S>
double difference(const Model& model, const S& how, std::size_t stages, std::size_t micro, std::size_t replicas = 1,
                  std::size_t groups = 4, bool weighted = false) {
    constexpr std::size_t rows = 61;
    solver::pipeline<double, update::plain, S> options;
    options.rate = 1;
    options.batch = rows;
    options.stages = stages;
    options.micro_batches = micro;
    options.replicas = replicas;
    options.schedule = how;
    double worst = 0;
    ranks::run(static_cast<int>(stages * replicas), [&](const ranks& c) {
        with_problem(
            model, c, rows, groups,
            [&](const auto& p) {
                auto g = p.start();
                p.batch_gradient(p.start(), {rows, 1, 0, 0}, g);  // with the masks of dropout that an epoch draws
                const auto w = nets::after_an_epoch(options, p);
                double scale = 0, most = 0;
                for (std::size_t k = 0; k < g.size(); ++k) {
                    scale = std::max(scale, std::fabs(g[k]));
                    most = std::max(most, std::fabs(p.start()[k] - w[k] - g[k]));
                }
                if (c.rank() == 0) worst = most / scale;
            },
            weighted);
    });
    return worst;
}
template <class Model, class S> std::vector<double> epoch_by(const Model& model, const S& how, std::size_t stages) {
    solver::pipeline<double, update::plain, S> options;
    options.momentum = 0.9;
    options.stages = stages;
    options.micro_batches = 3;
    options.schedule = how;
    std::vector<double> w;
    with_problem(model, communicator::single<>{}, 200, 4, [&](const auto& p) { w = nets::after_an_epoch(options, p); });
    return w;
}
}  // namespace

BOOST_AUTO_TEST_CASE(have_the_same_bits_by_any_schedule_that_flushes_in_any_stages) {
    const auto check = [](const auto& model) {
        const auto one = epoch_by(model, schedule::gpipe{}, 1);
        for (const std::size_t stages : {2u, 3u, 6u}) {
            BOOST_TEST((epoch_by(model, schedule::gpipe{}, stages) == one));
            BOOST_TEST((epoch_by(model, schedule::one_after_another{}, stages) == one));
            BOOST_TEST((epoch_by(model, schedule::one_forward_one_backward{}, stages) == one));
        }
    };
    check(nets::residual());
    check(nets::pictures());
}

BOOST_AUTO_TEST_CASE(are_those_of_one_rank) {
    for (const std::size_t stages : {1u, 2u, 4u})
        for (const std::size_t micro : {1u, 2u, 3u, 8u}) {
            BOOST_TEST(difference(nets::small(), schedule::gpipe{}, stages, micro) <= 1e-12);
            BOOST_TEST(difference(nets::small(), schedule::one_forward_one_backward{}, stages, micro) <= 1e-12);
            BOOST_TEST(difference(nets::residual(), schedule::one_forward_one_backward{}, stages, micro) <= 1e-12);
            BOOST_TEST(difference(nets::pictures(), schedule::one_forward_one_backward{}, stages, micro) <= 1e-12);
        }
}

BOOST_AUTO_TEST_CASE(of_replicas_are_added_up) {
    for (const std::size_t replicas : {2u, 3u})
        for (const std::size_t stages : {1u, 2u})
            BOOST_TEST(difference(nets::residual(), schedule::one_forward_one_backward{}, stages, 3, replicas) <=
                       1e-12);
}

BOOST_AUTO_TEST_CASE(know_the_weights_of_rows) {
    BOOST_TEST(difference(nets::small(), schedule::gpipe{}, 2, 3, 1, 4, true) <= 1e-12);
    BOOST_TEST(difference(nets::small(), schedule::gpipe{}, 2, 3, 2, 5, true) <= 1e-12);
}

BOOST_AUTO_TEST_CASE(need_no_rows_in_each_micro_batch_nor_group) {
    const network::regressor one{network::dense{3}, network::tanh{}, network::dense{1}};
    constexpr std::size_t rows = 5;  // in 7 groups, for 3 replicas of 2 stages and 8 micro-batches
    std::vector<double> worst(6, 1.0);
    ranks::run(6, [&](const ranks& c) {
        with_problem(one, c, rows, 7, [&](const auto& p) {
            auto g = p.start();
            p.batch_gradient(p.start(), {32, 1, 0, 0}, g);
            const auto w =
                nets::after_an_epoch(solver::pipeline{.rate = 1.0, .stages = 2, .micro_batches = 8, .replicas = 3}, p);
            double most = 0;
            for (std::size_t k = 0; k < g.size(); ++k) most = std::max(most, std::fabs(p.start()[k] - w[k] - g[k]));
            worst[static_cast<std::size_t>(c.rank())] = most;
        });
    });
    for (const double one_of : worst) BOOST_TEST(one_of <= 1e-12);
}

BOOST_AUTO_TEST_CASE(of_batch_norm_are_those_of_micro_batches) {
    const auto of = [](std::size_t stages, std::size_t micro) {  // one group, so that all rows are at hand at once
        return difference(nets::normalised(), schedule::one_forward_one_backward{}, stages, micro, 1, 1);
    };
    BOOST_TEST(of(1, 1) <= 1e-12);
    BOOST_TEST(of(2, 1) <= 1e-12);
    BOOST_TEST(of(1, 2) > 1e-3);
    BOOST_TEST(of(2, 2) == of(1, 2));  // wherever it is cut
}

BOOST_AUTO_TEST_CASE(cuts_are_where_blocks_stay_whole_and_stages_are_alike) {
    using solver::detail::balanced_cuts;
    const std::vector<double> costs{5, 1, 1, 5, 1, 3};
    const std::vector<std::size_t> places{1, 2, 3, 4, 5};
    BOOST_TEST(balanced_cuts(costs, places, 1).empty());
    BOOST_TEST((balanced_cuts(costs, places, 2) == std::vector<std::size_t>{3}));
    BOOST_TEST((balanced_cuts(costs, places, 3) == std::vector<std::size_t>{2, 4}));
    BOOST_TEST((balanced_cuts(costs, {2, 5}, 2) == std::vector<std::size_t>{2}));
    BOOST_TEST((balanced_cuts(costs, places, 6) == places));
    with_problem(nets::normalised(), communicator::single<>{}, 61, 1, [](const auto& p) {
        using steps = solver::detail::pipeline_steps<std::remove_cvref_t<decltype(p.rows().program())>>;
        const auto found = steps::places();
        BOOST_TEST(!found.empty());
        for (const std::size_t s : found)
            for (std::size_t i = 0; i < s; ++i)  // no mean over rows crosses
                BOOST_TEST((!steps::plan.live_at(s).has(i) || !steps::plan.lines.has(i)));
    });
}

BOOST_AUTO_TEST_SUITE_END()

// SPDX-License-Identifier: BSL-1.0
#include <gamut/communicator/threads.hpp>
#include <gamut/data/gathered_rows.hpp>
#include <gamut/solver/pipeline.hpp>
#include <gamut/solver/pipeline_schedule.hpp>

#include <gamut/update/adam.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cstddef>
#include <vector>

#include "pipeline/nets.hpp"

using namespace gamut;
using nets::with_problem;
namespace schedule = solver::pipeline_schedule;

BOOST_AUTO_TEST_SUITE(stages)

namespace {
using ranks = communicator::threads<>;

struct counts {
    std::size_t inputs, versions, forwards;
    friend bool operator==(const counts&, const counts&) = default;
};

/// What each stage kept in an epoch of `batches` batches.
template <class Options> std::vector<counts> counted(Options options, std::size_t batches) {
    std::vector<counts> found(options.stages);
    constexpr std::size_t rows = 120;
    options.batch = rows / batches;
    ranks::run(static_cast<int>(options.stages), [&](const ranks& c) {
        with_problem(nets::small(), c, rows, 4, [&](const auto& p) {
            using P = std::remove_cvref_t<decltype(p)>;
            solver::detail::pipeline_run<P, Options> at_work(p, options, solver::detail::pipeline_plan_of(p, options));
            at_work.set_weights(p.start());
            at_work.epoch(0);
            const auto& mine = *at_work.stages().front();
            found[static_cast<std::size_t>(c.rank())] = {mine.most_kept(), mine.most_versions(), mine.forwards()};
        });
    });
    return found;
}

/// What each stage holds for micro-batches of 20 rows.
template <class Options> std::vector<std::size_t> bytes_held(Options options) {
    std::vector<std::size_t> found(options.stages);
    options.batch = 60, options.micro_batches = 3;
    ranks::run(static_cast<int>(options.stages), [&](const ranks& c) {
        with_problem(nets::small(), c, 60, 4, [&](const auto& p) {
            using P = std::remove_cvref_t<decltype(p)>;
            const solver::detail::pipeline_run<P, Options> at_work(p, options,
                                                                   solver::detail::pipeline_plan_of(p, options));
            found[static_cast<std::size_t>(c.rank())] = at_work.stages().front()->bytes();
        });
    });
    return found;
}

/// One after another on one process: batch i of the epoch with, in each stage, the weights before the last min(i, K - 1 - s) updates.
/// w = w - rate v,   v = momentum v + g(w of then).
template <class P>
std::vector<double> delayed(const P& p, const std::vector<backend::step_range>& ranges, std::size_t size, double rate,
                            double momentum, std::size_t epochs) {
    using run_type = std::remove_cvref_t<decltype(p.rows().program())>;
    const auto& rows = p.rows();
    const std::size_t batches = p.batches(size), n = p.dimension(), groups = p.dataset().partition.blocks;
    run_type run(rows.formula(), p.blocks_of_parameters(), p.dataset().columns(), 2 * size);
    data::gathered_rows<backend::dense_matrix<double>> gathered(p.dataset(), p.scaling(), 2 * size);
    std::vector<std::size_t> stage(p.blocks_of_parameters().size());
    for (std::size_t s = 0; s < ranges.size(); ++s)
        for (std::size_t b = 0; b < stage.size(); ++b)
            if (solver::detail::pipeline_steps<run_type>::blocks_of(ranges[s]).has(b)) stage[b] = s;

    std::vector<double> velocity(n), now(p.start().span().begin(), p.start().span().end());
    for (std::size_t epoch = 0; epoch < epochs; ++epoch) {
        std::vector<std::vector<double>> history{now};
        for (std::size_t i = 0; i < batches; ++i) {
            std::vector<std::size_t> chosen;
            for (std::size_t g = 0; g < groups; ++g) {
                const auto order = rows.shuffled(g, 1, epoch);
                const auto mine = rows.share_of(order.size(), i, batches);
                for (std::size_t k = mine.begin; k < mine.end; ++k)
                    chosen.push_back(p.dataset().partition.block_rows(g).begin + order[k]);
            }
            std::vector<double> then(n), g(n);
            for (std::size_t b = 0; b < stage.size(); ++b) {
                const std::size_t late = std::min(i, ranges.size() - 1 - stage[b]);
                const std::vector<double>& from = history[i - late];
                for (std::size_t k = run.offset(b); k < run.offset(b) + p.blocks_of_parameters()[b].size(); ++k)
                    then[k] = from[k];
            }
            auto part = gathered(chosen.data(), chosen.size());
            part.training = true;
            part.seed = 1;
            part.step = epoch * batches + i;
            part.share = static_cast<double>(batches) / rows.total_weight();
            run.gradient(part, run.flat(then.data(), nullptr, g.data()));
            for (std::size_t b = 0; b < stage.size(); ++b)
                p.add_penalty(b, then.data() + run.offset(b), g.data() + run.offset(b));
            for (std::size_t k = 0; k < n; ++k) {
                velocity[k] = momentum * velocity[k] + g[k];
                now[k] -= rate * velocity[k];
            }
            history.push_back(now);
        }
    }
    return now;
}
}  // namespace

BOOST_AUTO_TEST_CASE(inputs_that_stages_keep) {
    for (const std::size_t stages : {1u, 2u, 4u})
        for (const std::size_t micro : {1u, 2u, 3u, 8u}) {
            const auto all =
                counted(solver::pipeline{.stages = stages, .micro_batches = micro, .schedule = schedule::gpipe{}}, 2);
            const auto some = counted(solver::pipeline{.stages = stages,
                                                       .micro_batches = micro,
                                                       .schedule = schedule::one_forward_one_backward{}},
                                      2);
            const auto one = counted(
                solver::pipeline{.stages = stages, .micro_batches = micro, .schedule = schedule::one_after_another{}},
                2);
            for (std::size_t s = 0; s < stages; ++s) {
                const bool last = s + 1 == stages;  // needs no forward twice
                const std::size_t once = 2 * micro, twice = last || micro == 1 ? once : 2 * once;
                BOOST_TEST((all[s] == counts{micro, 1, twice}));
                BOOST_TEST((some[s] == counts{std::min(micro, stages - s), 1, twice}));
                BOOST_TEST((one[s] == counts{1, 1, once}));
            }
        }
}

BOOST_AUTO_TEST_CASE(a_stage_holds_what_its_own_steps_need) {
    // 20-24-16-10, in numbers of 8 bytes. Slots: X A, relu, h B, relu, h C, for 24 rows (20, to a multiple of 8), values and adjoints,
    // columns to a multiple of 8; a bias is two lines, in sixteens; 8 lanes for the widest formula. Parameters: themselves, two
    // memories of Adam, and the gradient.
    const auto table = [](std::size_t columns) { return 2 * 24 * columns; };
    const std::size_t lanes = 8 * 2 * 24, first = 20 * 24 + 24, second = 24 * 16 + 16, third = 16 * 10 + 10;
    const solver::pipeline<double, update::adam> adam{.update = {}};
    const auto in = [&](std::size_t stages) {
        auto options = adam;
        options.stages = stages;
        return bytes_held(options);
    };
    const std::vector<std::size_t> one{8 * (table(24) + table(24) + 3 * table(16) + 64 + 32 + 32 + lanes) +
                                       8 * 4 * (first + second + third)};
    BOOST_TEST(in(1) == one);
    const std::vector<std::size_t> two{8 * (table(24) + table(24) + 64 + lanes) + 8 * 4 * first,
                                       8 * (table(24) + 3 * table(16) + 32 + 32 + lanes) +
                                           8 * 4 * (second + third)};  // the cut is behind the relu
    BOOST_TEST(in(2) == two);
    with_problem(nets::small(), communicator::single<>{}, 60, 4, [](const auto& p) {
        std::size_t records = 0, most = 0;  // of the whole program's memory, between looks
        solver::pipeline{.stages = 2, .stop = {.iterations = 2}}.minimize(p, [&](const core::record&) {
            ++records;
            most = std::max(most, p.rows().workspace_bytes());
        });
        BOOST_TEST(records == 3u);
        BOOST_TEST(most == 0u);
        p.value(p.start());
        BOOST_TEST(p.rows().workspace_bytes() > 0u);
    });
    const auto four = in(4);
    BOOST_TEST(*std::max_element(four.begin(), four.end()) < two[1]);
}

BOOST_AUTO_TEST_CASE(pipedream_keeps_versions) {
    for (const std::size_t stages : {1u, 3u, 4u}) {
        const auto kept = counted(solver::pipeline{.stages = stages, .schedule = schedule::pipedream{}}, 10);
        for (std::size_t s = 0; s < stages; ++s) {
            BOOST_TEST(kept[s].inputs == stages - s);
            BOOST_TEST(kept[s].versions == stages - s);
        }
    }
}

BOOST_AUTO_TEST_CASE(pipedream_is_the_recursion_with_old_weights) {
    constexpr std::size_t size = 16, rows = 60 * size, stages = 3;
    for (const std::size_t epochs : {1u, 2u}) {
        const solver::pipeline options{.rate = 0.05,
                                       .momentum = 0.5,
                                       .batch = size,
                                       .check_every = 0,
                                       .stages = stages,
                                       .schedule = schedule::pipedream{},
                                       .stop = {.iterations = epochs}};
        std::vector<double> expected, flushed;
        with_problem(nets::residual(), communicator::single<>{}, rows, 4, [&](const auto& p) {
            const auto plan = solver::detail::pipeline_plan_of(p, options);
            expected = delayed(p, plan.ranges, size, 0.05, 0.5, epochs);
            const auto w = delayed(p, {{0, plan.ranges.back().end}}, size, 0.05, 0.5, epochs);
            flushed.assign(w.begin(), w.end());
            BOOST_TEST(p.batches(size) == 60u);
            BOOST_TEST((nets::found(options, p) == expected));
        });
        BOOST_TEST((flushed != expected));  // it is no gradient descent
        for (const int processes : {2, 3}) {
            std::vector<double> w;
            ranks::run(processes, [&](const ranks& c) {
                with_problem(nets::residual(), c, rows, 4, [&](const auto& p) {
                    const auto mine = nets::found(options, p);
                    if (c.rank() == 0) w = mine;
                });
            });
            BOOST_TEST((w == expected));
        }
    }
}

BOOST_AUTO_TEST_SUITE_END()

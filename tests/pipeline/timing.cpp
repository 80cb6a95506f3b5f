// SPDX-License-Identifier: BSL-1.0
#include <gamut/communicator/sim.hpp>
#include <gamut/solver/pipeline_schedule.hpp>

#include <gamut/solver/detail/pipeline_crew.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cstddef>
#include <type_traits>
#include <vector>

using namespace gamut;
namespace schedule = solver::pipeline_schedule;

/// Schedules on simulated ranks: stages that take 20 ms forward and 40 ms back, links that take no time.
BOOST_AUTO_TEST_SUITE(timing)

namespace {
using ranks = communicator::sim<>;

struct slow_stage {
    using value_type = double;
    const ranks* c;
    std::vector<double> forward(std::size_t, std::vector<double> in) {
        c->work(0.02);
        return in;
    }
    std::vector<double> backward(std::size_t, std::vector<double> in) {
        c->work(0.04);
        return in;
    }
    std::vector<double> gradient() { return {}; }
    void update(std::size_t, const std::vector<double>&) {}
};

template <class S>
double seconds(const S& how, std::size_t stages, std::size_t micro, std::size_t batches, int processes = 0) {
    const communicator::network links{.latency = 0, .bandwidth = 1e300};
    if (processes == 0) processes = static_cast<int>(stages);
    std::vector<double> ends(static_cast<std::size_t>(processes));
    ranks::run(processes, links, [&](const ranks& c) {
        solver::detail::pipeline_inbox inbox;
        const auto box = c.open(inbox);
        const solver::detail::pipeline_grid grid{stages, 1, static_cast<std::size_t>(processes)};
        solver::detail::pipeline_crew<std::remove_const_t<decltype(box)>, slow_stage> crew(box, inbox, grid);
        std::vector<slow_stage> mine(stages, slow_stage{&c});
        std::vector<std::size_t> numbers;
        std::vector<slow_stage*> cells;
        std::vector<std::vector<schedule::task>> lists;
        for (std::size_t cell = 0; cell < stages; ++cell)
            if (grid.rank_of(cell) == c.rank()) {
                numbers.push_back(cell);
                cells.push_back(&mine[cell]);
                lists.push_back(how.tasks({stages, cell, micro, batches}));
            }
        crew.run(numbers, cells, lists);
        ends[static_cast<std::size_t>(c.rank())] = c.now();
    });
    return *std::max_element(ends.begin(), ends.end());
}
constexpr double tolerance = 1e-9;
}  // namespace

BOOST_AUTO_TEST_CASE(a_batch_takes_one_bubble) {
    BOOST_TEST(seconds(schedule::gpipe{}, 4, 1, 1) == 0.24, boost::test_tools::tolerance(tolerance));
    BOOST_TEST(seconds(schedule::gpipe{}, 4, 8, 1) == 0.66, boost::test_tools::tolerance(tolerance));
    BOOST_TEST(seconds(schedule::one_forward_one_backward{}, 4, 1, 1) == 0.24, boost::test_tools::tolerance(tolerance));
    BOOST_TEST(seconds(schedule::one_forward_one_backward{}, 4, 8, 1) == 0.66, boost::test_tools::tolerance(tolerance));
    BOOST_TEST(seconds(schedule::one_after_another{}, 4, 8, 1) == 4 * 8 * 0.06,
               boost::test_tools::tolerance(tolerance));
}

BOOST_AUTO_TEST_CASE(pipedream_fills_once_and_then_idles_no_more) {
    for (const std::size_t stages : {1u, 2u, 4u})
        for (const std::size_t batches : {1u, 20u})
            BOOST_TEST(seconds(schedule::pipedream{}, stages, 1, batches) ==
                           static_cast<double>(batches + stages - 1) * 0.06,
                       boost::test_tools::tolerance(tolerance));
}

BOOST_AUTO_TEST_CASE(fewer_ranks_than_stages_do_all_the_work) {
    BOOST_TEST(seconds(schedule::gpipe{}, 4, 8, 1, 1) == 4 * 8 * 0.06, boost::test_tools::tolerance(tolerance));
    BOOST_TEST(seconds(schedule::one_forward_one_backward{}, 4, 8, 1, 2) < 0.75 * 4 * 8 * 0.06);
}

BOOST_AUTO_TEST_SUITE_END()

// SPDX-License-Identifier: BSL-1.0
#include <gamut/communicator/threads.hpp>
#include <gamut/solver/pipeline.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
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
double difference(const Model& model, const S& how, std::size_t stages, std::size_t micro) {
    constexpr std::size_t rows = 61;
    double worst = 0;
    ranks::run(static_cast<int>(stages), [&](const ranks& c) {
        with_problem(model, c, rows, 4, [&](const auto& p) {
            auto g = p.start();
            p.batch_gradient(p.start(), {rows, 1, 0, 0}, g);  // with the masks of dropout that an epoch draws
            const auto w = nets::after_an_epoch(
                solver::pipeline{.rate = 1.0, .batch = rows, .stages = stages, .micro_batches = micro, .schedule = how},
                p);
            double scale = 0, most = 0;
            for (std::size_t k = 0; k < g.size(); ++k) {
                scale = std::max(scale, std::fabs(g[k]));
                most = std::max(most, std::fabs(p.start()[k] - w[k] - g[k]));
            }
            if (c.rank() == 0) worst = most / scale;
        });
    });
    return worst;
}
}  // namespace

BOOST_AUTO_TEST_CASE(are_those_of_one_rank) {
    for (const std::size_t stages : {1u, 2u, 4u})
        for (const std::size_t micro : {1u, 2u, 3u, 8u}) {
            BOOST_TEST(difference(nets::small(), schedule::gpipe{}, stages, micro) <= 1e-12);
            BOOST_TEST(difference(nets::small(), schedule::one_forward_one_backward{}, stages, micro) <= 1e-12);
            BOOST_TEST(difference(nets::residual(), schedule::one_forward_one_backward{}, stages, micro) <= 1e-12);
        }
}

BOOST_AUTO_TEST_SUITE_END()

// SPDX-License-Identifier: BSL-1.0
// A network over four ranks, which are threads here, each of which has a stage of it: by each schedule. Those that flush find the same
// bits; pipedream, which does not, finds other weights that read about as well.
#include <cstdio>
#include <cstdlib>
#include <vector>

#include <gamut/communicator/threads.hpp>
#include <gamut/gamut.hpp>
#include <gamut/network.hpp>
#include <gamut/solver/pipeline.hpp>

using namespace gamut;

struct found {
    std::vector<double> weights;
    double accuracy = 0;
};

template <class Schedule> found by(const char* name, Schedule schedule, std::size_t micro_batches) {
    const data::csv<> digits{.path = "examples/data/digits.csv"};
    found result;
    communicator::threads<>::run(4, [&](const communicator::threads<>& ranks) {
        const estimator reader{.model = network::classifier{network::dense{64}, network::relu{}, network::dense{64},
                                                            network::relu{}, network::dense{64}, network::relu{},
                                                            network::dense{10}},
                               .penalty = penalty::l2{1e-3},
                               .solver = solver::pipeline{.rate = 0.05,
                                                          .momentum = 0.9,
                                                          .batch = 64,
                                                          .check_every = 0,
                                                          .stages = 4,
                                                          .micro_batches = micro_batches,
                                                          .schedule = schedule,
                                                          .stop = {.iterations = 20}},
                               .communicator = ranks};
        const auto fit = reader.fit(data::all_but_every(digits, 5));
        const double accuracy = fit.score(data::every(digits, 5)).accuracy;
        if (ranks.rank() != 0) return;
        result = {fit.weights, accuracy};
        std::printf("%-26s %4.1f s   accuracy on other digits %.4f\n", name, fit.seconds, accuracy);
    });
    return result;
}

int main() {
    const auto serial = by("one after another", solver::pipeline_schedule::one_after_another{}, 4);
    const auto gpipe = by("gpipe", solver::pipeline_schedule::gpipe{}, 4);
    const auto alternating = by("one forward, one backward", solver::pipeline_schedule::one_forward_one_backward{}, 4);
    const auto late = by("pipedream", solver::pipeline_schedule::pipedream{}, 1);
    const bool same = gpipe.weights == serial.weights && alternating.weights == serial.weights;
    const bool other = late.weights != serial.weights;
    std::printf("schedules that flush find %s weights, pipedream %s\n", same ? "the same" : "different",
                other ? "others" : "the same");
    return same && other && serial.accuracy > 0.95 && late.accuracy > 0.93 ? EXIT_SUCCESS : EXIT_FAILURE;
}

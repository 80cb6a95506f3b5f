// SPDX-License-Identifier: BSL-1.0
// stalls FOLDER: rank 1 computes for two seconds while the others wait; one of them must say so, and all end well.
#include <cstdio>
#include <vector>

#include <gamut/communicator/mpi.hpp>
#include <gamut/communicator/observe.hpp>
#include <gamut/communicator/traced.hpp>
#include <gamut/core/clock.hpp>
#include <gamut/core/stall_report.hpp>
#include <gamut/core/timeline.hpp>

using namespace gamut;

int main(int count, char** words) {
    communicator::mpi_session session(count, words, 60.0);
    if (count != 2) return 2;
    const communicator::mpi<> world;
    core::stall_report stalls(words[1], world.rank(), world.size(), 0.5);
    core::timeline times(words[1], world.rank());
    const communicator::traced ranks(world, stalls, times);
    static_assert(communicator::PostalCommunicator<communicator::traced<communicator::mpi<>>>);
    std::vector<core::record> history;
    core::record now{.iteration = 4};
    communicator::observe(ranks, now, history, stalls, times);
    ranks.barrier();
    const core::clock clock;
    while (world.rank() == 1 && clock.seconds() < 2) {}
    ranks.barrier();
    if (world.rank() == 0) std::printf("ended well\n");
}

// SPDX-License-Identifier: BSL-1.0
// allocation_failure_mpi SCENARIO K: rank 1 runs out of memory at its allocation number K; 0: never, and rank 1 says how many there are.
#include "failing_allocations.hpp"

#include "allocation_scenarios.hpp"

#include <cstdio>
#include <cstdlib>
#include <string>

#include <gamut/communicator/mpi.hpp>

int main(int count, char** words) {
    gamut::communicator::mpi_session session(count, words, 60.0);
    if (count != 3) return 2;
    const gamut::communicator::mpi ranks;
    allocation_scenarios::rows();
    failing_allocations::fails = std::atol(words[2]);
    std::string found;
    {
        const failing_allocations::armed_here here(ranks.rank() == 1);
        found = allocation_scenarios::ended(std::atoi(words[1]), ranks);
    }
    if (failing_allocations::fails == 0 && ranks.rank() == 1)
        std::printf("allocations %ld\n", failing_allocations::count.load());
    if (failing_allocations::fails == 0) return 0;
    std::printf("rank %d: %s\n", ranks.rank(), found.c_str());
    return 3;  // of ranks that agreed upon it, and could go on; otherwise the session ends the job with 70
}

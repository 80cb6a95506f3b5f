// SPDX-License-Identifier: BSL-1.0
// resumable SOLVER FOLDER [ITERATIONS]: a fit of resumable.hpp on MPI processes. kill.py and kill_once.py end them at random moments.
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <exception>

#include <gamut/communicator/mpi.hpp>

#include "resumable.hpp"

int main(int count, char** words) {
    gamut::communicator::mpi_session session(count, words, 60.0);
    if (count != 3 && count != 4) return 2;
    try {
        resumable::fit(gamut::communicator::mpi<>{}, words[1], words[2],
                       count == 4 ? static_cast<std::size_t>(std::atoi(words[3])) : 120);
    } catch (const std::exception& problem) {
        std::fprintf(stderr, "%s\n", problem.what());
        return 1;
    }
}

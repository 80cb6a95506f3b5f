// SPDX-License-Identifier: BSL-1.0
// resumable SOLVER FOLDER: a fit of resumable.hpp on MPI processes. kill.py ends them at random moments.
#include <cstdio>
#include <exception>

#include <gamut/communicator/mpi.hpp>

#include "resumable.hpp"

int main(int count, char** words) {
    gamut::communicator::mpi_session session(count, words, 60.0);
    if (count != 3) return 2;
    try {
        resumable::fit(gamut::communicator::mpi<>{}, words[1], words[2], 120);
    } catch (const std::exception& problem) {
        std::fprintf(stderr, "%s\n", problem.what());
        return 1;
    }
}

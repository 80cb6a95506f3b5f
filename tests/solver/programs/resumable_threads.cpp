// SPDX-License-Identifier: BSL-1.0
// resumable_threads SOLVER FOLDER ITERATIONS RANKS: a fit of resumable.hpp on threads of one process. kill_often.py ends it at random moments.
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <exception>

#include <gamut/communicator/threads.hpp>

#include "resumable.hpp"

int main(int count, char** words) {
    if (count != 5) return 2;
    try {
        gamut::communicator::threads<>::run(std::atoi(words[4]), [&](const auto& ranks) {
            resumable::fit(ranks, words[1], words[2], static_cast<std::size_t>(std::atoi(words[3])));
        });
    } catch (const std::exception& problem) {
        std::fprintf(stderr, "%s\n", problem.what());
        return 1;
    }
}

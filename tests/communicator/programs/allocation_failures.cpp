// SPDX-License-Identifier: BSL-1.0
// allocation_failures EVERY: some ranks on threads, of which one runs out of memory at every EVERY-th allocation, in all that
// allocation_scenarios.hpp has. All of them must throw the same error, by type and words; it says how long the slowest took.
#include "failing_allocations.hpp"

#include "allocation_scenarios.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include <gamut/communicator/threads.hpp>

namespace {

using namespace gamut;

/// What the ranks say when allocation k of rank `failing` fails.
std::vector<std::string> heard(int scenario, int ranks, int failing, long k) {
    std::vector<std::string> said(static_cast<std::size_t>(ranks));
    failing_allocations::count = failing_allocations::failed = 0;
    failing_allocations::fails = k;
    communicator::threads<>::run(ranks, [&](const communicator::threads<>& c) {
        std::string found;
        {
            const failing_allocations::armed_here here(c.rank() == failing);
            found = allocation_scenarios::ended(scenario, c);
        }
        said[static_cast<std::size_t>(c.rank())] = found;
    });
    return said;
}

}  // namespace

int main(int count, char** words) {
    const long every = count > 1 ? std::atol(words[1]) : 1;
    constexpr int ranks = 3;
    long wrong = 0, places = 0, reached = 0;
    double slowest = 0;
    allocation_scenarios::rows();
    for (int scenario = 0; scenario < allocation_scenarios::count; ++scenario) {
        long here = 0;
        for (int failing = 0; failing < ranks; ++failing) {
            heard(scenario, ranks, failing, 0);
            const long allocations = failing_allocations::count;
            for (long k = 1 + failing; k <= allocations; k += every, ++here) {
                const auto begin = std::chrono::steady_clock::now();
                const auto said = heard(scenario, ranks, failing, k);
                const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
                slowest = std::max(slowest, seconds.count());
                // who delivers a letter fails in the name of the rank that it is for; and how many letters there are is chance
                const bool failed = failing_allocations::failed > 0;
                reached += failed ? 1 : 0;
                bool good = said[0].starts_with(failed ? "out of memory: rank " : "found ");
                for (const auto& one : said) good = good && one == said[0];
                if (good) continue;
                if (++wrong <= 5)
                    for (int r = 0; r < ranks; ++r)
                        std::printf("%s, allocation %ld of rank %d: rank %d %s\n",
                                    allocation_scenarios::names[scenario], k, failing, r,
                                    said[static_cast<std::size_t>(r)].c_str());
            }
        }
        std::printf("%s: %ld places\n", allocation_scenarios::names[scenario], here);
        places += here;
    }
    std::printf("%ld places, %ld of them reached, %ld wrong, at most %.2f s\n", places, reached, wrong, slowest);
    return wrong == 0 && reached >= 100 ? 0 : 1;
}

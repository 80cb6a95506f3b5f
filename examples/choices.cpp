// SPDX-License-Identifier: BSL-1.0
// run: mpirun -n 3 choices
// Who would like what? Three processes factorise how often 600 people played 120 songs of three kinds, each process a third of the
// people: what was not played counts as not chosen, with little confidence. Then the best unplayed songs of one person.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <set>
#include <vector>

#include <gamut/backend/sparse.hpp>
#include <gamut/communicator/mpi.hpp>
#include <gamut/core/random.hpp>
#include <gamut/data/arrays.hpp>
#include <gamut/learn/factorisation.hpp>

using namespace gamut;

int main(int argc, char** argv) {
    const communicator::mpi_session session(argc, argv);
    const std::size_t people = 600, songs = 120;  // person i likes the kind i mod 3, song j is of the kind j mod 3
    const core::random draws{.seed = 1};
    backend::sparse_matrix<double> played;
    played.columns = songs;
    std::vector<std::set<std::size_t>> of(people);
    for (std::size_t i = 0; i < people; ++i, ++played.rows) {
        for (std::size_t j = 0; j < songs; ++j)
            if (draws.uniform(i * songs + j) < (i % 3 == j % 3 ? 0.25 : 0.02)) {
                of[i].insert(j);
                played.indices.push_back(static_cast<std::int32_t>(j));
                played.values.push_back(1 + static_cast<double>(draws.below(100000 + i * songs + j, 9)));
            }
        played.offsets.push_back(static_cast<std::int64_t>(played.indices.size()));
    }
    const learn::factorisation<communicator::mpi<>> choices{
        .rank = 3, .lambda = 1, .method = learn::descent::implicit, .alpha = 2, .communicator = {}};
    const auto fit = choices.fit(data::arrays(played));

    std::size_t right = 0;  // of everybody's five best
    for (std::size_t i = 0; i < people; ++i) {
        std::vector<std::size_t> unplayed;
        for (std::size_t j = 0; j < songs; ++j)
            if (!of[i].contains(j)) unplayed.push_back(j);
        std::partial_sort(unplayed.begin(), unplayed.begin() + 5, unplayed.end(),
                          [&](std::size_t a, std::size_t b) { return fit(i, a) > fit(i, b); });
        for (std::size_t k = 0; k < 5; ++k) right += unplayed[k] % 3 == i % 3 ? 1 : 0;
        if (i == 0 && choices.communicator.rank() == 0)
            for (std::size_t k = 0; k < 5; ++k) std::printf("song %3zu: %.2f\n", unplayed[k], fit(i, unplayed[k]));
    }
    const double share = static_cast<double>(right) / static_cast<double>(5 * people);
    if (choices.communicator.rank() == 0)
        std::printf("%s after %zu iterations; of the kind that a person likes: %.3f\n", fit.message.c_str(),
                    fit.iterations, share);
    return share > 0.95 ? 0 : 1;
}

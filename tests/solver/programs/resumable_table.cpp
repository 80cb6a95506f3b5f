// SPDX-License-Identifier: BSL-1.0
// resumable_table table FOLDER CLOCKS: a table on MPI processes, saved after every clock; it goes on from the newest snapshot in the folder, on
// as many servers as there are processes now, and one more. kill_once.py ends it at random moments.
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>
#include <unistd.h>
#include <vector>

#include <gamut/communicator/mpi.hpp>
#include <gamut/consistency/bulk_synchronous.hpp>
#include <gamut/core/checkpoints.hpp>
#include <gamut/table/descent.hpp>
#include <gamut/table/shared.hpp>

using namespace gamut;

namespace {

void run(const std::string& folder, std::uint64_t clocks) {
    const communicator::mpi ranks;
    table::shared t{ranks,
                    {.rows = 7, .width = 40, .workers = 5, .servers = static_cast<std::uint64_t>(ranks.size()) + 1},
                    table::descent{.rate = .1, .momentum = .5},
                    consistency::bulk_synchronous{}};
    if (ranks.rank() == 0) core::detail::make_folder(folder);
    ranks.barrier();
    if (const auto files = core::checkpoints_in(folder); !files.empty()) t.restore(files.back().path);
    ranks.barrier();
    while (t.clock() < clocks) {
        t.run(1, [](auto& me) {
            for (std::uint64_t row = me.id() % 2; row < 7; row += 2) {
                std::vector<double> slope = me.get(row);
                for (std::size_t j = 0; j < slope.size(); ++j)
                    slope[j] = std::tanh(slope[j] - 1 / static_cast<double>(me.id() + j + row + 1));
                me.add(row, slope);
            }
        });
        t.save(folder + '/' + core::detail::checkpoint_name(t.clock()));
        if (ranks.rank() != 0) continue;
        const auto files = core::checkpoints_in(folder);
        for (std::size_t i = 0; i + 2 < files.size(); ++i) ::unlink(files[i].path.c_str());
    }
    const auto values = t.values();
    for (const double value : values)
        if (ranks.rank() == 0) std::printf("%a\n", value);
}

}  // namespace

int main(int count, char** words) {
    communicator::mpi_session session(count, words, 60.0);
    if (count != 4) return 2;
    try {
        run(words[2], static_cast<std::uint64_t>(std::atoi(words[3])));
    } catch (const std::exception& problem) {
        std::fprintf(stderr, "%s\n", problem.what());
        return 1;
    }
}

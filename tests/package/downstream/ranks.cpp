// SPDX-License-Identifier: BSL-1.0
// A user's program on MPI ranks.
#include <gamut/communicator/mpi.hpp>

#include <array>
#include <cstdio>
#include <span>

int main(int argc, char** argv) {
    namespace communicator = gamut::communicator;
    communicator::mpi_session session(argc, argv);
    communicator::mpi ranks{};
    std::array<double, 1> sum{1.0};
    ranks.all_reduce(std::span<double>(sum), communicator::operation::sum);
    std::printf("rank %d of %d\n", ranks.rank(), ranks.size());
    return sum[0] == ranks.size() ? 0 : 1;
}

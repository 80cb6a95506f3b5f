// SPDX-License-Identifier: BSL-1.0
// Reaches every library that gamut::gamut brings: BLAS and LAPACK through xtensor-blas, threads, random numbers, JSON.
#include <gamut/gamut.hpp>
#include <gamut/model_file.hpp>

#include <cstdio>

int main() {
    namespace communicator = gamut::communicator;
    const double x[2] = {3, 4};
    const bool blas = cblas_dnrm2(2, x, 1) == 5;
    bool threads = false;
    communicator::threads<>::run(2, [&](const communicator::threads<>& ranks) {
        if (ranks.rank() == 1) threads = ranks.size() == 2;
    });
    const double drawn = gamut::core::random{.seed = 1}.uniform(0);
    std::printf("gamut %d.%d.%d\n", gamut::version.major, gamut::version.minor, gamut::version.patch);
    return blas && threads && drawn >= 0 && drawn < 1 ? 0 : 1;
}

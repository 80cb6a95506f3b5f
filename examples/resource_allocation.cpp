// SPDX-License-Identifier: BSL-1.0
// Twelve plants must balance: minimise sum of a_i/2 (x_i - b_i)^2 subject to sum of x_i = 0. No plant shows its costs to anybody: each
// keeps a price, answers it by its own best x_i, and the prices meet on a graph until all have the one that balances.
// run: mpirun -n 3 resource_allocation
#include <cmath>
#include <cstdio>

#include <gamut/communicator/mpi.hpp>
#include <gamut/exchange/exact_diffusion.hpp>
#include <gamut/exchange/extra.hpp>
#include <gamut/exchange/gradient_tracking.hpp>
#include <gamut/gamut.hpp>
#include <gamut/solver/resource_allocation.hpp>
#include <gamut/topology/random_regular.hpp>

using namespace gamut;

int main(int argc, char** argv) {
    communicator::mpi_session session(argc, argv);
    const exchange::nodes plants(communicator::mpi<>{}, 12);
    const auto cost = [](std::size_t i) { return 1 + 0.5 * std::cos(static_cast<double>(i)); };
    const auto wish = [](std::size_t i) { return 3 * std::sin(1.0 + 2.0 * static_cast<double>(i)) + 1; };
    double balance = 0, slopes = 0;  // what the price must be, from everybody's secrets
    for (std::size_t i = 0; i < plants.count(); ++i) balance += wish(i), slopes += 1 / cost(i);

    bool right = true;
    const auto share = [&](const char* name, const auto& method) {
        const solver::resource_allocation solver{.method = method, .rate = 0.4};
        const auto found = solver.minimize(
            plants, 1, [&](std::size_t i, const auto& price, auto& x) { x[0] = wish(i) - price[0] / cost(i); });
        right = right && found.status == core::status::converged && std::abs(found.price[0] - balance / slopes) < 1e-6;
        if (plants.ranks().rank() == 0)
            std::printf("%-17s %4zu steps, price %.9f (right: %.9f), imbalance %.1e\n", name, found.iterations,
                        found.price[0], balance / slopes, found.imbalance);
    };
    const topology::random_regular graph{};
    share("extra", exchange::extra{graph});
    share("exact diffusion", exchange::exact_diffusion{graph});
    share("gradient tracking", exchange::gradient_tracking{graph});
    return right ? 0 : 1;
}

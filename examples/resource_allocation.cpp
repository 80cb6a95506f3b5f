// SPDX-License-Identifier: BSL-1.0
// Twelve plants must balance: minimise sum of a_i/2 (x_i - b_i)^2 subject to sum of x_i = 0. No plant shows its costs to anybody: each
// keeps a price, answers it by its own best x_i, and the prices meet along a ring until all have the one that balances.
//   price: minimise over p the mean of  -min over x of (f_i(x) + p x),  whose gradient on node i is -x_i(p)
// run: mpirun -n 3 resource_allocation
#include <cmath>
#include <cstdio>
#include <span>
#include <vector>

#include <gamut/communicator/mpi.hpp>
#include <gamut/exchange/extra.hpp>
#include <gamut/exchange/nodes.hpp>
#include <gamut/gamut.hpp>
#include <gamut/topology/random_regular.hpp>

using namespace gamut;
using array = backend::array<backend::host<>>;

int main(int argc, char** argv) {
    communicator::mpi_session session(argc, argv);
    const communicator::mpi ranks{};
    const std::size_t plants = 12;
    const auto cost = [](std::size_t i) { return 1 + 0.5 * std::cos(static_cast<double>(i)); };
    const auto wish = [](std::size_t i) { return 3 * std::sin(1.0 + 2.0 * static_cast<double>(i)) + 1; };
    const auto answer = [&](std::size_t i, double price) { return wish(i) - price / cost(i); };

    const exchange::nodes all(ranks, plants);
    const exchange::extra method{topology::random_regular{}};
    exchange::state_of<decltype(method), array, decltype(all)> prices(method, all, array(1));
    std::size_t step = 0;
    double residual = 1;
    for (; step < 500 && residual > 1e-7; ++step) {
        prices.round(0.4, [&](std::size_t i, const array& price, array& slope) {
            slope[0] = -answer(all.first() + i, price[0]);
        });
        double sums[2] = {0, 0};  // of all x_i, and of how far the prices are from those that x_i is right for
        for (std::size_t i = 0; i < all.size(); ++i) sums[0] += answer(all.first() + i, prices.copies()[i][0]);
        ranks.all_reduce(std::span<double>(sums), communicator::operation::sum);
        array mean(1);
        all.mean(prices.copies(), mean);
        residual = std::abs(sums[0]) + all.distance(prices.copies(), mean);
    }
    double balance = 0, slopes = 0;  // what the price must be, from everybody's secrets
    for (std::size_t i = 0; i < plants; ++i) balance += wish(i), slopes += 1 / cost(i);
    array price(1);
    all.mean(prices.copies(), price);
    if (ranks.rank() == 0)
        std::printf("after %zu steps: price %.9f (right: %.9f), residual %.1e\n", step, price[0], balance / slopes,
                    residual);
    return residual <= 1e-7 && std::abs(price[0] - balance / slopes) < 1e-6 ? 0 : 1;
}

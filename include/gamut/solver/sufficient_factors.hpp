// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <limits>

namespace gamut::solver {

/// The gradient of a block of M x N parameters that rows are multiplied by is A'S, A being the K rows that went into the product and S
/// the adjoints of what came out. Few rows, and A and S are fewer numbers than their product:
///   2 K (P - 1) (M + N)           numbers that one of P ranks, with K rows, sends and receives when all send A and S to all
///   2 (g + 1) M N (P - 1) / P     when each adds up its share of the gradient and sends it to the others, and g of its partial
///                                 sums are sent apart; 4 M N (P - 1) / P with g = 1
/// Xie et al., Lighter-communication distributed machine learning via sufficient factor broadcasting, UAI 2016; the rule, which takes
/// what is less, is Poseidon's (Zhang et al. 2017, section 3.3).
constexpr double numbers_as_factors(double k, std::size_t m, std::size_t n, double ranks) {
    return 2 * k * (ranks - 1) * static_cast<double>(m + n);
}
constexpr double numbers_as_sum(std::size_t m, std::size_t n, double ranks, double partials = 1) {
    return 2 * (partials + 1) * static_cast<double>(m) * static_cast<double>(n) * (ranks - 1) / ranks;
}

/// What the gradient of a block of parameters costs: bytes sent and received per batch, on the average rank.
struct block_traffic {
    std::size_t block = 0, rows = 0, columns = 0;
    double factors = std::numeric_limits<double>::infinity();  ///< infinity: it is not one A'S
    double sum = 0;
    bool by_factors = false;  ///< what is done: the less of the two, a sum in a tie

    double bytes() const { return by_factors ? factors : sum; }
};

}  // namespace gamut::solver

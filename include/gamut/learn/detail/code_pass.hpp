// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

#include <gamut/backend/host.hpp>
#include <gamut/learn/detail/rows.hpp>
#include <gamut/learn/detail/shards.hpp>

namespace gamut::learn::detail {

/// Rows x_i as combinations of k basis rows: what all ranks know of this rank's codes c_i after a pass.
///     products   sum w_i x_i c_i'    columns x k          squares   sum w_i c_i c_i'    k x k
///     cost       sum w_i update(i)   whatever update(...) returns
struct code_sums {
    std::vector<double> products, squares;
    double cost = 0;
};

inline code_sums sums_of(const std::vector<double>& totals, std::size_t p, std::size_t k) {
    code_sums result;
    const auto at = [&](std::size_t place) { return totals.begin() + static_cast<std::ptrdiff_t>(place); };
    result.products.assign(at(0), at(k * p));
    result.squares.assign(at(k * p), at(k * (p + k)));
    result.cost = totals.back();
    return result;
}

/// One pass: by blocks of rows z = X B with B = basis, columns x k; update(i, z_i, c_i) changes the codes of row i, then they are summed.
/// codes: local rows x k. Collective: one exact sum of k (columns + k) + 1 numbers.
template <communicator::Communicator C, class Dataset, class Update>
code_sums code_pass(const shards<C>& by, const Dataset& rows, const std::vector<double>& basis, std::size_t k,
                    std::vector<double>& codes, Update&& update) {
    constexpr std::size_t block = 128;
    const std::size_t p = rows.columns();
    std::vector<double> totals(k * (p + k) + 1);
    struct buffers {
        std::vector<double> z, weighted, room;
    };
    std::vector<buffers> of_thread(by.threads());
    by.sum(totals, [&](std::size_t, data::range local, std::size_t thread, double* partial) {
        auto& [z, weighted, room] = of_thread[thread];
        z.resize(block * k);
        weighted.resize(block * k);
        for (std::size_t begin = local.begin; begin < local.end; begin += block) {
            const std::size_t end = std::min(local.end, begin + block), count = end - begin;
            multiply(rows.x, begin, end, basis.data(), k, z.data(), room);
            for (std::size_t i = begin; i < end; ++i) {
                const auto w = static_cast<double>(rows.weight(i));
                double* const code = codes.data() + i * k;
                partial[k * (p + k)] += w * update(i, z.data() + (i - begin) * k, code);
                for (std::size_t l = 0; l < k; ++l) weighted[(i - begin) * k + l] = w * code[l];
            }
            add_transposed(rows.x, begin, end, weighted.data(), k, partial, room);
            backend::host<double>::gemm(true, false, k, k, count, 1.0, weighted.data(), k, codes.data() + begin * k, k,
                                        1.0, partial + k * p, k);
        }
    });
    return sums_of(totals, p, k);
}

/// The weight of all rows, and sum w_i |x_i|^2. One pass, one exact sum.
template <communicator::Communicator C, class Dataset>
std::pair<double, double> squares_about_zero(const shards<C>& by, const Dataset& rows) {
    std::vector<double> totals(2);
    by.sum(totals, [&](std::size_t, data::range local, std::size_t, double* partial) {
        for (std::size_t i = local.begin; i < local.end; ++i) {
            const auto w = static_cast<double>(rows.weight(i));
            double square = 0;
            visit_row(rows.x, i, [&](std::size_t, double v) { square += v * v; });
            partial[0] += w;
            partial[1] += w * square;
        }
    });
    return {totals[0], totals[1]};
}

/// B'B for a basis of p x k numbers.
inline std::vector<double> gram_of(const std::vector<double>& basis, std::size_t p, std::size_t k) {
    std::vector<double> gram(k * k);
    backend::host<double>::gemm(true, false, k, k, p, 1.0, basis.data(), k, basis.data(), k, 0.0, gram.data(), k);
    return gram;
}

/// sum_jk a_jk b_jk
inline double inner(const std::vector<double>& a, const std::vector<double>& b) {
    double sum = 0;
    for (std::size_t j = 0; j < a.size(); ++j) sum += a[j] * b[j];
    return sum;
}

/// A p x k matrix as k x p.
inline std::vector<double> transposed(const std::vector<double>& a, std::size_t p, std::size_t k) {
    std::vector<double> t(a.size());
    for (std::size_t j = 0; j < p; ++j)
        for (std::size_t l = 0; l < k; ++l) t[l * p + j] = a[j * k + l];
    return t;
}

/// Answers about this rank's rows, in blocks that begin with the shards', so that bits do not depend on ranks: update(i, z_i) with
/// z = X B. Does not communicate.
template <communicator::Communicator C, class Dataset, class Update>
void each_product(const shards<C>& by, const Dataset& rows, const std::vector<double>& basis, std::size_t k,
                  Update&& update) {
    constexpr std::size_t block = 128;
    by.each([&](std::size_t, data::range local, std::size_t) {
        std::vector<double> z(block * k), room;
        for (std::size_t begin = local.begin; begin < local.end; begin += block) {
            const std::size_t end = std::min(local.end, begin + block);
            multiply(rows.x, begin, end, basis.data(), k, z.data(), room);
            for (std::size_t i = begin; i < end; ++i) update(i, z.data() + (i - begin) * k);
        }
    });
}

}  // namespace gamut::learn::detail

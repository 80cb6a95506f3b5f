// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <mutex>
#include <vector>

#include <gamut/backend/aligned_vector.hpp>
#include <gamut/backend/kernel.hpp>
#include <gamut/backend/pack.hpp>

namespace gamut::solver::detail {

/// out_k = sum over i of F_ij F_ik for the columns k of a tile, of which there are `tile`: n x tile numbers.
struct tile_products {
    static constexpr std::size_t tile = 32;
    template <std::size_t Bytes>
    GAMUT_INLINE static void run(std::size_t n, std::size_t tiles, const double* column, const double* f, double* out) {
        using P = backend::pack<double, Bytes>;
        for (std::size_t t = 0; t < tiles; ++t, out += tile) {
            P sum[tile / 8];
            for (P& s : sum) s = P(0);
            for (std::size_t i = 0; i < n; ++i, f += tile)
                for (std::size_t k = 0; k < tile / 8; ++k) sum[k] = sum[k] + P(column[i]) * P::load(f + 8 * k);
            for (std::size_t k = 0; k < tile / 8; ++k) sum[k].store(out + 8 * k);
        }
    }
};

/// H = F'F + ridge where F has few rows: a row of H is made when it is first asked for, by whichever thread asks, and kept. It costs a
/// pass over F in memory; searches for supports look at few of them. H is symmetric to the last bit.
class lazy_products {
public:
    /// fill(i, row) writes row i of F, n x size; once for each.
    template <class F>
    lazy_products(std::size_t n, std::size_t size, double ridge, F&& fill)
        : n_(n),
          tiles_((size + tile - 1) / tile),
          f_(n_ * tiles_ * tile),
          diagonal_(size, ridge),
          rows_(size),
          made_(new std::once_flag[size]) {
        std::vector<double> row(tiles_ * tile);
        for (std::size_t i = 0; i < n_; ++i) {
            fill(i, row.data());
            for (std::size_t j = 0; j < size; ++j) diagonal_[j] += row[j] * row[j];
            for (std::size_t t = 0; t < tiles_; ++t)
                std::copy_n(row.data() + t * tile, tile, f_.data() + place(i, t * tile));
        }
    }

    std::size_t size() const { return rows_.size(); }
    double diagonal(std::size_t j) const { return diagonal_[j]; }
    /// H_j:, size() numbers. Many threads may ask.
    const double* row(std::size_t j) const {
        std::call_once(made_[j], [&] {
            backend::aligned_vector<double> row(tiles_ * tile), column(n_);
            for (std::size_t i = 0; i < n_; ++i) column[i] = f_[place(i, j)];
            backend::run<tile_products>(n_, tiles_, column.data(), f_.data(), row.data());
            row[j] = diagonal_[j];
            rows_[j] = std::move(row);
        });
        return rows_[j].data();
    }

private:
    static constexpr std::size_t tile = tile_products::tile;
    /// F by tiles of columns, so that they are read as they lie.
    std::size_t place(std::size_t i, std::size_t j) const { return (j / tile * n_ + i) * tile + j % tile; }

    std::size_t n_, tiles_;
    backend::aligned_vector<double> f_;
    std::vector<double> diagonal_;
    mutable std::vector<backend::aligned_vector<double>> rows_;
    std::unique_ptr<std::once_flag[]> made_;
};

}  // namespace gamut::solver::detail

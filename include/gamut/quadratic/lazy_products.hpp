// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <vector>

#include <gamut/backend/aligned_vector.hpp>
#include <gamut/backend/kernel.hpp>
#include <gamut/backend/matrix.hpp>
#include <gamut/backend/pack.hpp>
#include <gamut/backend/parallel.hpp>

namespace gamut::quadratic {

/// out[c]_k = sum over i of u[c]_i F_ik for tiles of columns k, each n x tile numbers. Two cost little more than one.
template <std::size_t Count> struct tile_products {
    static constexpr std::size_t tile = 16;
    template <std::size_t Bytes>
    GAMUT_INLINE static void run(std::size_t n, std::size_t tiles, const double* const* u, const double* f,
                                 double* const* out) {
        using P = backend::pack<double, Bytes>;
        for (std::size_t t = 0; t < tiles; ++t) {
            P sum[Count][tile / 8];
            for (auto& sums : sum)
                for (P& s : sums) s = P(0);
            for (std::size_t i = 0; i < n; ++i, f += tile)
                for (std::size_t k = 0; k < tile / 8; ++k)
                    for (std::size_t c = 0; c < Count; ++c) sum[c][k] = sum[c][k] + P(u[c][i]) * P::load(f + 8 * k);
            for (std::size_t c = 0; c < Count; ++c)
                for (std::size_t k = 0; k < tile / 8; ++k) sum[c][k].store(out[c] + t * tile + 8 * k);
        }
    }
};

/// H = F'F + ridge, p x p, where F has n rows and n is small: a row of H is made when it is first asked for, by whichever thread asks, and kept. It costs a
/// pass over F in memory; searches for supports look at few of them. H is symmetric to the last bit.
class lazy_products {
public:
    /// F is n x size, and has no values yet; made with that many threads.
    lazy_products(std::size_t n, std::size_t size, double ridge, std::size_t threads)
        : n_(n),
          tiles_((size + tile - 1) / tile),
          threads_(backend::threads_for(passes_to_make * n * size, threads)),
          f_(n * tiles_ * tile),
          diagonal_(size, ridge),
          rows_(size),
          state_(size) {}

    std::size_t size() const { return rows_.size(); }
    std::size_t threads() const { return threads_; }

    // ---- until the first row of H is asked for

    /// F_ik = value(k). Every row, once; many threads may, each of its own rows.
    template <class V> void set_row(std::size_t i, V&& value) {
        for (std::size_t t = 0; t < tiles_; ++t) {
            double* const f = f_.data() + place(i, t * tile);
            const std::size_t count = std::min(tile, size() - t * tile);
            for (std::size_t k = 0; k < count; ++k) f[k] = value(t * tile + k);
            std::fill(f + count, f + tile, 0.0);
        }
    }
    /// F'u, and what fills up the last tile.
    std::vector<double> product(const std::vector<double>& u) const {
        std::vector<double> result(tiles_ * tile);
        by_tiles([&](std::size_t begin, std::size_t end) {
            const double* const in = u.data();
            double* const out = result.data() + begin * tile;
            backend::run<tile_products<1>>(n_, end - begin, &in, f_.data() + place(0, begin * tile), &out);
        });
        return result;
    }
    /// F -= sum over a of u_a v_a', v_a row a of v; F is what it will be.
    void finish(const std::vector<std::vector<double>>& u, const backend::dense_matrix<double>& v) {
        by_tiles([&](std::size_t begin, std::size_t end) {
            for (std::size_t t = begin; t < end; ++t) {
                const std::size_t first = t * tile, count = std::min(tile, size() - first);
                double squares[tile] = {};
                for (std::size_t i = 0; i < n_; ++i) {
                    double* const f = f_.data() + place(i, first);
                    for (std::size_t a = 0; a < u.size(); ++a) {
                        const double factor = u[a][i], *const row = v.row(a) + first;
                        for (std::size_t k = 0; k < count; ++k) f[k] -= factor * row[k];
                    }
                    for (std::size_t k = 0; k < tile; ++k) squares[k] += f[k] * f[k];
                }
                for (std::size_t k = 0; k < count; ++k) diagonal_[first + k] += squares[k];
            }
        });
    }

    // ---- H; many threads may ask

    double diagonal(std::size_t j) const { return diagonal_[j]; }
    /// H_j:, size() numbers.
    const double* row(std::size_t j) const {
        for (;;) {
            if (state_[j].load(std::memory_order_acquire) == made) return rows_[j].data();
            if (claim(j))
                fill<1>({j});
            else
                state_[j].wait(claimed, std::memory_order_acquire);
        }
    }
    /// These rows will be asked for: together they cost less. Those that others are at are left to them.
    void prepare(const std::vector<std::size_t>& rows) const {
        std::size_t mine[2], count = 0;
        for (const std::size_t j : rows) {
            if (!claim(j)) continue;
            mine[count++] = j;
            if (count == 2) fill<2>({mine[0], mine[1]}), count = 0;
        }
        if (count > 0) fill<1>({mine[0]});
    }

private:
    static constexpr std::size_t tile = tile_products<1>::tile;
    static constexpr int unknown = 0, claimed = 1, made = 2;

    /// F is written, read for a product and changed.
    static constexpr std::size_t passes_to_make = 4;

    /// f(begin, end) of tiles, a few at a time.
    template <class F> void by_tiles(F&& f) const {
        constexpr std::size_t few = 4;
        backend::parallel_for(0, (tiles_ + few - 1) / few, threads_,
                              [&](std::size_t i, std::size_t) { f(i * few, std::min(i * few + few, tiles_)); });
    }

    bool claim(std::size_t j) const {
        int state = unknown;
        return state_[j].compare_exchange_strong(state, claimed, std::memory_order_acquire);
    }
    /// Rows that this thread has claimed.
    template <std::size_t Count> void fill(const std::array<std::size_t, Count>& rows) const {
        const auto leave = [&](int state) {
            for (const std::size_t j : rows) {
                state_[j].store(state, std::memory_order_release);
                state_[j].notify_all();
            }
        };
        try {
            std::vector<double> columns(Count * n_);
            std::array<const double*, Count> in;
            std::array<double*, Count> out;
            for (std::size_t c = 0; c < Count; ++c) {
                double* const u = columns.data() + c * n_;
                for (std::size_t i = 0; i < n_; ++i) u[i] = f_[place(i, rows[c])];
                rows_[rows[c]].resize(tiles_ * tile);
                in[c] = u;
                out[c] = rows_[rows[c]].data();
            }
            backend::run<tile_products<Count>>(n_, tiles_, in.data(), f_.data(), out.data());
            for (const std::size_t j : rows) rows_[j][j] = diagonal_[j];
        } catch (...) {  // no memory: somebody else may try
            leave(unknown);
            throw;
        }
        leave(made);
    }
    /// F by tiles of columns, so that they are read as they lie.
    std::size_t place(std::size_t i, std::size_t k) const { return (k / tile * n_ + i) * tile + k % tile; }

    std::size_t n_, tiles_, threads_;
    backend::uninitialised_vector<double> f_;
    std::vector<double> diagonal_;
    mutable std::vector<std::vector<double>> rows_;
    mutable std::vector<std::atomic<int>> state_;  // of each row
};

}  // namespace gamut::quadratic

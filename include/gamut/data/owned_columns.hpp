// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <type_traits>
#include <vector>

#include <gamut/backend/aligned_vector.hpp>
#include <gamut/backend/matrix.hpp>
#include <gamut/backend/parallel.hpp>
#include <gamut/backend/sparse.hpp>
#include <gamut/communicator/agree.hpp>
#include <gamut/communicator/concept.hpp>
#include <gamut/core/error.hpp>
#include <gamut/data/dataset.hpp>
#include <gamut/data/shard.hpp>
#include <gamut/data/standardize.hpp>

namespace gamut::data {

/// Columns dealt to ranks, each with all rows, beside the rows dealt to ranks that the data come as. Columns are cut into
/// `blocks` runs, as many whatever the ranks, and a rank owns consecutive whole blocks, maybe none. Standardised,
///     column j   x~_j = factor(j) stored_j - center(j)
/// where dense columns are stored as x~_j (factor 1, center 0) and sparse ones as they are. Labels and sample weights of all rows
/// are on every rank.
///
/// Making one costs a broadcast of everybody's rows in pieces of about 1 MiB, so every rank receives all data once but keeps its
/// columns only: memory n p / ranks (sparse: its stored entries), and n numbers for labels and weights each. Why no all-to-all:
/// docs/decisions/0013. Throws shape_error for 2^31 rows or more of sparse data.
template <class Matrix> class owned_columns {
public:
    using T = typename Matrix::value_type;
    static constexpr bool dense = std::is_same_v<Matrix, backend::dense_matrix<T>>;

    /// Collective. `blocks`: 1 to 4095.
    template <communicator::Communicator C>
    owned_columns(const C& ranks, const dataset<Matrix>& rows, const standardization& scaling, std::size_t blocks,
                  int threads = 1)
        : columns_(rows.columns()),
          blocks_(blocks),
          mine_(blocks_of(static_cast<std::size_t>(ranks.rank()), static_cast<std::size_t>(ranks.size()))) {
        std::int32_t lanes[2] = {rows.weights.empty() ? 0 : 1, 0};
        if constexpr (!dense) lanes[1] = rows.x.values.empty() ? 0 : 1;
        ranks.all_reduce(std::span<std::int32_t>(lanes), communicator::operation::maximum);
        const std::size_t n = rows.rows();
        communicator::agree(ranks, [&] {
            factors_.assign(columns_, 1.0);
            means_.assign(columns_, 0.0);
            const std::vector<double> divisors = scaling.divisors();
            for (std::size_t j = 0; j < divisors.size(); ++j) {
                factors_[j] = 1 / divisors[j];
                means_[j] = scaling.means[j];
            }
            labels_.assign(n, T(0));
            if (lanes[0] != 0) weights_.assign(n, T(1));
            std::copy(rows.y.begin(), rows.y.end(), labels_.begin() + static_cast<std::ptrdiff_t>(rows.first_row));
            std::copy(rows.weights.begin(), rows.weights.end(),
                      weights_.begin() + static_cast<std::ptrdiff_t>(weights_.empty() ? 0 : rows.first_row));
        });
        for (int root = 0; root < ranks.size(); ++root) {
            const range r = rows_of(ranks, rows, root);
            ranks.broadcast(std::span<T>(labels_).subspan(r.begin, r.size()), root);
            if (!weights_.empty()) ranks.broadcast(std::span<T>(weights_).subspan(r.begin, r.size()), root);
        }
        if constexpr (dense)
            receive_dense(ranks, rows, static_cast<std::size_t>(std::max(threads, 1)));
        else
            receive_sparse(ranks, rows, lanes[1] != 0);
    }

    std::size_t rows() const { return labels_.size(); }
    std::size_t columns() const { return columns_; }
    std::size_t blocks() const { return blocks_; }
    /// Columns of block b, whoever owns it.
    range columns_of(std::size_t b) const { return {columns_ * b / blocks_, columns_ * (b + 1) / blocks_}; }
    /// The block that column j belongs to.
    std::size_t block_of(std::size_t j) const {
        std::size_t b = j * blocks_ / columns_;
        while (columns_of(b).end <= j) ++b;
        return b;
    }
    range own_blocks() const { return mine_; }
    range own_columns() const { return {columns_of_blocks(mine_).begin, columns_of_blocks(mine_).end}; }
    range own_columns_of(std::size_t rank, std::size_t ranks) const {
        return columns_of_blocks(blocks_of(rank, ranks));
    }
    bool owns(std::size_t j) const { return j >= own_columns().begin && j < own_columns().end; }

    /// Row k is what is stored of own column own_columns().begin + k.
    const Matrix& stored() const { return stored_; }
    double factor(std::size_t j) const { return dense ? 1.0 : factors_[j]; }
    double center(std::size_t j) const { return dense ? 0.0 : means_[j] * factors_[j]; }
    std::span<const T> labels() const { return labels_; }
    /// Empty: all 1.
    std::span<const T> weights() const { return weights_; }

    /// Columns that ascend, stored as they are with their owners, on every rank: row k is column chosen[k]. Collective: a
    /// broadcast by every rank that owns some of them; sparse: three, and one of their sizes.
    template <communicator::Communicator C> Matrix gather(const C& ranks, std::span<const std::size_t> chosen) const {
        const auto size = static_cast<std::size_t>(ranks.size());
        const std::size_t first = own_columns().begin;
        Matrix out;
        std::vector<std::size_t> begins(1, 0);  // of each rank's share of `chosen`
        for (std::size_t r = 0; r < size; ++r)
            begins.push_back(static_cast<std::size_t>(
                std::lower_bound(chosen.begin(), chosen.end(), own_columns_of(r, size).end) - chosen.begin()));
        const auto me = static_cast<std::size_t>(ranks.rank());
        if constexpr (dense) {
            communicator::agree(ranks, [&] { out = Matrix(chosen.size(), rows()); });
            for (std::size_t k = begins[me]; k < begins[me + 1]; ++k)
                std::copy_n(stored_.row(chosen[k] - first), rows(), out.row(k));
            for (std::size_t r = 0; r < size && size > 1; ++r)
                if (begins[r] < begins[r + 1])
                    ranks.broadcast(std::span<T>(out.row(begins[r]), (begins[r + 1] - begins[r]) * rows()),
                                    static_cast<int>(r));
        } else {
            std::vector<std::int64_t> sizes(chosen.size(), 0);
            for (std::size_t k = begins[me]; k < begins[me + 1]; ++k)
                sizes[k] = stored_.offsets[chosen[k] - first + 1] - stored_.offsets[chosen[k] - first];
            if (size > 1) ranks.all_reduce(std::span<std::int64_t>(sizes), communicator::operation::sum);
            communicator::agree(ranks, [&] {
                out.rows = chosen.size();
                out.columns = rows();
                for (const std::int64_t entries : sizes) out.offsets.push_back(out.offsets.back() + entries);
                out.indices.resize(static_cast<std::size_t>(out.offsets.back()));
                if (has_values_) out.values.resize(out.indices.size());
            });
            for (std::size_t k = begins[me]; k < begins[me + 1]; ++k) {
                const auto from = stored_.offsets[chosen[k] - first], to = out.offsets[k];
                std::copy_n(stored_.indices.begin() + from, sizes[k], out.indices.begin() + to);
                if (has_values_) std::copy_n(stored_.values.begin() + from, sizes[k], out.values.begin() + to);
            }
            for (std::size_t r = 0; r < size && size > 1; ++r) {
                const auto begin = static_cast<std::size_t>(out.offsets[begins[r]]),
                           count = static_cast<std::size_t>(out.offsets[begins[r + 1]]) - begin;
                if (count == 0) continue;
                ranks.broadcast(std::span<std::int32_t>(out.indices.data() + begin, count), static_cast<int>(r));
                if (has_values_) ranks.broadcast(std::span<T>(out.values.data() + begin, count), static_cast<int>(r));
            }
        }
        return out;
    }

private:
    range blocks_of(std::size_t rank, std::size_t ranks) const {
        return {blocks_ * rank / ranks, blocks_ * (rank + 1) / ranks};
    }
    range columns_of_blocks(range b) const {
        return {b.begin < blocks_ ? columns_of(b.begin).begin : columns_, columns_ * b.end / blocks_};
    }
    template <class C> static range rows_of(const C& ranks, const dataset<Matrix>& rows, int root) {
        return rows.partition.rows_of(static_cast<std::size_t>(root), static_cast<std::size_t>(ranks.size()));
    }

    static constexpr std::size_t piece = std::size_t(1) << 20;  // bytes, about, of rows that travel together

    template <class C> void receive_dense(const C& ranks, const dataset<Matrix>& rows, std::size_t threads) {
        const range own = own_columns();
        const std::size_t height = std::max<std::size_t>(8, piece / sizeof(T) / std::max<std::size_t>(columns_, 1));
        backend::aligned_vector<T> travelling;
        communicator::agree(ranks, [&] {
            stored_ = Matrix(own.size(), rows.rows());
            if (ranks.size() > 1) travelling.resize(std::min(height, rows.rows()) * columns_);
        });
        for (int root = 0; root < ranks.size(); ++root) {
            const range r = rows_of(ranks, rows, root);
            for (std::size_t begin = r.begin; begin < r.end; begin += height) {
                const std::size_t count = std::min(height, r.end - begin);
                const T* from = travelling.data();
                if (ranks.size() == 1) {
                    from = rows.x.row(begin);
                } else {
                    if (root == ranks.rank())
                        std::copy_n(rows.x.row(begin - rows.first_row), count * columns_, travelling.begin());
                    ranks.broadcast(std::span<T>(travelling).first(count * columns_), root);
                }
                constexpr std::size_t line =
                    64 / sizeof(T);  // columns whose entries of a row are read from memory together
                backend::parallel_for(0, (own.size() + line - 1) / line, threads, [&](std::size_t group, std::size_t) {
                    const std::size_t first = own.begin + group * line, end = std::min(first + line, own.end);
                    for (std::size_t j = first; j < end; ++j)
                        standardise(j, from + j, count, stored_.row(j - own.begin) + begin);
                });
            }
        }
    }

    /// `count` entries of column j, columns_ apart, side by side.
    void standardise(std::size_t j, const T* from, std::size_t count, T* to) const {
        const double mean = means_[j], factor = factors_[j];
        if (mean == 0 && factor == 1)
            for (std::size_t i = 0; i < count; ++i) to[i] = from[i * columns_];
        else if (factor > 0)
            for (std::size_t i = 0; i < count; ++i)
                to[i] = static_cast<T>((static_cast<double>(from[i * columns_]) - mean) * factor);
        else
            std::fill_n(to, count, T(0));  // a constant column
    }

    template <class C> void receive_sparse(const C& ranks, const dataset<Matrix>& rows, bool has_values) {
        const range own = own_columns();
        has_values_ = has_values;
        std::vector<std::int64_t> entries;  // of each column
        communicator::agree(ranks, [&] {
            if (rows.rows() > static_cast<std::size_t>(std::numeric_limits<std::int32_t>::max()))
                throw core::shape_error(
                    core::text("owned_columns: ", rows.rows(), " rows (2147483647 are the most of sparse columns)"));
            entries.assign(columns_, 0);
            for (const std::int32_t j : rows.x.indices) ++entries[static_cast<std::size_t>(j)];
        });
        ranks.all_reduce(std::span<std::int64_t>(entries), communicator::operation::sum);
        const std::size_t height = 4096;
        std::vector<std::int64_t> next, sizes;  // where a column's next entry goes
        std::vector<std::int32_t> indices;
        backend::aligned_vector<T> values;
        communicator::agree(ranks, [&] {
            stored_.rows = own.size();
            stored_.columns = rows.rows();
            for (std::size_t j = own.begin; j < own.end; ++j)
                stored_.offsets.push_back(stored_.offsets.back() + entries[j]);
            stored_.indices.resize(static_cast<std::size_t>(stored_.offsets.back()));
            if (has_values) stored_.values.resize(stored_.indices.size());
            next.assign(stored_.offsets.begin(), stored_.offsets.end());
            sizes.resize(height);
        });
        for (int root = 0; root < ranks.size(); ++root) {
            const range r = rows_of(ranks, rows, root);
            for (std::size_t begin = r.begin; begin < r.end; begin += height) {
                const std::size_t count = std::min(height, r.end - begin), local = begin - rows.first_row;
                if (root == ranks.rank())
                    for (std::size_t i = 0; i < count; ++i)
                        sizes[i] = rows.x.offsets[local + i + 1] - rows.x.offsets[local + i];
                ranks.broadcast(std::span<std::int64_t>(sizes).first(count), root);
                std::int64_t total = 0;
                for (std::size_t i = 0; i < count; ++i) total += sizes[i];
                communicator::agree(ranks, [&] {
                    indices.resize(static_cast<std::size_t>(total));
                    if (has_values) values.resize(indices.size());
                    if (root != ranks.rank()) return;
                    const auto from = rows.x.offsets[local];
                    std::copy_n(rows.x.indices.begin() + from, total, indices.begin());
                    for (std::int64_t k = 0; has_values && k < total; ++k)
                        values[static_cast<std::size_t>(k)] = rows.x.value(static_cast<std::size_t>(from + k));
                });
                ranks.broadcast(std::span<std::int32_t>(indices), root);
                if (has_values) ranks.broadcast(std::span<T>(values), root);
                std::size_t k = 0;
                for (std::size_t i = 0; i < count; ++i)
                    for (const std::size_t end = k + static_cast<std::size_t>(sizes[i]); k < end; ++k) {
                        const auto j = static_cast<std::size_t>(indices[k]);
                        if (j < own.begin || j >= own.end) continue;
                        const auto place = static_cast<std::size_t>(next[j - own.begin]++);
                        stored_.indices[place] = static_cast<std::int32_t>(begin + i);
                        if (has_values) stored_.values[place] = values[k];
                    }
            }
        }
    }

    std::size_t columns_, blocks_;
    range mine_;
    Matrix stored_;
    bool has_values_ = true;
    std::vector<double> factors_, means_;
    std::vector<T> labels_, weights_;
};

}  // namespace gamut::data

// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include <gamut/backend/double_double.hpp>
#include <gamut/backend/matrix.hpp>
#include <gamut/backend/orthogonal_factor.hpp>
#include <gamut/backend/parallel.hpp>
#include <gamut/communicator/agree.hpp>
#include <gamut/data/dataset.hpp>
#include <gamut/data/shard.hpp>
#include <gamut/data/standardize.hpp>

namespace gamut::solver::detail {

/// The rows of all ranks as a least-squares problem A w = b of some columns: A = root(omega) [ X~ | 1 ], b = root(omega) (y - offset),
/// X~ the standardised columns and the ones only with an intercept. P: a problem of model::linear in this process's memory.
template <class P> class least_squares_rows {
    using dataset = std::remove_cvref_t<decltype(std::declval<const P&>().dataset())>;
    using matrix = typename dataset::matrix_type;
    using value_type = typename dataset::value_type;
    using wide = backend::double_double;
    static constexpr bool is_dense = std::is_same_v<matrix, backend::dense_matrix<value_type>>;

public:
    /// `columns` ascend strictly. The problem must live as long.
    least_squares_rows(const P& p, std::vector<std::size_t> columns)
        : p_(p),
          rows_(p.dataset()),
          columns_(std::move(columns)),
          cut_(rows_.partition),
          mine_(cut_.shards_of(rank(), ranks())) {
        const data::standardization& scaling = p.scaling();
        const std::vector<double> divisors = scaling.divisors();
        for (const std::size_t j : columns_) {
            means_.push_back(scaling.means.empty() ? 0.0 : scaling.means[j]);
            divisors_.push_back(divisors.empty() ? 1.0 : divisors[j]);
        }
        if constexpr (!is_dense) {
            place_.assign(rows_.columns(), columns_.size());
            for (std::size_t k = 0; k < columns_.size(); ++k) place_[columns_[k]] = k;
        }
    }

    /// Columns, and the intercept.
    std::size_t unknowns() const { return columns_.size() + (p_.has_intercept() ? 1 : 0); }

    /// R of [ A | b ]. Shards are the leaves of a binary tree that halves them, whatever ranks own them: a rank factors what is its own,
    /// then all get all, and end the tree alike. One pass; one gather of at most 2 log2(shards) triangles a rank.
    backend::orthogonal_factor factor() const {
        const std::size_t width = unknowns() + 1;
        std::vector<backend::orthogonal_factor> leaves(mine_.size());
        std::vector<data::range> nodes;
        std::vector<backend::orthogonal_factor> found;
        std::vector<double> sent;
        std::size_t most = 0;
        communicator::agree(p_.communicator(), [&] {
            const std::size_t threads =
                backend::threads_for(rows_.local_rows() * width * width, static_cast<std::size_t>(p_.threads()));
            backend::parallel_for(0, leaves.size(), threads, [&](std::size_t s, std::size_t) {
                leaves[s] = leaf(cut_.shard_rows(mine_.begin + s));
            });
            nodes = nodes_within({0, cut_.shards}, mine_);
            for (const data::range node : nodes) found.push_back(merged(node, leaves));
            if (ranks() == 1) return;
            for (std::size_t r = 0; r < ranks(); ++r) {
                std::size_t size = 0;
                for (const data::range node : nodes_within({0, cut_.shards}, cut_.shards_of(r, ranks())))
                    size += packed_size(node);
                most = std::max(most, size);
            }
            sent.resize(most);
            double* to = sent.data();
            for (const auto& r : found) {
                r.pack(to);
                to += backend::orthogonal_factor::packed_size(width, r.rows());
            }
        });
        if (ranks() == 1) return std::move(found.front());
        std::vector<double> all(most * ranks());
        p_.communicator().gather(std::span<const double>(sent), std::span<double>(all));
        nodes.clear();
        found.clear();
        for (std::size_t r = 0; r < ranks(); ++r) {
            const double* from = all.data() + r * most;
            for (const data::range node : nodes_within({0, cut_.shards}, cut_.shards_of(r, ranks()))) {
                const std::size_t size = packed_size(node);
                nodes.push_back(node);
                found.emplace_back(width, std::min(rows_in(node), width), std::span<const double>(from, size));
                from += size;
            }
        }
        return ended({0, cut_.shards}, nodes, found);
    }

    /// What is left at w, to about 30 digits, then rounded:  squares = |b - A w|^2,  slopes = A'(b - A w).
    /// One pass; one gather of 2 unknowns numbers a shard.
    struct remainder {
        double squares = 0;
        std::vector<double> slopes;
    };
    remainder left_at(std::span<const backend::double_double> w) const {
        const std::size_t c = columns_.size(), width = c + 2;  // slopes of the columns as given, of the ones, squares
        std::vector<double> partials;
        std::size_t most = 0;
        communicator::agree(p_.communicator(), [&] {
            std::vector<wide> v(c);
            wide bias = p_.has_intercept() ? w[c] : wide(0);
            for (std::size_t k = 0; k < c; ++k) {
                if (std::isinf(divisors_[k])) continue;
                v[k] = divisors_[k] == 1 ? w[k] : w[k] / wide(divisors_[k]);
                if (means_[k] != 0) bias -= wide(means_[k]) * v[k];
            }
            for (std::size_t r = 0; r < ranks(); ++r) most = std::max(most, cut_.shards_of(r, ranks()).size());
            partials.assign(most * width * 2, 0.0);
            backend::parallel_for(0, mine_.size(),
                                  backend::threads_for(8 * backend::entries_of(rows_.x, 0, rows_.x.rows),
                                                       static_cast<std::size_t>(p_.threads())),
                                  [&](std::size_t s, std::size_t) {
                                      std::vector<wide> sums(width);
                                      add_rows(cut_.shard_rows(mine_.begin + s), v, bias, sums);
                                      double* to = partials.data() + s * width * 2;
                                      for (const wide sum : sums) {
                                          *to++ = sum.high;
                                          *to++ = sum.low;
                                      }
                                  });
        });
        std::vector<double> all;
        if (ranks() > 1) {
            all.resize(partials.size() * ranks());
            p_.communicator().gather(std::span<const double>(partials), std::span<double>(all));
        }
        const std::vector<double>& parts = ranks() > 1 ? all : partials;
        std::vector<wide> sums(width);
        for (std::size_t r = 0; r < ranks(); ++r)
            for (std::size_t s = 0; s < cut_.shards_of(r, ranks()).size(); ++s) {
                const double* from = parts.data() + (r * most + s) * width * 2;
                for (std::size_t k = 0; k < width; ++k, from += 2) sums[k] += wide(from[0], from[1]);
            }
        remainder left{sums[c + 1].value(), std::vector<double>(unknowns())};
        for (std::size_t k = 0; k < c; ++k) {
            if (std::isinf(divisors_[k])) continue;
            const wide slope = means_[k] == 0 ? sums[k] : sums[k] - wide(means_[k]) * sums[c];
            left.slopes[k] = (divisors_[k] == 1 ? slope : slope / wide(divisors_[k])).value();
        }
        if (p_.has_intercept()) left.slopes[c] = sums[c].value();
        return left;
    }

private:
    std::size_t rank() const { return static_cast<std::size_t>(p_.communicator().rank()); }
    std::size_t ranks() const { return static_cast<std::size_t>(p_.communicator().size()); }
    std::size_t rows_in(data::range shards) const {
        return cut_.shard_begin(shards.end) - cut_.shard_begin(shards.begin);
    }
    std::size_t packed_size(data::range shards) const {
        const std::size_t width = unknowns() + 1;
        return backend::orthogonal_factor::packed_size(width, std::min(rows_in(shards), width));
    }
    static std::size_t middle(data::range node) { return node.begin + node.size() / 2; }

    /// The largest subtrees of `node` that lie in `owned`, from left to right.
    static std::vector<data::range> nodes_within(data::range node, data::range owned) {
        if (owned.begin <= node.begin && node.end <= owned.end) return {node};
        if (node.end <= owned.begin || owned.end <= node.begin) return {};
        std::vector<data::range> nodes = nodes_within({node.begin, middle(node)}, owned);
        for (const data::range right : nodes_within({middle(node), node.end}, owned)) nodes.push_back(right);
        return nodes;
    }

    backend::orthogonal_factor merged(data::range node, std::vector<backend::orthogonal_factor>& leaves) const {
        if (node.size() == 1) return std::move(leaves[node.begin - mine_.begin]);
        backend::orthogonal_factor r = merged({node.begin, middle(node)}, leaves);
        r.add(merged({middle(node), node.end}, leaves));
        return r;
    }

    static backend::orthogonal_factor ended(data::range node, std::span<const data::range> nodes,
                                            std::vector<backend::orthogonal_factor>& found) {
        for (std::size_t k = 0; k < nodes.size(); ++k)
            if (nodes[k] == node) return std::move(found[k]);
        backend::orthogonal_factor r = ended({node.begin, middle(node)}, nodes, found);
        r.add(ended({middle(node), node.end}, nodes, found));
        return r;
    }

    /// visit(k, x) for what is stored of these columns in a row of this rank.
    template <class F> void visit(std::size_t row, F&& see) const {
        if constexpr (is_dense) {
            const value_type* const x = rows_.x.row(row);
            for (std::size_t k = 0; k < columns_.size(); ++k) see(k, static_cast<double>(x[columns_[k]]));
        } else {
            const auto end = static_cast<std::size_t>(rows_.x.offsets[row + 1]);
            for (auto e = static_cast<std::size_t>(rows_.x.offsets[row]); e < end; ++e)
                if (const std::size_t k = place_[static_cast<std::size_t>(rows_.x.indices[e])]; k < columns_.size())
                    see(k, static_cast<double>(rows_.x.value(e)));
        }
    }

    backend::orthogonal_factor leaf(data::range rows) const {
        const std::size_t c = columns_.size(), width = unknowns() + 1;
        const std::size_t at_once = std::clamp<std::size_t>(4096 / width, 32, 256);
        backend::orthogonal_factor r(width);
        std::vector<double> block(std::min(at_once, std::max<std::size_t>(rows.size(), 1)) * width);
        for (std::size_t begin = rows.begin; begin < rows.end; begin += at_once) {
            const std::size_t end = std::min(begin + at_once, rows.end);
            double* to = block.data();
            for (std::size_t i = begin; i < end; ++i, to += width) {
                const std::size_t row = i - rows_.first_row;
                const double root = std::sqrt(static_cast<double>(rows_.weight(row)));
                if constexpr (!is_dense)
                    for (std::size_t k = 0; k < c; ++k) to[k] = -means_[k] / divisors_[k] * root;
                visit(row, [&](std::size_t k, double x) { to[k] = (x - means_[k]) / divisors_[k] * root; });
                if (p_.has_intercept()) to[c] = root;
                double y = static_cast<double>(rows_.y[row]);
                if (!rows_.offsets.empty()) y -= static_cast<double>(rows_.offsets[row]);
                to[width - 1] = y * root;
            }
            r.add(block.data(), end - begin);
        }
        return r;
    }

    void add_rows(data::range rows, std::span<const wide> v, wide bias, std::span<wide> sums) const {
        const std::size_t c = columns_.size();
        for (std::size_t i = rows.begin; i < rows.end; ++i) {
            const std::size_t row = i - rows_.first_row;
            const auto weight = static_cast<double>(rows_.weight(row));
            if (weight == 0) continue;
            wide left(static_cast<double>(rows_.y[row]));
            if (!rows_.offsets.empty()) left -= wide(static_cast<double>(rows_.offsets[row]));
            left -= bias;
            visit(row, [&](std::size_t k, double x) { left -= wide(x) * v[k]; });
            const wide weighted = weight == 1 ? left : left * wide(weight);
            visit(row, [&](std::size_t k, double x) { sums[k] += weighted * wide(x); });
            sums[c] += weighted;
            sums[c + 1] += weighted * left;
        }
    }

    const P& p_;
    const dataset& rows_;
    std::vector<std::size_t> columns_, place_;
    data::partition cut_;
    data::range mine_;
    std::vector<double> means_, divisors_;
};

}  // namespace gamut::solver::detail

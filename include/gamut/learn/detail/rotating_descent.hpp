// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include <gamut/backend/parallel.hpp>
#include <gamut/communicator/agree.hpp>
#include <gamut/communicator/concept.hpp>
#include <gamut/communicator/rotation.hpp>
#include <gamut/core/error.hpp>
#include <gamut/core/random.hpp>
#include <gamut/core/text.hpp>
#include <gamut/data/shard.hpp>
#include <gamut/learn/detail/cut.hpp>
#include <gamut/learn/detail/entry_factors.hpp>
#include <gamut/learn/detail/rows.hpp>
#include <gamut/learn/detail/second_moments.hpp>
#include <gamut/learn/detail/shards.hpp>

namespace gamut::learn::detail {

struct rotation_options {
    double rate = 0.1, decay = 1, lambda = 0;
    std::uint64_t seed = 0;
    communicator::route route = communicator::route::ring;
};

/// Stochastic gradients on factors of given entries, by rotation: nodes keep the factors of their rows, columns are cut into as many blocks of
/// about as many entries, and the blocks' factors visit the nodes (communicator/rotation.hpp). So no two nodes change the same numbers, and none is
/// ever stale. A node visits the entries of its rows in the block that it has, in an order drawn anew each time:
///     e = a_ij - mean - u'v,   u = (u + s w e v) / (1 + s lambda / n_i),   v = (v + s w e u) / (1 + s lambda / n_j)
/// n: how many entries the row, the column has; s = rate decay^(epoch - 1), in units of the entries' spread and weight. The bits follow from
/// the number of nodes. Per epoch and rank: `nodes` messages of a block, and an all-reduce of all columns' factors.
/// Gemulla, Nijkamp, Haas and Sismanis, Large-scale matrix factorization with distributed SGD, KDD 2011.
template <communicator::PairwiseCommunicator C, class Dataset> class rotating_descent {
public:
    /// entries: loaded with a block of rows per node. begun: epochs that were made before. Collective.
    rotating_descent(const shards<C>& by, const Dataset& entries, entry_factors<C, Dataset>& factors,
                     const rotation_options& options, std::size_t begun)
        : ranks_(by.ranks()),
          factors_(factors),
          o_(options),
          epoch_(begun),
          blocks_(by.ranks(), entries.partition.blocks, options.route),
          threads_(by.threads()) {
        std::vector<double> given(entries.columns());
        by.sum(given, [&](std::size_t, data::range local, std::size_t, double* partial) {
            for (std::size_t i = local.begin; i < local.end; ++i)
                if (entries.weight(i) > 0) visit_row(entries.x, i, [&](std::size_t j, double) { partial[j] += 1; });
        });
        auto& v = factors.columns();  // a column that nobody gave has nothing to say
        for (std::size_t j = 0; begun == 0 && j < given.size(); ++j)
            if (!(given[j] > 0)) std::fill_n(v.begin() + static_cast<std::ptrdiff_t>(j * width()), factors.rank(), 0.0);
        communicator::agree(ranks_, [&] {
            cuts_ = cut_evenly(given, blocks_.nodes());
            for (const double n : given) of_column_.push_back(n > 0 ? 1 / n : 0);
            const auto mine = blocks_.mine();
            parts_.resize(mine.size());
            for (std::size_t i = 0; i < mine.size(); ++i) deal(entries, mine.begin + i, parts_[i]);
        });
    }

    /// An epoch: every entry once. Collective.
    void run() {
        const std::size_t nodes = blocks_.nodes(), w = width();
        const auto mine = blocks_.mine();
        std::vector<double>& v = factors_.columns();
        const auto place = [&](std::size_t b) { return v.begin() + static_cast<std::ptrdiff_t>(cuts_[b] * w); };
        std::vector<std::vector<double>> held;
        for (std::size_t i = 0; i < mine.size(); ++i)
            held.emplace_back(place(mine.begin + i), place(mine.begin + i + 1));
        const double step = o_.rate * std::pow(o_.decay, static_cast<double>(epoch_)) * unit();
        for (std::size_t s = 0; s < nodes; ++s) {
            backend::parallel_for(std::size_t(0), mine.size(), threads_, [&](std::size_t i, std::size_t) {
                const std::size_t node = mine.begin + i, b = blocks_.block_at(node, s);
                visit(parts_[i][b], {.seed = o_.seed, .stream = 1 + (epoch_ * nodes + node) * nodes + b}, cuts_[b],
                      held[i], step);
            });
            blocks_.move(s, held, [&](std::size_t b) { return (cuts_[b + 1] - cuts_[b]) * w; });
        }
        std::fill(v.begin(), v.end(), 0.0);
        for (std::size_t i = 0; i < mine.size(); ++i) std::copy(held[i].begin(), held[i].end(), place(mine.begin + i));
        everywhere(ranks_, std::span<double>(v));
        factors_.refresh();
        ++epoch_;
    }

private:
    struct entry {
        std::uint32_t row, column;
        double value, weight, of_row;  // of_row: 1 / how many the row has
    };

    std::size_t width() const { return factors_.width(); }

    /// The entries of a node's rows by block of columns, rows rising.
    void deal(const Dataset& entries, std::size_t node, std::vector<std::vector<entry>>& parts) const {
        parts.resize(blocks_.nodes());
        const data::range rows = entries.partition.block_rows(node);
        if (entries.local_rows() > std::numeric_limits<std::uint32_t>::max() ||
            entries.columns() > std::numeric_limits<std::uint32_t>::max())
            throw core::data_error(core::text(entries.source, ": ", entries.local_rows(), " rows and ",
                                              entries.columns(), " columns (2^32 - 1 of a rank's fit) use more ranks"));
        for (std::size_t i = rows.begin - entries.first_row; i < rows.end - entries.first_row; ++i) {
            const auto w = static_cast<double>(entries.weight(i));
            if (!(w > 0)) continue;
            const auto given = static_cast<double>(backend::entries_of(entries.x, i, i + 1));
            visit_row(entries.x, i, [&](std::size_t j, double value) {
                const auto b = static_cast<std::size_t>(std::upper_bound(cuts_.begin() + 1, cuts_.end() - 1, j) -
                                                        (cuts_.begin() + 1));
                parts[b].push_back({static_cast<std::uint32_t>(i), static_cast<std::uint32_t>(j), value, w, 1 / given});
            });
        }
    }

    /// Of steps: as if entries were spread and weighed by 1.
    double unit() const {
        const double size = factors_.spread() + (width() > factors_.rank() ? 1 : 0);
        return 1 / (std::max(size, 1e-300) * factors_.weight());
    }

    void visit(const std::vector<entry>& entries, const core::random& draws, std::size_t first_column,
               std::vector<double>& block, double step) {
        const std::size_t w = width(), free = factors_.rank();
        const std::size_t one_of_u = w > free ? free : w, one_of_v = w > free ? free + 1 : w;
        const double shrink = step * o_.lambda;
        for (const std::size_t e : core::permutation(draws, entries.size())) {
            const entry& one = entries[e];
            double* const u = factors_.rows().data() + one.row * w;
            double* const v = block.data() + (one.column - first_column) * w;
            const double pull = step * one.weight * (one.value - factors_.mean() - dot(u, v, w));
            const double to_u = 1 / (1 + shrink * one.of_row), to_v = 1 / (1 + shrink * of_column_[one.column]);
            for (std::size_t k = 0; k < w; ++k) {
                const double before = u[k];
                if (k != one_of_u) u[k] = (before + pull * v[k]) * to_u;
                if (k != one_of_v) v[k] = (v[k] + pull * before) * to_v;
            }
        }
    }

    const C& ranks_;
    entry_factors<C, Dataset>& factors_;
    rotation_options o_;
    std::size_t epoch_;
    communicator::rotation<C> blocks_;
    std::size_t threads_;
    std::vector<std::size_t> cuts_;                       // block b has the columns cuts_[b] to cuts_[b + 1]
    std::vector<double> of_column_;                       // 1 / how many entries it has
    std::vector<std::vector<std::vector<entry>>> parts_;  // by node of this rank, block
};

}  // namespace gamut::learn::detail

// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include <gamut/communicator/concept.hpp>
#include <gamut/consistency/bounded_staleness.hpp>
#include <gamut/core/random.hpp>
#include <gamut/data/shard.hpp>
#include <gamut/learn/detail/entry_factors.hpp>
#include <gamut/learn/detail/rows.hpp>
#include <gamut/learn/detail/second_moments.hpp>
#include <gamut/learn/detail/shards.hpp>
#include <gamut/table/shared.hpp>
#include <gamut/table/sum.hpp>

namespace gamut::learn::detail {

struct table_options {
    std::size_t batch = 0;
    double rate = 0.1, decay = 1, lambda = 0;
    std::uint64_t seed = 0;
    gamut::consistency::bounded_staleness consistency{};
};

/// Stochastic gradients on factors of given entries through a parameter server: columns' factors are rows of a table, a block of rows
/// is a worker, and keeps its rows' factors. In a clock a worker reads the columns of its next rows as fresh as the rule demands, visits
/// their entries one by one,
///     e = a_ij - mean - u'v,   u = (u + s w e v) / (1 + s lambda / n_i),   v = (v + s w e u) / (1 + s lambda / n_j)
/// n: how many entries the row, the column has; s = rate decay^(epoch - 1), in units of the entries' spread and weight; and adds to the
/// table by what its v changed. Rows come in an order drawn anew for each epoch, which all of them make.
template <communicator::PostalCommunicator C, class Dataset> class table_descent {
public:
    /// begun: epochs that were made before. Collective.
    table_descent(const shards<C>& by, const Dataset& entries, entry_factors<C, Dataset>& factors,
                  const table_options& options, std::size_t begun)
        : entries_(entries),
          factors_(factors),
          o_(options),
          begun_(begun),
          given_(entries.columns()),
          table_(by.ranks(),
                 {.rows = entries.columns(),
                  .width = factors.width(),
                  .workers = entries.partition.blocks,
                  .name = "column factors"},
                 table::sum{}, options.consistency),
          place_(entries.columns(), nowhere),
          orders_(entries.partition.blocks) {
        by.sum(given_, [&](std::size_t, data::range local, std::size_t, double* partial) {
            for (std::size_t i = local.begin; i < local.end; ++i)
                if (entries.weight(i) > 0) visit_row(entries.x, i, [&](std::size_t j, double) { partial[j] += 1; });
        });
        const double most = *std::max_element(given_.begin(), given_.end()), n = static_cast<double>(entries.rows());
        const double rows = o_.batch > 0 ? static_cast<double>(o_.batch) : std::max(1.0, std::floor(8 * n / most));
        batches_ = static_cast<std::size_t>(std::ceil(n / std::min(n, rows)));
        auto& v = factors.columns();  // a column that nobody gave has nothing to say
        for (std::size_t j = 0; begun == 0 && j < given_.size(); ++j)
            if (!(given_[j] > 0)) std::fill_n(v.begin() + static_cast<std::ptrdiff_t>(j * width()), free(), 0.0);
        show();
    }

    std::size_t batches() const { return batches_; }

    /// So many epochs of every worker; working() is called in each of their clocks. What the table says of it.
    template <class Working> table::report run(std::size_t epochs, Working&& working) {
        const table::report done = table_.run(epochs * batches_, [&](auto& me) {
            clock(me);
            working();
        });
        factors_.columns() = table_.values();
        factors_.refresh();
        show();
        return done;
    }

private:
    static constexpr std::size_t nowhere = static_cast<std::size_t>(-1);
    struct order {
        std::size_t epoch = nowhere;
        std::vector<std::size_t> rows{};
    };

    std::size_t width() const { return factors_.width(); }
    std::size_t free() const { return factors_.rank(); }

    /// The table begins its clocks with what all ranks know, and no worker with an older copy: as if it were new.
    void show() {
        const auto& v = factors_.columns();
        for (std::size_t j = 0; j < given_.size(); ++j) table_.set(j, std::span(v).subspan(j * width(), width()));
    }

    template <class Me> void clock(Me& me) {
        const std::size_t worker = me.id(), epoch = begun_ + static_cast<std::size_t>(me.clock()) / batches_,
                          batch = static_cast<std::size_t>(me.clock()) % batches_;
        const data::range block = entries_.partition.block_rows(worker);
        order& mine = orders_[worker];
        if (mine.epoch != epoch)
            mine = {epoch,
                    core::permutation({.seed = o_.seed, .stream = 1 + epoch * entries_.partition.blocks + worker},
                                      block.size())};
        const std::span<const std::size_t> rows(mine.rows.data() + block.size() * batch / batches_,
                                                mine.rows.data() + block.size() * (batch + 1) / batches_);
        columns_.clear();
        read_.clear();
        for (const std::size_t r : rows) {
            const std::size_t i = block.begin + r - entries_.first_row;
            if (!(entries_.weight(i) > 0)) continue;
            visit_row(entries_.x, i, [&](std::size_t j, double) {
                if (place_[j] != nowhere) return;
                place_[j] = columns_.size();
                columns_.push_back(j);
            });
        }
        for (const std::size_t j : columns_) {
            const auto values = me.get(j);
            read_.insert(read_.end(), values.begin(), values.end());
        }
        now_ = read_;
        const double step = o_.rate * std::pow(o_.decay, static_cast<double>(epoch)) * unit();
        for (const std::size_t r : rows) visit_entries(block.begin + r - entries_.first_row, step);
        for (std::size_t c = 0; c < columns_.size(); ++c) {
            double* const now = now_.data() + c * width();
            for (std::size_t k = 0; k < width(); ++k) now[k] -= read_[c * width() + k];
            me.add(columns_[c], std::span<const double>(now, width()));
            place_[columns_[c]] = nowhere;
        }
    }

    /// Of steps: as if entries were spread and weighed by 1.
    double unit() const {
        const double size = factors_.spread() + (width() > free() ? 1 : 0);
        return 1 / (std::max(size, 1e-300) * factors_.weight());
    }

    void visit_entries(std::size_t i, double step) {
        const auto w = static_cast<double>(entries_.weight(i));
        if (!(w > 0)) return;
        double* const u = factors_.rows().data() + i * width();
        const auto given = static_cast<double>(backend::entries_of(entries_.x, i, i + 1));
        const double shrink = step * o_.lambda;
        const std::size_t one_of_u = width() > free() ? free() : nowhere,
                          one_of_v = one_of_u == nowhere ? nowhere : free() + 1;
        const double of_row = 1 / (1 + shrink / given);
        visit_row(entries_.x, i, [&](std::size_t j, double value) {
            double* const v = now_.data() + place_[j] * width();
            const double of_column = 1 / (1 + shrink / given_[j]);
            const double pull = step * w * (value - factors_.mean() - dot(u, v, width()));
            for (std::size_t k = 0; k < width(); ++k) {
                const double before = u[k];
                if (k != one_of_u) u[k] = (before + pull * v[k]) * of_row;
                if (k != one_of_v) v[k] = (v[k] + pull * before) * of_column;
            }
        });
    }

    const Dataset& entries_;
    entry_factors<C, Dataset>& factors_;
    table_options o_;
    std::size_t begun_, batches_ = 1;
    std::vector<double> given_;  // entries per column
    table::shared<C, table::sum, consistency::bounded_staleness> table_;
    std::vector<std::size_t> place_, columns_;  // of the clock's columns in read_ and now_
    std::vector<double> read_, now_;
    std::vector<order> orders_;  // of workers' rows
};

}  // namespace gamut::learn::detail

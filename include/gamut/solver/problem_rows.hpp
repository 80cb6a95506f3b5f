// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <exception>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include <gamut/backend/gram.hpp>
#include <gamut/backend/matrix.hpp>
#include <gamut/backend/sweep.hpp>
#include <gamut/communicator/concept.hpp>
#include <gamut/communicator/sum.hpp>
#include <gamut/core/error.hpp>
#include <gamut/core/random.hpp>
#include <gamut/data/dataset.hpp>
#include <gamut/data/standardize.hpp>
#include <gamut/data/total_weight.hpp>
#include <gamut/model/concept.hpp>
#include <gamut/model/linear.hpp>
#include <gamut/penalty/concept.hpp>
#include <gamut/solver/concept.hpp>

namespace gamut::solver {

/// The rows of a problem: this rank's, cut into shards, those of one block side by side, and the sweep that passes over them.
/// Sums over all rows are one partial sum per shard (or block), added up over all ranks in an order that knows no ranks, so that they
/// have the same bits on any number of them. It refers to the data and knows neither weights nor penalty.
template <class Model, class Dataset, class Backend, class C> class problem_rows {
public:
    using value_type = typename Backend::value_type;
    using matrix_type = typename Dataset::matrix_type;
    using formula = decltype(model::loss_formula(std::declval<const Model&>()));
    using sweep_type = typename backend::sweep_for<Backend, matrix_type, formula>::type;

    /// No messages.
    problem_rows(const Model& m, const Dataset& data, const Backend& machine, const C& ranks, penalty::layout shape,
                 double total_weight)
        : data_(data),
          ranks_(ranks),
          threads_(machine.threads_of(ranks.local_size())),
          cut_(cut_for(data.partition, shape)),
          mine_(blocks_of(data, ranks)),
          total_weight_(total_weight),
          sweep_(data.x,
                 {data.y.data(), data.weights.empty() ? nullptr : data.weights.data(), total_weight_,
                  data.offsets.empty() ? nullptr : data.offsets.data()},
                 shard_bounds(), model::loss_formula(m), shape.outputs, threads_) {
        if (!data.has_offsets) return;
        if (shape.outputs > 1)
            throw core::option_error(
                "problem: offsets with several outputs (added to all of them they change no class) leave them out");
        if constexpr (!requires { sweep_type::knows_offsets; })
            throw core::option_error("problem: offsets on this backend (it does not know them) use backend::host");
        if constexpr (std::is_same_v<Model, model::linear>)  // what least squares sees of them
            for (std::size_t i = 0; i < std::min(data.y.size(), data.offsets.size()); ++i)
                less_offsets_.push_back(data.y[i] - data.offsets[i]);
    }

    const Dataset& data() const { return data_; }
    const C& ranks() const { return ranks_; }
    int threads() const { return threads_; }
    /// Omega, the sum of the sample weights.
    double total_weight() const { return total_weight_; }
    const sweep_type& sweep() const { return sweep_; }

    std::size_t blocks() const { return cut_.blocks; }
    std::size_t shards_of_a_block() const { return cut_.shards / cut_.blocks; }
    /// This rank's.
    data::range own_blocks() const { return mine_; }
    /// The rows of each of this rank's blocks.
    std::vector<backend::row_range> block_rows() const {
        std::vector<backend::row_range> runs;
        const std::size_t per_block = shards_of_a_block();
        for (std::size_t b = 0; b < mine_.size(); ++b)
            runs.push_back({sweep_.rows_of(b * per_block).begin, sweep_.rows_of((b + 1) * per_block - 1).end});
        return runs;
    }

    /// y; for least squares without the offsets.
    const value_type* labels() const { return less_offsets_.empty() ? data_.y.data() : less_offsets_.data(); }
    backend::row_weights<value_type> sample_weights() const {
        return {data_.weights.empty() ? nullptr : data_.weights.data(), 1};
    }

    /// Room for n numbers, which the next call overwrites.
    std::span<double> partials(std::size_t n) const {
        if (scratch_.size() < n) scratch_.resize(n);
        return std::span(scratch_).first(n);
    }
    /// The memory behind it.
    std::vector<double>& scratch() const { return scratch_; }

    /// Runs f(partials) for this rank's shards, m numbers each, and adds up over all ranks. If it throws on one, all throw.
    template <class F> void globally(std::size_t m, std::span<double> sums, F&& f) const {
        std::exception_ptr failure;
        std::span<double> own;
        try {
            own = partials(sweep_.all().size() * m);
            f(own.data());
        } catch (...) {
            failure = std::current_exception();
        }
        communicator::sum(ranks_, own, sweep_.all().size(), sums, failure);
    }

    /// Batches of about `size` rows in an epoch: every shard is cut into as many runs of consecutive rows, and each batch
    /// takes one run of every shard, in an order drawn for (seed, epoch, shard): the same on any number of ranks.
    std::size_t batches(std::size_t size) const {
        return std::clamp<std::size_t>((data_.rows() + size / 2) / std::max<std::size_t>(size, 1), 1,
                                       std::max<std::size_t>(data_.rows(), 1));
    }

    /// The rows of a batch in each of this rank's shards.
    const std::vector<backend::row_range>& runs_of(const batch& wanted) const {
        const std::size_t count = batches(wanted.size), shards = sweep_.all().size();
        if (orders_.size() != shards || shuffled_.size != wanted.size || shuffled_.seed != wanted.seed ||
            shuffled_.epoch != wanted.epoch) {
            const std::size_t first = cut_.block_begin_shard(mine_.begin);
            orders_.resize(shards);
            for (std::size_t s = 0; s < shards; ++s)
                orders_[s] =
                    core::permutation({.seed = wanted.seed, .stream = wanted.epoch * cut_.shards + first + s}, count);
            shuffled_ = wanted;
        }
        runs_.resize(shards);
        for (std::size_t s = 0; s < shards; ++s) {
            const backend::row_range rows = sweep_.rows_of(s);
            const std::size_t n = rows.end - rows.begin, run = orders_[s][wanted.index];
            runs_[s] = {rows.begin + n * run / count, rows.begin + n * (run + 1) / count};
        }
        return runs_;
    }

    /// The sum of the sample weights over all ranks. Collective.
    static double sum_of_weights(const Dataset& data, const C& ranks) { return data::total_weight(ranks, data); }

private:
    std::vector<std::size_t> shard_bounds() const {
        std::vector<std::size_t> bounds;
        for (std::size_t s = cut_.block_begin_shard(mine_.begin); s <= cut_.block_begin_shard(mine_.end); ++s)
            bounds.push_back(cut_.shard_begin(s) - data_.first_row);
        return bounds;
    }

    /// The shards of the data; fewer, though not below 16, where a partial sum of all weights for each would take more than 2 MiB:
    /// what a core then adds up no longer stays near it, and may be more than the data.
    static data::partition cut_for(data::partition cut, penalty::layout shape) {
        constexpr std::size_t budget = (std::size_t(2) << 20) / sizeof(double);
        const std::size_t wanted = std::max<std::size_t>(16, budget / std::max<std::size_t>(shape.size(), 1));
        cut.shards = std::min(cut.shards, (wanted + cut.blocks - 1) / cut.blocks * cut.blocks);
        return cut;
    }

    static data::range blocks_of(const Dataset& data, const C& ranks) {
        return data.partition.blocks_of(static_cast<std::size_t>(ranks.rank()), static_cast<std::size_t>(ranks.size()));
    }

    const Dataset& data_;
    C ranks_;
    int threads_;
    data::partition cut_;
    data::range mine_;
    double total_weight_;
    sweep_type sweep_;
    std::vector<value_type> less_offsets_;
    mutable std::vector<double> scratch_;
    mutable std::vector<std::vector<std::size_t>> orders_;
    mutable std::vector<backend::row_range> runs_;
    mutable batch shuffled_;
};

}  // namespace gamut::solver

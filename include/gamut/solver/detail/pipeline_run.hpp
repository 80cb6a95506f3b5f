// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include <gamut/communicator/agree.hpp>
#include <gamut/communicator/sum.hpp>
#include <gamut/core/error.hpp>
#include <gamut/solver/detail/pipeline_crew.hpp>
#include <gamut/solver/detail/pipeline_cuts.hpp>
#include <gamut/solver/detail/pipeline_letters.hpp>
#include <gamut/solver/detail/pipeline_rows.hpp>
#include <gamut/solver/detail/pipeline_stage.hpp>

namespace gamut::solver::detail {

/// How a program is dealt to ranks: the stages' ranges of steps, and who has them.
struct pipeline_plan {
    std::vector<backend::step_range> ranges{};
    pipeline_grid grid{};
};
/// Throws option_error where it cannot be dealt like that.
template <class P, class Options> pipeline_plan pipeline_plan_of(const P& p, const Options& o) {
    using steps = pipeline_steps<std::remove_cvref_t<decltype(p.rows().program())>>;
    const auto places = steps::places();
    const auto ranks = static_cast<std::size_t>(p.communicator().size());
    std::size_t stages = o.cuts.empty() ? o.stages : o.cuts.size() + 1;
    if (stages == 0) stages = std::clamp<std::size_t>(ranks / o.replicas, 1, places.size() + 1);
    if (stages > places.size() + 1)
        throw core::option_error(core::text("pipeline: ", stages, " stages (this network can be cut at ", places.size(),
                                            " places) use at most ", places.size() + 1));
    if (o.replicas > p.dataset().partition.blocks)
        throw core::option_error(core::text("pipeline: ", o.replicas, " replicas (the rows are in ",
                                            p.dataset().partition.blocks, " groups) set blocks, or the network's"));
    std::vector<std::size_t> begins = o.cuts;
    if (begins.empty())
        begins = balanced_cuts(steps::costs(p.rows().program()), places, stages);
    else
        check_cuts(begins, places);
    pipeline_plan plan{{}, {stages, o.replicas, ranks}};
    for (std::size_t s = 0; s < stages; ++s)
        plan.ranges.push_back({s == 0 ? 0 : begins[s - 1], s + 1 == stages ? steps::size + 1 : begins[s]});
    return plan;
}

/// Pipelines over the ranks of a problem, at work for epochs. See solver/pipeline.hpp, which the options are.
template <class P, class Options> class pipeline_run {
    using C = std::remove_cvref_t<decltype(std::declval<const P&>().communicator())>;
    using array = typename P::array;
    using T = typename P::value_type;
    using steps = pipeline_steps<std::remove_cvref_t<decltype(std::declval<const P&>().rows().program())>>;
    using box_type = std::remove_const_t<decltype(std::declval<const C&>().open(std::declval<pipeline_inbox&>()))>;

public:
    using stage = pipeline_stage<P, Options>;

    /// Collective.
    pipeline_run(const P& p, const Options& options, const pipeline_plan& plan)
        : problem_(p),
          plan_(plan),
          rows_(p, plan.grid, readers(plan), {options.batch, options.micro_batches, options.seed}),
          box_(p.communicator().open(inbox_)) {
        const pipeline_grid& grid = plan.grid;
        communicator::agree(p.communicator(), [&] {
            for (std::size_t cell = 0; cell < grid.cells(); ++cell) {
                if (grid.rank_of(cell) != p.communicator().rank()) continue;
                const std::size_t s = grid.stage_of(cell);
                stages_.push_back(std::make_unique<stage>(p, options, rows_, plan.ranges[s], grid.replica_of(cell)));
                numbers_.push_back(cell);
                cells_.push_back(stages_.back().get());
                lists_.push_back(options.schedule.tasks({grid.stages, s, options.micro_batches, rows_.batches()}));
            }
        });
        for (std::size_t s = 0; s < grid.stages; ++s) blocks_.push_back(stage::blocks_of(p, plan.ranges[s]));
        for (const auto& b : p.blocks_of_parameters()) offsets_.push_back(offsets_.back() + b.size());
    }

    const pipeline_plan& plan() const { return plan_; }
    std::size_t batches() const { return rows_.batches(); }
    std::span<stage* const> stages() const { return cells_; }

    /// A weight beyond this: all ranks look at all weights, for a norm of theirs may overflow in single precision.
    static constexpr T huge_weight = T(1e15);

    /// One epoch, and the mean of its batches' objectives. Collective: what pipeline_crew.hpp says, and one sum of a few numbers.
    double epoch(std::size_t epoch) {
        rows_.begin(epoch);
        for (stage* const one : cells_) one->begin(epoch);
        pipeline_crew<box_type, stage>(box_, inbox_, plan_.grid).run(numbers_, cells_, lists_);
        // a column for each replica's loss and each block's penalty, and two for what is said of the weights
        const std::size_t replicas = plan_.grid.replicas, columns = replicas + offsets_.size() - 1;
        std::vector<double> mine(columns + 2), sums(columns + 2);
        for (std::size_t i = 0; i < cells_.size(); ++i) {
            mine[cells_[i]->replica()] += cells_[i]->loss();
            if (cells_[i]->replica() != 0) continue;
            for (std::size_t k = 0; k < cells_[i]->blocks().size(); ++k)
                mine[replicas + cells_[i]->blocks()[k]] = cells_[i]->penalties()[k];
            for (const T w : cells_[i]->weights()) {
                if (w != T(0)) ++mine[columns];
                if (!(w >= -huge_weight && w <= huge_weight)) ++mine[columns + 1];
            }
        }
        communicator::sum(problem_.communicator(), mine, 1, sums);
        double total = 0;
        for (std::size_t k = 0; k < columns; ++k) total += sums[k];
        nonzeros_ = static_cast<std::size_t>(sums[columns]);
        has_huge_ = sums[columns + 1] > 0;
        return total / static_cast<double>(rows_.batches());
    }
    /// Of the weights after that epoch: how many are not 0, and whether some are so large, or no numbers, that their squares need a look.
    std::size_t nonzeros() const { return nonzeros_; }
    bool has_huge_weights() const { return has_huge_; }

    /// Nothing is on its way any more. Collective.
    void settle() const { box_.settle(); }

    /// All weights on all ranks; or slot i of the update's memory. Collective: one broadcast per stage.
    void weights(array& w) const {
        gather(w, [](stage& one) { return one.weights(); });
    }
    void memory(std::size_t slot, array& m) const {
        gather(m, [&](stage& one) { return one.memory(slot); });
    }
    void set_weights(const array& w) const {
        scatter(w, [](stage& one) { return one.weights(); });
    }
    void set_memory(std::size_t slot, const array& m) const {
        scatter(m, [&](stage& one) { return one.memory(slot); });
    }

private:
    static std::vector<bool> readers(const pipeline_plan& plan) {
        std::vector<bool> all;
        for (const backend::step_range& range : plan.ranges)
            all.push_back(std::any_of(steps::data.begin() + static_cast<std::ptrdiff_t>(range.begin),
                                      steps::data.begin() + static_cast<std::ptrdiff_t>(range.end),
                                      [](bool is) { return is; }));
        return all;
    }
    template <class F> void gather(array& all, const F& of) const {
        for (std::size_t s = 0; s < plan_.grid.stages; ++s) {
            std::size_t size = 0;
            for (const std::size_t b : blocks_[s]) size += offsets_[b + 1] - offsets_[b];
            std::vector<T> part(size);
            for (std::size_t i = 0; i < cells_.size(); ++i)
                if (numbers_[i] == s) std::copy_n(of(*cells_[i]).data(), size, part.data());
            problem_.communicator().broadcast(std::span<T>(part), plan_.grid.rank_of(s));
            const T* from = part.data();
            for (const std::size_t b : blocks_[s]) {
                const std::size_t n = offsets_[b + 1] - offsets_[b];
                std::copy_n(from, n, all.data() + offsets_[b]);
                from += n;
            }
        }
    }
    template <class F> void scatter(const array& all, const F& of) const {
        for (stage* const one : cells_) {
            T* to = of(*one).data();
            for (const std::size_t b : one->blocks()) {
                const std::size_t n = offsets_[b + 1] - offsets_[b];
                std::copy_n(all.data() + offsets_[b], n, to);
                to += n;
            }
        }
    }

    const P& problem_;
    pipeline_plan plan_;
    pipeline_rows<P> rows_;
    pipeline_inbox inbox_{};
    box_type box_;
    std::vector<std::unique_ptr<stage>> stages_{};
    std::vector<std::size_t> numbers_{};  // of this rank's cells, and what each of them does
    std::vector<stage*> cells_{};
    std::vector<std::vector<pipeline_schedule::task>> lists_{};
    std::vector<std::vector<std::size_t>> blocks_{};  // by stage
    std::vector<std::size_t> offsets_{0};
    std::size_t nonzeros_ = 0;
    bool has_huge_ = false;
};

}  // namespace gamut::solver::detail

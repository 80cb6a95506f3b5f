// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <utility>
#include <vector>

#include <gamut/autodiff/place_set.hpp>
#include <gamut/backend/flat_store.hpp>
#include <gamut/backend/program_run.hpp>
#include <gamut/solver/detail/pipeline_cuts.hpp>
#include <gamut/solver/detail/pipeline_rows.hpp>
#include <gamut/solver/schedule.hpp>

namespace gamut::solver::detail {

/// One stage of one replica: a range of a program's steps, the blocks of parameters that they read, and what must be kept of micro-batches
/// that have been forward and not back: what came in, and the weights that they were read with. The program's memory has room for one
/// micro-batch, so a backward begins with another forward, unless the last forward was of the same one; the last stage, whose forward
/// nobody waits for, does it then. Masks of dropout are drawn for (seed, step, row), so they are the same again.
/// Options: solver::pipeline. Memory: the slots that its steps touch, for one micro-batch, and 1 + slots times the stage's parameters and
/// their gradient in double, weights once more for each version.
template <class P, class Options> class pipeline_stage {
    using run_type = std::remove_cvref_t<decltype(std::declval<const P&>().rows().program())>;
    using steps = pipeline_steps<run_type>;
    using T = typename P::value_type;

public:
    using value_type = T;

    pipeline_stage(const P& p, const Options& options, pipeline_rows<P>& rows, backend::step_range range,
                   std::size_t replica)
        : problem_(p),
          options_(options),
          rows_(rows),
          range_(range),
          replica_(replica),
          in_(steps::plan.live_at(range.begin)),
          out_(range.end <= steps::size ? steps::plan.live_at(range.end) : autodiff::place_set{}),
          blocks_(blocks_of(p, range)),
          run_(p.rows().formula(), p.blocks_of_parameters(), p.dataset().columns(), rows.most_rows(), false, range) {
        offsets_.resize(p.blocks_of_parameters().size());
        std::size_t size = 0;
        for (const std::size_t b : blocks_) {
            offsets_[b] = size;
            size += p.blocks_of_parameters()[b].size();
        }
        weights_ = std::make_shared<std::vector<T>>(size);
        memory_.resize(Options::slots * size);
        sums_.resize(size);
        part_.resize(std::is_same_v<T, double> ? 0 : size);
        penalties_.resize(blocks_.size());
    }

    /// The blocks of parameters that a stage has, ascending.
    static std::vector<std::size_t> blocks_of(const P& p, backend::step_range range) {
        const auto all = steps::blocks_of(range);
        std::vector<std::size_t> found;
        for (std::size_t b = 0; b < p.blocks_of_parameters().size(); ++b)
            if (all.has(b)) found.push_back(b);
        return found;
    }

    // ---- what a crew asks for; see pipeline_crew.hpp ----
    std::vector<T> forward(std::size_t number, std::vector<T> in) {
        kept& one = kept_[number] = {std::move(in), weights_};
        count();
        if (is_last()) return {};
        const auto rows = rows_(replica_, number);
        calculate(rows, one);
        held_ = number;
        return taken(out_, rows.rows, false);
    }
    std::vector<T> backward(std::size_t number, std::vector<T> in) {
        const auto found = kept_.find(number);
        const kept one = std::move(found->second);
        kept_.erase(found);
        const auto rows = rows_(replica_, number);
        if (held_ != number) loss_ += calculate(rows, one);
        held_ = none;
        put(out_, rows.rows, true, in);
        if constexpr (std::is_same_v<T, double>) {
            run_.reverse(rows, range_, store(*one.weights, sums_.data()));
        } else {  // long sums in float would lose digits
            std::fill(part_.begin(), part_.end(), T(0));
            run_.reverse(rows, range_, store(*one.weights, part_.data()));
            for (std::size_t k = 0; k < part_.size(); ++k) sums_[k] += static_cast<double>(part_[k]);
        }
        read_ = one.weights;
        return taken(in_, rows.rows, true);
    }
    std::vector<double> gradient() {
        std::vector<double> sums(sums_.size());
        std::swap(sums, sums_);
        return sums;
    }
    /// After batch i of the epoch: w = w - rate d, d being what the update makes of the gradient of loss and penalty, taken where the
    /// micro-batches read the weights.
    void update(std::size_t i, const std::vector<double>& gradient) {
        std::vector<T> g(gradient.begin(), gradient.end());
        for (std::size_t k = 0; k < blocks_.size(); ++k) {
            const std::size_t at = offsets_[blocks_[k]];
            penalties_[k] += problem_.add_penalty(blocks_[k], read_->data() + at, g.data() + at);
        }
        const double batches = static_cast<double>(rows_.batches());
        const double at = static_cast<double>(epoch_) + static_cast<double>(i) / batches;
        const T rate = static_cast<T>(schedule::at(options_.rate, at));
        options_.template turn<T>(epoch_ * rows_.batches() + i + 1, *read_, g, memory_);
        const auto before = weights_;
        if (std::any_of(kept_.begin(), kept_.end(), [&](const auto& one) { return one.second.weights == before; }))
            weights_ = std::make_shared<std::vector<T>>(before->size());  // somebody reads the old ones still
        for (std::size_t k = 0; k < g.size(); ++k) (*weights_)[k] = (*before)[k] - rate * g[k];
        held_ = none;
        read_.reset();
    }

    // ---- between epochs ----
    void begin(std::size_t epoch) {
        epoch_ = epoch;
        loss_ = 0;
        std::fill(penalties_.begin(), penalties_.end(), 0.0);
    }
    std::size_t replica() const { return replica_; }
    backend::step_range range() const { return range_; }
    const std::vector<std::size_t>& blocks() const { return blocks_; }
    /// The losses of the epoch's micro-batches, of the last stage, and the sums of the penalties of each block.
    double loss() const { return loss_; }
    const std::vector<double>& penalties() const { return penalties_; }
    std::span<T> weights() { return *weights_; }
    std::span<T> memory(std::size_t slot) { return std::span(memory_).subspan(slot * sums_.size(), sums_.size()); }

    /// Since it was made: inputs, and versions of the weights, that were kept at one time; and forwards, done twice or not.
    std::size_t most_kept() const { return most_kept_; }
    std::size_t most_versions() const { return most_versions_; }
    std::size_t forwards() const { return forwards_; }
    /// What it holds as long as it lives: the program's memory, weights, gradient, and the update's memory.
    std::size_t bytes() const {
        return run_.workspace_bytes() + (weights_->size() + memory_.size() + part_.size()) * sizeof(T) +
               sums_.size() * sizeof(double);
    }

private:
    struct kept {
        std::vector<T> input;
        std::shared_ptr<std::vector<T>> weights;
    };
    static constexpr std::size_t none = static_cast<std::size_t>(-1);

    bool is_last() const { return range_.end > steps::size; }
    backend::flat_store<T> store(const std::vector<T>& w, T* gradient) const {
        return {w.data(), nullptr, gradient, offsets_.data()};
    }
    double calculate(const backend::data_rows<T>& rows, const kept& one) {
        ++forwards_;
        put(in_, rows.rows, false, one.input);
        return run_.forward(rows, range_, store(*one.weights, nullptr));
    }
    void count() {
        std::set<const void*> versions{weights_.get()};
        for (const auto& [number, one] : kept_) versions.insert(one.weights.get());
        most_kept_ = std::max(most_kept_, kept_.size());
        most_versions_ = std::max(most_versions_, versions.size());
    }

    /// Slots that have a part in derivatives.
    static bool flows(std::size_t i) { return steps::plan.active.has(i) && steps::plan.pulls[i]; }
    template <class F> void each_row(const autodiff::place_set& slots, std::size_t rows, bool adjoints, F&& f) const {
        for (std::size_t i = 0; i < steps::size; ++i) {
            if (!slots.has(i) || (adjoints && !flows(i))) continue;
            const auto& t = run_.slot(i);
            T* const first = adjoints ? t.adjoints : t.values;
            for (std::size_t k = 0; k < rows * t.per_row; ++k) f(first + k * t.stride, t.columns);
        }
    }
    std::vector<T> taken(const autodiff::place_set& slots, std::size_t rows, bool adjoints) const {
        std::vector<T> values;
        each_row(slots, rows, adjoints,
                 [&](const T* from, std::size_t n) { values.insert(values.end(), from, from + n); });
        return values;
    }
    void put(const autodiff::place_set& slots, std::size_t rows, bool adjoints, const std::vector<T>& values) const {
        const T* from = values.data();
        each_row(slots, rows, adjoints, [&](T* to, std::size_t n) {
            std::copy_n(from, n, to);
            from += n;
        });
    }

    const P& problem_;
    const Options& options_;
    pipeline_rows<P>& rows_;
    backend::step_range range_;
    std::size_t replica_;
    autodiff::place_set in_, out_;
    std::vector<std::size_t> blocks_, offsets_{};
    run_type run_;
    std::shared_ptr<std::vector<T>> weights_, read_{};  // the newest, and those of the last backward
    std::vector<T> memory_{}, part_{};
    std::vector<double> sums_{}, penalties_{};
    std::map<std::size_t, kept> kept_{};  // by micro-batch
    std::size_t held_ = none;             // the micro-batch that the program's memory is of
    double loss_ = 0;
    std::size_t epoch_ = 0, most_kept_ = 0, most_versions_ = 0, forwards_ = 0;
};

}  // namespace gamut::solver::detail

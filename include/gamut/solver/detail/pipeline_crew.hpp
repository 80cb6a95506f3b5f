// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include <gamut/communicator/concept.hpp>
#include <gamut/solver/detail/pipeline_letters.hpp>
#include <gamut/solver/pipeline_schedule.hpp>

namespace gamut::solver::detail {

/// Where the stages of the replicas are: cell r K + s is stage s of replica r. With enough ranks each has one of its own, and ranks
/// beyond have none; otherwise neighbours share a rank.
struct pipeline_grid {
    std::size_t stages = 1, replicas = 1, ranks = 1;

    std::size_t cells() const { return stages * replicas; }
    std::size_t stage_of(std::size_t cell) const { return cell % stages; }
    std::size_t replica_of(std::size_t cell) const { return cell / stages; }
    int rank_of(std::size_t cell) const { return static_cast<int>(ranks >= cells() ? cell : cell * ranks / cells()); }
};

/// This rank's stages at work. A rank goes on with whichever of its stages has what its next task needs, later stages first, and waits
/// for letters where none has. Tasks of a stage are in the order of its list, so the order between stages changes no bit; letters
/// are sent without waiting, so lists that can be run at all can be run on any number of ranks.
///   forward(m, in)          activations for the next stage; in: those of the stage before
///   backward(m, in)         adjoints for the stage before; in: those of the next stage
///   gradient()              of the batch, when it is complete
///   update(i, gradient)     after the replicas' gradients have been added up, in the order of replicas
/// One letter per micro-batch and cut each way; with R replicas 2 (R - 1) letters per stage and update, of 1 / R of its gradient.
template <class Box, class Cell> class pipeline_crew {
public:
    using value_type = typename Cell::value_type;

    pipeline_crew(const Box& box, pipeline_inbox& inbox, const pipeline_grid& grid)
        : box_(box),
          inbox_(inbox),
          grid_(grid) {}

    /// cells: this rank's, whose numbers ascend; lists: what each of them does.
    void run(std::span<const std::size_t> numbers, std::span<Cell* const> cells,
             const std::vector<std::vector<pipeline_schedule::task>>& lists) {
        std::vector<progress> all;
        for (std::size_t i = 0; i < cells.size(); ++i) all.push_back({cells[i], numbers[i], &lists[i]});
        const auto next = [&]() -> progress* {
            for (std::size_t i = all.size(); i-- > 0;)
                if (!all[i].done() && is_ready(all[i])) return &all[i];
            return nullptr;
        };
        while (std::any_of(all.begin(), all.end(), [](const progress& one) { return !one.done(); })) {
            progress* ready = nullptr;
            box_.wait([&] { return (ready = next()) != nullptr; });
            work(*ready);
        }
    }

private:
    enum class phase { begin, summing, gathering };  // of an update
    struct progress {
        Cell* cell;
        std::size_t number;
        const std::vector<pipeline_schedule::task>* list;
        std::size_t at = 0;
        phase now = phase::begin;
        std::vector<double> gradient{};
        bool done() const { return at == list->size(); }
        const pipeline_schedule::task& task() const { return (*list)[at]; }
    };

    bool is_first(std::size_t cell) const { return grid_.stage_of(cell) == 0; }
    bool is_last(std::size_t cell) const { return grid_.stage_of(cell) + 1 == grid_.stages; }
    /// The same stage of another replica.
    std::size_t peer(std::size_t cell, std::size_t replica) const {
        return replica * grid_.stages + grid_.stage_of(cell);
    }
    template <class F> bool each_peer(std::size_t cell, const F& f) const {
        for (std::size_t r = 0; r < grid_.replicas; ++r)
            if (r != grid_.replica_of(cell) && !f(r, peer(cell, r))) return false;
        return true;
    }

    bool is_ready(const progress& one) const {
        const auto [what, number] = one.task();
        const std::size_t c = one.number;
        if (what == pipeline_schedule::work::forward)
            return is_first(c) || inbox_.has({pipeline_letter::activations, c, number, c - 1});
        if (what == pipeline_schedule::work::backward)
            return is_last(c) || inbox_.has({pipeline_letter::adjoints, c, number, c + 1});
        if (one.now == phase::begin) return true;
        const auto kind = one.now == phase::summing ? pipeline_letter::slice : pipeline_letter::sum;
        return each_peer(c, [&](std::size_t, std::size_t from) {
            return inbox_.has({kind, c, one.task().number, from});
        });
    }

    template <class T>
    void send(pipeline_letter what, std::size_t from, std::size_t to, std::size_t number, std::span<const T> values) {
        box_.post(grid_.rank_of(to), pipeline_letter_of<T>({what, to, number, from}, values));
    }
    template <class T> std::vector<T> take(pipeline_letter what, std::size_t from, std::size_t to, std::size_t number) {
        return numbers_of<T>(box_.look([&] { return inbox_.take({what, to, number, from}); }));
    }

    void work(progress& one) {
        using T = value_type;
        const auto [what, number] = one.task();
        const std::size_t c = one.number;
        if (what == pipeline_schedule::work::forward) {
            std::vector<T> in;
            if (!is_first(c)) in = take<T>(pipeline_letter::activations, c - 1, c, number);
            const std::vector<T> out = one.cell->forward(number, std::move(in));
            if (!is_last(c)) send<T>(pipeline_letter::activations, c, c + 1, number, out);
        } else if (what == pipeline_schedule::work::backward) {
            std::vector<T> in;
            if (!is_last(c)) in = take<T>(pipeline_letter::adjoints, c + 1, c, number);
            const std::vector<T> out = one.cell->backward(number, std::move(in));
            if (!is_first(c)) send<T>(pipeline_letter::adjoints, c, c - 1, number, out);
        } else {
            if (!add_up(one)) return;
            one.cell->update(number, one.gradient);
        }
        ++one.at;
    }

    /// A part of the way to the sum over replicas; true if it is done. Replica r adds up slice r of the gradient.
    bool add_up(progress& one) {
        const std::size_t c = one.number, me = grid_.replica_of(c), number = one.task().number;
        const auto slice = [&](std::size_t r) {
            const std::size_t n = one.gradient.size(), begin = n * r / grid_.replicas;
            return std::span(one.gradient).subspan(begin, n * (r + 1) / grid_.replicas - begin);
        };
        if (one.now == phase::begin) {
            one.gradient = one.cell->gradient();
            each_peer(c, [&](std::size_t r, std::size_t to) {
                send<double>(pipeline_letter::slice, c, to, number, slice(r));
                return true;
            });
            if (grid_.replicas == 1) return true;
            one.now = phase::summing;
        } else if (one.now == phase::summing) {
            const std::span<double> mine = slice(me);
            std::vector<double> sum(mine.size());
            for (std::size_t r = 0; r < grid_.replicas; ++r) {
                std::vector<double> theirs;
                if (r != me) theirs = take<double>(pipeline_letter::slice, peer(c, r), c, number);
                const std::span<const double> from = r == me ? mine : std::span<double>(theirs);
                for (std::size_t k = 0; k < sum.size(); ++k) sum[k] += from[k];
            }
            std::copy(sum.begin(), sum.end(), mine.begin());
            each_peer(c, [&](std::size_t, std::size_t to) {
                send<double>(pipeline_letter::sum, c, to, number, mine);
                return true;
            });
            one.now = phase::gathering;
        } else {
            each_peer(c, [&](std::size_t r, std::size_t from) {
                const auto sum = take<double>(pipeline_letter::sum, from, c, number);
                std::copy(sum.begin(), sum.end(), slice(r).begin());
                return true;
            });
            one.now = phase::begin;
            return true;
        }
        return false;
    }

    const Box& box_;
    pipeline_inbox& inbox_;
    pipeline_grid grid_;
};

}  // namespace gamut::solver::detail

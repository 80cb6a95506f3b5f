// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <exception>
#include <memory>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include <gamut/autodiff/program.hpp>
#include <gamut/backend/data_rows.hpp>
#include <gamut/backend/parallel.hpp>
#include <gamut/communicator/sum.hpp>
#include <gamut/data/shard.hpp>
#include <gamut/solver/concept.hpp>

namespace gamut::solver::detail {

/// A problem whose weights are blocks of parameters of a program: solver::formula_problem, and so a network's.
template <class P>
concept BlockProblem = Stochastic<P> && requires(const P& p) {
    p.rows().make_run();
    p.blocks_of_parameters();
};

/// Blocks that one product step reads, and no other step: their gradient is one A'S. By block, its step + 1, or 0.
template <class Program> inline constexpr std::array<std::size_t, autodiff::place_set::most> product_steps{};
template <class Step> inline constexpr autodiff::place_set block_of_product{};
template <class A, std::size_t B, autodiff::shape F, bool T>
inline constexpr autodiff::place_set block_of_product<autodiff::product_step<A, B, F, T>> = autodiff::place_set::of(B);
template <class Result, class... Step>
inline constexpr auto product_steps<autodiff::program<Result, Step...>> = [] {
    std::array<std::size_t, autodiff::place_set::most> found{}, readers{};
    std::size_t s = 0;
    const auto see = [&](const autodiff::place_set& products, const autodiff::place_set& read) {
        ++s;
        for (std::size_t b = 0; b < found.size(); ++b) {
            if (products.has(b)) found[b] = s;
            if (read.has(b)) ++readers[b];
        }
    };
    (see(block_of_product<Step>, autodiff::reads_of<Step>.parameters), ...);
    see({}, autodiff::reads_of<Result>.parameters);
    for (std::size_t b = 0; b < found.size(); ++b)
        if (readers[b] != 1) found[b] = 0;
    return found;
}();

/// How much of something there is, and the most that there was.
struct tally {
    std::size_t blocks = 0, numbers = 0, most_blocks = 0, most_numbers = 0;

    void take(std::size_t size) {
        ++blocks, numbers += size;
        most_blocks = std::max(most_blocks, blocks), most_numbers = std::max(most_numbers, numbers);
    }
    void give(std::size_t size) { --blocks, numbers -= size; }
};

/// A batch's rows of this rank, all of its groups abreast: every step is done for all of them before the next one, so that the gradient
/// of a block is complete for the whole rank while those of the blocks before it have not begun. Numbers are what
/// formula_rows::gradient finds, to the bit, where a group has at most rows_at_once rows of a batch or no block is read by two
/// products. Memory: that of a program for every rows_at_once rows of this rank's batch, and the gradients of blocks in use.
template <class Rows> class batch_parts {
public:
    using T = typename Rows::T;
    using run_type = typename Rows::run_type;
    static constexpr const auto& plan = run_type::runner::plan;
    static constexpr std::size_t size = run_type::size;

    /// by_factors: blocks (of one product each) whose A and S are kept instead of A'S.
    batch_parts(const Rows& rows, std::size_t batch_size, std::vector<bool> by_factors)
        : rows_(rows),
          weights_(rows.program().blocks().size()),
          by_factors_(std::move(by_factors)),
          partials_(weights_.size()) {
        const data::range mine = rows.groups();
        for (std::size_t number = mine.begin; number < mine.end; ++number) {
            auto& parts = groups_.emplace_back();
            parts.number = number;
            // the shares of a group in two batches differ by a row at most
            const std::size_t n = rows.data().partition.block_rows(number).size(), batches = rows.batches(batch_size);
            const std::size_t most = (n + batches - 1) / batches;
            for (std::size_t k = 0; k * Rows::rows_at_once < most; ++k)
                parts.parts.push_back(std::make_unique<part>(rows, weights_.size()));
        }
    }

    std::size_t blocks() const { return weights_.size(); }
    std::size_t block_size(std::size_t b) const { return rows_.program().blocks()[b].size(); }
    std::size_t groups() const { return groups_.size(); }

    void begin(const batch& wanted) {
        attempt([&](group& g) {
            for (std::size_t k = 0; k < g.parts.size(); ++k)
                g.parts[k]->rows = rows_.batch_rows(g.parts[k]->gathered, g.number, wanted, k);
        });
    }
    /// Where block b is while steps read it.
    void set_weights(std::size_t b, const T* w) { weights_[b] = w; }

    /// Step s of all parts. Errors are kept for loss().
    void forward(std::size_t s) {
        attempt([&](group& g) {
            if (s == size) g.loss = 0;
            for (const auto& p : g.parts) {
                const double loss = p->run.forward(p->rows, {s, s + 1}, store{this, &g, p.get()});
                if (s == size) g.loss += loss;
            }
        });
    }
    /// The loss of the batch over all ranks; throws on all of them if one failed. Collective.
    double loss() {
        std::vector<double> losses;
        for (const group& g : groups_) losses.push_back(g.loss);
        double sum = 0;
        communicator::sum(rows_.ranks(), std::span<const double>(losses), losses.size(), std::span<double>(&sum, 1),
                          std::exchange(failure_, nullptr));
        return sum;
    }
    /// Step s of all parts back.
    void reverse(std::size_t s) {
        for (std::size_t b = 0; b < blocks(); ++b)
            if (plan.reads[s].parameters.has(b) && !by_factors_[b] && !holds(b)) {
                partials_[b].resize(std::max<std::size_t>(groups_.size(), 1) * block_size(b));
                held_.take(block_size(b));
            }
        each_group([&](group& g) {
            for (const auto& p : g.parts) p->run.reverse(p->rows, {s, s + 1}, store{this, &g, p.get()});
        });
    }

    /// The gradient of a block, one partial sum for each group; to be asked for when it is complete.
    std::span<const double> partials(std::size_t b) {
        if constexpr (!std::is_same_v<T, double>)
            for (group& g : groups_)
                for (const auto& p : g.parts) {
                    double* const to = partial(g, b);
                    for (std::size_t k = 0; k < p->sums[b].size(); ++k) to[k] += static_cast<double>(p->sums[b][k]);
                    p->sums[b] = {};
                }
        return std::span<const double>(partials_[b]).first(groups_.size() * block_size(b));
    }
    bool holds(std::size_t b) const { return !partials_[b].empty(); }
    void drop(std::size_t b) {
        if (holds(b)) held_.give(block_size(b));
        partials_[b] = {};
    }
    const tally& held() const { return held_; }

    /// A and S of a block by factors, one part after another: m x rows numbers of A, then m x columns of S.
    std::vector<T> factors(std::size_t b) {
        std::vector<T> all;
        for (const group& g : groups_)
            for (const auto& p : g.parts) {
                if (p->rows.rows > 0) all.insert(all.end(), p->factors[b].begin(), p->factors[b].end());
                p->factors[b].clear();
            }
        return all;
    }

private:
    struct part {
        run_type run;
        typename Rows::gathered_type gathered;
        backend::data_rows<T> rows{};
        std::vector<std::vector<T>> sums;     // by block, where partials have another type
        std::vector<std::vector<T>> factors;  // by block
        part(const Rows& r, std::size_t blocks)
            : run(r.make_run()),
              gathered(r.make_rows()),
              sums(std::is_same_v<T, double> ? 0 : blocks),
              factors(blocks) {}
    };
    struct group {
        std::size_t number = 0;
        std::vector<std::unique_ptr<part>> parts{};
        double loss = 0;
    };

    /// Where a part finds weights and leaves gradients. Fetching and sending are not up to a part, but to who goes over the steps.
    struct store {
        batch_parts* all;
        group* mine;
        part* own;

        const T* weights(std::size_t b) const { return all->weights_[b]; }
        const T* direction(std::size_t) const { return nullptr; }
        T* gradient(std::size_t b) const {
            if (all->by_factors_[b]) return nullptr;
            if constexpr (std::is_same_v<T, double>) {
                return all->partial(*mine, b);
            } else {
                if (own->sums[b].empty()) own->sums[b].resize(all->block_size(b));
                return own->sums[b].data();
            }
        }
        void release(std::size_t) const {}
        void ready(std::size_t) const {}
        bool factors(std::size_t b, const T* a, std::size_t a_stride, const T* s, std::size_t s_stride,
                     std::size_t m) const {
            if (!all->by_factors_[b]) return false;
            const auto& block = own->run.blocks()[b];
            std::vector<T>& to = own->factors[b];
            to.clear();
            for (std::size_t i = 0; i < m; ++i) to.insert(to.end(), a + i * a_stride, a + i * a_stride + block.rows);
            for (std::size_t i = 0; i < m; ++i) to.insert(to.end(), s + i * s_stride, s + i * s_stride + block.columns);
            return true;
        }
    };

    double* partial(const group& g, std::size_t b) {
        return partials_[b].data() + static_cast<std::size_t>(&g - groups_.data()) * block_size(b);
    }
    template <class F> void each_group(const F& f) {
        backend::parallel_for(0, groups_.size(), rows_.threads(), [&](std::size_t i, std::size_t) { f(groups_[i]); });
    }
    template <class F> void attempt(const F& f) {
        if (failure_) return;
        try {
            each_group(f);
        } catch (...) {
            failure_ = std::current_exception();
        }
    }

    const Rows& rows_;
    std::vector<const T*> weights_;
    std::vector<bool> by_factors_;
    std::vector<std::vector<double>> partials_;  // by block: groups x its size
    std::vector<group> groups_;
    tally held_;
    std::exception_ptr failure_;
};

/// The gradient of a batch, block by block. `blocks` says where they are:
///   fetch(b), release(b)    around every step that reads block b: on all ranks alike
///   complete(b)             its gradient is there, in parts.partials(b) or parts.factors(b)
/// Returns the loss.
template <class Parts, class Blocks> double go_over_steps(Parts& parts, const batch& wanted, Blocks& blocks) {
    constexpr const auto& plan = Parts::plan;
    const auto each = [&](const autodiff::place_set& some, const auto& f) {
        for (std::size_t b = 0; b < parts.blocks(); ++b)
            if (some.has(b)) f(b);
    };
    const auto with_weights = [&](std::size_t s, const auto& step) {
        each(plan.reads[s].parameters, [&](std::size_t b) { blocks.fetch(b); });
        step();
        each(plan.reads[s].parameters, [&](std::size_t b) { blocks.release(b); });
    };
    parts.begin(wanted);
    for (std::size_t s = 0; s <= Parts::size; ++s) with_weights(s, [&] { parts.forward(s); });
    const double loss = parts.loss();
    parts.reverse(Parts::size);  // reads what forward has left
    each(plan.complete[Parts::size], [&](std::size_t b) { blocks.complete(b); });
    for (std::size_t s = Parts::size; s-- > 0;) {
        if (!plan.pulls[s]) continue;
        with_weights(s, [&] { parts.reverse(s); });
        each(plan.complete[s], [&](std::size_t b) { blocks.complete(b); });
    }
    return loss;
}

}  // namespace gamut::solver::detail

// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <gamut/communicator/concept.hpp>
#include <gamut/core/error.hpp>
#include <gamut/core/random.hpp>
#include <gamut/exchange/concept.hpp>
#include <gamut/exchange/periodic.hpp>
#include <gamut/fwd.hpp>

namespace gamut::exchange {

/// Independent subnets: the hidden units of a network are dealt to the nodes without replacement, every node trains the network of its
/// own units alone for `every` steps, then they are put together and dealt anew. K nodes:
///   W1 (inputs x units): the columns of my units       W2 (units x units): my rows and columns       W3: my rows
/// and biases of my units; those of the outputs are everybody's, and their mean is taken. W2 of units of different nodes waits.
///   widths   of a chain of dense layers, each with a bias: the columns, and the outputs of every layer, {20, 100, 100, 10}; what
///            lies between them has no parameters. Networks with another number of parameters are refused.
/// The first rank keeps the whole. A node's K-th travels to it and back once per cycle: P1/K + P2/K^2 + P3/K numbers each way, and
/// the biases; a record costs the way back and a broadcast of the whole. A node computes with the whole shapes, zeros where
/// the others' units are: it saves messages, not flops. A run's weights are the whole; records have no distance of nodes.
/// Momentum is forgotten where units change hands, unless `memory` says otherwise. The same bits on any number of ranks.
/// Yuan, Wolfe, Dun, Tang, Kyrillidis and Jermaine, Distributed learning of fully connected neural networks using independent
/// subnet training, VLDB 2022.
struct subnets {
    static constexpr bool takes_directions = true;

    std::vector<std::size_t> widths{};
    std::size_t every = 40;  ///< steps of a cycle
    std::uint64_t seed = 1;  ///< of the deals
    at_meeting memory = at_meeting::reset;

    void validate() const {
        if (widths.size() < 3)
            throw core::option_error(
                core::text("exchange::subnets: ", widths.size(),
                           " widths (columns, hidden units and outputs are three) try {20, 100, 10}"));
        if (every < 1) throw core::option_error("exchange::subnets: every is 0 (subnets must be put together) try 40");
    }

    /// Whether the problem is of such a network; throws option_error. Another number of parameters is the state's to refuse.
    template <class P> void check(const P& p) const {
        static_assert(
            requires { p.blocks_of_parameters(); }, "exchange::subnets: needs a network, whose hidden units are dealt; "
                                                    "use exchange::periodic for other models");
        validate();
        const auto& blocks = p.blocks_of_parameters();
        std::size_t made = 0;
        for (std::size_t l = 1; l < widths.size(); ++l) made += (widths[l - 1] + 1) * widths[l];
        if (made != p.dimension()) return;
        for (std::size_t b = 0; b < std::max(blocks.size(), 2 * (widths.size() - 1)); ++b) {
            if (b == blocks.size() || b == 2 * (widths.size() - 1))
                throw core::option_error(
                    core::text("exchange::subnets: the model has ", blocks.size(), " blocks of parameters (",
                               widths.size() - 1, " dense layers, each ", "with a bias, have ", 2 * (widths.size() - 1),
                               ") name the columns and the outputs of every layer"));
            const std::size_t rows = b % 2 == 0 ? widths[b / 2] : 1, columns = widths[b / 2 + 1];
            if (blocks[b].rows != rows || blocks[b].columns != columns)
                throw core::option_error(core::text("exchange::subnets: block ", b, " of the model's parameters is ",
                                                    blocks[b].rows, " x ", blocks[b].columns, " (by the widths ", rows,
                                                    " x ", columns,
                                                    "; only dense layers in a chain, each with a bias, ",
                                                    "are dealt) name the columns and the outputs of every layer"));
        }
    }

    template <class A, class N> struct state {
        using T = typename A::value_type;

        state(const subnets& method, const N& all, const A& start)
            : widths_(method.widths),
              every_(method.every),
              seed_(method.seed),
              memory_(method.memory),
              nodes_(all),
              home_(start),
              slope_(start),
              w_(all.size(), start) {
            method.validate();
            check(start.size());
        }

        template <class F, class D = as_is> void round(double rate, F&& gradient, D&& direct = {}) {
            const std::size_t cycle = k_ / every_;
            if (k_ % every_ == 0) {
                if (k_ > 0) put_together(cycle - 1, home_);  // with what a prox did behind the last step
                deal(cycle);
            }
            for (std::size_t i = 0; i < w_.size(); ++i) {
                const entry_list& mine = entries(nodes_.first() + i, cycle);
                gradient(i, w_[i], slope_);
                keep_only(mine);
                direct(i, w_[i], slope_);
                keep_only(mine);  // a rule may move what has no gradient
                w_[i] = w_[i] - static_cast<T>(rate) * slope_;
            }
            met_ = ++k_ % every_ == 0;
        }
        /// The whole network as it is now, on all ranks.
        void whole(A& all) {
            all = home_;
            if (k_ > 0) put_together((k_ - 1) / every_, all);
            nodes_.ranks().broadcast(std::span<T>(all.span()), 0);
        }
        /// Units change hands before the next round: what the method wants done with memories.
        bool met() const { return met_; }
        at_meeting memory() const { return memory_; }
        /// What must outlive an interruption: of this rank's nodes, which are the problem's blocks.
        template <class Each, class P> void describe(Each& each, [[maybe_unused]] const P& p) {
            each.blocks("copies", w_, p);
            each("whole", home_);
            each("steps", k_);
        }
        std::vector<A>& copies() { return w_; }

    private:
        using entry_list = std::vector<std::size_t>;  // weights, by number

        void check(std::size_t size) const {
            std::size_t made = 0;
            std::string shown;
            for (std::size_t l = 0; l < widths_.size(); ++l) {
                shown += core::text(l > 0 ? " " : "", widths_[l]);
                if (l > 0) made += (widths_[l - 1] + 1) * widths_[l];
                if (l > 0 && l + 1 < widths_.size() && widths_[l] < nodes_.count())
                    throw core::option_error(core::text("exchange::subnets: ", widths_[l], " hidden units for ",
                                                        nodes_.count(),
                                                        " nodes (each needs one) have fewer nodes, or more units"));
            }
            if (made != size)
                throw core::option_error(core::text("exchange::subnets: widths ", shown, " have ", made,
                                                    " parameters (the model has ", size,
                                                    "; only dense layers in a chain, each with a bias, are dealt) name "
                                                    "the columns and the outputs of every layer"));
        }

        /// The units of layer l that a node has: all of the columns and of the outputs.
        std::vector<std::size_t> units(std::size_t l, std::size_t node, std::size_t cycle) const {
            const std::size_t width = widths_[l], layers = widths_.size(), count = nodes_.count();
            std::vector<std::size_t> all(width);
            if (l == 0 || l + 1 == layers) {
                for (std::size_t u = 0; u < width; ++u) all[u] = u;
                return all;
            }
            all = core::permutation({.seed = seed_, .stream = cycle * layers + l}, width);
            std::vector<std::size_t> mine(all.begin() + static_cast<std::ptrdiff_t>(width * node / count),
                                          all.begin() + static_cast<std::ptrdiff_t>(width * (node + 1) / count));
            std::sort(mine.begin(), mine.end());
            return mine;
        }

        /// All that a node has in a cycle; the biases of the outputs last.
        const entry_list& entries(std::size_t node, std::size_t cycle) {
            if (known_.empty() || cycle != known_for_) known_.assign(nodes_.count(), {});
            known_for_ = cycle;
            entry_list& found = known_[node];
            if (!found.empty()) return found;
            std::size_t first = 0;
            std::vector<std::size_t> in = units(0, node, cycle);
            for (std::size_t l = 1; l < widths_.size(); ++l) {
                const std::size_t width = widths_[l];
                const std::vector<std::size_t> out = units(l, node, cycle);
                for (const std::size_t i : in)
                    for (const std::size_t j : out) found.push_back(first + i * width + j);
                first += widths_[l - 1] * width;
                for (const std::size_t j : out) found.push_back(first + j);
                first += width;
                in = out;
            }
            return found;
        }

        void keep_only(const entry_list& mine) {
            std::vector<T> kept(mine.size());
            for (std::size_t e = 0; e < mine.size(); ++e) kept[e] = slope_[mine[e]];
            std::fill(slope_.span().begin(), slope_.span().end(), T(0));
            for (std::size_t e = 0; e < mine.size(); ++e) slope_[mine[e]] = kept[e];
        }

        /// From the first rank to the nodes.
        void deal(std::size_t cycle) {
            const bool here = nodes_.ranks().rank() == 0;
            std::vector<std::vector<T>> parts(nodes_.count());
            std::vector<communicator::parcel<const T>> out;
            std::vector<communicator::parcel<T>> in;
            for (std::size_t node = 0; node < nodes_.count(); ++node) {
                if (!here && !nodes_.is_mine(node)) continue;
                std::vector<T>& part = parts[node];
                part.resize(entries(node, cycle).size());
                if (here)
                    for (std::size_t e = 0; e < part.size(); ++e) part[e] = home_[entries(node, cycle)[e]];
                if (here && !nodes_.is_mine(node)) out.push_back({nodes_.owner(node), part});
                if (!here) in.push_back({0, part});
            }
            exchange(out, in);
            for (std::size_t i = 0; i < w_.size(); ++i) {
                const std::size_t node = nodes_.first() + i;
                const entry_list& mine = entries(node, cycle);
                std::fill(w_[i].span().begin(), w_[i].span().end(), T(0));
                for (std::size_t e = 0; e < mine.size(); ++e) w_[i][mine[e]] = parts[node][e];
            }
        }

        /// And back: the whole, on the first rank.
        void put_together(std::size_t cycle, A& all) {
            const bool here = nodes_.ranks().rank() == 0;
            const std::size_t shared = widths_.back();
            std::vector<std::vector<T>> parts(nodes_.count());
            std::vector<communicator::parcel<const T>> out;
            std::vector<communicator::parcel<T>> in;
            for (std::size_t node = 0; node < nodes_.count(); ++node) {
                if (!here && !nodes_.is_mine(node)) continue;
                const entry_list& mine = entries(node, cycle);
                std::vector<T>& part = parts[node];
                part.resize(mine.size());
                if (nodes_.is_mine(node))
                    for (std::size_t e = 0; e < part.size(); ++e) part[e] = w_[node - nodes_.first()][mine[e]];
                if (here && !nodes_.is_mine(node)) in.push_back({nodes_.owner(node), part});
                if (!here) out.push_back({0, part});
            }
            exchange(out, in);
            if (!here) return;
            std::vector<double> sums(shared);
            for (std::size_t node = 0; node < nodes_.count(); ++node) {
                const entry_list& mine = entries(node, cycle);
                const std::size_t own = mine.size() - shared;
                for (std::size_t e = 0; e < own; ++e) all[mine[e]] = parts[node][e];
                for (std::size_t j = 0; j < shared; ++j) sums[j] += static_cast<double>(parts[node][own + j]);
            }
            for (std::size_t j = 0; j < shared; ++j)
                all[all.size() - shared + j] = static_cast<T>(sums[j] / static_cast<double>(nodes_.count()));
        }

        void exchange(const std::vector<communicator::parcel<const T>>& out,
                      const std::vector<communicator::parcel<T>>& in) const {
            nodes_.ranks().exchange(std::span<const communicator::parcel<const T>>(out),
                                    std::span<const communicator::parcel<T>>(in));
        }

        std::vector<std::size_t> widths_;
        std::size_t every_;
        std::uint64_t seed_;
        at_meeting memory_;
        const N& nodes_;
        A home_, slope_;
        std::vector<A> w_;
        std::vector<entry_list> known_{};  // of the nodes, in cycle known_for_
        std::size_t k_ = 0, known_for_ = 0;
        bool met_ = false;
    };
};

}  // namespace gamut::exchange

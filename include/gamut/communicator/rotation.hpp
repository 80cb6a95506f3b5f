// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <span>
#include <utility>
#include <vector>

#include <gamut/communicator/concept.hpp>
#include <gamut/core/error.hpp>
#include <gamut/core/text.hpp>

namespace gamut::communicator {

/// How blocks travel: to the neighbour, or over rank 0, where a machine can reach no other.
enum class route { ring, star };

/// A schedule of blocks over nodes: as many of each, and in step s node i works on block i + s (mod nodes). So no two nodes have the same
/// block in a step, and in a cycle of `nodes` steps every block has been on every node: what blocks hold may be changed without a lock, and
/// follows from the number of nodes alone, not of ranks. A block travels from node to node with what it holds.
///     for (step = 0; step < nodes; ++step) { for i of mine(): work(i, block_at(i, step)); move(step, held, length); }
/// Messages in a step, with P ranks that have nodes: ring P, star 2 (P - 1), or 2 P where rank 0 has none; a block each. One rank sends none.
/// Zheng, Kim, Ho and Xing, Model-parallel inference for big topic models, 2014; Gemulla, Nijkamp, Haas and Sismanis, KDD 2011.
template <class C> class rotation {
    static_assert(PairwiseCommunicator<C>,
                  "rotation: needs a communicator with exchange; see gamut/communicator/concept.hpp");

public:
    struct range {
        std::size_t begin = 0, end = 0;
        std::size_t size() const { return end - begin; }
    };

    rotation(const C& ranks, std::size_t nodes, route way = route::ring) : ranks_(ranks), nodes_(nodes), way_(way) {
        if (nodes == 0) throw core::option_error("rotation: nodes is 0 (one is needed) try 8");
        mine_ = nodes_of(static_cast<std::size_t>(ranks.rank()));
    }

    std::size_t nodes() const { return nodes_; }
    /// The nodes of this rank, one after another; ranks beyond the number of nodes have none.
    range mine() const { return mine_; }
    range nodes_of(std::size_t rank) const {
        const auto size = static_cast<std::size_t>(ranks_.size());
        return {nodes_ * rank / size, nodes_ * (rank + 1) / size};
    }
    std::size_t rank_of(std::size_t node) const {
        const auto size = static_cast<std::size_t>(ranks_.size());
        std::size_t rank = node * size / nodes_;
        while (rank + 1 < size && nodes_of(rank).end <= node) ++rank;
        return rank;
    }

    std::size_t block_at(std::size_t node, std::size_t step) const { return (node + step) % nodes_; }
    /// Where a block is in a step.
    std::size_t node_of(std::size_t block, std::size_t step) const { return (block + nodes_ - step % nodes_) % nodes_; }

    /// held[i]: the block that this rank's i-th node had in this step, and afterwards the one that it has in the next; length(block) numbers
    /// each, which all ranks know. Collective over the ranks that have nodes; with the star rank 0 takes part, too.
    template <Element T, class Length>
    void move(std::size_t step, std::vector<std::vector<T>>& held, Length&& length) const {
        if (nodes_ == 1) return;
        const auto mine = static_cast<std::size_t>(ranks_.rank());
        std::vector<T> gone;
        if (mine_.size() > 0) {
            gone = std::move(held.front());
            for (std::size_t i = 0; i + 1 < held.size(); ++i) held[i] = std::move(held[i + 1]);
            if (mine_.size() == nodes_) {
                held.back() = std::move(gone);
                return;
            }
            held.back().resize(length(block_at(mine_.end - 1, step + 1)));
        }
        const std::size_t to = rank_of((mine_.begin + nodes_ - 1) % nodes_), from = rank_of(mine_.end % nodes_);
        if (way_ == route::ring) {
            if (mine_.size() > 0) send(to, gone, from, held.back());
        } else if (mine_.size() > 0 || mine == 0) {
            over_rank_0(step, gone, held, length);
        }
    }

private:
    template <class T>
    void send(std::size_t to, const std::vector<T>& gone, std::size_t from, std::vector<T>& come) const {
        const parcel<const T> out{static_cast<int>(to), gone};
        const parcel<T> in{static_cast<int>(from), come};
        ranks_.exchange(std::span(&out, 1), std::span(&in, 1));
    }

    /// Everybody sends to rank 0, and then hears from it. What rank 0 has, or wants, travels once; others' blocks twice.
    template <class T, class Length>
    void over_rank_0(std::size_t step, const std::vector<T>& gone, std::vector<std::vector<T>>& held,
                     Length&& length) const {
        if (ranks_.rank() != 0) {
            const parcel<const T> out{0, gone};
            ranks_.exchange(std::span(&out, 1), std::span<const parcel<T>>{});
            const parcel<T> in{0, held.back()};
            ranks_.exchange(std::span<const parcel<const T>>{}, std::span(&in, 1));
            return;
        }
        const auto size = static_cast<std::size_t>(ranks_.size());
        std::vector<std::vector<T>> passing(size);  // by the rank that it goes to
        std::vector<parcel<T>> in;
        std::vector<parcel<const T>> out;
        for (std::size_t from = 0; from < size; ++from) {
            const range theirs = nodes_of(from);
            if (theirs.size() == 0) continue;
            const std::size_t to = rank_of((theirs.begin + nodes_ - 1) % nodes_);
            std::vector<T>& block = to == 0 ? held.back() : passing[to];
            if (from == 0) {
                block = gone;
            } else {
                block.resize(length(block_at(theirs.begin, step)));
                in.push_back({static_cast<int>(from), block});
            }
        }
        ranks_.exchange(std::span<const parcel<const T>>{}, std::span<const parcel<T>>(in));
        for (std::size_t to = 1; to < size; ++to)
            if (nodes_of(to).size() > 0) out.push_back({static_cast<int>(to), passing[to]});
        ranks_.exchange(std::span<const parcel<const T>>(out), std::span<const parcel<T>>{});
    }

    const C& ranks_;
    std::size_t nodes_;
    route way_;
    range mine_;
};

}  // namespace gamut::communicator

// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <exception>
#include <span>
#include <utility>
#include <vector>

#include <gamut/communicator/concept.hpp>
#include <gamut/communicator/sum.hpp>
#include <gamut/core/error.hpp>
#include <gamut/exchange/first_node.hpp>
#include <gamut/fwd.hpp>
#include <gamut/topology/concept.hpp>
#include <gamut/topology/mixing_matrix.hpp>

namespace gamut::exchange {

/// What this rank's nodes hear at one step, and what travels for it: a node's numbers go once to each rank where somebody hears it.
struct route {
    struct traveller {
        int rank = 0;
        std::size_t node = 0;
        auto operator<=>(const traveller&) const = default;
    };
    std::vector<std::vector<topology::link>> rows{};  // of my nodes, by sources
    std::vector<traveller> out{}, in{};               // ascending: both sides list alike

    /// Where in `in` a node of another rank is that is heard here.
    std::size_t place(std::size_t node) const {
        const auto at = std::find_if(in.begin(), in.end(), [&](const traveller& one) { return one.node == node; });
        return static_cast<std::size_t>(at - in.begin());
    }
};

/// The nodes: copies of the weights, as many as one says, dealt to the ranks in runs, as blocks of rows are. Everything below depends on
/// the nodes and not on the ranks: the same bits on any number of them.
template <class C> class nodes {
    static_assert(communicator::PairwiseCommunicator<C>,
                  "exchange: needs a communicator whose ranks talk in pairs; see gamut/communicator/concept.hpp");

public:
    using communicator_type = C;

    nodes(const C& ranks, std::size_t count) : ranks_(ranks), count_(count) {
        if (count < 1) throw core::option_error("exchange: 0 nodes (at least one is needed) set .blocks");
        first_ = first_node(count, ranks.rank(), ranks.size());
        last_ = first_node(count, ranks.rank() + 1, ranks.size());
    }

    const C& ranks() const { return ranks_; }
    /// Of all ranks together.
    std::size_t count() const { return count_; }
    /// This rank's: first() <= i < first() + size(), maybe none.
    std::size_t first() const { return first_; }
    std::size_t size() const { return last_ - first_; }
    bool is_mine(std::size_t node) const { return node >= first_ && node < last_; }
    /// The rank where a node lives: the largest r with count r / ranks <= node.
    int owner(std::size_t node) const {
        const auto n = static_cast<std::size_t>(ranks_.size());
        return static_cast<int>(((node + 1) * n - 1) / count_);
    }

    route plan(const topology::mixing_matrix& w) const {
        route p;
        for (std::size_t i = 0; i < count_; ++i) {
            const int to = owner(i);
            if (to == ranks_.rank()) p.rows.push_back(w.row(i));
            for (const auto& l : w.row(i)) {
                const int from = owner(l.from);
                if (from == to) continue;
                if (to == ranks_.rank()) p.in.push_back({from, l.from});
                if (from == ranks_.rank()) p.out.push_back({to, l.from});
            }
        }
        for (auto* list : {&p.out, &p.in}) {
            std::sort(list->begin(), list->end());
            list->erase(std::unique(list->begin(), list->end()), list->end());
        }
        return p;
    }

    /// y_i = sum of W_ij x_j over what node i hears, in the order of the sources, for this rank's nodes; several things, x and y in turn,
    /// travel together. One message for each entry of route.out. All ranks call it.
    template <class A, class... More>
    void mix(const route& p, const std::vector<A>& x, std::vector<A>& y, More&... more) const {
        using T = typename A::value_type;
        std::vector<thing<A>> things;
        list(things, x, y, more...);
        std::size_t width = 0;
        for (thing<A>& one : things) one.begin = width, width += one.width;
        const std::span<T> heard = room<T>(heard_, p.in.size() * width),
                           sent = room<T>(sent_, things.size() > 1 ? p.out.size() * width : 0);
        std::vector<communicator::parcel<const T>> out;
        std::vector<communicator::parcel<T>> in;
        for (std::size_t k = 0; k < p.out.size(); ++k) {
            std::span<const T> said = (*things[0].x)[p.out[k].node - first_].span();
            if (things.size() > 1) {
                const std::span<T> packed = sent.subspan(k * width, width);
                for (const thing<A>& one : things)
                    std::copy_n((*one.x)[p.out[k].node - first_].span().begin(), one.width,
                                packed.begin() + static_cast<std::ptrdiff_t>(one.begin));
                said = packed;
            }
            out.push_back({p.out[k].rank, said});
        }
        for (std::size_t k = 0; k < p.in.size(); ++k) in.push_back({p.in[k].rank, heard.subspan(k * width, width)});
        ranks_.exchange(std::span<const communicator::parcel<const T>>(out),
                        std::span<const communicator::parcel<T>>(in));

        for (std::size_t i = 0; i < p.rows.size(); ++i)
            for (std::size_t l = 0; l < p.rows[i].size(); ++l) {
                const auto& link = p.rows[i][l];
                const T weight = static_cast<T>(link.weight);
                const T* const from = is_mine(link.from) ? nullptr : heard.data() + p.place(link.from) * width;
                for (const thing<A>& one : things) {
                    const T* const source = from ? from + one.begin : (*one.x)[link.from - first_].span().data();
                    T* const to = (*one.y)[i].span().data();
                    if (l == 0)
                        for (std::size_t j = 0; j < one.width; ++j) to[j] = weight * source[j];
                    else
                        for (std::size_t j = 0; j < one.width; ++j) to[j] += weight * source[j];
                }
            }
    }

    /// The mean over all nodes, on all ranks: one global sum.
    template <class A> void mean(const std::vector<A>& x, A& out) const {
        using T = typename A::value_type;
        const std::size_t m = out.size();
        const std::span<double> rows = room<double>(sent_, size() * m), sums = room<double>(heard_, m);
        for (std::size_t i = 0; i < size(); ++i)
            std::copy_n(x[i].span().begin(), m, rows.begin() + static_cast<std::ptrdiff_t>(i * m));
        communicator::sum(ranks_, std::span<const double>(rows), size(), sums);
        for (std::size_t j = 0; j < m; ++j) out.span()[j] = static_cast<T>(sums[j] / static_cast<double>(count_));
    }

    /// sqrt(mean over nodes of |x_i - mean|^2), on all ranks: one global sum of a number.
    template <class A> double distance(const std::vector<A>& x, const A& mean) const {
        std::vector<double> apart(size());
        for (std::size_t i = 0; i < size(); ++i)
            for (std::size_t j = 0; j < mean.size(); ++j) {
                const double d = static_cast<double>(x[i].span()[j]) - static_cast<double>(mean.span()[j]);
                apart[i] += d * d;
            }
        double sum = 0;
        communicator::sum(ranks_, std::span<const double>(apart), size(), std::span<double>(&sum, 1));
        return std::sqrt(sum / static_cast<double>(count_));
    }

private:
    template <class A> struct thing {
        const std::vector<A>* x;
        std::vector<A>* y;
        std::size_t width, begin = 0;
    };
    /// Room for numbers on their way, kept from step to step: new memory at every step took longer than the messages
    /// (benchmarks/exchange/meeting.cpp). What neighbours say; with `mean` as much as all copies of this rank, in double precision.
    template <class T> static std::span<T> room(std::vector<std::byte>& kept, std::size_t count) {
        if (kept.size() < count * sizeof(T)) kept.resize(count * sizeof(T));
        return {reinterpret_cast<T*>(kept.data()), count};
    }
    template <class A> void list(std::vector<thing<A>>&) const {}
    template <class A, class... More>
    void list(std::vector<thing<A>>& things, const std::vector<A>& x, std::vector<A>& y, More&... more) const {
        static_assert(
            requires(A & copy) { copy.span(); }, "exchange: needs arrays in host memory (backend::host)");
        // a rank without nodes sends nothing and hears nothing
        things.push_back({&x, &y, x.empty() ? 0 : x[0].size()});
        list<A>(things, more...);
    }

    C ranks_;
    std::size_t count_, first_ = 0, last_ = 0;
    mutable std::vector<std::byte> sent_, heard_;
};

}  // namespace gamut::exchange

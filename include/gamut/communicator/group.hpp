// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include <gamut/communicator/all_gather.hpp>
#include <gamut/communicator/concept.hpp>
#include <gamut/communicator/reduce_scatter.hpp>
#include <gamut/core/error.hpp>
#include <gamut/fwd.hpp>

namespace gamut::communicator {

/// Some ranks of a communicator as a communicator of their own, made of exchanges in pairs, so it costs no message to make and runs
/// wherever pairs can talk. `members`: ranks of the whole, in the order that is theirs here. All members make it, with the same
/// list; collectives of two groups may go on at the same time, one after another on a rank that is in both.
/// A sum of n numbers: 2 (k - 1) messages of n / k numbers for each of the k members; a broadcast: log2 k steps.
template <class C> class group {
    static_assert(PairwiseCommunicator<C>,
                  "group: needs a communicator whose ranks talk in pairs; see gamut/communicator/concept.hpp");

public:
    using sums = typename C::sums;

    group(C whole, std::vector<int> members)
        : whole_(std::move(whole)),
          members_(std::make_shared<const std::vector<int>>(std::move(members))) {
        std::vector<bool> seen(static_cast<std::size_t>(whole_.size()));
        for (const int member : *members_) {
            if (member < 0 || member >= whole_.size() || seen[static_cast<std::size_t>(member)])
                throw core::communicator_error(core::text(
                    "group: rank ", member, " (members must be different ranks, 0 to ", whole_.size() - 1, ")"));
            seen[static_cast<std::size_t>(member)] = true;
        }
        const auto mine = std::find(members_->begin(), members_->end(), whole_.rank());
        if (mine == members_->end())
            throw core::communicator_error(
                core::text("group: rank ", whole_.rank(), " is no member (only members can make their group)"));
        rank_ = static_cast<int>(mine - members_->begin());
    }

    int rank() const { return rank_; }
    int size() const { return static_cast<int>(members_->size()); }
    int local_size() const { return std::min(size(), whole_.local_size()); }
    const C& whole() const { return whole_; }
    const std::vector<int>& members() const { return *members_; }

    template <Element T> void all_reduce(std::span<T> values, operation combine) const {
        const shares cut{values.size(), members_->size()};
        std::vector<std::size_t> counts(members_->size());
        for (std::size_t r = 0; r < counts.size(); ++r) counts[r] = cut.size(r);
        std::vector<T> mine(counts[static_cast<std::size_t>(rank_)]);
        reduce_scatter(*this, std::span<const T>(values), std::span<T>(mine), combine, counts);
        all_gather(*this, std::span<const T>(mine), values, std::span<const std::size_t>(counts));
    }

    template <Element T> void broadcast(std::span<T> values, int root) const {
        if (root < 0 || root >= size())
            throw core::communicator_error(core::text("broadcast: root ", root, " (ranks are 0..", size() - 1, ")"));
        const int place = (rank_ - root + size()) % size();  // as if the root were rank 0
        const auto at = [&](int other) { return (other + root) % size(); };
        for (int width = 1; width < size(); width *= 2) {
            std::vector<parcel<const T>> out;
            std::vector<parcel<T>> in;
            if (place < width && place + width < size()) out.push_back({at(place + width), values});
            if (place >= width && place < 2 * width) in.push_back({at(place - width), values});
            exchange(std::span<const parcel<const T>>(out), std::span<const parcel<T>>(in));
        }
    }

    template <Element T> void gather(std::span<const T> mine, std::span<T> all) const {
        if (all.size() != mine.size() * members_->size())
            throw core::shape_error(core::text("gather: ", all.size(), " entries for the result (", size(),
                                               " ranks bring ", mine.size(), " each)"));
        const std::vector<std::size_t> counts(members_->size(), mine.size());
        all_gather(*this, mine, all, std::span<const std::size_t>(counts));
    }

    void barrier() const {
        for (int distance = 1; distance < size(); distance *= 2) {  // Hensgen, Finkel and Manber 1988
            const std::uint8_t here = 0;
            std::uint8_t there = 0;
            const parcel<const std::uint8_t> out{(rank_ + distance) % size(), {&here, 1}};
            const parcel<std::uint8_t> in{(rank_ - distance + size()) % size(), {&there, 1}};
            exchange(std::span<const parcel<const std::uint8_t>>(&out, 1),
                     std::span<const parcel<std::uint8_t>>(&in, 1));
        }
    }

    template <Element T> void exchange(std::span<const parcel<const T>> out, std::span<const parcel<T>> in) const {
        const auto translated = [&]<class P>(std::span<const P> parcels) {
            std::vector<P> whole;
            whole.reserve(parcels.size());
            for (const P& one : parcels) {
                if (one.rank < 0 || one.rank >= size())
                    throw core::communicator_error(
                        core::text("exchange: a parcel of rank ", one.rank, " (ranks are 0..", size() - 1, ")"));
                whole.push_back({(*members_)[static_cast<std::size_t>(one.rank)], one.values});
            }
            return whole;
        };
        const auto to = translated(out);
        const auto from = translated(in);
        whole_.exchange(std::span<const parcel<const T>>(to), std::span<const parcel<T>>(from));
    }

private:
    C whole_;
    std::shared_ptr<const std::vector<int>> members_;
    int rank_ = 0;
};

/// The ranks of a communicator in runs of k: machines of k ranks each, the last one smaller where k does not divide their number.
/// This rank's machine, and the first ranks of all machines where this rank is one of them. On one machine, too: so that what is
/// meant for many can be tried.
template <PairwiseCommunicator C> group<C> machine_of(const C& c, int k) {
    if (k < 1) throw core::option_error(core::text("machine_of: machines of ", k, " ranks (at least one is needed)"));
    std::vector<int> members;
    for (int r = c.rank() / k * k; r < std::min(c.size(), c.rank() / k * k + k); ++r) members.push_back(r);
    return group<C>(c, std::move(members));
}

/// The ranks whose `colour` is this rank's, in the order of ranks. Collective over the whole: one gather of a number.
template <PairwiseCommunicator C> group<C> split(const C& c, int colour) {
    const auto mine = static_cast<std::int32_t>(colour);
    std::vector<std::int32_t> colours(static_cast<std::size_t>(c.size()));
    c.gather(std::span<const std::int32_t>(&mine, 1), std::span<std::int32_t>(colours));
    std::vector<int> members;
    for (int r = 0; r < c.size(); ++r)
        if (colours[static_cast<std::size_t>(r)] == mine) members.push_back(r);
    return group<C>(c, std::move(members));
}

}  // namespace gamut::communicator

// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <deque>
#include <span>
#include <utility>
#include <vector>

#include <gamut/communicator/concept.hpp>
#include <gamut/core/error.hpp>

namespace gamut::communicator {

/// What every rank has, on all ranks, while the ranks compute: arrays b = 0, 1, ... of any lengths, which may change.
///     background_gather<C, double> all(c, arrays);     collective
///     all.start(b, mine);                              returns at once; the numbers are copied
///     all.wait(b);                                     what rank 0, 1, ... started with, when all of it is there
/// All ranks start and wait for every array in rounds: a second start of an array comes after the wait for its first. Ranks may take
/// the arrays in any order. ranks - 1 letters and mine.size() (ranks - 1) numbers per rank and array, 8 bytes more per letter.
template <class C, class T> class background_gather {
    static_assert(PostalCommunicator<C>,
                  "background_gather: needs a communicator with mailboxes; see gamut/communicator/concept.hpp");

public:
    background_gather(const C& c, std::size_t arrays)
        : rank_(static_cast<std::size_t>(c.rank())),
          ranks_(static_cast<std::size_t>(c.size())),
          started_(arrays),
          taker_{std::vector<std::vector<queue>>(arrays, std::vector<queue>(ranks_))},
          box_(c.open(taker_)) {}
    background_gather(const background_gather&) = delete;
    background_gather& operator=(const background_gather&) = delete;

    /// Throws shape_error for an array that was started and not waited for.
    void start(std::size_t b, std::vector<T> mine) {
        if (started_.at(b))
            throw core::shape_error(
                core::text("background_gather: array ", b, " is on its way (wait for it before it starts again)"));
        started_[b] = true;
        const std::uint64_t which = b;
        std::vector<std::uint8_t> letter(sizeof which + mine.size() * sizeof(T));
        std::memcpy(letter.data(), &which, sizeof which);
        if (!mine.empty()) std::memcpy(letter.data() + sizeof which, mine.data(), mine.size() * sizeof(T));
        for (std::size_t step = 1; step < ranks_; ++step) box_.post(static_cast<int>((rank_ + step) % ranks_), letter);
        box_.look([&] {
            taker_.arrived[b][rank_].push_back(std::move(mine));
            return true;
        });
    }

    std::vector<std::vector<T>> wait(std::size_t b) {
        if (!started_.at(b)) throw core::shape_error(core::text("background_gather: array ", b, " was not started"));
        started_[b] = false;
        std::vector<queue>& of_ranks = taker_.arrived[b];
        box_.wait([&] {
            for (const queue& one : of_ranks)
                if (one.empty()) return false;
            return true;
        });
        return box_.look([&] {
            std::vector<std::vector<T>> all;
            for (queue& one : of_ranks) {
                all.push_back(std::move(one.front()));
                one.pop_front();
            }
            return all;
        });
    }

private:
    using queue = std::deque<std::vector<T>>;  // a rank that is fast may be a round ahead

    struct taker {
        std::vector<std::vector<queue>> arrived;  // by array, by rank

        void letter(int from, std::span<const std::uint8_t> bytes) {
            std::uint64_t which = arrived.size();
            if (bytes.size() >= sizeof which) std::memcpy(&which, bytes.data(), sizeof which);
            if (which >= arrived.size() || (bytes.size() - sizeof which) % sizeof(T) != 0)
                throw core::communicator_error(
                    core::text("background_gather: rank ", from, " sent a letter of ", bytes.size(),
                               " bytes (it is none of this gather's) all ranks must have the same arrays"));
            std::vector<T> values((bytes.size() - sizeof which) / sizeof(T));
            if (!values.empty()) std::memcpy(values.data(), bytes.data() + sizeof which, bytes.size() - sizeof which);
            arrived[which][static_cast<std::size_t>(from)].push_back(std::move(values));
        }
    };

    std::size_t rank_, ranks_;
    std::vector<bool> started_;
    taker taker_;
    decltype(std::declval<const C&>().open(std::declval<taker&>())) box_;
};

}  // namespace gamut::communicator

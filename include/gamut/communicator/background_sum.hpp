// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <utility>
#include <vector>

#include <gamut/communicator/concept.hpp>
#include <gamut/communicator/detail/contribution.hpp>
#include <gamut/communicator/reduce_scatter.hpp>
#include <gamut/core/error.hpp>

namespace gamut::communicator {

/// Sums over ranks that go on while the ranks compute: total_b = sum over ranks of values_b, for arrays b = 0, 1, ... of given sizes.
///     background_sum<C, double> sums(c, sizes);        collective
///     sums.start(b, values);                           returns at once; values are copied
///     sums.wait(b, total);                             until the sum is there
/// All ranks start and wait for every array in rounds: a second start of an array comes after the wait for its first. Ranks may take
/// the arrays in any order. Each rank adds up its share of an array, in the order of ranks, once all parts have come, and sends it to
/// the others: 2 (ranks - 1) letters and 2 n (ranks - 1) / ranks numbers per rank and array; memory for the arrays and their parts.
/// The wait-free scheme of Zhang et al., Poseidon, USENIX ATC 2017, section 3, with the ranks as servers.
template <class C, class T> class background_sum {
    static_assert(PostalCommunicator<C>,
                  "background_sum: needs a communicator with mailboxes; see gamut/communicator/concept.hpp");

public:
    background_sum(const C& c, std::span<const std::size_t> sizes) : taker_(c, sizes), box_(c.open(taker_)) {
        taker_.send = {&box_, [](void* box, int to, std::vector<std::uint8_t> bytes) {
                           static_cast<box_type*>(box)->post(to, std::move(bytes));
                       }};
    }
    background_sum(const background_sum&) = delete;
    background_sum& operator=(const background_sum&) = delete;

    std::size_t arrays() const { return taker_.arrays.size(); }

    /// Throws shape_error for another number of values than the array has, or an array that was started and not waited for.
    void start(std::size_t b, std::span<const T> values) {
        array& one = at(b, values.size());
        if (one.started)
            throw core::shape_error(
                core::text("background_sum: array ", b, " is on its way (wait for it before it starts again)"));
        one.started = true;
        for (std::size_t step = 1; step <= taker_.ranks; ++step) {  // its own share last
            const std::size_t to = (taker_.rank + step) % taker_.ranks;
            const auto part = values.subspan(one.cut.begin(to), one.cut.size(to));
            if (!part.empty()) box_.post(static_cast<int>(to), letter_of({kind::part, b}, part));
        }
    }

    void wait(std::size_t b, std::span<T> total) {
        array& one = at(b, total.size());
        if (!one.started) throw core::shape_error(core::text("background_sum: array ", b, " was not started"));
        box_.wait([&] { return one.missing == 0; });
        box_.look([&] {
            std::copy(one.total.begin(), one.total.end(), total.begin());
            one.missing = one.pieces;
            return true;
        });
        one.started = false;
    }

private:
    enum class kind : std::uint32_t { part, total };
    struct header {
        kind what = kind::part;
        std::uint64_t array = 0;
    };
    struct array {
        shares cut{};
        std::vector<T> parts{};  // of this rank's share, by rank
        std::vector<T> total{};
        std::size_t arrived = 0;              // parts
        std::size_t pieces = 0, missing = 0;  // of the total
        bool started = false;
    };

    static std::vector<std::uint8_t> letter_of(header head, std::span<const T> values) {
        std::vector<std::uint8_t> bytes(sizeof head + values.size_bytes());
        std::memcpy(bytes.data(), &head, sizeof head);
        std::memcpy(bytes.data() + sizeof head, values.data(), values.size_bytes());
        return bytes;
    }

    struct taker {
        taker(const C& c, std::span<const std::size_t> sizes)
            : rank(static_cast<std::size_t>(c.rank())),
              ranks(static_cast<std::size_t>(c.size())) {
            for (const std::size_t size : sizes) {
                array& one = arrays.emplace_back();
                one.cut = {size, ranks};
                one.parts.resize(one.cut.size(rank) * ranks);
                one.total.resize(size);
                for (std::size_t r = 0; r < ranks; ++r) one.pieces += one.cut.size(r) > 0;
                one.missing = one.pieces;
            }
        }

        void letter(int sender, std::span<const std::uint8_t> bytes) {
            header head;
            const auto from = static_cast<std::size_t>(sender);
            if (bytes.size() >= sizeof head) std::memcpy(&head, bytes.data(), sizeof head);
            const bool part = head.what == kind::part;
            if (bytes.size() < sizeof head || head.array >= arrays.size() ||
                bytes.size() - sizeof head != arrays[head.array].cut.size(part ? rank : from) * sizeof(T))
                throw core::communicator_error(
                    core::text("background_sum: rank ", from, " sent a letter of ", bytes.size(),
                               " bytes (it is none of this sum's) all ranks must give the same sizes"));
            array& one = arrays[head.array];
            T* const to = part ? one.parts.data() + from * one.cut.size(rank) : one.total.data() + one.cut.begin(from);
            std::memcpy(to, bytes.data() + sizeof head, bytes.size() - sizeof head);
            if (!part)
                --one.missing;
            else if (++one.arrived == ranks)
                add_up(head.array);
        }

        void add_up(std::uint64_t b) {
            array& one = arrays[b];
            const std::size_t count = one.cut.size(rank);
            T* const total = one.total.data() + one.cut.begin(rank);
            std::copy(one.parts.begin(), one.parts.begin() + static_cast<std::ptrdiff_t>(count), total);
            for (std::size_t r = 1; r < ranks; ++r)
                detail::combine_into(total, one.parts.data() + r * count, count, operation::sum);
            one.arrived = 0;
            --one.missing;
            for (std::size_t step = 1; step < ranks; ++step)
                send.call(send.box, static_cast<int>((rank + step) % ranks),
                          letter_of({kind::total, b}, std::span<const T>(total, count)));
        }

        std::size_t rank, ranks;
        std::vector<array> arrays;
        struct {
            void* box = nullptr;
            void (*call)(void*, int, std::vector<std::uint8_t>) = nullptr;
        } send{};
    };
    using box_type = decltype(std::declval<const C&>().open(std::declval<taker&>()));

    array& at(std::size_t b, std::size_t size) {
        if (b >= taker_.arrays.size() || taker_.arrays[b].cut.numbers != size)
            throw core::shape_error(core::text("background_sum: ", size, " numbers for array ", b, " (",
                                               b < taker_.arrays.size()
                                                   ? core::text("it has ", taker_.arrays[b].cut.numbers)
                                                   : core::text("there are ", taker_.arrays.size()),
                                               ")"));
        return taker_.arrays[b];
    }

    taker taker_;
    box_type box_;
};

}  // namespace gamut::communicator

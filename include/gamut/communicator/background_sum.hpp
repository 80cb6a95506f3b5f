// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <concepts>
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
#include <gamut/core/exact_sum.hpp>

namespace gamut::communicator {

/// Sums over ranks that go on while the ranks compute: total_b = sum over ranks of values_b, for arrays b = 0, 1, ... of given sizes.
///     background_sum<C, double> sums(c, sizes);        collective
///     sums.start(b, values);                           returns at once; values are copied
///     sums.wait(b, total);                             until the sum is there
/// All ranks start and wait for every array in rounds: a second start of an array comes after the wait for its first. Ranks may take
/// the arrays in any order. Each rank adds up its share of an array, in the order of ranks, once all parts have come, and sends it to
/// the others: 2 (ranks - 1) letters and 2 n (ranks - 1) / ranks numbers per rank and array, and one letter without numbers to itself;
/// memory for the arrays and their parts.
/// With `partials`, rank r starts with partials[r] partial sums of each array, row-major, and the total of all of them is what
/// communicator::sum with core::exact says, to the bit; a rank then sends partials[r] + 1 times n (ranks - 1) / ranks numbers.
/// The wait-free scheme of Zhang et al., Poseidon, USENIX ATC 2017, section 3, with the ranks as servers.
template <class C, class T> class background_sum {
    static_assert(PostalCommunicator<C>,
                  "background_sum: needs a communicator with mailboxes; see gamut/communicator/concept.hpp");

public:
    background_sum(const C& c, std::span<const std::size_t> sizes) : taker_(c, sizes, {}), box_(c.open(taker_)) {
        connect();
    }
    background_sum(const C& c, std::span<const std::size_t> sizes,
                   std::span<const std::size_t> partials) requires std::same_as<T, double> : taker_(c, sizes, partials),
                                                                                             box_(c.open(taker_)) {
        connect();
    }
    background_sum(const background_sum&) = delete;
    background_sum& operator=(const background_sum&) = delete;

    std::size_t arrays() const { return taker_.arrays.size(); }

    /// Throws shape_error for another number of values than the array (its partial sums) have, or an array that was started and not waited for.
    void start(std::size_t b, std::span<const T> values) {
        const std::size_t rows = taker_.rows(taker_.rank);
        array& one = at(b, rows > 0 ? values.size() / rows : taker_.size_of(b));
        if (values.size() != rows * one.cut.numbers)
            throw core::shape_error(core::text("background_sum: ", values.size(), " numbers for array ", b, " (", rows,
                                               " partial sums of ", one.cut.numbers, ") sizes must agree"));
        if (one.started)
            throw core::shape_error(
                core::text("background_sum: array ", b, " is on its way (wait for it before it starts again)"));
        one.started = true;
        const auto copy = [&](std::size_t to, std::uint8_t* place) {
            const std::size_t size = one.cut.size(to) * sizeof(T);
            for (std::size_t i = 0; i < rows && size > 0; ++i)
                std::memcpy(place + i * size, values.data() + i * one.cut.numbers + one.cut.begin(to), size);
        };
        for (std::size_t step = 1; step < taker_.ranks; ++step) {
            const std::size_t to = (taker_.rank + step) % taker_.ranks;
            if (one.cut.size(to) == 0) continue;
            auto letter = letter_of({kind::part, b}, rows * one.cut.size(to));
            copy(to, letter.data() + sizeof(header));
            box_.post(static_cast<int>(to), std::move(letter));
        }
        if (one.cut.size(taker_.rank) == 0) return;
        box_.look([&] {
            copy(taker_.rank, reinterpret_cast<std::uint8_t*>(one.parts.data() + taker_.place_of(b, taker_.rank)));
            return true;
        });
        box_.post(static_cast<int>(taker_.rank), letter_of({kind::part, b}, 0));  // that its own share is there
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
        std::vector<T> parts{};  // of this rank's share, by rank, and within a rank by partial sum
        std::vector<T> total{};
        std::size_t arrived = 0;              // parts
        std::size_t pieces = 0, missing = 0;  // of the total
        bool started = false;
    };

    /// With room for that many numbers.
    static std::vector<std::uint8_t> letter_of(header head, std::size_t numbers) {
        std::vector<std::uint8_t> bytes(sizeof head + numbers * sizeof(T));
        std::memcpy(bytes.data(), &head, sizeof head);
        return bytes;
    }

    struct taker {
        taker(const C& c, std::span<const std::size_t> sizes, std::span<const std::size_t> partials)
            : rank(static_cast<std::size_t>(c.rank())),
              ranks(static_cast<std::size_t>(c.size())),
              exact(!partials.empty()) {
            if (exact && partials.size() != ranks)
                throw core::shape_error(core::text("background_sum: partial sums of ", partials.size(),
                                                   " ranks (there are ", ranks, ") say what each brings"));
            for (std::size_t r = 0; r < ranks; ++r) first.push_back(first.back() + (exact ? partials[r] : 1));
            if (exact && first.back() > static_cast<std::size_t>(core::exact_sum::most_partials))
                throw core::shape_error(core::text("background_sum: ", first.back(), " partial sums per entry (",
                                                   core::exact_sum::most_partials, " fit exactly) use fewer blocks"));
            for (const std::size_t size : sizes) {
                array& one = arrays.emplace_back();
                one.cut = {size, ranks};
                one.parts.resize(one.cut.size(rank) * first.back());
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
                bytes.size() - sizeof head != numbers_of(head, from) * sizeof(T))
                throw core::communicator_error(
                    core::text("background_sum: rank ", from, " sent a letter of ", bytes.size(),
                               " bytes (it is none of this sum's) all ranks must give the same sizes"));
            array& one = arrays[head.array];
            T* const to = part ? one.parts.data() + place_of(head.array, from) : one.total.data() + one.cut.begin(from);
            if (bytes.size() > sizeof head) std::memcpy(to, bytes.data() + sizeof head, bytes.size() - sizeof head);
            if (!part)
                --one.missing;
            else if (++one.arrived == ranks)
                add_up(head.array);
        }

        void add_up(std::uint64_t b) {
            array& one = arrays[b];
            const std::size_t count = one.cut.size(rank);
            T* const total = one.total.data() + one.cut.begin(rank);
            if constexpr (std::same_as<T, double>) {
                if (exact) core::sum_exactly(one.parts, first.back(), std::span<double>(total, count));
            }
            if (!exact) {
                std::copy(one.parts.begin(), one.parts.begin() + static_cast<std::ptrdiff_t>(count), total);
                for (std::size_t r = 1; r < ranks; ++r)
                    detail::combine_into(total, one.parts.data() + r * count, count, operation::sum);
            }
            one.arrived = 0;
            --one.missing;
            auto letter = letter_of({kind::total, b}, count);
            std::memcpy(letter.data() + sizeof(header), total, count * sizeof(T));
            for (std::size_t step = 1; step < ranks; ++step)
                send.call(send.box, static_cast<int>((rank + step) % ranks), letter);
        }

        /// Numbers in a letter; a rank's own part is in its place already.
        std::size_t numbers_of(header head, std::size_t from) const {
            const shares& cut = arrays[head.array].cut;
            if (head.what == kind::total) return cut.size(from);
            return from == rank ? 0 : rows(from) * cut.size(rank);
        }
        /// Where a rank's part is among those of this rank's share.
        std::size_t place_of(std::uint64_t b, std::size_t from) const { return first[from] * arrays[b].cut.size(rank); }
        std::size_t rows(std::size_t r) const { return first[r + 1] - first[r]; }
        std::size_t size_of(std::uint64_t b) const { return b < arrays.size() ? arrays[b].cut.numbers : 0; }

        std::size_t rank, ranks;
        bool exact;
        std::vector<std::size_t> first{0};  // of a rank's partial sums
        std::vector<array> arrays;
        struct {
            void* box = nullptr;
            void (*call)(void*, int, std::vector<std::uint8_t>) = nullptr;
        } send{};
    };
    using box_type = decltype(std::declval<const C&>().open(std::declval<taker&>()));

    void connect() {
        taker_.send = {&box_, [](void* box, int to, std::vector<std::uint8_t> bytes) {
                           static_cast<box_type*>(box)->post(to, std::move(bytes));
                       }};
    }
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

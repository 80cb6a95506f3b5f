// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <concepts>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include <gamut/core/exact_sum.hpp>

namespace gamut::communicator {

/// How an all-reduce combines the ranks' numbers, entry by entry.
enum class operation { sum, maximum };

constexpr std::string_view name(operation value) { return value == operation::sum ? "sum" : "maximum"; }

/// The built-in types that travel.
template <class T>
concept Element = std::same_as<T, double> || std::same_as<T, float> || std::same_as<T, std::int64_t> ||
    std::same_as<T, std::int32_t> || std::same_as<T, std::uint8_t>;

namespace detail {

template <class C, class T>
concept Carries = requires(const C& c, std::span<T> values, std::span<const T> mine, operation combine, int root) {
    c.all_reduce(values, combine);  // in place; afterwards the same on every rank
    c.broadcast(values, root);      // values of rank `root` to everybody
    c.gather(mine, values);         // values: size() * mine.size(), rank order, no overlap with mine
};

}  // namespace detail

/// A group of ranks that call the same collectives in the same order with the same sizes. A communicator is a handle:
/// cheap to copy, const members, for one thread at a time. `sums` chooses how communicator::sum adds partial sums.
/// Sizes are 64-bit; a collective that fails throws core::communicator_error.
template <class C>
concept Communicator = std::copyable<C> && detail::Carries<C, double> && detail::Carries<C, float> &&
    detail::Carries<C, std::int64_t> && detail::Carries<C, std::int32_t> && detail::Carries<C, std::uint8_t> &&
    requires(const C& c) {
    typename C::sums;
    requires std::same_as<typename C::sums, core::exact> || std::same_as<typename C::sums, core::fast>;
    { c.rank() } -> std::same_as<int>;
    { c.size() } -> std::same_as<int>;
    { c.local_size() } -> std::same_as<int>;  // ranks that share this machine
    c.barrier();
};

/// Numbers for a rank, or from one.
template <class T> struct parcel {
    int rank = 0;
    std::span<T> values{};
};

namespace detail {

template <class C, class T>
concept Exchanges = requires(const C& c, std::span<const parcel<const T>> out, std::span<const parcel<T>> in) {
    c.exchange(out, in);
};

}  // namespace detail

/// Ranks that can talk in pairs: c.exchange(out, in) sends the parcels `out` and fills the parcels `in`.
/// The k-th parcel that `out` has for a rank is the k-th that this rank's `in` has from the caller, of the same length;
/// lengths may differ from parcel to parcel and be 0, and a rank may send to itself. A rank waits for those in its lists
/// and nobody else, so a rank with two empty lists need not call. Parcels of two calls do not overtake each other.
/// Costs one message per parcel. Lengths that do not match throw core::communicator_error where they are seen.
template <class C>
concept PairwiseCommunicator = Communicator<C> && detail::Exchanges<C, double> && detail::Exchanges<C, float> &&
    detail::Exchanges<C, std::int64_t> && detail::Exchanges<C, std::int32_t> && detail::Exchanges<C, std::uint8_t>;

/// Who takes letters: letter(from, bytes), one at a time, in the order in which each rank posted them. It must call no
/// collective; what it throws is thrown by the next wait or look of its rank.
template <class H>
concept Receiver = requires(H& receiver, int from, std::span<const std::uint8_t> bytes) {
    receiver.letter(from, bytes);
};

namespace detail {

/// A receiver without its type; none at all drops its letters.
struct any_receiver {
    void* self = nullptr;
    void (*call)(void*, int, std::span<const std::uint8_t>) = nullptr;

    template <Receiver H> static any_receiver of(H& receiver) {
        return {&receiver, [](void* self, int from, std::span<const std::uint8_t> bytes) {
                    static_cast<H*>(self)->letter(from, bytes);
                }};
    }
    void operator()(int from, std::span<const std::uint8_t> bytes) const {
        if (call != nullptr) call(self, from, bytes);
    }
};

struct silent_receiver {
    void letter(int, std::span<const std::uint8_t>) {}
};

}  // namespace detail

/// Ranks that need not wait for each other: letters, taken while a rank computes, too.
///   auto box = c.open(receiver)  collective; the receiver outlives the box, and letters stop when the box goes
///   box.post(to, bytes)          returns at once; also from within letter(...)
///   box.wait(done)               until done(), which is called between letters, and looks at the receiver only
///   box.look(f)                  f() between letters, and what it returns
///   box.settle()                 collective: returns when every letter that was posted has been taken
/// A letter is one message. settle costs two or more all-reduces of 16 bytes.
template <class C>
concept PostalCommunicator = PairwiseCommunicator<C> &&
    requires(const C& c, detail::silent_receiver& receiver, std::vector<std::uint8_t> bytes, bool (*done)()) {
    c.open(receiver).post(0, std::move(bytes));
    c.open(receiver).wait(done);
    { c.open(receiver).look(done) } -> std::same_as<bool>;
    c.open(receiver).settle();
};

}  // namespace gamut::communicator

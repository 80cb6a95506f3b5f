// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <concepts>
#include <cstdint>
#include <span>
#include <string_view>

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

}  // namespace gamut::communicator

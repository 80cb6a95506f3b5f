// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>

namespace gamut::consistency {

/// How stale a worker may read, and what makes a clock. Workers count clocks from 0; what a worker adds in clock c is its
/// update of clock c; a row is of clock t when it has the updates of all clocks before t, and of no other.
///   rule.oldest(c)       the least clock of a row that a worker may read in its clock c
///   rule.quorum(n)       so many of n workers' updates make a clock; those that come later are lost
///   rule.pushed()        servers send what changed without being asked
///   rule.validate(n)     throws core::option_error when the options make no sense with n workers
///   K::needs_letters     it cannot be had by collectives, which wait for everybody
///   K::needs_clock       workers must say when a clock of theirs is over
///   K::needs_server      somebody must see who came first
template <class K>
concept Consistency = std::copyable<K> && requires(const K& rule, std::uint64_t clock, std::size_t workers) {
    requires std::same_as<decltype(K::needs_letters), const bool>;
    requires std::same_as<decltype(K::needs_clock), const bool>;
    requires std::same_as<decltype(K::needs_server), const bool>;
    { rule.oldest(clock) } -> std::same_as<std::uint64_t>;
    { rule.quorum(workers) } -> std::same_as<std::size_t>;
    { rule.pushed() } -> std::same_as<bool>;
    rule.validate(workers);
};

static_assert(!Consistency<int>);

/// Says at compile time why ranks that have collectives only cannot keep a rule.
template <Consistency K> constexpr void check_collectives(const K&) {
    static_assert(!K::needs_server,
                  "consistency: the first K of N updates need a server to see who came first; use table::shared");
    static_assert(
        !K::needs_letters,
        "consistency: this rule needs letters, not collectives (those wait for everybody); use table::shared, "
        "or consistency::bulk_synchronous");
}

/// Says at compile time why ranks that never tell where they are cannot keep a rule.
template <Consistency K> constexpr void check_without_clock(const K&) {
    static_assert(
        !K::needs_clock,
        "consistency: this rule needs a clock (how stale something is is counted in clocks); use table::shared, "
        "or consistency::asynchronous");
}

}  // namespace gamut::consistency

// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <span>

#include <gamut/communicator/concept.hpp>
#include <gamut/core/error.hpp>

namespace gamut::communicator::detail {

/// Throws when a parcel goes to, or is expected from, a rank that does not exist.
template <class T> void check_ranks(std::span<const parcel<const T>> out, std::span<const parcel<T>> in, int size) {
    const auto check = [&](int rank, const char* direction) {
        if (rank < 0 || rank >= size)
            throw core::communicator_error(
                core::text("exchange: a parcel ", direction, " rank ", rank, " (ranks are 0..", size - 1, ")"));
    };
    for (const auto& one : out) check(one.rank, "for");
    for (const auto& one : in) check(one.rank, "from");
}

inline void check_length(int from, int to, std::size_t sent, std::size_t expected) {
    if (sent != expected)
        throw core::communicator_error(core::text("exchange: rank ", from, " sends ", sent, " numbers to rank ", to,
                                                  " (which expects ", expected, ") lists must match"));
}

}  // namespace gamut::communicator::detail

// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstring>
#include <span>
#include <string>
#include <type_traits>

#include <gamut/communicator/concept.hpp>
#include <gamut/core/text.hpp>

namespace gamut::communicator::detail {

/// What a rank of this process brings to a collective; all but the addresses must be the same on every rank.
struct contribution {
    const char* operation = "";
    std::size_t count = 0;
    std::size_t bytes = 0;  // of one number
    int root = 0;
    const void* mine = nullptr;
    void* shared = nullptr;

    bool matches(const contribution& other) const {
        return std::strcmp(operation, other.operation) == 0 && count == other.count && bytes == other.bytes &&
               root == other.root;
    }
};

/// Who called something else than rank 0 did; empty: nobody.
inline std::string mismatch(std::span<const contribution> all) {
    const auto odd = std::find_if(all.begin(), all.end(), [&](const auto& other) { return !other.matches(all[0]); });
    if (odd == all.end()) return {};
    return core::text("rank ", odd - all.begin(), " called ", odd->operation, " of ", odd->count, " numbers of ",
                      odd->bytes, " bytes (rank 0 called ", all[0].operation, " of ", all[0].count, " numbers of ",
                      all[0].bytes, " bytes) ranks must call the same collectives in the same order");
}

constexpr const char* all_reduce_name(operation combine) {
    return combine == operation::sum ? "all_reduce(sum)" : "all_reduce(maximum)";
}

/// total = total combined with x, entry by entry. Integers wrap around, as MPI_SUM's do.
template <Element T> void combine_into(T* total, const T* x, std::size_t count, operation combine) {
    for (std::size_t j = 0; j < count; ++j) {
        if (combine == operation::maximum) {
            total[j] = total[j] < x[j] ? x[j] : total[j];
        } else if constexpr (std::integral<T>) {
            using U = std::make_unsigned_t<T>;
            total[j] = static_cast<T>(static_cast<U>(static_cast<U>(total[j]) + static_cast<U>(x[j])));
        } else {
            total[j] = total[j] + x[j];
        }
    }
}

}  // namespace gamut::communicator::detail

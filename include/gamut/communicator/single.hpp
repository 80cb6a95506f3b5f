// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <span>

#include <gamut/communicator/concept.hpp>
#include <gamut/core/error.hpp>
#include <gamut/fwd.hpp>

namespace gamut::communicator {

/// One rank, nobody to talk to: the default. Collectives cost nothing.
template <class Sums> struct single {
    using sums = Sums;

    int rank() const { return 0; }
    int size() const { return 1; }
    int local_size() const { return 1; }

    template <Element T> void all_reduce(std::span<T>, operation) const {}

    template <Element T> void broadcast(std::span<T>, int) const {}

    template <Element T> void gather(std::span<const T> mine, std::span<T> all) const {
        if (mine.size() != all.size())
            throw core::shape_error(core::text("gather: ", all.size(), " entries for the result (1 rank brings ",
                                               mine.size(), ") they must be equal"));
        std::copy(mine.begin(), mine.end(), all.begin());
    }

    void barrier() const {}
};

static_assert(Communicator<single<>> && Communicator<single<core::fast>>);
static_assert(!Communicator<int>);

}  // namespace gamut::communicator

// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <limits>
#include <numeric>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include <gamut/backend/parallel.hpp>
#include <gamut/communicator/agree.hpp>
#include <gamut/core/random.hpp>
#include <gamut/quadratic/objective.hpp>

/// min over supports S of  min over w_S of  1/2 w'Hw - q'w  by local search: fill adds what gains most, descend exchanges while something
/// gains, disturb replaces some members at random, and disturbed_supports does all three many times. The minimum is local: no exchange of
/// one member gains more than rounding (of those that bounded_support looks at). S: support, units or bounded_support, whose costs these are.
namespace gamut::quadratic {

/// Adds the candidates that gain most, one after another, until every group is full or nothing gains.
template <class S> void fill(S& s) {
    for (;;) {
        const best_entry best = s.best_addition();
        if (best.index == best_entry::none || !s.add(best.index)) return;
    }
}

/// Makes the best exchange as long as one gains more than rounding.
template <class S> void descend(S& s) {
    const std::size_t limit = 20 * (s.size() + 10);  // never reached but by rounding that goes in a circle
    for (std::size_t k = 0; k < limit; ++k) {
        const auto exchange =
            s.best_exchange(1e-12 * std::max(std::abs(s.value()), std::numeric_limits<double>::min()));
        if (exchange.candidate == best_entry::none) return;
        s.apply(exchange);
    }
}

/// How many members of a support are replaced at random, and by which: those drawn from the `wide` times as many candidates as it
/// has members that gain most when the others have left.
struct disturbance {
    double share;
    std::size_t most = 24, wide = 4;

    std::size_t members_of(std::size_t size) const {
        const auto wanted = static_cast<std::size_t>(std::ceil(share * static_cast<double>(size)));
        return std::min(std::clamp<std::size_t>(wanted, 1, most), size);
    }
};

/// s becomes `base`, disturbed.
template <class S> void disturb(S& s, const S& base, const disturbance& how, const core::random& random) {
    const std::size_t size = base.size(), leaving = how.members_of(size);
    std::uint64_t draw = 0;
    std::vector<std::size_t> members = base.members();
    for (std::size_t k = 0; k < leaving; ++k) {
        std::swap(members[random.below(draw++, members.size())], members.back());
        members.pop_back();
    }
    s.reset(base, members);
    members = s.members();  // who is worth nothing without the others has left, too
    const std::vector<std::size_t> best = s.largest_gains(how.wide * size);
    std::vector<std::size_t> joining;  // by group
    for (std::size_t k = 0; k < 4 * leaving && members.size() < size && !best.empty(); ++k) {
        const std::size_t j = best[random.below(draw++, best.size())], g = s.group_of(j);
        joining.resize(std::max(joining.size(), g + 1));
        if (joining[g] == s.room(g) || std::find(members.begin(), members.end(), j) != members.end()) continue;
        members.push_back(j);
        ++joining[g];
    }
    s.reset(members);
    fill(s);
}

/// A support in order, and what the quadratic is there.
struct found_support {
    std::vector<std::size_t> members;
    double value = std::numeric_limits<double>::infinity();
};

/// Best supports from disturbed ones, one result each of the searches first, first + 1, ... Shared out over ranks and threads: search
/// i draws from (seed, i) and knows of no other. Collective: two gathers.
template <class C, class S>
std::vector<found_support> disturbed_supports(const C& ranks, std::size_t threads, const S& base, std::size_t first,
                                              std::size_t searches, const disturbance& how, std::uint64_t seed) {
    const auto rank = static_cast<std::size_t>(ranks.rank()), size = static_cast<std::size_t>(ranks.size());
    const std::size_t places = base.most(), each = (searches + size - 1) / size, width = places + 2;
    std::vector<std::int64_t> mine(each * width, 0), all(mine.size() * size);
    std::vector<double> my_values(each), values(each * size);
    communicator::agree(ranks, [&] {
        std::vector<S> working(std::min(threads, each), base);
        backend::parallel_for(0, each, threads, [&](std::size_t i, std::size_t thread) {
            const std::size_t search = i * size + rank;
            std::int64_t* const out = mine.data() + i * width;
            if (search >= searches) return;
            S& s = working[thread];
            disturb(s, base, how, {.seed = seed, .stream = first + search});
            descend(s);
            const std::vector<std::size_t> members = s.sorted_members();
            out[0] = 1;
            out[1] = static_cast<std::int64_t>(members.size());
            std::copy(members.begin(), members.end(), out + 2);
            my_values[i] = s.value();
        });
    });
    ranks.gather(std::span<const std::int64_t>(mine), std::span<std::int64_t>(all));
    ranks.gather(std::span<const double>(my_values), std::span<double>(values));
    std::vector<found_support> found(searches);
    for (std::size_t search = 0; search < searches; ++search) {
        const std::size_t at = search % size * each + search / size;
        const std::int64_t* const in = all.data() + at * width;
        found[search].members.assign(in + 2, in + 2 + in[1]);
        found[search].value = values[at];
    }
    return found;
}

}  // namespace gamut::quadratic

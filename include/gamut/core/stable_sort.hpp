// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

namespace gamut::core {

namespace detail {

/// A comparison of places behind a pointer.
struct place_order {
    const void* data;
    bool (*before)(const void*, std::size_t, std::size_t);
    bool operator()(std::size_t a, std::size_t b) const { return before(data, a, b); }
};
inline void sort_places(std::vector<std::size_t>& places, place_order order) {
    std::sort(places.begin(), places.end(), order);
}

}  // namespace detail

/// Sorts places, which before(a, b) orders strictly. Compiled once whatever is sorted (std::sort is some 1,500 lines of the compiler's own
/// language for each type and order), for a call per comparison.
template <class Before> void sort_places(std::vector<std::size_t>& places, const Before& before) {
    detail::sort_places(places, {&before, [](const void* data, std::size_t a, std::size_t b) -> bool {
                                     return (*static_cast<const Before*>(data))(a, b);
                                 }});
}

/// Sorts by `before`, equal ones in the order they had. It sorts numbers of places, so memory for n of them and n moves; unlike
/// std::stable_sort of g++ 12 it calls nothing that clang reports as deprecated in a user's file.
template <class T, class Before> void stable_sort(std::vector<T>& all, Before&& before) {
    std::vector<std::size_t> order(all.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    sort_places(order, [&](std::size_t a, std::size_t b) {
        return before(all[a], all[b]) || (a < b && !before(all[b], all[a]));
    });
    std::vector<T> sorted;
    sorted.reserve(all.size());
    for (const std::size_t i : order) sorted.push_back(std::move(all[i]));
    all = std::move(sorted);
}

}  // namespace gamut::core

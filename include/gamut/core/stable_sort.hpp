// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

namespace gamut::core {

/// Sorts by `before`, equal ones in the order they had. It sorts numbers of places, so memory for n of them and n moves; unlike
/// std::stable_sort of g++ 12 it calls nothing that clang reports as deprecated in a user's file.
template <class T, class Before> void stable_sort(std::vector<T>& all, Before&& before) {
    std::vector<std::size_t> order(all.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
        return before(all[a], all[b]) || (a < b && !before(all[b], all[a]));
    });
    std::vector<T> sorted;
    sorted.reserve(all.size());
    for (const std::size_t i : order) sorted.push_back(std::move(all[i]));
    all = std::move(sorted);
}

}  // namespace gamut::core

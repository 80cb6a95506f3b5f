// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <numeric>
#include <vector>

namespace gamut::learn::detail {

/// Where to cut things into contiguous blocks that weigh about as much each: block b has cuts[b] to cuts[b + 1].
template <class Number> std::vector<std::size_t> cut_evenly(const std::vector<Number>& weight, std::size_t blocks) {
    const Number all = std::accumulate(weight.begin(), weight.end(), Number{0});
    std::vector<std::size_t> cuts{0};
    Number before = 0;
    for (std::size_t w = 0; w < weight.size(); ++w) {
        before += weight[w];
        while (cuts.size() < blocks && static_cast<double>(before) * static_cast<double>(blocks) >=
                                           static_cast<double>(all) * static_cast<double>(cuts.size()))
            cuts.push_back(w + 1);
    }
    cuts.resize(blocks, weight.size());
    cuts.push_back(weight.size());
    return cuts;
}

}  // namespace gamut::learn::detail

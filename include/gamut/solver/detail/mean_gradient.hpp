// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cstddef>

namespace gamut::solver::detail {

/// The batches of one step of sgd: `most` of an epoch's, from `begin` on, or what is left of them.
struct batches_of_step {
    std::size_t begin = 0, end = 0;
    batches_of_step(std::size_t first, std::size_t most, std::size_t batches)
        : begin(first),
          end(first + std::min(most, batches - first)) {}
    std::size_t size() const { return end - begin; }
};

/// mean = the mean of the gradients of some batches, added one after another: gradient_of(index, to) writes that of a batch and returns
/// its objective. Returns the sum of those. spare: an array that may be overwritten.
template <class A, class F>
double mean_gradient(const batches_of_step& batches, A& mean, A& spare, const F& gradient_of) {
    using T = typename A::value_type;
    double sum = gradient_of(batches.begin, mean);
    for (std::size_t index = batches.begin + 1; index < batches.end; ++index) {
        sum += gradient_of(index, spare);
        mean = mean + spare;
    }
    if (batches.size() > 1) mean = (T(1) / static_cast<T>(batches.size())) * mean;
    return sum;
}

}  // namespace gamut::solver::detail

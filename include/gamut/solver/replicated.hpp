// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>

namespace gamut::solver {

/// What an sgd's `sharing` is unless said otherwise: every rank has all weights, the whole gradient and the whole memory of the update
/// rule, and gradients are summed when they are complete. Others:
///   zero         ranks keep pieces of the memory, of gradients, of weights
///   wait_free    gradients are sent block by block while others are computed
/// One of your own says gradients(problem, batch), which returns what is called as (w, batch, gradient) and returns the objective of
/// the batch, or minimize(sgd, problem, observers...), the whole run. validate(), if there is one, throws option_error.
struct replicated {
    template <class P> auto gradients(const P& p, std::size_t) const {
        return [&p](const auto& w, const auto& rows, auto& gradient) { return p.batch_gradient(w, rows, gradient); };
    }
};

}  // namespace gamut::solver

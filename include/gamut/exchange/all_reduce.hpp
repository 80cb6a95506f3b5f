// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <vector>

#include <gamut/exchange/concept.hpp>

namespace gamut::exchange {

/// One copy on all nodes:   w = w - rate mean over nodes of g_i(w).   A global sum a step; the mean is exact, see communicator/sum.hpp.
struct all_reduce {
    static constexpr bool takes_directions = true;

    template <class A, class N> struct state {
        state(const all_reduce&, const N& all, const A& start)
            : nodes_(all),
              w_(all.size(), start),
              slopes_(w_),
              mean_(start),
              slope_(start) {}

        template <class F, class D = as_is> void round(double rate, F&& gradient, D&& direct = {}) {
            using T = typename A::value_type;
            for (std::size_t i = 0; i < w_.size(); ++i) gradient(i, w_[i], slopes_[i]);
            nodes_.mean(slopes_, mean_);
            for (std::size_t i = 0; i < w_.size(); ++i) {
                slope_ = mean_;
                direct(i, w_[i], slope_);
                w_[i] = w_[i] - static_cast<T>(rate) * slope_;
            }
        }
        /// What must outlive an interruption: of this rank's nodes, which are the problem's blocks.
        template <class Each, class P> void describe(Each& each, [[maybe_unused]] const P& p) {
            each.blocks("copies", w_, p);
        }
        std::vector<A>& copies() { return w_; }

    private:
        const N& nodes_;
        std::vector<A> w_, slopes_;
        A mean_, slope_;
    };
};

}  // namespace gamut::exchange

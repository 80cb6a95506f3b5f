// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <utility>
#include <vector>

#include <gamut/exchange/routes.hpp>
#include <gamut/topology/ring.hpp>
#include <gamut/topology/weights.hpp>

namespace gamut::exchange {

/// y follows the mean of the gradients:   w = W (w - rate y),   y = W y + W (g(w) - g(w before)).   Ends at the minimum of the mean with a
/// fixed rate, on any doubly stochastic weights, changing ones included; two mixes a step.
/// Di Lorenzo and Scutari, NEXT, 2016; Nedic, Olshevsky and Shi, DIGing, 2017. (Combining before subtracting instead diverges at a
/// seventh of the rate.)
template <class G = topology::ring, class Rule = topology::metropolis> struct gradient_tracking {
    G topology{};
    Rule weights{};

    template <class A, class N> struct state {
        state(const gradient_tracking& method, const N& all, const A& start)
            : nodes_(all),
              way_("gradient_tracking", method.topology, method.weights, need::doubly),
              w_(all.size(), start),
              y_(w_),
              slopes_(w_),
              moved_(w_),
              slope_(start) {}

        template <class F> void round(double rate, F&& gradient) {
            using T = typename A::value_type;
            const route& p = way_.at(nodes_, k_);
            if (k_++ == 0)
                for (std::size_t i = 0; i < w_.size(); ++i) {
                    gradient(i, w_[i], slopes_[i]);
                    y_[i] = slopes_[i];
                }
            for (std::size_t i = 0; i < w_.size(); ++i) moved_[i] = w_[i] - static_cast<T>(rate) * y_[i];
            nodes_.mix(p, moved_, w_);
            for (std::size_t i = 0; i < w_.size(); ++i) {
                gradient(i, w_[i], slope_);
                moved_[i] = y_[i] + slope_ - slopes_[i];
                std::swap(slopes_[i], slope_);
            }
            nodes_.mix(p, moved_, y_);
        }
        /// What must outlive an interruption: of this rank's nodes, which are the problem's blocks.
        template <class Each, class P> void describe(Each& each, [[maybe_unused]] const P& p) {
            each.blocks("copies", w_, p);
            each.blocks("tracked", y_, p);
            each.blocks("slopes", slopes_, p);
            each("steps", k_);
        }
        std::vector<A>& copies() { return w_; }

    private:
        const N& nodes_;
        routes<G, Rule> way_;
        std::vector<A> w_, y_, slopes_, moved_;
        A slope_;
        std::size_t k_ = 0;
    };
};
template <class G> gradient_tracking(G) -> gradient_tracking<G>;
template <class G, class Rule> gradient_tracking(G, Rule) -> gradient_tracking<G, Rule>;

}  // namespace gamut::exchange

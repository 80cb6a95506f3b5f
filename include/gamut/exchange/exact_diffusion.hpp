// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <utility>
#include <vector>

#include <gamut/exchange/routes.hpp>
#include <gamut/topology/concept.hpp>
#include <gamut/topology/ring.hpp>
#include <gamut/topology/weights.hpp>

namespace gamut::exchange {

/// psi = w - rate g(w),   w = (I + W)/2 (psi + w - psi before).   Ends at the minimum of the mean with a fixed rate; one mix a step.
/// Needs a symmetric graph that does not change.   Yuan, Ying, Zhao and Sayed, Exact diffusion, 2019.
template <class G = topology::ring, class Rule = topology::metropolis> struct exact_diffusion {
    static_assert(!topology::changes<G>,
                  "exact_diffusion: needs a topology that does not change; use exchange::gradient_tracking");
    static_assert(topology::kind_of<G> == topology::symmetric || topology::kind_of<G> == topology::graph_kind::unknown,
                  "exact_diffusion: needs a symmetric topology; use exchange::gradient_tracking, or push_diging");

    G topology{};
    Rule weights{};

    template <class A, class N> struct state {
        state(const exact_diffusion& method, const N& all, const A& start)
            : nodes_(all),
              way_("exact_diffusion", method.topology, method.weights, need::symmetric, true),
              w_(all.size(), start),
              psi_(w_),
              phi_(w_),
              slope_(start),
              next_(start) {}

        template <class F> void round(double rate, F&& gradient) {
            using T = typename A::value_type;
            for (std::size_t i = 0; i < w_.size(); ++i) {
                gradient(i, w_[i], slope_);
                next_ = w_[i] - static_cast<T>(rate) * slope_;
                phi_[i] = next_ + w_[i] - psi_[i];
                std::swap(psi_[i], next_);
            }
            nodes_.mix(way_.at(nodes_, 0), phi_, w_);
        }
        /// What must outlive an interruption: of this rank's nodes, which are the problem's blocks.
        template <class Each, class P> void describe(Each& each, [[maybe_unused]] const P& p) {
            each.blocks("copies", w_, p);
            each.blocks("psi", psi_, p);
        }
        std::vector<A>& copies() { return w_; }

    private:
        const N& nodes_;
        routes<G, Rule> way_;
        std::vector<A> w_, psi_, phi_;
        A slope_, next_;
    };
};
template <class G> exact_diffusion(G) -> exact_diffusion<G>;
template <class G, class Rule> exact_diffusion(G, Rule) -> exact_diffusion<G, Rule>;

}  // namespace gamut::exchange

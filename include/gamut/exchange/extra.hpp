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

/// w after = (I + W) w - (I + W)/2 w before - rate (g(w) - g(w before)),   first W w - rate g(w).   Ends at the minimum of the mean with a
/// fixed rate; one mix a step. Needs a symmetric graph that does not change.   Shi, Ling, Wu and Yin, EXTRA, 2015.
template <class G = topology::ring, class Rule = topology::metropolis> struct extra {
    static_assert(!topology::changes<G>,
                  "extra: needs a topology that does not change; use exchange::gradient_tracking");
    static_assert(topology::kind_of<G> == topology::symmetric || topology::kind_of<G> == topology::graph_kind::unknown,
                  "extra: needs a symmetric topology; use exchange::gradient_tracking, or push_diging");

    G topology{};
    Rule weights{};

    template <class A, class N> struct state {
        state(const extra& method, const N& all, const A& start)
            : nodes_(all),
              way_("extra", method.topology, method.weights, need::symmetric, true),
              w_(all.size(), start),
              half_(w_),
              half_before_(w_),
              slopes_(w_),
              slope_(start) {}

        template <class F> void round(double rate, F&& gradient) {
            using T = typename A::value_type;
            std::swap(half_, half_before_);
            nodes_.mix(way_.at(nodes_, 0), w_, half_);
            for (std::size_t i = 0; i < w_.size(); ++i) {
                gradient(i, w_[i], slope_);
                if (first_)
                    w_[i] = T(2) * half_[i] - w_[i] - static_cast<T>(rate) * slope_;
                else
                    w_[i] = T(2) * half_[i] - half_before_[i] - static_cast<T>(rate) * (slope_ - slopes_[i]);
                std::swap(slopes_[i], slope_);
            }
            first_ = false;
        }
        /// What must outlive an interruption: of this rank's nodes, which are the problem's blocks.
        template <class Each, class P> void describe(Each& each, [[maybe_unused]] const P& p) {
            each.blocks("copies", w_, p);
            each.blocks("half", half_, p);
            each.blocks("slopes", slopes_, p);
            each("first", first_);
        }
        std::vector<A>& copies() { return w_; }

    private:
        const N& nodes_;
        routes<G, Rule> way_;
        std::vector<A> w_, half_, half_before_, slopes_;  // half = (I + W)/2 w
        A slope_;
        bool first_ = true;
    };
};
template <class G> extra(G) -> extra<G>;
template <class G, class Rule> extra(G, Rule) -> extra<G, Rule>;

}  // namespace gamut::exchange

// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <type_traits>
#include <vector>

#include <gamut/exchange/concept.hpp>
#include <gamut/exchange/routes.hpp>
#include <gamut/topology/concept.hpp>
#include <gamut/topology/ring.hpp>
#include <gamut/topology/weights.hpp>

namespace gamut::exchange {

/// Which comes first:
///   adapt_then_combine      w = W (w - rate g(w))
///   adapt_while_combining   w = W w - rate g(w): messages and gradients at the same time
///   combine_then_adapt      v = W w,  w = v - rate g(v)
enum class order { adapt_then_combine, adapt_while_combining, combine_then_adapt };

/// Decentralised SGD: every node takes a step along its own gradient and mixes with whom it hears. With a fixed rate the nodes end
/// near, not at, the minimum of the mean (see gradient_tracking, exact_diffusion, extra). `mean_every` steps, all take the mean instead.
/// A message for each rank where somebody hears a node, per node and step.
/// Nedic and Ozdaglar 2009; Lian et al., Can decentralized algorithms outperform centralized algorithms?, NeurIPS 2017;
/// Chen et al., Accelerating gossip SGD with periodic global averaging, ICML 2021.
template <class G = topology::ring, exchange::order Order = order::adapt_then_combine,
          class Rule = topology::metropolis>
struct gossip {
    static constexpr bool takes_directions = true;
    static_assert(
        topology::kind_of<G> != topology::directed || !std::is_same_v<Rule, topology::metropolis>,
        "gossip: needs a symmetric or balanced topology (on others the nodes agree on something else than the "
        "mean) use exchange::push_sum");

    G topology{};
    Rule weights{};
    std::size_t mean_every = 0;  ///< 0: never

    template <class A, class N> struct state {
        state(const gossip& method, const N& all, const A& start)
            : nodes_(all),
              way_("gossip", method.topology, method.weights, need::doubly),
              mean_every_(method.mean_every),
              w_(all.size(), start),
              moved_(w_),
              slope_(start),
              mean_(start) {}

        template <class F, class D = as_is> void round(double rate, F&& gradient, D&& direct = {}) {
            using T = typename A::value_type;
            const auto step = [&](std::size_t i, const A& at, const A& from, A& to) {
                gradient(i, at, slope_);
                direct(i, at, slope_);
                to = from - static_cast<T>(rate) * slope_;
            };
            const bool global = mean_every_ > 0 && (k_ + 1) % mean_every_ == 0;
            const route* const p = global ? nullptr : &way_.at(nodes_, k_);
            ++k_;
            const auto combine = [&](const std::vector<A>& x, std::vector<A>& y) {
                if (p != nullptr) return nodes_.mix(*p, x, y);
                nodes_.mean(x, mean_);
                for (A& copy : y) copy = mean_;
            };
            if constexpr (Order == order::adapt_then_combine) {
                for (std::size_t i = 0; i < w_.size(); ++i) step(i, w_[i], w_[i], moved_[i]);
                combine(moved_, w_);
            } else {
                combine(w_, moved_);
                for (std::size_t i = 0; i < w_.size(); ++i)
                    step(i, Order == order::combine_then_adapt ? moved_[i] : w_[i], moved_[i], w_[i]);
            }
        }
        /// What must outlive an interruption: of this rank's nodes, which are the problem's blocks.
        template <class Each, class P> void describe(Each& each, [[maybe_unused]] const P& p) {
            each.blocks("copies", w_, p);
            each("steps", k_);
        }
        std::vector<A>& copies() { return w_; }

    private:
        const N& nodes_;
        routes<G, Rule> way_;
        std::size_t mean_every_, k_ = 0;
        std::vector<A> w_, moved_;
        A slope_, mean_;
    };
};
template <class G> gossip(G) -> gossip<G>;
template <class G, class Rule> gossip(G, Rule) -> gossip<G, order::adapt_then_combine, Rule>;
template <class G, class Rule> gossip(G, Rule, std::size_t) -> gossip<G, order::adapt_then_combine, Rule>;

/// The other orders, by name.
template <class G = topology::ring, class Rule = topology::metropolis>
using adapt_while_combining = gossip<G, order::adapt_while_combining, Rule>;
template <class G = topology::ring, class Rule = topology::metropolis>
using combine_then_adapt = gossip<G, order::combine_then_adapt, Rule>;

}  // namespace gamut::exchange

// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include <gamut/core/error.hpp>
#include <gamut/exchange/concept.hpp>
#include <gamut/exchange/slots.hpp>
#include <gamut/fwd.hpp>
#include <gamut/topology/concept.hpp>
#include <gamut/topology/mixing_matrix.hpp>
#include <gamut/topology/weights.hpp>

namespace gamut::exchange {

/// Gossip where nobody waits for anybody: a node mixes what it heard last of each neighbour, however old, steps along its gradient, and
/// puts its weights where the neighbours hear them:   w_i = sum of W_ij (what came last of w_j) - rate g_i(w_i).
/// A graph that does not change, with rows that add up to 1. Nodes that are slow weigh less; asynchronous_push_sum does not have that.
/// Nodes of one rank take turns; ranks go their own ways until a record is made, which all wait for (solver::sgd's check_every: it bounds how far they drift apart). The
/// weights depend on who was when how fast, except on one rank and on communicator::sim.
/// One letter per node, listener and step.   Lian et al., Asynchronous decentralized parallel SGD, ICML 2018.
template <class G, class Rule> struct asynchronous_gossip {
    static constexpr bool takes_directions = true;
    static_assert(!topology::changes<G>,
                  "asynchronous_gossip: needs a topology that does not change (nodes have no step in common)");

    G topology{};
    Rule weights{};

    template <class A, class N> struct state {
        state(const asynchronous_gossip& method, const N& all, const A& start)
            : weights_(method.topology, method.weights, all.count(), 0),
              nodes_(all),
              w_(all.size(), start),
              slope_(start) {
            if (const auto wrong = weights_.not_row_stochastic(); !wrong.empty())
                throw core::option_error(
                    core::text("asynchronous_gossip: ", wrong, " (it must be 1) use topology::metropolis"));
            for (std::size_t i = all.first(); i < all.first() + all.size(); ++i)
                listeners_.push_back(topology::listeners_of(method.topology, i, all.count(), 0));
        }

        template <class F, class D = as_is> void round(double rate, F&& gradient, D&& direct = {}) {
            slots_type& slots = begun();
            for (std::size_t i = 0; i < w_.size(); ++i) {
                const std::size_t node = nodes_.first() + i;
                slots.update(node);
                std::vector<double> w = slots.value(node);
                for (std::size_t j = 0; j < w.size(); ++j) w_[i].span()[j] = static_cast<typename A::value_type>(w[j]);
                gradient(i, w_[i], slope_);
                direct(i, w_[i], slope_);
                for (std::size_t j = 0; j < w.size(); ++j) {
                    w[j] -= rate * static_cast<double>(slope_[j]);
                    w_[i].span()[j] = static_cast<typename A::value_type>(w[j]);
                }
                slots.set(node, w);
                for (const std::size_t listener : listeners_[i]) slots.put(node, listener, 1);
            }
        }
        /// What was put has arrived. Collective.
        void settle() { begun().settle(); }
        std::vector<A>& copies() { return w_; }

    private:
        using slots_type = slots<typename N::communicator_type>;

        slots_type& begun() {
            if (slots_) return *slots_;
            std::vector<std::vector<double>> values;
            for (const A& copy : w_) values.emplace_back(copy.span().begin(), copy.span().end());
            slots_ = std::make_unique<slots_type>(nodes_, weights_, std::move(values));
            return *slots_;
        }

        topology::mixing_matrix weights_;
        const N& nodes_;
        std::vector<A> w_;
        A slope_;
        std::vector<topology::node_list> listeners_{};
        std::unique_ptr<slots_type> slots_{};
    };
};
template <class G> asynchronous_gossip(G) -> asynchronous_gossip<G>;
template <class G, class Rule> asynchronous_gossip(G, Rule) -> asynchronous_gossip<G, Rule>;

}  // namespace gamut::exchange

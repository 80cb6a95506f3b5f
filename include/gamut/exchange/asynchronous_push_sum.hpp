// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include <gamut/core/error.hpp>
#include <gamut/exchange/concept.hpp>
#include <gamut/exchange/slots.hpp>
#include <gamut/fwd.hpp>
#include <gamut/topology/concept.hpp>
#include <gamut/topology/mixing_matrix.hpp>
#include <gamut/topology/weights.hpp>

namespace gamut::exchange {

/// Push-sum where nobody waits for anybody: a node takes what has come, steps along its gradient at w = x / p, and sends parts of x and p
/// on. The sums of x and p over nodes, slots and letters stay what they are, whatever arrives when; nodes that are slow weigh no less.
/// Any graph that does not change. Nodes of one rank take turns; ranks go their own ways until a record is made, which all wait for
/// (solver::sgd's check_every: it bounds how far they drift apart, and so how near they come). The weights depend on who was when how fast, except on one rank and on communicator::sim.
/// One letter per node, listener and step.   Assran and Rabbat, Asynchronous gradient push, 2021.
template <class G> struct asynchronous_push_sum {
    static constexpr bool takes_directions = true;
    static_assert(!topology::changes<G>,
                  "asynchronous_push_sum: needs a topology that does not change (nodes have no step in "
                  "common)");

    G topology{};

    template <class A, class N> struct state {
        state(const asynchronous_push_sum& method, const N& all, const A& start)
            : topology_(method.topology),
              nodes_(all),
              w_(all.size(), start),
              slope_(start) {
            for (std::size_t i = all.first(); i < all.first() + all.size(); ++i)
                listeners_.push_back(topology::listeners_of(topology_, i, all.count(), 0));
        }

        template <class F, class D = as_is> void round(double rate, F&& gradient, D&& direct = {}) {
            using T = typename A::value_type;
            slots_type& slots = begun();
            for (std::size_t i = 0; i < w_.size(); ++i) {
                const std::size_t node = nodes_.first() + i;
                slots.collect(node);
                std::vector<double> x = slots.value(node);
                read(x, w_[i]);
                gradient(i, w_[i], slope_);
                direct(i, w_[i], slope_);
                for (std::size_t j = 0; j < slope_.size(); ++j)
                    x[j] -= rate * static_cast<double>(static_cast<T>(slope_[j]));
                slots.set(node, x);
                const double share = 1 / static_cast<double>(1 + listeners_[i].size());
                for (const std::size_t listener : listeners_[i]) slots.accumulate(node, listener, share);
                slots.scale(node, share);
            }
        }
        /// Everything that was sent is in a value again. Collective.
        void settle() {
            slots_type& slots = begun();
            slots.settle();
            for (std::size_t i = 0; i < w_.size(); ++i) {
                slots.collect(nodes_.first() + i);
                read(slots.value(nodes_.first() + i), w_[i]);
            }
            nodes_.ranks().barrier();
        }
        /// After settle: the weights x / p of this rank's nodes.
        std::vector<A>& copies() { return w_; }
        /// x and, as the last number, p of this rank's i-th node.
        std::vector<double> sums(std::size_t i) { return begun().value(nodes_.first() + i); }

    private:
        using slots_type = slots<typename N::communicator_type>;

        slots_type& begun() {
            if (slots_) return *slots_;
            std::vector<std::vector<double>> values;
            for (const A& copy : w_) {
                values.emplace_back(copy.span().begin(), copy.span().end());
                values.back().push_back(1);
            }
            slots_ = std::make_unique<slots_type>(
                nodes_, topology::mixing_matrix(topology_, topology::uniform{}, nodes_.count(), 0), std::move(values),
                slot_begins::with_zeros);
            return *slots_;
        }
        static void read(const std::vector<double>& x, A& w) {
            for (std::size_t j = 0; j < w.size(); ++j)
                w.span()[j] = static_cast<typename A::value_type>(x[j] / x.back());
        }

        G topology_;
        const N& nodes_;
        std::vector<A> w_;
        A slope_;
        std::vector<topology::node_list> listeners_{};
        std::unique_ptr<slots_type> slots_{};
    };
};
template <class G> asynchronous_push_sum(G) -> asynchronous_push_sum<G>;

}  // namespace gamut::exchange

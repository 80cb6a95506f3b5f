// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <vector>

#include <gamut/exchange/routes.hpp>
#include <gamut/topology/ring.hpp>
#include <gamut/topology/weights.hpp>

namespace gamut::exchange {

/// Any graph, changing ones included: x and a share p travel, and the weights are z = x / p:
///   x = P (x - rate g(z)),   p = P p,   P with columns that add up to 1.
/// With a fixed rate the nodes end near, not at, the minimum of the mean; see push_diging. One mix a step, of a number more.
/// Kempe, Dobra and Gehrke 2003; Assran et al., Stochastic gradient push, ICML 2019.
template <class G = topology::ring, class Rule = topology::push> struct push_sum {
    G topology{};
    Rule weights{};

    template <class A, class N> struct state {
        state(const push_sum& method, const N& all, const A& start)
            : nodes_(all),
              way_("push_sum", method.topology, method.weights, need::columns),
              x_(all.size(), start),
              z_(x_),
              moved_(x_),
              p_(all.size(), A(std::size_t(1), 1)),
              shares_(p_),
              slope_(start) {}

        template <class F> void round(double rate, F&& gradient) {
            using T = typename A::value_type;
            for (std::size_t i = 0; i < x_.size(); ++i) {
                gradient(i, z_[i], slope_);
                moved_[i] = x_[i] - static_cast<T>(rate) * slope_;
                shares_[i] = p_[i];
            }
            nodes_.mix(way_.at(nodes_, k_++), moved_, x_, shares_, p_);
            for (std::size_t i = 0; i < x_.size(); ++i) z_[i] = (T(1) / p_[i][0]) * x_[i];
        }
        /// What must outlive an interruption: of this rank's nodes, which are the problem's blocks.
        template <class Each, class P> void describe(Each& each, [[maybe_unused]] const P& p) {
            each.blocks("copies", z_, p);
            each.blocks("sums", x_, p);
            each.blocks("shares", p_, p);
            each("steps", k_);
        }
        std::vector<A>& copies() { return z_; }
        /// x and p, whose sums over all nodes stay.
        const std::vector<A>& sums() const { return x_; }
        const std::vector<A>& shares() const { return p_; }

    private:
        const N& nodes_;
        routes<G, Rule> way_;
        std::vector<A> x_, z_, moved_, p_, shares_;
        A slope_;
        std::size_t k_ = 0;
    };
};
template <class G> push_sum(G) -> push_sum<G>;
template <class G, class Rule> push_sum(G, Rule) -> push_sum<G, Rule>;

}  // namespace gamut::exchange

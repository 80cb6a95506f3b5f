// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <utility>
#include <vector>

#include <gamut/exchange/routes.hpp>
#include <gamut/topology/ring.hpp>
#include <gamut/topology/weights.hpp>

namespace gamut::exchange {

/// Tracked gradients on any graph:   u = P (u - rate y),   v = P v,   w = u / v,   y = P y + g(w) - g(w before).
/// Ends at the minimum of the mean with a fixed rate that is small enough. One mix a step, of twice the numbers and one more.
/// Nedic, Olshevsky and Shi, Achieving geometric convergence for distributed optimization over time-varying graphs, 2017.
template <class G = topology::ring, class Rule = topology::push> struct push_diging {
    G topology{};
    Rule weights{.keep = 0.5};

    template <class A, class N> struct state {
        state(const push_diging& method, const N& all, const A& start)
            : nodes_(all),
              way_("push_diging", method.topology, method.weights, need::columns),
              u_(all.size(), start),
              y_(u_),
              w_(u_),
              slopes_(u_),
              moved_(u_),
              tracked_(u_),
              v_(all.size(), A(std::size_t(1), 1)),
              shares_(v_),
              slope_(start) {}

        template <class F> void round(double rate, F&& gradient) {
            using T = typename A::value_type;
            const route& p = way_.at(nodes_, k_);
            if (k_++ == 0)
                for (std::size_t i = 0; i < u_.size(); ++i) {
                    gradient(i, w_[i], slopes_[i]);
                    y_[i] = slopes_[i];
                }
            for (std::size_t i = 0; i < u_.size(); ++i) {
                moved_[i] = u_[i] - static_cast<T>(rate) * y_[i];
                shares_[i] = v_[i];
            }
            nodes_.mix(p, moved_, u_, shares_, v_, y_, tracked_);
            for (std::size_t i = 0; i < u_.size(); ++i) {
                w_[i] = (T(1) / v_[i][0]) * u_[i];
                gradient(i, w_[i], slope_);
                y_[i] = tracked_[i] + slope_ - slopes_[i];
                std::swap(slopes_[i], slope_);
            }
        }
        /// What must outlive an interruption: of this rank's nodes, which are the problem's blocks.
        template <class Each, class P> void describe(Each& each, [[maybe_unused]] const P& p) {
            each.blocks("copies", w_, p);
            each.blocks("sums", u_, p);
            each.blocks("tracked", y_, p);
            each.blocks("slopes", slopes_, p);
            each.blocks("shares", v_, p);
            each("steps", k_);
        }
        std::vector<A>& copies() { return w_; }

    private:
        const N& nodes_;
        routes<G, Rule> way_;
        std::vector<A> u_, y_, w_, slopes_, moved_, tracked_, v_, shares_;
        A slope_;
        std::size_t k_ = 0;
    };
};
template <class G> push_diging(G) -> push_diging<G>;
template <class G, class Rule> push_diging(G, Rule) -> push_diging<G, Rule>;

}  // namespace gamut::exchange

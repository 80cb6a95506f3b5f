// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <vector>

#include <gamut/core/error.hpp>
#include <gamut/exchange/concept.hpp>

namespace gamut::exchange {

/// What happens to the memory of an update rule (momentum) when the nodes meet.
enum class at_meeting { keep, reset, average };

/// Local SGD: every node goes its own way, and after each `every` steps all take the mean of their weights, by one global sum.
/// Stich, Local SGD converges fast and communicates little, ICLR 2019.
struct periodic {
    static constexpr bool takes_directions = true;

    std::size_t every = 8;
    at_meeting memory = at_meeting::keep;

    void validate() const {
        if (every < 1) throw core::option_error("exchange::periodic: every is 0 (nodes must meet) try 8");
    }

    template <class A, class N> struct state {
        state(const periodic& method, const N& all, const A& start)
            : every_(method.every),
              memory_(method.memory),
              nodes_(all),
              w_(all.size(), start),
              slope_(start),
              mean_(start) {
            method.validate();
        }

        template <class F, class D = as_is> void round(double rate, F&& gradient, D&& direct = {}) {
            using T = typename A::value_type;
            for (std::size_t i = 0; i < w_.size(); ++i) {
                gradient(i, w_[i], slope_);
                direct(i, w_[i], slope_);
                w_[i] = w_[i] - static_cast<T>(rate) * slope_;
            }
            met_ = ++steps_ % every_ == 0;
            if (!met_) return;
            nodes_.mean(w_, mean_);
            for (A& copy : w_) copy = mean_;
        }
        /// The nodes met in the last round: what the method wants done with memories.
        bool met() const { return met_; }
        at_meeting memory() const { return memory_; }
        /// What must outlive an interruption: of this rank's nodes, which are the problem's blocks.
        template <class Each, class P> void describe(Each& each, [[maybe_unused]] const P& p) {
            each.blocks("copies", w_, p);
            each("steps", steps_);
        }
        std::vector<A>& copies() { return w_; }

    private:
        std::size_t every_;
        at_meeting memory_;
        const N& nodes_;
        std::vector<A> w_;
        A slope_, mean_;
        std::size_t steps_ = 0;
        bool met_ = false;
    };
};

}  // namespace gamut::exchange

// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <gamut/backend/array.hpp>
#include <gamut/backend/host.hpp>
#include <gamut/communicator/agree.hpp>
#include <gamut/communicator/concept.hpp>
#include <gamut/communicator/together.hpp>
#include <gamut/core/clock.hpp>
#include <gamut/core/error.hpp>
#include <gamut/core/result.hpp>
#include <gamut/core/stop.hpp>
#include <gamut/exchange/concept.hpp>
#include <gamut/exchange/extra.hpp>
#include <gamut/exchange/nodes.hpp>
#include <gamut/fwd.hpp>

namespace gamut::solver {

/// What resource_allocation found: of this rank's nodes, and of all.
template <class A> struct allocation {
    std::vector<A> x{};       ///< of this rank's nodes, each the best at its own price
    std::vector<A> prices{};  ///< theirs
    A price{};                ///< the mean over all nodes
    double imbalance = 0;     ///< |sum of all x_i|
    double apart = 0;         ///< sqrt(mean |price_i - price|^2)
    std::size_t iterations = 0;
    core::status status{};
    std::string message{};
};

/// Nodes share what there is: each has costs f_i of its own that it shows to nobody, and an amount x_i of `width` goods;
///   minimise sum of f_i(x_i)   subject to   sum of x_i = 0.
/// Every node has a price p_i, and answers it by x_i(p) = argmin f_i(x) + p'x; the prices meet by a method of exchange/ that ends at a
/// minimum with a fixed rate (extra, exact_diffusion, gradient_tracking, push_diging), for the right price minimises
///   mean over i of  -min over x of (f_i(x) + p'x),   whose gradient on node i is -x_i(p).
/// The f_i must be strictly convex; a node's limits on x_i are part of its answer. The rate is about the least curvature of the f_i, times
/// what the method takes (docs/spectrum.md). What is left of the Karush-Kuhn-Tucker conditions is the imbalance and how far
/// the prices are apart; the run stops when both are at most stop.tolerance, in the units of x and of p.
/// Per iteration: an answer per node, the method's messages; every check_every iterations one answer more and two global sums. The
/// same bits on any number of ranks.   answer(i, price, x): node i's; it must not communicate.
template <class Exchange> struct resource_allocation {
    Exchange method{};
    double rate = 0.1;
    std::size_t check_every = 1;  ///< iterations; 0: only at the end
    core::stop stop{.iterations = 500, .tolerance = 1e-7};

    template <class C, class Answer>
    allocation<backend::array<backend::host<>>> minimize(const exchange::nodes<C>& nodes, std::size_t width,
                                                         Answer&& answer) const {
        return communicator::together(nodes.ranks(), [&] { return descend(nodes, width, answer); });
    }

private:
    template <class C, class Answer>
    allocation<backend::array<backend::host<>>> descend(const exchange::nodes<C>& nodes, std::size_t width,
                                                        Answer& answer) const {
        using A = backend::array<backend::host<>>;
        static_assert(exchange::Method<Exchange, A, exchange::nodes<C>>,
                      "resource_allocation: needs a method of meeting; see gamut/exchange/concept.hpp");
        communicator::agree(nodes.ranks(), [&] {
            if (!(rate > 0 && std::isfinite(rate)))
                throw core::option_error(
                    core::text("resource_allocation: rate is ", rate, " (it must be finite and above 0) try 0.1"));
            if (width < 1) throw core::option_error("resource_allocation: 0 goods (nothing to share) have at least 1");
            stop.validate("resource_allocation");
        });
        exchange::state_of<Exchange, A, exchange::nodes<C>> state(method, nodes, A(width));
        allocation<A> found{.x = std::vector<A>(nodes.size(), A(width)), .price = A(width)};
        A mean(width);
        const core::clock clock;
        for (std::size_t k = 0;; ++k) {
            const bool last = k >= stop.iterations;
            if (last || (check_every > 0 && k % check_every == 0)) {
                for (std::size_t i = 0; i < nodes.size(); ++i) answer(nodes.first() + i, state.copies()[i], found.x[i]);
                nodes.mean(found.x, mean);
                nodes.mean(state.copies(), found.price);
                found.imbalance = static_cast<double>(nodes.count()) * backend::norm(mean);
                found.apart = nodes.distance(state.copies(), found.price);
                found.iterations = k;
                found.prices = state.copies();
                if (!std::isfinite(found.imbalance) || !std::isfinite(found.apart))
                    return end(std::move(found), core::status::diverged, "an amount or a price is no longer finite");
                if (found.imbalance <= stop.tolerance && found.apart <= stop.tolerance)
                    return end(std::move(found), core::status::converged,
                               core::text("amounts balance, and prices agree, to ", stop.tolerance));
                if (last)
                    return end(std::move(found), core::status::iteration_limit,
                               core::text("the limit of ", stop.iterations, " iterations is used up"));
                std::int32_t late = stop.seconds > 0 && clock.seconds() >= stop.seconds ? 1 : 0;
                if (stop.seconds > 0)
                    nodes.ranks().all_reduce(std::span<std::int32_t>(&late, 1), communicator::operation::maximum);
                if (late != 0)
                    return end(std::move(found), core::status::time_limit,
                               core::text("the limit of ", stop.seconds, " seconds is used up"));
            }
            state.round(rate, [&](std::size_t i, const A& price, A& slope) {
                answer(nodes.first() + i, price, slope);
                slope = -slope;
            });
        }
    }

    template <class A> static allocation<A> end(allocation<A>&& found, core::status status, std::string message) {
        found.status = status;
        found.message = std::move(message);
        return std::move(found);
    }
};
template <class Exchange> resource_allocation(Exchange) -> resource_allocation<Exchange>;
template <class Exchange> resource_allocation(Exchange, double) -> resource_allocation<Exchange>;
template <class Exchange> resource_allocation(Exchange, double, std::size_t) -> resource_allocation<Exchange>;
template <class Exchange>
resource_allocation(Exchange, double, std::size_t, core::stop) -> resource_allocation<Exchange>;

}  // namespace gamut::solver

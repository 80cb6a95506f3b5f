// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <queue>
#include <string>
#include <type_traits>
#include <unordered_set>
#include <utility>
#include <vector>

#include <gamut/backend/array.hpp>
#include <gamut/communicator/agree.hpp>
#include <gamut/core/result.hpp>
#include <gamut/core/stop.hpp>
#include <gamut/core/text.hpp>
#include <gamut/penalty/l0.hpp>
#include <gamut/solver/concept.hpp>
#include <gamut/solver/detail/nodes.hpp>
#include <gamut/solver/detail/perspective.hpp>
#include <gamut/solver/gram_problem.hpp>
#include <gamut/solver/polish.hpp>
#include <gamut/solver/run.hpp>

namespace gamut::solver {

/// The best of all supports of penalty::l0, with a proof: branch and bound.
///   node     some groups (entries, or rows) are in, some are out, the rest is open
///   bound    the minimum of its relaxation, loss + psi (certificate.hpp), from below; least squares without l2: the loss on all
///            that is not out, which more columns only lower
///   weights  the open groups with the largest weights join what is in; the best weights on that support
///   branch   on the open group whose share is nearest 1/2; groups that the bound decides are decided at once (screening)
/// A node is done with when its bound is within stop.tolerance of the best objective, relatively. The best bound goes first,
/// and from there downwards until a node is done with.
///
/// stop.iterations counts nodes. Their number may double with every column: some dozens of columns with a small kappa, or some
/// hundreds with l2 so large that bounds are tight, are proven in seconds. Ended early, the result is the best found, and
/// lower_bound and gap() say what is left open.
/// Least squares: one pass for the Gram matrix, then all is in memory. Other convex losses need l2 > 0: a few passes per node, and
/// dimension() passes for each new second derivative. Every rank walks the same tree; each pass sends what it does elsewhere.
/// Bertsimas, King and Mazumder 2016; Atamturk and Gomez 2020; Hazimeh, Mazumder and Saab 2022 (l0bnb).
struct exact {
    core::stop stop{.iterations = 1000000, .tolerance = 1e-6};
    std::size_t memory = std::size_t(1) << 30;  ///< bytes that matrices may take
    polish polishing{};

    template <Cardinality P, class... O>
    requires(Quadratic<P> || (TwiceDifferentiable<P> && ColumnAccess<P>)) core::result<typename P::array> minimize(
        const P& p, O&&... observers)
    const {
        communicator::agree(p.communicator(), [&] { validate(p); });
        run<P, std::remove_reference_t<O>...> record("exact", p, stop, observers...);
        const detail::perspective relaxed(p.penalty_term(), p.layout());
        if constexpr (Quadratic<P>) {
            const auto nodes = detail::gram_nodes<P>(p, relaxed);
            return tree(*this, p, relaxed, nodes, record).go();
        } else {
            auto nodes = detail::loss_nodes<P>(p, relaxed, polishing);
            return tree(*this, p, relaxed, nodes, record).go();
        }
    }

    template <class P, class... O> refused minimize(const P&, O&&...) const {
        static_assert(Cardinality<P>, "exact: needs penalty::l0 (it proves which kappa weights are best); use solver::lbfgs or admm");
        static_assert(!Cardinality<P> || Quadratic<P> || (TwiceDifferentiable<P> && ColumnAccess<P>),
                      "exact: needs moments(), or hessian(w) and on_columns(...); see gamut/solver/concept.hpp");
        return {};
    }

private:
    template <class P> void validate(const P& p) const {
        stop.validate("exact");
        const penalty::l0& term = p.penalty_term();
        if (std::isfinite(term.lower) || std::isfinite(term.upper))
            throw core::option_error("exact: the weights are bounded (its relaxation knows no bounds) use solver::disadmm");
        if (term.l2 == 0 && !Quadratic<P>)
            throw core::option_error("exact: l2 is 0 (only least squares has a bound then) give penalty::l0 an l2, such as 1e-3");
        if (term.l2 == 0 && term.l1 > 0)
            throw core::option_error("exact: l1 without l2 (then there is no bound) give penalty::l0 an l2, such as 1e-3");
        if constexpr (Quadratic<P> && requires { p.dataset().rows(); })
            if (term.l2 == 0 && p.dataset().rows() < p.dimension())
                throw core::option_error(core::text("exact: l2 is 0 and ", p.dataset().rows(), " rows are fewer than ", p.dimension(),
                                                    " weights (all bounds are 0 then) give penalty::l0 an l2, such as 1e-3"));
        const double d = static_cast<double>(p.dimension()), bytes = 3 * 8 * d * d;
        if (bytes > static_cast<double>(memory))
            throw core::option_error(core::text("exact: ", p.dimension(), " weights need ", bytes / 1048576,
                                                " MiB for matrices (memory is ", static_cast<double>(memory) / 1048576,
                                                " MiB) raise it, or use solver::disadmm"));
    }

    template <class P, class Nodes, class Run> class tree {
        using A = typename P::array;
        using choices = detail::choices;
        using choice = detail::choice;

        struct node {
            double bound = -std::numeric_limits<double>::infinity();
            std::size_t id = 0;
            choices chosen{};
            std::vector<double> start{};
            bool operator<(const node& other) const {  // the top of a heap is the largest
                return bound > other.bound || (bound == other.bound && id > other.id);
            }
        };

    public:
        tree(const exact& options, const P& p, const detail::perspective& relaxed, Nodes& nodes, Run& record)
            : options_(options), p_(p), relaxed_(relaxed), nodes_(nodes), run_(record) {}

        core::result<A> go() {
            std::optional<node> next = node{.chosen = relaxed_.undecided(), .start = nodes_.start()};
            core::status status = core::status::converged;
            while (next || !open_.empty()) {
                if (!next) {
                    next = std::move(const_cast<node&>(open_.top()));
                    open_.pop();
                }
                lowest_ = std::min(next->bound, open_.empty() ? next->bound : open_.top().bound);
                if (next->bound >= cutoff()) {
                    close(next->bound);
                    next.reset();
                    continue;
                }
                if (count_ == options_.stop.iterations) {
                    status = core::status::iteration_limit;
                    break;
                }
                ++count_;
                const double before = best_.objective;
                auto child = examine(*next);
                if (best_.objective < before || count_ % 64 == 0)
                    if (const auto asked = report()) {
                        status = *asked;
                        if (child) open_.push(std::move(*child));
                        next.reset();
                        break;
                    }
                next = std::move(child);
            }
            if (next) open_.push(std::move(*next));
            return finish(status);
        }

    private:
        /// Everything below this is worth looking at.
        double cutoff() const {
            return best_.objective - options_.stop.tolerance * std::abs(best_.objective);
        }

        /// No weights of a node that is done with are below `bound`.
        void close(double bound) { closed_ = std::min(closed_, bound); }

        /// The best weights on a support, unless it was looked at before.
        void offer(const choices& c, bool again = false) {
            std::uint64_t hash = 1469598103934665603ull;
            for (std::size_t g = 0; g < c.of.size(); ++g)
                if (c.of[g] == choice::in) hash = (hash ^ (g + 1)) * 1099511628211ull;
            if (!seen_.insert(hash).second && !again) return;
            detail::fit_on_support found = nodes_.fit(c);
            run_.add_passes(nodes_.own_passes());
            if (found.objective < best_.objective || best_.weights.empty()) best_ = std::move(found);
        }

        /// What is in, and the open groups with the highest scores while there are places.
        choices rounded(choices c, const std::vector<double>& score) const {
            std::vector<std::pair<double, std::size_t>> open;
            for (std::size_t g = 0; g < c.of.size(); ++g)
                if (c.of[g] == choice::open) open.emplace_back(-score[g], g);
            std::sort(open.begin(), open.end());
            for (const auto& [negative, g] : open)
                relaxed_.decide(c, g, c.places[relaxed_.competition(g)] > 0 ? choice::in : choice::out);
            return c;
        }

        void leaf(const choices& c) {
            // a support seen before was fitted then, and is no better than the best
            offer(c);
            close(best_.objective);
        }

        /// Bounds a node. Returns the child to go on with; the other one waits.
        std::optional<node> examine(node& n) {
            choices& c = n.chosen;
            if (relaxed_.decided(c)) return leaf(c), std::nullopt;
            detail::relaxation r = nodes_.relax(c, n.start, cutoff());
            r.bound = std::max(r.bound, n.bound);
            if (r.bound >= cutoff()) return close(r.bound), std::nullopt;
            offer(rounded(c, r.score));
            const double limit = cutoff();
            if (r.bound >= limit) return close(r.bound), std::nullopt;
            for (std::size_t g = 0; g < c.of.size(); ++g) {
                if (c.of[g] != choice::open) continue;
                if (r.bound + r.lift_out[g] >= limit) {
                    if (c.places[relaxed_.competition(g)] == 0) return close(r.bound + r.lift_out[g]), std::nullopt;
                    close(r.bound + r.lift_out[g]);
                    relaxed_.decide(c, g, choice::in);
                } else if (r.bound + r.lift_in[g] >= limit) {
                    close(r.bound + r.lift_in[g]);
                    relaxed_.decide(c, g, choice::out);
                }
            }
            relaxed_.settle(c);
            if (relaxed_.decided(c)) return leaf(c), std::nullopt;

            std::size_t branch = c.of.size();
            for (std::size_t g = 0; g < c.of.size(); ++g) {
                if (c.of[g] != choice::open) continue;
                if (branch == c.of.size() || r.doubt[g] > r.doubt[branch] ||
                    (r.doubt[g] == r.doubt[branch] && r.score[g] > r.score[branch]))
                    branch = g;
            }
            node in{r.bound + r.lift_in[branch], ++ids_, c, r.weights}, out{r.bound + r.lift_out[branch], ++ids_, std::move(c), std::move(r.weights)};
            relaxed_.decide(in.chosen, branch, choice::in);
            relaxed_.settle(in.chosen);
            relaxed_.decide(out.chosen, branch, choice::out);
            relaxed_.settle(out.chosen);
            if (out.bound < in.bound) std::swap(in, out);
            open_.push(std::move(out));
            return in;
        }

        double lower() const { return std::min({best_.objective, closed_, lowest_}); }

        std::optional<core::status> report() {
            A w(p_.dimension());
            detail::set(w, best_.weights);
            return run_.report(core::record{.phase = "tree",
                                            .iteration = count_,
                                            .objective = best_.objective,
                                            .residual = core::relative_gap(best_.objective, lower()),
                                            .nonzeros = p_.nonzeros(w)});
        }

        core::result<A> finish(core::status status) {
            lowest_ = open_.empty() ? std::numeric_limits<double>::infinity() : open_.top().bound;
            if (best_.weights.empty()) best_.weights = std::vector<double>(p_.dimension());
            report();
            A w(p_.dimension());
            detail::set(w, best_.weights);
            const double objective = p_.value(w) + p_.penalty(w);
            const double bound = std::min(lower(), objective);
            const double gap = core::relative_gap(objective, bound);
            std::string message =
                status == core::status::converged
                    ? core::text("proven with ", count_, " nodes: no support is better by more than ", gap, " of the objective")
                    : core::text(status == core::status::iteration_limit ? core::text("the limit of ", count_, " nodes is used up")
                                                                         : explanation(status, options_.stop),
                                 "; the least objective lies between ", bound, " and ", objective);
            core::result<A> result = run_.finish(std::move(w), objective, status, std::move(message));
            result.lower_bound = bound;
            return result;
        }

        const exact& options_;
        const P& p_;
        const detail::perspective& relaxed_;
        Nodes& nodes_;
        Run& run_;
        std::priority_queue<node> open_;
        std::unordered_set<std::uint64_t> seen_;
        detail::fit_on_support best_;
        double closed_ = std::numeric_limits<double>::infinity(), lowest_ = -std::numeric_limits<double>::infinity();
        std::size_t count_ = 0, ids_ = 0;
    };
};

}  // namespace gamut::solver

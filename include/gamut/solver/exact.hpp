// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numeric>
#include <optional>
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
#include <gamut/model/concept.hpp>
#include <gamut/penalty/l0.hpp>
#include <gamut/quadratic/nodes.hpp>
#include <gamut/quadratic/perspective.hpp>
#include <gamut/quadratic/subset_factor.hpp>
#include <gamut/solver/certificate.hpp>
#include <gamut/solver/concept.hpp>
#include <gamut/solver/detail/loss_nodes.hpp>
#include <gamut/solver/gram_problem.hpp>
#include <gamut/solver/polish.hpp>
#include <gamut/solver/refit.hpp>
#include <gamut/solver/run.hpp>

namespace gamut::solver {

/// The best of all supports of penalty::l0, with a proof: branch and bound.
///   node     some groups (entries, rows, or groups of rows) are in, some are out, the rest is open
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
/// Least squares: one pass for the Gram matrix, then all is in memory. Other convex losses need l2 > 0: a few passes per node, now
/// and then one with a sum of dimension()^2 numbers. Every rank walks the same tree; each pass sends what it does elsewhere.
/// Bertsimas, King and Mazumder 2016; Atamturk and Gomez 2020; Hazimeh, Mazumder and Saab 2022 (l0bnb).
struct exact {
    static constexpr bool takes_any_problem = true;
    std::size_t blocks = 8;                     ///< of rows, each a partial sum; the most ranks with work
    std::size_t memory = std::size_t(2) << 30;  ///< bytes that matrices may take
    polish polishing{};
    core::stop stop{.iterations = 1000000, .tolerance = 1e-6};  ///< nodes; relative gap

    template <Cardinality P, class... O>
    requires(Quadratic<P> || (TwiceDifferentiable<P> &&
                              SecondDerivatives<P>)) core::result<typename P::array> minimize(const P& p,
                                                                                              O&&... observers)
    const {
        if constexpr (requires { p.loss_model(); })
            static_assert(
                model::is_convex<std::remove_cvref_t<decltype(p.loss_model())>>,
                "exact: needs a convex loss (no other has bounds); if the model's is, write static constexpr bool "
                "convex = true; in it");
        communicator::agree(p.communicator(), [&] { validate(p); });
        run<P, std::remove_reference_t<O>...> record("exact", p, stop, observers...);
        return search(p, p, progress{}, record);
    }

    template <class P, class... O> refused minimize(const P&, O&&...) const {
        static_assert(Cardinality<P>,
                      "exact: needs penalty::l0 (it proves which kappa weights are best); use solver::lbfgs or admm");
        static_assert(
            !Cardinality<P> || Quadratic<P> || (TwiceDifferentiable<P> && SecondDerivatives<P>),
            "exact: needs moments(), or hessian(w) and second_derivatives(w, entries); see gamut/solver/concept.hpp");
        return {};
    }

private:
    struct progress;
    template <class P, class Nodes, class Run> class tree;

    /// Grows a tree on `part`, some columns of `whole`, and goes on with fewer columns once half of them are decided for good.
    template <class P, class Run>
    core::result<typename P::array> search(const P& whole, const P& part, progress from, Run& record) const {
        const quadratic::perspective relaxed(part.penalty_term(), part.layout());
        auto nodes = nodes_of(part, relaxed);
        tree<P, decltype(nodes), Run> growing(*this, whole, part, relaxed, nodes, record, std::move(from));
        if constexpr (ColumnAccess<P>) {
            if (growing.grow()) {
                const std::vector<std::size_t> columns = growing.live_columns();
                const auto fewer = part.on_columns(columns, on_features(part.penalty_term(), columns));
                return search(whole, *fewer, growing.on(columns), record);
            }
        } else {
            while (growing.grow()) {}
        }
        return growing.finish();
    }

    template <class P> auto nodes_of(const P& p, const quadratic::perspective& relaxed) const {
        if constexpr (Quadratic<P>)
            return refined(p, quadratic::nodes(p.moments(), relaxed));
        else
            return detail::loss_nodes<P>(p, relaxed, polishing);
    }

    /// Where the Gram matrix has too few digits left for a proof, nodes look at an orthogonal factor of the rows: one more pass.
    template <class P> [[gnu::cold]] quadratic::nodes refined(const P& p, quadratic::nodes nodes) const {
        if constexpr (LeastSquares<P>)
            if (nodes.rounding(p.rows()).added > 1e-3 * stop.tolerance * nodes.at_zero() && p.penalty_term().l1 == 0) {
                std::vector<std::size_t> columns(p.layout().features);
                std::iota(columns.begin(), columns.end(), std::size_t(0));
                nodes.refine({detail::factor_of(p, columns, p.penalty_term().l2), p.has_intercept(), p.total_weight()});
            }
        return nodes;
    }

    template <class P> void validate(const P& p) const {
        if (!(blocks >= 1 && blocks <= 4095))
            throw core::option_error(core::text("exact: blocks is ", blocks, " (it must be 1 to 4095)"));
        stop.validate("exact");
        const penalty::l0& term = p.penalty_term();
        if (std::isfinite(term.lower) || std::isfinite(term.upper))
            throw core::option_error(
                "exact: the weights are bounded (its relaxation knows no bounds) use solver::disadmm");
        if (term.l2 == 0 && !Quadratic<P>)
            throw core::option_error(
                "exact: l2 is 0 (only least squares has a bound then) give penalty::l0 an l2, such as 1e-3");
        if (term.l2 == 0 && term.l1 > 0)
            throw core::option_error(
                "exact: l1 without l2 (then there is no bound) give penalty::l0 an l2, such as 1e-3");
        if constexpr (Quadratic<P> && requires { p.dataset().rows(); })
            if (term.l2 == 0 && p.dataset().rows() < p.dimension())
                throw core::option_error(
                    core::text("exact: l2 is 0 and ", p.dataset().rows(), " rows are fewer than ", p.dimension(),
                               " weights (all bounds are 0 then) give penalty::l0 an l2, such as 1e-3"));
        const double d = static_cast<double>(p.dimension()), bytes = (4 + static_cast<double>(blocks)) * 8 * d * d;
        if (bytes > static_cast<double>(memory))
            throw core::option_error(core::text("exact: ", p.dimension(), " weights need ", bytes / 1048576,
                                                " MiB for matrices (memory is ", static_cast<double>(memory) / 1048576,
                                                " MiB) raise it, or use solver::disadmm"));
    }

    struct node {
        double bound = -std::numeric_limits<double>::infinity();
        std::size_t id = 0;
        quadratic::choices chosen{};
        std::vector<double> start{};
        bool operator<(const node& other) const {  // the top of a heap is the largest
            return bound > other.bound || (bound == other.bound && id > other.id);
        }
    };

    /// How far a tree has grown.
    struct progress {
        std::vector<node> open{};                                 ///< a heap, the lowest bound first
        std::optional<node> next{};                               ///< where the dive goes on
        quadratic::fit_on_support best{};                         ///< with the weights of all columns
        double closed = std::numeric_limits<double>::infinity();  ///< no weights of what is done with are below
        quadratic::rounding_error rounding{};                     ///< of the bounds, in the worst of the trees
        double at_zero = 0;                                       ///< the loss without weights
        bool refined = false;                                     ///< bounds come from a factor of the rows
        std::size_t count = 0, ids = 0;
        core::status status = core::status::converged;
        std::vector<std::size_t> columns{};  ///< of the problem that the tree looks at; empty: all
        double root_bound = -std::numeric_limits<double>::infinity();
        std::vector<double> root_lift{};  ///< what using a group added to the bound of the root
    };

    template <class P, class Nodes, class Run> class tree {
        using A = typename P::array;
        using choices = quadratic::choices;
        using choice = quadratic::choice;

    public:
        /// `p` is all of `whole`, or those of its columns that `from` names.
        tree(const exact& options, const P& whole, const P& p, const quadratic::perspective& relaxed, Nodes& nodes,
             Run& record, progress from)
            : options_(options),
              whole_(whole),
              p_(p),
              relaxed_(relaxed),
              nodes_(nodes),
              run_(record),
              now_(std::move(from)) {
            if (now_.count == 0) now_.next = node{.chosen = relaxed_.undecided(), .start = nodes_.start()};
            if constexpr (requires { nodes_.rounding(p_.rows()); }) {
                now_.rounding = now_.rounding.worst(nodes_.rounding(p_.rows()));
                if (nodes_.is_refined()) {
                    now_.refined = true;
                    run_.add_passes(1);
                }
                now_.at_zero = std::max(now_.at_zero, nodes_.at_zero());
            }
        }

        /// Looks at nodes until there are none, the limit is reached, or somebody asks to stop. True: not so, but half of the
        /// columns are of no use any more.
        bool grow() {
            auto& open = now_.open;
            auto& next = now_.next;
            while (now_.status == core::status::converged && (next || !open.empty())) {
                if (!next) {
                    std::pop_heap(open.begin(), open.end());
                    next = std::move(open.back());
                    open.pop_back();
                }
                if (next->bound >= cutoff()) {
                    close(next->bound);
                    next.reset();
                    continue;
                }
                if (now_.count >= options_.stop.iterations) {
                    now_.status = core::status::iteration_limit;
                    return false;
                }
                ++now_.count;
                const double before = now_.best.objective;
                next = examine(*next);
                count_passes();
                const bool better = now_.best.objective < before;
                if (better || now_.count % 64 == 0 || run_.passes() - reported_ >= 256)
                    if (const auto asked = report()) now_.status = *asked;
                if (better && now_.status == core::status::converged && p_.layout().features >= 16 &&
                    live_columns().size() <= p_.layout().features / 2)
                    return true;
            }
            return false;
        }

        core::result<A> finish() {
            if (now_.best.weights.empty()) now_.best.weights.resize(whole_.dimension());
            report();
            const core::status status = now_.status;
            const std::size_t count = now_.count;
            A w(whole_.dimension());
            detail::set(w, now_.best.weights);
            if (now_.refined) w = options_.polishing.improve(whole_, w).weights;
            const double objective = whole_.value(w) + whole_.penalty(w);
            double bound = std::min(now_.rounding.below(lower()), objective);
            if (has_nonnegative_loss(p_)) bound = std::max(bound, std::min(0.0, objective));
            core::status ended = status;
            // of an objective that is next to nothing beside the loss without weights, no share is asked for
            if (status == core::status::converged &&
                objective - now_.rounding.below(objective) >
                    options_.stop.tolerance * std::max(std::abs(objective), 1e-3 * now_.at_zero))
                ended = core::status::stalled;
            std::string message =
                ended == core::status::converged
                    ? core::text("proven with ", count, " nodes: no support is better by more than ",
                                 gap_in_words(objective, bound))
                : ended == core::status::stalled
                    ? core::text(
                          "not proven: columns are so nearly collinear that rounding may hide a better support; the "
                          "least objective lies between ",
                          bound, " and ", objective)
                    : core::text(status == core::status::iteration_limit
                                     ? core::text("the limit of ", count, " nodes is used up")
                                     : explanation(status, options_.stop),
                                 "; the least objective lies between ", bound, " and ", objective);
            if (auto nowhere = no_minimum_on_support(whole_, w)) {
                ended = core::status::separable;
                message = *std::move(nowhere);
            }
            core::result<A> result = run_.finish(std::move(w), objective, ended, std::move(message));
            result.lower_bound = bound;
            return result;
        }

        /// Features that better solutions may use, by the bound of the root; ascending.
        std::vector<std::size_t> live_columns() const {
            std::vector<std::size_t> live;
            const std::size_t outputs = p_.layout().outputs;
            for (std::size_t i = 0; i < p_.layout().features; ++i) {
                bool any = now_.root_lift.empty();
                for (std::size_t g = relaxed_.group_of(i * outputs);
                     g <= relaxed_.group_of((i + 1) * outputs - 1) && !any; ++g)
                    any = now_.root_bound + now_.root_lift[g] < cutoff();
                if (any) live.push_back(i);
            }
            return live;
        }

        /// The same progress for a tree that looks at these columns only, which are live.
        progress on(const std::vector<std::size_t>& columns) {
            const std::size_t outputs = p_.layout().outputs, entries = relaxed_.entries();
            std::vector<bool> live(relaxed_.groups());
            for (const std::size_t i : columns)
                for (std::size_t j = i * outputs; j < (i + 1) * outputs; ++j) live[relaxed_.group_of(j)] = true;
            for (std::size_t g = 0; g < live.size(); ++g)
                if (!live[g]) close(now_.root_bound + now_.root_lift[g]);
            const auto restrict = [&](const auto& all) {  // one for each group
                std::remove_cvref_t<decltype(all)> some;
                for (std::size_t g = 0; g < live.size(); ++g)
                    if (live[g]) some.push_back(all[g]);
                return some;
            };
            const auto possible = [&](node& n) {
                for (std::size_t g = 0; g < live.size(); ++g)
                    if (!live[g] && n.chosen.of[g] == choice::in) return false;
                std::vector<double> start;
                for (const std::size_t i : columns)
                    start.insert(start.end(), n.start.begin() + static_cast<std::ptrdiff_t>(i * outputs),
                                 n.start.begin() + static_cast<std::ptrdiff_t>((i + 1) * outputs));
                start.insert(start.end(), n.start.begin() + static_cast<std::ptrdiff_t>(entries), n.start.end());
                n.start = std::move(start);
                n.chosen.of = restrict(n.chosen.of);
                return true;
            };
            progress some = std::move(now_);
            some.root_lift = restrict(some.root_lift);
            std::erase_if(some.open, [&](node& n) { return !possible(n); });
            std::make_heap(some.open.begin(), some.open.end());
            if (some.next && !possible(*some.next)) some.next.reset();
            if (some.columns.empty())
                some.columns = columns;
            else
                for (std::size_t k = 0; k < columns.size(); ++k) some.columns[k] = some.columns[columns[k]];
            some.columns.resize(columns.size());
            return some;
        }

    private:
        /// Everything below this is worth looking at.
        double cutoff() const { return now_.best.objective - options_.stop.tolerance * std::abs(now_.best.objective); }

        /// No weights of a node that is done with are below `bound`.
        void close(double bound) { now_.closed = std::min(now_.closed, bound); }

        double lower() const {
            // weights are the best on their support to some digits only
            constexpr double digits =
                1e-12 + 4 * static_cast<double>(std::numeric_limits<typename A::value_type>::epsilon());
            double least = std::min(now_.best.objective - digits * std::abs(now_.best.objective), now_.closed);
            if (now_.next) least = std::min(least, now_.next->bound);
            return now_.open.empty() ? least : std::min(least, now_.open.front().bound);
        }

        /// The best weights on a support, unless it was looked at before.
        void offer(const choices& c) {
            std::uint64_t hash = 1469598103934665603ull;
            for (std::size_t g = 0; g < c.of.size(); ++g)
                if (c.of[g] == choice::in) hash = (hash ^ (g + 1)) * 1099511628211ull;
            if (!seen_.insert(hash).second) return;
            quadratic::fit_on_support found = nodes_.fit(c);
            run_.add_passes(nodes_.own_passes());
            if (!(found.objective < now_.best.objective) && !now_.best.weights.empty()) return;
            now_.best.objective = found.objective;
            const std::vector<std::size_t>& columns = now_.columns;
            if (columns.empty()) {
                now_.best.weights = std::move(found.weights);
                return;
            }
            const std::size_t outputs = p_.layout().outputs;
            now_.best.weights.assign(whole_.dimension(), 0);
            for (std::size_t i = 0; i < columns.size(); ++i)
                for (std::size_t k = 0; k < outputs; ++k)
                    now_.best.weights[columns[i] * outputs + k] = found.weights[i * outputs + k];
            std::copy(found.weights.begin() + static_cast<std::ptrdiff_t>(columns.size() * outputs),
                      found.weights.end(),
                      now_.best.weights.begin() + static_cast<std::ptrdiff_t>(whole_.layout().size()));
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

        /// All choices made. A support that was seen before is no better than the best.
        std::optional<node> leaf(const choices& c) {
            offer(c);
            close(now_.best.objective);
            return std::nullopt;
        }

        /// Those that `whole_` does not count.
        void count_passes() {
            if (&p_ == &whole_) return;
            run_.add_passes(p_.passes() - counted_);
            counted_ = p_.passes();
        }

        std::optional<node> done(double bound) {
            close(bound);
            return std::nullopt;
        }

        /// Bounds a node. Returns the child to go on with; the other one waits.
        std::optional<node> examine(node& n) {
            choices& c = n.chosen;
            if (relaxed_.decided(c)) return leaf(c);
            quadratic::relaxation r = nodes_.relax(c, n.start, cutoff());
            r.bound = std::max(r.bound, n.bound);
            if (now_.count == 1) now_.root_bound = r.bound, now_.root_lift = r.lift_in;
            if (r.bound >= cutoff()) return done(r.bound);
            offer(rounded(c, r.score));
            const double limit = cutoff();
            if (r.bound >= limit) return done(r.bound);
            for (std::size_t g = 0; g < c.of.size(); ++g) {
                if (c.of[g] != choice::open) continue;
                if (r.bound + r.lift_out[g] >= limit) {
                    close(r.bound + r.lift_out[g]);
                    if (c.places[relaxed_.competition(g)] == 0) return std::nullopt;
                    relaxed_.decide(c, g, choice::in);
                } else if (r.bound + r.lift_in[g] >= limit) {
                    close(r.bound + r.lift_in[g]);
                    relaxed_.decide(c, g, choice::out);
                }
            }
            relaxed_.settle(c);
            if (relaxed_.decided(c)) return leaf(c);

            std::size_t branch = c.of.size();
            for (std::size_t g = 0; g < c.of.size(); ++g) {
                if (c.of[g] != choice::open) continue;
                if (branch == c.of.size() || r.doubt[g] > r.doubt[branch] ||
                    (r.doubt[g] == r.doubt[branch] && r.score[g] > r.score[branch]))
                    branch = g;
            }
            node in{r.bound + r.lift_in[branch], ++now_.ids, c, r.weights};
            node out{r.bound + r.lift_out[branch], ++now_.ids, std::move(c), std::move(r.weights)};
            relaxed_.decide(in.chosen, branch, choice::in);
            relaxed_.settle(in.chosen);
            relaxed_.decide(out.chosen, branch, choice::out);
            relaxed_.settle(out.chosen);
            if (out.bound < in.bound) std::swap(in, out);
            now_.open.push_back(std::move(out));
            std::push_heap(now_.open.begin(), now_.open.end());
            return in;
        }

        std::optional<core::status> report() {
            reported_ = run_.passes();
            A w(whole_.dimension());
            detail::set(w, now_.best.weights);
            return run_.report(core::record{.phase = "tree",
                                            .iteration = now_.count,
                                            .objective = now_.best.objective,
                                            .residual = core::relative_gap(now_.best.objective, lower()),
                                            .nonzeros = whole_.nonzeros(w)});
        }

        const exact& options_;
        const P &whole_, &p_;
        const quadratic::perspective& relaxed_;
        Nodes& nodes_;
        Run& run_;
        std::unordered_set<std::uint64_t> seen_;
        std::size_t counted_ = 0, reported_ = 0;  // passes
        progress now_;
    };
};

}  // namespace gamut::solver

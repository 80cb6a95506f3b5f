// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <limits>
#include <memory>
#include <numeric>
#include <optional>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <gamut/backend/array.hpp>
#include <gamut/backend/parallel.hpp>
#include <gamut/communicator/agree.hpp>
#include <gamut/core/random.hpp>
#include <gamut/core/result.hpp>
#include <gamut/core/stable_sort.hpp>
#include <gamut/core/stop.hpp>
#include <gamut/fwd.hpp>
#include <gamut/quadratic/bounded_support.hpp>
#include <gamut/quadratic/candidates.hpp>
#include <gamut/quadratic/support.hpp>
#include <gamut/quadratic/support_model.hpp>
#include <gamut/quadratic/support_search.hpp>
#include <gamut/quadratic/units.hpp>
#include <gamut/solver/certificate.hpp>
#include <gamut/solver/concept.hpp>
#include <gamut/solver/detail/compare_by_fits.hpp>
#include <gamut/solver/detail/support_model_of.hpp>
#include <gamut/solver/gram_problem.hpp>
#include <gamut/solver/polish.hpp>
#include <gamut/solver/prune.hpp>
#include <gamut/solver/run.hpp>

namespace gamut::solver {

/// Best subsets by exchange: minimises a loss over at most kappa non-zero weights (penalty::l0) until no exchange of one weight for
/// another improves it. All is done on a pool of the candidates with the largest scores, that is, with the largest decrease
/// that the second-order model of the loss promises:
///   H, g = the loss's derivatives at w on the pool          one pass over the pool's columns, one sum of |pool|^2 numbers
///   S'   = the best support of 1/2 v'Hv + (g - Hw)'v         in memory: forward selection, then the best exchange of all
///          pool x kappa as long as one gains, then the same from `restarts` disturbed supports
///   w'   = the best weights on S', kept if they are better   a few steps on kappa columns (solver::polish)
/// and one gradient of everything gives new scores, and a new pool where others have risen, until S' = S in the same pool. For least
/// squares the model is the loss, so S is exactly as good as no exchange within the pool could better (without l1 and bounds). With all candidates in the
/// pool (few of them; in the end, where their products are cheap; or `pool` says so) that is an optimum in the strict sense; else
/// candidates outside the pool have been compared by their scores alone.
///
/// Where the matrix of a pool that holds all members would be too large, a part of them at a time is exchanged while the others stay
/// as they are: those that are worth least, w_j^2 (mean(x~_j^2) + l2), for twice as many with the largest scores; then the next ones,
/// until two parts in turn gain nothing. A local optimum in that sense only, without disturbed supports.
///
/// Least squares of few rows (up to 512, where columns are many) hands its rows to all ranks, and H is made from them row by row, when
/// an exchange needs it: then all candidates are in the pool from the beginning, as long as H could be made in some 10^8 operations.
///
/// Rows and groups are exchanged as such: read "weight" as "row" or "group" above, and scores and gains as those of all its weights
/// together. Where each has one weight they are exchanged as weights.
///
/// A loss that is not its model may hide a better support from it, and so may a Gram matrix of nearly collinear columns: where all
/// supports are few, each is fitted in the end, else each exchange where those are few, as long as one is better. The message says which, or
/// speaks of promising exchanges only (detail/compare_by_fits.hpp).
///
/// The supports tried, and so every bit, depend on the data, `seed` and `blocks`, not on ranks or threads: what is in memory is
/// shared out over both. A heuristic without proof: see solver/certificate.hpp for bounds.
/// With l1 or bounds an exchange has no closed form: the eight that promise most if no other weight meets a bound get the best weights
/// there are, and the best of them is made (quadratic/bounded_support.hpp). For rows and groups l1 and bounds are respected by the weights
/// and by what is kept, not by what is tried.
/// Zhu et al., A polynomial algorithm for best-subset selection problem, PNAS 117 (2020), exchange by scores; Hazimeh and Mazumder,
/// Fast best subset selection, Operations Research 68 (2020), exchange as local optimality.
struct swap {
    static constexpr bool takes_any_problem = true;
    std::size_t blocks = 8;  ///< of rows, each a partial sum; the most ranks with work
    /// Searches from disturbed supports, until so many are no better. Fewer when 32 have come back
    /// (half as many as there are places, 8 to 32, in a pool of some candidates); a quarter for a loss that is not
    /// its model; down to a thirty-second where one takes long; 8 in a pool that all candidates follow.
    std::size_t restarts = 512;
    double disturb =
        0.8;  ///< share of the support that is replaced at random, though at most 24 weights (rows, groups); 5/8 of that, at most 12, for a loss that is not its model
    std::size_t pool =
        0;  ///< candidates (weights, rows, groups) looked at together; 0: chosen from kappa and the sizes
    std::uint64_t seed = 1;                     ///< of the disturbances
    std::size_t memory = std::size_t(1) << 30;  ///< bytes that products of all candidates may take
    bool compare_by_fits = true;                ///< in the end, supports or exchanges that are few; see above
    polish polishing{};
    prune pruning{};                     ///< the start with several outputs
    certificate bounding{};              ///< the result's lower bound, if l2 > 0
    core::stop stop{.iterations = 100};  ///< supports fitted

    void validate() const {
        if (!(blocks >= 1 && blocks <= 4095))
            throw core::option_error(core::text("swap: blocks is ", blocks, " (it must be 1 to 4095)"));
        if (!(disturb > 0 && disturb <= 1))
            throw core::option_error(
                core::text("swap: disturb is ", disturb, " (it must be above 0, and at most 1) try 0.3"));
        pruning.validate();
        stop.validate("swap");
    }

    /// With several outputs, or in parts, it begins where prune ends, else with nothing.
    template <Cardinality P, class... O>
    requires ColumnAccess<P> && SecondDerivatives<P> core::result<typename P::array> minimize(const P& p,
                                                                                              O&&... observers)
    const {
        communicator::agree(p.communicator(), [&] { validate(); });
        run<P, std::remove_reference_t<O>...> record("swap", p, stop, observers...);
        if (search from_nothing(*this, p, record, 0); p.layout().outputs == 1 && !from_nothing.is_in_parts())
            return from_nothing.go(polishing.improve(p, p.start()));
        std::optional<core::status> asked;
        auto found = pruning.eliminate(p, [&](const core::record& now) {
            asked = record.report(now);
            return !asked;
        });
        if (asked) return record.finish(std::move(found.weights), found.objective, *asked, explanation(*asked, stop));
        return search(*this, p, record, found.iterations).go(std::move(found));
    }

    /// The same, from the support of w.
    template <Cardinality P, class... O>
    requires ColumnAccess<P> && SecondDerivatives<P> core::result<typename P::array> from(const P& p,
                                                                                          const typename P::array& w,
                                                                                          O&&... observers)
    const {
        communicator::agree(p.communicator(), [&] { validate(); });
        run<P, std::remove_reference_t<O>...> record("swap", p, stop, observers...);
        return search(*this, p, record, 0).go(polishing.improve(p, w));
    }

    /// Part of another solver's run, whose records go on: improves what that has found after `iterations`. said: set to what was compared by
    /// fits, if it was.
    template <Cardinality P, class Run>
    requires ColumnAccess<P> && SecondDerivatives<P> core::result<typename P::array> improve(
        const P& p, core::result<typename P::array> found, Run& record, std::size_t iterations,
        std::optional<std::string>* said = nullptr)
    const {
        search improving(*this, p, record, iterations);
        core::result<typename P::array> better = improving.improve(std::move(found));
        if (said) *said = improving.said();
        return better;
    }

    template <class P, class... O> refused minimize(const P&, O&&...) const {
        static_assert(Cardinality<P>, "swap: needs penalty::l0 (it exchanges the kappa weights); leave the solver out: "
                                      "its default suits the penalty");
        static_assert(!Cardinality<P> || (ColumnAccess<P> && SecondDerivatives<P>),
                      "swap: needs on_columns(columns, penalty, from) and second_derivatives(w, entries); see "
                      "gamut/solver/concept.hpp");
        return {};
    }

private:
    template <class P, class Run> class search {
        using A = typename P::array;
        using T = typename A::value_type;
        using part_type = decltype(std::declval<const P&>().on_columns(std::span<const std::size_t>(),
                                                                       std::declval<const penalty::l0&>()));
        static constexpr bool exact = Quadratic<P>;  // the model is the loss

    public:
        search(const swap& options, const P& p, Run& record, std::size_t iterations)
            : options_(options),
              p_(p),
              record_(record),
              shape_(p.layout()),
              candidates_(p.penalty_term(), shape_),
              first_(iterations),
              iteration_(iterations) {}

        /// All members are too many for one matrix.
        bool is_in_parts() const { return candidates_.places() > 0 && pool_size() == 0; }

        /// What was compared by fits.
        const std::optional<std::string>& said() const { return said_; }

        [[gnu::cold]] core::result<A> go(core::result<A> from) {
            core::result<A> found = improve(std::move(from));
            const double lower_bound = options_.bounding.below(p_, found.weights, found.objective);
            if (found.status == core::status::converged)
                found.message += "; " + certificate::says(found.objective, lower_bound);
            core::result<A> result =
                record_.finish(std::move(found.weights), found.objective, found.status, std::move(found.message));
            result.lower_bound = lower_bound;
            return result;
        }

        [[gnu::cold]] core::result<A> improve(core::result<A> from) {
            best_ = std::move(from);
            slopes_.clear();
            core::status status = core::status::converged;
            if (is_in_parts()) {
                status = in_parts();
            } else if (candidates_.places() > 0) {
                for (bool disturbing = false; status == core::status::converged;) {
                    std::vector<std::size_t> next = next_pool();
                    if (next != pool_) {
                        look_at(std::move(next));
                        disturbing = false;
                    } else if (exact || !gained_) {
                        if (disturbing || options_.restarts == 0) {
                            if (!may_widen()) break;
                            widened_ = true;
                            continue;
                        }
                        disturbing = true;
                    }
                    status = explore(disturbing);
                }
            }
            model_.reset();
            part_.reset();
            bool few_digits = false;
            if constexpr (LeastSquares<P>)
                few_digits = status == core::status::converged && p_.penalty_term().is_smooth() &&
                             candidates_.places() > 0 && detail::loses_digits(p_, p_.rows(), best_->weights);
            if (status == core::status::converged && options_.compare_by_fits && (!exact || few_digits)) {
                std::size_t fits = 0;
                said_ = detail::compare_by_fits(p_, options_.polishing, *best_, [&](const core::result<A>& now) {
                    if (++fits % 16 != 0) return true;
                    ++iteration_;
                    if (const auto asked = report("comparison by fits", now)) status = *asked;
                    return status == core::status::converged;
                });
            }
            std::string why;
            if (status == core::status::converged && best_->status != core::status::converged) {  // of the last fit
                status = best_->status;
                why = best_->message;
            }
            if (status != core::status::stopped && status != core::status::time_limit)
                if (auto nowhere = no_minimum_on_support(p_, best_->weights)) {
                    status = core::status::separable;
                    why = *std::move(nowhere);
                }
            best_->status = status;
            best_->iterations = iteration_;
            if (status != core::status::converged)
                best_->message = why.empty() ? explanation(status, options_.stop) : std::move(why);
            else if (said_)
                best_->message = *said_;
            else if (!is_in_parts())
                best_->message =
                    core::text(exact && p_.penalty_term().is_smooth() && !few_digits ? "no exchange of one "
                                                                                     : "no promising exchange of one ",
                               candidates_.are_entries() ? "weight" : "row or group",
                               !exact       ? " improves it (promising by the second-order model of the loss)"
                               : few_digits ? " improves it (promising by a Gram matrix of nearly collinear columns)"
                                            : " improves it",
                               ", nor did searches from disturbed supports", mode());
            else
                best_->message = core::text(
                    "no exchange of what is worth least for what has the largest slopes improves it", mode());
            return std::move(*best_);
        }

    private:
        /// What was in memory, for the message.
        std::string mode() const {
            if (candidates_.places() == 0) return "";
            const char* const what = exact ? " (Gram matrix of " : " (second derivatives of ";
            if (is_in_parts()) return core::text(what, "parts at a time)");
            const std::size_t most = pool_size();
            return most >= candidates_.size() ? core::text(what, "all ", candidates_.size(),
                                                           is_lazy() ? " candidates, row by row)" : " candidates)")
                                              : core::text(what, most, " of ", candidates_.size(), " candidates)");
        }

        static double tolerance(double objective) { return 1e-12 * std::abs(objective); }

        /// The loss's slopes at the best weights: one pass, once for each such weights.
        [[gnu::cold]] const std::vector<T>& slopes_at_best() {
            if (slopes_.empty()) {
                A gradient(p_.dimension());
                p_.value_and_gradient(best_->weights, gradient);
                slopes_ = gradient.download();
            }
            return slopes_;
        }

        /// For each entry that is 0, twice what it could gain if the loss had the curvature mean(x~^2): slope^2 / mean(x~^2) without
        /// l1 and bounds.
        [[gnu::cold]] std::vector<double> scores_at(const std::vector<T>& w, double of_members) {
            if (squares_.empty()) squares_ = p_.column_squares();
            const std::vector<T>& slopes = slopes_at_best();
            std::vector<double> scores(shape_.size());
            const penalty::l0& term = p_.penalty_term();
            for (std::size_t e = 0; e < scores.size(); ++e) {
                const double slope = static_cast<double>(slopes[e]), square = squares_[e / shape_.outputs];
                scores[e] = w[e] != 0 ? of_members
                            : square > 0
                                ? 2 * quadratic::best_alone(-slope, square, term.l1, term.lower, term.upper).gain
                                : 0;
            }
            return scores;
        }

        /// The candidates with the largest scores at the best weights, members first of all.
        [[gnu::cold]] std::vector<std::size_t> next_pool() {
            const std::size_t most = pool_size();
            if (most >= candidates_.size()) return candidates_.all();
            const std::vector<double> scores =
                scores_at(best_->weights.download(), std::numeric_limits<double>::infinity());
            return candidates_.largest(scores, most,
                                       static_cast<std::size_t>(std::ceil(static_cast<double>(most) * mean_width())));
        }

        /// Exchanges of some members at a time, see above.
        [[gnu::cold]] core::status in_parts() {
            const auto count = static_cast<std::size_t>(largest_model(exact ? 1e12 : 3e9) / mean_width() /
                                                        (3 * static_cast<double>(candidates_.groups())));
            if (count == 0) return core::status::converged;
            for (std::size_t skip = 0, failures = 0; failures < 2; skip += count) {
                const std::vector<T> w = best_->weights.download();
                const std::vector<double> scores = scores_at(w, 0);
                std::vector<double> worth(shape_.size());
                for (std::size_t e = 0; e < worth.size(); ++e)
                    worth[e] = static_cast<double>(w[e]) * static_cast<double>(w[e]) *
                               (squares_[e / shape_.outputs] + p_.penalty_term().l2);
                std::vector<std::size_t> part = candidates_.part(worth, scores, skip, count);
                if (part.empty()) break;
                const double before = best_->objective;
                look_at(std::move(part));
                const core::status status = explore(false);
                if (status != core::status::converged) return status;
                failures = best_->objective < before ? 0 : failures + 1;
            }
            return core::status::converged;
        }

        /// Weights of which a matrix is within memory, and made with that many operations.
        double largest_model(double operations) const {
            const auto rows = static_cast<double>(p_.rows()), partials = static_cast<double>(p_.blocks() + 2);
            return std::min(std::sqrt(static_cast<double>(options_.memory) / 8 / partials),
                            std::sqrt(operations / std::max(rows, 1.0)));
        }

        double mean_width() const {
            return static_cast<double>(candidates_.entries()) /
                   static_cast<double>(std::max<std::size_t>(candidates_.size(), 1));
        }

        /// Four candidates for each place, and 128 weights or 32 units at least; or all, where the products of all cost no more than
        /// some passes, though not before fewer have been looked at where that is much quicker. Never more than memory and time
        /// allow: 0 if that is hardly more than there are places.
        std::size_t pool_size() const {
            const double width = std::max(mean_width(), 1.0);
            const auto places = static_cast<double>(candidates_.places()),
                       all = static_cast<double>(candidates_.size()), rows = static_cast<double>(p_.rows()),
                       most = std::min(largest_model(exact ? 1e12 : 1e10) / width, all);
            if (most < std::min(1.25 * places, all)) return 0;
            if (options_.pool > 0) return std::max(options_.pool, candidates_.places());
            const double few = std::min({std::max({4 * places, 128 / width, 32.0}), most, all});
            const bool at_once =
                exact ? rows >= width * all || (all_are_cheap() && (all <= 3 * few || is_lazy())) : width * all <= 512;
            return static_cast<std::size_t>(all <= most && (at_once || widened_) ? all : few);
        }
        /// The products of all candidates cost no more than some passes.
        bool all_are_cheap() const {
            const double weights = mean_width() * static_cast<double>(candidates_.size());
            return static_cast<double>(p_.rows()) * weights * weights <= 2e8 && weights <= largest_model(1e12);
        }
        /// Every rank has the rows for products of so many candidates.
        bool has_rows_for(std::size_t candidates) const {
            if constexpr (requires { p_.gathers_rows(candidates); })
                return candidates_.are_entries() && p_.gathers_rows(candidates);
            else
                return false;
        }
        /// Products are made as exchanges need them.
        bool is_lazy() const { return has_rows_for(candidates_.entries()); }
        /// Rows are copied anyway: the pool's columns need no copy of their own.
        bool works_on_all() const { return has_rows_for(pool_.size()) && !is_in_parts(); }
        bool may_widen() const {
            return exact && !widened_ && options_.pool == 0 && pool_.size() < candidates_.entries() && all_are_cheap();
        }

        /// From here on the pool is this one.
        [[gnu::cold]] void look_at(std::vector<std::size_t> next) {
            pool_ = std::move(next);
            features_.clear();
            model_.reset();
            part_.reset();  // before the next is made
            if (works_on_all()) {
                features_.resize(shape_.features);
                std::iota(features_.begin(), features_.end(), std::size_t(0));
                local_ = pool_;
                is_part_ = false;
                return;
            }
            const std::vector<T> w = best_->weights.download();
            const std::vector<std::size_t> of_pool = candidates_.features_of(pool_),
                                           used = used_features(p_, std::span<const T>(w));
            std::set_union(of_pool.begin(), of_pool.end(), used.begin(), used.end(), std::back_inserter(features_));
            is_part_ = features_.size() > of_pool.size();
            local_.resize(pool_.size());
            for (std::size_t i = 0; i < pool_.size(); ++i)
                local_[i] = static_cast<std::size_t>(
                                std::lower_bound(features_.begin(), features_.end(), pool_[i] / shape_.outputs) -
                                features_.begin()) *
                                shape_.outputs +
                            pool_[i] % shape_.outputs;
            part_.reset(new part_type(p_.on_columns(features_, on_features(p_.penalty_term(), features_))));
        }

        /// Models, exchanges and fits within the pool until the support stays; members outside stay as they are.
        [[gnu::cold]] core::status explore(bool disturbing) {
            return part_ ? explore_in(**part_, disturbing) : explore_in(p_, disturbing);
        }
        template <class Q> [[gnu::cold]] core::status explore_in(const Q& part, bool disturbing) {
            for (;;) {
                const std::vector<T> all = best_->weights.download(),
                                     w = gather_features(std::span<const T>(all), std::span(features_), shape_);
                if (!model_)
                    model_ = detail::support_model_of(part, A(std::span<const T>(w)),
                                                      part_ ? std::vector<T>() : slopes_at_best(), local_,
                                                      candidates_.shape_of(pool_, std::span<const T>(all)));
                gained_ = false;
                const auto starts = !candidates_.are_entries() ? better_supports<quadratic::units>(w, disturbing)
                                    : model_->function().is_bounded()
                                        ? better_supports<quadratic::bounded_support>(w, disturbing)
                                        : better_supports<quadratic::support>(w, disturbing);
                for (const std::vector<T>& start : starts) {
                    core::result<A> found = options_.polishing.improve(part, A(std::span<const T>(start)));
                    const std::vector<T> few = found.weights.download();
                    found.weights =
                        A(std::span<const T>(scatter_features(std::span<const T>(few), std::span(features_), shape_)));
                    gained_ = found.objective < best_->objective - tolerance(best_->objective);
                    if (gained_) {
                        best_ = std::move(found);
                        slopes_.clear();
                    }
                    ++iteration_;
                    if (const auto asked = report(disturbing ? "disturbed supports" : "exchanges")) return *asked;
                    if (iteration_ - first_ >= options_.stop.iterations) return core::status::iteration_limit;
                    if (gained_) break;
                }
                if (!gained_) return core::status::converged;
                if (!exact) model_.reset();
                // far from the best weights, candidates outside may be worth more than this pool's next exchanges
                if (is_part_ || (!disturbing && (exact || pool_.size() < candidates_.entries())))
                    return core::status::converged;
            }
        }

        /// Weights on supports that are better than that of w for the model, the best first.
        template <class Support>
        [[gnu::cold]] std::vector<std::vector<T>> better_supports(const std::vector<T>& w, bool disturbing) {
            std::vector<std::vector<T>> starts;
            std::vector<std::vector<std::size_t>> seen;
            const auto offer = [&](const Support& s) {
                const std::vector<std::size_t> members = s.sorted_members();
                if (std::find(seen.begin(), seen.end(), members) != seen.end()) return;
                seen.push_back(members);
                starts.push_back(model_->template weights<T>(s));
            };
            // supports make rows of H: a rank that runs out of memory must not leave the others waiting
            const auto together = [&](auto&& work) { communicator::agree(p_.communicator(), work); };
            Support s(model_->function());
            double here = 0;
            together([&] {
                seen.push_back(model_->members_of(std::span<const T>(w)));
                s.reset(seen.front());
                here = s.value();
                quadratic::fill(s);
                if (disturbing) return;
                const Support filled = s;
                quadratic::descend(s);
                s.refresh();
                if (widened_) {  // what has joined may lead to better ones from the beginning
                    Support anew(model_->function());
                    quadratic::fill(anew);
                    quadratic::descend(anew);
                    anew.refresh();
                    if (anew.value() < s.value()) s = std::move(anew);
                }
                offer(s);
                if constexpr (!exact) {  // far from w the model may be wrong: a smaller step, too
                    Support one = filled;
                    const auto exchange = one.best_exchange(0);
                    if (exchange.candidate != quadratic::best_entry::none) one.apply(exchange);
                    offer(one);
                    offer(filled);
                }
            });
            if (!disturbing) return starts;
            std::vector<quadratic::found_support> found;
            // a model that is right nearby only is asked about what is near, and about more of it at a time
            const quadratic::disturbance how = exact ? quadratic::disturbance{options_.disturb}
                                                     : quadratic::disturbance{0.625 * options_.disturb, 12, 10};
            const std::size_t at_least = exact ? 0 : 32;
            // that many come back, and none is better: nothing else is near
            const std::size_t enough =
                pool_.size() < candidates_.entries() ? std::clamp<std::size_t>(s.size() / 2, 8, 32) : 32;
            const std::size_t searches = affordable_searches(s);
            for (std::size_t begin = 0, came_back = 0; begin < searches && came_back < enough;) {
                const std::size_t count = std::min(searches - begin, std::max<std::size_t>(begin, 4));
                const auto more = quadratic::disturbed_supports(p_.communicator(), threads_for(count, s), s, begin,
                                                                count, how, options_.seed + iteration_);
                found.insert(found.end(), more.begin(), more.end());
                begin += count;
                const std::vector<std::size_t> members = s.sorted_members();
                came_back += static_cast<std::size_t>(std::count_if(
                    more.begin(), more.end(), [&](const auto& support) { return support.members == members; }));
                const double least = std::min_element(found.begin(), found.end(), [](const auto& a, const auto& b) {
                                         return a.value < b.value;
                                     })->value;
                if (begin >= at_least && least < here - tolerance(here)) break;  // the others had better begin there
            }
            core::stable_sort(found, [](const auto& a, const auto& b) { return a.value < b.value; });
            const std::size_t most = exact ? 1 : 4;
            together([&] {
                for (const auto& support : found) {
                    if (starts.size() >= most || !(support.value < here + (exact ? 0 : 0.1 * std::abs(here)))) break;
                    Support other(model_->function());
                    other.reset(support.members);
                    offer(other);
                }
            });
            return starts;
        }

        /// How many of the threads are worth waking up for so many searches.
        template <class Support> std::size_t threads_for(std::size_t searches, const Support& s) const {
            const std::size_t entries = searches * s.entries() * s.entries() * model_->function().size();
            return backend::threads_for(entries / static_cast<std::size_t>(p_.communicator().size()),
                                        static_cast<std::size_t>(p_.threads()));
        }

        /// All, or a quarter where the model is right nearby only, where a search (about places^2 times pool operations for each of a handful
        /// of exchanges; with l1 or bounds many more, see bounded_support) takes a millisecond; and 8 in a pool that is not the last.
        template <class Support> std::size_t affordable_searches(const Support& s) const {
            constexpr bool bounded = std::is_same_v<Support, quadratic::bounded_support>;
            const double places = static_cast<double>(s.entries()),
                         width = static_cast<double>(model_->function().size()),
                         operations =
                             places * places * (bounded ? (width + places) * std::max(1.0, places / 5) : width),
                         least = bounded ? 1.0 / 512 : 1.0 / 32,
                         share =
                             std::clamp((exact ? 3.2e5 : 1e5) / std::max(1.0, operations), least, exact ? 1.0 : 0.25);
            const auto all = static_cast<std::size_t>(std::ceil(share * static_cast<double>(options_.restarts)));
            return may_widen() ? std::min<std::size_t>(all, 8) : all;
        }

        std::optional<core::status> report(const char* phase) { return report(phase, *best_); }
        std::optional<core::status> report(const char* phase, const core::result<A>& now) {
            return record_.report({.phase = phase,
                                   .iteration = iteration_,
                                   .objective = now.objective,
                                   .nonzeros = p_.nonzeros(now.weights)});
        }

        const swap& options_;
        const P& p_;
        Run& record_;
        penalty::layout shape_;
        quadratic::candidates candidates_;
        std::vector<double> squares_;
        std::vector<T> slopes_;  // at best_, or empty
        std::size_t first_, iteration_;
        std::optional<core::result<A>> best_;
        std::optional<std::string> said_;
        bool gained_ = false;   // by the last fit
        bool widened_ = false;  // the pool is all

        std::vector<std::size_t> pool_, local_;          // candidates, and where they are in terms of part_
        std::vector<std::size_t> features_;              // of the pool, and what else is not 0
        bool is_part_ = false;                           // there are such others
        std::unique_ptr<const part_type> part_;          // the problem on these features; null: p_, all of them
        std::optional<quadratic::support_model> model_;  // of it, at the best weights
    };
};

}  // namespace gamut::solver

// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <limits>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include <gamut/backend/aligned_vector.hpp>
#include <gamut/backend/array.hpp>
#include <gamut/communicator/agree.hpp>
#include <gamut/core/apart.hpp>
#include <gamut/core/random.hpp>
#include <gamut/core/stable_sort.hpp>
#include <gamut/core/sum_tree.hpp>
#include <gamut/penalty/concept.hpp>
#include <gamut/quadratic/known_products.hpp>
#include <gamut/solver/concept.hpp>
#include <gamut/solver/detail/coordinate_state.hpp>
#include <gamut/solver/selection.hpp>

namespace gamut::solver {

/// A problem that can deal its columns to ranks: column_view(blocks); see problem.hpp.
template <class P>
concept ColumnOwner = Coordinatewise<P> && requires(const P& p) {
    p.column_view(std::size_t(1)).columns().stored();
    { p.threads() } -> std::convertible_to<int>;
    p.penalty_term();
};

namespace detail {

/// The state of parallel coordinate descent. All ranks hold the same weights, products of all rows, priorities and known products
/// of columns; columns are with their owners.
template <ColumnOwner P, Selection S> class column_rounds {
public:
    using array = typename P::array;
    using value_type = typename array::value_type;
    using view = std::remove_cvref_t<decltype(std::declval<const P&>().column_view(1))>;
    static constexpr bool quadratic = coordinate_state<P>::quadratic;
    static constexpr double bend = view::largest_curvature;

    /// Collective. room: columns whose products are remembered; more if a round has more candidates.
    column_rounds(const P& p, const S& selection, std::size_t blocks, std::uint64_t seed, std::size_t room)
        : problem_(p),
          selection_(selection),
          seed_(seed),
          columns_(p.column_view(blocks)) {
        coordinate_state<P> start(p, 0);
        start.begin();
        null_loss_ = start.null_loss();
        communicator::agree(ranks(), [&] {
            const std::size_t features = p.layout().features;
            weights_.assign(start.weights().begin(), start.weights().end());
            if (p.has_intercept()) intercept_ = weights_.back() - columns_.intercept_shift(weights_);
            slopes_.resize(weights_.size());
            products_.resize(columns_.columns().rows());
            row_slopes_.resize(products_.size());
            curvatures_.resize(features);
            for (std::size_t j = 0; j < features; ++j) {
                curvatures_[j] = bend * columns_.squares()[j];
                if (!(1 / curvatures_[j] <= std::numeric_limits<double>::max())) curvatures_[j] = 0;
            }
            last_.emplace_back(features);
            known_.emplace_back(features, room);
        });
    }

    // what `assess` asks for
    penalty::layout shape() const { return problem_.layout(); }
    std::span<const double> weights() const { return weights_; }
    std::span<const double> slopes() const { return slopes_; }
    double loss() const { return loss_; }
    bool at_work(std::size_t) const { return true; }
    double curvature(std::size_t feature) const { return curvatures_[feature]; }
    std::span<const double> of(std::span<const double> all, std::size_t begin, std::size_t end) const {
        return all.subspan(begin, end - begin);
    }

    double null_loss() const { return null_loss_; }
    /// Who moved in the last round, ascending.
    std::span<const std::size_t> moved() const { return moved_; }
    /// The share of their way that they went.
    double share() const { return share_; }
    std::size_t rounds() const { return round_; }
    /// How far all weights would move, or moved when they last did, in units of the rows' products.
    double unrest() const { return last_[0].total(); }
    /// Columns read since this was asked last.
    std::size_t columns_read() { return std::exchange(read_, 0); }
    array result() const {
        array w(weights_.size());
        w.upload(std::vector<value_type>(weights_.begin(), weights_.end()));
        return w;
    }

    /// Loss and slopes at the weights, from the rows as they were loaded: one pass and one global sum of dimension() numbers. What each
    /// weight would do alone becomes its priority. The products are computed anew: the columns with weights, a sum of n numbers.
    void measure() {
        if (problem_.has_intercept())
            weights_.back() =
                static_cast<double>(static_cast<value_type>(intercept_ + columns_.intercept_shift(weights_)));
        array w = result(), g(weights_.size());
        loss_ = problem_.value_and_gradient(w, g);
        const auto slopes = g.download();
        slopes_.assign(slopes.begin(), slopes.end());
        std::vector<std::size_t> used;
        std::vector<double> steps;
        communicator::agree(ranks(), [&] {
            std::vector<double> ways(features());
            for (std::size_t j = 0; j < features(); ++j) {
                ways[j] = std::abs(way(j, slopes_[j])) * length(j);
                if (weights_[j] == 0) continue;
                used.push_back(j);
                steps.push_back(weights_[j]);
            }
            last_[0].assign(ways);
            std::fill(products_.begin(), products_.end(), 0.0);
        });
        intercept_ = offset_ = problem_.has_intercept() ? weights_.back() - columns_.intercept_shift(weights_) : 0;
        columns_.add(ranks(), used, steps, false, products_, offset_);
        read_ += used.size();
    }

    /// What must outlive an interruption after `measure`; see state.hpp.
    template <class Each> void describe(Each& each) {
        std::vector<double> priority(features());
        for (std::size_t j = 0; j < features(); ++j) priority[j] = last_[0][j];
        each("weights_now", weights_);
        each("slopes", slopes_);
        each("loss", loss_);
        each("products", products_);
        each("intercept", intercept_);
        each("offset", offset_);
        each("priorities", priority);
        each("known", known_[0]);
        each("rounds", round_);
        each("read", read_);
        priority.resize(features());
        last_[0].assign(priority);
    }

    /// One round. False where the loss is no longer finite.
    bool round() {
        ++round_;
        moved_.clear();
        share_ = 1;
        const auto seen = columns_.evaluate(products_, offset_, row_slopes_);
        if (!std::isfinite(seen.loss)) return false;
        propose(seen.slope);
        choose();
        step();
        if (problem_.has_intercept()) {  // columns are about their means, so it is on its own
            intercept_ -= seen.slope / bend;
            offset_ -= seen.slope / bend;
        }
        return true;
    }

private:
    const auto& ranks() const { return problem_.communicator(); }
    std::size_t features() const { return curvatures_.size(); }
    /// A weight of 1 moves the rows' products that far, root mean square.
    double length(std::size_t j) const { return std::sqrt(columns_.squares()[j]); }

    /// How far weight j would move if it moved alone.
    double way(std::size_t j, double slope) const {
        const double h = curvatures_[j];
        if (!(h > 0)) return 0;
        const double to = problem_.penalty_term().prox(weights_[j] - slope / h, 1 / h);
        return static_cast<double>(static_cast<value_type>(to)) - weights_[j];
    }

    /// The ways of all candidates, and their slopes: products with own columns, one all-reduce.
    void propose(double sum_of_slopes) {
        communicator::agree(ranks(), [&] {
            candidates_.clear();
            selection_.draw(last_[0], {.seed = seed_, .stream = round_}, candidates_);
            std::sort(candidates_.begin(), candidates_.end());
            proposals_.assign(2 * candidates_.size() + 1, 0.0);
        });
        const std::size_t m = candidates_.size();
        std::exception_ptr failure;
        try {
            columns_.products(candidates_, row_slopes_.data(), sum_of_slopes, proposals_.data() + m);
            for (std::size_t k = 0; k < m; ++k)
                if (columns_.columns().owns(candidates_[k])) proposals_[k] = way(candidates_[k], proposals_[m + k]);
        } catch (...) {
            failure = std::current_exception();
        }
        view::share(ranks(), proposals_, failure);
        read_ += m;
        for (std::size_t k = 0; k < m; ++k)
            last_[0].set(candidates_[k], std::abs(proposals_[k]) * length(candidates_[k]));
    }

    double way_of(std::size_t k) const { return proposals_[k]; }
    double slope_of(std::size_t k) const { return proposals_[candidates_.size() + k]; }

    /// chosen_: places in candidates_, ascending.
    void choose() {
        chosen_.clear();
        movers_.clear();
        for (std::size_t k = 0; k < candidates_.size(); ++k)
            if (way_of(k) != 0) movers_.push_back(k);
        if constexpr (!KeepsApart<S>) {
            chosen_ = movers_;
        } else if (!movers_.empty()) {
            communicator::agree(ranks(), [&] {
                core::stable_sort(movers_, [&](std::size_t a, std::size_t b) {
                    return last_[0][candidates_[a]] > last_[0][candidates_[b]];
                });
                std::vector<std::size_t> names;
                for (const std::size_t k : movers_) names.push_back(candidates_[k]);
                known_[0].prepare(names);
            });
            chosen_.push_back(movers_[0]);
            for (std::size_t next = 1; next < movers_.size() && chosen_.size() < selection_.together;) {
                group_.clear();  // nobody there is known to correlate with somebody chosen
                for (; next < movers_.size() && group_.size() < selection_.together - chosen_.size(); ++next)
                    if (std::none_of(chosen_.begin(), chosen_.end(),
                                     [&](std::size_t k) { return correlate(movers_[next], k, false); }))
                        group_.push_back(movers_[next]);
                learn();
                core::choose_apart(group_, selection_.together, chosen_,
                                   [&](std::size_t k, std::size_t other) { return correlate(k, other, true); });
            }
            std::sort(chosen_.begin(), chosen_.end());
            share_ = safe_share();
        }
    }

    /// Two candidates must not move together; if_unknown: what holds for pairs that are not known.
    bool correlate(std::size_t a, std::size_t b, bool if_unknown) const {
        const std::size_t j = candidates_[a], other = candidates_[b];
        if (!known_[0].knows(j, other)) return if_unknown;
        return !(std::abs(known_[0](j, other)) < selection_.correlation * length(j) * length(other));
    }

    /// Products of the pairs of the group with each other and with those chosen, as far as they are not known. The fewest
    /// columns that cover the unknown pairs, about, go to all ranks.
    void learn() {
        std::vector<std::size_t> together, travelling, unknown;
        for (const auto& part : {chosen_, group_})
            for (const std::size_t k : part) together.push_back(candidates_[k]);
        std::sort(together.begin(), together.end());
        const auto missing = [&](std::size_t a, std::size_t b) { return !known_[0].knows(together[a], together[b]); };
        const std::size_t m = together.size();
        unknown.assign(m, 0);
        for (std::size_t a = 0; a < m; ++a)
            for (std::size_t b = 0; b < a; ++b)
                if (missing(a, b)) ++unknown[a], ++unknown[b];
        for (;;) {
            const auto most = std::max_element(unknown.begin(), unknown.end());
            if (most == unknown.end() || *most == 0) break;
            const auto a = static_cast<std::size_t>(most - unknown.begin());
            unknown[a] = 0;
            for (std::size_t b = 0; b < m; ++b)
                if (b != a && unknown[b] > 0 && missing(a, b)) --unknown[b];
            travelling.push_back(a);
        }
        if (travelling.empty()) return;
        std::sort(travelling.begin(), travelling.end());
        columns_.products_of_pairs(
            ranks(), together, travelling, missing,
            [&](std::size_t a, std::size_t b, double value) { known_[0].set(together[a], together[b], value); });
        read_ += travelling.size();
    }

    /// Along the way d of those that are chosen the objective is at most
    ///     now + t A + t^2 B / 2,   A = sum of slope_j d_j + pen(w_j + d_j) - pen(w_j),   B = bend d'G d,   0 <= t <= 1
    /// for a penalty that is convex: least at t = min(1, -A / B).
    double safe_share() const {
        double fall = 0, bent = 0;
        for (const std::size_t k : chosen_) {
            const std::size_t j = candidates_[k];
            const auto& penalty = problem_.penalty_term();
            fall += slope_of(k) * way_of(k) + static_cast<double>(penalty.value(weights_[j] + way_of(k))) -
                    static_cast<double>(penalty.value(weights_[j]));
            double row = columns_.squares()[j] * way_of(k);
            for (const std::size_t other : chosen_)
                if (other != k) row += known_[0](j, candidates_[other]) * way_of(other);
            bent += bend * row * way_of(k);
        }
        const double share = -fall / bent;
        return share > 0 && share < 1 ? share : 1;
    }

    /// Moves the weights and the rows' products.
    void step() {
        steps_.clear();
        for (const std::size_t k : chosen_) {
            const std::size_t j = candidates_[k];
            const double to = share_ == 1
                                  ? weights_[j] + way_of(k)
                                  : static_cast<double>(static_cast<value_type>(weights_[j] + share_ * way_of(k)));
            moved_.push_back(j);
            steps_.push_back(to - weights_[j]);
            weights_[j] = to;
        }
        if (!moved_.empty()) columns_.add(ranks(), moved_, steps_, true, products_, offset_);
        read_ += moved_.size();
    }

    const P& problem_;
    const S& selection_;
    std::uint64_t seed_;
    view columns_;
    double null_loss_ = 0, loss_ = 0, share_ = 1;
    double intercept_ = 0, offset_ = 0;  // for columns about their means; beyond the stored parts of columns
    std::size_t round_ = 0, read_ = 0;
    std::vector<double> weights_, slopes_, products_, curvatures_, proposals_, steps_;
    backend::aligned_vector<value_type> row_slopes_;
    std::vector<core::sum_tree> last_;              // one
    std::vector<quadratic::known_products> known_;  // one
    std::vector<std::size_t> candidates_, movers_, group_, chosen_, moved_;
};

}  // namespace detail
}  // namespace gamut::solver

// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <numeric>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include <gamut/backend/array.hpp>
#include <gamut/backend/matrix.hpp>
#include <gamut/communicator/agree.hpp>
#include <gamut/penalty/none.hpp>
#include <gamut/quadratic/descent.hpp>
#include <gamut/solver/beginning.hpp>
#include <gamut/solver/concept.hpp>
#include <gamut/solver/stopping.hpp>

namespace gamut::solver {

/// A problem whose columns can be looked at a few at a time, with the second derivatives as a matrix; see problem.hpp.
template <class P>
concept Coordinatewise = ColumnAccess<P> &&
    requires(const P& p, std::span<const std::size_t> columns, typename P::array from) {
    { p.layout() } -> std::convertible_to<penalty::layout>;
    { p.has_intercept() } -> std::convertible_to<bool>;
    p.on_columns(columns, penalty::none{}, from)->second_derivatives(from, columns);
};

namespace detail {

/// What coordinate descent knows of a problem while it runs, and keeps from one strength of the penalty to the next: the weights,
/// the loss's slopes there, and a quadratic model of the loss over the parts at work. All ranks hold the same bits.
template <Coordinatewise P> class coordinate_state {
public:
    using array = typename P::array;
    using value_type = typename array::value_type;
    /// The loss is its own model, so second derivatives are kept and only those of new columns computed.
    static constexpr bool quadratic = requires(const P& p, std::span<const std::size_t> columns) {
        p.gram_rows(columns, columns);
    };

    coordinate_state(const P& p, std::size_t memory)
        : problem_(p),
          shape_(p.layout()),
          memory_(memory),
          slopes_(p.dimension()),
          curvature_(shape_.features) {
        const auto start = p.start().download();
        weights_.assign(start.begin(), start.end());
    }

    penalty::layout shape() const { return shape_; }
    std::span<const double> weights() const { return weights_; }
    std::span<const double> slopes() const { return slopes_; }
    double loss() const { return loss_; }
    /// The loss where all weights are 0 and the intercepts the best for that.
    double null_loss() const { return null_loss_; }
    std::size_t size() const { return features_.size(); }
    bool at_work(std::size_t feature) const { return place_.size() > feature && place_[feature]; }
    double curvature(std::size_t feature) const { return curvature_[feature]; }
    std::span<const double> of(std::span<const double> all, std::size_t begin, std::size_t end) const {
        return all.subspan(begin * shape_.outputs, (end - begin) * shape_.outputs);
    }
    std::span<const double> intercepts(std::span<const double> all) const { return all.subspan(shape_.size()); }

    const P& problem() const { return problem_; }
    /// No weights, and the best intercepts for that.
    array null() const {
        array w(weights_.size());
        upload(null_, w);
        return w;
    }

    void clear_weights() { std::fill(weights_.begin(), weights_.end(), 0.0); }
    array result() const {
        array w(weights_.size());
        upload(weights_, w);
        return w;
    }

    /// Finds the intercepts for weights 0, and takes them if all weights are 0. Passes over rows without columns.
    void begin() {
        const std::vector<double> given = weights_;
        std::fill(weights_.begin(), weights_.begin() + static_cast<std::ptrdiff_t>(shape_.size()), 0.0);
        const none_of_parts nothing;
        const auto best = best_start(problem_, true).weights.download();
        std::copy(best.begin() + static_cast<std::ptrdiff_t>(shape_.size()), best.end(),
                  weights_.begin() + static_cast<std::ptrdiff_t>(shape_.size()));
        take({}, nothing);
        newton(nothing, 0);
        null_loss_ = loss_;
        null_ = weights_;
        if (std::any_of(given.begin(), given.begin() + static_cast<std::ptrdiff_t>(shape_.size()),
                        [](double w) { return w != 0; }))
            weights_ = given;
    }

    /// Loss and slopes at the weights: one pass over the data, one global sum, unless they are known.
    void measure() {
        if (measured_) return;
        measured_ = true;
        array w(weights_.size()), g(weights_.size());
        upload(weights_, w);
        loss_ = problem_.value_and_gradient(w, g);
        const auto slopes = g.download();
        slopes_.assign(slopes.begin(), slopes.end());
    }

    /// The parts to work on from now on; ascending. A quadratic loss keeps those it has.
    template <class Parts> void choose(std::span<const std::size_t> chosen, const Parts& parts) {
        if constexpr (quadratic)
            grow(chosen, parts);
        else
            take(chosen, parts);
    }

    /// Minimises over the parts at work, until no condition of optimality is violated by more than `tolerance`.
    /// Quadratic: in memory. Otherwise prox-Newton: per step one pass over the chosen columns, and their weighted products
    /// where the model has become stale.
    template <class Parts> void solve(const Parts& parts, double tolerance) {
        measured_ = false;
        if constexpr (quadratic) {
            communicator::agree(problem_.communicator(), [&] {
                std::vector<double> v = gather(weights_), slope = gather(slopes_);
                quadratic::descent<Parts>(parts, model_.data(), capacity_, units_, memory_)
                    .minimize(v, slope, tolerance, 100000);
                scatter(v);
            });
        } else {
            newton(parts, tolerance);
        }
    }

    /// What must outlive an interruption after `measure`; see state.hpp. Models that are not kept begin anew in `choose`.
    template <class Each> void describe(Each& each) {
        std::vector<std::uint64_t> at_work(features_.begin(), features_.end()),
            entries(entries_.begin(), entries_.end()), ends;
        std::vector<double> curvatures;
        for (const quadratic::unit& u : units_) {
            for (const std::size_t x : {u.begin, u.end, u.part, std::size_t(u.free ? 1 : 0)}) ends.push_back(x);
            curvatures.push_back(u.curvature);
        }
        each("weights_now", weights_);
        each("slopes", slopes_);
        each("loss", loss_);
        each("features", at_work);
        each("entries", entries);
        each("units", ends);
        each("curvatures_of_units", curvatures);
        each("curvatures", curvature_);
        each("grown", grown_);
        each("grown_features", grown_features_);
        if constexpr (quadratic) {
            each("model", model_);
            each("capacity", capacity_);
        }
        measured_ = true;
        features_.assign(at_work.begin(), at_work.end());
        entries_.assign(entries.begin(), entries.end());
        place_.assign(shape_.features, false);
        for (const std::size_t f : features_) place_.at(f) = true;
        units_.resize(curvatures.size());
        for (std::size_t i = 0; i < units_.size(); ++i)
            units_[i] = {ends.at(4 * i), ends.at(4 * i + 1), ends.at(4 * i + 2), ends.at(4 * i + 3) != 0,
                         curvatures[i]};
    }

private:
    using column_problem = std::remove_cvref_t<decltype(std::declval<const P&>().on_columns(
        std::span<const std::size_t>{}, penalty::none{}))>;

    struct none_of_parts {
        static constexpr bool whole = false;
        std::size_t size() const { return 0; }
        std::size_t begin(std::size_t) const { return 0; }
        std::size_t end(std::size_t) const { return 0; }
        double value(std::size_t, std::span<const double>) const { return 0; }
        void prox(std::size_t, std::span<const double>, double, std::span<double>) const {}
    };

    std::vector<double> gather(const std::vector<double>& all) const {
        std::vector<double> some;
        for (const std::size_t entry : entries_) some.push_back(all[entry]);
        return some;
    }
    void scatter(std::span<const double> some) {
        for (std::size_t i = 0; i < entries_.size(); ++i)
            weights_[entries_[i]] = static_cast<double>(static_cast<value_type>(some[i]));
    }
    static void upload(const std::vector<double>& from, array& to) {
        to.upload(std::vector<value_type>(from.begin(), from.end()));
    }

    /// Entries and units of a part at work.
    template <class Parts> void append(std::size_t part, const Parts& parts) {
        const std::size_t c = shape_.outputs, first = entries_.size();
        for (std::size_t f = parts.begin(part); f < parts.end(part); ++f) {
            features_.push_back(f);
            place_[f] = true;
            for (std::size_t k = 0; k < c; ++k) entries_.push_back(f * c + k);
        }
        if constexpr (Parts::whole)
            units_.push_back({first, entries_.size(), part});
        else
            for (std::size_t j = first; j < entries_.size(); ++j) units_.push_back({j, j + 1, part});
    }
    void append_intercepts() {
        for (std::size_t entry = shape_.size(); entry < weights_.size(); ++entry) {
            units_.push_back({entries_.size(), entries_.size() + 1, 0, true});
            entries_.push_back(entry);
        }
    }
    void set_curvatures(std::size_t first_unit) {
        const std::size_t c = shape_.outputs;
        for (std::size_t i = first_unit; i < units_.size(); ++i)
            for (std::size_t j = units_[i].begin; j < units_[i].end && !units_[i].free; ++j)
                curvature_[entries_[j] / c] = 0;
        for (std::size_t i = first_unit; i < units_.size(); ++i) {
            quadratic::unit& u = units_[i];
            u.curvature = quadratic::largest_eigenvalue(model_.data() + u.begin * capacity_ + u.begin, capacity_,
                                                        u.end - u.begin);
            if (!(1 / u.curvature <= std::numeric_limits<double>::max())) u.curvature = 0;
            for (std::size_t j = u.begin; j < u.end && !u.free; ++j)
                curvature_[entries_[j] / c] = std::max(curvature_[entries_[j] / c], u.curvature);
        }
    }

    /// Adds parts; products of their columns with what is there and with each other.
    template <class Parts> void grow(std::span<const std::size_t> chosen, const Parts& parts) {
        if (!grown_) {
            grown_ = true;
            clear();
            append_intercepts();
        }
        const std::size_t before = grown_features_, first_unit = before == 0 ? 0 : units_.size();
        for (const std::size_t part : chosen) append(part, parts);
        const std::size_t known = before, d = entries_.size();
        if (d == known) return;
        const std::span<const std::size_t> all(entries_);
        const auto rows = problem_.gram_rows(all.first(known), all.subspan(known));
        communicator::agree(problem_.communicator(), [&] {
            if (capacity_ < d) {
                const std::size_t room = std::max(d, 2 * capacity_);
                std::vector<double> larger(room * room);
                for (std::size_t i = 0; i < known; ++i)
                    std::copy_n(model_.data() + i * capacity_, known, larger.data() + i * room);
                model_ = std::move(larger);
                capacity_ = room;
            }
            for (std::size_t i = known; i < d; ++i)
                for (std::size_t j = 0; j < d; ++j)
                    model_[i * capacity_ + j] = model_[j * capacity_ + i] = rows(i - known, j);
            set_curvatures(first_unit);
        });
        grown_features_ = d;
    }

    /// Works on these parts alone, with a copy of their columns.
    template <class Parts> void take(std::span<const std::size_t> chosen, const Parts& parts) {
        clear();
        for (const std::size_t part : chosen) append(part, parts);
        append_intercepts();
        const std::vector<double> from = gather(weights_);
        array start(from.size());
        upload(from, start);
        part_.reset(new column_problem(problem_.on_columns(features_, penalty::none{}, std::move(start))));
    }

    void clear() {
        features_.clear();
        entries_.clear();
        units_.clear();
        model_.clear();
        capacity_ = 0;
        place_.assign(shape_.features, false);
    }

    template <class Parts> double penalty_of(const Parts& parts, std::span<const double> v) const {
        double sum = 0;
        for (const quadratic::unit& u : units_)
            if (!u.free) sum += parts.value(u.part, v.subspan(u.begin, u.end - u.begin));
        return sum;
    }

    template <class Parts>
    double violation(const Parts& parts, std::span<const double> v, std::span<const double> slope) const {
        double largest = 0;
        std::vector<double> next;
        for (const quadratic::unit& u : units_) {
            if (!(u.curvature > 0)) continue;
            next.clear();
            for (std::size_t j = u.begin; j < u.end; ++j) next.push_back(v[j] - slope[j] / u.curvature);
            if (!u.free) parts.prox(u.part, next, 1 / u.curvature, next);
            double change = 0;
            for (std::size_t j = u.begin; j < u.end; ++j)
                change += (next[j - u.begin] - v[j]) * (next[j - u.begin] - v[j]);
            largest = std::max(largest, u.curvature * std::sqrt(change));
        }
        return largest;
    }

    template <class Parts> void newton(const Parts& parts, double tolerance) {
        const auto& rows = **part_;
        const std::size_t d = entries_.size();
        std::vector<double> v = gather(weights_), slope(d), trial(d), trial_slope(d);
        array at(d), g(d);
        const auto look = [&](std::vector<double>& point, std::vector<double>& slopes) {
            for (double& x : point) x = static_cast<double>(static_cast<value_type>(x));
            upload(point, at);
            const double loss = rows.value_and_gradient(at, g);
            const auto entries = g.download();
            slopes.assign(entries.begin(), entries.end());
            return loss;
        };
        loss_ = look(v, slope);
        double objective = loss_ + penalty_of(parts, v), before = std::numeric_limits<double>::infinity();
        bool current = false;
        std::vector<std::size_t> by_output(d);  // the entries, ordered by output
        for (std::size_t a = 0; a < d; ++a)
            by_output[a] = a % (d / shape_.outputs) * shape_.outputs + a / (d / shape_.outputs);
        const auto renew = [&] {
            upload(v, at);
            const auto h = rows.second_derivatives(at, by_output);
            capacity_ = d;
            model_.resize(d * d);
            for (std::size_t a = 0; a < d; ++a)
                for (std::size_t b = 0; b < d; ++b) model_[by_output[a] * d + by_output[b]] = h(a, b);
            set_curvatures(0);
            current = true;
        };
        for (int step = 0; d > 0 && step < 100 && std::isfinite(objective); ++step) {
            if (model_.empty()) renew();
            double size = violation(parts, v, slope);
            if (size > 0.2 * before && !current) {
                renew();
                size = violation(parts, v, slope);
            }
            if (!(size > tolerance)) break;
            before = size;
            trial = v;
            trial_slope = slope;
            quadratic::descent<Parts>(parts, model_.data(), d, units_, memory_)
                .minimize(trial, trial_slope, std::max(0.02 * size, 0.3 * tolerance), 10000);
            double fall = penalty_of(parts, trial) - penalty_of(parts, v), length = 1;
            std::vector<double> direction(d);
            for (std::size_t j = 0; j < d; ++j) {
                direction[j] = trial[j] - v[j];
                fall += 0.5 * (slope[j] + trial_slope[j]) * direction[j];
            }
            bool lower = false;
            for (; length > 1e-8; length *= 0.5) {
                if (length < 1)
                    for (std::size_t j = 0; j < d; ++j) trial[j] = v[j] + length * direction[j];
                const double loss = look(trial, trial_slope), now = loss + penalty_of(parts, trial);
                const double noise = 1e-15 * (std::abs(loss) + std::abs(objective));
                if (now <= objective + 0.1 * length * fall + noise) {
                    lower = now < objective || violation(parts, trial, trial_slope) < size;
                    if (!lower) break;
                    std::swap(v, trial);
                    std::swap(slope, trial_slope);
                    loss_ = loss;
                    objective = now;
                    break;
                }
                if (!current) break;  // a newer model first
            }
            if (!lower && current) break;
            if (!lower) {
                renew();
                before = std::numeric_limits<double>::infinity();
                continue;
            }
            current = false;
        }
        scatter(v);
    }

    const P& problem_;
    penalty::layout shape_;
    std::size_t memory_;
    std::vector<double> weights_, slopes_;
    std::vector<double> null_;
    double loss_ = 0, null_loss_ = 0;

    std::vector<std::size_t> features_, entries_;  // at work; entries are places in weights_
    std::vector<bool> place_;
    std::vector<quadratic::unit> units_;
    std::vector<double> model_;  // second derivatives over the entries, capacity_ numbers a row
    std::size_t capacity_ = 0, grown_features_ = 0;
    bool grown_ = false, measured_ = false;
    std::vector<double> curvature_;
    std::unique_ptr<column_problem> part_;
};

/// How far weights are from the best.
struct optimality {
    struct newcomer {
        double score;
        std::size_t part;
    };
    double objective = 0;
    double gap = std::numeric_limits<double>::infinity();  ///< the objective less a lower bound of its minimum
    double violation = 0;      ///< the largest of a condition of optimality, in units of the slopes
    double outside = 0;        ///< the largest of a part that is not at work
    double largest_slope = 0;  ///< by size
    double length = 0;         ///< sum of the absolute weights
    double threshold = 0;      ///< slopes up to here make no weight
    std::size_t nonzeros = 0;
    std::vector<newcomer> newcomers;   ///< parts that are not at work and should be
    std::vector<std::size_t> members;  ///< parts at work that should stay

    /// A violation v of all conditions makes a gap of about v times this.
    double gap_per_violation(double null_objective) const {
        return std::max(length + (threshold > 0 ? null_objective / threshold : 0.0), 1e-300);
    }
};

/// With F the loss as a function of the rows' predictions, a its slopes, X'a = g, and pen = |.| + ridge/2 |.|^2 the penalty:
///     D(t) = -F*(t a) - t^2 ridge/2 |w|^2   <=  the minimum,   t <= 1 such that t (g + ridge w) is in the norm's dual ball;
///     least squares   F*(t a) = t^2 L - t (2 L - w'g)      L: the loss at w
///     F >= 0 else     F*(t a) <= t F*(a) = t (w'g - L)     for F*(0) = -min F <= 0
/// the best t of those; or, with a ridge, t = 1 and the conjugate of the whole penalty.
/// An intercept b adds b h, h its slope, to w'g, and what is left of h costs t |h| times the distance to the best intercept.
template <class State, class Parts> optimality assess(const State& state, const Parts& parts, double likely) {
    optimality now;
    const auto w = state.weights(), g = state.slopes();
    const auto features = state.shape().size();
    double penalty = 0, product = 0, squares = 0;
    for (std::size_t j = 0; j < features; ++j) {
        now.largest_slope = std::max(now.largest_slope, std::abs(g[j]));
        now.length += std::abs(w[j]);
        product += w[j] * g[j];
        squares += w[j] * w[j];
        now.nonzeros += w[j] != 0 ? 1 : 0;
        if (std::isnan(g[j])) now.violation = g[j];
    }
    double loose = 0;
    // least squares: no best intercept is farther than the labels' deviation; others: a guess
    const double reach = State::quadratic ? std::sqrt(2 * state.null_loss()) : 1.0;
    for (std::size_t j = features; j < w.size(); ++j) loose += (reach + std::abs(w[j])) * std::abs(g[j]);
    std::vector<double> next;
    double t = 1, above = 0;
    for (std::size_t part = 0; part < parts.size(); ++part) {
        const auto weights = state.of(w, parts.begin(part), parts.end(part)),
                   slope = state.of(g, parts.begin(part), parts.end(part));
        const bool zero = std::all_of(weights.begin(), weights.end(), [](double x) { return x == 0; });
        if constexpr (Parts::has_norm && !Parts::whole) {  // most weights: 0, and rightly
            const double score = parts.score(part, slope);
            if (zero && score <= parts.threshold() && score < likely) continue;
        }
        double violation;
        if (zero) {
            violation = parts.excess(part, slope);
        } else {
            double curvature = 0;
            for (std::size_t f = parts.begin(part); f < parts.end(part); ++f)
                curvature = std::max(curvature, state.curvature(f));
            if (!(curvature > 0)) curvature = 1;
            next.clear();
            for (std::size_t j = 0; j < weights.size(); ++j) next.push_back(weights[j] - slope[j] / curvature);
            parts.prox(part, next, 1 / curvature, next);
            double change = 0;
            for (std::size_t j = 0; j < weights.size(); ++j) change += (next[j] - weights[j]) * (next[j] - weights[j]);
            violation = curvature * std::sqrt(change);
        }
        penalty += parts.value(part, weights);
        now.violation = std::max(now.violation, violation);
        if (!state.at_work(parts.begin(part))) {
            now.outside = std::max(now.outside, violation);
            const double score = zero ? parts.score(part, slope) : std::numeric_limits<double>::infinity();
            if (!zero || violation > 0 || score >= likely) now.newcomers.push_back({score, part});
        } else if (!zero || violation > 0) {
            now.members.push_back(part);
        }
        if constexpr (Parts::has_norm) {
            if (parts.ridge() > 0) {
                next.clear();
                for (std::size_t j = 0; j < weights.size(); ++j) {
                    next.push_back(slope[j] + parts.ridge() * weights[j]);
                    const double rest = std::max(0.0, std::abs(slope[j]) - parts.threshold());
                    above += rest * rest;
                }
                t = std::min(t, parts.feasible(part, next));
            } else {
                t = std::min(t, parts.feasible(part, slope));
            }
        }
    }
    const double loss = state.loss();
    now.objective = loss + penalty;
    if constexpr (Parts::has_norm) {
        now.threshold = parts.threshold();
        const double ridge = parts.ridge(), half = 0.5 * ridge * squares;
        constexpr bool quadratic = State::quadratic;
        // D(t) = rise t - bend t^2
        const double rise = (quadratic ? 2 * loss : loss) - product - loose, bend = (quadratic ? loss : 0.0) + half;
        if (bend > 0) t = std::min(t, std::max(0.0, rise / (2 * bend)));
        double bound = std::max(0.0, rise * t - bend * t * t);
        if (ridge > 0) bound = std::max(bound, rise - (bend - half) - above / (2 * ridge));
        now.gap = std::isnan(now.violation) ? now.violation : now.objective - bound;
    }
    return now;
}

}  // namespace detail
}  // namespace gamut::solver

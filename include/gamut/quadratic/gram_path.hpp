// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include <gamut/backend/matrix.hpp>
#include <gamut/communicator/single.hpp>
#include <gamut/penalty/l0.hpp>
#include <gamut/quadratic/candidates.hpp>
#include <gamut/quadratic/least_squares.hpp>
#include <gamut/quadratic/support.hpp>
#include <gamut/quadratic/support_model.hpp>
#include <gamut/quadratic/support_search.hpp>
#include <gamut/quadratic/units.hpp>

namespace gamut::quadratic {

/// A solution of the path: all weights, the intercept last, and the members of its support, which may have weight 0.
struct gram_solution {
    std::size_t kappa = 0;
    double l2 = 0;
    std::vector<double> weights;
    double loss = 0, objective = 0, degrees_of_freedom = 0;
    std::size_t searches = 0;
};

/// min over |S| <= k of  min over w_S of  1/2 w'Hw - q'w   for k = 0, 1, ..., largest: the best supports that are found for one quadratic,
/// going forward (one joins), backward (one leaves) and by exchanges, from supports of other sizes and from disturbed ones. A heuristic:
/// no exchange of one member improves what it returns by more than rounding. Each search costs what exchanges in Support cost; no messages.
/// Support: support, or units.
template <class Support> class support_path {
public:
    support_path(support_model& model, std::size_t largest) : model_(model), best_(largest + 1) {}

    /// Tries supports from elsewhere, one for each size.
    void offer(const std::vector<found_support>& others) {
        for (std::size_t k = 0; k < best_.size() && k < others.size(); ++k) {
            if (!std::isfinite(others[k].value)) continue;
            Support s = made_of(others[k].members, k);
            descend(s);
            keep(s, k);
        }
    }

    /// Forward: one more than the best of the size below; backward: the best of the size above less its cheapest member; then
    /// exchanges, each time. Until neither changes anything.
    void sweep() {
        if (!std::isfinite(best_[0].value)) keep(made_of({}, 0), 0);
        for (bool changed = true; changed;) {
            changed = false;
            for (std::size_t k = 1; k < best_.size(); ++k) {
                if (best_[k - 1].forward_done) continue;
                best_[k - 1].forward_done = true;
                Support s = made_of(best_[k - 1].members, k);
                const best_entry next = s.best_addition();
                if (next.index != best_entry::none) s.add(next.index);
                descend(s);
                changed = keep(s, k) || changed;
            }
            for (std::size_t k = best_.size() - 1; k-- > 1;) {
                if (best_[k + 1].backward_done) continue;
                best_[k + 1].backward_done = true;
                Support s = made_of(best_[k + 1].members, k);
                if (s.size() > k) s.remove(s.cheapest_member());
                descend(s);
                changed = keep(s, k) || changed;
            }
        }
    }

    /// Searches from disturbed supports of every size, then forward and backward again.
    void disturb(std::size_t restarts, double share, std::uint64_t seed, std::size_t threads) {
        if (restarts == 0) return;
        for (std::size_t k = 1; k < best_.size(); ++k) {
            const Support base = made_of(best_[k].members, k);
            if (base.size() == 0 || base.size() == model_.function().units()) continue;
            for (const found_support& found :
                 disturbed_supports(communicator::single<>{}, threads, base, 0, restarts, {share}, seed + k)) {
                searches_ += 1;
                if (found.value < best_[k].value) keep(made_of(found.members, k), k);
            }
        }
        sweep();
    }

    Support solution(std::size_t k) { return made_of(best_[k].members, k); }
    std::size_t searches() const { return searches_; }
    std::vector<found_support> supports() const { return {best_.begin(), best_.end()}; }

private:
    struct remembered : found_support {
        bool forward_done = false, backward_done = false;
    };

    Support made_of(const std::vector<std::size_t>& members, std::size_t places) {
        model_.allow(places);
        Support s(model_.function());
        s.reset(members);
        return s;
    }

    bool keep(const Support& s, std::size_t k) {
        ++searches_;
        remembered& best = best_[k];
        if (!(s.value() < best.value - 1e-12 * std::abs(s.value())) && std::isfinite(best.value)) return false;
        static_cast<found_support&>(best) = {s.sorted_members(), s.value()};
        best.forward_done = best.backward_done = false;
        return true;
    }

    support_model& model_;
    std::vector<remembered> best_;
    std::size_t searches_ = 0;
};

struct gram_path_options {
    std::size_t largest = 0, restarts = 0;
    double disturb = 0.8;
    std::uint64_t seed = 1;
    std::size_t threads = 1;
};

/// min over w of  f(w) + l2/2 |w|^2  with at most k candidates (or groups) that are not 0, for every l2 and k = 0, 1, ..., largest, in
/// this order; the intercept is not penalised. A matrix of d^2 numbers for each l2. `penalty` says what is free; its kappa and l2 are not looked at.
inline std::vector<gram_solution> gram_path(const least_squares& f, penalty::l0 penalty, std::size_t features,
                                            std::span<const double> l2, const gram_path_options& options) {
    const penalty::layout shape{features, 1};
    std::vector<gram_solution> path;
    std::vector<found_support> before;
    penalty.kappa = options.largest;
    const candidates all(penalty, shape);
    const std::vector<std::size_t> pool = all.all();
    for (const double strength : l2) {
        penalty.l2 = strength;
        support_model model(penalty, shape, f.gram, f.slope, pool, all.shape_of(pool));
        const auto solve = [&](auto search) {
            search.offer(before);
            search.sweep();
            search.disturb(options.restarts, options.disturb, options.seed, options.threads);
            before = search.supports();
            for (std::size_t k = 0; k <= all.places(); ++k) {
                const auto s = search.solution(k);
                gram_solution found{k, strength, model.weights<double>(s), 0, 0, 0, search.searches()};
                found.loss = f.loss(found.weights);
                found.objective = found.loss;
                for (std::size_t j = 0; j < features; ++j)
                    found.objective += 0.5 * strength * found.weights[j] * found.weights[j];
                found.degrees_of_freedom =
                    static_cast<double>(s.entries() + penalty.free.size() + (f.slope.size() - features));
                for (std::size_t place = 0; place < s.size(); ++place)
                    found.degrees_of_freedom -= strength * s.inverse(place);
                path.push_back(std::move(found));
            }
        };
        if (all.are_entries())
            solve(support_path<support>(model, all.places()));
        else
            solve(support_path<units>(model, all.places()));
    }
    return path;
}

}  // namespace gamut::quadratic

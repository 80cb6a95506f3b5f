// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <limits>
#include <span>
#include <utility>
#include <vector>

#include <gamut/core/stable_sort.hpp>
#include <gamut/penalty/l0.hpp>
#include <gamut/quadratic/objective.hpp>

namespace gamut::quadratic {

/// Which of the p x c weights compete for the kappa places of penalty::l0, and how an `objective` over some of them is cut:
///   first[g], room[g]   where the candidates of competition g begin, and its places;   unit[u]: where unit u begins.
/// The competitors are all entries of W but those of free features. What comes and goes
/// together is a unit: an entry, a row, or a group. Sets of candidates are ordered by output, then by feature; by unit, if units
/// have several entries.
class candidates {
public:
    candidates(const penalty::l0& penalty, penalty::layout shape)
        : shape_(shape),
          units_(penalty.units_of(shape)),
          groups_(penalty.competitions_of(shape)),
          kappa_(penalty.kappa),
          free_(shape.features) {
        for (const std::size_t feature : penalty.free) free_[feature] = true;
        for (std::size_t u = 0; u < units_.count(); ++u) {
            if (is_free(u)) continue;
            ++competing_;
            entries_ += units_.size(u);
        }
    }

    /// How many units there are, and places for them; entries of all units together.
    std::size_t size() const { return competing_; }
    std::size_t places() const { return std::min(kappa_, competing_ / groups_) * groups_; }
    std::size_t entries() const { return entries_; }
    /// Competitions for places.
    std::size_t groups() const { return groups_; }
    /// Every entry is a unit.
    bool are_entries() const { return units_.are_entries(); }

    std::vector<std::size_t> all() const {
        std::vector<std::size_t> all;
        if (are_entries()) {
            for (std::size_t k = 0; k < shape_.outputs; ++k)
                for (std::size_t j = 0; j < shape_.features; ++j)
                    if (!free_[j]) all.push_back(j * shape_.outputs + k);
        } else {
            for (std::size_t e = 0; e < shape_.size(); ++e)
                if (!free_[e / shape_.outputs]) all.push_back(e);
        }
        return all;
    }

    /// The units with the largest scores (of their entries together), `most` in all and as many in each group; of equal ones those that
    /// come first. No more of them than have most_entries entries, but for those with infinite scores.
    [[gnu::cold]] std::vector<std::size_t> largest(std::span<const double> scores, std::size_t most,
                                                   std::size_t most_entries) const {
        std::vector<std::size_t> chosen, group;
        std::vector<double> of_unit(units_.count());
        for (std::size_t e = 0; e < scores.size(); ++e) of_unit[units_.of(e)] += scores[e];
        for (std::size_t g = 0; g < groups_; ++g) {
            group.clear();
            for (std::size_t u = g; u < units_.count(); u += groups_)
                if (!is_free(u)) group.push_back(u);
            const std::size_t n = std::min(group.size(), (most + groups_ - 1) / groups_);
            const auto better = [&](std::size_t a, std::size_t b) {
                return of_unit[a] != of_unit[b] ? of_unit[a] > of_unit[b] : before(a, b);
            };
            std::nth_element(group.begin(), group.begin() + static_cast<std::ptrdiff_t>(n), group.end(), better);
            group.resize(n);
            if (!are_entries()) core::sort_places(group, better);
            std::size_t used = 0;
            for (const std::size_t u : group) {
                used += units_.size(u);
                if (!are_entries() && used > most_entries && of_unit[u] < std::numeric_limits<double>::infinity())
                    break;
                for (std::size_t e = units_.first(u); e < units_.first(u + 1); ++e) chosen.push_back(e);
            }
        }
        core::sort_places(chosen, [&](std::size_t a, std::size_t b) { return before(a, b); });
        return chosen;
    }

    /// Some members, those of positive worth, with the most promising of the others. Of each group: `count` members, from the one on
    /// that is worth `skip` places more than the least; twice as many others, those with the largest scores. Empty: there are no such
    /// members.
    [[gnu::cold]] std::vector<std::size_t> part(std::span<const double> worth, std::span<const double> scores,
                                                std::size_t skip, std::size_t count) const {
        std::vector<double> of_members(units_.count()), of_others(units_.count());
        for (std::size_t e = 0; e < scores.size(); ++e) {
            of_members[units_.of(e)] += worth[e];
            of_others[units_.of(e)] += scores[e];
        }
        std::vector<std::size_t> chosen;
        for (std::size_t g = 0; g < groups_; ++g) {
            std::vector<std::pair<double, std::size_t>> members, others;
            for (std::size_t u = g; u < units_.count(); u += groups_) {
                if (is_free(u)) continue;
                if (of_members[u] > 0)
                    members.emplace_back(of_members[u], u);
                else
                    others.emplace_back(-of_others[u], u);
            }
            std::sort(members.begin(), members.end());
            const std::size_t first = std::min(skip, members.size()), last = std::min(skip + count, members.size()),
                              most = std::min(2 * (last - first), others.size());
            std::partial_sort(others.begin(), others.begin() + static_cast<std::ptrdiff_t>(most), others.end());
            const auto take = [&](std::size_t u) {
                for (std::size_t e = units_.first(u); e < units_.first(u + 1); ++e) chosen.push_back(e);
            };
            for (std::size_t i = first; i < last; ++i) take(members[i].second);
            for (std::size_t i = 0; i < most; ++i) take(others[i].second);
        }
        core::sort_places(chosen, [&](std::size_t a, std::size_t b) { return before(a, b); });
        return chosen;
    }

    /// The features of some entries, and the free ones, ascending.
    std::vector<std::size_t> features_of(std::span<const std::size_t> entries) const {
        std::vector<bool> used = free_;
        for (const std::size_t e : entries) used[e / shape_.outputs] = true;
        std::vector<std::size_t> features;
        for (std::size_t j = 0; j < used.size(); ++j)
            if (used[j]) features.push_back(j);
        return features;
    }

    /// Some candidates, whole units of them, as those of a quadratic: where their groups begin, and the room there; their units.
    /// What is not among them and not 0 in w keeps its place.
    template <class T> objective shape_of(std::span<const std::size_t> entries, std::span<const T> w) const {
        std::vector<bool> used(units_.count());
        for (std::size_t e = 0; e < shape_.size(); ++e)
            if (w[e] != 0 && !free_[e / shape_.outputs]) used[units_.of(e)] = true;
        for (const std::size_t e : entries) used[units_.of(e)] = false;
        objective f = shape_of(entries);
        for (std::size_t u = 0; u < used.size(); ++u) f.room[u % groups_] -= used[u] ? 1 : 0;
        return f;
    }
    objective shape_of(std::span<const std::size_t> entries) const {
        objective f{{}, {}, std::vector<std::size_t>(groups_ + 1), std::vector<std::size_t>(groups_, kappa_)};
        for (const std::size_t e : entries) ++f.first[(groups_ == 1 ? 0 : e % shape_.outputs) + 1];
        for (std::size_t g = 0; g < groups_; ++g) f.first[g + 1] += f.first[g];
        if (are_entries()) return f;
        for (std::size_t i = 0; i < entries.size(); ++i)
            if (i == 0 || units_.of(entries[i]) != units_.of(entries[i - 1])) f.unit.push_back(i);
        f.unit.push_back(entries.size());
        return f;
    }

private:
    /// Of entries by output, then by feature; of units of several, and of their entries.
    bool before(std::size_t a, std::size_t b) const {
        return are_entries() ? std::pair(a % shape_.outputs, a) < std::pair(b % shape_.outputs, b) : a < b;
    }
    bool is_free(std::size_t unit) const { return free_[units_.first(unit) / shape_.outputs]; }

    penalty::layout shape_;
    penalty::detail::units units_;
    std::size_t groups_, kappa_, competing_ = 0, entries_ = 0;
    std::vector<bool> free_;
};

}  // namespace gamut::quadratic

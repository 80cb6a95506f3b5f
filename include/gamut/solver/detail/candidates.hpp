// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <utility>
#include <vector>

#include <gamut/penalty/l0.hpp>

namespace gamut::solver::detail {

/// The weights that compete for the kappa places of penalty::l0: all entries of W but those of free features. Sets of them are
/// ordered by output, then by feature.
class candidates {
public:
    candidates(const penalty::l0& penalty, penalty::layout shape)
        : shape_(shape),
          groups_(penalty.over == penalty::support::per_output ? shape.outputs : 1),
          kappa_(penalty.kappa),
          free_(shape.features) {
        for (const std::size_t feature : penalty.free) free_[feature] = true;
        for (const bool is_free : free_) competing_ += is_free ? 0 : shape.outputs;
    }

    /// How many there are, and places for them.
    std::size_t size() const { return competing_; }
    std::size_t places() const { return std::min(kappa_, competing_ / groups_) * groups_; }
    std::size_t kappa() const { return kappa_; }
    bool is_free(std::size_t feature) const { return free_[feature]; }

    std::vector<std::size_t> all() const {
        std::vector<std::size_t> entries;
        for (std::size_t k = 0; k < shape_.outputs; ++k)
            for (std::size_t j = 0; j < shape_.features; ++j)
                if (!free_[j]) entries.push_back(j * shape_.outputs + k);
        return entries;
    }

    /// The entries with the largest scores, `most` in all and as many in each group; of equal ones those that come first.
    [[gnu::cold]] std::vector<std::size_t> largest(std::span<const double> scores, std::size_t most) const {
        std::vector<std::size_t> chosen, group;
        const std::vector<std::size_t> entries = all();
        for (std::size_t g = 0; g < groups_; ++g) {
            group.clear();
            for (const std::size_t e : entries)
                if (groups_ == 1 || e % shape_.outputs == g) group.push_back(e);
            const std::size_t n = std::min(group.size(), (most + groups_ - 1) / groups_);
            std::nth_element(group.begin(), group.begin() + static_cast<std::ptrdiff_t>(n), group.end(),
                             [&](std::size_t a, std::size_t b) {
                                 return scores[a] != scores[b] ? scores[a] > scores[b] : before(a, b);
                             });
            chosen.insert(chosen.end(), group.begin(), group.begin() + static_cast<std::ptrdiff_t>(n));
        }
        std::sort(chosen.begin(), chosen.end(), [&](std::size_t a, std::size_t b) { return before(a, b); });
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

    /// Where the groups of some entries begin: first[g] to first[g + 1] are group g.
    std::vector<std::size_t> bounds_of(std::span<const std::size_t> entries) const {
        std::vector<std::size_t> first(groups_ + 1);
        for (const std::size_t e : entries) ++first[(groups_ == 1 ? 0 : e % shape_.outputs) + 1];
        for (std::size_t g = 0; g < groups_; ++g) first[g + 1] += first[g];
        return first;
    }
    std::vector<std::size_t> room() const { return std::vector<std::size_t>(groups_, kappa_); }

private:
    bool before(std::size_t a, std::size_t b) const {
        return std::pair(a % shape_.outputs, a) < std::pair(b % shape_.outputs, b);
    }

    penalty::layout shape_;
    std::size_t groups_, kappa_, competing_ = 0;
    std::vector<bool> free_;
};

}  // namespace gamut::solver::detail

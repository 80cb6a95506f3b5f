// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <iterator>
#include <limits>
#include <memory>
#include <vector>

#include <gamut/backend/matrix.hpp>
#include <gamut/quadratic/lazy_products.hpp>

namespace gamut::quadratic {

/// 1/2 w'Hw - q'w over p candidates, H symmetric and positive semidefinite, in memory or made row by row. Candidates compete within their
/// group only: those first[g] <= j < first[g + 1] for at most room[g] places. Or sets of them, units, come and go together, the
/// candidates unit[u] <= j < unit[u + 1]: then there is one group. With l1 and bounds: l1 |w|_1 is added, and lower <= w_j <= upper.
struct objective {
    backend::dense_matrix<double> hessian;  // p x p, or empty: see `lazy`
    std::vector<double> slope;              // p
    std::vector<std::size_t> first, room;
    std::vector<std::size_t> unit{};                 // empty: every candidate is one
    std::shared_ptr<const lazy_products> lazy = {};  // H where there is no matrix; not for units
    double l1 = 0, lower = -std::numeric_limits<double>::infinity(), upper = std::numeric_limits<double>::infinity();

    /// The best weights on a support are no linear function of q: see bounded_support.
    bool is_bounded() const { return l1 > 0 || std::isfinite(lower) || std::isfinite(upper); }
    const double* row(std::size_t j) const { return lazy ? lazy->row(j) : hessian.row(j); }
    double diagonal(std::size_t j) const { return lazy ? lazy->diagonal(j) : hessian(j, j); }
    std::size_t size() const { return slope.size(); }
    std::size_t groups() const { return room.size(); }
    std::size_t units() const { return unit.empty() ? size() : unit.size() - 1; }
    std::size_t begin(std::size_t u) const { return unit.empty() ? u : unit[u]; }
    std::size_t end(std::size_t u) const { return unit.empty() ? u + 1 : unit[u + 1]; }
    std::size_t group_of(std::size_t j) const {
        return static_cast<std::size_t>(std::upper_bound(first.begin(), first.end(), j) - first.begin()) - 1;
    }
};

/// How many places of each group are taken by the members of a support.
class places {
public:
    bool has_room(std::size_t group) const { return used_[group] < of_->room[group]; }
    std::size_t room(std::size_t group) const { return of_->room[group] - used_[group]; }
    /// Members that there may be.
    std::size_t most() const {
        std::size_t sum = 0;
        for (std::size_t g = 0; g < of_->groups(); ++g)
            sum += std::max(used_[g], std::min(of_->room[g], of_->first[g + 1] - of_->first[g]));
        return sum;
    }
    std::size_t group_of(std::size_t j) const { return of_->group_of(j); }

protected:
    explicit places(const objective& of) : of_(&of), used_(of.groups()) {}

    const objective* of_;
    std::vector<std::size_t> used_;  // per group
};

/// The largest entry of a vector, the first of equals; none: no entry is above 0.
struct best_entry {
    static constexpr std::size_t none = static_cast<std::size_t>(-1);
    std::size_t index = none;
    double gain = 0;
};

/// One member of a support, by its place, for one candidate.
struct exchange {
    std::size_t place = 0, candidate = best_entry::none;
    double gain = 0;  ///< net
};

/// The indices of the largest gains above 0, at most n, ascending; of equals the first.
inline std::vector<std::size_t> largest_gains(const std::vector<double>& gains, std::size_t n) {
    std::vector<double> sorted;
    sorted.reserve(gains.size());
    std::copy_if(gains.begin(), gains.end(), std::back_inserter(sorted), [](double gain) { return gain > 0; });
    n = std::min(n, sorted.size());
    std::vector<std::size_t> best;
    if (n == 0) return best;
    const auto nth = sorted.begin() + static_cast<std::ptrdiff_t>(n - 1);
    std::nth_element(sorted.begin(), nth, sorted.end(), [](double a, double b) { return a > b; });
    const double least = *nth;
    auto equals =
        n - static_cast<std::size_t>(std::count_if(sorted.begin(), nth, [&](double gain) { return gain > least; }));
    best.reserve(n);
    for (std::size_t j = 0; j < gains.size(); ++j)
        if (gains[j] > least || (gains[j] == least && equals > 0 && equals-- > 0)) best.push_back(j);
    return best;
}

}  // namespace gamut::quadratic

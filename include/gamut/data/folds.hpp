// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <gamut/communicator/agree.hpp>
#include <gamut/communicator/concept.hpp>
#include <gamut/core/error.hpp>
#include <gamut/core/random.hpp>
#include <gamut/core/text.hpp>
#include <gamut/data/dataset.hpp>
#include <gamut/data/split.hpp>

namespace gamut::data {

/// What is spread evenly over folds: each class on its own, or all rows alike. automatic: classes where there are any.
enum class strata { automatic, classes, none };

struct fold_options {
    std::size_t count = 10;
    data::strata strata = data::strata::automatic;
    std::uint64_t seed = 1;
};

/// Deals rows to folds at random: the fold of each local row. Folds differ by one row at most, and so do the rows of a class in
/// different folds. Which fold a row gets follows from the seed, its number among all rows and, where classes are spread, the
/// classes of the rows before it. Collective: one gather of as many numbers as there are classes.
/// Throws option_error for fewer than 2 folds, or more than there are rows.
template <communicator::Communicator C, class Matrix>
std::vector<std::uint32_t> folds(const C& ranks, const dataset<Matrix>& rows, fold_options options = {}) {
    const std::size_t classes = rows.classes.size();
    const bool by_class = options.strata == strata::classes || (options.strata == strata::automatic && classes > 0);
    communicator::agree(ranks, [&] {
        if (options.count < 2 || options.count > rows.rows())
            throw core::option_error(core::text("folds: count is ", options.count, " (there are ", rows.rows(),
                                                " rows) choose 2 to that many"));
        if (by_class && classes == 0)
            throw core::option_error(
                core::text("folds: strata is classes (", rows.source, " has numbers as labels) ", "use strata::none"));
    });
    const std::size_t groups = by_class ? classes : 1;
    const auto group_of = [&](std::size_t i) { return by_class ? static_cast<std::size_t>(rows.y[i]) : 0; };
    std::vector<std::int64_t> mine(groups), all(groups * static_cast<std::size_t>(ranks.size()));
    for (std::size_t i = 0; i < rows.local_rows(); ++i) ++mine[group_of(i)];
    ranks.gather(std::span<const std::int64_t>(mine), std::span<std::int64_t>(all));

    std::vector<std::uint32_t> fold(rows.local_rows());
    std::vector<std::size_t> before(groups), total(groups),
        first(groups);  // rows on lower ranks, in all, in lower groups
    for (std::size_t rank = 0; rank < static_cast<std::size_t>(ranks.size()); ++rank)
        for (std::size_t g = 0; g < groups; ++g) {
            const auto count = static_cast<std::size_t>(all[rank * groups + g]);
            if (rank < static_cast<std::size_t>(ranks.rank())) before[g] += count;
            total[g] += count;
        }
    std::vector<detail::random_order> order;
    for (std::size_t g = 0; g < groups; ++g) {
        if (g > 0) first[g] = first[g - 1] + total[g - 1];
        order.emplace_back(core::random{options.seed, 0x666f6c6473}.bits(g), total[g]);  // "folds"
    }
    for (std::size_t i = 0; i < fold.size(); ++i) {  // like cards: where one class ends the next goes on
        const std::size_t g = group_of(i);
        fold[i] = static_cast<std::uint32_t>((first[g] + order[g](before[g]++)) % options.count);
    }
    return fold;
}

}  // namespace gamut::data

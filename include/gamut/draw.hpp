// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numeric>
#include <string>
#include <vector>

#include <gamut/communicator/write_together.hpp>
#include <gamut/core/chart.hpp>
#include <gamut/core/error.hpp>
#include <gamut/core/stable_sort.hpp>
#include <gamut/core/svg.hpp>
#include <gamut/core/text.hpp>
#include <gamut/cross_validate.hpp>
#include <gamut/fitted_path.hpp>
#include <gamut/fwd.hpp>

namespace gamut {

/// What a picture shows.
struct drawing {
    std::size_t l2 = 0;       ///< which of the path's, counted in their order (coefficients)
    std::size_t labels = 12;  ///< the lines that are coloured and named: those with the largest weights
};

/// Draws the weights of a path over kappa, or over the logarithm of the strength, as the penalty saw them (of standardised columns,
/// usually), as an SVG file.
/// Collective; the file appears whole or not at all.
template <class Model, class T, class C>
void draw(const fitted_path<Model, T, C>& path, const std::string& file, const drawing& options = {}) {
    communicator::write_together(path.base.communicator, file, [&] {
        std::vector<double> strengths;
        for (const auto& e : path.entries)
            if (strengths.empty() || strengths.back() != e.l2) strengths.push_back(e.l2);
        if (options.l2 >= strengths.size())
            throw core::option_error(core::text("draw: l2 is ", options.l2, " (the path has ", strengths.size(),
                                                " of them, counted from 0)"));
        const bool of_strengths = path.is_of_strengths();
        core::chart picture{of_strengths ? "weights along the path" : "weights of the best subsets",
                            of_strengths ? "how far the strength has fallen (log10 of largest / strength)"
                                         : "weights that are not 0, at most (kappa)",
                            path.base.scaling.scales.empty() ? "weight" : "weight of the standardised column",
                            {},
                            {}};
        if (strengths.size() > 1) picture.title += core::text(", l2 = ", strengths[options.l2]);
        const std::vector<std::size_t> used = detail::used_weights(path);
        std::vector<double> kappas, largest(used.size());
        std::vector<core::chart::line> lines(used.size());
        for (std::size_t i = 0; i < path.size(); ++i) {
            if (path[i].l2 != strengths[options.l2] || path[i].strength == 0) continue;
            const std::vector<double> w = path.solver_weights(i);
            for (std::size_t u = 0; u < used.size(); ++u) {
                lines[u].x.push_back(of_strengths ? std::log10(path[0].strength / path[i].strength)
                                                  : static_cast<double>(path[i].kappa));
                lines[u].y.push_back(w[used[u]]);
                largest[u] = std::max(largest[u], std::abs(w[used[u]]));
            }
        }
        std::vector<std::size_t> order(used.size());
        std::iota(order.begin(), order.end(), std::size_t(0));
        core::stable_sort(order, [&](std::size_t a, std::size_t b) { return largest[a] > largest[b]; });
        for (std::size_t rank = order.size(); rank-- > 0;) {  // the large ones on top
            core::chart::line& l = lines[order[rank]];
            l.colour = rank < options.labels ? core::svg::colour(rank) : "#bbbbbb";
            if (rank < options.labels) l.name = detail::weight_name(path, used[order[rank]]);
            picture.lines.push_back(std::move(l));
        }
        return picture.drawn();
    });
}

/// Draws the curve of the mean loss on rows that were left out, with standard errors, over kappa, a line for each l2, and the two
/// choices.
template <class Model, class T, class C> void draw(const validated_path<Model, T, C>& found, const std::string& file) {
    communicator::write_together(found.path.base.communicator, file, [&] {
        core::chart picture{core::text(found.losses.size(), "-fold cross-validation"),
                            "weights that are not 0, at most (kappa)",
                            "loss on rows left out",
                            {},
                            {}};
        for (std::size_t i = 0; i < found.path.size(); ++i) {
            const auto& e = found.path[i];
            if (i == 0 || e.l2 != found.path[i - 1].l2)
                picture.lines.push_back(
                    {core::text("l2 = ", e.l2), core::svg::colour(picture.lines.size()), {}, {}, {}, true});
            core::chart::line& l = picture.lines.back();
            l.x.push_back(static_cast<double>(e.kappa));
            l.y.push_back(found.curve[i].mean);
            l.error.push_back(found.curve[i].standard_error);
        }
        picture.marks.emplace_back(static_cast<double>(found.path[found.least()].kappa), "least mean");
        picture.marks.emplace_back(static_cast<double>(found.path[found.one_standard_error()].kappa),
                                   "one standard error");
        return picture.drawn();
    });
}

}  // namespace gamut

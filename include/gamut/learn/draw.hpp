// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include <gamut/communicator/single.hpp>
#include <gamut/communicator/write_together.hpp>
#include <gamut/core/chart.hpp>
#include <gamut/core/error.hpp>
#include <gamut/core/svg.hpp>
#include <gamut/core/text.hpp>
#include <gamut/fwd.hpp>
#include <gamut/learn/concept.hpp>

/// Pictures of what learners found, as SVG files. All are collective: rank 0 draws, all ranks learn of a failure; a file appears whole
/// or not at all. Which members a fit has decides what its picture is.
namespace gamut::learn {

/// What a picture shows.
struct drawing {
    std::size_t bars = 12;   ///< the longest ones: words of each topic, features of a forest
    std::size_t width = 0;   ///< centres, parts and atoms are pictures of so many columns; 0: one row each
    std::size_t parts = 40;  ///< the first ones: topics, centres, parts, atoms
};

namespace detail {

/// A picture with a title, of equal cells from left to right and down, as many as there are; across: so many in a row.
struct grid {
    grid(const std::string& title, std::size_t cells, std::size_t across, double wide, double high, double left = 20,
         double least = 0)
        : across_(std::max<std::size_t>(1, across)),
          wide_(wide),
          high_(high),
          left_(left),
          picture(
              std::max(least, left + wide * static_cast<double>(std::min(across_, std::max<std::size_t>(1, cells)))),
              50 + high * static_cast<double>((cells + across_ - 1) / across_)) {
        picture.words(20, 28, "start", "#222", title, " font-size=\"15\"");
    }
    double left(std::size_t i) const { return left_ + wide_ * static_cast<double>(i % across_); }
    double top(std::size_t i) const { return 50 + high_ * static_cast<double>(i / across_); }

    std::size_t across_;
    double wide_, high_, left_;
    core::svg picture;
};

/// A panel of bars with names, longest first.
struct panel {
    std::string title;
    std::vector<std::pair<std::string, double>> bars;
    std::string colour;
};

/// Panels side by side, up to four in a row; every bar is a share of the longest of all.
inline std::string panels(const std::string& title, const std::vector<panel>& all) {
    const std::size_t across = std::min<std::size_t>(4, std::max<std::size_t>(1, all.size()));
    std::size_t most = 0;
    double longest = 0;
    for (const panel& one : all) {
        most = std::max(most, one.bars.size());
        for (const auto& bar : one.bars) longest = std::max(longest, bar.second);
    }
    const double wide = all.size() == 1 ? 700 : 260, high = 40 + 18 * static_cast<double>(most);
    grid cells(title, all.size(), across, wide, high);
    core::svg& s = cells.picture;
    for (std::size_t i = 0; i < all.size(); ++i) {
        const double left = cells.left(i), top = cells.top(i), middle = left + wide * 0.42, room = wide * 0.52;
        s.words(left, top + 14, "start", all[i].colour, all[i].title);
        for (std::size_t b = 0; b < all[i].bars.size(); ++b) {
            const auto& [name, length] = all[i].bars[b];
            const double y = top + 22 + 18 * static_cast<double>(b);
            s.words(middle - 6, y + 11, "end", "#444", name);
            s.rectangle(middle, y, longest > 0 ? room * std::max(0.0, length) / longest : 0, 13, all[i].colour);
        }
    }
    return s.finished();
}

/// values: rows of numbers, each a tile of `width` columns. Dark is large; where some are below 0 blue is above and red below.
inline std::string tiles(const std::string& title, const std::vector<double>& values, std::size_t columns,
                         std::size_t width, const std::vector<std::string>& names) {
    if (width == 0) width = columns;
    const std::size_t down = (columns + width - 1) / width;
    const double cell = std::max(
        0.5, std::min({16.0, 160 / static_cast<double>(down), (down == 1 ? 640 : 160) / static_cast<double>(width)}));
    const double wide = cell * static_cast<double>(width) + 12,
                 high = cell * static_cast<double>(down) + (down == 1 ? 4 : 26);
    const std::size_t across = down == 1 ? 1 : std::max<std::size_t>(1, static_cast<std::size_t>(860 / wide));
    const double margin = down == 1 ? 110 : 20;
    grid cells(title, names.size(), across, wide, high, margin, 400);
    core::svg& s = cells.picture;
    double most = 0;
    for (const double v : values) most = std::max(most, std::abs(v));
    const auto ink = [&](double v) {
        const auto rest = [&](double full) {
            return static_cast<int>(std::round(255 - (255 - full) * (most > 0 ? std::abs(v) / most : 0)));
        };
        return v < 0 ? core::text("rgb(", rest(178), ',', rest(58), ',', rest(72), ')')
                     : core::text("rgb(", rest(20), ',', rest(70), ',', rest(120), ')');
    };
    for (std::size_t k = 0; k < names.size(); ++k) {
        const double left = cells.left(k), top = cells.top(k) - 4;
        if (down == 1)
            s.words(margin - 8, top + cell - 1, "end", "#444", names[k]);
        else
            s.words(left, top + high - 8, "start", "#444", names[k]);
        for (std::size_t j = 0; j < columns; ++j)
            s.rectangle(left + cell * static_cast<double>(j % width), top + cell * static_cast<double>(j / width), cell,
                        cell, ink(values[k * columns + j]));
    }
    return s.finished();
}

template <class F>
concept HasTopics = requires(const F& fit) {
    fit.top(0, 1);
    fit(0, 0);
    fit.counts;
};
template <class F>
concept HasImportances = requires(const F& fit) {
    fit.importances;
};
template <class F>
concept HasCentres = requires(const F& fit) {
    fit.centres;
    fit.sizes;
};
template <class F>
concept HasParts = requires(const F& fit) {
    fit.parts;
};
template <class F>
concept HasDictionary = requires(const F& fit) {
    fit.dictionary;
};

/// Topic k in words: its number, and, where topics speak for classes, for which one it speaks most.
template <class F> std::string topic_title(const F& fit, std::size_t k) {
    std::string title = core::text("topic ", k);
    if constexpr (requires {
                      fit.weights;
                      fit.classes;
                  }) {
        const std::size_t machines = fit.weights.size() / fit.topics();
        std::size_t best = 0;
        for (std::size_t m = 1; m < machines; ++m)
            if (fit.weights[m * fit.topics() + k] > fit.weights[best * fit.topics() + k]) best = m;
        const double weight = fit.weights[best * fit.topics() + k];
        const std::size_t spoken = machines == 1 ? (weight > 0 ? 1 : 0) : best;
        title += core::text(": ", fit.classes[spoken], " (",
                            core::rounded(machines == 1 ? std::abs(weight) : weight, 3), ")");
    }
    return title;
}

}  // namespace detail

/// Topics: their most frequent words, with their probabilities, and the class that each speaks for if there are any. A forest: the features
/// of most importance. k-means: the centres; nonnegative_factorisation: the parts; sparse_coding: the atoms, as dark and light tiles.
template <Fitted F>
requires(detail::HasTopics<F> || detail::HasImportances<F> || detail::HasCentres<F> || detail::HasParts<F> ||
         detail::HasDictionary<F>) void draw(const F& fit, const std::string& file, const drawing& options = {}) {
    communicator::write_together(fit.communicator, file, [&] {
        if (options.bars == 0) throw core::option_error("draw: bars is 0 (one is needed) try 12");
        if (options.parts == 0) throw core::option_error("draw: parts is 0 (one is needed) try 40");
        if constexpr (detail::HasTopics<F>) {
            std::vector<detail::panel> all;
            for (std::size_t k = 0; k < std::min(options.parts, fit.topics()); ++k) {
                detail::panel one{detail::topic_title(fit, k), {}, core::svg::colour(k)};
                for (const std::size_t w : fit.top(k, options.bars)) one.bars.emplace_back(fit.features[w], fit(k, w));
                all.push_back(std::move(one));
            }
            return detail::panels("words of topics, by probability", all);
        } else if constexpr (detail::HasImportances<F>) {
            std::vector<std::size_t> order(fit.importances.size());
            std::iota(order.begin(), order.end(), std::size_t{0});
            std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
                return fit.importances[a] != fit.importances[b] ? fit.importances[a] > fit.importances[b] : a < b;
            });
            order.resize(std::min(order.size(), options.bars));
            detail::panel one{"share of all gains", {}, core::svg::colour(0)};
            for (const std::size_t j : order) one.bars.emplace_back(fit.features[j], fit.importances[j]);
            return detail::panels("importances of features", {one});
        } else {
            const std::size_t p = fit.features.size();
            const std::vector<double>& values = [&]() -> const std::vector<double>& {
                if constexpr (detail::HasCentres<F>)
                    return fit.centres;
                else if constexpr (detail::HasParts<F>)
                    return fit.parts;
                else
                    return fit.dictionary;
            }();
            const std::size_t count = std::min(options.parts, p == 0 ? 0 : values.size() / p);
            std::vector<std::string> names;
            for (std::size_t k = 0; k < count; ++k)
                if constexpr (detail::HasCentres<F>)
                    names.push_back(core::text(k, ": ", core::rounded(fit.sizes[k], 4), " rows"));
                else
                    names.push_back(core::text(k));
            return detail::tiles(detail::HasCentres<F> ? "centres of clusters"
                                 : detail::HasParts<F> ? "parts"
                                                       : "atoms of the dictionary",
                                 values, p, options.width, names);
        }
    });
}

namespace detail {

/// A line per fit.
inline std::string history_of(const std::vector<std::pair<std::string, const outcome*>>& fits) {
    core::chart picture{"objective by iteration", "iteration", "objective", {}, {}};
    for (const auto& [name, fit] : fits) {
        picture.lines.push_back({name, core::svg::colour(picture.lines.size()), {}, {}, {}, false});
        for (const core::record& now : fit->history) {
            picture.lines.back().x.push_back(static_cast<double>(now.iteration));
            picture.lines.back().y.push_back(now.objective);
        }
    }
    return picture.drawn();
}

}  // namespace detail

/// The objective of any learner by iteration, a line per fit: a factorisation's error by sweep, a chain's likelihood.
///     learn::draw_history({{"rank 2", &two}, {"rank 4", &four}}, "error.svg")
/// No message: the caller's rank draws.
inline void draw_history(const std::vector<std::pair<std::string, const outcome*>>& fits, const std::string& file) {
    communicator::write_together(communicator::single<>{}, file, [&] { return detail::history_of(fits); });
}

/// The same of one fit. Collective: rank 0 draws.
template <Fitted F> void draw_history(const F& fit, const std::string& file) {
    communicator::write_together(fit.communicator, file, [&] { return detail::history_of({{F::name, &fit}}); });
}

}  // namespace gamut::learn

// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <numeric>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gamut/core/error.hpp>
#include <gamut/core/stable_sort.hpp>
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

namespace detail {

/// A chart of lines as SVG.
class chart {
public:
    struct line {
        std::string name{}, colour{};
        std::vector<double> x{}, y{}, error{};  ///< error: half the length of a bar, or none
        bool points = false;
    };
    std::string title, x_label, y_label;
    std::vector<line> lines;
    std::vector<std::pair<double, std::string>> marks;  ///< vertical, with a name

    static std::string colour(std::size_t i) {
        constexpr std::string_view palette[] = {"#1f6fb4", "#d1662b", "#3a923a", "#8a5bb0", "#b23a48", "#0f9d9d",
                                                "#8c6d31", "#d14f9a", "#5b6b7a", "#a0a000", "#3949ab", "#6d4c41"};
        return std::string(palette[i % std::size(palette)]);
    }

    std::string svg() const {
        double left = infinity, right = -infinity, low = infinity, high = -infinity;
        for (const line& l : lines)
            for (std::size_t i = 0; i < l.x.size(); ++i) {
                if (!std::isfinite(l.y[i])) continue;
                const double error = l.error.empty() || !std::isfinite(l.error[i]) ? 0 : l.error[i];
                left = std::min(left, l.x[i]), right = std::max(right, l.x[i]);
                low = std::min(low, l.y[i] - error), high = std::max(high, l.y[i] + error);
            }
        if (!(left <= right)) left = 0, right = 1, low = 0, high = 1;
        if (left == right) left -= 0.5, right += 0.5;
        if (low == high) low -= 0.5, high += 0.5;
        const double margin = 0.04 * (high - low);
        low -= margin, high += margin;
        const auto x = [&](double v) { return 80 + (v - left) / (right - left) * plot_width; };
        const auto y = [&](double v) { return 50 + (high - v) / (high - low) * plot_height; };

        std::string s =
            core::text("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 ", width, ' ', height, "\" width=\"",
                       width, "\" height=\"", height, "\" font-family=\"sans-serif\" font-size=\"13\">\n<rect width=\"",
                       width, "\" height=\"", height, "\" fill=\"white\"/>\n");
        write(s, 80 + plot_width / 2, 28, "middle", "#222", title, " font-size=\"15\"");
        write(s, 80 + plot_width / 2, height - 14, "middle", "#222", x_label);
        s += core::text("<text transform=\"translate(20 ", 50 + plot_height / 2,
                        ") rotate(-90)\" text-anchor=\"middle\" fill=\"#222\">", escaped(y_label), "</text>\n");
        for (const double tick : ticks(low, high)) {
            draw(s, 80, y(tick), 80 + plot_width, y(tick), tick == 0 ? "#999" : "#e4e4e4");
            write(s, 72, y(tick) + 4, "end", "#555", core::text(tick));
        }
        for (const double tick : ticks(left, right, true)) {
            draw(s, x(tick), 50 + plot_height, x(tick), 55 + plot_height, "#555");
            write(s, x(tick), 72 + plot_height, "middle", "#555", core::text(tick));
        }
        draw(s, 80, 50, 80, 50 + plot_height, "#555");
        draw(s, 80, 50 + plot_height, 80 + plot_width, 50 + plot_height, "#555");
        for (std::size_t i = 0; i < marks.size(); ++i) {
            const double at = x(marks[i].first);
            draw(s, at, 50, at, 50 + plot_height, "#777", " stroke-dasharray=\"5 4\"");
            write(s, at + 5, 64 + 16 * static_cast<double>(i), "start", "#555", marks[i].second);
        }
        for (const line& l : lines) {
            std::string path;
            for (std::size_t i = 0; i < l.x.size(); ++i)
                if (std::isfinite(l.y[i]))
                    path += core::text(path.empty() ? "M" : "L", rounded(x(l.x[i])), ' ', rounded(y(l.y[i])));
            s += core::text("<path d=\"", path, "\" fill=\"none\" stroke=\"", l.colour, "\" stroke-width=\"",
                            l.name.empty() ? 1.0 : 1.8, "\"/>\n");
            for (std::size_t i = 0; i < l.x.size(); ++i) {
                if (!std::isfinite(l.y[i])) continue;
                if (!l.error.empty() && std::isfinite(l.error[i]))
                    draw(s, x(l.x[i]), y(l.y[i] - l.error[i]), x(l.x[i]), y(l.y[i] + l.error[i]), l.colour);
                if (l.points)
                    s += core::text("<circle cx=\"", rounded(x(l.x[i])), "\" cy=\"", rounded(y(l.y[i])),
                                    "\" r=\"3\" fill=\"", l.colour, "\"/>\n");
            }
        }
        name_lines(s, y);
        return s + "</svg>\n";
    }

private:
    static constexpr double infinity = std::numeric_limits<double>::infinity();
    static constexpr double width = 860, height = 520, plot_width = 600, plot_height = 400;

    static double rounded(double v) { return std::round(100 * v) / 100; }
    static std::string escaped(std::string_view text) {
        std::string out;
        for (const char c : text) {
            if (c == '&')
                out += "&amp;";
            else if (c == '<')
                out += "&lt;";
            else if (c == '>')
                out += "&gt;";
            else if (c == '"')
                out += "&quot;";
            else
                out += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
        }
        return out;
    }
    static void draw(std::string& s, double x1, double y1, double x2, double y2, std::string_view colour,
                     std::string_view more = "") {
        s += core::text("<line x1=\"", rounded(x1), "\" y1=\"", rounded(y1), "\" x2=\"", rounded(x2), "\" y2=\"",
                        rounded(y2), "\" stroke=\"", colour, '"', more, "/>\n");
    }
    static void write(std::string& s, double x, double y, std::string_view anchor, std::string_view colour,
                      std::string_view words, std::string_view more = "") {
        s += core::text("<text x=\"", rounded(x), "\" y=\"", rounded(y), "\" text-anchor=\"", anchor, "\" fill=\"",
                        colour, '"', more, '>', escaped(words), "</text>\n");
    }

    /// Multiples of 1, 2 or 5 times a power of ten, five to ten of them.
    static std::vector<double> ticks(double low, double high, bool whole = false) {
        const double rough = (high - low) / 8, power = std::pow(10, std::floor(std::log10(rough)));
        double step = rough / power <= 1   ? power
                      : rough / power <= 2 ? 2 * power
                      : rough / power <= 5 ? 5 * power
                                           : 10 * power;
        if (whole) step = std::max(1.0, step);
        std::vector<double> all;
        for (double n = std::ceil(low / step); n * step <= high; ++n)  // a step below 1 divides: its digits stay few
            all.push_back(step < 1 ? n / std::round(1 / step) : n * step);
        return all;
    }

    /// To the right of where each line ends, moved apart.
    template <class Y> void name_lines(std::string& s, Y&& y) const {
        std::vector<std::pair<double, const line*>> ends;
        for (const line& l : lines)
            if (!l.name.empty() && !l.y.empty() && std::isfinite(l.y.back())) ends.emplace_back(y(l.y.back()), &l);
        core::stable_sort(ends, [](const auto& a, const auto& b) { return a.first < b.first; });
        constexpr double gap = 16;
        for (int sweep = 0; sweep < 100; ++sweep)
            for (std::size_t i = 0; i + 1 < ends.size(); ++i) {
                const double overlap = gap - (ends[i + 1].first - ends[i].first);
                if (overlap <= 0) continue;
                ends[i].first -= overlap / 2;
                ends[i + 1].first += overlap / 2;
            }
        for (const auto& [at, l] : ends) {
            draw(s, 80 + plot_width + 3, y(l->y.back()), 80 + plot_width + 18, at, l->colour);
            write(s, 80 + plot_width + 22, at + 4, "start", l->colour, l->name);
        }
    }
};

}  // namespace detail

/// Draws the weights of a path over kappa, or over the logarithm of the strength, as the penalty saw them (of standardised columns,
/// usually), as an SVG file.
/// Collective; the file appears whole or not at all.
template <class Model, class T, class C>
void draw(const fitted_path<Model, T, C>& path, const std::string& file, const drawing& options = {}) {
    detail::write_together(path.base.communicator, file, [&] {
        std::vector<double> strengths;
        for (const auto& e : path.entries)
            if (strengths.empty() || strengths.back() != e.l2) strengths.push_back(e.l2);
        if (options.l2 >= strengths.size())
            throw core::option_error(core::text("draw: l2 is ", options.l2, " (the path has ", strengths.size(),
                                                " of them, counted from 0)"));
        const bool of_strengths = path.is_of_strengths();
        detail::chart picture{of_strengths ? "weights along the path" : "weights of the best subsets",
                              of_strengths ? "how far the strength has fallen (log10 of largest / strength)"
                                           : "weights that are not 0, at most (kappa)",
                              path.base.scaling.scales.empty() ? "weight" : "weight of the standardised column",
                              {},
                              {}};
        if (strengths.size() > 1) picture.title += core::text(", l2 = ", strengths[options.l2]);
        const std::vector<std::size_t> used = detail::used_weights(path);
        std::vector<double> kappas, largest(used.size());
        std::vector<detail::chart::line> lines(used.size());
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
            detail::chart::line& l = lines[order[rank]];
            l.colour = rank < options.labels ? detail::chart::colour(rank) : "#bbbbbb";
            if (rank < options.labels) l.name = detail::weight_name(path, used[order[rank]]);
            picture.lines.push_back(std::move(l));
        }
        return picture.svg();
    });
}

/// Draws the curve of the mean loss on rows that were left out, with standard errors, over kappa, a line for each l2, and the two
/// choices.
template <class Model, class T, class C> void draw(const validated_path<Model, T, C>& found, const std::string& file) {
    detail::write_together(found.path.base.communicator, file, [&] {
        detail::chart picture{core::text(found.losses.size(), "-fold cross-validation"),
                              "weights that are not 0, at most (kappa)",
                              "loss on rows left out",
                              {},
                              {}};
        for (std::size_t i = 0; i < found.path.size(); ++i) {
            const auto& e = found.path[i];
            if (i == 0 || e.l2 != found.path[i - 1].l2)
                picture.lines.push_back(
                    {core::text("l2 = ", e.l2), detail::chart::colour(picture.lines.size()), {}, {}, {}, true});
            detail::chart::line& l = picture.lines.back();
            l.x.push_back(static_cast<double>(e.kappa));
            l.y.push_back(found.curve[i].mean);
            l.error.push_back(found.curve[i].standard_error);
        }
        picture.marks.emplace_back(static_cast<double>(found.path[found.least()].kappa), "least mean");
        picture.marks.emplace_back(static_cast<double>(found.path[found.one_standard_error()].kappa),
                                   "one standard error");
        return picture.svg();
    });
}

}  // namespace gamut

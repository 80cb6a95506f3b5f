// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include <gamut/core/stable_sort.hpp>
#include <gamut/core/svg.hpp>
#include <gamut/core/text.hpp>

namespace gamut::core {

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

    std::string drawn() const {
        double left = infinity, right = -infinity, low = infinity, high = -infinity;
        for (const line& l : lines)
            for (std::size_t i = 0; i < l.x.size(); ++i) {
                if (!std::isfinite(l.y[i])) continue;
                const double error = l.error.empty() || !std::isfinite(l.error[i]) ? 0 : l.error[i];
                left = std::min(left, l.x[i]), right = std::max(right, l.x[i]);
                low = std::min(low, l.y[i] - error), high = std::max(high, l.y[i] + error);
            }
        if (!(left <= right)) left = 0, right = 1, low = 0, high = 1;
        widen(left, right);
        widen(low, high);
        const double margin = 0.04 * (high - low);
        low -= margin, high += margin;
        const auto x = [&](double v) { return 80 + (std::clamp(v, left, right) - left) / (right - left) * plot_width; };
        const auto y = [&](double v) { return 50 + (high - std::clamp(v, low, high)) / (high - low) * plot_height; };

        svg s(width, height);
        s.words(80 + plot_width / 2, 28, "middle", "#222", title, " font-size=\"15\"");
        s.words(80 + plot_width / 2, height - 14, "middle", "#222", x_label);
        s.upright(20, 50 + plot_height / 2, "#222", y_label);
        for (const double tick : ticks(low, high)) {
            s.line(80, y(tick), 80 + plot_width, y(tick), tick == 0 ? "#999" : "#e4e4e4");
            s.words(72, y(tick) + 4, "end", "#555", text(tick));
        }
        for (const double tick : ticks(left, right, true)) {
            s.line(x(tick), 50 + plot_height, x(tick), 55 + plot_height, "#555");
            s.words(x(tick), 72 + plot_height, "middle", "#555", text(tick));
        }
        s.line(80, 50, 80, 50 + plot_height, "#555");
        s.line(80, 50 + plot_height, 80 + plot_width, 50 + plot_height, "#555");
        for (std::size_t i = 0; i < marks.size(); ++i) {
            const double at = x(marks[i].first);
            s.line(at, 50, at, 50 + plot_height, "#777", " stroke-dasharray=\"5 4\"");
            s.words(at + 5, 64 + 16 * static_cast<double>(i), "start", "#555", marks[i].second);
        }
        for (const line& l : lines) {
            std::string path;
            for (std::size_t i = 0; i < l.x.size(); ++i)
                if (std::isfinite(l.y[i]))
                    path += text(path.empty() ? "M" : "L", svg::rounded(x(l.x[i])), ' ', svg::rounded(y(l.y[i])));
            s.path(path, l.colour, l.name.empty() ? 1.0 : 1.8);
            for (std::size_t i = 0; i < l.x.size(); ++i) {
                if (!std::isfinite(l.y[i])) continue;
                if (!l.error.empty() && std::isfinite(l.error[i]))
                    s.line(x(l.x[i]), y(l.y[i] - l.error[i]), x(l.x[i]), y(l.y[i] + l.error[i]), l.colour);
                if (l.points) s.dot(x(l.x[i]), y(l.y[i]), 3, l.colour);
            }
        }
        name_lines(s, y);
        return s.finished();
    }

private:
    static constexpr double infinity = std::numeric_limits<double>::infinity();
    static constexpr double width = 860, height = 520, plot_width = 600, plot_height = 400;

    /// A range that can be divided: not of one number, nor of numbers that differ by rounding alone, nor as wide as double is.
    static void widen(double& low, double& high) {
        constexpr double most = 8e307;
        low = std::clamp(low, -most, most), high = std::clamp(high, -most, most);
        const double size = std::max(std::abs(low), std::abs(high));
        if (high - low > 1e-12 * size) return;
        const double half = std::max(0.5, 1e-12 * size);
        low -= half, high += half;
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
        for (int k = 0; k < 20; ++k) {
            const double n = std::ceil(low / step) + k;
            if (!(n * step <= high)) break;
            all.push_back(step < 1 ? n / std::round(1 / step)
                                   : n * step);  // a step below 1 divides: its digits stay few
        }
        return all;
    }

    /// To the right of where each line ends, moved apart.
    template <class Y> void name_lines(svg& s, Y&& y) const {
        std::vector<std::pair<double, const line*>> ends;
        for (const line& l : lines)
            if (!l.name.empty() && !l.y.empty() && std::isfinite(l.y.back())) ends.emplace_back(y(l.y.back()), &l);
        stable_sort(ends, [](const auto& a, const auto& b) { return a.first < b.first; });
        constexpr double gap = 16;
        for (int sweep = 0; sweep < 100; ++sweep)
            for (std::size_t i = 0; i + 1 < ends.size(); ++i) {
                const double overlap = gap - (ends[i + 1].first - ends[i].first);
                if (overlap <= 0) continue;
                ends[i].first -= overlap / 2;
                ends[i + 1].first += overlap / 2;
            }
        for (const auto& [at, l] : ends) {
            s.line(80 + plot_width + 3, y(l->y.back()), 80 + plot_width + 18, at, l->colour);
            s.words(80 + plot_width + 22, at + 4, "start", l->colour, l->name);
        }
    }
};

}  // namespace gamut::core

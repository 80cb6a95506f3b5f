// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cmath>
#include <cstddef>
#include <string>
#include <string_view>

#include <gamut/core/text.hpp>

namespace gamut::core {

/// A picture that is drawn piece by piece, as SVG: white, in units of a pixel from the upper left.
class svg {
public:
    svg(double width, double height)
        : text_(text("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 ", width, ' ', height, "\" width=\"",
                     width, "\" height=\"", height, "\" font-family=\"sans-serif\" font-size=\"13\">\n<rect width=\"",
                     width, "\" height=\"", height, "\" fill=\"white\"/>\n")) {}

    /// Twelve colours that can be told apart, over and over.
    static std::string colour(std::size_t i) {
        constexpr std::string_view palette[] = {"#1f6fb4", "#d1662b", "#3a923a", "#8a5bb0", "#b23a48", "#0f9d9d",
                                                "#8c6d31", "#d14f9a", "#5b6b7a", "#a0a000", "#3949ab", "#6d4c41"};
        return std::string(palette[i % std::size(palette)]);
    }

    void line(double x1, double y1, double x2, double y2, std::string_view colour, std::string_view more = "") {
        text_ += text("<line x1=\"", rounded(x1), "\" y1=\"", rounded(y1), "\" x2=\"", rounded(x2), "\" y2=\"",
                      rounded(y2), "\" stroke=\"", colour, '"', more, "/>\n");
    }
    void words(double x, double y, std::string_view anchor, std::string_view colour, std::string_view words,
               std::string_view more = "") {
        text_ += text("<text x=\"", rounded(x), "\" y=\"", rounded(y), "\" text-anchor=\"", anchor, "\" fill=\"",
                      colour, '"', more, '>', escaped(words), "</text>\n");
    }
    /// From the bottom up.
    void upright(double x, double y, std::string_view colour, std::string_view words) {
        text_ += text("<text transform=\"translate(", x, ' ', y, ") rotate(-90)\" text-anchor=\"middle\" fill=\"",
                      colour, "\">", escaped(words), "</text>\n");
    }
    void rectangle(double x, double y, double width, double height, std::string_view colour) {
        text_ += text("<rect x=\"", rounded(x), "\" y=\"", rounded(y), "\" width=\"", rounded(width), "\" height=\"",
                      rounded(height), "\" fill=\"", colour, "\"/>\n");
    }
    void dot(double x, double y, double radius, std::string_view colour) {
        text_ += text("<circle cx=\"", rounded(x), "\" cy=\"", rounded(y), "\" r=\"", radius, "\" fill=\"", colour,
                      "\"/>\n");
    }
    /// points: "M0 0L1 1"
    void path(std::string_view points, std::string_view colour, double width) {
        text_ +=
            text("<path d=\"", points, "\" fill=\"none\" stroke=\"", colour, "\" stroke-width=\"", width, "\"/>\n");
    }

    std::string finished() const { return text_ + "</svg>\n"; }

    static double rounded(double v) { return std::round(100 * v) / 100; }

private:
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

    std::string text_;
};

}  // namespace gamut::core

// SPDX-License-Identifier: BSL-1.0
#include <gamut/core/chart.hpp>
#include <gamut/core/svg.hpp>

#include <boost/test/unit_test.hpp>

#include <cstddef>
#include <limits>
#include <string>
#include <string_view>
#include <utility>

using namespace gamut;

namespace {

std::size_t count(const std::string& text, std::string_view part) {
    std::size_t found = 0;
    for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + part.size())) ++found;
    return found;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(chart)

BOOST_AUTO_TEST_CASE(words_are_escaped_and_coordinates_rounded) {
    core::svg s(10, 20);
    s.words(1.0 / 3, 2, "start", "#222", "a < b & \"c\"\n>");
    s.rectangle(0, 0, 1.005, 2.0 / 3, "red");
    const std::string all = s.finished();
    BOOST_TEST(count(all, "a &lt; b &amp; &quot;c&quot; &gt;") == 1u);
    BOOST_TEST(count(all, "x=\"0.33\"") == 1u);
    BOOST_TEST(count(all, "height=\"0.67\"") == 1u);
    BOOST_TEST(count(all, "<svg") == 1u);
    BOOST_TEST(all.ends_with("</svg>\n"));
}

BOOST_AUTO_TEST_CASE(a_line_joins_its_finite_points_and_has_its_name) {
    core::chart picture{"title", "x", "y", {}, {}};
    const double none = std::numeric_limits<double>::quiet_NaN();
    picture.lines.push_back({"first", core::svg::colour(0), {0, 1, 2, 3}, {4, none, 2, 1}, {}, true});
    picture.lines.push_back({"second", core::svg::colour(1), {0, 3}, {4, 1}, {0.5, none}, false});
    const std::string all = picture.drawn();
    const auto paths = all.substr(all.find("<path"));
    BOOST_TEST(count(all, "<path") == 2u);
    BOOST_TEST(count(paths.substr(0, paths.find("/>")), "L") == 2u);  // three points are finite
    BOOST_TEST(count(all, "<circle") == 3u);
    BOOST_TEST(count(all, ">first</text>") == 1u);
    BOOST_TEST(count(all, ">second</text>") == 1u);
    BOOST_TEST(core::svg::colour(0) == core::svg::colour(12));
}

BOOST_AUTO_TEST_CASE(numbers_that_hardly_differ_and_the_largest_can_be_drawn) {
    for (const auto& [low, high] : {std::pair{1e20, 1e20 + 16384},
                                    {1e17, 1e17},
                                    {-1e308, 1e308},
                                    {1 - 1e-16, 1.0},
                                    {0.0, 5e-324},
                                    {1e308, 1.1e308}}) {
        core::chart picture{"title", "x", "y", {}, {}};
        picture.lines.push_back({"one", "#000", {0, 1, 2}, {low, high, low}, {}, true});
        const std::string all = picture.drawn();
        BOOST_TEST(all.find("nan") == std::string::npos);
        BOOST_TEST(all.find("inf") == std::string::npos);
        BOOST_TEST(count(all, "<circle") == 3u);
        BOOST_TEST(count(all, "<line") < 60u);
    }
}

BOOST_AUTO_TEST_CASE(nothing_and_one_point_can_be_drawn) {
    core::chart empty{"title", "x", "y", {}, {}};
    BOOST_TEST(empty.drawn().find("nan") == std::string::npos);
    empty.lines.push_back({"one", "#000", {5}, {7}, {}, true});
    BOOST_TEST(count(empty.drawn(), "<circle") == 1u);
    BOOST_TEST(empty.drawn().find("nan") == std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()

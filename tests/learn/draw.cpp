// SPDX-License-Identifier: BSL-1.0
#include <gamut/learn/draw.hpp>

#include <unistd.h>

#include "topic_data.hpp"

#include <boost/test/unit_test.hpp>

#include <cstddef>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include <gamut/communicator/threads.hpp>
#include <gamut/core/text.hpp>
#include <gamut/data/arrays.hpp>
#include <gamut/learn/k_means.hpp>
#include <gamut/learn/nonnegative_factorisation.hpp>
#include <gamut/learn/random_forest.hpp>
#include <gamut/learn/sparse_coding.hpp>
#include <gamut/learn/supervised_topics.hpp>
#include <gamut/learn/topics.hpp>

using namespace gamut;

namespace {

std::size_t count(const std::string& text, std::string_view part) {
    std::size_t found = 0;
    for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + part.size())) ++found;
    return found;
}

struct picture_file {
    std::string path =
        (std::filesystem::temp_directory_path() / core::text("gamut_learn_draw_", ::getpid(), ".svg")).string();
    picture_file() { std::filesystem::remove(path); }
    ~picture_file() { std::filesystem::remove(path); }
    std::string text() const {
        std::ifstream in(path, std::ios::binary);
        return {std::istreambuf_iterator<char>(in), {}};
    }
};

/// The lengths of the bars behind a name: rectangles that follow its words.
double bar_of(const std::string& picture, const std::string& name) {
    const std::size_t word = picture.find('>' + name + "</text>");
    BOOST_TEST_REQUIRE(word != std::string::npos, name);
    const std::size_t at = picture.find("width=\"", word);
    return std::stod(picture.substr(at + 7));
}

backend::dense_matrix<double> blocks() {
    backend::dense_matrix<double> x(40, 3);
    for (std::size_t i = 0; i < 40; ++i) {
        x(i, 0) = i < 20 ? 1.0 : 9.0;
        x(i, 1) = static_cast<double>(i % 4);
        x(i, 2) = 2;
    }
    return x;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(learn_draw)

BOOST_AUTO_TEST_CASE(bars_of_a_forest_are_its_importances_longest_first) {
    const picture_file file;
    std::vector<double> y;
    for (std::size_t i = 0; i < 40; ++i) y.push_back(i < 20 ? 0 : 1);
    auto fit = learn::random_forest<>{.trees = 10}.fit(data::arrays(blocks(), y));
    fit.importances = {0.5, 0.2, 0.3};
    draw(fit, file.path, {.bars = 2});
    const std::string all = file.text();
    BOOST_TEST(all.find(">" + fit.features[0] + "<") < all.find(">" + fit.features[2] + "<"));
    BOOST_TEST(all.find(">" + fit.features[1] + "<") == std::string::npos);  // two bars
    BOOST_TEST(bar_of(all, fit.features[2]) / bar_of(all, fit.features[0]) == 0.6, boost::test_tools::tolerance(1e-3));
}

BOOST_AUTO_TEST_CASE(topics_show_their_words_and_for_which_class_they_speak) {
    const picture_file file;
    const topic_data::disjoint corpus{.topics = 3, .words = 5, .documents = 60, .length = 30};
    const auto x = corpus.documents_of();
    const auto fit = learn::topics<>{.count = 3, .nodes = 1, .stop = {.iterations = 30}}.fit(data::arrays(x));
    draw(fit, file.path, {.bars = 4});
    std::string all = file.text();
    for (std::size_t k = 0; k < 3; ++k) {
        BOOST_TEST(count(all, ">topic " + std::to_string(k) + "<") == 1u);
        const auto top = fit.top(k, 4);
        BOOST_TEST(bar_of(all, fit.features[top[3]]) / bar_of(all, fit.features[top[0]]) ==
                       fit(k, top[3]) / fit(k, top[0]),
                   boost::test_tools::tolerance(1e-2));
    }
    BOOST_TEST(count(all, "<rect") == 1 + 3 * 4u);  // and the page

    std::vector<double> y;
    for (std::size_t d = 0; d < x.rows; ++d) y.push_back(static_cast<double>(d % 3));
    auto spoken = learn::supervised_topics<>{.count = 3, .nodes = 1, .stop = {.iterations = 5}}.fit(data::arrays(x, y));
    spoken.weights = {9, 1, 1, 2, 8, 2, 3, 3, 7};
    draw(spoken, file.path);
    all = file.text();
    BOOST_TEST(count(all, ">topic 0: 0 (9)<") == 1u);
    BOOST_TEST(count(all, ">topic 1: 1 (8)<") == 1u);
    BOOST_TEST(count(all, ">topic 2: 2 (7)<") == 1u);
    spoken.classes = {"no", "yes"};
    spoken.weights = {-4, 5, 6};
    draw(spoken, file.path);
    all = file.text();
    BOOST_TEST(count(all, ">topic 0: no (4)<") == 1u);
    BOOST_TEST(count(all, ">topic 1: yes (5)<") == 1u);
}

BOOST_AUTO_TEST_CASE(tiles_are_as_many_as_numbers_and_say_where_they_are_below_0) {
    const picture_file file;
    const auto groups = learn::k_means<>{.clusters = 2}.fit(data::arrays(blocks()));
    draw(groups, file.path);
    std::string all = file.text();
    BOOST_TEST(count(all, "<rect") == 1 + 2 * 3u);
    BOOST_TEST(count(all, ": 20 rows<") == 2u);
    draw(learn::nonnegative_factorisation<>{.rank = 2}.fit(data::arrays(blocks())), file.path, {.width = 2});
    BOOST_TEST(count(file.text(), "<rect") == 1 + 2 * 3u);
    auto atoms = learn::sparse_coding<>{.atoms = 2}.fit(data::arrays(blocks()));
    atoms.dictionary = {0, -1, 1, 0.5, 0, 0};
    draw(atoms, file.path, {.parts = 1});
    all = file.text();
    BOOST_TEST(count(all, "<rect") == 1 + 3u);
    BOOST_TEST(count(all, "rgb(178,58,72)") == 1u);    // -1
    BOOST_TEST(count(all, "rgb(20,70,120)") == 1u);    // 1
    BOOST_TEST(count(all, "rgb(255,255,255)") == 1u);  // 0
}

BOOST_AUTO_TEST_CASE(a_history_is_a_line_with_a_point_per_iteration) {
    const picture_file file;
    const auto fit = learn::nonnegative_factorisation<>{.rank = 1, .stop = {.iterations = 7, .tolerance = 0}}.fit(
        data::arrays(blocks()));
    draw_history(fit, file.path);
    std::string all = file.text();
    BOOST_TEST(count(all, ">nonnegative_factorisation</text>") == 1u);
    BOOST_TEST(count(all, "<path") == 1u);
    const auto path = all.substr(all.find("<path"));
    BOOST_TEST(count(path.substr(0, path.find(" fill")), "L") == fit.history.size() - 1);
    learn::draw_history({{"one", &fit}, {"two", &fit}}, file.path);
    BOOST_TEST(count(file.text(), "<path") == 2u);
}

BOOST_AUTO_TEST_CASE(one_rank_draws_and_all_hear_of_a_failure) {
    const picture_file file;
    std::vector<std::string> heard(3);
    communicator::threads<>::run(3, [&](const communicator::threads<>& ranks) {
        using C = communicator::threads<>;
        const auto fit = learn::k_means<C>{.clusters = 2, .communicator = ranks}.fit(data::arrays(blocks()));
        draw(fit, file.path);
        try {
            draw(fit, file.path + "/none/x.svg");
        } catch (const core::error& error) {
            heard[static_cast<std::size_t>(ranks.rank())] = error.what();
        }
    });
    BOOST_TEST(count(file.text(), "<svg") == 1u);
    for (const auto& what : heard) BOOST_TEST(what.find("none/x.svg") != std::string::npos, what);
    const auto fit = learn::k_means<>{.clusters = 2}.fit(data::arrays(blocks()));
    BOOST_CHECK_THROW(draw(fit, file.path, {.bars = 0}), core::option_error);
    BOOST_CHECK_THROW(draw(fit, file.path, {.parts = 0}), core::option_error);
}

BOOST_AUTO_TEST_SUITE_END()

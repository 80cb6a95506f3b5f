// SPDX-License-Identifier: BSL-1.0
#include <gamut/data/frames.hpp>

#include <boost/test/unit_test.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include <data/helpers.hpp>
#include <gamut/communicator/single.hpp>
#include <gamut/communicator/threads.hpp>

using namespace gamut;
using test::temporary_file;

namespace {

const data::request classes{.classification = true};

template <class N> std::string little_endian(N number) {
    std::string bytes(sizeof number, '\0');
    std::memcpy(bytes.data(), &number, sizeof number);  // tests run on little-endian machines
    return bytes;
}
std::string sized(std::int32_t number) { return "\4" + little_endian(number); }
template <class N>
std::string matrix(const std::string& key, const char* kind, std::int32_t rows, std::int32_t columns,
                   const std::vector<N>& numbers) {
    std::string bytes = key + " " + std::string("\0B", 2) + kind + sized(rows) + sized(columns);
    for (const N number : numbers) bytes += little_endian(number);
    return bytes;
}
std::string alignment(const std::string& key, const std::vector<std::int32_t>& labels) {
    std::string bytes = key + " " + std::string("\0B", 2) + sized(static_cast<std::int32_t>(labels.size()));
    for (const std::int32_t label : labels) bytes += sized(label);
    return bytes;
}

const std::string text_features = "one  [\n  1 2\n  3 4\n  5 6 ]\nnone [ ]\ntwo  [\n -1 .5 ]\n";
const std::string text_labels = "two 7\nnone\none 0 7 0\n";

/// Rows as text, on so many ranks.
std::string shown(const data::frames<>& source, int size = 1) {
    std::vector<std::string> parts(static_cast<std::size_t>(size));
    communicator::threads<>::run(size, [&](const communicator::threads<>& ranks) {
        const auto rows = source.load(ranks, classes);
        std::string& all = parts[static_cast<std::size_t>(ranks.rank())];
        for (std::size_t i = 0; i < rows.local_rows(); ++i) {
            for (std::size_t j = 0; j < rows.columns(); ++j) all += core::text(rows.x.row(i)[j], ' ');
            all += core::text('-', rows.classes[static_cast<std::size_t>(rows.y[i])], '|');
        }
    });
    std::string joined;
    for (const auto& part : parts) joined += part;
    return joined;
}
std::string complaint(const std::string& features, const std::string& labels) {
    const temporary_file of_frames(features), of_labels(labels);
    std::vector<std::string> said(2);
    communicator::threads<>::run(2, [&](const communicator::threads<>& ranks) {
        try {
            data::frames<>{.path = of_frames.path, .labels = of_labels.path}.load(ranks, classes);
        } catch (const core::error& problem) {
            said[static_cast<std::size_t>(ranks.rank())] = problem.what();
        }
    });
    BOOST_TEST(said[0] == said[1]);
    return said[0];
}

}  // namespace

BOOST_AUTO_TEST_SUITE(frames)

BOOST_AUTO_TEST_CASE(text_and_binary_archives_are_the_same) {
    const temporary_file features(text_features), labels(text_labels),
        binary(matrix<float>("one", "FM ", 3, 2, {1, 2, 3, 4, 5, 6}) + matrix<float>("none", "FM ", 0, 0, {}) +
               matrix<double>("two", "DM ", 1, 2, {-1, .5})),
        binary_labels(alignment("one", {0, 7, 0}) + alignment("none", {}) + alignment("two", {7}));
    const std::string wanted = "1 2 -0|3 4 -7|5 6 -0|-1 0.5 -7|";
    const temporary_file empty_first("none\n" + text_features.substr(0, text_features.find("none")) +
                                     "two [ -1 .5 ]\n");
    BOOST_TEST(shown({.path = empty_first.path, .labels = labels.path}) == wanted);
    BOOST_TEST(shown({.path = features.path, .labels = labels.path}) == wanted);
    BOOST_TEST(shown({.path = binary.path, .labels = binary_labels.path}) == wanted);
    BOOST_TEST(shown({.path = binary.path, .labels = labels.path}) == wanted);
}

BOOST_AUTO_TEST_CASE(context_ends_with_the_utterance) {
    const temporary_file features(text_features), labels(text_labels);
    BOOST_TEST(shown({.path = features.path, .labels = labels.path, .context = 1}) ==
               "1 2 1 2 3 4 -0|1 2 3 4 5 6 -7|3 4 5 6 5 6 -0|-1 0.5 -1 0.5 -1 0.5 -7|");
    BOOST_TEST(shown({.path = features.path, .labels = labels.path, .context = 4})
                   .starts_with("1 2 1 2 1 2 1 2 1 2 3 4 5 6 5 6 5 6 -0|"));
}

BOOST_AUTO_TEST_CASE(every_rank_gets_its_rows) {
    std::string features, labels;
    for (int u = 0; u < 20; ++u) {
        features += core::text("u", u, " [");
        labels += core::text("u", u);
        for (int f = 0; f <= u; ++f) {
            features += core::text("\n ", u, " ", f);
            labels += core::text(" ", (u + f) % 3);
        }
        features += " ]\n";
        labels += "\n";
    }
    const temporary_file of_frames(features), of_labels(labels);
    const data::frames<> source{.path = of_frames.path, .labels = of_labels.path, .context = 2};
    const std::string whole = shown(source);
    for (const int size : {2, 5}) BOOST_TEST(shown(source, size) == whole);
}

BOOST_AUTO_TEST_CASE(broken_archives_are_told) {
    const auto says = [](const std::string& features, const std::string& labels, const std::string& part) {
        const std::string why = complaint(features, labels);
        BOOST_TEST(why.find(part) != std::string::npos, why);
    };
    const std::string good = matrix<float>("a", "FM ", 2, 2, {1, 2, 3, 4});
    says(good.substr(0, good.size() - 1), "a 1 2\n", "'a': cut off");
    says(good.substr(0, 8), "a 1 2\n", "'a': cut off");
    says(matrix<float>("a", "FM ", 2, 1 << 30, {1}), "a 1 2\n", "the file has no such room");
    says(matrix<float>("a", "FM ", -1, 2, {1}), "a 1 2\n", "-1 numbers");
    says(matrix<float>("a", "FM ", 3, 0, {}) + matrix<float>("b", "FM ", 1, 2, {1, 2}), "a 0 0 0\nb 0\n",
         "'a': 0 numbers per frame");
    says(matrix<float>("a", "CM ", 2, 2, {1, 2}), "a 1 2\n", "--compress=false");
    says(matrix<float>("a", "XM ", 2, 2, {1, 2}), "a 1 2\n", "of kind 'XM '");
    says(good + good, "a 1 2\n", "'a': there twice");
    says(good + matrix<float>("b", "FM ", 1, 3, {1, 2, 3}), "a 1 2\nb 1\n", "'b': 3 numbers per frame (others have 2)");
    says(good, "b 1 2\n", "'a': no labels");
    says(good, "a 1 2 3\n", "'a': 3 labels (there are 2 frames)");
    says(good, "a 1 2.5\n", "label 1 is 2.5");
    says(good, "a 1 x\n", "number 1 is 'x'");
    says("a [ 1 2\n 3 ]\n", "a 1 2\n", "rows of 2 and 1 numbers");
    says("a [ 1 2\n 3 4\n", "a 1 2\n", "no ']'");
    says("a [ 1 nan ]\n", "a 1\n", "number 1 is");
    says("a [ 1 1e999 ]\n", "a 1\n", "number 1 is inf");
    says("", "a 1\n", "no rows");
    says("word", "a 1\n", "no record at byte 0");
}

BOOST_AUTO_TEST_SUITE_END()

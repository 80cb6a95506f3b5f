// SPDX-License-Identifier: BSL-1.0
#include <gamut/data/texts.hpp>

#include <boost/test/unit_test.hpp>

#include <cstddef>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <gamut/communicator/threads.hpp>
#include <gamut/data/every.hpp>
#include <gamut/data/triples.hpp>

using namespace gamut;

namespace {

struct file {
    std::string path;
    explicit file(const std::string& text, const std::string& name = "gamut_texts_test")
        : path((std::filesystem::temp_directory_path() / name).string()) {
        std::ofstream(path, std::ios::binary) << text;
    }
    ~file() { std::filesystem::remove(path); }
};

template <class Dataset> std::string shown(const Dataset& rows) {
    std::string all;
    for (std::size_t i = 0; i < rows.x.rows; ++i) {
        if (!rows.y.empty()) all += core::text(rows.y[i], ": ");
        for (auto k = static_cast<std::size_t>(rows.x.offsets[i]); k < static_cast<std::size_t>(rows.x.offsets[i + 1]);
             ++k)
            all += core::text(rows.features[static_cast<std::size_t>(rows.x.indices[k])], " ", rows.x.value(k), " ");
        all += "|";
    }
    return all;
}
template <class S> std::string complaint(const S& source, const data::request& wanted) {
    try {
        source.load(communicator::single<>{}, wanted);
    } catch (const core::data_error& problem) {
        return problem.what();
    }
    return "";
}

const std::string news = "d1 sport ball goal ball\n\n d2\tart paint  goal\r\nd3 sport\n";

}  // namespace

BOOST_AUTO_TEST_SUITE(texts)

BOOST_AUTO_TEST_CASE(words_are_counted) {
    const file written(news);
    const data::texts<> source{.path = written.path};
    const auto rows = source.load(communicator::single<>{}, {.classification = true});
    BOOST_TEST(shown(rows) == "1: ball 2 goal 1 |0: goal 1 paint 1 |1: |");
    BOOST_TEST((rows.features == core::names{"ball", "goal", "paint"}));
    BOOST_TEST((rows.classes == std::vector<std::string>{"art", "sport"}));
    BOOST_TEST(shown(source.load(communicator::single<>{}, {.labels = false})) == "ball 2 goal 1 |goal 1 paint 1 ||");
}

BOOST_AUTO_TEST_CASE(a_model_has_its_own_words_and_classes) {
    const file written(news);
    const auto rows = data::texts<>{.path = written.path}.load(
        communicator::single<>{},
        {.classification = true, .features = {"paint", "ball", "net"}, .classes = {"sport", "art", "law"}});
    BOOST_TEST(shown(rows) == "0: ball 2 |1: paint 1 |0: |");
    BOOST_TEST(rows.columns() == 3u);
}

BOOST_AUTO_TEST_CASE(every_rank_gets_its_documents_and_selections_work) {
    std::string text;
    for (std::size_t i = 0; i < 100; ++i) text += core::text("d ", i, " w", i % 7, " w", i % 3, "\n");
    const file written(text);
    const auto source = data::all_but_every(data::texts<>{.path = written.path}, 3);
    const std::string whole = shown(source.load(communicator::single<>{}));
    for (const int size : {2, 5}) {
        std::vector<std::string> parts(static_cast<std::size_t>(size));
        communicator::threads<>::run(size, [&](const communicator::threads<>& ranks) {
            parts[static_cast<std::size_t>(ranks.rank())] = shown(source.load(ranks));
        });
        std::string joined;
        for (const auto& part : parts) joined += part;
        BOOST_TEST(joined == whole);
    }
}

BOOST_AUTO_TEST_CASE(what_cannot_be_read_is_said_with_its_place) {
    const auto says = [](const std::string& text, const data::request& wanted, const std::string& part) {
        const file written(text);
        const std::string why = complaint(data::texts<>{.path = written.path}, wanted);
        BOOST_TEST(why.find(part) != std::string::npos, why);
    };
    says("d1 1 a b\nd2\n", {}, ":2:3: no label");
    says("d1 1 a\nd2  x b\n", {}, ":2:5: label 'x' is not a finite number");
    says("d1 nan a\n", {}, ":1:4: label 'nan'");
    says("d1 1 a \xff\n", {}, ":1:8: word ");
    says("d1 c a\n", {.classification = true, .features = {"a"}, .classes = {"b"}}, ":1:4: label 'c' is unknown");
    says("", {}, "no rows");
    says("\n \n", {}, "no rows");
    says("d1 1\n", {}, "no words");
    BOOST_TEST(complaint(data::texts<>{.path = "no such file"}, {}).find("no such file") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_file_names_the_columns_of_entries) {
    data::request wanted;
    wanted.labels = false;
    const file entries("2\n3\n2\n1 2 1\n2 3 4\n"), words("ball\ngoal\r\npaint\n", "gamut_texts_test_words");
    const data::triples<> source{.path = entries.path, .names = words.path};
    BOOST_TEST(shown(source.load(communicator::single<>{}, wanted)) == "goal 1 |paint 4 |");
    const file few("ball\n", "gamut_texts_test_few"), bad("a\n\nc\n", "gamut_texts_test_bad");
    const auto why = complaint(data::triples<>{.path = entries.path, .names = few.path}, wanted);
    BOOST_TEST(why.find("1 names (there are 3 columns)") != std::string::npos, why);
    const auto where = complaint(data::triples<>{.path = entries.path, .names = bad.path}, wanted);
    BOOST_TEST(where.find("_bad:2: no name") != std::string::npos, where);
}

BOOST_AUTO_TEST_SUITE_END()

// SPDX-License-Identifier: BSL-1.0
#include <gamut/data/triples.hpp>

#include <unistd.h>

#include <boost/test/unit_test.hpp>

#include <cstddef>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <gamut/communicator/threads.hpp>
#include <gamut/data/every.hpp>

using namespace gamut;

namespace {

struct file {
    std::string path =
        (std::filesystem::temp_directory_path() / ("gamut_triples_test_" + std::to_string(::getpid()))).string();
    explicit file(const std::string& text) { std::ofstream(path, std::ios::binary) << text; }
    ~file() { std::filesystem::remove(path); }
};

data::request no_labels() {
    data::request wanted;
    wanted.labels = false;
    return wanted;
}

/// Rows as text: "0:1 2:5|" is entry 1 in column 0 and 5 in column 2.
std::string shown(const backend::sparse_matrix<double>& x) {
    std::string all;
    for (std::size_t i = 0; i < x.rows; ++i) {
        for (auto k = static_cast<std::size_t>(x.offsets[i]); k < static_cast<std::size_t>(x.offsets[i + 1]); ++k)
            all += std::to_string(x.indices[k]) + ":" + core::text(x.value(k)) + " ";
        all += "|";
    }
    return all;
}
std::string read(const std::string& text, data::triples<> how = {}) {
    const file written(text);
    how.path = written.path;
    const auto rows = how.load(communicator::single<>{}, no_labels());
    return std::to_string(rows.rows()) + "x" + std::to_string(rows.columns()) + " " + shown(rows.x);
}
std::string complaint(const std::string& text, const data::triples<>& how = {}) {
    try {
        read(text, how);
    } catch (const core::error& problem) {
        return problem.what();
    }
    return "";
}

}  // namespace

BOOST_AUTO_TEST_SUITE(triples)

BOOST_AUTO_TEST_CASE(the_three_forms_are_read) {
    BOOST_TEST(read("0,2,5\n2,0,1.5\n0,0,0\n") == "3x3 0:0 2:5 ||0:1.5 |");
    BOOST_TEST(read("user item rating time\n1 3 4 881250949\n2\t1\t-2\t7", {.first = 1}) == "2x3 2:4 |0:-2 |");
    BOOST_TEST(read("%%MatrixMarket matrix coordinate real general\n% a comment\n\n3 4 2\n3 4 7e-1\n1 1 2\n") ==
               "3x4 0:2 ||3:0.7 |");
    BOOST_TEST(read("%%MatrixMarket matrix coordinate pattern symmetric\n2 2 2\n1 1\n2 1\n") == "2x2 0:1 1:1 |0:1 |");
    BOOST_TEST(read("2\n5\n3\n1 2 1\n1 5 3\n2 1 4\n") == "2x5 1:1 4:3 |0:4 |");
    BOOST_TEST(read("0,0,1\n", {.rows = 4, .columns = 2}) == "4x2 0:1 ||||");
}

BOOST_AUTO_TEST_CASE(names_are_checked) {
    const file entries("0,0,1\n0,1,2\n");
    const std::string vocabulary = entries.path + "_words";
    const auto says = [&](const std::string& words) {
        std::ofstream(vocabulary, std::ios::binary) << words;
        std::string why;
        try {
            data::triples<>{.path = entries.path, .names = vocabulary}.load(communicator::single<>{}, no_labels());
        } catch (const core::data_error& problem) {
            why = problem.what();
        }
        return why;
    };
    BOOST_TEST(says("a\nb\n") == "");
    BOOST_TEST(says("a\na\n").find(":2: name 'a' is there twice") != std::string::npos);
    BOOST_TEST(says("a\nb\xe9\n").find(":2: name ") != std::string::npos);
    BOOST_TEST(says("a\nb\xe9\n").find("is not UTF-8") != std::string::npos);
    BOOST_TEST(says("a\n\n").find(":2: no name") != std::string::npos);
    std::filesystem::remove(vocabulary);
}

BOOST_AUTO_TEST_CASE(a_model_finds_columns_by_their_names) {
    const file entries("2\n3\n4\n1 1 5\n1 3 7\n2 2 1\n2 3 2\n");
    const std::string vocabulary = entries.path + "_names";
    std::ofstream(vocabulary) << "cat\nnews\ndog\n";
    data::request wanted = no_labels();
    wanted.features = {"dog", "bird", "cat"};
    const auto rows = data::triples<>{.path = entries.path, .names = vocabulary}.load(communicator::single<>{}, wanted);
    std::filesystem::remove(vocabulary);
    BOOST_TEST(rows.columns() == 3u);
    BOOST_TEST(shown(rows.x) == "0:7 2:5 |0:2 |");
    BOOST_TEST((rows.features == wanted.features));
    BOOST_CHECK_THROW(
        (data::triples<>{.path = entries.path, .names = "nowhere"}.load(communicator::single<>{}, wanted)),
        core::data_error);
}

BOOST_AUTO_TEST_CASE(every_rank_gets_its_rows_and_selections_work) {
    std::string text;
    for (std::size_t i = 0; i < 100; ++i)
        text += std::to_string(i) + "," + std::to_string(i % 7) + "," + std::to_string(i + 1) + "\n";
    const file written(text);
    const auto source = data::all_but_every(data::triples<>{.path = written.path}, 3);
    const std::string whole = shown(source.load(communicator::single<>{}, no_labels()).x);
    for (const int size : {2, 5}) {
        std::vector<std::string> parts(static_cast<std::size_t>(size));
        communicator::threads<>::run(size, [&](const communicator::threads<>& ranks) {
            parts[static_cast<std::size_t>(ranks.rank())] = shown(source.load(ranks, no_labels()).x);
        });
        std::string joined;
        for (const auto& part : parts) joined += part;
        BOOST_TEST(joined == whole);
    }
}

BOOST_AUTO_TEST_CASE(what_cannot_be_read_is_said_with_its_line) {
    const auto says = [](const std::string& text, const std::string& part, const data::triples<>& how = {}) {
        const std::string why = complaint(text, how);
        BOOST_TEST(why.find(part) != std::string::npos, why);
    };
    says("0,0,1\n0,1\n", ":2: 2 cells");
    says("0,0,1\nx,1,2\n", ":2: row 'x'");
    says("0,0,1\n1,-1,2\n", ":2: column '-1'");
    says("-1,0,1\n1,1,2\n", ":1: row '-1'");
    says("0,0,nan\n", ":1: value 'nan'");
    says("0,0,1e999\n", ":1: value '1e999'");
    says("0,0,1\n1,1,1\n0,0,2\n", ":3: entry 0, 0 again (it was in line 1)");
    says("0,99999999999999999999,1\n", ":1: column");
    says("0,5,1\n", "they are 0 to 3", {.columns = 4});
    says("0,1,1\n", ":1: row '0' (they are 1", {.first = 1});
    says("%%MatrixMarket matrix array real general\n1 1\n1\n", ":1: banner");
    says("%%MatrixMarket matrix coordinate real general\n2 2 3\n1 1 1\n", "3 were announced");
    says("%%MatrixMarket matrix coordinate real general\n2 2 1\n3 1 1\n", ":3: row '3' (they are 1 to 2)");
    says("2\n2\n1\n1 1 1\n1 2 1\n", ":5: more than 1 entries");
    says("", "no rows");
    says("a b c\n", "no rows");
    const file written("0,0,1\n");
    BOOST_CHECK_THROW(data::triples<>{.path = written.path}.load(communicator::single<>{}), core::data_error);
}

BOOST_AUTO_TEST_SUITE_END()

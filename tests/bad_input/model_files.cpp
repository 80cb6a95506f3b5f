// SPDX-License-Identifier: BSL-1.0
// Model files that were made to do harm: their checksum is right.
#include <boost/test/unit_test.hpp>

#include <cstddef>
#include <string>

#include <data/helpers.hpp>
#include <gamut/core/error.hpp>
#include <gamut/model/linear.hpp>
#include <gamut/model/softmax.hpp>
#include <gamut/model_file.hpp>

using namespace gamut;
using nlohmann::json;

namespace {

json good_file(std::size_t columns, std::size_t classes) {
    fitted<model::softmax> fit;
    fit.outputs = classes;
    for (std::size_t j = 0; j < columns; ++j) fit.features.push_back(core::text('x', j));
    for (std::size_t k = 0; k < classes; ++k) fit.classes.push_back(core::text('c', k));
    fit.weights.assign(columns * classes, 0.0);
    fit.intercept.assign(classes, 1.0);
    json file;
    detail::put(fit, file);
    return file;
}

/// What loading says, without the file's name; empty: nothing.
std::string complaint(const std::string& text) {
    const test::temporary_file file(text, "model.json");
    try {
        load<model::softmax>(file.path);
    } catch (const core::data_error& problem) {
        const std::string said = problem.what();
        BOOST_TEST(said.starts_with(file.path + ":"), said);
        return said.substr(file.path.size());
    }
    return "";
}

std::string complaint(json changed) {
    changed.erase("checksum");
    changed["checksum"] = detail::checksum(changed.dump());
    return complaint(changed.dump());
}

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

BOOST_AUTO_TEST_SUITE(model_files)

BOOST_AUTO_TEST_CASE(lists_in_lists_do_not_exhaust_the_stack) {
    const std::size_t depth = 1'000'000;
    for (const std::string pair : {"[]", "{}"}) {
        std::string opened, closed(depth, pair[1]);
        for (std::size_t i = 0; i < depth; ++i) opened += pair == "[]" ? "[" : "{\"a\":";
        for (const auto& text :
             {opened, opened + "1" + closed,
              "{\"format\":\"gamut model\",\"version\":1,\"checksum\":\"\",\"a\":" + opened + "1" + closed + "}"})
            BOOST_TEST(contains(complaint(text), "(lists or objects lie more than 16 deep"), complaint(text));
    }
    json deep = good_file(2, 2);
    deep["more"] = json::parse(std::string(15, '[') + std::string(15, ']'));
    BOOST_TEST(complaint(deep) == "");
}

BOOST_AUTO_TEST_CASE(a_model_without_columns_would_read_beyond_its_weights) {
    json file = good_file(2, 2);
    BOOST_TEST(complaint(file) == "");
    file["columns"] = json::array();
    BOOST_TEST(contains(complaint(file), "member \"columns\" is empty"));
}

BOOST_AUTO_TEST_CASE(columns_of_one_name_are_refused_when_saved_and_when_loaded) {
    json file = good_file(2, 2);
    file["columns"] = {"x0", "x0"};
    BOOST_TEST(contains(complaint(file), "member \"columns\" has 'x0' twice"));
    fitted<model::linear> fit;
    fit.features = {"a", "b", "a"};
    fit.weights = {0, 1, 2};
    fit.intercept = {0};
    BOOST_CHECK_EXCEPTION(detail::put(fit, file), core::data_error, [](const core::data_error& problem) {
        return contains(problem.what(), "save: features has 'a' twice (they are told apart by name) rename one");
    });
}

BOOST_AUTO_TEST_CASE(few_bytes_that_ask_for_many_weights) {
    json file = good_file(2, 2);
    for (int j = 0; j < 15'000; ++j) file["columns"][j] = core::text('x', j);
    for (int k = 0; k < 10'000; ++k) file["classes"][k] = core::text('c', k), file["intercept"][k] = 0;
    file["outputs"] = 10'000;  // 1.2 GB of weights, all of them 0
    BOOST_TEST(contains(complaint(file), "15000 columns and 10000 outputs without \"weights\" in \"standardization\""));
}

BOOST_AUTO_TEST_CASE(messages_show_what_a_terminal_would_obey) {
    const std::string escape = "\x1b[31m";
    for (const char* member : {"status", "model"}) {
        json file = good_file(2, 2);
        file[member] = escape + std::string(100, 'a');
        BOOST_TEST(contains(complaint(file), "\\x1b[31maaa"), complaint(file));
        BOOST_TEST(contains(complaint(file), "aaa..."), complaint(file));
    }
    json file = good_file(2, 2);
    file["features"] = {escape};
    file["weights"] = {{1, 2}};
    BOOST_TEST(contains(complaint(file), "has '\\x1b[31m' (it is none of the columns"), complaint(file));
    for (const std::string text : {"\xff\xfe", "\x1b[31m", "{\"a\x1b\": \"\xe9\"}", "\"\xe9"})
        BOOST_TEST(complaint(text).find_first_of("\x1b\xff\xe9") == std::string::npos, complaint(text));
    const auto long_one = complaint("\"" + std::string(100'000, 'a'));
    BOOST_TEST(long_one.size() < 1000u);
}

BOOST_AUTO_TEST_SUITE_END()

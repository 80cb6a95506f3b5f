// SPDX-License-Identifier: BSL-1.0
#include <gamut/data/csv.hpp>

#include <boost/test/unit_test.hpp>

#include <cstddef>
#include <string>
#include <vector>

#include <data/helpers.hpp>
#include <gamut/core/random.hpp>
#include <gamut/data/rows_where.hpp>

using namespace gamut;
using test::load_on;
using test::temporary_file;

static_assert(data::DataSource<data::csv<>> && data::DataSource<data::csv<float>>);

namespace {

using rows = std::vector<std::vector<double>>;
using names = std::vector<std::string>;

test::table load(const std::string& content, data::csv<> options = {}, const data::request& wanted = {}) {
    const temporary_file file(content);
    options.path = file.path;
    return load_on(1, options, wanted);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(csv)

BOOST_AUTO_TEST_CASE(reads_back_what_was_written_on_any_number_of_ranks) {
    for (const std::size_t count : {1, 3, 50, 1000}) {
        const core::random draw{.seed = count};
        std::uint64_t next = 0;
        std::string text = "id,\"a \"\"b\"\"\", c ,y,w\n";
        test::table expected;
        for (std::size_t i = 0; i < count; ++i) {
            const double a = draw.normal(next++), c = draw.normal(next++) * 1e20;
            const std::size_t y = draw.below(next++, 3), w = 1 + draw.below(next++, 5);
            const char* const classes[] = {"low", "mid, \"really\"", "no"};
            const char* const quoted[] = {"low", "\"mid, \"\"really\"\"\"", " no "};
            const auto digits = core::all_digits(a);
            const auto cell = draw.below(next++, 2) ? core::text('"', digits, '"') : core::text(' ', digits);
            text += core::text("row ", i, ',', cell, ',', core::all_digits(c), ',', quoted[y], ',', w,
                               draw.below(next++, 2) ? "\n" : "\r\n");
            if (draw.below(next++, 8) == 0) text += "  \n";
            expected.x.push_back({a, c});
            const std::string sorted[] = {"low", "mid, \"really\"", "no"};
            expected.y.push_back(static_cast<double>(std::find(sorted, sorted + 3, classes[y]) - sorted));
            expected.weights.push_back(static_cast<double>(w));
        }
        const temporary_file file(text);
        const data::csv<> source{.path = file.path, .label = "y", .ignore = {"id"}, .weights = "w"};
        const auto one = load_on(1, source, {.classification = true});
        BOOST_TEST((one.x == expected.x));
        if (count >= 50) BOOST_TEST((one.y == expected.y));
        BOOST_TEST((one.weights == expected.weights));
        BOOST_TEST((one.features == names{"a \"b\"", "c"}));
        for (const int ranks : {2, 3, 5, 8}) {
            BOOST_TEST((load_on(ranks, source, {.classification = true}) == one), count << " rows on " << ranks);
        }
    }
}

BOOST_AUTO_TEST_CASE(a_header_is_recognised_by_words_where_features_should_be) {
    BOOST_TEST((load("a,b,y\n1,2,3\n").features == names{"a", "b"}));
    BOOST_TEST((load("1,2,3\n4,5,6\n").features == names{"x0", "x1"}));
    BOOST_TEST(load("1,2,3\n4,5,6\n").rows == 2u);
    BOOST_TEST(load("1,2,yes\n4,5,no\n", {}, {.classification = true}).rows == 2u);  // words as labels aren't a header
    BOOST_TEST(load("a,b,y\n1,2,yes\n", {}, {.classification = true}).rows == 1u);
    BOOST_TEST(load("red,1,2\nblue,3,4\n", {.ignore = {"#0"}}).rows == 2u);
    BOOST_TEST((load("1,2,3\n4,5,6\n", {.header = data::header::yes}).features == names{"1", "2"}));
    BOOST_TEST((load("2001,2002,y\n4,5,6\n", {.label = "y"}).features == names{"2001", "2002"}));
    BOOST_TEST(load("\n  \n\na,b\n1,2\n").rows == 1u);
}

BOOST_AUTO_TEST_CASE(the_label_is_found_by_name_and_by_number) {
    const std::string text = "a,b,c\n1,2,3\n4,5,6\n";
    BOOST_TEST((load(text).y == std::vector<double>{3, 6}));
    BOOST_TEST((load(text, {.label = "a"}).y == std::vector<double>{1, 4}));
    BOOST_TEST((load(text, {.label = "#0"}).y == std::vector<double>{1, 4}));
    BOOST_TEST((load(text, {.label = "#-2"}).y == std::vector<double>{2, 5}));
    BOOST_TEST((load(text, {.label = "b"}).features == names{"a", "c"}));
    BOOST_TEST((load(text, {.ignore = {"c"}}).y == std::vector<double>{2, 5}));  // the last column without other use
    BOOST_TEST((load("#1,b\n1,2\n", {.label = "#1"}).y == std::vector<double>{1}));  // here that is a name
}

BOOST_AUTO_TEST_CASE(line_ends_marks_quotes_and_blanks_dont_matter) {
    const auto plain = load("a,b,y\n1,2,3\n4,5,6\n");
    for (const char* text : {"a,b,y\r\n1,2,3\r\n4,5,6",
                             "\xef\xbb\xbf"
                             "a,b,y\n1,2,3\n4,5,6",
                             "\"a\",\"b\",\"y\"\n\"1\",2,3\n4,\" 5 \",6\n", "a , b, y \n 1 ,2\t, 3\n\n\r\n4,5,6\n\n",
                             "a,b,y\n+1,2.0,3e0\n4,5,6"}) {
        BOOST_TEST((load(text).x == plain.x), text);
        BOOST_TEST((load(text).y == plain.y), text);
        BOOST_TEST((load(text).features == plain.features), text);
    }
}

BOOST_AUTO_TEST_CASE(separators_are_a_choice) {
    const auto plain = load("a,b,y\n1,2,3\n");
    for (const char separator : {';', '\t', '|', ' ', ':'}) {
        std::string text = "a,b,y\n1,2,3\n";
        for (char& c : text) c = c == ',' ? separator : c;
        BOOST_TEST((load(text, {.separator = separator}) == plain), "separator " << static_cast<int>(separator));
    }
}

BOOST_AUTO_TEST_CASE(tables_aligned_with_spaces) {
    BOOST_TEST((load("  a   b  y \n 1   \"2\"   3\n10  20  30  \n", {.separator = ' '}).x == rows{{1, 2}, {10, 20}}));
}

BOOST_AUTO_TEST_CASE(text_in_ignored_columns_is_not_looked_at) {
    BOOST_TEST(
        (load("name,a,y\n\"O'Hara, Scarlett\",1,2\n,3,4\nNA,5,6\n", {.ignore = {"name"}}).x == rows{{1}, {3}, {5}}));
}

BOOST_AUTO_TEST_CASE(classes_are_sorted_as_numbers_only_if_all_are) {
    const std::string numbers = "1,10\n1,9\n1,-1\n1,9.0\n", mixed = "1,10\n1,9\n1,b\n1,9.0\n";
    BOOST_TEST((load(numbers, {}, {.classification = true}).classes == names{"-1", "9", "10"}));
    BOOST_TEST((load(mixed, {}, {.classification = true}).classes == names{"10", "9", "9.0", "b"}));
    std::string text;
    for (int i = 0; i < 100; ++i) text += "1," + std::string(i == 99 ? "b" : i % 2 ? "10" : "9") + "\n";
    const temporary_file file(text);
    const auto one = load_on(1, data::csv<>{.path = file.path}, {.classification = true});
    BOOST_TEST((load_on(5, data::csv<>{.path = file.path}, {.classification = true}) == one));
}

BOOST_AUTO_TEST_CASE(none_may_be_the_name_of_a_class) {
    BOOST_TEST((load("1,none\n2,mild\n", {}, {.classification = true}).classes == names{"mild", "none"}));
}

BOOST_AUTO_TEST_CASE(a_fitted_models_columns_are_found_by_name) {
    const data::request model{.classification = true, .features = {"b", "a"}, .classes = {"no", "yes"}};
    const auto all = load("id,a,extra,y,b\n7,1,x,yes,2\n8,3,,no,4\n", {.label = "y"}, model);
    BOOST_TEST((all.x == rows{{2, 1}, {4, 3}}));
    BOOST_TEST((all.y == std::vector<double>{1, 0}));
    BOOST_TEST((all.features == model.features));
}

BOOST_AUTO_TEST_CASE(the_label_column_may_be_absent_when_nobody_wants_labels) {
    const data::request model{.labels = false, .features = {"a", "b"}};
    BOOST_TEST((load("b,a\n2,1\n", {.label = "y"}, model).x == rows{{1, 2}}));
    BOOST_TEST((load("b,a,y\n2,1,?\n", {.label = "y"}, model).x == rows{{1, 2}}));
    BOOST_TEST((load("b,a,y\n2,1,?\n", {}, model).x == rows{{1, 2}}));
    BOOST_TEST((load("1,2\n", {}, model).x == rows{{1, 2}}));
    BOOST_TEST((load("1,2,7\n", {}, model).x == rows{{1, 2}}));
    BOOST_TEST((load("7,1,2\n", {.label = "#0"}, model).x == rows{{1, 2}}));
    BOOST_TEST((load("1,2\n", {.label = "#0"}, model).x == rows{{1, 2}}));
    BOOST_TEST((load("1,2\n3,4\n", {}, {.labels = false}).x == rows{{1, 2}, {3, 4}}));
    BOOST_TEST(load("1,2\n", {}, model).y.empty());
}

BOOST_AUTO_TEST_CASE(dropped_rows_are_not_loaded_but_still_read) {
    const temporary_file file("a,y\n1,10\n2,20\n3,30\n4,40\n5,50\n");
    const auto some = data::rows_where(data::csv<>{.path = file.path}, [](std::size_t row) { return row >= 3; });
    for (const int ranks : {1, 3, 8}) BOOST_TEST((load_on(ranks, some).x == rows{{4}, {5}}));
}

BOOST_AUTO_TEST_CASE(weights_of_some_rows_may_be_0) {
    BOOST_TEST((load("a,w,y\n1,0,1\n2,2.5,1\n", {.weights = "w"}).weights == std::vector<double>{0, 2.5}));
}

BOOST_AUTO_TEST_CASE(one_row_is_enough) {
    for (const int ranks : {1, 2, 5}) {
        const temporary_file file("a,y\n1,2");
        BOOST_TEST(load_on(ranks, data::csv<>{.path = file.path}).rows == 1u);
    }
}

BOOST_AUTO_TEST_CASE(files_of_many_pieces) {
    std::string text = "a,note,y\n";
    std::vector<double> labels;
    for (int i = 0; i < 60'000; ++i) {
        text += core::text(i, ",\"some words, and more of them, in row ", i, "\",", i % 97, '\n');
        labels.push_back(i % 97);
    }
    const temporary_file file(text);
    for (const int ranks : {1, 2, 5}) {
        const auto all = load_on(ranks, data::csv<>{.path = file.path, .ignore = {"note"}});
        BOOST_TEST((all.y == labels));
        BOOST_TEST(all.x[59'999][0] == 59'999);
    }
}

BOOST_AUTO_TEST_CASE(the_label_of_a_model_is_found_by_its_name) {
    const data::request model{.features = {"a"}, .label = "y"};
    for (const char* text : {"a,y,note\n1,10,7\n2,20,8\n", "note,y,a\n7,10,1\n8,20,2\n", "y,a\n10,1\n20,2\n",
                             "a,y,note\n1,10,text\n2,20,\n", "1,10\n2,20\n"}) {
        BOOST_TEST((load(text, {}, model).x == rows{{1}, {2}}), text);
        BOOST_TEST((load(text, {}, model).y == std::vector<double>{10, 20}), text);
    }
    // said otherwise, it is another column
    BOOST_TEST((load("a,y,note\n1,10,7\n2,20,8\n", {.label = "note"}, model).y == std::vector<double>{7, 8}));
    // a second column of a name that nobody looks for does not matter
    BOOST_TEST((load("a,y,z,z\n1,10,7,7\n", {}, model).y == std::vector<double>{10}));
    BOOST_TEST((load("a,a,y\n5,1,10\n", {.ignore = {"#0"}}, model).x == rows{{1}}));
}

BOOST_AUTO_TEST_CASE(whole_numbers_may_be_names) {
    const data::request classify{.classification = true};
    const auto iris = load("0,1,target\n1.5,2,setosa\n2.5,3,setosa\n1.5,1,rose\n", {}, classify);
    BOOST_TEST((iris.features == names{"0", "1"}));
    BOOST_TEST((iris.classes == names{"rose", "setosa"}));
    BOOST_TEST(iris.rows == 3u);
    // as pandas writes them, with and without its row numbers; counted from 1; many columns; numbers as labels
    BOOST_TEST((load(",0,1,y\n0,1.5,2,a\n1,2,3,b\n", {.ignore = {"#0"}}, classify).features == names{"0", "1"}));
    BOOST_TEST((load("1,2,y\n1.5,2,a\n2,3,a\n", {}, classify).features == names{"1", "2"}));
    BOOST_TEST((load("0,1,2,3,y\n5,6,7,8,a\n5,6,7,8,a\n", {}, classify).rows == 2u));
    BOOST_TEST((load("0,1,y\n5,6,1\n5,6,0\n", {}, classify).classes == names{"0", "1"}));
    BOOST_TEST((load("0,1,y\n5,6,1.5\n", {}).features == names{"0", "1"}));  // a regression has no text in rows
    BOOST_TEST((load("0,y\n1.5,a\n2.5,a\n", {}, classify).rows == 2u));
    // rows: the label comes again, or no label does, or the features are no names
    BOOST_TEST(load("0,1,a\n1.5,2,a\n3,4,b\n", {}, classify).rows == 3u);
    BOOST_TEST(load("5,6,a\n1,2,b\n", {}, classify).rows == 2u);
    BOOST_TEST(load("1.5,6,a\n1,2,b\n1,2,b\n", {}, classify).rows == 3u);
    BOOST_TEST(load("-1,6,a\n1,2,b\n1,2,b\n", {}, classify).rows == 3u);
    BOOST_TEST(load("6,6,a\n1,2,b\n1,2,b\n", {}, classify).rows == 3u);
    BOOST_TEST(load("05,6,a\n1,2,b\n1,2,b\n", {}, classify).rows == 3u);
    BOOST_TEST(load("0,1,2\n3,4,5\n", {}, classify).rows == 2u);
    // asked and answered
    const std::string unclear = "3,7,a\n1,2,b\n1,3,b\n";
    BOOST_TEST(load(unclear, {.header = data::header::yes}, classify).rows == 2u);
    BOOST_TEST(load(unclear, {.header = data::header::no}, classify).rows == 3u);
    // a fitted model knows its names, and rows without any
    const data::request model{.classification = true, .features = {"3", "7"}, .classes = {"b", "c"}, .label = "a"};
    BOOST_TEST(load(unclear, {}, model).rows == 2u);
    BOOST_TEST((load("7,3,x,a\n1,2,9,b\n", {}, model).x == rows{{2, 1}}));
    const data::request unnamed{.classification = true, .features = {"x0", "x1"}, .classes = {"a", "b"}};
    BOOST_TEST(load(unclear, {}, unnamed).rows == 3u);
}

BOOST_AUTO_TEST_CASE(labels_are_told_apart_digit_by_digit) {
    const data::request classify{.classification = true};
    const auto large = load("1,9007199254740993\n2,9007199254740992\n3,9007199254740993\n", {}, classify);
    BOOST_TEST((large.classes == names{"9007199254740992", "9007199254740993"}));
    BOOST_TEST((large.y == std::vector<double>{1, 0, 1}));
    const auto order = load("1,18446744073709551617\n2,-9007199254740993\n3,5\n4,18446744073709551616\n", {}, classify);
    BOOST_TEST((order.classes == names{"-9007199254740993", "5", "18446744073709551616", "18446744073709551617"}));
    BOOST_TEST((load("1,0.1\n2,0.1000000000000000000001\n", {}, classify).classes.size() == 2u));
    // the same number is the same class, however it is written
    BOOST_TEST(
        (load("1,01234\n2,1234\n3,1.234e3\n4,+1234.0\n5,-0\n6,0\n", {}, classify).classes == names{"0", "1234"}));
    BOOST_TEST((load("1,1e22\n2,10000000000000000000000\n", {}, classify).classes == names{"1e+22"}));
    // unless one of the labels is none
    BOOST_TEST((load("1,01234\n2,1234\n3,x\n", {}, classify).classes == names{"01234", "1234", "x"}));
    // and a model's classes are found again
    const data::request model{.classification = true, .features = {"x0"}, .classes = large.classes};
    BOOST_TEST((load("1,9007199254740993.0\n2,9007199254740992\n", {}, model).y == std::vector<double>{1, 0}));
}

BOOST_AUTO_TEST_CASE(signs_may_be_classes_and_missing_values_may_not) {
    BOOST_TEST((load("1,-\n2,+\n3,.\n", {}, {.classification = true}).classes == names{"+", "-", "."}));
    // nobody looks at labels, whatever is there, when none are wanted
    const data::request predict{.labels = false, .features = {"a"}, .label = "y"};
    BOOST_TEST((load("a,y\n1,?\n2,#N/A\n3,caf\xe9\n", {}, predict).x == rows{{1}, {2}, {3}}));
    BOOST_TEST((load("1,?\n2,\n", {}, predict).x == rows{{1}, {2}}));
}

BOOST_AUTO_TEST_CASE(names_in_other_encodings_matter_only_where_they_are_used) {
    BOOST_TEST((load("caf\xe9,a,y\n1,2,3\n", {.ignore = {"#0"}}).features == names{"a"}));
    BOOST_TEST((load("caf\xc3\xa9,y\n1,2\n").features == names{"caf\xc3\xa9"}));
}

BOOST_AUTO_TEST_CASE(a_last_column_of_nothing_can_be_ignored) {
    const auto all = load("a,b,y,\n1,2,3,\n4,5,6,\n", {.ignore = {"#-1"}});
    BOOST_TEST((all.x == rows{{1, 2}, {4, 5}}));
    BOOST_TEST((all.y == std::vector<double>{3, 6}));
    const data::request model{.features = {"a"}, .label = "y"};
    BOOST_TEST((load("a,y,\n1,2,\n", {}, model).y == std::vector<double>{2}));  // what a model doesn't need
}

BOOST_AUTO_TEST_SUITE_END()

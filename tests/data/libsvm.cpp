// SPDX-License-Identifier: BSL-1.0
#include <gamut/data/libsvm.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

#include <data/helpers.hpp>
#include <gamut/communicator/single.hpp>
#include <gamut/core/random.hpp>
#include <gamut/data/every.hpp>

using namespace gamut;
using test::load_on;
using test::temporary_file;

static_assert(data::DataSource<data::libsvm<>> && data::DataSource<data::libsvm<float>>);
static_assert(!data::DataSource<int>);

namespace {

test::table load(const std::string& content, data::libsvm<> options = {}, const data::request& wanted = {}) {
    const temporary_file file(content);
    options.path = file.path;
    return load_on(1, options, wanted);
}

struct generated {
    std::string text;
    test::table expected;
};

/// Rows of random length, with comments, blank lines and both kinds of line ends in between.
generated random_file(std::uint64_t seed, std::size_t rows, std::size_t columns) {
    const core::random draw{.seed = seed};
    generated made;
    std::uint64_t next = 0;
    for (std::size_t i = 0; i < rows; ++i) {
        if (draw.below(next++, 10) == 0) made.text += "# comment " + std::to_string(i) + "\n";
        if (draw.below(next++, 10) == 0) made.text += " \t\r\n";
        std::vector<double> row(columns);
        std::vector<std::size_t> used;
        for (std::size_t j = 0; j < columns; ++j) {
            if (draw.below(next++, 4) != 0) continue;
            row[j] = draw.normal(next++);
            used.push_back(j);
        }
        if (i == 0 && row[columns - 1] == 0) row[columns - 1] = 1, used.push_back(columns - 1);
        if (draw.below(next++, 3) == 0) std::reverse(used.begin(), used.end());
        const double label = static_cast<double>(draw.below(next++, 1000)) / 8;
        made.text += core::all_digits(label);
        for (const std::size_t j : used)
            made.text += core::text(draw.below(next++, 5) ? " " : "\t ", j + 1, ':', core::all_digits(row[j]));
        if (draw.below(next++, 5) == 0) made.text += " # trailing";
        if (i + 1 < rows) made.text += draw.below(next++, 2) ? "\n" : "\r\n";
        made.expected.x.push_back(row);
        made.expected.y.push_back(label);
    }
    return made;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(libsvm)

BOOST_AUTO_TEST_CASE(reads_back_what_was_written_on_any_number_of_ranks) {
    for (const std::size_t rows : {1, 2, 5, 40, 700}) {
        const auto made = random_file(rows, rows, 9);
        const temporary_file file(made.text);
        const data::libsvm<> source{.path = file.path};
        const auto one = load_on(1, source);
        BOOST_TEST((one.x == made.expected.x));
        BOOST_TEST((one.y == made.expected.y));
        BOOST_TEST(one.rows == rows);
        for (const int ranks : {2, 3, 5, 8}) BOOST_TEST((load_on(ranks, source) == one), rows << " rows on " << ranks);
    }
}

BOOST_AUTO_TEST_CASE(rows_are_found_in_files_of_many_pieces) {
    // 3 MB: rows start in pieces of 1 MiB that several ranks count; some lines are longer than a read buffer's block
    std::string text;
    std::vector<double> labels;
    for (int i = 0; i < 300; ++i) {
        labels.push_back(i);
        text += std::to_string(i) + (i % 40 == 0 ? " #" + std::string(300'000, 'x') : std::string()) +
                "  1:" + std::to_string(i) + (i % 7 ? "\n" : "\r\n\n");
        if (i % 3 == 0) text += std::string(1000, '#') + "\n" + std::string(1000, ' ') + "\n";
    }
    const temporary_file file(text);
    for (const int ranks : {1, 2, 3, 7}) {
        const auto all = load_on(ranks, data::libsvm<>{.path = file.path, .features = 1});
        BOOST_TEST((all.y == labels));
    }
}

BOOST_AUTO_TEST_CASE(a_line_longer_than_a_piece_is_one_row) {
    std::string text = "1";
    for (int j = 1; j <= 400'000; ++j) text += " " + std::to_string(j) + ":0.5";
    text += "\n2 1:1\n";
    const temporary_file file(text);
    for (const int ranks : {1, 4}) {
        const auto all = load_on(ranks, data::libsvm<>{.path = file.path});
        BOOST_TEST(all.rows == 2u);
        BOOST_TEST(all.features.size() == 400'000u);
        BOOST_TEST(all.x[0][399'999] == 0.5);
        BOOST_TEST(all.x[1][0] == 1);
    }
}

BOOST_AUTO_TEST_CASE(rows_of_the_matrix_ascend_whatever_the_order_in_the_file) {
    const auto made = random_file(3, 100, 20);
    const temporary_file file(made.text);
    const auto part = data::libsvm<>{.path = file.path}.load(communicator::single<>{});
    for (std::size_t i = 0; i < part.x.rows; ++i) {
        for (auto k = part.x.offsets[i] + 1; k < part.x.offsets[i + 1]; ++k) {
            BOOST_TEST(part.x.indices[static_cast<std::size_t>(k - 1)] < part.x.indices[static_cast<std::size_t>(k)]);
        }
    }
}

BOOST_AUTO_TEST_CASE(line_ends_comments_marks_and_blanks_dont_matter) {
    const auto plain = load("1 1:2 3:4\n-1 2:5\n");
    for (const char* text : {"1 1:2 3:4\n-1 2:5", "1 1:2 3:4\r\n-1 2:5\r\n",
                             "\xef\xbb\xbf"
                             "1 1:2 3:4\n-1 2:5\n",
                             "# head\n\n1 1:2 3:4 # tail\n   \n\t-1\t2:5\t\n#end", "+1 3:4 1:2\n-1.0 2:5e0\n\n\n",
                             "1 qid:7 1:2 3:4\n-1 qid:8 2:5\n", "1 1:2 3:4#x\n-1 2:5  \n"}) {
        BOOST_TEST((load(text) == plain), text);
    }
}

BOOST_AUTO_TEST_CASE(rows_without_entries_are_rows) {
    const auto all = load("1\n2 2:1\n3 # nothing\n");
    BOOST_TEST((all.x == std::vector<std::vector<double>>{{0, 0}, {0, 1}, {0, 0}}));
}

BOOST_AUTO_TEST_CASE(indices_start_at_0_on_request) {
    const auto all = load("1 0:5 2:7\n", {.zero_based = true});
    BOOST_TEST((all.x == std::vector<std::vector<double>>{{5, 0, 7}}));
}

BOOST_AUTO_TEST_CASE(given_features_widen_the_matrix) {
    BOOST_TEST(load("1 2:1\n", {.features = 5}).features.size() == 5u);
    BOOST_TEST(load("1 20:1\n", {.features = 20, .index_limit = 10}).features.size() == 20u);
}

BOOST_AUTO_TEST_CASE(values_are_left_out_when_all_on_all_ranks_are_1) {
    std::string text;
    for (int i = 0; i < 100; ++i) text += "0 1:1 " + std::to_string(2 + i % 5) + ":1.0\n";
    const temporary_file ones(text), others(text + "0 3:2\n");
    for (const int ranks : {1, 4}) {
        communicator::threads<>::run(ranks, [&](const auto& c) {
            const auto pattern = data::libsvm<>{.path = ones.path}.load(c);
            const auto values = data::libsvm<>{.path = others.path}.load(c);
            if (!pattern.x.values.empty() || values.x.values.size() != values.x.indices.size())
                throw core::error("values");
        });
    }
    BOOST_TEST((load_on(1, data::libsvm<>{.path = ones.path}) == load_on(4, data::libsvm<>{.path = ones.path})));
    BOOST_TEST((load_on(1, data::libsvm<>{.path = others.path}) == load_on(4, data::libsvm<>{.path = others.path})));
}

BOOST_AUTO_TEST_CASE(classes_are_the_labels_of_all_ranks_in_numeric_order) {
    std::string text;
    std::vector<double> expected;
    for (int i = 0; i < 90; ++i) text += (i < 30 ? "10" : i < 60 ? "+9.0" : i % 2 ? "-1" : "9") + std::string(" 1:1\n");
    for (int i = 0; i < 90; ++i) expected.push_back(i < 30 ? 2 : i < 60 || i % 2 == 0 ? 1 : 0);
    const temporary_file file(text);
    for (const int ranks : {1, 2, 3, 7}) {
        const auto all = load_on(ranks, data::libsvm<>{.path = file.path}, {.classification = true});
        BOOST_TEST((all.classes == std::vector<std::string>{"-1", "9", "10"}));
        BOOST_TEST((all.y == expected));
    }
}

BOOST_AUTO_TEST_CASE(one_class_is_accepted) {
    BOOST_TEST((load("3 1:1\n3 1:2\n", {}, {.classification = true}).classes == std::vector<std::string>{"3"}));
}

BOOST_AUTO_TEST_CASE(a_fitted_model_fixes_columns_and_classes) {
    const data::request model{.classification = true, .features = {"a", "b", "c", "d"}, .classes = {"-1", "1"}};
    const auto all = load("+1 2:1\n-1.0 1:1\n", {}, model);
    BOOST_TEST((all.features == model.features));
    BOOST_TEST((all.classes == model.classes));
    BOOST_TEST((all.y == std::vector<double>{1, 0}));
    BOOST_TEST(all.x[0].size() == 4u);
}

BOOST_AUTO_TEST_CASE(labels_may_be_missing_or_strange_when_nobody_wants_them) {
    const auto all = load("1:1 2:2\n77 2:1\n", {}, {.classification = true, .labels = false, .classes = {"0", "1"}});
    BOOST_TEST((all.x == std::vector<std::vector<double>>{{1, 2}, {0, 1}}));
    BOOST_TEST(all.y.empty());
    BOOST_TEST(all.classes.size() == 2u);
}

BOOST_AUTO_TEST_CASE(a_part_of_the_rows_has_the_columns_and_classes_of_all) {
    const temporary_file file("0 1:1\n1 1:2\n0 1:3\n2 7:1\n");
    const auto even = load_on(2, data::every(data::libsvm<>{.path = file.path}, 2, 0), {.classification = true});
    BOOST_TEST(even.rows == 2u);
    BOOST_TEST((even.y == std::vector<double>{0, 0}));
    BOOST_TEST(even.x[1][0] == 3);
    BOOST_TEST(even.features.size() == 7u);
    BOOST_TEST(even.classes.size() == 3u);
}

BOOST_AUTO_TEST_CASE(shards_of_very_wide_files_dont_depend_on_the_ranks) {
    std::string text;
    for (int i = 0; i < 700; ++i)
        text += std::to_string(i) + " " + std::to_string(i == 650 ? 1'100'000 : i + 1) + ":1\n";
    const temporary_file file(text);
    for (const int ranks : {1, 3}) {
        std::vector<data::dataset<backend::sparse_matrix<double>>> parts(static_cast<std::size_t>(ranks));
        communicator::threads<>::run(ranks, [&](const auto& c) {
            parts[static_cast<std::size_t>(c.rank())] = data::libsvm<>{.path = file.path}.load(c);
        });
        double label = 0;
        for (std::size_t r = 0; r < parts.size(); ++r) {
            BOOST_TEST(parts[r].partition.shards == 30u);
            BOOST_TEST(parts[r].local_rows() == parts[r].partition.rows_of(r, parts.size()).size());
            for (const double y : parts[r].y) BOOST_TEST(y == label++);
        }
    }
}

BOOST_AUTO_TEST_CASE(blocks_fix_which_rows_a_rank_gets) {
    const auto made = random_file(5, 100, 4);
    const temporary_file file(made.text);
    communicator::threads<>::run(3, [&](const auto& c) {
        const auto part = data::libsvm<>{.path = file.path}.load(c, {.blocks = 4});
        const std::size_t first[] = {0, 25, 50};
        if (part.first_row != first[c.rank()]) throw core::error("another row");
    });
    BOOST_TEST(load_on(3, data::libsvm<>{.path = file.path}, {.blocks = 4}).blocks == 4u);
}

BOOST_AUTO_TEST_CASE(float_values_are_the_nearest_floats) {
    const temporary_file file("0.1 1:0.1 2:16777217\n");
    const auto part = data::libsvm<float>{.path = file.path}.load(communicator::single<>{});
    BOOST_TEST(part.y[0] == 0.1f);
    BOOST_TEST(part.x.values[0] == 0.1f);
    BOOST_TEST(part.x.values[1] == 16777216.0f);
}

BOOST_AUTO_TEST_CASE(labels_above_2_to_the_53_stay_apart) {
    const auto all =
        load("9007199254740993 1:1\n9007199254740992 1:1\n+9007199254740993 1:1\n", {}, {.classification = true});
    BOOST_TEST((all.classes == std::vector<std::string>{"9007199254740992", "9007199254740993"}));
    BOOST_TEST((all.y == std::vector<double>{1, 0, 1}));
}

BOOST_AUTO_TEST_CASE(a_label_may_be_unknown_where_none_is_wanted) {
    const auto all = load("? 1:1\nNA 2:1\n", {}, {.labels = false, .features = {"a", "b"}});
    BOOST_TEST((all.x == std::vector<std::vector<double>>{{1, 0}, {0, 1}}));
}

BOOST_AUTO_TEST_SUITE_END()

// SPDX-License-Identifier: BSL-1.0
#include <bad_input/failure.hpp>
#include <boost/test/unit_test.hpp>

#include <cmath>
#include <cstddef>
#include <exception>
#include <limits>
#include <string>
#include <variant>
#include <vector>
#include <xtensor/xtensor.hpp>

#include <bad_input/data_cases.hpp>
#include <data/helpers.hpp>
#include <gamut/communicator/single.hpp>
#include <gamut/communicator/threads.hpp>
#include <gamut/data/arrays.hpp>

using namespace gamut;

namespace {

using test::failure;
using test::failure_of;

template <class C> failure failure_of(const C& ranks, const test::bad_file& bad, const std::string& path) {
    return failure_of([&] {
        std::visit(
            [&](auto source) {
                source.path = path;
                source.load(ranks, bad.wanted);
            },
            bad.source);
    });
}

template <class Source>
void refuses(core::error_kind kind, const Source& source, std::vector<const char*> words,
             const data::request& wanted = {}) {
    const auto alone = failure_of([&] { source.load(communicator::single<>{}, wanted); });
    BOOST_TEST(static_cast<int>(alone.kind) == static_cast<int>(kind), alone.message);
    for (const char* word : words)
        BOOST_TEST(alone.message.find(word) != std::string::npos, alone.message << " lacks " << word);
    communicator::threads<>::run(3, [&](const auto& ranks) {
        const auto together = failure_of([&] { source.load(ranks, wanted); });
        if (together.kind != kind || !together.message.ends_with(alone.message)) throw core::error(together.message);
    });
}

template <class Source> void refuses_with_memory(const Source& source, const char* words) {
    for (const int ranks : {1, 3}) {
        const auto found = failure_of([&] { test::load_on(ranks, source); });
        BOOST_TEST((found.kind == core::error_kind::memory), found.message);
        BOOST_TEST(found.message.find(words) != std::string::npos, found.message << " lacks " << words);
    }
}

constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();
constexpr double infinity = std::numeric_limits<double>::infinity();

backend::sparse_matrix<double> sparse(std::size_t rows, std::size_t columns, std::vector<std::int64_t> offsets,
                                      std::vector<std::int32_t> indices, std::vector<double> values) {
    backend::sparse_matrix<double> x;
    x.rows = rows;
    x.columns = columns;
    x.offsets.assign(offsets.begin(), offsets.end());
    x.indices.assign(indices.begin(), indices.end());
    x.values.assign(values.begin(), values.end());
    return x;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(data_input)

BOOST_AUTO_TEST_CASE(every_bad_file_is_refused_with_its_place_and_reason) {
    BOOST_TEST_MESSAGE(test::bad_files().size() << " bad files");
    BOOST_TEST(test::bad_files().size() >= 155u);
    for (const auto& bad : test::bad_files()) {
        const test::temporary_file file(bad.content);
        const auto found = failure_of(communicator::single<>{}, bad, file.path);
        BOOST_TEST(static_cast<int>(found.kind) == static_cast<int>(bad.kind), bad.what << ": " << found.message);
        const auto missing = test::missing_in(bad, file.path, found.message);
        BOOST_TEST(missing.empty(), bad.what << ": '" << missing << "' is not in: " << found.message);
    }
}

BOOST_AUTO_TEST_CASE(all_threads_say_what_one_process_says) {
    for (const auto& bad : test::bad_files()) {
        const test::temporary_file file(bad.content);
        const auto alone = failure_of(communicator::single<>{}, bad, file.path);
        communicator::threads<>::run(3, [&](const auto& ranks) {
            const auto found = failure_of(ranks, bad, file.path);
            if (found.kind != alone.kind || !found.message.ends_with(alone.message)) {
                throw core::error(std::string(bad.what) + ": " + found.message);
            }
        });
    }
}

BOOST_AUTO_TEST_CASE(the_first_five_problems_are_shown_and_all_are_counted) {
    std::string text;
    for (int i = 1; i <= 300; ++i) text += i % 20 == 0 ? "1 x\n" : "1 1:1\n";
    const test::temporary_file file(text);
    std::string expected;
    for (int i = 20; i <= 100; i += 20) {
        expected += core::text(file.path, ':', i, ":3: 'x' is not an entry (expected index:value) check the file\n");
    }
    expected += "15 problems in all";
    for (const int ranks : {1, 2, 5}) {
        const auto message = test::message_of([&] { test::load_on(ranks, data::libsvm<>{.path = file.path}); });
        BOOST_TEST(message == expected);
    }
}

BOOST_AUTO_TEST_CASE(files_that_cannot_be_opened) {
    const data::libsvm<> nowhere{.path = "/nonexistent/train.svm"};
    refuses(core::error_kind::data, nowhere, {"/nonexistent/train.svm: can't be opened (No such file or directory)"});
    refuses(core::error_kind::data, data::csv<>{.path = "/tmp"}, {"/tmp: is a directory"});
    refuses(core::error_kind::data, data::csv<>{.path = "/dev/null"}, {"/dev/null: is not a regular file"});
    refuses(core::error_kind::option, data::csv<>{}, {"path is empty", ".path"});
}

BOOST_AUTO_TEST_CASE(files_that_take_more_memory_than_allowed) {
    std::string entries, cells;
    for (int i = 1; i <= 10'000; ++i) entries += core::text("1 1:0.5 2:", i, '\n');
    for (int i = 1; i <= 1000; ++i) cells += "1,2\n";
    const test::temporary_file sparse_file(entries), table_file(cells);
    for (const int ranks : {1, 3}) {
        const auto found =
            failure_of([&] { test::load_on(ranks, data::libsvm<>{.path = sparse_file.path, .memory_limit = 10'000}); });
        BOOST_TEST((found.kind == core::error_kind::memory));
        BOOST_TEST(found.message.find("(it may use 9 KB)") != std::string::npos, found.message);
        const auto table =
            failure_of([&] { test::load_on(ranks, data::csv<>{.path = table_file.path, .memory_limit = 1024}); });
        BOOST_TEST((table.kind == core::error_kind::memory));
        BOOST_TEST(table.message.find("raise .memory_limit") != std::string::npos, table.message);
    }
    BOOST_TEST(test::load_on(1, data::csv<>{.path = table_file.path, .memory_limit = 16'000}).rows == 1000u);
}

BOOST_AUTO_TEST_CASE(few_bytes_that_ask_for_much_memory) {
    const auto memory = core::error_kind::memory;
    const std::size_t limit = std::size_t(1) << 20;
    const test::temporary_file index("1 1:1 67108864:1\n");  // 2 GB of names
    refuses_with_memory(data::libsvm<>{.path = index.path, .memory_limit = limit},
                        "the names of 67108864 columns take at least 2048 MB");
    const test::temporary_file commas(std::string(100'000, ',') + "\n1\n"),
        second("a,b\n" + std::string(100'000, ',') + "\n");
    for (const auto& file : {commas.path, second.path})
        refuses_with_memory(data::csv<>{.path = file, .memory_limit = limit},
                            "the names of 100001 columns take at least");
    std::string rows;  // two bytes each, sixteen in memory
    for (int i = 0; i < 400'000; ++i) rows += "1\n";
    const test::temporary_file labels(rows);
    refuses_with_memory(data::libsvm<>{.path = labels.path, .features = 1, .memory_limit = limit},
                        "raise .memory_limit");
    const test::temporary_file weighted("w,o,a,y\n1,2,3,4\n1,2,3,4\n");
    const data::csv<> table{.path = weighted.path, .weights = "w", .offset = "o"};
    auto enough = table, little = table;
    enough.memory_limit = 128;  // two rows of four numbers, and the names of four columns
    little.memory_limit = 127;
    BOOST_TEST(test::load_on(1, enough).rows == 2u);
    BOOST_TEST((failure_of([&] { test::load_on(1, little); }).kind == memory));
}

BOOST_AUTO_TEST_CASE(a_predicate_that_throws_stops_all_ranks) {
    const test::temporary_file file("1 1:1\n2 1:1\n");
    const auto rows = data::rows_where(data::libsvm<>{.path = file.path}, [](std::size_t row) -> bool {
        if (row == 1) throw core::option_error("no row 1, please");
        return true;
    });
    refuses(core::error_kind::option, rows, {"no row 1, please"});
}

BOOST_AUTO_TEST_CASE(arrays_of_the_wrong_shape) {
    const auto shape = core::error_kind::shape;
    const xt::xtensor<double, 2> x = {{1, 2}, {3, 4}, {5, 6}};
    const std::vector<double> y = {1, 2, 3};
    refuses(shape, data::arrays(x, std::vector<double>{1, 2}), {"2 labels (x has 3 rows)"});
    refuses(shape, data::arrays(x), {"0 labels (x has 3 rows)"});
    refuses(shape, data::arrays(x, y, std::vector<double>{1}), {"1 sample weights (x has 3 rows)"});
    refuses(shape, data::arrays(std::vector<double>(7), 3, 2, y), {"x has 7 values (3 rows of 2 are needed)"});
    refuses(shape, data::arrays(xt::xtensor<double, 1>({1.0, 2.0, 3.0}), y), {"x has 1 dimensions"});
    refuses(shape, data::arrays(x, xt::xtensor<double, 2>({{1.0, 2.0}, {1.0, 2.0}})), {"y has 2 dimensions"});
    refuses(shape, data::arrays(std::vector<double>(), 3, 0, y), {"no features"});
    refuses(core::error_kind::data, data::arrays(std::vector<double>(), 0, 2, std::vector<double>()), {"no rows"});
    refuses(shape, data::arrays(x, y), {"x has 2 columns (the model has 1 features)"}, {.features = {"a"}});
    data::arrays named(x, y);
    named.features = {"a", "b"};
    refuses(shape, named, {"column 1 is 'b' (the model has 'c' there)"}, {.features = {"a", "c"}});
    named.features = {"a"};
    refuses(shape, named, {"1 names of features (x has 2 columns)"});
}

BOOST_AUTO_TEST_CASE(arrays_with_unusable_numbers) {
    const auto kind = core::error_kind::data;
    const xt::xtensor<double, 2> x = {{1, 2}, {3, not_a_number}, {5, -infinity}}, good = {{1, 2}, {3, 4}, {5, 6}};
    const std::vector<double> y = {1, 2, 3};
    refuses(kind, data::arrays(x, y), {"arrays: x(1, 1) is nan", "x(2, 1) is -inf", "2 problems in all"});
    refuses(kind, data::arrays(good, std::vector<double>{1, infinity, 3}), {"arrays: y(1) is inf"});
    refuses(kind, data::arrays(good, y, std::vector<double>{1, 1, -1}), {"weight 2 is -1"});
    refuses(kind, data::arrays(good, y, std::vector<double>{1, not_a_number, 1}), {"weight 1 is nan"});
    refuses(kind, data::arrays(good, y, std::vector<double>{0, 0, 0}), {"all sample weights are 0"});
    refuses(kind, data::arrays(good, std::vector<std::string>{"a", "b", "c"}), {"label 'a' is text", "regression"});
    refuses(kind, data::arrays(good, y), {"y(2): label '3' is unknown", "1, 2"},
            {.classification = true, .classes = {"1", "2"}});
}

BOOST_AUTO_TEST_CASE(arrays_with_unusable_labels_and_names) {
    const auto kind = core::error_kind::data;
    const xt::xtensor<double, 2> x = {{1, 2}, {3, 4}, {5, 6}};
    const std::vector<double> y = {1, 2, 3};
    const data::request classify{.classification = true};
    using text = std::vector<std::string>;
    refuses(kind, data::arrays(x, text{"a", "?", "b"}), {"arrays: y(1): missing value '?' (every row needs a label)"},
            classify);
    refuses(kind, data::arrays(x, text{"a", "", "b"}), {"y(1): missing value ''"}, classify);
    refuses(kind, data::arrays(x, text{"a", "caf\xe9", "b"}), {"y(1): label 'caf\\xe9' is not UTF-8"}, classify);
    refuses(kind, data::arrays(x, std::vector<char>{'a', 'b', 'a'}), {"label 'a' is text", "regression"});
    data::arrays named(x, y);
    named.features = {"a", "caf\xe9"};
    refuses(kind, named, {"name of a feature 'caf\\xe9' is not UTF-8"});
    named.features = {"a", "a"};
    refuses(kind, named, {"two features are named 'a' (the second is column 1)"});
    named.features = {"a", "b"};
    named.label = "\xff";
    refuses(kind, named, {"name of the label '\\xff' is not UTF-8"});
}

BOOST_AUTO_TEST_CASE(arrays_of_float_and_numbers_beyond_it) {
    const auto kind = core::error_kind::data;
    const xt::xtensor<float, 2> x = {{1, 2}, {3, 4}, {5, 6}};
    const std::vector<double> y = {1, 2, 3}, large = {1, 1e39, 3};
    refuses(kind, data::arrays(x, large), {"y(1) is 1e+39 (a float holds at most 3.40282e+38) use double"});
    refuses(kind, data::arrays(x, y, large), {"weight 1 is 1e+39 (a float holds at most"});
    data::arrays with_offsets(x, y);
    with_offsets.offsets = large;
    refuses(kind, with_offsets, {"offset 1 is 1e+39 (a float holds at most"});
    with_offsets.offsets = {1, infinity, 3};
    refuses(kind, with_offsets, {"offset 1 is inf (values must be finite)"});
}

BOOST_AUTO_TEST_CASE(arrays_with_a_broken_sparse_matrix) {
    const std::vector<double> y = {1, 2};
    const auto shape = core::error_kind::shape, kind = core::error_kind::data;
    refuses(shape, data::arrays(sparse(2, 3, {0, 1}, {0}, {1}), y), {"x has 2 offsets (2 rows need one more"});
    refuses(shape, data::arrays(sparse(2, 3, {0, 1, 3}, {0, 1}, {1, 1}), y), {"x has offsets from 0 to 3"});
    refuses(shape, data::arrays(sparse(2, 3, {0, 3, 2}, {0, 1}, {1, 1}), y), {"offsets that descend (at row 1)"});
    refuses(shape, data::arrays(sparse(2, 3, {0, 1, 2}, {0, 1}, {1}), y), {"x has 1 values (there are 2 indices)"});
    refuses(kind, data::arrays(sparse(2, 3, {0, 1, 2}, {0, 3}, {1, 1}), y), {"row 1 of x has index 3", "3 columns"});
    refuses(kind, data::arrays(sparse(2, 3, {0, 1, 2}, {-1, 0}, {1, 1}), y), {"row 0 of x has index -1"});
    refuses(kind, data::arrays(sparse(2, 3, {0, 0, 2}, {1, 0}, {1, 1}), y), {"row 1 of x has index 0 behind 1"});
    refuses(kind, data::arrays(sparse(2, 3, {0, 1, 2}, {1, 0}, {1, not_a_number}), y), {"x(1, 0) is nan"});
}

BOOST_AUTO_TEST_SUITE_END()

// SPDX-License-Identifier: BSL-1.0
#include <gamut/data/arrays.hpp>

#include <boost/test/unit_test.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>
#include <xtensor/xarray.hpp>
#include <xtensor/xtensor.hpp>

#include "../without_zeros.hpp"
#include <data/helpers.hpp>
#include <gamut/data/every.hpp>

using namespace gamut;
using test::load_on;

namespace {

constexpr std::size_t count = 100;

/// x(i, j) = 10 i + j, three columns; zero where i + j is odd.
backend::dense_matrix<double> numbers() {
    backend::dense_matrix<double> x(count, 3);
    for (std::size_t i = 0; i < count; ++i) {
        for (std::size_t j = 0; j < 3; ++j)
            x(i, j) = (i + j) % 2 ? 0 : 10.0 * static_cast<double>(i) + static_cast<double>(j);
    }
    return x;
}

template <class List = std::vector<double>> List labels() {
    List y(count);
    for (std::size_t i = 0; i < count; ++i) y[i] = static_cast<typename List::value_type>(i % 3);
    return y;
}

}  // namespace

static_assert(data::DataSource<data::arrays<backend::dense_matrix<double>>>);
static_assert(data::DataSource<data::arrays<backend::sparse_matrix<float>>>);

BOOST_AUTO_TEST_SUITE(arrays)

BOOST_AUTO_TEST_CASE(ranks_read_the_sources_matrix_where_it_is) {
    auto dense = numbers();
    auto csr = without_zeros(dense);
    const auto offsets = csr.offsets;
    const double *const first_dense = dense.values.data(), *const first_sparse = csr.values.data();
    const auto check = [](auto matrix, auto place_of_row) {
        const data::arrays source(std::move(matrix), labels());
        communicator::threads<>::run(3, [&](const communicator::threads<>& ranks) {
            const auto rows = source.load(ranks);
            const auto some = data::every(source, 2).load(ranks);
            communicator::agree(ranks, [&] {
                if (std::as_const(rows).x.values.data() != place_of_row(rows.first_row))
                    throw core::data_error("rows were copied");
                if (some.x.values.is_borrowed()) throw core::data_error("the rows between were not left out");
            });
        });
    };
    check(std::move(dense), [&](std::size_t i) { return first_dense + 3 * i; });
    check(std::move(csr), [&](std::size_t i) { return first_sparse + offsets[i]; });
}

BOOST_AUTO_TEST_CASE(rows_outlive_their_source) {
    const auto rows = data::arrays(numbers(), labels()).load(communicator::single<>{});
    BOOST_TEST(rows.x(7, 1) == 71);
}

BOOST_AUTO_TEST_CASE(every_container_gives_the_same_rows_on_any_number_of_ranks) {
    const auto x = numbers();
    const auto y = labels();
    const auto expected = load_on(1, data::arrays(x, y), {.classification = true});
    BOOST_TEST(expected.rows == count);
    BOOST_TEST((expected.y == y));
    BOOST_TEST((expected.classes == std::vector<std::string>{"0", "1", "2"}));
    BOOST_TEST((expected.features == std::vector<std::string>{"x0", "x1", "x2"}));

    xt::xtensor<double, 2> rows(std::array<std::size_t, 2>{count, 3});
    for (std::size_t i = 0; i < count; ++i) {
        for (std::size_t j = 0; j < 3; ++j) rows(i, j) = x(i, j);
    }
    const xt::xtensor<double, 2, xt::layout_type::column_major> columns = rows;
    const xt::xarray<double> any = rows;
    const xt::xtensor<int, 2> integers = xt::cast<int>(rows);
    xt::xtensor<int, 1> short_labels(std::array<std::size_t, 1>{count});
    for (std::size_t i = 0; i < count; ++i) short_labels(i) = static_cast<int>(i % 3);
    xt::xtensor<float, 2> column_of_labels(std::array<std::size_t, 2>{count, 1});
    for (std::size_t i = 0; i < count; ++i) column_of_labels(i, 0) = static_cast<float>(i % 3);
    const std::vector<double> flat(x.values.begin(), x.values.end());

    for (const int ranks : {1, 2, 7, 150}) {
        const data::request wanted{.classification = true};
        BOOST_TEST((load_on(ranks, data::arrays(x, y), wanted) == expected));
        BOOST_TEST((load_on(ranks, data::arrays(rows, short_labels), wanted) == expected));
        BOOST_TEST((load_on(ranks, data::arrays(columns, column_of_labels), wanted) == expected));
        BOOST_TEST((load_on(ranks, data::arrays(any, labels<std::vector<int>>()), wanted) == expected));
        BOOST_TEST((load_on(ranks, data::arrays(integers, y), wanted) == expected));
        BOOST_TEST((load_on(ranks, data::arrays(flat, count, 3, y), wanted) == expected));
        BOOST_TEST((load_on(ranks, data::arrays(without_zeros(x), y), wanted) == expected));
    }
}

BOOST_AUTO_TEST_CASE(float_stays_float) {
    const xt::xtensor<float, 2> x = {{0.1f, 2}, {3, 4}};
    const data::arrays source(x, std::vector<float>{1, 2});
    static_assert(std::is_same_v<decltype(source)::value_type, float>);
    BOOST_TEST(source.load(communicator::single<>{}).x(0, 0) == 0.1f);
}

BOOST_AUTO_TEST_CASE(texts_are_labels_of_classes) {
    const xt::xtensor<double, 2> x = {{1}, {2}, {3}};
    const auto all =
        load_on(2, data::arrays(x, std::vector<std::string>{"yes", "no", "yes"}), {.classification = true});
    BOOST_TEST((all.classes == std::vector<std::string>{"no", "yes"}));
    BOOST_TEST((all.y == std::vector<double>{1, 0, 1}));
    const char* const words[] = {"b", "a", "b"};
    const auto same = load_on(2, data::arrays(x, std::vector<const char*>(words, words + 3)), {.classification = true});
    BOOST_TEST((same.y == all.y));
}

BOOST_AUTO_TEST_CASE(weights_follow_their_rows) {
    const xt::xtensor<double, 2> x = {{1}, {2}, {3}, {4}};
    const std::vector<double> y = {1, 2, 3, 4};
    const auto odd = load_on(3, data::every(data::arrays(x, y, std::vector<int>{5, 6, 7, 8}), 2, 1));
    BOOST_TEST((odd.weights == std::vector<double>{6, 8}));
    BOOST_TEST((odd.y == std::vector<double>{2, 4}));
}

BOOST_AUTO_TEST_CASE(names_can_be_given) {
    const xt::xtensor<double, 2> x = {{1, 2}};
    data::arrays source(x, std::vector<int>{1});
    source.features = {"length", "width"};
    source.label = "kind";
    const auto part = source.load(communicator::single<>{});
    BOOST_TEST((part.features == source.features));
    BOOST_TEST(part.label == "kind");
}

BOOST_AUTO_TEST_CASE(labels_may_be_missing_when_nobody_wants_them) {
    const xt::xtensor<double, 2> x = {{1, 2}};
    const auto part = data::arrays(x).load(communicator::single<>{}, {.labels = false, .features = {"a", "b"}});
    BOOST_TEST(part.x(0, 1) == 2);
    BOOST_TEST(part.y.empty());
    BOOST_TEST((part.features == std::vector<std::string>{"a", "b"}));
}

BOOST_AUTO_TEST_CASE(a_pattern_stays_a_pattern) {
    backend::sparse_matrix<double> x = without_zeros(numbers());
    x.values.clear();
    BOOST_TEST(load_on(3, data::arrays(x, labels())).pattern_only);
}

BOOST_AUTO_TEST_CASE(copies_of_a_source_share_the_rows) {
    const data::arrays source(numbers(), labels());
    data::arrays copy = source;
    data::arrays again(copy);
    again = source;
    BOOST_TEST((load_on(1, again) == load_on(1, source)));
}

BOOST_AUTO_TEST_CASE(integers_beyond_doubles_are_classes_of_their_own) {
    const xt::xtensor<double, 2> x = {{1}, {2}, {3}};
    const std::int64_t large = (std::int64_t(1) << 53) + 1;
    const auto classes_of = [&](const auto& y) {
        return load_on(2, data::arrays(x, y), {.classification = true}).classes;
    };
    using names = std::vector<std::string>;
    BOOST_TEST((classes_of(std::vector<std::int64_t>{large, large - 1, large}) ==
                names{"9007199254740992", "9007199254740993"}));
    BOOST_TEST((classes_of(std::vector<std::int64_t>{-large, 1 - large, 5}) ==
                names{"-9007199254740993", "-9007199254740992", "5"}));
    BOOST_TEST((classes_of(std::vector<std::uint64_t>{~std::uint64_t(0), ~std::uint64_t(0) - 1, 0}) ==
                names{"0", "18446744073709551614", "18446744073709551615"}));
    BOOST_TEST((classes_of(std::vector<int>{3, -1, 3}) == names{"-1", "3"}));
    BOOST_TEST(
        (classes_of(std::vector<double>{0.12345678, 0.12345679, 0.12345678}) == names{"0.12345678", "0.12345679"}));
}

BOOST_AUTO_TEST_CASE(a_char_is_a_letter_and_bytes_are_numbers) {
    const xt::xtensor<double, 2> x = {{1}, {2}, {3}};
    using names = std::vector<std::string>;
    const auto letters = load_on(1, data::arrays(x, std::vector<char>{'b', 'a', 'b'}), {.classification = true});
    BOOST_TEST((letters.classes == names{"a", "b"}));
    BOOST_TEST((letters.y == std::vector<double>{1, 0, 1}));
    const auto digits = load_on(1, data::arrays(x, std::vector<char>{'1', '0', '1'}), {.classification = true});
    BOOST_TEST((digits.classes == names{"0", "1"}));
    BOOST_TEST((load_on(1, data::arrays(x, std::vector<std::int8_t>{1, 0, 1})).y == std::vector<double>{1, 0, 1}));
    BOOST_TEST((load_on(1, data::arrays(x, std::vector<bool>{true, false, true})).y == std::vector<double>{1, 0, 1}));
}

BOOST_AUTO_TEST_SUITE_END()

// SPDX-License-Identifier: BSL-1.0
#include <gamut/data/selection.hpp>
#include <gamut/data/split.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string>
#include <vector>

#include <data/helpers.hpp>
#include <gamut/data/arrays.hpp>
#include <gamut/data/every.hpp>
#include <gamut/data/rows_where.hpp>
#include <gamut/data/subset.hpp>

using namespace gamut;
using test::load_on;

namespace {

/// Row i is i, its label too.
auto numbered(std::size_t rows) {
    std::vector<double> values(rows);
    for (std::size_t i = 0; i < rows; ++i) values[i] = static_cast<double>(i);
    return data::arrays(values, rows, 1, values);
}

template <class Source> std::vector<double> rows_of(const Source& source, int ranks = 1) {
    return load_on(ranks, source).y;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(split)

BOOST_AUTO_TEST_CASE(every_row_is_in_one_part_and_parts_have_the_wanted_sizes) {
    for (const std::size_t rows : {2, 3, 4, 10, 569, 1000}) {
        for (const double fraction : {0.1, 0.25, 0.5}) {
            const auto [train, test] = data::split(numbered(rows), {.test_fraction = fraction, .seed = rows});
            const auto trained = rows_of(train), tested = rows_of(test);
            BOOST_TEST(tested.size() ==
                       std::max<std::size_t>(1, static_cast<std::size_t>(std::llround(fraction * rows))));
            std::vector<double> both;
            std::merge(trained.begin(), trained.end(), tested.begin(), tested.end(), std::back_inserter(both));
            BOOST_TEST((both == rows_of(numbered(rows))));
        }
    }
}

BOOST_AUTO_TEST_CASE(parts_dont_depend_on_the_ranks_but_on_the_seed) {
    const auto [train, test] = data::split(numbered(500), {.seed = 1});
    const auto other = data::split(numbered(500), {.seed = 2});
    for (const int ranks : {2, 5}) {
        BOOST_TEST((load_on(ranks, train) == load_on(1, train)));
        BOOST_TEST((load_on(ranks, test) == load_on(1, test)));
    }
    BOOST_TEST((rows_of(test) != rows_of(other.test)));
}

BOOST_AUTO_TEST_CASE(every_row_is_tested_equally_often_over_the_seeds) {
    constexpr std::size_t rows = 20, seeds = 2000;
    std::vector<double> often(rows), pairs(rows);
    for (std::size_t seed = 0; seed < seeds; ++seed) {
        const data::kept_rows tested(data::split(numbered(rows), {.test_fraction = 0.3, .seed = seed}).test.rows, rows);
        for (std::size_t i = 0; i < rows; ++i) {
            often[i] += tested(i);
            pairs[i] += tested(i) && tested((i + 1) % rows);
        }
    }
    const double expected = 0.3 * seeds, together = seeds * (6.0 * 5) / (20.0 * 19);
    for (std::size_t i = 0; i < rows; ++i) {
        BOOST_TEST(std::abs(often[i] - expected) < 5 * std::sqrt(expected * 0.7));
        BOOST_TEST(std::abs(pairs[i] - together) < 5 * std::sqrt(together));
    }
}

BOOST_AUTO_TEST_CASE(order_of_rows_is_a_permutation) {
    for (const std::size_t n : {1, 2, 3, 7, 255, 256, 257, 5000}) {
        const data::detail::random_order order(n, n);
        std::vector<bool> seen(n);
        for (std::size_t i = 0; i < n; ++i) {
            BOOST_REQUIRE(order(i) < n);
            BOOST_REQUIRE(!seen[order(i)]);
            seen[order(i)] = true;
        }
    }
}

BOOST_AUTO_TEST_CASE(every_and_all_but_every_are_complements) {
    BOOST_TEST((rows_of(data::every(numbered(7), 3, 1)) == std::vector<double>{1, 4}));
    BOOST_TEST((rows_of(data::all_but_every(numbered(7), 3, 1)) == std::vector<double>{0, 2, 3, 5, 6}));
}

BOOST_AUTO_TEST_CASE(selections_nest_in_the_numbering_of_what_is_left) {
    const auto big = data::rows_where(numbered(20), [](std::size_t row) { return row >= 10; });
    BOOST_TEST((rows_of(data::every(big, 5, 0)) == std::vector<double>{10, 15}));
    BOOST_TEST((rows_of(data::every(data::every(numbered(20), 2, 1), 3, 2), 4) == std::vector<double>{5, 11, 17}));
    const auto [train, test] = data::split(big, {.test_fraction = 0.5});
    BOOST_TEST(rows_of(train).size() == 5u);
    for (const double row : rows_of(test)) BOOST_TEST(row >= 10);
}

BOOST_AUTO_TEST_CASE(kept_rows_are_dealt_evenly) {
    const auto late = data::rows_where(numbered(1000), [](std::size_t row) { return row >= 900; });
    communicator::threads<>::run(4, [&](const auto& c) {
        const auto rows = late.load(c).local_rows();
        if (rows < 14 || rows > 42) throw core::error("uneven: " + std::to_string(rows));
    });
}

BOOST_AUTO_TEST_CASE(ranges_of_ranks_cover_the_source) {
    const data::selection odd =
        data::selection{}.then([](std::size_t) { return [](std::size_t row) { return row % 4 == 2; }; });
    const data::kept_rows kept(odd, 23);
    for (std::size_t ranks = 1; ranks < 9; ++ranks) {
        std::size_t next = 0;
        for (std::size_t r = 0; r < ranks; ++r) {
            const data::range mine{kept.count() * r / ranks, kept.count() * (r + 1) / ranks};
            const auto covered = kept.cover(mine);
            if (mine.size() == 0) continue;
            BOOST_TEST(covered.begin == next);
            next = covered.end;
        }
        BOOST_TEST(next == 23u);
    }
}

BOOST_AUTO_TEST_CASE(impossible_parts_are_option_errors) {
    for (const double fraction : {0.0, 1.0, -0.5, std::nan("")}) {
        BOOST_CHECK_THROW(data::split(numbered(5), {.test_fraction = fraction}), core::option_error);
    }
    BOOST_CHECK_THROW(data::every(numbered(5), 0), core::option_error);
    BOOST_CHECK_THROW(data::every(numbered(5), 3, 3), core::option_error);
    BOOST_CHECK_THROW(data::all_but_every(numbered(5), 3, 4), core::option_error);
}

BOOST_AUTO_TEST_CASE(an_empty_part_is_a_data_error) {
    const auto nothing = data::rows_where(numbered(5), [](std::size_t) { return false; });
    BOOST_CHECK_THROW(rows_of(nothing), core::data_error);
    BOOST_CHECK_THROW(rows_of(data::split(numbered(1)).train), core::data_error);
}

BOOST_AUTO_TEST_SUITE_END()

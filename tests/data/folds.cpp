// SPDX-License-Identifier: BSL-1.0
#include <gamut/data/folds.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <vector>

#include <gamut/communicator/single.hpp>
#include <gamut/communicator/threads.hpp>
#include <gamut/data/arrays.hpp>

using namespace gamut;

namespace {

/// n rows of three classes in shares of 6 : 3 : 1, sorted by class.
auto classes(std::size_t n) {
    std::vector<double> x(n), y(n);
    for (std::size_t i = 0; i < n; ++i) y[i] = i < n * 6 / 10 ? 0 : i < n * 9 / 10 ? 1 : 2;
    return data::arrays(x, n, 1, y);
}

std::vector<std::uint32_t> folds_of(std::size_t n, data::fold_options options, bool classification = true) {
    const communicator::single<> alone;
    return data::folds(alone, classes(n).load(alone, {.classification = classification}), options);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(folds)

BOOST_AUTO_TEST_CASE(folds_differ_by_one_row_and_so_do_classes_in_them) {
    for (const std::size_t n : {20, 101, 569})
        for (const std::size_t count : {2, 3, 10}) {
            const auto fold = folds_of(n, {.count = count});
            std::vector<std::size_t> rows(count), of_class(3 * count);
            for (std::size_t i = 0; i < n; ++i) {
                BOOST_REQUIRE(fold[i] < count);
                ++rows[fold[i]];
                ++of_class[(i < n * 6 / 10 ? 0 : i < n * 9 / 10 ? 1 : 2) * count + fold[i]];
            }
            const auto spread = [](auto begin, auto end) {
                return *std::max_element(begin, end) - *std::min_element(begin, end);
            };
            BOOST_TEST(spread(rows.begin(), rows.end()) <= 1u);
            for (std::ptrdiff_t c = 0; c < 3; ++c) {
                const auto begin = of_class.begin() + c * static_cast<std::ptrdiff_t>(count);
                BOOST_TEST(spread(begin, begin + static_cast<std::ptrdiff_t>(count)) <= 1u);
            }
        }
}

BOOST_AUTO_TEST_CASE(at_random_and_by_seed) {
    const auto one = folds_of(200, {.count = 5}), same = folds_of(200, {.count = 5}),
               other = folds_of(200, {.count = 5, .seed = 2});
    BOOST_TEST((one == same));
    BOOST_TEST((one != other));
    // not in order: neighbours are in the same fold about as often as chance has it, 1 in 5
    std::size_t alike = 0;
    for (std::size_t i = 1; i < 200; ++i) alike += one[i] == one[i - 1] ? 1 : 0;
    BOOST_TEST(alike > 15u);
    BOOST_TEST(alike < 75u);
    // where classes are not spread, the rare one is not in equal shares for every seed
    bool uneven = false;
    for (std::uint64_t seed = 1; seed <= 5; ++seed) {
        std::vector<std::size_t> rare(5);
        const auto fold = folds_of(200, {.count = 5, .strata = data::strata::none, .seed = seed});
        for (std::size_t i = 180; i < 200; ++i) ++rare[fold[i]];
        uneven = uneven || *std::max_element(rare.begin(), rare.end()) > 5;
    }
    BOOST_TEST(uneven);
}

BOOST_AUTO_TEST_CASE(ranks_change_nothing) {
    for (const data::strata strata : {data::strata::classes, data::strata::none}) {
        const auto alone = folds_of(101, {.count = 4, .strata = strata});
        for (const int size : {2, 3, 5}) {
            std::vector<std::uint32_t> together(101, 99);
            std::mutex guard;
            communicator::threads<>::run(size, [&](const communicator::threads<>& ranks) {
                const auto rows = classes(101).load(ranks, {.classification = true});
                const auto mine = data::folds(ranks, rows, {.count = 4, .strata = strata});
                const std::lock_guard lock(guard);
                std::copy(mine.begin(), mine.end(), together.begin() + static_cast<std::ptrdiff_t>(rows.first_row));
            });
            BOOST_TEST((together == alone));
        }
    }
}

BOOST_AUTO_TEST_CASE(wrong_options_are_refused) {
    BOOST_CHECK_THROW(folds_of(20, {.count = 1}), core::option_error);
    BOOST_CHECK_THROW(folds_of(20, {.count = 21}), core::option_error);
    BOOST_CHECK_THROW(folds_of(20, {.count = 2, .strata = data::strata::classes}, false), core::option_error);
    BOOST_TEST(folds_of(20, {.count = 20}, false).size() == 20u);
}

BOOST_AUTO_TEST_SUITE_END()

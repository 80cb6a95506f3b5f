// SPDX-License-Identifier: BSL-1.0
#include <boost/test/unit_test.hpp>

#include <cstddef>
#include <vector>

#include "../without_zeros.hpp"

#include <gamut/backend/columns.hpp>
#include <gamut/core/random.hpp>
#include <gamut/data/arrays.hpp>
#include <gamut/data/select_columns.hpp>

using namespace gamut;

namespace {

constexpr std::size_t n = 37, p = 11;
const std::vector<std::size_t> chosen{0, 3, 4, 10};

backend::dense_matrix<double> table_of() {
    backend::dense_matrix<double> x(n, p);
    const core::random numbers{.seed = 5};
    for (std::size_t i = 0; i < n; ++i)
        for (std::size_t j = 0; j < p; ++j) x(i, j) = numbers.uniform(i * p + j) < 0.5 ? 0 : numbers.normal(i * p + j);
    return x;
}

template <class Source> auto selected(const Source& source, int threads) {
    const auto rows = source.load(communicator::single<>{});
    return data::select_columns(rows, chosen, threads);
}

std::vector<double> labels() {
    std::vector<double> y(n);
    for (std::size_t i = 0; i < n; ++i) y[i] = static_cast<double>(i);
    return y;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(select_columns)

BOOST_AUTO_TEST_CASE(dense_columns_are_those_asked_for) {
    const auto x = table_of();
    for (const int threads : {1, 3}) {
        const auto part = selected(data::arrays(x, labels()), threads);
        BOOST_TEST(part.columns() == chosen.size());
        BOOST_TEST(part.features == (std::vector<std::string>{"x0", "x3", "x4", "x10"}),
                   boost::test_tools::per_element());
        BOOST_TEST(part.y == labels(), boost::test_tools::per_element());
        for (std::size_t i = 0; i < n; ++i)
            for (std::size_t k = 0; k < chosen.size(); ++k) BOOST_TEST(part.x(i, k) == x(i, chosen[k]));
    }
}

BOOST_AUTO_TEST_CASE(sparse_columns_are_those_of_the_dense_ones) {
    const auto x = table_of();
    for (const bool pattern : {false, true})
        for (const int threads : {1, 3}) {
            const auto part = selected(data::arrays(without_zeros(x, pattern), labels()), threads);
            BOOST_TEST(part.x.pattern_only() == pattern);
            std::vector<double> filled(n * chosen.size());
            for (std::size_t i = 0; i < n; ++i)
                for (auto k = part.x.offsets[i]; k < part.x.offsets[i + 1]; ++k)
                    filled[i * chosen.size() + static_cast<std::size_t>(part.x.indices[static_cast<std::size_t>(k)])] =
                        part.x.value(static_cast<std::size_t>(k));
            for (std::size_t i = 0; i < n; ++i)
                for (std::size_t k = 0; k < chosen.size(); ++k) {
                    const double here = x(i, chosen[k]);
                    BOOST_TEST(filled[i * chosen.size() + k] == (pattern && here != 0 ? 1 : here));
                }
        }
}

BOOST_AUTO_TEST_CASE(means_and_scales_go_along) {
    data::standardization all;
    for (std::size_t j = 0; j < p; ++j) {
        all.means.push_back(static_cast<double>(j));
        all.scales.push_back(static_cast<double>(2 * j + 1));
    }
    all.constant = {2, 3, 10};
    const data::standardization part = data::select_columns(all, chosen);
    BOOST_TEST(part.means == (std::vector<double>{0, 3, 4, 10}), boost::test_tools::per_element());
    BOOST_TEST(part.scales == (std::vector<double>{1, 7, 9, 21}), boost::test_tools::per_element());
    BOOST_TEST(part.constant == (std::vector<std::size_t>{1, 3}), boost::test_tools::per_element());
    BOOST_TEST(data::select_columns(data::standardization{}, chosen).scales.empty());
}

BOOST_AUTO_TEST_SUITE_END()

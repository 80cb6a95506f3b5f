// SPDX-License-Identifier: BSL-1.0
#include <boost/test/unit_test.hpp>

#include <cstddef>
#include <span>
#include <vector>

#include <gamut/backend/device_matrix.hpp>
#include <gamut/core/error.hpp>

#include "systems.hpp"

using namespace gamut;
using namespace gamut::device_test;

namespace {

/// Both products of x with random weights against loops over the dense matrix.
template <class B, class Matrix> void check_products(const Matrix& x, std::size_t c) {
    using T = typename B::value_type;
    const auto dense = as_dense(x);
    const std::size_t n = x.rows, p = x.columns;
    const auto w = random_numbers<T>(p * c, 8), s = random_numbers<T>(n * c, 9);
    std::vector<double> z(n * c), g(p * c);
    for (std::size_t i = 0; i < n; ++i)
        for (std::size_t j = 0; j < p; ++j)
            for (std::size_t k = 0; k < c; ++k) {
                z[i * c + k] += static_cast<double>(dense(i, j)) * static_cast<double>(w[j * c + k]);
                g[j * c + k] += static_cast<double>(dense(i, j)) * static_cast<double>(s[i * c + k]);
            }
    const typename backend::detail::matrix_on_device<Matrix, typename B::system>::type on_device(x);
    backend::array<B> product(n * c), transposed(p * c);
    multiply(on_device, c, backend::array<B>(std::span<const T>(w)), product);
    multiply_transposed(on_device, c, backend::array<B>(std::span<const T>(s)), transposed);
    BOOST_TEST_CONTEXT(n << " x " << p << ", " << c << " outputs") {
        BOOST_TEST(largest_difference(product.download(), z) <= tolerance<T>);
        BOOST_TEST(largest_difference(transposed.download(), g) <= tolerance<T>);
    }
}

struct dimensions {
    std::size_t rows, columns;
};
// sums over up to 64 rows are one slice, over 16,385 as many as there may be
const dimensions shapes[] = {{0, 0}, {0, 4}, {4, 0}, {1, 1}, {64, 3}, {65, 6}, {533, 9}, {16385, 2}};

}  // namespace

BOOST_AUTO_TEST_SUITE(device_matrix)

BOOST_AUTO_TEST_CASE_TEMPLATE(dense_products_are_those_of_plain_loops, B, backends) {
    for (const auto [rows, columns] : shapes)
        for (const std::size_t c : {std::size_t(1), std::size_t(3)})
            check_products<B>(random_dense<typename B::value_type>(rows, columns, 10), c);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(sparse_products_are_those_of_plain_loops, B, backends) {
    for (const auto [rows, columns] : shapes)
        for (const std::size_t c : {std::size_t(1), std::size_t(3)}) {
            check_products<B>(random_sparse<typename B::value_type>(rows, columns, 11), c);
            check_products<B>(random_sparse<typename B::value_type>(rows, columns, 12, true), c);
        }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(arrays_that_do_not_fit_are_refused, B, backends) {
    using T = typename B::value_type;
    const backend::device_dense<T, typename B::system> x(random_dense<T>(4, 3, 13));
    const backend::array<B> three(3), four(4);
    backend::array<B> to_three(3), to_four(4);
    BOOST_CHECK_THROW(multiply(x, 1, four, to_four), core::shape_error);
    BOOST_CHECK_THROW(multiply(x, 1, three, to_three), core::shape_error);
    BOOST_CHECK_THROW(multiply(x, 2, three, to_four), core::shape_error);
    BOOST_CHECK_THROW(multiply_transposed(x, 1, three, to_three), core::shape_error);
    BOOST_CHECK_THROW(multiply_transposed(x, 1, four, to_four), core::shape_error);
}

BOOST_AUTO_TEST_SUITE_END()

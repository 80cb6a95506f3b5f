// SPDX-License-Identifier: BSL-1.0
#include <boost/test/unit_test.hpp>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include <gamut/backend/kernel.hpp>
#include <gamut/backend/row_access.hpp>
#include <gamut/core/random.hpp>

using namespace gamut;

namespace {

template <class T> struct product_of_row {
    template <std::size_t Bytes, class X> static T of(const X* x, std::size_t i, const T* u) {
        return x->template product<Bytes>(i, u);
    }
    template <std::size_t Bytes>
    static T run(const backend::row_access<backend::dense_matrix<T>>* x, std::size_t i, const T* u) {
        return of<Bytes>(x, i, u);
    }
    template <std::size_t Bytes>
    static T run(const backend::row_access<backend::sparse_matrix<T>>* x, std::size_t i, const T* u) {
        return of<Bytes>(x, i, u);
    }
};
template <class Matrix> struct add_row {
    using T = typename Matrix::value_type;
    template <std::size_t Bytes>
    static int run(const backend::row_access<Matrix>* x, std::size_t i, T t, const T* a, T* u) {
        x->template add<Bytes>(i, t, a, u);
        return 0;
    }
};

/// About half of the entries are 0; row 1 is empty.
template <class T> backend::dense_matrix<T> random_matrix(std::size_t columns) {
    backend::dense_matrix<T> x(4, columns);
    const core::random numbers{.seed = columns};
    for (std::size_t k = 0; k < x.values.size(); ++k)
        x.values[k] = k / std::max<std::size_t>(columns, 1) == 1 || numbers.bits(k) % 2 ? T(0) : T(numbers.normal(k));
    return x;
}
template <class T> backend::sparse_matrix<T> stored(const backend::dense_matrix<T>& x, bool pattern) {
    backend::sparse_matrix<T> s;
    s.rows = x.rows;
    s.columns = x.columns;
    for (std::size_t i = 0; i < x.rows; ++i) {
        for (std::size_t j = 0; j < x.columns; ++j)
            if (x(i, j) != 0) {
                s.indices.push_back(static_cast<std::int32_t>(j));
                if (!pattern) s.values.push_back(x(i, j));
            }
        s.offsets.push_back(static_cast<std::int64_t>(s.indices.size()));
    }
    return s;
}

template <class T, class Matrix> void check(const backend::dense_matrix<T>& entries, const Matrix& x) {
    const backend::row_access<Matrix> rows(x);
    const T small = sizeof(T) == 8 ? T(1e-13) : T(1e-5);
    std::vector<T> u, a;
    for (std::size_t j = 0; j < entries.columns; ++j) {
        u.push_back(T(std::sin(1.0 + double(j))));
        a.push_back(T(1.5 + std::cos(double(j))));
    }
    for (std::size_t i = 0; i < 4; ++i) {
        double wanted = 0;
        for (std::size_t j = 0; j < entries.columns; ++j) wanted += double(entries(i, j)) * double(u[j]);
        rows.fetch(i);
        const T got = backend::run<product_of_row<T>>(&rows, i, static_cast<const T*>(u.data()));
        BOOST_TEST(std::abs(double(got) - wanted) <= double(small) * (1 + std::abs(wanted)));
        double visited = 0, square = 0;
        std::size_t count = 0;
        rows.visit(i, [&](std::size_t j, T value) {
            visited += double(value) * double(u[j]);
            square += double(value) * double(value);
            ++count;
        });
        BOOST_TEST(std::abs(visited - wanted) <= double(small) * (1 + std::abs(wanted)));
        BOOST_TEST(std::abs(double(rows.template square<16>(i)) - square) <= double(small) * (1 + square));
        BOOST_TEST(rows.stored(i) == count);
        for (const bool scaled : {false, true}) {
            std::vector<T> sum = u;
            backend::run<add_row<Matrix>>(&rows, i, T(0.75), scaled ? static_cast<const T*>(a.data()) : nullptr,
                                          sum.data());
            for (std::size_t j = 0; j < entries.columns; ++j) {
                const double is = double(u[j]) + 0.75 * (scaled ? double(a[j]) : 1.0) * double(entries(i, j));
                BOOST_TEST(std::abs(double(sum[j]) - is) <= double(small) * (1 + std::abs(is)));
            }
        }
    }
}

template <class T> void check_all() {
    for (const std::size_t columns : {0, 1, 3, 7, 8, 9, 15, 16, 17, 31, 40, 100}) {
        auto x = random_matrix<T>(columns);
        check(x, x);
        check(x, stored(x, false));
        for (T& entry : x.values) entry = entry != 0 ? T(1) : T(0);
        check(x, stored(x, true));
    }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(backend_row_access)

BOOST_AUTO_TEST_CASE(products_and_sums_of_rows_are_those_of_plain_loops) {
    check_all<double>();
    check_all<float>();
}

BOOST_AUTO_TEST_SUITE_END()

// SPDX-License-Identifier: BSL-1.0
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <span>
#include <vector>

#ifdef _OPENMP
#    include <omp.h>
#endif

#include <gamut/backend/array.hpp>
#include <gamut/backend/device.hpp>
#include <gamut/backend/host.hpp>
#include <gamut/core/error.hpp>

#include "systems.hpp"

using namespace gamut;
using namespace gamut::device_test;

namespace {

template <class A>
concept ReadableFromTheHost = requires(A& a) {
    a[0];
}
|| requires(A& a) { a.span(); };

static_assert(ReadableFromTheHost<backend::array<backend::host<double>>>);
static_assert(!ReadableFromTheHost<backend::array<backend::device<double, backend::system::cpp>>>);

template <class B> backend::array<B> uploaded(const std::vector<typename B::value_type>& values) {
    return backend::array<B>(std::span<const typename B::value_type>(values));
}

const std::size_t sizes[] = {0, 1, 2, 31, 32, 1000, 100003};

}  // namespace

BOOST_AUTO_TEST_SUITE(device)

BOOST_AUTO_TEST_CASE_TEMPLATE(what_is_uploaded_comes_back, B, backends) {
    using T = typename B::value_type;
    for (const std::size_t n : sizes) {
        const auto numbers = random_numbers<T>(n, 1);
        backend::array<B> a(n, T(7));
        BOOST_TEST((a.download() == std::vector<T>(n, T(7))));
        a.upload(numbers);
        BOOST_TEST(a.size() == n);
        BOOST_TEST((a.download() == numbers));
        const backend::array<B> copy = a;
        a.upload(std::vector<T>(n));
        BOOST_TEST((copy.download() == numbers));
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(formulas_are_evaluated_entry_by_entry, B, backends) {
    using T = typename B::value_type;
    for (const std::size_t n : sizes) {
        const auto x = random_numbers<T>(n, 2), y = random_numbers<T>(n, 3), z = random_numbers<T>(n, 4);
        backend::array<B> u = uploaded<B>(x);
        const backend::array<B> w = uploaded<B>(y), v = uploaded<B>(z);
        u = u + w - v;
        const backend::array<B> bent = choose(u < 0.25, exp(u) * w, sqrt(abs(v)) / 2);
        std::vector<T> expected_u(n), expected_bent(n);
        for (std::size_t i = 0; i < n; ++i) {
            expected_u[i] = x[i] + y[i] - z[i];
            expected_bent[i] = expected_u[i] < T(0.25) ? std::exp(expected_u[i]) * y[i] : std::sqrt(std::abs(z[i])) / 2;
        }
        BOOST_TEST(largest_difference(u.download(), expected_u) <= tolerance<T>);
        BOOST_TEST(largest_difference(bent.download(), expected_bent) <= tolerance<T>);
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_formula_of_another_length_is_refused, B, backends) {
    backend::array<B> a(3);
    const backend::array<B> b(4);
    BOOST_CHECK_THROW(a = b + b, core::shape_error);
    BOOST_CHECK_THROW(a.upload(std::vector<typename B::value_type>(2)), core::shape_error);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(sums_of_integers_are_exact, B, backends) {
    using T = typename B::value_type;
    for (const std::size_t n :
         {0, 1, 33, 4097, 262149, 400001}) {  // the last two: more than one number per running sum
        std::vector<T> numbers(n);
        double expected = 0;
        for (std::size_t i = 0; i < n; ++i) {
            numbers[i] = static_cast<T>(i % 1021);
            expected += static_cast<double>(i % 1021);
        }
        BOOST_TEST(total(uploaded<B>(numbers)) == expected);
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(reductions_agree_with_the_host, B, backends) {
    using T = typename B::value_type;
    using H = backend::host<T>;
    for (const std::size_t n : sizes) {
        auto x = random_numbers<T>(n, 5);
        const auto y = random_numbers<T>(n, 6);
        for (std::size_t i = 0; i < n; i += 3) x[i] = 0;
        const backend::array<B> a = uploaded<B>(x), b = uploaded<B>(y);
        const backend::array<H> c = uploaded<H>(x), d = uploaded<H>(y);
        const double scale = std::max(1.0, norm(c) * norm(d));
        BOOST_TEST(std::abs(dot(a, b) - dot(c, d)) <= tolerance<T> * scale);
        BOOST_TEST(std::abs(norm(a) - norm(c)) <= tolerance<T> * scale);
        BOOST_TEST(std::abs(distance(a, b) - distance(c, d)) <= tolerance<T> * scale);
        BOOST_TEST(largest_absolute(a) == largest_absolute(c));
        BOOST_TEST(count_nonzeros(a) == count_nonzeros(c));
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(the_maximum_is_the_largest_entry_and_nan_if_one_is, B, backends) {
    using T = typename B::value_type;
    const auto maximum = [](const std::vector<T>& values) {
        const backend::array<B> a = uploaded<B>(values);
        return B::maximum(a.node(), a.size());
    };
    BOOST_TEST(maximum({}) == 0);
    BOOST_TEST(maximum({T(-3), T(-2), T(-5)}) == -2);
    BOOST_TEST(maximum({-std::numeric_limits<T>::infinity()}) == -std::numeric_limits<double>::infinity());
    for (const std::size_t n : {1, 40, 5000})
        for (const std::size_t at : {std::size_t(0), n / 2, n - 1}) {
            std::vector<T> values(n, T(-1));
            values[at] = T(2);
            BOOST_TEST(maximum(values) == 2);
            values[at] = std::numeric_limits<T>::quiet_NaN();
            BOOST_TEST(std::isnan(maximum(values)));
        }
}

#ifdef _OPENMP
BOOST_AUTO_TEST_CASE(the_number_of_threads_changes_no_bit_of_a_sum) {
    const auto numbers = random_numbers<double>(70001, 7);
    const double expected = norm(uploaded<backend::device<double, backend::system::cpp>>(numbers));
    const int before = omp_get_max_threads();
    for (const int threads : {1, 2, 3, 5}) {
        omp_set_num_threads(threads);
        BOOST_TEST(norm(uploaded<backend::device<double, backend::system::omp>>(numbers)) == expected);
    }
    omp_set_num_threads(before);
}
#endif

BOOST_AUTO_TEST_SUITE_END()

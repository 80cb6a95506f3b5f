// SPDX-License-Identifier: BSL-1.0
// The device backend on every system that a plain C++ compiler can build.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <random>
#include <tuple>
#include <type_traits>
#include <vector>

#include <gamut/backend/device.hpp>
#include <gamut/backend/matrix.hpp>
#include <gamut/backend/sparse.hpp>

namespace gamut::device_test {

using backends = std::tuple<backend::device<double, backend::system::cpp>, backend::device<float, backend::system::cpp>
#ifdef _OPENMP
                            ,
                            backend::device<double, backend::system::omp>
#endif
                            >;

/// How far a few hundred roundings may carry a number.
template <class T> inline constexpr double tolerance = std::is_same_v<T, double> ? 1e-12 : 2e-4;

/// |a - b| against the largest of |b|, 1 if that is small.
template <class A, class B> double largest_difference(const A& a, const B& b) {
    double difference = 0, scale = 1;
    for (std::size_t i = 0; i < b.size(); ++i) {
        const double d = std::abs(static_cast<double>(a[i]) - static_cast<double>(b[i]));
        difference = d > difference || d != d ? d : difference;
        scale = std::max(scale, std::abs(static_cast<double>(b[i])));
    }
    return difference / scale;
}

template <class T> std::vector<T> random_numbers(std::size_t n, unsigned seed, double low = -1, double high = 1) {
    std::mt19937 engine(seed);
    std::uniform_real_distribution<double> draw(low, high);
    std::vector<T> numbers(n);
    for (T& x : numbers) x = static_cast<T>(draw(engine));
    return numbers;
}

template <class T> backend::dense_matrix<T> random_dense(std::size_t rows, std::size_t columns, unsigned seed) {
    backend::dense_matrix<T> x(rows, columns);
    const std::vector<T> numbers = random_numbers<T>(rows * columns, seed);
    for (std::size_t i = 0; i < numbers.size(); ++i) x.values[i] = numbers[i];
    return x;
}

/// About a third of the entries; some rows and columns are empty. With ones = true its values are not stored.
template <class T>
backend::sparse_matrix<T> random_sparse(std::size_t rows, std::size_t columns, unsigned seed, bool ones = false) {
    backend::sparse_matrix<T> x;
    x.rows = rows;
    x.columns = columns;
    const std::vector<T> numbers = random_numbers<T>(rows * columns, seed);
    for (std::size_t i = 0; i < rows; ++i) {
        for (std::size_t j = 0; j < columns; ++j)
            if (numbers[i * columns + j] > T(0.3) && i % 7 != 3 && j % 5 != 4) {
                x.indices.push_back(static_cast<std::int32_t>(j));
                if (!ones) x.values.push_back(numbers[i * columns + j]);
            }
        x.offsets.push_back(static_cast<std::int64_t>(x.indices.size()));
    }
    return x;
}

template <class T> backend::dense_matrix<T> as_dense(const backend::dense_matrix<T>& x) { return x; }
template <class T> backend::dense_matrix<T> as_dense(const backend::sparse_matrix<T>& x) {
    backend::dense_matrix<T> dense(x.rows, x.columns);
    for (std::size_t i = 0; i < x.rows; ++i)
        for (auto e = static_cast<std::size_t>(x.offsets[i]); e < static_cast<std::size_t>(x.offsets[i + 1]); ++e)
            dense(i, static_cast<std::size_t>(x.indices[e])) = x.value(e);
    return dense;
}

}  // namespace gamut::device_test

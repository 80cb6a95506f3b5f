// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <array>
#include <cstddef>
#include <type_traits>

#include <gamut/backend/kernel.hpp>
#include <gamut/backend/pack.hpp>

namespace gamut::backend {

/// Up to 16 rows of a dense matrix, and what each of them counts.
template <class T> struct few_rows {
    static constexpr std::size_t most = 16;
    std::size_t columns = 0, count = 0;
    const T* row[most] = {};
    double weight[most] = {};

    void add(const T* x, double omega) {
        row[count] = x;
        weight[count++] = omega;
    }
    bool is_full() const { return count == most; }
};

/// Of the rows seen, for each column: sum of omega x, sum of omega (x - mean)^2, and the largest of x and of -x.
struct row_moments {
    double weight = 0;  // of the rows
    double *sums = nullptr, *squares = nullptr, *largest = nullptr, *smallest = nullptr;
};

namespace detail {

/// f(x, from, to) for eight columns at a time: x(r) are those of row r, and from and to point at what belongs to them. The last columns
/// are padded by zeros.
template <class P, class T, std::size_t N, std::size_t M, class F>
GAMUT_INLINE void by_eight_columns(const few_rows<T>& rows, const std::array<const double*, N>& from,
                                   const std::array<double*, M>& to, const F& f) {
    const std::size_t whole = rows.columns / 8 * 8, rest = rows.columns - whole;
    for (std::size_t j = 0; j < whole; j += 8) {
        std::array<const double*, N> from_here;
        std::array<double*, M> to_here;
        for (std::size_t a = 0; a < N; ++a) from_here[a] = from[a] + j;
        for (std::size_t a = 0; a < M; ++a) to_here[a] = to[a] + j;
        const auto x = [&](std::size_t r) {
            if constexpr (std::is_same_v<T, double>) {
                return P::load(rows.row[r] + j);
            } else {
                double numbers[8];
                for (std::size_t k = 0; k < 8; ++k) numbers[k] = static_cast<double>(rows.row[r][j + k]);
                return P::load(numbers);
            }
        };
        f(x, from_here, to_here);
    }
    if (rest == 0) return;
    double x[few_rows<T>::most][8] = {}, before[N == 0 ? 1 : N][8] = {}, after[M][8] = {};
    std::array<const double*, N> from_here;
    std::array<double*, M> to_here;
    for (std::size_t a = 0; a < N; ++a) from_here[a] = before[a];
    for (std::size_t a = 0; a < M; ++a) to_here[a] = after[a];
    for (std::size_t k = 0; k < rest; ++k) {
        for (std::size_t r = 0; r < rows.count; ++r) x[r][k] = static_cast<double>(rows.row[r][whole + k]);
        for (std::size_t a = 0; a < N; ++a) before[a][k] = from[a][whole + k];
        for (std::size_t a = 0; a < M; ++a) after[a][k] = to[a][whole + k];
    }
    f([&](std::size_t r) { return P::load(x[r]); }, from_here, to_here);
    for (std::size_t k = 0; k < rest; ++k)
        for (std::size_t a = 0; a < M; ++a) to[a][whole + k] = after[a][k];
}

template <class T> struct row_moments_adder {
    template <std::size_t Bytes>
    GAMUT_INLINE static void run(const few_rows<T>* rows, double weight, const row_moments* to) {
        using P = pack<double, Bytes>;
        const double before = to->weight;
        const P inverse(1 / weight), inverse_before(before > 0 ? 1 / before : 0.0),
            between(before / (before + weight) * weight);
        by_eight_columns<P>(
            *rows, std::array<const double*, 0>(), std::array{to->sums, to->squares, to->largest, to->smallest},
            [&](const auto& x, const auto&, const std::array<double*, 4>& out) {
                P sum(0), large = P::load(out[2]), small = P::load(out[3]);
                for (std::size_t r = 0; r < rows->count; ++r) {
                    const P value = x(r);
                    sum += P(rows->weight[r]) * value;
                    large = select(large < value, value, large);
                    small = select(small < -value, -value, small);
                }
                const P sum_before = P::load(out[0]), mean = sum * inverse, apart = mean - sum_before * inverse_before;
                P squares = P::load(out[1]) + between * apart * apart;
                for (std::size_t r = 0; r < rows->count; ++r) {
                    const P deviation = x(r) - mean;
                    squares += P(rows->weight[r]) * deviation * deviation;
                }
                (sum_before + sum).store(out[0]);
                squares.store(out[1]);
                large.store(out[2]);
                small.store(out[3]);
            });
    }
};

template <class T> struct squares_adder {
    template <std::size_t Bytes>
    GAMUT_INLINE static void run(const few_rows<T>* rows, const double* means, double* out) {
        using P = pack<double, Bytes>;
        by_eight_columns<P>(*rows, std::array{means}, std::array{out},
                            [&](const auto& x, const auto& from, const std::array<double*, 1>& to) {
                                const P mean = P::load(from[0]);
                                P squares = P::load(to[0]);
                                for (std::size_t r = 0; r < rows->count; ++r) {
                                    const P deviation = x(r) - mean;
                                    squares += P(rows->weight[r]) * deviation * deviation;
                                }
                                squares.store(to[0]);
                            });
    }
};

}  // namespace detail

/// Adds rows of positive weights: their squares about their own mean while they are near, then what the means are apart. Chan, Golub
/// and LeVeque, Algorithms for computing the sample variance, The American Statistician 37 (1983).
template <class T> void add_rows(const few_rows<T>& rows, row_moments& to) {
    if (rows.count == 0) return;
    double weight = 0;
    for (std::size_t r = 0; r < rows.count; ++r) weight += rows.weight[r];
    detail::run<detail::row_moments_adder<T>>(&rows, weight, &to);
    to.weight += weight;
}

/// out_j += sum of omega (x_j - means_j)^2
template <class T> void add_squares(const few_rows<T>& rows, const double* means, double* out) {
    detail::run<detail::squares_adder<T>>(&rows, means, out);
}

}  // namespace gamut::backend

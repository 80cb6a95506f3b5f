// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include <gamut/compressor/concept.hpp>
#include <gamut/compressor/detail/draws.hpp>
#include <gamut/compressor/detail/factors.hpp>

namespace gamut::compressor {

/// PowerSGD: the numbers as a matrix M of `rows` rows (0: as square as possible), of which `rank` directions are sent.
///   P = orthonormal(M Q),    Q = M'P,    y = P Q'        Q being that of the message before, at first drawn at random
/// One step of subspace iteration a message: if M stays, y becomes its best approximation of that rank. Biased. Sends
/// rank (rows + columns) numbers; two passes over M. A number that is not finite makes all of them NaN, in that message.
/// Vogels, Karimireddy, Jaggi, PowerSGD, NeurIPS 2019, algorithm 1.
struct low_rank {
    std::size_t rank = 2;
    std::size_t rows = 0;
    std::uint64_t seed = 1;

    static constexpr std::string_view name = "low_rank";
    static constexpr bool unbiased = false, contracts = true, needs_error_feedback = true, summable = true;
    static constexpr bool fixed_length = true;

    template <class T> struct memory {
        std::vector<double> right{};  ///< Q, column by column

        template <class Each> void describe(Each& each) { each("right", right); }
    };

    std::uint32_t options() const {
        return static_cast<std::uint32_t>(rank * 65537 + std::min<std::size_t>(rows, 65535));
    }
    void validate() const {
        if (rank < 1) throw core::option_error("low_rank: rank is 0 (nothing would be sent) try 2");
    }

    template <class T> void write(turn which, std::span<const T> x, memory<T>& state, bytes& out) const {
        const auto s = detail::shape::of(x.size(), rows);
        const std::size_t r = rank_of(s);
        begin(which, s, r, state.right);
        std::vector<double> left(r * s.rows);
        detail::times<T>(x, s, r, state.right, left);
        detail::make_orthonormal(r, s.rows, left);
        detail::transpose_times<T>(x, s, r, left, state.right);
        append<T>(left, out);
        append<T>(state.right, out);
    }
    template <class T> void read(std::span<const std::uint8_t> payload, std::span<T> out) const {
        const auto s = detail::shape::of(out.size(), rows);
        const std::size_t r = rank_of(s);
        detail::check_length(name, payload, out.size(), r * (s.rows + s.columns) * sizeof(T));
        std::vector<double> factors(r * (s.rows + s.columns));
        for (std::size_t i = 0; i < factors.size(); ++i)
            factors[i] = static_cast<double>(detail::take<T>(payload.data() + i * sizeof(T)));
        const std::span<const double> both(factors);
        detail::outer_product(s, r, both.first(r * s.rows), both.subspan(r * s.rows), out);
    }

    /// The same approximation of the nodes' mean, by two sums of rank rows and rank columns numbers; what a node sends is its
    /// part of it, P P'M. Its Q is shared.
    template <class T, class Sum>
    void mean(std::uint64_t round, std::span<const T> x, std::size_t n, std::size_t nodes, memory<T>& state,
              std::span<T> out, std::span<T> sent, Sum&& sum) const {
        const auto s = detail::shape::of(n, rows);
        const std::size_t r = rank_of(s), mine = n > 0 ? x.size() / n : 0;
        begin({.round = round, .node = 0}, s, r, state.right);
        const std::size_t p = r * s.rows, q = r * s.columns;
        std::vector<double> parts(mine * std::max(p, q)), left(p);
        const std::span<double> each(parts);
        for (std::size_t node = 0; node < mine; ++node)
            detail::times(x.subspan(node * n, n), s, r, std::span<const double>(state.right),
                          each.subspan(node * p, p));
        sum(std::span<const double>(parts).first(mine * p), mine, std::span<double>(left));
        detail::make_orthonormal(r, s.rows, left);
        for (std::size_t node = 0; node < mine; ++node) {
            detail::transpose_times(x.subspan(node * n, n), s, r, std::span<const double>(left),
                                    each.subspan(node * q, q));
            if (!sent.empty())
                detail::outer_product(s, r, std::span<const double>(left), each.subspan(node * q, q),
                                      sent.subspan(node * n, n));
        }
        sum(std::span<const double>(parts).first(mine * q), mine, std::span<double>(state.right));
        for (double& entry : state.right) entry /= static_cast<double>(nodes);
        detail::outer_product(s, r, std::span<const double>(left), std::span<const double>(state.right), out);
    }

private:
    std::size_t rank_of(detail::shape s) const {
        validate();
        return std::min({rank, s.rows, s.columns});
    }
    /// Draws the columns of Q that are not there, lead nowhere or are not finite.
    void begin(turn which, detail::shape s, std::size_t r, std::vector<double>& right) const {
        if (right.empty()) right.resize(r * s.columns);
        if (right.size() != r * s.columns)
            throw core::shape_error(core::text("low_rank: ", s.columns, " columns (", right.size(),
                                               " numbers are remembered) use one memory for messages of one length"));
        const core::random source = detail::draws(seed, which, 3);
        for (std::size_t k = 0; k < r; ++k) {
            double* const column = right.data() + k * s.columns;
            const double square = detail::product(column, column, s.columns);
            if (!(square > 0 && std::isfinite(square)))
                for (std::size_t j = 0; j < s.columns; ++j) column[j] = source.normal(k * s.columns + j);
        }
    }
    template <class T> static void append(const std::vector<double>& numbers, bytes& out) {
        const std::vector<T> rounded(numbers.begin(), numbers.end());
        detail::append(out, rounded.data(), rounded.size());
    }
};

}  // namespace gamut::compressor

// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <span>

#include <gamut/communicator/agree.hpp>
#include <gamut/communicator/concept.hpp>
#include <gamut/core/error.hpp>
#include <gamut/core/exact_sum.hpp>

namespace gamut::communicator {

namespace detail {

/// The exact sum of one rank's partials, some columns at a time: sums of millions of entries (a network's gradient) would otherwise take
/// twelve bytes for each from the system, and give them back, every time.
inline constexpr std::size_t columns_at_once = 4096;
inline void sum_alone(std::span<const double> partials, std::size_t count, std::span<double> out) {
    // so many that their partials stay in a core's cache
    const std::size_t most =
        std::clamp<std::size_t>(8 * columns_at_once / std::max<std::size_t>(count, 1), 64, columns_at_once);
    const auto part = std::make_unique_for_overwrite<double[]>(most * count);
    std::int32_t lanes[columns_at_once];
    std::int64_t multiples[columns_at_once];
    for (std::size_t begin = 0; begin < out.size(); begin += most) {
        const std::size_t n = std::min(most, out.size() - begin);
        for (std::size_t row = 0; row < count; ++row)
            std::copy_n(partials.data() + row * out.size() + begin, n, part.get() + row * n);
        const std::span<const double> mine(part.get(), n * count);
        const std::span exponents(lanes, n);
        const std::span sums(multiples, n);
        core::exponents(mine, count, exponents);
        core::quantize(mine, count, exponents, sums);
        core::restore(sums, exponents, out.subspan(begin, n));
    }
}

template <Communicator C>
void sum_exactly(const C& c, std::span<const double> partials, std::size_t count, std::span<double> out,
                 const std::exception_ptr& failure) {
    const std::size_t columns = out.size();
    if (c.size() == 1 && columns > columns_at_once && !failure && count <= core::exact_sum::most_partials)
        return sum_alone(partials, count, out);
    const auto lanes = std::make_unique_for_overwrite<std::int32_t[]>(columns + 1);
    const auto multiples = std::make_unique_for_overwrite<std::int64_t[]>(columns + 1);
    const std::span exponents(lanes.get(), columns);
    const std::span sums(multiples.get(), columns);

    core::exponents(partials, count, exponents);
    lanes[columns] = failure_lane(c, failure);
    c.all_reduce(std::span(lanes.get(), columns + 1), operation::maximum);
    if (lanes[columns] != 0) throw_together(c, lanes[columns], failure);

    core::quantize(partials, count, exponents, sums);
    multiples[columns] = static_cast<std::int64_t>(count);
    c.all_reduce(std::span(multiples.get(), columns + 1), operation::sum);
    if (multiples[columns] > core::exact_sum::most_partials)
        throw core::shape_error(core::text("sum: ", multiples[columns], " partial sums per entry (",
                                           core::exact_sum::most_partials,
                                           " fit exactly) use fewer shards or blocks, or core::fast sums"));
    core::restore(sums, exponents, out);
}

template <Communicator C>
void sum_fast(const C& c, std::span<const double> partials, std::size_t count, std::span<double> out,
              const std::exception_ptr& failure) {
    const std::size_t columns = out.size();
    const auto lanes = std::make_unique<double[]>(columns + 1);
    for (std::size_t row = 0; row < count; ++row) {
        const double* const x = partials.data() + row * columns;
        for (std::size_t j = 0; j < columns; ++j) lanes[j] += x[j];
    }
    lanes[columns] = failure ? 1 : 0;
    c.all_reduce(std::span(lanes.get(), columns + 1), operation::sum);
    if (lanes[columns] != 0) agree(c, failure);
    std::copy_n(lanes.get(), columns, out.data());
}

}  // namespace detail

/// The sum of partial sums over all ranks, on all ranks. out: m entries, the same m everywhere; partials: count x m,
/// row-major, count may differ between ranks and be 0. A rank that failed on its way here says so by `failure`; then
/// all ranks throw that error (see agree) and out is untouched.
/// core::exact: the same bits for any order and grouping of the same partials, at most 4095 of them in all; sends m + 1
/// int32 and m + 1 int64. An entry with a partial that is not finite becomes NaN.
/// core::fast: sends m + 1 doubles; the bits depend on the number of ranks.
template <Communicator C>
[[gnu::noinline]] void sum(const C& c, std::span<const double> partials, std::size_t count, std::span<double> out,
                           std::exception_ptr failure = nullptr) {
    if (!failure && partials.size() != count * out.size())
        failure = std::make_exception_ptr(
            core::shape_error(core::text("sum: ", partials.size(), " numbers (", count, " partial sums of ", out.size(),
                                         " entries) sizes must agree")));
    if (failure) count = 0;
    if constexpr (std::same_as<typename C::sums, core::exact>)
        detail::sum_exactly(c, partials, count, out, failure);
    else
        detail::sum_fast(c, partials, count, out, failure);
}

}  // namespace gamut::communicator

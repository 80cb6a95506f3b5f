// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <utility>

#include <gamut/core/error.hpp>
#include <gamut/core/text.hpp>
#include <gamut/data/rows_where.hpp>

namespace gamut::data {

namespace detail {

inline void validate_remainder(const char* who, std::size_t modulus, std::size_t remainder) {
    if (remainder >= modulus) {
        throw core::option_error(core::text("data::", who, ": remainder ", remainder, " modulo ", modulus,
                                            " (no row has it) choose one below the modulus"));
    }
}

}  // namespace detail

/// The rows with row mod modulus == remainder, row being the number in the source, from 0.
template <DataSource Source> auto every(Source source, std::size_t modulus, std::size_t remainder = 0) {
    detail::validate_remainder("every", modulus, remainder);
    return rows_where(std::move(source), [=](std::size_t row) { return row % modulus == remainder; });
}

/// The rows that `every` leaves out: train on these, test on those.
template <DataSource Source> auto all_but_every(Source source, std::size_t modulus, std::size_t remainder = 0) {
    detail::validate_remainder("all_but_every", modulus, remainder);
    return rows_where(std::move(source), [=](std::size_t row) { return row % modulus != remainder; });
}

}  // namespace gamut::data

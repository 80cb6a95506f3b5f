// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <array>
#include <cstddef>

#include <gamut/autodiff/operations.hpp>
#include <gamut/network/concept.hpp>

namespace gamut::network {

/// For each column of the data, which holds numbers 0, 1, ..., words - 1, that row of a table: a position of so many channels. The first
/// layer of a network; its columns must not be standardised (prepare = {.columns = data::columns::as_given}).
struct embedding {
    std::size_t words = 2, channels = 8;

    constexpr auto operator()(auto w, auto x, image) const { return autodiff::lookup(w.template matrix<0>(), x); }
    constexpr auto blocks(image) const { return std::array{block_shape{words, channels}}; }
    constexpr image out(image in) const { return {1, in.size(), channels}; }
};

}  // namespace gamut::network

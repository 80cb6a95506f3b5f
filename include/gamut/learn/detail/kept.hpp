// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

#include <gamut/communicator/concept.hpp>
#include <gamut/data/shard.hpp>

/// What learners' states are made of beside numbers (solver/state.hpp): vectors whose length is known, and numbers of this rank's rows,
/// which are gathered, so that a run goes on on any number of ranks.
namespace gamut::learn::detail {

/// A vector as state_writer and state_reader want an array; a checkpoint must have as many numbers.
template <class T> struct kept_numbers {
    using value_type = T;
    std::vector<T>* values;

    std::size_t size() const { return values->size(); }
    std::vector<T> download() const { return *values; }
    void upload(std::span<const T> from) { std::copy(from.begin(), from.end(), values->begin()); }
};

/// each("name", numbers): the same on all ranks, of the length that they have now.
template <class Each, class T> void keep_numbers(Each& each, std::string_view name, std::vector<T>& values) {
    kept_numbers<T> view{&values};
    each(name, view);
}

/// Rows or shards of which this rank has first <= i < last, as blocks of a problem.
template <class C> struct kept_blocks {
    const C& ranks;
    std::size_t first, last, all;

    const C& communicator() const { return ranks; }
    std::size_t first_block() const { return first; }
    std::size_t last_block() const { return last; }
    std::size_t blocks() const { return all; }
};
template <class C, class Dataset> kept_blocks<C> blocks_of_rows(const C& ranks, const Dataset& rows) {
    return {ranks, rows.first_row, rows.first_row + rows.local_rows(), rows.rows()};
}

/// `values` has equally many numbers for each of this rank's rows.
template <class Each, communicator::Communicator C, class Dataset, class T>
void keep_rows(Each& each, std::string_view name, const C& ranks, const Dataset& rows, std::vector<T>& values) {
    std::vector<kept_numbers<T>> one{{&values}};
    each.blocks(name, one, blocks_of_rows(ranks, rows));
}

/// `values` has range_of(b) for block b of this rank, block after block.
template <class Each, communicator::Communicator C, class RangeOf, class T>
void keep_parts(Each& each, std::string_view name, const kept_blocks<C>& blocks, RangeOf&& range_of,
                std::vector<T>& values) {
    std::vector<std::vector<T>> parts;
    for (std::size_t b = blocks.first; b < blocks.last; ++b) {
        const data::range range = range_of(b);
        parts.emplace_back(values.begin() + static_cast<std::ptrdiff_t>(range.begin),
                           values.begin() + static_cast<std::ptrdiff_t>(range.end));
    }
    each.parts(name, parts, blocks);
    for (std::size_t b = blocks.first; b < blocks.last; ++b)
        std::copy(parts[b - blocks.first].begin(), parts[b - blocks.first].end(),
                  values.begin() + static_cast<std::ptrdiff_t>(range_of(b).begin));
}

}  // namespace gamut::learn::detail

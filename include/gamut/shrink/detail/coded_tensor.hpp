// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include <gamut/shrink/bits.hpp>
#include <gamut/shrink/huffman.hpp>

/// A tensor of few different numbers, most of them 0, as bits:
///   16         numbers in the code book
///   32 each    the book: floats, ascending, none of them 0
///   48         weights that are not 0
///   6 each     lengths of the Huffman codes of places in the book
///   4          g: a gap symbol s below 2^g - 1 says that s zeros lie before the next weight, 2^g - 1 that so many lie there
///   6 each     lengths of the Huffman codes of the 2^g gap symbols
///   the codes: for each weight its gaps, and its place in the book
namespace gamut::shrink::detail {

inline constexpr std::size_t largest_book = 256;
inline constexpr unsigned widest_gap = 8, most_weights_width = 48;

/// symbol(s) for the gap symbols of a gap of so many zeros.
template <class F> void for_each_gap(std::size_t zeros, unsigned width, const F& symbol) {
    const std::size_t most = (std::size_t(1) << width) - 1;
    for (; zeros >= most; zeros -= most) symbol(most);
    symbol(zeros);
}

/// At most 256 different numbers besides 0, all of them floats.
inline void write_tensor(bit_writer& to, std::span<const double> weights) {
    std::vector<double> book;
    std::vector<std::size_t> places, zeros;
    for (std::size_t k = 0, next = 0; k < weights.size(); ++k) {
        if (weights[k] == 0) continue;
        book.push_back(weights[k]);
        places.push_back(k);
        zeros.push_back(k - next);
        next = k + 1;
    }
    std::sort(book.begin(), book.end());
    book.erase(std::unique(book.begin(), book.end()), book.end());
    to.put(book.size(), 16);
    for (const double x : book) to.put(std::bit_cast<std::uint32_t>(static_cast<float>(x)), 32);
    to.put(places.size(), most_weights_width);

    std::vector<std::uint64_t> counts(book.size());
    std::vector<std::size_t> symbols;
    for (const std::size_t k : places) {
        symbols.push_back(
            static_cast<std::size_t>(std::lower_bound(book.begin(), book.end(), weights[k]) - book.begin()));
        ++counts[symbols.back()];
    }
    const huffman values(counts);
    values.write_lengths(to);

    const auto count_gaps = [&](unsigned width) {
        std::vector<std::uint64_t> found(std::size_t(1) << width);
        for (const std::size_t z : zeros) for_each_gap(z, width, [&](std::size_t s) { ++found[s]; });
        return found;
    };
    unsigned width = 1;
    for (std::uint64_t w = 1, least = std::numeric_limits<std::uint64_t>::max(); w <= widest_gap; ++w) {
        const auto found = count_gaps(static_cast<unsigned>(w));
        const std::uint64_t size = huffman(found).coded_bits(found) + found.size() * huffman::length_width;
        if (size < least) least = size, width = static_cast<unsigned>(w);
    }
    const huffman gaps(count_gaps(width));
    to.put(width, 4);
    gaps.write_lengths(to);
    for (std::size_t i = 0; i < places.size(); ++i) {
        for_each_gap(zeros[i], width, [&](std::size_t s) { gaps.write(to, s); });
        values.write(to, symbols[i]);
    }
}

/// Into weights that are 0. Throws data_error, in the reader's words, for what write_tensor cannot have written for so many weights.
inline void read_tensor(bit_reader& from, std::span<double> weights) {
    const std::uint64_t size = from.get(16);
    if (size > largest_book) from.refuse("has a code book of ", size, " numbers");
    std::vector<double> book;
    for (std::uint64_t i = 0; i < size; ++i) {
        const auto x = static_cast<double>(std::bit_cast<float>(static_cast<std::uint32_t>(from.get(32))));
        const bool above = book.empty() || x > book.back();
        if (!(x >= -std::numeric_limits<float>::max() && x <= std::numeric_limits<float>::max()) || x == 0 || !above)
            from.refuse("has ", x, " in its code book at place ", i);
        book.push_back(x);
    }
    const std::uint64_t count = from.get(most_weights_width);
    if (count > weights.size()) from.refuse("has ", count, " weights that are not 0, of ", weights.size());
    const huffman values = huffman::read_lengths(from, book.size());
    const auto width = static_cast<unsigned>(from.get(4));
    if (width < 1 || width > widest_gap) from.refuse("has gaps of ", width, " bits");
    const std::size_t most = (std::size_t(1) << width) - 1;
    const huffman gaps = huffman::read_lengths(from, most + 1);
    std::size_t place = 0;
    for (std::uint64_t i = 0; i < count; ++i, ++place) {
        for (std::size_t s = most; s == most;) {
            place += s = gaps.read(from);
            if (place >= weights.size()) from.refuse("has a weight behind the last, ", weights.size());
        }
        weights[place] = book[values.read(from)];
    }
    from.finish();
}

}  // namespace gamut::shrink::detail

// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include <gamut/core/error.hpp>
#include <gamut/core/text.hpp>
#include <gamut/shrink/bits.hpp>

namespace gamut::shrink {

/// Bits per symbol that no code can go below:  - sum over s of  p_s log2 p_s.   Shannon 1948.
inline double entropy(std::span<const std::uint64_t> counts) {
    double total = 0, sum = 0;
    for (const std::uint64_t n : counts) total += static_cast<double>(n);
    for (const std::uint64_t n : counts)
        if (n > 0) sum -= static_cast<double>(n) / total * std::log2(static_cast<double>(n) / total);
    return sum;
}

/// A prefix code of least length for symbols 0, 1, ... that occur so often, canonical: the lengths of the codes say it all. Codes of
/// one length are consecutive numbers, in the order of their symbols, and follow those of shorter ones.
///   coded bits <= (entropy + 1) x symbols
/// A symbol that is alone has a code of no bits. Symbols of count 0 have none.
/// Huffman 1952; Schwartz and Kallick, Generating a canonical prefix encoding, 1964.
class huffman {
public:
    static constexpr unsigned longest = 56, length_width = 6;

    /// Time n log n for n symbols. Throws option_error for counts that sum to more than 2^38: codes could be longer than 56 bits.
    explicit huffman(std::span<const std::uint64_t> counts) : lengths_(lengths_for(counts)) { number(); }

    /// Throws data_error (in the reader's words) unless the lengths are those of a code that leaves nothing open.
    static huffman read_lengths(bit_reader& from, std::size_t symbols) {
        std::vector<std::uint8_t> lengths(symbols);
        std::uint64_t sum = 0;  // of 2^-length, times 2^longest
        constexpr std::uint64_t whole = std::uint64_t(1) << longest;
        for (std::uint8_t& length : lengths) {
            length = static_cast<std::uint8_t>(from.get(length_width));
            if (length > longest) from.refuse("has a code of ", std::uint32_t{length}, " bits");
            if (length > 0) sum += whole >> length;
            if (sum > whole) from.refuse("has codes that are the beginnings of others");
        }
        huffman made(std::move(lengths));
        const bool complete = made.symbols_.size() <= 1 ? sum == made.symbols_.size() * (whole / 2) : sum == whole;
        if (!complete) from.refuse("has bits that are no code");
        return made;
    }
    void write_lengths(bit_writer& to) const {
        for (const std::uint8_t length : lengths_) to.put(length, length_width);
    }

    /// Per symbol; 0: it has no code. One that is alone: 1.
    const std::vector<std::uint8_t>& lengths() const { return lengths_; }
    std::uint64_t coded_bits(std::span<const std::uint64_t> counts) const {
        std::uint64_t sum = 0;
        for (std::size_t s = 0; s < counts.size(); ++s) sum += symbols_.size() > 1 ? counts[s] * lengths_[s] : 0;
        return sum;
    }

    void write(bit_writer& to, std::size_t symbol) const {
        if (symbol >= lengths_.size() || lengths_[symbol] == 0)
            throw core::option_error(
                core::text("huffman: symbol ", symbol, " has no code (its count was 0) count it first"));
        if (symbols_.size() > 1) to.put(codes_[symbol], lengths_[symbol]);
    }
    std::size_t read(bit_reader& from) const {
        if (symbols_.size() <= 1) {
            if (symbols_.empty()) from.refuse("has a symbol where there is none");
            return symbols_.front();
        }
        std::uint64_t code = 0;
        for (unsigned length = 1;; ++length) {  // ends: the code is complete
            code = code << 1 | from.bit();
            const std::uint64_t place = code - first_[length];
            if (place < counts_[length]) return symbols_[offset_[length] + place];
        }
    }

private:
    explicit huffman(std::vector<std::uint8_t> lengths) : lengths_(std::move(lengths)) { number(); }

    /// The two least of what is left become one, until one is left: of leaves by count, and of pairs in the order they are made.
    static std::vector<std::uint8_t> lengths_for(std::span<const std::uint64_t> counts) {
        constexpr std::uint64_t most = std::uint64_t(1) << 38;
        std::vector<std::size_t> leaves;
        std::uint64_t total = 0;
        for (std::size_t s = 0; s < counts.size(); ++s) {
            if (counts[s] > most || (total += counts[s]) > most)
                throw core::option_error(core::text("huffman: the counts sum to more than ", most,
                                                    " (codes would be too long) write in several parts"));
            if (counts[s] > 0) leaves.push_back(s);
        }
        std::vector<std::uint8_t> lengths(counts.size());
        const std::size_t n = leaves.size();
        if (n == 1) lengths[leaves[0]] = 1;
        if (n <= 1) return lengths;
        std::sort(leaves.begin(), leaves.end(), [&](std::size_t a, std::size_t b) {
            return counts[a] < counts[b] || (counts[a] == counts[b] && a < b);
        });
        std::vector<std::uint64_t> weight;  // of leaves, then of pairs
        for (const std::size_t s : leaves) weight.push_back(counts[s]);
        std::vector<std::size_t> parent(2 * n - 1);
        std::size_t leaf = 0, pair = n;
        const auto least = [&] {
            const bool is_leaf = leaf < n && (pair >= weight.size() || weight[leaf] <= weight[pair]);
            return is_leaf ? leaf++ : pair++;
        };
        while (weight.size() < 2 * n - 1) {
            const std::size_t a = least(), b = least();
            parent[a] = parent[b] = weight.size();
            weight.push_back(weight[a] + weight[b]);
        }
        std::vector<std::uint8_t> depth(2 * n - 1);
        for (std::size_t i = 2 * n - 2; i-- > 0;) depth[i] = static_cast<std::uint8_t>(depth[parent[i]] + 1);
        for (std::size_t i = 0; i < n; ++i) lengths[leaves[i]] = depth[i];
        return lengths;
    }

    void number() {
        for (const std::uint8_t length : lengths_) ++counts_[length];
        counts_[0] = 0;
        std::uint64_t code = 0;
        std::size_t before = 0;
        for (unsigned length = 1; length <= longest; ++length) {
            code = (code + counts_[length - 1]) << 1;
            first_[length] = code;
            offset_[length] = before;
            before += counts_[length];
        }
        symbols_.resize(before);
        codes_.resize(lengths_.size());
        std::array<std::size_t, longest + 1> next = offset_;
        for (std::size_t s = 0; s < lengths_.size(); ++s) {
            const std::uint8_t length = lengths_[s];
            if (length == 0) continue;
            codes_[s] = first_[length] + (next[length] - offset_[length]);
            symbols_[next[length]++] = s;
        }
    }

    std::vector<std::uint8_t> lengths_;
    std::vector<std::uint64_t> codes_;                 // by symbol
    std::vector<std::size_t> symbols_;                 // by code
    std::array<std::uint64_t, longest + 1> counts_{};  // codes of a length,
    std::array<std::uint64_t, longest + 1> first_{};   // the first of them,
    std::array<std::size_t, longest + 1> offset_{};    // and its place in symbols_
};

}  // namespace gamut::shrink

// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <utility>

namespace gamut::learn::detail {

/// What a node works on in a round: a row per word, its counts in topics, and behind them a bit per topic that says where they are not 0: most
/// are where topics are many. There a word with few tokens is written down as pairs of a topic and its count, topics rising, behind
/// the number of pairs: far less to fetch, and to send.
struct word_block {
    std::size_t number, first_word, words, topics, vocabulary;
    const std::size_t* begins;    ///< of words' rows
    std::int32_t *counts, *room;  ///< room: a row for one word, zeros

    static constexpr std::size_t bits = 32;      // of a number
    static constexpr std::size_t spelled = 512;  // so many topics are never pairs
    static std::size_t width(std::size_t topics) { return topics + (topics + bits - 1) / bits; }
    /// Numbers that a word with so many tokens takes.
    static std::size_t width(std::size_t topics, std::size_t tokens) {
        return topics > spelled ? std::min(width(topics), 1 + 2 * tokens) : width(topics);
    }
    std::size_t size() const { return begins[first_word + words] - begins[first_word]; }

    /// The word's row, spelled out, until it is closed. One at a time.
    std::int32_t* open(std::size_t word) const {
        std::int32_t* const stored = at(word);
        if (!pairs(word)) return stored;
        for (std::int32_t i = 0; i < stored[0]; ++i) {
            const auto k = static_cast<std::size_t>(stored[1 + 2 * i]);
            room[k] = stored[2 + 2 * i];
            room[topics + k / bits] |= bit(k);
        }
        return room;
    }
    void close(std::size_t word) const {
        if (!pairs(word)) return;
        std::int32_t* const stored = at(word);
        std::int32_t* to = stored + 1;
        each_topic(room, [&](std::size_t k) {
            *to++ = static_cast<std::int32_t>(k);
            *to++ = std::exchange(room[k], 0);
        });
        stored[0] = static_cast<std::int32_t>((to - stored) / 2);
        std::fill(room + topics, room + width(topics), 0);
    }
    /// The word's row comes nearer while another is worked on.
    void fetch(std::size_t word) const {
        for (const std::int32_t *p = at(word), *end = at(word + 1); p < end; p += 16) __builtin_prefetch(p, 1);
    }

    void add(std::int32_t* row, std::size_t k) const {
        ++row[k];
        row[topics + k / bits] |= bit(k);
    }
    void remove(std::int32_t* row, std::size_t k) const { row[topics + k / bits] ^= --row[k] == 0 ? bit(k) : 0; }
    /// visit(k) for the topics of an open row, rising; nobody may add or remove meanwhile.
    template <class F> void each_topic(const std::int32_t* row, F&& visit) const {
        for (std::size_t first = 0; first < topics; first += bits)
            for (auto left = static_cast<std::uint32_t>(row[topics + first / bits]); left != 0; left &= left - 1)
                visit(first + static_cast<std::size_t>(std::countr_zero(left)));
    }
    /// visit(k, n_kw) for the topics of a word whose row is closed, rising.
    template <class F> void each_count(std::size_t word, F&& visit) const {
        const std::int32_t* const stored = at(word);
        if (pairs(word))
            for (std::int32_t i = 0; i < stored[0]; ++i)
                visit(static_cast<std::size_t>(stored[1 + 2 * i]), stored[2 + 2 * i]);
        else
            each_topic(stored, [&](std::size_t k) { visit(k, stored[k]); });
    }

private:
    std::int32_t* at(std::size_t word) const { return counts + (begins[word] - begins[first_word]); }
    bool pairs(std::size_t word) const { return begins[word + 1] - begins[word] < width(topics); }
    static std::int32_t bit(std::size_t k) { return static_cast<std::int32_t>(std::uint32_t{1} << k % bits); }
};

}  // namespace gamut::learn::detail

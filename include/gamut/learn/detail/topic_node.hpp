// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numeric>
#include <vector>

#include <gamut/core/error.hpp>
#include <gamut/core/text.hpp>
#include <gamut/data/shard.hpp>
#include <gamut/learn/detail/rows.hpp>

namespace gamut::learn::detail {

/// The count x_ij as a whole number; throws data_error for what is none.
template <class Dataset> std::size_t word_count(const Dataset& rows, std::size_t i, std::size_t j, double value) {
    constexpr double most = std::numeric_limits<std::int32_t>::max();
    if (!(value >= 0 && value <= most && value == std::floor(value)))
        throw core::data_error(core::text(rows.source, ": document ", rows.first_row + i + 1, " has '",
                                          rows.features[j], "' ", value,
                                          " times (counts are finite whole numbers from 0 on) correct the count"));
    return static_cast<std::size_t>(value);
}

/// Throws data_error where a document has another weight than 1: `who` counts it once.
template <class Dataset> void refuse_weights(const char* who, const Dataset& rows) {
    for (std::size_t i = 0; i < rows.weights.size(); ++i)
        if (rows.weights[i] != 1)
            throw core::data_error(core::text(rows.source, ": document ", rows.first_row + i + 1, " has the weight ",
                                              rows.weights[i], " (", who,
                                              " takes no weights but 1) give it that often, or leave it out"));
}

/// The documents of a node as tokens, document by document, each one's words rising; a token's number is first_token and its place.
/// Tokens of a word are together in by_word; a run is those of one word, and runs of a block of words stand together.
struct topic_node {
    static constexpr std::int32_t none = -1;  ///< the topic of a token that has not been drawn

    struct run {
        std::size_t word, begin, end;
    };

    data::range documents;                  ///< local rows
    std::uint64_t first_token = 0;          ///< among the tokens of all nodes
    std::vector<std::size_t> first{0};      ///< document d of this node has the tokens first[d] to first[d + 1]
    std::vector<std::int32_t> word, topic;  ///< per token
    std::vector<std::uint32_t> document;    ///< per token, counted in this node
    std::vector<std::uint32_t> by_word;     ///< tokens by word, then document
    std::vector<run> runs;
    std::vector<std::size_t> block_runs;  ///< block b has the runs block_runs[b] to block_runs[b + 1]
    std::vector<std::int64_t> totals;     ///< per topic, what this node knows of all tokens

    std::size_t size() const { return word.size(); }
    std::size_t length(std::size_t d) const { return first[d + 1] - first[d]; }

    template <class Dataset> void read(const Dataset& rows, data::range local) {
        documents = local;
        for (std::size_t i = local.begin; i < local.end; ++i) {
            const std::size_t begin = word.size();
            visit_row(rows.x, i, [&](std::size_t j, double value) {
                word.insert(word.end(), word_count(rows, i, j, value), static_cast<std::int32_t>(j));
            });
            std::sort(word.begin() + static_cast<std::ptrdiff_t>(begin), word.end());
            document.resize(word.size(), static_cast<std::uint32_t>(i - local.begin));
            first.push_back(word.size());
        }
        if (word.size() >= std::numeric_limits<std::uint32_t>::max())
            throw core::data_error(core::text(rows.source, ": a node has ", word.size(),
                                              " words (it can have 4294967294) use more nodes"));
        topic.assign(word.size(), none);
    }

    /// Words are cut into blocks: b has the words cuts[b] to cuts[b + 1].
    void index(const std::vector<std::size_t>& cuts) {
        by_word.resize(word.size());
        std::iota(by_word.begin(), by_word.end(), std::uint32_t{0});
        std::sort(by_word.begin(), by_word.end(),
                  [&](std::uint32_t a, std::uint32_t b) { return word[a] != word[b] ? word[a] < word[b] : a < b; });
        for (std::size_t begin = 0; begin < by_word.size();) {
            const std::int32_t w = word[by_word[begin]];
            std::size_t end = begin;
            while (end < by_word.size() && word[by_word[end]] == w) ++end;
            runs.push_back({static_cast<std::size_t>(w), begin, end});
            begin = end;
        }
        for (const std::size_t cut : cuts)
            block_runs.push_back(static_cast<std::size_t>(
                std::partition_point(runs.begin(), runs.end(), [&](const run& r) { return r.word < cut; }) -
                runs.begin()));
    }
};

}  // namespace gamut::learn::detail

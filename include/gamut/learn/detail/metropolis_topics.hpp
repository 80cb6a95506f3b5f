// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

#include <gamut/backend/kernel.hpp>
#include <gamut/core/random.hpp>
#include <gamut/learn/detail/topic_counts.hpp>
#include <gamut/learn/detail/topic_node.hpp>

namespace gamut::learn::detail {

/// How often two topics are among others.
struct count_topics {
    template <std::size_t>
    GAMUT_INLINE static std::array<std::int32_t, 2> run(const std::int32_t* topics, std::size_t size, std::int32_t a,
                                                        std::int32_t b) {
        std::int32_t of_a = 0, of_b = 0;
        for (std::size_t i = 0; i < size; ++i) {
            of_a += topics[i] == a ? 1 : 0;
            of_b += topics[i] == b ? 1 : 0;
        }
        return {of_a, of_b};
    }
};

/// Collapsed Gibbs sampling by Metropolis and Hastings: a step costs the same whatever the number of topics. With all counts without
/// the token, and s its topic, in turn
///   t ~ n_tw + beta       stays with probability  (n_dt + alpha_t) (n_s + V beta) / ((n_ds + alpha_s) (n_t + V beta))
///   t ~ n_dt + alpha_t    stays with probability  (n_tw + beta) (n_s + V beta) / ((n_sw + beta) (n_t + V beta))
/// A proposal is the topic of any token of the word, or of the document, or one by the prior. That may be the token itself, and then
/// nothing changes; so the chance of any other topic does not depend on s, and the balance is exact (chances are compared to 2^-15 of themselves). LightLDA (Yuan et al., WWW 2015)
/// draws from tables that lag behind, WarpLDA (Chen et al., VLDB 2016) from counts that do; here the tokens are as they are now.
/// Word by word: a word's counts are fetched once; those of a document are counted among its tokens, by vectors, or, where it is long, kept
/// while the block is here. So a step costs at most max(512, topics / 2) / 8 vectors, and long documents 8 bytes a token.
class metropolis_topics {
public:
    /// long_from: documents of so many words keep their counts; the topics are the same.
    explicit metropolis_topics(const topic_node&, std::size_t long_from = 512) : long_from_(long_from) {}

    /// Both steps for the node's tokens in the block. Every token has a topic already.
    void operator()(topic_node& node, const word_block& block, const topic_priors& priors, const core::random& draws) {
        const double all = static_cast<double>(block.vocabulary) * priors.beta;
        cumulate(priors.alpha);
        own_.assign(block.topics, 0);
        count_long_documents(node, block.topics);
        const std::size_t from = node.block_runs[block.number], to = node.block_runs[block.number + 1];
        for (std::size_t r = from; r < to; ++r) {
            const topic_node::run& run = node.runs[r];
            if (r + 1 < to) block.fetch(node.runs[r + 1].word);
            gather_others(node, run, block);
            std::int32_t* const row = block.open(run.word);
            const auto of = [&](std::size_t k) { return row[k] + priors.beta; };
            const auto total = [&](std::size_t k) { return static_cast<double>(node.totals[k]) + all; };
            for (std::size_t at = run.begin; at < run.end; ++at) {
                const std::size_t t = node.by_word[at], d = node.document[t];
                const std::size_t begin = node.first[d], end = node.first[d + 1];
                const auto before = static_cast<std::size_t>(node.topic[t]);
                block.remove(row, before);
                --node.totals[before];
                const auto [first, second] = draws.more_bits(node.first_token + at);

                // The second proposal is read before the first is judged: its own topic, if that is it, comes after.
                const std::size_t by_word = from_word(node, run, block.topics, priors.beta, place(first));
                const auto [own, drawn] = from_document(node, begin, end, t, place(second));
                std::int32_t* const kept = places_[d] == is_short ? nullptr : counts_.data() + places_[d];
                const auto counts = kept ? std::array{kept[before], kept[by_word]}
                                         : backend::run<count_topics>(
                                               static_cast<const std::int32_t*>(node.topic.data() + begin), end - begin,
                                               static_cast<std::int32_t>(before), static_cast<std::int32_t>(by_word));
                std::size_t s = before;
                const auto in = [&](std::size_t k, std::int32_t n) {
                    return n - (k == before ? 1 : 0) + priors.alpha[k];
                };
                const auto chances = chances_of(first, second, draws, node.first_token + at);
                if (chances[0] * in(before, counts[0]) * total(by_word) < in(by_word, counts[1]) * total(before))
                    s = by_word;
                const std::size_t by_document = own ? s : drawn;
                if (chances[1] * of(s) * total(by_document) < of(by_document) * total(s)) s = by_document;

                node.topic[t] = static_cast<std::int32_t>(s);
                if (kept) --kept[before], ++kept[s];
                block.add(row, s);
                ++node.totals[s];
            }
            block.close(run.word);
        }
    }

private:
    // 64 bits are a place among many, and a chance that is compared with a probability.
    static double place(std::uint64_t bits) { return static_cast<double>(bits >> 20) * 0x1p-44; }
    /// Of 20 bits, and where those begin with six zeros of 53 more: rare moves happen as often as they should, to 2^-15 of that.
    static std::array<double, 2> chances_of(std::uint64_t first, std::uint64_t second, const core::random& draws,
                                            std::uint64_t token) {
        const std::uint64_t coarse[2] = {first & 0xfffff, second & 0xfffff};
        std::array<double, 2> chances{static_cast<double>(coarse[0]) * 0x1p-20,
                                      static_cast<double>(coarse[1]) * 0x1p-20};
        constexpr std::uint64_t few = 1 << 14;
        if (coarse[0] >= few && coarse[1] >= few) return chances;
        const auto more = draws.more_bits(~token);  // which is no token's
        for (std::size_t i = 0; i < 2; ++i)
            if (coarse[i] < few) chances[i] += static_cast<double>(more[i] >> 11) * 0x1p-73;
        return chances;
    }

    /// Topics of the documents that are too long to be counted for every token, as they are now.
    void count_long_documents(const topic_node& node, std::size_t topics) {
        const std::size_t shortest = std::max(long_from_, topics / 2), documents = node.first.size() - 1;
        places_.assign(documents, is_short);
        counts_.clear();
        for (std::size_t d = 0; d < documents; ++d) {
            if (node.first[d + 1] - node.first[d] < shortest) continue;
            places_[d] = counts_.size();
            counts_.resize(counts_.size() + topics);
            for (std::size_t t = node.first[d]; t < node.first[d + 1]; ++t)
                ++counts_[places_[d] + static_cast<std::size_t>(node.topic[t])];
        }
    }

    /// The topics that other nodes' tokens of the word have: what counts and own tokens say, spelled out.
    void gather_others(const topic_node& node, const topic_node::run& run, const word_block& block) {
        for (std::size_t at = run.begin; at < run.end; ++at)
            ++own_[static_cast<std::size_t>(node.topic[node.by_word[at]])];
        others_.clear();
        block.each_count(run.word, [&](std::size_t k, std::int32_t n) {
            for (n -= std::exchange(own_[k], 0); n > 0; --n) others_.push_back(static_cast<std::int32_t>(k));
        });
    }
    /// k ~ n_kw + beta, the token among the n_kw
    std::size_t from_word(const topic_node& node, const topic_node::run& run, std::size_t topics, double beta,
                          double u) const {
        const std::size_t own = run.end - run.begin, everywhere = own + others_.size();
        const double at = u * (static_cast<double>(everywhere) + static_cast<double>(topics) * beta);
        const auto place = static_cast<std::size_t>(at);
        if (place < own) return static_cast<std::size_t>(node.topic[node.by_word[run.begin + place]]);
        if (place < everywhere) return static_cast<std::size_t>(others_[place - own]);
        return std::min(topics - 1, static_cast<std::size_t>((at - static_cast<double>(everywhere)) / beta));
    }
    struct proposal {
        bool own;
        std::size_t topic;
    };
    /// k ~ n_dk + alpha_k, token t among the n_dk
    proposal from_document(const topic_node& node, std::size_t begin, std::size_t end, std::size_t t, double u) const {
        const double at = u * (static_cast<double>(end - begin) + alpha_.back());
        const auto place = static_cast<std::size_t>(at);
        if (place < end - begin) return {begin + place == t, static_cast<std::size_t>(node.topic[begin + place])};
        const double left = at - static_cast<double>(end - begin);
        const std::size_t found =
            alike_ ? static_cast<std::size_t>(left / alpha_.front())
                   : static_cast<std::size_t>(std::upper_bound(alpha_.begin(), alpha_.end(), left) - alpha_.begin());
        return {false, std::min(alpha_.size() - 1, found)};
    }
    void cumulate(const std::vector<double>& alpha) {
        alpha_.clear();
        alike_ = std::equal(alpha.begin() + 1, alpha.end(), alpha.begin());
        double sum = 0;
        for (const double a : alpha) alpha_.push_back(sum += a);
    }

    static constexpr std::size_t is_short = std::numeric_limits<std::size_t>::max();
    std::size_t long_from_;
    std::vector<std::int32_t> others_, own_, counts_;
    std::vector<std::size_t> places_;  // of long documents in counts_
    std::vector<double> alpha_;        // cumulated
    bool alike_ = false;               // all of them
};

}  // namespace gamut::learn::detail

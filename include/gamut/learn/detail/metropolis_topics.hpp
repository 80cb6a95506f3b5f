// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include <gamut/core/random.hpp>
#include <gamut/learn/detail/topic_counts.hpp>
#include <gamut/learn/detail/topic_node.hpp>

namespace gamut::learn::detail {

/// Collapsed Gibbs sampling by Metropolis and Hastings: a step costs the same whatever the number of topics. With all counts without
/// the token, and s its topic, in turn
///   t ~ n_tw + beta       stays with probability  (n_dt + alpha_t) (n_s + V beta) / ((n_ds + alpha_s) (n_t + V beta))
///   t ~ n_dt + alpha_t    stays with probability  (n_tw + beta) (n_s + V beta) / ((n_sw + beta) (n_t + V beta))
/// A proposal is the topic of any token of the word, or of the document, or one by the prior. That may be the token itself, and then
/// nothing changes; so the chance of any other topic does not depend on s, and the balance is exact. LightLDA (Yuan et al., WWW 2015)
/// draws from tables that lag behind, WarpLDA (Chen et al., VLDB 2016) from counts that do; here the tokens are as they are now.
class metropolis_topics {
public:
    explicit metropolis_topics(const topic_node& node) : run_of_(node.size()) {
        for (std::size_t r = 0; r < node.runs.size(); ++r)
            for (std::size_t at = node.runs[r].begin; at < node.runs[r].end; ++at)
                run_of_[node.by_word[at]] = static_cast<std::uint32_t>(r);
    }

    /// Both steps for the node's tokens in the block, document by document. Every token has a topic already.
    void operator()(topic_node& node, const word_block& block, const topic_priors& priors, const core::random& draws) {
        const std::size_t topics = block.topics;
        gather_others(node, block);
        cumulate(priors.alpha);
        in_document_.assign(topics, 0);
        const double all = static_cast<double>(block.vocabulary) * priors.beta;
        const auto total = [&](std::size_t k) { return static_cast<double>(node.totals[k]) + all; };
        for (std::size_t d = 0; d + 1 < node.first.size(); ++d) {
            const std::size_t begin = node.first[d], end = node.first[d + 1];
            std::size_t t = begin;
            while (t < end && static_cast<std::size_t>(node.word[t]) < block.first_word) ++t;
            if (t == end || static_cast<std::size_t>(node.word[t]) >= block.first_word + block.words) continue;
            for (std::size_t j = begin; j < end; ++j) ++in_document_[static_cast<std::size_t>(node.topic[j])];
            for (; t < end && static_cast<std::size_t>(node.word[t]) < block.first_word + block.words; ++t) {
                std::int32_t* const row = block.row(static_cast<std::size_t>(node.word[t]));
                auto s = static_cast<std::size_t>(node.topic[t]);
                block.remove(row, s);
                --node.totals[s];
                --in_document_[s];
                const auto [first, second] = draws.more_bits(2 * (node.first_token + t));
                const auto [third, fourth] = draws.more_bits(2 * (node.first_token + t) + 1);
                const auto in = [&](std::size_t k) { return in_document_[k] + priors.alpha[k]; };
                const auto of = [&](std::size_t k) { return row[k] + priors.beta; };

                const std::size_t by_word = from_word(node, run_of_[t], topics, priors.beta, uniform(first));
                if (uniform(second) * in(s)*total(by_word) < in(by_word)*total(s)) s = by_word;
                node.topic[t] = static_cast<std::int32_t>(s);
                const std::size_t by_document = from_document(node, begin, end, uniform(third));
                if (uniform(fourth) * of(s) * total(by_document) < of(by_document) * total(s)) s = by_document;
                node.topic[t] = static_cast<std::int32_t>(s);

                block.add(row, s);
                ++node.totals[s];
                ++in_document_[s];
            }
            for (std::size_t j = begin; j < end; ++j) in_document_[static_cast<std::size_t>(node.topic[j])] = 0;
        }
    }

private:
    static double uniform(std::uint64_t bits) { return static_cast<double>(bits >> 11) * 0x1p-53; }

    /// The topics that other nodes' tokens of this block's words have: what counts and own tokens say, spelled out.
    void gather_others(const topic_node& node, const word_block& block) {
        const std::size_t from = node.block_runs[block.number], to = node.block_runs[block.number + 1];
        first_run_ = from;
        other_begin_.assign(1, 0);
        others_.clear();
        std::vector<std::int32_t> own(block.topics);
        for (std::size_t r = from; r < to; ++r) {
            const topic_node::run& run = node.runs[r];
            const std::int32_t* const row = block.row(run.word);
            for (std::size_t at = run.begin; at < run.end; ++at)
                ++own[static_cast<std::size_t>(node.topic[node.by_word[at]])];
            block.each_topic(row, [&](std::size_t k) {
                others_.insert(others_.end(), static_cast<std::size_t>(row[k] - own[k]), static_cast<std::int32_t>(k));
                own[k] = 0;
            });
            other_begin_.push_back(others_.size());
        }
    }
    /// k ~ n_kw + beta, the token among the n_kw
    std::size_t from_word(const topic_node& node, std::size_t r, std::size_t topics, double beta, double u) const {
        const topic_node::run& run = node.runs[r];
        const std::size_t own = run.end - run.begin, begin = other_begin_[r - first_run_];
        const std::size_t everywhere = own + other_begin_[r - first_run_ + 1] - begin;
        const double at = u * (static_cast<double>(everywhere) + static_cast<double>(topics) * beta);
        const auto place = static_cast<std::size_t>(at);
        if (place < own) return static_cast<std::size_t>(node.topic[node.by_word[run.begin + place]]);
        if (place < everywhere) return static_cast<std::size_t>(others_[begin + place - own]);
        return std::min(topics - 1, static_cast<std::size_t>((at - static_cast<double>(everywhere)) / beta));
    }
    /// k ~ n_dk + alpha_k, the token among the n_dk
    std::size_t from_document(const topic_node& node, std::size_t begin, std::size_t end, double u) const {
        const double at = u * (static_cast<double>(end - begin) + alpha_.back());
        const auto place = static_cast<std::size_t>(at);
        if (place < end - begin) return static_cast<std::size_t>(node.topic[begin + place]);
        const auto found = std::upper_bound(alpha_.begin(), alpha_.end(), at - static_cast<double>(end - begin));
        return std::min(alpha_.size() - 1, static_cast<std::size_t>(found - alpha_.begin()));
    }
    void cumulate(const std::vector<double>& alpha) {
        alpha_.clear();
        double sum = 0;
        for (const double a : alpha) alpha_.push_back(sum += a);
    }

    std::vector<std::uint32_t> run_of_;  // per token
    std::size_t first_run_ = 0;
    std::vector<std::size_t> other_begin_;
    std::vector<std::int32_t> others_;
    std::vector<std::int32_t> in_document_;
    std::vector<double> alpha_;  // cumulated
};

}  // namespace gamut::learn::detail

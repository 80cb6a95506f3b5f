// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include <gamut/core/random.hpp>
#include <gamut/core/sum_tree.hpp>
#include <gamut/learn/detail/topic_counts.hpp>
#include <gamut/learn/detail/topic_node.hpp>

namespace gamut::learn::detail {

/// Collapsed Gibbs sampling, exactly: a token's topic is drawn with, all counts without the token,
///   p(k) ~ (n_dk + alpha_k) g_k,    g_k = (n_kw + beta) / (n_k + V beta)
/// Word by word: alpha_k g_k in a tree, n_dk g_k over the topics that the document has. Per token: as many steps as that are, and
/// 4 log2(topics); per word of a node's documents a look at the counts of its topics.   Yu et al., WWW 2015.
class sparse_gibbs {
public:
    sparse_gibbs(const topic_node& node, std::size_t topics)
        : begin_(node.first.size()),
          used_(node.first.size()),
          g_(topics),
          below_(topics),
          tree_(topics),
          sums_(topics) {
        for (std::size_t d = 0; d + 1 < node.first.size(); ++d)
            begin_[d + 1] = begin_[d] + std::min(topics, node.length(d));
        counts_.resize(begin_.back());
        for (std::size_t t = 0; t < node.size(); ++t)
            if (node.topic[t] != topic_node::none) add(node.document[t], node.topic[t]);
    }

    /// The node's tokens in the block, once each. A token that has no topic is drawn as if it came last of all.
    void operator()(topic_node& node, const word_block& block, const topic_priors& priors, const core::random& draws) {
        const double beta = priors.beta, all = static_cast<double>(block.vocabulary) * beta;
        for (std::size_t k = 0; k < block.topics; ++k) {
            below_[k] = 1 / (static_cast<double>(node.totals[k]) + all);
            g_[k] = beta * below_[k];
        }
        tree_.assign([&](std::size_t k) { return priors.alpha[k] * g_[k]; });
        for (std::size_t r = node.block_runs[block.number]; r < node.block_runs[block.number + 1]; ++r) {
            const topic_node::run& run = node.runs[r];
            if (r + 1 < node.block_runs[block.number + 1]) block.fetch(node.runs[r + 1].word);
            std::int32_t* const row = block.open(run.word);
            const auto refresh = [&](std::size_t k) {
                below_[k] = 1 / (static_cast<double>(node.totals[k]) + all);
                g_[k] = (row[k] + beta) * below_[k];
                tree_.set(k, priors.alpha[k] * g_[k]);
            };
            block.each_topic(row, refresh);
            for (std::size_t at = run.begin; at < run.end; ++at) {
                const std::size_t t = node.by_word[at], d = node.document[t];
                if (node.topic[t] != topic_node::none) {
                    const auto s = static_cast<std::size_t>(node.topic[t]);
                    block.remove(row, s);
                    --node.totals[s];
                    remove(d, node.topic[t]);
                    refresh(s);
                }
                const std::size_t k = drawn(d, draws.uniform(node.first_token + t));
                node.topic[t] = static_cast<std::int32_t>(k);
                block.add(row, k);
                ++node.totals[k];
                add(d, node.topic[t]);
                refresh(k);
            }
            block.each_topic(row, [&](std::size_t k) {
                g_[k] = beta * below_[k];
                tree_.set(k, priors.alpha[k] * g_[k]);
            });
            block.close(run.word);
        }
    }

    /// In which order documents have their topics, which decides how sums are rounded: topics, as many as a document has words, or none.
    std::vector<std::int32_t> order(const topic_node& node) const {
        std::vector<std::int32_t> topics(node.size(), topic_node::none);
        for (std::size_t d = 0; d + 1 < node.first.size(); ++d)
            for (std::size_t j = 0; j < used_[d]; ++j) topics[node.first[d] + j] = counts_[begin_[d] + j].topic;
        return topics;
    }
    /// The node's topics in this order.
    void take(const topic_node& node, const std::vector<std::int32_t>& order) {
        std::fill(used_.begin(), used_.end(), std::size_t{0});
        std::vector<std::int32_t> count(g_.size());
        for (std::size_t d = 0; d + 1 < node.first.size(); ++d) {
            for (std::size_t t = node.first[d]; t < node.first[d + 1]; ++t)
                ++count[static_cast<std::size_t>(node.topic[t])];
            for (std::size_t t = node.first[d]; t < node.first[d + 1] && order[t] >= 0; ++t) {
                std::int32_t& n = count[static_cast<std::size_t>(order[t])];
                counts_[begin_[d] + used_[d]++] = {order[t], n};
                n = 0;
            }
        }
    }

private:
    struct topic_count {
        std::int32_t topic, count;
    };

    std::size_t drawn(std::size_t d, double uniform) {
        const topic_count* const own = counts_.data() + begin_[d];
        double sum = 0;
        for (std::size_t j = 0; j < used_[d]; ++j) {
            sum += own[j].count * g_[static_cast<std::size_t>(own[j].topic)];
            sums_[j] = sum;
        }
        const double u = uniform * (sum + tree_.total());
        if (u >= sum) return tree_.find(u - sum);
        std::size_t j = 0;
        while (u >= sums_[j]) ++j;
        return static_cast<std::size_t>(own[j].topic);
    }
    void add(std::size_t d, std::int32_t topic) {
        topic_count* const own = counts_.data() + begin_[d];
        for (std::size_t j = 0; j < used_[d]; ++j)
            if (own[j].topic == topic) {
                ++own[j].count;
                return;
            }
        own[used_[d]++] = {topic, 1};
    }
    void remove(std::size_t d, std::int32_t topic) {
        topic_count* const own = counts_.data() + begin_[d];
        std::size_t j = 0;
        while (own[j].topic != topic) ++j;
        if (--own[j].count == 0) own[j] = own[--used_[d]];
    }

    std::vector<std::size_t> begin_, used_;  // per document
    std::vector<topic_count> counts_;  // document d: used_[d] topics from begin_[d] on, each with a count of at least 1
    std::vector<double> g_, below_;
    core::sum_tree tree_;
    std::vector<double> sums_;
};

}  // namespace gamut::learn::detail

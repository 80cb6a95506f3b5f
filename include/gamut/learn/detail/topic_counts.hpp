// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <span>
#include <utility>
#include <vector>

#include <gamut/backend/parallel.hpp>
#include <gamut/communicator/agree.hpp>
#include <gamut/communicator/concept.hpp>
#include <gamut/communicator/sum.hpp>
#include <gamut/core/random.hpp>
#include <gamut/learn/detail/log_rising.hpp>
#include <gamut/learn/detail/shards.hpp>
#include <gamut/learn/detail/topic_node.hpp>

namespace gamut::learn::detail {

/// Priors of topics: theta of a document ~ Dirichlet(alpha), words of a topic ~ Dirichlet(beta, ..., beta).
struct topic_priors {
    std::vector<double> alpha;
    double beta = 0;

    /// share 1: numbers below 1 are 1; 0: they are what they are; between: in proportion of logarithms.
    topic_priors annealed(double share) const {
        topic_priors warm = *this;
        const auto heat = [&](double& value) { value *= std::pow(std::max(1.0, 1 / value), share); };
        for (double& a : warm.alpha) heat(a);
        heat(warm.beta);
        return warm;
    }
};

/// visit(k, n_dk) for the topics of document d, in order of its tokens; room: a 0 for each topic, then and afterwards.
template <class F> void each_topic(const topic_node& node, std::size_t d, std::vector<std::size_t>& room, F&& visit) {
    for (std::size_t t = node.first[d]; t < node.first[d + 1]; ++t) ++room[static_cast<std::size_t>(node.topic[t])];
    for (std::size_t t = node.first[d]; t < node.first[d + 1]; ++t)
        if (std::size_t& n = room[static_cast<std::size_t>(node.topic[t])]; n > 0) {
            visit(static_cast<std::size_t>(node.topic[t]), n);
            n = 0;
        }
}

/// What a node works on in a round: counts of words in topics, (word - first_word) x topics.
struct word_block {
    std::size_t number, first_word, words, topics, vocabulary;
    std::int32_t* counts;
    std::size_t size() const { return words * topics; }
    std::int32_t* row(std::size_t word) const { return counts + (word - first_word) * topics; }
};

/// Tokens of all documents and how often topics have words. There are as many blocks of words as nodes, and in a sweep each block visits
/// each node: in round r node i has block i + r, so nodes that work at the same time share neither documents nor words. Only the totals
/// of topics lag behind what other nodes do in the same round; with one node nothing does.
/// Everything follows from the number of nodes; ranks and threads only share the nodes out.   Zheng et al., STRADS; Yuan et al., WWW 2015.
/// Messages per sweep and rank: nodes times a block (words / nodes x topics whole numbers) to a neighbour, and as many all-reduces of
/// topics numbers.
template <communicator::PairwiseCommunicator C> class topic_counts {
public:
    /// rows: loaded with one block per node. Collective; throws data_error where counts are none.
    template <class Dataset>
    topic_counts(const C& ranks, const Dataset& rows, std::size_t topics, int threads)
        : ranks_(ranks),
          topics_(topics),
          nodes_(rows.partition.blocks),
          vocabulary_(rows.columns()),
          documents_(rows.rows()),
          mine_(
              rows.partition.blocks_of(static_cast<std::size_t>(ranks.rank()), static_cast<std::size_t>(ranks.size()))),
          threads_(std::max<std::size_t>(1, std::min(static_cast<std::size_t>(std::max(threads, 1)), mine_.size()))),
          node_(mine_.size()),
          tables_(mine_.size()),
          totals_(topics) {
        std::vector<std::int64_t> tokens_of(vocabulary_), tokens_in(nodes_);
        communicator::agree(ranks_, [&] {
            each([&](std::size_t i) {
                const data::range all = rows.partition.block_rows(mine_.begin + i);
                node_[i].read(rows, {all.begin - rows.first_row, all.end - rows.first_row});
            });
            for (std::size_t i = 0; i < node_.size(); ++i) {
                tokens_in[mine_.begin + i] = static_cast<std::int64_t>(node_[i].size());
                for (const std::int32_t w : node_[i].word) ++tokens_of[static_cast<std::size_t>(w)];
            }
        });
        ranks_.all_reduce(std::span(tokens_of), communicator::operation::sum);
        ranks_.all_reduce(std::span(tokens_in), communicator::operation::sum);
        cuts_ = cut_words(tokens_of, nodes_);
        std::uint64_t before = 0;
        for (std::size_t n = 0; n < nodes_; ++n) {
            if (n >= mine_.begin && n < mine_.end) node_[n - mine_.begin].first_token = before;
            before += static_cast<std::uint64_t>(tokens_in[n]);
        }
        tokens_ = before;
        communicator::agree(ranks_, [&] {
            each([&](std::size_t i) {
                node_[i].index(cuts_);
                tables_[i].assign(numbers_of(mine_.begin + i), 0);
            });
        });
    }

    std::size_t topics() const { return topics_; }
    std::size_t vocabulary() const { return vocabulary_; }
    std::size_t documents() const { return documents_; }
    std::uint64_t tokens() const { return tokens_; }
    const std::vector<std::int64_t>& totals() const { return totals_; }
    std::vector<topic_node>& nodes() { return node_; }
    const std::vector<topic_node>& nodes() const { return node_; }
    const C& ranks() const { return ranks_; }

    /// visit(i, node, block) once for each of this rank's nodes i and each block of words, on its threads. It may change topics of the
    /// node's tokens in the block, the counts of the block, and the node's totals. Collective.
    template <class F> void sweep(F&& visit) {
        for (std::size_t round = 0; round < nodes_; ++round) {
            std::vector<std::int64_t> changes(topics_ + 1);
            std::exception_ptr failure;
            try {
                each([&](std::size_t i) {
                    node_[i].totals = totals_;
                    visit(i, node_[i], block((mine_.begin + i + round) % nodes_, i));
                });
                for (const topic_node& node : node_)
                    for (std::size_t k = 0; k < topics_; ++k) changes[k] += node.totals[k] - totals_[k];
            } catch (...) {
                failure = std::current_exception();
                changes[topics_] = 1;
            }
            ranks_.all_reduce(std::span(changes), communicator::operation::sum);
            if (changes[topics_] != 0) communicator::agree(ranks_, failure);
            for (std::size_t k = 0; k < topics_; ++k) totals_[k] += changes[k];
            rotate(round);
        }
    }

    /// f(i, node, block, partial) for each node with its own block of words; out: the exact sum of all nodes' partials. Collective.
    template <class F> void sum(std::span<double> out, F&& f) {
        std::vector<double> partials;
        std::exception_ptr failure;
        try {
            partials.resize(node_.size() * out.size());
            each([&](std::size_t i) {
                f(i, std::as_const(node_[i]), block(mine_.begin + i, i), partials.data() + i * out.size());
            });
        } catch (...) {
            failure = std::current_exception();
        }
        communicator::sum(ranks_, std::span<const double>(partials), node_.size(), out, failure);
    }

    /// log p(words, topics | priors), Griffiths and Steyvers, PNAS 2004:
    ///   sum_k [ sum_w log (beta)_(n_kw)  -  log (V beta)_(n_k) ]  +  sum_d [ sum_k log (alpha_k)_(n_dk)  -  log (sum alpha)_(n_d) ]
    /// with (a)_n = a (a + 1) ... (a + n - 1). One exact sum.
    double log_likelihood(const topic_priors& priors) {
        double of_documents = 0;
        for (const double a : priors.alpha) of_documents += a;
        double all = 0;
        sum({&all, 1}, [&](std::size_t, const topic_node& node, const word_block& own, double* partial) {
            for (std::size_t at = 0; at < own.size(); ++at)
                if (own.counts[at] > 0) *partial += log_rising(priors.beta, static_cast<std::size_t>(own.counts[at]));
            std::vector<std::size_t> counts(topics_);
            for (std::size_t d = 0; d + 1 < node.first.size(); ++d) {
                each_topic(node, d, counts,
                           [&](std::size_t k, std::size_t n) { *partial += log_rising(priors.alpha[k], n); });
                *partial -= log_rising(of_documents, node.length(d));
            }
        });
        for (const std::int64_t n : totals_)
            all -= log_rising(static_cast<double>(vocabulary_) * priors.beta, static_cast<std::size_t>(n));
        return all;
    }

    /// to[k words + w] += n_kw for this rank's blocks; summed over ranks that is all counts.
    void add_counts(std::vector<double>& to) const {
        for (std::size_t i = 0; i < node_.size(); ++i) {
            const std::size_t first = cuts_[mine_.begin + i], last = cuts_[mine_.begin + i + 1];
            for (std::size_t w = first; w < last; ++w)
                for (std::size_t k = 0; k < topics_; ++k)
                    to[k * vocabulary_ + w] += tables_[i][(w - first) * topics_ + k];
        }
    }

private:
    template <class F> void each(F&& f) const {
        backend::parallel_for(std::size_t{0}, node_.size(), threads_, [&](std::size_t i, std::size_t) { f(i); });
    }
    std::size_t numbers_of(std::size_t block) const { return (cuts_[block + 1] - cuts_[block]) * topics_; }
    word_block block(std::size_t number, std::size_t i) {
        return {number, cuts_[number], cuts_[number + 1] - cuts_[number], topics_, vocabulary_, tables_[i].data()};
    }
    int rank_of(std::size_t node) const {
        const auto size = static_cast<std::size_t>(ranks_.size());
        std::size_t rank = node * size / nodes_;
        while (rank + 1 < size && nodes_ * (rank + 1) / size <= node) ++rank;
        return static_cast<int>(rank);
    }

    /// Each node's block goes to the node before it.
    void rotate(std::size_t round) {
        if (node_.empty() || nodes_ == 1) return;
        std::vector<std::int32_t> gone = std::move(tables_.front());
        for (std::size_t i = 0; i + 1 < tables_.size(); ++i) tables_[i] = std::move(tables_[i + 1]);
        if (mine_.size() == nodes_) {
            tables_.back() = std::move(gone);
            return;
        }
        tables_.back().resize(numbers_of((mine_.end + round) % nodes_));
        const communicator::parcel<const std::int32_t> out{rank_of((mine_.begin + nodes_ - 1) % nodes_), gone};
        const communicator::parcel<std::int32_t> in{rank_of(mine_.end % nodes_), tables_.back()};
        ranks_.exchange(std::span(&out, 1), std::span(&in, 1));
    }

    const C& ranks_;
    std::size_t topics_, nodes_, vocabulary_, documents_;
    data::range mine_;
    std::size_t threads_;
    std::vector<topic_node> node_;
    std::vector<std::vector<std::int32_t>> tables_;  // a block of words per node of this rank
    std::vector<std::int64_t> totals_;
    std::vector<std::size_t> cuts_;
    std::uint64_t tokens_ = 0;
};

/// Gives each token of the node's block any topic, all of them equally likely.
inline void draw_any_topics(topic_node& node, const word_block& block, const core::random& draws) {
    for (std::size_t r = node.block_runs[block.number]; r < node.block_runs[block.number + 1]; ++r)
        for (std::size_t at = node.runs[r].begin; at < node.runs[r].end; ++at) {
            const std::size_t t = node.by_word[at];
            const std::size_t k = draws.below(node.first_token + t, block.topics);
            node.topic[t] = static_cast<std::int32_t>(k);
            ++node.totals[k];
            ++block.row(node.runs[r].word)[k];
        }
}

}  // namespace gamut::learn::detail

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
#include <gamut/communicator/rotation.hpp>
#include <gamut/communicator/sum.hpp>
#include <gamut/core/random.hpp>
#include <gamut/learn/detail/cut.hpp>
#include <gamut/learn/detail/log_rising.hpp>
#include <gamut/learn/detail/shards.hpp>
#include <gamut/learn/detail/topic_node.hpp>
#include <gamut/learn/detail/word_block.hpp>

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

/// Tokens of all documents and how often topics have words. Words are cut into as many blocks as there are nodes, and in a sweep each block
/// visits each node (communicator/rotation.hpp): nodes that work at the same time share neither documents nor words. Only the totals of
/// topics lag behind what other nodes do in the same round; with one node nothing does.
/// Everything follows from the number of nodes; ranks and threads only share the nodes out.   Zheng et al., STRADS; Yuan et al., WWW 2015.
/// Messages per sweep and rank: nodes times a block (words / nodes x topics 33 / 32 whole numbers, or less) to a neighbour, and as many all-reduces of
/// topics numbers.
template <communicator::PairwiseCommunicator C> class topic_counts {
public:
    /// rows: loaded with one block per node. Collective; throws data_error where counts are none.
    template <class Dataset>
    topic_counts(const C& ranks, const Dataset& rows, std::size_t topics, int threads,
                 communicator::route way = communicator::route::ring)
        : ranks_(ranks),
          blocks_(ranks, rows.partition.blocks, way),
          topics_(topics),
          nodes_(blocks_.nodes()),
          vocabulary_(rows.columns()),
          documents_(rows.rows()),
          mine_(blocks_.mine()),
          threads_(std::max<std::size_t>(1, std::min(static_cast<std::size_t>(std::max(threads, 1)), mine_.size()))),
          node_(mine_.size()),
          tables_(mine_.size()),
          rooms_(mine_.size()),
          begins_{0},
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
        cuts_ = cut_evenly(tokens_of, nodes_);
        for (const std::int64_t tokens : tokens_of)
            begins_.push_back(begins_.back() + word_block::width(topics_, static_cast<std::size_t>(tokens)));
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
                rooms_[i].assign(word_block::width(topics_), 0);
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
                    visit(i, node_[i], block(blocks_.block_at(mine_.begin + i, round), i));
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
            blocks_.move(round, tables_, [&](std::size_t number) { return numbers_of(number); });
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
        const rising_logs of_word(priors.beta, 128);
        std::vector<rising_logs> of_topic;  // one that all share, or each its own
        const bool alike = std::equal(priors.alpha.begin() + 1, priors.alpha.end(), priors.alpha.begin());
        for (std::size_t k = 0; k < (alike ? 1 : topics_); ++k)
            of_topic.emplace_back(priors.alpha[k], alike ? 128 : 32);
        double all = 0;
        sum({&all, 1}, [&](std::size_t, const topic_node& node, const word_block& own, double* partial) {
            for (std::size_t w = own.first_word; w < own.first_word + own.words; ++w) {
                own.each_count(w,
                               [&](std::size_t, std::int32_t n) { *partial += of_word(static_cast<std::size_t>(n)); });
            }
            std::vector<std::size_t> counts(topics_);
            for (std::size_t d = 0; d + 1 < node.first.size(); ++d) {
                each_topic(node, d, counts,
                           [&](std::size_t k, std::size_t n) { *partial += of_topic[alike ? 0 : k](n); });
                *partial -= log_rising(of_documents, node.length(d));
            }
        });
        for (const std::int64_t n : totals_)
            all -= log_rising(static_cast<double>(vocabulary_) * priors.beta, static_cast<std::size_t>(n));
        return all;
    }

    /// Counts and totals from the tokens' topics, whatever they were before. Collective: as a sweep.
    void recount() {
        for (auto& table : tables_) std::fill(table.begin(), table.end(), 0);
        std::fill(totals_.begin(), totals_.end(), std::int64_t{0});
        sweep([](std::size_t, topic_node& node, const word_block& block) {
            for (std::size_t r = node.block_runs[block.number]; r < node.block_runs[block.number + 1]; ++r) {
                std::int32_t* const row = block.open(node.runs[r].word);
                for (std::size_t at = node.runs[r].begin; at < node.runs[r].end; ++at) {
                    const auto k = static_cast<std::size_t>(node.topic[node.by_word[at]]);
                    ++node.totals[k];
                    block.add(row, k);
                }
                block.close(node.runs[r].word);
            }
        });
    }
    /// The words whose counts add_counts has.
    data::range words() const { return {cuts_[mine_.begin], cuts_[mine_.end]}; }

    /// to[k words + w] += n_kw for this rank's blocks; summed over ranks that is all counts.
    void add_counts(std::vector<double>& to) {
        for (std::size_t i = 0; i < node_.size(); ++i) {
            const word_block own = block(mine_.begin + i, i);
            for (std::size_t w = own.first_word; w < own.first_word + own.words; ++w) {
                own.each_count(w, [&](std::size_t k, std::int32_t n) { to[k * vocabulary_ + w] += n; });
            }
        }
    }

private:
    template <class F> void each(F&& f) const {
        backend::parallel_for(std::size_t{0}, node_.size(), threads_, [&](std::size_t i, std::size_t) { f(i); });
    }
    std::size_t numbers_of(std::size_t block) const { return begins_[cuts_[block + 1]] - begins_[cuts_[block]]; }
    word_block block(std::size_t number, std::size_t i) {
        return {number,
                cuts_[number],
                cuts_[number + 1] - cuts_[number],
                topics_,
                vocabulary_,
                begins_.data(),
                tables_[i].data(),
                rooms_[i].data()};
    }
    const C& ranks_;
    communicator::rotation<C> blocks_;
    std::size_t topics_, nodes_, vocabulary_, documents_;
    typename communicator::rotation<C>::range mine_;
    std::size_t threads_;
    std::vector<topic_node> node_;
    std::vector<std::vector<std::int32_t>> tables_, rooms_;  // per node of this rank a block of words, and room for one
    std::vector<std::size_t> begins_;                        // of words' rows, if all stood one behind another
    std::vector<std::int64_t> totals_;
    std::vector<std::size_t> cuts_;
    std::uint64_t tokens_ = 0;
};

/// Gives each token of the node's block any topic, all of them equally likely.
inline void draw_any_topics(topic_node& node, const word_block& block, const core::random& draws) {
    for (std::size_t r = node.block_runs[block.number]; r < node.block_runs[block.number + 1]; ++r) {
        std::int32_t* const row = block.open(node.runs[r].word);
        for (std::size_t at = node.runs[r].begin; at < node.runs[r].end; ++at) {
            const std::size_t t = node.by_word[at];
            const std::size_t k = draws.below(node.first_token + t, block.topics);
            node.topic[t] = static_cast<std::int32_t>(k);
            ++node.totals[k];
            block.add(row, k);
        }
        block.close(node.runs[r].word);
    }
}

}  // namespace gamut::learn::detail

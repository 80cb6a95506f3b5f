// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include <gamut/communicator/agree.hpp>
#include <gamut/core/random.hpp>
#include <gamut/learn/detail/rows.hpp>
#include <gamut/learn/detail/shards.hpp>

namespace gamut::learn::detail {

/// Draws from many distributions over topics, each in constant time (Walker's alias method): word w draws topic k in proportion to
/// n_wk, over the topics that it has.
class alias_tables {
public:
    void build(const std::vector<std::int32_t>& counts, std::size_t words, std::size_t topics) {
        first_.assign(words + 1, 0);
        cells_.clear();
        std::vector<double> mass;
        std::vector<std::uint32_t> small, large;
        for (std::size_t w = 0; w < words; ++w) {
            const std::int32_t* const row = counts.data() + w * topics;
            const std::size_t begin = cells_.size();
            double total = 0;
            mass.clear();
            for (std::size_t k = 0; k < topics; ++k)
                if (row[k] > 0) {
                    cells_.push_back({static_cast<std::uint32_t>(k), static_cast<std::uint32_t>(k), 1});
                    mass.push_back(row[k]);
                    total += row[k];
                }
            const auto count = static_cast<double>(mass.size());
            small.clear();
            large.clear();
            for (std::size_t c = 0; c < mass.size(); ++c) {
                mass[c] *= count / total;
                (mass[c] < 1 ? small : large).push_back(static_cast<std::uint32_t>(c));
            }
            while (!small.empty() && !large.empty()) {
                const std::uint32_t s = small.back(), l = large.back();
                small.pop_back();
                cells_[begin + s].other = cells_[begin + l].own;
                cells_[begin + s].share = mass[s];
                mass[l] -= 1 - mass[s];
                if (mass[l] < 1) {
                    large.pop_back();
                    small.push_back(l);
                }
            }
            first_[w + 1] = cells_.size();
        }
    }
    /// u uniform on [0, 1); the word has a topic.
    std::size_t draw(std::size_t word, double u) const {
        const std::size_t begin = first_[word], count = first_[word + 1] - begin;
        const double place = u * static_cast<double>(count);
        const auto c = std::min(count - 1, static_cast<std::size_t>(place));
        const cell& found = cells_[begin + c];
        return place - static_cast<double>(c) < found.share ? found.own : found.other;
    }

private:
    struct cell {
        std::uint32_t own, other;
        double share;
    };
    std::vector<std::size_t> first_;
    std::vector<cell> cells_;
};

/// The topics of this rank's tokens. In an iteration all documents see the counts n_wk and n_k that it began with, their own tokens' part
/// taken out, so that a document's draws depend on no other document of that iteration. A token's topic is drawn by Metropolis and
/// Hastings, from s to t with proposals in proportion to n_dk + alpha (the topic of a token of the document) and n_wk + beta (alias), in
/// turns, for the target  (n_dk + alpha)(n_wk + beta) / (n_k + V beta).
template <communicator::Communicator C, class Dataset> class topic_sampler {
public:
    topic_sampler(const shards<C>& by, const Dataset& rows, std::size_t topics, double alpha, double beta,
                  std::uint64_t seed)
        : by_(by),
          first_row_(rows.first_row),
          all_rows_(rows.rows()),
          words_(rows.columns()),
          topics_(topics),
          alpha_(alpha),
          beta_(beta),
          seed_(seed),
          first_(rows.local_rows() + 1) {
        for (std::size_t i = 0; i < rows.local_rows(); ++i) {
            visit_row(rows.x, i, [&](std::size_t j, double count) {
                for (double c = 0; c < count; ++c) tokens_.push_back(static_cast<std::uint32_t>(j));
            });
            first_[i + 1] = tokens_.size();
        }
        z_.resize(tokens_.size());
        for (std::size_t i = 0; i + 1 < first_.size(); ++i)
            for (std::size_t t = first_[i]; t < first_[i + 1]; ++t)
                z_[t] = static_cast<std::uint32_t>(draws(0, i).below(t - first_[i], topics));
    }

    /// Collective: one all-reduce of words x topics counts, of 4 bytes each.
    void count() {
        counts_.assign(words_ * topics_, 0);
        for (std::size_t t = 0; t < tokens_.size(); ++t) ++counts_[tokens_[t] * topics_ + z_[t]];
        by_.ranks().all_reduce(std::span<std::int32_t>(counts_), communicator::operation::sum);
        of_topic_.assign(topics_, 0);
        of_word_.assign(words_, 0);
        for (std::size_t w = 0; w < words_; ++w)
            for (std::size_t k = 0; k < topics_; ++k) {
                of_topic_[k] += counts_[w * topics_ + k];
                of_word_[w] += counts_[w * topics_ + k];
            }
    }
    const std::vector<std::int32_t>& counts() const { return counts_; }
    const std::vector<std::int64_t>& of_topic() const { return of_topic_; }
    std::int64_t tokens() const {
        std::int64_t all = 0;
        for (const std::int64_t n : of_topic_) all += n;
        return all;
    }

    /// New topics for all tokens, then counts. Iterations are numbered from 1 on.
    void sample(std::size_t iteration, std::size_t rounds) {
        communicator::agree(by_.ranks(), [&] {
            alias_.build(counts_, words_, topics_);
            by_.each([&](std::size_t, data::range local, std::size_t) {
                std::vector<std::int32_t> of_document(topics_);
                for (std::size_t i = local.begin; i < local.end; ++i)
                    sample_document(i, draws(iteration, i), rounds, of_document);
            });
        });
        count();
    }

    /// log p(words, topics) with both multinomials integrated out (Griffiths and Steyvers, PNAS 101, 2004). One exact sum.
    double log_likelihood() const {
        std::vector<double> documents(1);
        const double k_alpha = static_cast<double>(topics_) * alpha_, v_beta = static_cast<double>(words_) * beta_;
        by_.sum(documents, [&](std::size_t, data::range local, std::size_t, double* partial) {
            std::vector<std::int32_t> of_document(topics_);
            for (std::size_t i = local.begin; i < local.end; ++i) {
                std::fill(of_document.begin(), of_document.end(), 0);
                for (std::size_t t = first_[i]; t < first_[i + 1]; ++t) ++of_document[z_[t]];
                *partial +=
                    std::lgamma(k_alpha) - std::lgamma(k_alpha + static_cast<double>(first_[i + 1] - first_[i]));
                for (const std::int32_t n : of_document)
                    if (n > 0) *partial += std::lgamma(n + alpha_) - std::lgamma(alpha_);
            }
        });
        double sum = documents[0];
        const double one = std::lgamma(beta_);
        for (const std::int32_t n : counts_)
            if (n > 0) sum += std::lgamma(n + beta_) - one;
        for (const std::int64_t n : of_topic_)
            sum += std::lgamma(v_beta) - std::lgamma(v_beta + static_cast<double>(n));
        return sum;
    }

private:
    core::random draws(std::size_t iteration, std::size_t row) const {
        return {.seed = seed_, .stream = iteration * all_rows_ + first_row_ + row};
    }

    void sample_document(std::size_t i, const core::random& source, std::size_t rounds,
                         std::vector<std::int32_t>& of_document) {
        const std::size_t begin = first_[i], length = first_[i + 1] - begin;
        std::fill(of_document.begin(), of_document.end(), 0);
        for (std::size_t t = begin; t < begin + length; ++t) ++of_document[z_[t]];
        const double v_beta = static_cast<double>(words_) * beta_, k_alpha = static_cast<double>(topics_) * alpha_;
        const double k_beta = static_cast<double>(topics_) * beta_;
        std::uint64_t next = 0;
        const auto uniform = [&] { return source.uniform(next++); };
        for (std::size_t t = begin; t < begin + length; ++t) {
            const std::size_t word = tokens_[t],
                              before = z_[t];  // its part in the counts that the iteration began with
            const std::int32_t* const row = counts_.data() + word * topics_;
            std::size_t now = before;
            --of_document[now];
            const auto of_word = [&](std::size_t k) { return row[k] - (k == before ? 1 : 0) + beta_; };
            const auto target = [&](std::size_t k) {
                return (of_document[k] + alpha_) * of_word(k) /
                       (static_cast<double>(of_topic_[k]) - (k == before ? 1 : 0) + v_beta);
            };
            double here = target(now);
            const auto move = [&](std::size_t to, double back_over_forth) {
                if (to == now) return;
                const double there = target(to);
                if (there * back_over_forth >= here || uniform() * here < there * back_over_forth) {
                    now = to;
                    here = there;
                }
            };
            const auto share = [&](double u, double part, double whole) { return u * whole < part; };
            const double others = static_cast<double>(length - 1);
            for (std::size_t r = 0; r < rounds; ++r) {
                // of the document: the topic of another of its tokens, or any
                std::size_t to;
                if (share(uniform(), others, others + k_alpha)) {
                    auto other = begin + static_cast<std::size_t>(uniform() * others);
                    if (other >= t) ++other;
                    to = z_[other];
                } else {
                    to = std::min(topics_ - 1, static_cast<std::size_t>(uniform() * static_cast<double>(topics_)));
                }
                move(to, (of_document[now] + alpha_) / (of_document[to] + alpha_));
                // of the word: in proportion to n_wk + beta, its own token included
                const auto all = static_cast<double>(of_word_[word]);
                if (share(uniform(), all, all + k_beta))
                    to = alias_.draw(word, uniform());
                else
                    to = std::min(topics_ - 1, static_cast<std::size_t>(uniform() * static_cast<double>(topics_)));
                move(to, (row[now] + beta_) / (row[to] + beta_));
            }
            ++of_document[now];
            z_[t] = static_cast<std::uint32_t>(now);
        }
    }

    const shards<C>& by_;
    std::size_t first_row_, all_rows_, words_, topics_;
    double alpha_, beta_;
    std::uint64_t seed_;
    std::vector<std::size_t> first_;
    std::vector<std::uint32_t> tokens_, z_;
    std::vector<std::int32_t> counts_;
    std::vector<std::int64_t> of_topic_, of_word_;
    alias_tables alias_;
};

}  // namespace gamut::learn::detail

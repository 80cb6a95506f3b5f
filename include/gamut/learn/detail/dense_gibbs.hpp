// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include <gamut/backend/kernel.hpp>
#include <gamut/core/error.hpp>
#include <gamut/core/random.hpp>
#include <gamut/learn/detail/topic_counts.hpp>
#include <gamut/learn/detail/topic_node.hpp>

namespace gamut::learn::detail {

/// What tokens of a word are drawn with:  p(k) ~ (n_dk + alpha_k) g_k,  g_k = (n_kw + beta) / (n_k + V beta),  in single precision.
/// Topic 32 r + 8 q + l stands in row r, quarter q and lane l: rows are summed by four vectors at a time, and a topic is found by lane, quarter
/// and row, by comparisons that do not wait for each other. Padded with zeros to whole rows.
class topic_weights {
public:
    static constexpr std::size_t lanes = 8, width = 4 * lanes;

    explicit topic_weights(std::size_t topics)
        : topics_(topics),
          padded_(padded(topics)),
          alpha_(padded_),
          g_(padded_),
          sums_(padded_),
          less_(topics),
          below_(topics),
          more_(topics) {}

    /// Whole rows.
    static std::size_t padded(std::size_t topics) { return (topics + width - 1) / width * width; }
    std::size_t padded() const { return padded_; }

    void begin(const topic_priors& priors, double all, const std::vector<std::int64_t>& totals) {
        constexpr double least = 1e-12;  // a prior below would make a weight 0
        all_ = std::max(all, least);
        beta_ = static_cast<float>(std::max(priors.beta, least));
        for (std::size_t k = 0; k < topics_; ++k) {
            alpha_[k] = static_cast<float>(std::clamp(priors.alpha[k], least, 1 / least));
            less_[k] = over(totals[k] - 1);
            below_[k] = over(totals[k]);
            more_[k] = over(totals[k] + 1);
        }
    }
    GAMUT_INLINE void of_word(const std::int32_t* row) {
        for (std::size_t k = 0; k < topics_; ++k) g_[k] = (static_cast<float>(row[k]) + beta_) * below_[k];
    }
    // The next division is made when nobody waits for it.
    template <std::size_t Bytes> GAMUT_INLINE void removed(std::size_t k, std::int32_t of_word, std::int64_t total) {
        more_[k] = below_[k];
        below_[k] = less_[k];
        put<Bytes>(g_.data(), k, (static_cast<float>(of_word) + beta_) * below_[k]);
        less_[k] = over(total - 1);
    }
    template <std::size_t Bytes> GAMUT_INLINE void added(std::size_t k, std::int32_t of_word, std::int64_t total) {
        less_[k] = below_[k];
        below_[k] = more_[k];
        put<Bytes>(g_.data(), k, (static_cast<float>(of_word) + beta_) * below_[k]);
        more_[k] = over(total + 1);
    }

    /// values[k] becomes this, or more by so much. Written as the whole row that is read next: of a part a processor makes the reader wait.
    template <std::size_t Bytes> GAMUT_INLINE static void put(float* values, std::size_t k, float value) {
        using P = backend::pack<float, Bytes>;
        float* const row = values + k / lanes * lanes;
        const P one = only<Bytes>(k);
        ((P(1) - one) * P::load(row) + one * P(value)).store(row);
    }
    template <std::size_t Bytes> GAMUT_INLINE static void add(float* values, std::size_t k, float more) {
        using P = backend::pack<float, Bytes>;
        float* const row = values + k / lanes * lanes;
        (P::load(row) + only<Bytes>(k) * P(more)).store(row);
    }

    /// k with probability p(k); uniform: in [0, 1).
    template <std::size_t Bytes> GAMUT_INLINE std::size_t draw(const float* in_document, double uniform) {
        using P = backend::pack<float, Bytes>;
        static_assert(P::width == lanes);
        const float *const alpha = alpha_.data(), *const g = g_.data();
        float* const sums = sums_.data();
        const std::size_t padded = padded_;
        P quarter[4] = {P(0), P(0), P(0), P(0)};
        for (std::size_t k = 0; k < padded; k += width)
            for (std::size_t q = 0; q < 4; ++q) {
                const std::size_t at = k + q * lanes;
                quarter[q] += (P::load(in_document + at) + P::load(alpha + at)) * P::load(g + at);
                quarter[q].store(sums + at);
            }
        float of[lanes];
        ((quarter[0] + quarter[1]) + (quarter[2] + quarter[3])).store(of);
        double upto[lanes + 1] = {};  // the sums of the first lanes
        upto[1] = of[0];
        upto[2] = static_cast<double>(of[0]) + of[1];
        upto[3] = upto[2] + of[2];
        upto[4] = upto[2] + (static_cast<double>(of[2]) + of[3]);
        upto[5] = upto[4] + of[4];
        upto[6] = upto[4] + (static_cast<double>(of[4]) + of[5]);
        upto[7] = upto[6] + of[6];
        upto[8] = upto[6] + (static_cast<double>(of[6]) + of[7]);
        const double u = uniform * upto[lanes];
        std::size_t lane = 0, q = 0, row = 0;
        for (std::size_t l = 1; l < lanes; ++l) lane += u >= upto[l] ? 1 : 0;
        const float* const last = sums + padded - width + lane;
        const float first = last[0], half = first + last[lanes], most = half + last[2 * lanes];
        auto left = static_cast<float>(u - upto[lane]);
        q = (left >= first ? 1u : 0u) + (left >= half ? 1u : 0u) + (left >= most ? 1u : 0u);
        const float before[4] = {0, first, half, most};
        left -= before[q];
        for (const float* at = sums + q * lanes + lane; at < sums + padded; at += width) row += left >= *at ? 1 : 0;
        return std::min(row * width + q * lanes + lane, topics_ - 1);  // rounding may go past the last one
    }

private:
    /// 1 in the lane of k, 0 in the others.
    template <std::size_t Bytes> GAMUT_INLINE static auto only(std::size_t k) {
        static constexpr float numbers[2 * lanes - 1] = {0, 0, 0, 0, 0, 0, 0, 1};
        return backend::pack<float, Bytes>::load(numbers + lanes - 1 - k % lanes);
    }
    GAMUT_INLINE float over(std::int64_t total) const {
        return static_cast<float>(1 / (static_cast<double>(std::max<std::int64_t>(total, 0)) + all_));
    }

    std::size_t topics_, padded_;
    double all_ = 0;
    float beta_ = 0;
    std::vector<float> alpha_, g_;
    std::vector<float> sums_;                 // of a lane's weights up to each row
    std::vector<float> less_, below_, more_;  // 1 / (n_k + V beta), with a token less, as it is, and with one more
};

/// Collapsed Gibbs sampling for topics that are not too many: a token's topic is drawn with, all counts without the token,
///   p(k) ~ (n_dk + alpha_k) (n_kw + beta) / (n_k + V beta)
/// Word by word, over all topics in vectors: to 2^-24 of their sum. Per token: topics / 8 steps of a vector. Memory: 4 bytes per topic and
/// document. The bits follow from the counts alone.
class dense_gibbs {
public:
    /// Whether this is the way for so many topics (documents have few of more), and documents: of all ranks, whose counts must not take more
    /// than 64 MiB, or four times what the tokens take.
    static bool takes(std::size_t topics, std::size_t documents, std::uint64_t tokens) {
        const double bytes = 4.0 * static_cast<double>(documents) * static_cast<double>(topic_weights::padded(topics));
        return topics <= 512 && bytes <= std::max(0x1p26, 4.0 * 28 * static_cast<double>(tokens));
    }

    /// Throws data_error for a document whose counts a float does not hold.
    dense_gibbs(const topic_node& node, std::size_t topics)
        : weights_(topics),
          tokens_(node.size()),
          counts_((node.first.size() - 1) * weights_.padded()) {
        for (std::size_t d = 0; d + 1 < node.first.size(); ++d)
            if (node.length(d) > std::size_t{1} << 24)
                throw core::data_error(core::text("topics: a document has ", node.length(d),
                                                  " words (2^24 at most) split it, or choose sampling::metropolis"));
        recount(node);
    }

    /// The node's tokens have other topics.
    void recount(const topic_node& node) {
        std::fill(counts_.begin(), counts_.end(), 0.0f);
        for (std::size_t at = 0; at < node.size(); ++at) {
            const std::size_t t = node.by_word[at];
            tokens_[at] = {node.document[t], node.topic[t]};
            if (node.topic[t] != topic_node::none)
                ++counts_[node.document[t] * weights_.padded() + static_cast<std::size_t>(node.topic[t])];
        }
    }

    /// The node's tokens in the block, once each. A token that has no topic is drawn as if it came last of all.
    void operator()(topic_node& node, const word_block& block, const topic_priors& priors, const core::random& draws) {
        weights_.begin(priors, static_cast<double>(block.vocabulary) * priors.beta, node.totals);
        const std::size_t from = node.block_runs[block.number], to = node.block_runs[block.number + 1];
        if (from == to) return;
        const std::size_t begin = node.runs[from].begin, end = node.runs[to - 1].end;
        draw_uniforms(node.first_token + begin, node.first_token + end, draws);
        for (std::size_t r = from; r < to; ++r) {
            if (r + 1 < to) block.fetch(node.runs[r + 1].word);
            backend::run<word>(this, &node, &node.runs[r], &block, uniforms_.data() + (node.runs[r].begin - begin));
        }
    }

private:
    struct token {
        std::uint32_t document;
        std::int32_t topic;
    };

    struct word {
        template <std::size_t Bytes>
        GAMUT_INLINE static void run(dense_gibbs* own, topic_node* node, const topic_node::run* run,
                                     const word_block* block, const double* uniform) {
            topic_weights& weights = own->weights_;
            std::int32_t* const row = block->open(run->word);
            std::int64_t* const totals = node->totals.data();
            weights.of_word(row);
            for (std::size_t at = run->begin; at < run->end; ++at) {
                token& now = own->tokens_[at];
                float* const in_document = own->counts_.data() + now.document * weights.padded();
                if (now.topic != topic_node::none) {
                    const auto s = static_cast<std::size_t>(now.topic);
                    block->remove(row, s);
                    topic_weights::template add<Bytes>(in_document, s, -1);
                    weights.template removed<Bytes>(s, row[s], --totals[s]);
                }
                const std::size_t k = weights.template draw<Bytes>(in_document, *uniform++);
                block->add(row, k);
                topic_weights::template add<Bytes>(in_document, k, 1);
                weights.template added<Bytes>(k, row[k], ++totals[k]);
                now.topic = static_cast<std::int32_t>(k);
                node->topic[node->by_word[at]] = now.topic;
            }
            block->close(run->word);
        }
    };

    /// Those of the tokens from `begin` to `end`, by word; two share 128 bits.
    void draw_uniforms(std::uint64_t begin, std::uint64_t end, const core::random& draws) {
        uniforms_.resize(static_cast<std::size_t>(end - begin) + 1);
        const auto uniform = [](std::uint64_t bits) { return static_cast<double>(bits >> 11) * 0x1p-53; };
        double* to = uniforms_.data();
        if (begin < end && begin % 2 == 1) *to++ = uniform(draws.more_bits(begin++ / 2)[1]);
        for (; begin < end; begin += 2, to += 2) {
            const auto [first, second] = draws.more_bits(begin / 2);
            to[0] = uniform(first);
            to[1] = uniform(second);
        }
    }

    topic_weights weights_;
    std::vector<token> tokens_;  // by word
    std::vector<float> counts_;  // n_dk, documents x padded topics
    std::vector<double> uniforms_;
};

}  // namespace gamut::learn::detail

// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numeric>
#include <span>
#include <utility>
#include <vector>

#include <gamut/learn/detail/rows.hpp>
#include <gamut/learn/detail/topic_node.hpp>

namespace gamut::learn::detail {

/// What topics say of a document, words and their counts given: shares theta of topics, which have word w with probability phi_kw.
class topic_mixture {
public:
    /// counts: topics x words, n_kw.  phi_kw = (n_kw + beta) / (n_k + words beta).
    topic_mixture(const std::vector<double>& counts, std::size_t words, std::vector<double> alpha, double beta)
        : topics_(alpha.size()),
          alpha_(std::move(alpha)),
          phi_(words * topics_) {
        for (std::size_t k = 0; k < topics_; ++k) {
            const double* const row = counts.data() + k * words;
            const double below = std::accumulate(row, row + words, 0.0) + static_cast<double>(words) * beta;
            for (std::size_t w = 0; w < words; ++w) phi_[w * topics_ + k] = (row[w] + beta) / below;
        }
    }

    std::size_t topics() const { return topics_; }
    /// The probabilities of word w in all topics.
    const double* word(std::size_t w) const { return phi_.data() + w * topics_; }

    struct entry {
        std::size_t word;
        double count;
    };

    /// theta_k <- (sum_w n_w theta_k phi_kw / sum_j theta_j phi_jw + alpha_k) / (sum_w n_w + sum_j alpha_j),  from equal shares on, until
    /// none moves by 1e-9, or 200 times: the mode of p(theta | words) under Dirichlet(alpha + 1).
    void shares(std::span<const entry> words, double* theta) const {
        double all = std::accumulate(alpha_.begin(), alpha_.end(), 0.0);
        for (const entry& e : words) all += e.count;
        std::fill(theta, theta + topics_, 1 / static_cast<double>(topics_));
        std::vector<double> next(topics_);
        for (int round = 0; round < 200; ++round) {
            std::fill(next.begin(), next.end(), 0.0);
            for (const entry& e : words) {
                const double* const phi = word(e.word);
                const double part = e.count / likelihood(e.word, theta);
                for (std::size_t k = 0; k < topics_; ++k) next[k] += part * phi[k];
            }
            double moved = 0;
            for (std::size_t k = 0; k < topics_; ++k) {
                const double to = (theta[k] * next[k] + alpha_[k]) / all;
                moved = std::max(moved, std::abs(to - theta[k]));
                theta[k] = to;
            }
            if (moved <= 1e-9) return;
        }
    }

    /// sum_k theta_k phi_kw
    double likelihood(std::size_t w, const double* theta) const {
        const double* const phi = word(w);
        double sum = 0;
        for (std::size_t k = 0; k < topics_; ++k) sum += theta[k] * phi[k];
        return sum;
    }

private:
    std::size_t topics_;
    std::vector<double> alpha_, phi_;  // phi: words x topics
};

/// The words of document i, rising, that it has; throws data_error for what is no count.
template <class Dataset> std::vector<topic_mixture::entry> words_of(const Dataset& rows, std::size_t i) {
    std::vector<topic_mixture::entry> found;
    visit_row(rows.x, i, [&](std::size_t w, double value) {
        if (const std::size_t n = word_count(rows, i, w, value); n > 0) found.push_back({w, static_cast<double>(n)});
    });
    const auto before = [](const auto& a, const auto& b) { return a.word < b.word; };
    if (!std::is_sorted(found.begin(), found.end(), before)) std::sort(found.begin(), found.end(), before);
    return found;
}

}  // namespace gamut::learn::detail

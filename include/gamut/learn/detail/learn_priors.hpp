// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <vector>

#include <gamut/learn/detail/log_rising.hpp>
#include <gamut/learn/detail/topic_counts.hpp>

namespace gamut::learn::detail {

/// Improves the priors for the topics that tokens have now, by Minka's fixed point (Estimating a Dirichlet distribution, 2000):
///   alpha_k <- alpha_k  sum_d [psi(n_dk + alpha_k) - psi(alpha_k)]  /  sum_d [psi(n_d + sum alpha) - psi(sum alpha)]
///   beta    <- beta     sum_kw [psi(n_kw + beta) - psi(beta)]  /  (V sum_k [psi(n_k + V beta) - psi(V beta)])
/// None of the steps lowers p(words, topics | priors). Numbers stay in 1e-6..1e4: those of an unused topic would become 0.
/// Differences of psi are sums of 1 / (a + i), so a step costs as much as a look at all tokens, and one exact sum.
template <class C> void learn_priors(topic_counts<C>& counts, topic_priors& priors, std::size_t steps) {
    const std::size_t topics = counts.topics();
    const auto words = static_cast<double>(counts.vocabulary());
    std::vector<double> sums(topics + 2);
    for (std::size_t step = 0; step < steps; ++step) {
        const double all = std::accumulate(priors.alpha.begin(), priors.alpha.end(), 0.0);
        counts.sum(sums, [&](std::size_t, const topic_node& node, const word_block& own, double* partial) {
            std::vector<std::size_t> room(topics);
            for (std::size_t d = 0; d + 1 < node.first.size(); ++d) {
                each_topic(node, d, room,
                           [&](std::size_t k, std::size_t n) { partial[k] += rising_slope(priors.alpha[k], n); });
                partial[topics] += rising_slope(all, node.length(d));
            }
            for (std::size_t w = own.first_word; w < own.first_word + own.words; ++w) {
                own.each_count(w, [&](std::size_t, std::int32_t n) {
                    partial[topics + 1] += rising_slope(priors.beta, static_cast<std::size_t>(n));
                });
            }
        });
        double below = 0;
        for (const auto n : counts.totals()) below += rising_slope(words * priors.beta, static_cast<std::size_t>(n));
        const auto moved = [](double value, double above, double under) {
            return std::clamp(value * above / under, 1e-6, 1e4);
        };
        for (std::size_t k = 0; k < topics; ++k) priors.alpha[k] = moved(priors.alpha[k], sums[k], sums[topics]);
        priors.beta = moved(priors.beta, sums[topics + 1], words * below);
    }
}

}  // namespace gamut::learn::detail

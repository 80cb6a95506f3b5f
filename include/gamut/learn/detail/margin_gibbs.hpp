// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include <gamut/core/random.hpp>
#include <gamut/learn/detail/topic_counts.hpp>
#include <gamut/learn/detail/topic_node.hpp>

namespace gamut::learn::detail {

/// x ~ inverse Gaussian with this mean and shape 1.   Michael, Schucany and Haas, The American Statistician 30, 1976.
inline double inverse_gaussian(double mean, double normal, double uniform) {
    const double y = mean * normal * normal;
    const double x = 2 * mean / (2 + y + std::sqrt(y * (4 + y)));
    return uniform * (mean + x) <= mean ? x : mean * mean / x;
}

/// What the labels of documents want, per document and machine:  exp(-2 cost max(0, margin - y eta'z)),  z the shares of a document's
/// words in topics, is the integral over lambda > 0 of  (2 pi lambda)^(-1/2) exp(-(lambda + cost (margin - y eta'z))^2 / (2 lambda)).
struct margin_options {
    double cost = 1, margin = 16;
};

/// Gibbs sampling of topics and of lambda for the documents of a node.   Zhu, Chen, Perkins and Zhang, JMLR 15, 2014.
class margin_gibbs {
public:
    /// signs: documents x machines, +1 or -1.
    margin_gibbs(std::vector<double> signs, std::size_t machines, std::size_t topics)
        : machines_(machines),
          signs_(std::move(signs)),
          lambda_(signs_.size(), 1.0),
          in_document_(topics),
          slope_(topics),
          sums_(topics),
          score_(machines),
          linear_(machines),
          square_(machines) {}

    /// The topics of the node's tokens in the block, each given all others, lambda and eta (machines x topics):
    ///   p(k) ~ (n_dk + alpha_k) (n_kw + beta) / (n_k + V beta)  exp( sum_m eta_mk (a_m - 2 b_m s_m) - b_m eta_mk^2 )
    ///   a_m = cost y (lambda + cost margin) / (lambda n_d),   b_m = cost^2 / (2 lambda n_d^2),   s_m = sum of eta_m over the other tokens
    void operator()(topic_node& node, const word_block& block, const topic_priors& priors,
                    const std::vector<double>& eta, const margin_options& options, const core::random& draws) {
        const std::size_t topics = block.topics;
        const double all = static_cast<double>(block.vocabulary) * priors.beta;
        const auto in_block = [&](std::size_t t) {
            return static_cast<std::size_t>(node.word[t]) < block.first_word + block.words;
        };
        for (std::size_t d = 0; d + 1 < node.first.size(); ++d) {
            const std::size_t begin = node.first[d], end = node.first[d + 1];
            std::size_t t = begin;
            while (t < end && static_cast<std::size_t>(node.word[t]) < block.first_word) ++t;
            if (t == end || !in_block(t)) continue;
            enter(node, d, eta, options);
            for (; t < end && in_block(t); ++t) {
                std::int32_t* const row = block.open(static_cast<std::size_t>(node.word[t]));
                block.remove(row, static_cast<std::size_t>(node.topic[t]));
                move(node, static_cast<std::size_t>(node.topic[t]), -1, eta);
                std::fill(slope_.begin(), slope_.end(), 0.0);
                for (std::size_t m = 0; m < machines_; ++m) {
                    const double* const of = eta.data() + m * topics;
                    const double linear = linear_[m] - 2 * square_[m] * score_[m];
                    for (std::size_t k = 0; k < topics; ++k) slope_[k] += of[k] * (linear - square_[m] * of[k]);
                }
                const double most = *std::max_element(slope_.begin(), slope_.end());
                double sum = 0;
                for (std::size_t k = 0; k < topics; ++k) {
                    sum += (in_document_[k] + priors.alpha[k]) * (row[k] + priors.beta) /
                           (static_cast<double>(node.totals[k]) + all) * std::exp(slope_[k] - most);
                    sums_[k] = sum;
                }
                const double u = sum * draws.uniform(node.first_token + t);
                std::size_t k = 0;
                while (k + 1 < topics && u >= sums_[k]) ++k;
                node.topic[t] = static_cast<std::int32_t>(k);
                block.add(row, k);
                block.close(static_cast<std::size_t>(node.word[t]));
                move(node, k, 1, eta);
            }
            leave(node, d);
        }
    }

    /// lambda given topics and eta: 1 / lambda is inverse Gaussian with mean 1 / |cost (margin - y eta'z)| and shape 1.
    /// first_document: among those of all nodes. Adds 2 cost max(0, margin - y eta'z) to loss.
    void draw_lambda(const topic_node& node, std::size_t first_document, const std::vector<double>& eta,
                     const margin_options& options, const core::random& normals, const core::random& uniforms,
                     double& loss) {
        for (std::size_t d = 0; d + 1 < node.first.size(); ++d) {
            if (node.length(d) == 0) continue;
            enter(node, d, eta, options);
            leave(node, d);
            for (std::size_t m = 0; m < machines_; ++m) {
                const double missing =
                    options.margin - signs_[d * machines_ + m] * score_[m] / static_cast<double>(node.length(d));
                loss += 2 * options.cost * std::max(0.0, missing);
                const double mean = 1 / std::max(1e-8, std::abs(options.cost * missing));
                const std::uint64_t at = (first_document + d) * machines_ + m;
                lambda_[d * machines_ + m] =
                    1 / std::max(1e-12, inverse_gaussian(mean, normals.normal(at), uniforms.uniform(at)));
            }
        }
    }

    /// Adds what eta_m's conditional, a normal distribution, is made of: per machine the lower triangle of cost^2 sum z z' / lambda, and
    ///   cost sum (y (lambda + cost margin) / lambda + e / sqrt(lambda)) z
    /// with e standard normal: a right-hand side with which the solution of the system is a draw.
    void add_moments(const topic_node& node, std::size_t first_document, const margin_options& options,
                     const core::random& normals, double* partial) {
        const std::size_t topics = in_document_.size(), half = topics * (topics + 1) / 2;
        std::vector<std::pair<std::size_t, double>> shares;
        std::vector<std::size_t> room(topics);
        for (std::size_t d = 0; d + 1 < node.first.size(); ++d) {
            shares.clear();
            each_topic(node, d, room, [&](std::size_t k, std::size_t n) {
                shares.emplace_back(k, static_cast<double>(n) / static_cast<double>(node.length(d)));
            });
            for (std::size_t m = 0; m < machines_; ++m) {
                double* const to = partial + m * (half + topics);
                const double lambda = lambda_[d * machines_ + m], c = options.cost;
                const double e = normals.normal((first_document + d) * machines_ + m);
                const double right =
                    c * (signs_[d * machines_ + m] * (lambda + c * options.margin) / lambda + e / std::sqrt(lambda));
                for (const auto& [k, share] : shares) {
                    to[half + k] += right * share;
                    for (const auto& [j, other] : shares)
                        if (j <= k) to[k * (k + 1) / 2 + j] += c * c / lambda * share * other;
                }
            }
        }
    }

    std::vector<double>& lambda() { return lambda_; }

private:
    void move(topic_node& node, std::size_t k, int by, const std::vector<double>& eta) {
        node.totals[k] += by;
        in_document_[k] += by;
        for (std::size_t m = 0; m < machines_; ++m) score_[m] += by * eta[m * in_document_.size() + k];
    }
    void enter(const topic_node& node, std::size_t d, const std::vector<double>& eta, const margin_options& options) {
        for (std::size_t t = node.first[d]; t < node.first[d + 1]; ++t)
            ++in_document_[static_cast<std::size_t>(node.topic[t])];
        const auto length = static_cast<double>(node.length(d));
        for (std::size_t m = 0; m < machines_; ++m) {
            score_[m] = 0;
            for (std::size_t k = 0; k < in_document_.size(); ++k)
                score_[m] += in_document_[k] * eta[m * in_document_.size() + k];
            const double lambda = lambda_[d * machines_ + m], c = options.cost;
            linear_[m] = c * signs_[d * machines_ + m] * (lambda + c * options.margin) / (lambda * length);
            square_[m] = c * c / (2 * lambda * length * length);
        }
    }
    void leave(const topic_node& node, std::size_t d) {
        for (std::size_t t = node.first[d]; t < node.first[d + 1]; ++t)
            in_document_[static_cast<std::size_t>(node.topic[t])] = 0;
    }

    std::size_t machines_;
    std::vector<double> signs_, lambda_;  // documents x machines
    std::vector<std::int32_t> in_document_;
    std::vector<double> slope_, sums_, score_, linear_, square_;
};

}  // namespace gamut::learn::detail

// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include <gamut/communicator/agree.hpp>
#include <gamut/communicator/single.hpp>
#include <gamut/core/error.hpp>
#include <gamut/core/names.hpp>
#include <gamut/fwd.hpp>
#include <gamut/learn/concept.hpp>
#include <gamut/learn/detail/run.hpp>
#include <gamut/learn/detail/shards.hpp>
#include <gamut/learn/detail/targets.hpp>
#include <gamut/learn/detail/topic_sampler.hpp>
#include <gamut/learn/row_numbers.hpp>

namespace gamut::learn {

namespace detail {

/// Throws data_error unless all numbers are counts.
template <class Dataset> void check_counts(const Dataset& rows) {
    for (std::size_t i = 0; i < rows.local_rows(); ++i)
        visit_row(rows.x, i, [&](std::size_t j, double v) {
            if (v < 0 || v != std::floor(v) || v > 1e9)
                throw core::data_error(core::text(rows.source, ": row ", rows.first_row + i, ", column '",
                                                  rows.features[j], "' is ", v,
                                                  " (words are counted: whole numbers from 0 on) count them"));
        });
}

}  // namespace detail

/// Topics: distributions over words.
template <class C> struct fitted_topics : outcome {
    static constexpr const char* name = "topics";

    std::size_t topics = 0;
    double alpha = 0, beta = 0;
    core::names features{};
    std::vector<double> words{};  ///< topics x words, the probability of each word in each topic
    C communicator{};
    int threads = 0;

    /// The words of most probability in a topic.
    std::vector<std::string> top(std::size_t topic, std::size_t count) const {
        std::vector<std::size_t> order(features.size());
        std::iota(order.begin(), order.end(), std::size_t{0});
        const double* const p = words.data() + topic * features.size();
        std::sort(order.begin(), order.end(),
                  [&](std::size_t a, std::size_t b) { return p[a] > p[b] || (p[a] == p[b] && a < b); });
        std::vector<std::string> names;
        for (std::size_t k = 0; k < std::min(count, order.size()); ++k) names.push_back(features[order[k]]);
        return names;
    }

    /// Each document's share of each topic: 200 rounds of  theta_k <- sum_w n_w theta_k phi_kw / sum_j theta_j phi_jw + alpha, normalised.
    /// No message.
    template <data::DataSource S> row_numbers transform(const S& source) const {
        const auto rows = detail::load_rows(communicator, source, &features);
        row_numbers found{rows.first_row, topics, {}};
        gamut::communicator::agree(communicator, [&] {
            detail::check_counts(rows);
            found.values.resize(rows.local_rows() * topics);
            for (std::size_t i = 0; i < rows.local_rows(); ++i) {
                std::vector<std::pair<std::size_t, double>> counts;
                detail::visit_row(rows.x, i, [&](std::size_t j, double v) {
                    if (v > 0) counts.emplace_back(j, v);
                });
                const auto shares = shares_of(counts);
                std::copy(shares.begin(), shares.end(), found.values.begin() + static_cast<std::ptrdiff_t>(i * topics));
            }
        });
        return found;
    }

    /// loss: minus the mean log probability of every other token of a document (in the order of the words) given the rest of it, so that
    /// exp(loss) is the perplexity of document completion. One pass, one exact sum.
    template <data::DataSource S> learn::score score(const S& source) const {
        const auto rows = detail::load_rows(communicator, source, &features);
        gamut::communicator::agree(communicator, [&] { detail::check_counts(rows); });
        const detail::shards by(communicator, rows.partition,
                                detail::threads_of(communicator, threads, rows, 1000 * topics));
        std::vector<double> totals(2);
        by.sum(totals, [&](std::size_t, data::range local, std::size_t, double* partial) {
            for (std::size_t i = local.begin; i < local.end; ++i) {
                std::vector<std::pair<std::size_t, double>> seen, asked;
                std::size_t token = 0;
                detail::visit_row(rows.x, i, [&](std::size_t j, double v) {
                    const auto count = static_cast<std::size_t>(v);
                    const std::size_t even = (token + count + 1) / 2 - (token + 1) / 2;
                    token += count;
                    if (even > 0) seen.emplace_back(j, static_cast<double>(even));
                    if (count > even) asked.emplace_back(j, static_cast<double>(count - even));
                });
                const auto shares = shares_of(seen);
                for (const auto& [word, count] : asked) {
                    double p = 0;
                    for (std::size_t k = 0; k < topics; ++k) p += shares[k] * words[k * features.size() + word];
                    partial[0] -= count * std::log(p);
                    partial[1] += count;
                }
            }
        });
        return {.rows = rows.rows(), .loss = totals[1] > 0 ? totals[0] / totals[1] : learn::score::none};
    }

    template <class Self, class Visit> static void members(Self& fit, Visit&& visit) {
        outcome::members(fit, visit);
        visit("topics", fit.topics);
        visit("alpha", fit.alpha);
        visit("beta", fit.beta);
        visit("features", fit.features);
        visit("words", fit.words);
    }
    void validate() const {
        if (topics == 0 || words.size() != topics * features.size() || !(alpha > 0) || !(beta > 0))
            throw core::data_error(core::text(words.size(), " numbers (", topics, " topics, ", features.size(),
                                              " words, alpha ", alpha, ", beta ", beta, ") save the fit again"));
        for (const double p : words)
            if (!(p > 0 && p <= 1))
                throw core::data_error(core::text("probability ", p, " (it lies between 0 and 1) save the fit again"));
    }

private:
    std::vector<double> shares_of(const std::vector<std::pair<std::size_t, double>>& counts) const {
        std::vector<double> shares(topics, 1.0 / static_cast<double>(topics)), next(topics),
            phi(counts.size() * topics);
        for (std::size_t c = 0; c < counts.size(); ++c)
            for (std::size_t k = 0; k < topics; ++k) phi[c * topics + k] = words[k * features.size() + counts[c].first];
        for (int round = 0; round < 200; ++round) {
            std::fill(next.begin(), next.end(), 0.0);
            for (std::size_t c = 0; c < counts.size(); ++c) {
                const double* const p = phi.data() + c * topics;
                double sum = 0;
                for (std::size_t k = 0; k < topics; ++k) sum += shares[k] * p[k];
                const double factor = counts[c].second / sum;
                for (std::size_t k = 0; k < topics; ++k) next[k] += factor * shares[k] * p[k];
            }
            double all = 0;
            for (double& share : next) all += share += alpha;
            for (std::size_t k = 0; k < topics; ++k) shares[k] = next[k] / all;
        }
        return shares;
    }
};

/// Latent Dirichlet allocation: document d draws shares of topics theta_d ~ Dirichlet(alpha), every token a topic of it and a word of that
/// topic, phi_k ~ Dirichlet(beta) (Blei, Ng and Jordan, JMLR 3, 2003). Rows are documents, columns words, numbers counts.
///     learn::topics{.topics = 50}.fit(data::triples<>{.path = "docword.ap.txt"}).top(3, 10)
/// Collapsed Gibbs sampling (Griffiths and Steyvers, PNAS 101, 2004) by Metropolis and Hastings with proposals of the document and of the
/// word, whose cost per token does not depend on the number of topics (Yuan et al., LightLDA, WWW 2015), on counts that are renewed after
/// each iteration (Chen, Li, Zhu and Chen, WarpLDA, VLDB 2016): so documents are independent within an iteration, and the draws are the
/// same on any number of ranks. phi is the mean over the last `samples` iterations of (n_kw + beta) / (n_k + V beta).
/// Cost per iteration: a pass over this rank's tokens, and an all-reduce of words x topics counts. A sampler does not converge: it takes
/// stop.iterations iterations. objective: minus the joint log likelihood of words and topics per token. Sample weights are refused.
template <class C> struct topics {
    std::size_t topics = 20;
    double alpha = 0.1;
    double beta = 0.01;
    std::size_t rounds = 2;    ///< pairs of proposals per token and iteration
    std::size_t samples = 10;  ///< iterations at the end over which phi is the mean
    core::stop stop{.iterations = 200, .tolerance = 0};
    std::uint64_t seed = 0;
    int threads = 0;
    C communicator{};

    void validate() const {
        stop.validate("topics");
        if (topics == 0) throw core::option_error("topics: topics is 0 (one is needed) try 20");
        if (topics > 1000000)
            throw core::option_error(core::text("topics: topics is ", topics, " (1000000 at most) use fewer"));
        if (rounds == 0) throw core::option_error("topics: rounds is 0 (nothing would change) try 2");
        if (!(alpha > 0 && std::isfinite(alpha)))
            throw core::option_error(core::text("topics: alpha is ", alpha, " (it must be above 0) try 0.1"));
        if (!(beta > 0 && std::isfinite(beta)))
            throw core::option_error(core::text("topics: beta is ", beta, " (it must be above 0) try 0.01"));
    }

    template <data::DataSource S, core::Observer... O> fitted_topics<C> fit(const S& source, O&&... observers) const {
        return detail::fit_together(
            communicator,
            [&](core::any_observer observer) {
                gamut::communicator::agree(communicator, [&] { validate(); });
                const auto rows = detail::load_rows(communicator, source);
                if (detail::has_weights(communicator, rows))
                    throw core::data_error(
                        core::text(rows.source,
                                   ": sample weights (a document is sampled once) repeat rows, or leave weights out"));
                gamut::communicator::agree(communicator, [&] { detail::check_counts(rows); });
                return fit_rows(rows, observer);
            },
            observers...);
    }

private:
    template <class Dataset> fitted_topics<C> fit_rows(const Dataset& rows, core::any_observer observer) const {
        const std::size_t v = rows.columns();
        const detail::shards by(communicator, rows.partition, detail::threads_of(communicator, threads, rows, 20));
        fitted_topics<C> fit;
        fit.communicator = communicator;
        fit.threads = threads;
        fit.topics = topics;
        fit.alpha = alpha;
        fit.beta = beta;
        fit.features = rows.features;
        detail::topic_sampler<C, Dataset> state(by, rows, topics, alpha, beta, seed);
        state.count();
        const auto tokens = static_cast<double>(state.tokens());
        if (!(tokens > 0))
            throw core::data_error(core::text(rows.source, ": no words (all counts are 0) give it some"));
        detail::run<C> run(communicator, "topics", stop, observer);
        fit.words.assign(topics * v, 0.0);
        double summed = 0;
        for (std::size_t iteration = 1;; ++iteration) {
            if (topics > 1) state.sample(iteration, rounds);
            const double objective = -state.log_likelihood() / tokens;
            const auto used = static_cast<std::size_t>(
                std::count_if(state.counts().begin(), state.counts().end(), [](auto n) { return n > 0; }));
            const bool ends = run.ends(fit,
                                       {.phase = "sampling",
                                        .iteration = iteration,
                                        .objective = objective,
                                        .residual = 1,
                                        .nonzeros = used,
                                        .passes = iteration},
                                       "");
            if (!ends && iteration + samples <= stop.iterations) continue;
            for (std::size_t k = 0; k < topics; ++k)
                for (std::size_t w = 0; w < v; ++w)
                    fit.words[k * v + w] += (state.counts()[w * topics + k] + beta) /
                                            (static_cast<double>(state.of_topic()[k]) + static_cast<double>(v) * beta);
            summed += 1;
            if (ends) break;
        }
        for (double& p : fit.words) p /= summed;
        return fit;
    }
};

}  // namespace gamut::learn

// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <gamut/communicator/agree.hpp>
#include <gamut/communicator/rotation.hpp>
#include <gamut/communicator/single.hpp>
#include <gamut/core/error.hpp>
#include <gamut/core/names.hpp>
#include <gamut/core/random.hpp>
#include <gamut/core/resume_from.hpp>
#include <gamut/fwd.hpp>
#include <gamut/learn/concept.hpp>
#include <gamut/learn/detail/dense_gibbs.hpp>
#include <gamut/learn/detail/learn_priors.hpp>
#include <gamut/learn/detail/metropolis_topics.hpp>
#include <gamut/learn/detail/run.hpp>
#include <gamut/learn/detail/shards.hpp>
#include <gamut/learn/detail/sparse_gibbs.hpp>
#include <gamut/learn/detail/topic_chain.hpp>
#include <gamut/learn/detail/topic_coherence.hpp>
#include <gamut/learn/detail/topic_counts.hpp>
#include <gamut/learn/detail/topic_mixture.hpp>
#include <gamut/learn/detail/topic_node.hpp>
#include <gamut/learn/row_numbers.hpp>

namespace gamut::learn {

/// How a word's topic is drawn given all others: exactly, or by two proposals, in steps whose number does not depend on that of topics.
enum class sampling { gibbs, metropolis };

/// Topics: how often each has each word of the training documents.
template <class C> struct fitted_topics : outcome {
    static constexpr const char* name = "topics";

    explicit fitted_topics(const C& ranks = C()) : communicator(ranks) {}

    core::names features{};       ///< the words
    std::vector<double> alpha{};  ///< per topic, as it was given or learnt
    double beta = 0;
    std::vector<double> counts{};  ///< topics x words, means over .samples sweeps
    C communicator;
    int threads = 0;

    std::size_t topics() const { return alpha.size(); }
    /// The probability of word w in topic k: (n_kw + beta) / (n_k + words beta).
    double operator()(std::size_t k, std::size_t w) const {
        const double* const row = counts.data() + k * features.size();
        return (row[w] + beta) /
               (std::accumulate(row, row + features.size(), 0.0) + static_cast<double>(features.size()) * beta);
    }
    /// The numbers of the most frequent words of topic k, the most frequent first; features[] names them.
    std::vector<std::size_t> top(std::size_t k, std::size_t number = 10) const {
        if (k >= topics())
            throw core::option_error(
                core::text("topics: topic ", k, " (they are 0 to ", topics() - 1, ") ask for one of them"));
        std::vector<std::size_t> order(features.size());
        std::iota(order.begin(), order.end(), std::size_t{0});
        number = std::min(number, order.size());
        const double* const row = counts.data() + k * features.size();
        std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(number), order.end(),
                          [&](std::size_t a, std::size_t b) { return row[a] != row[b] ? row[a] > row[b] : a < b; });
        order.resize(number);
        return order;
    }

    /// The shares of topics in each document, topics fixed; alpha / sum alpha for one without words. No message.
    ///   theta_k = (sum_w n_w theta_k phi_kw / sum_j theta_j phi_jw + alpha_k) / (sum_w n_w + sum_j alpha_j),  up to 200 rounds
    template <data::DataSource S> row_numbers transform(const S& source) const {
        const auto rows = detail::load_rows(communicator, source, &features);
        row_numbers found;
        gamut::communicator::agree(communicator, [&] { found = shares_of(rows, false); });
        return found;
    }

    /// Document completion: of a document's words in the order of the columns, the first, third, ... give theta, the others are guessed.
    /// loss: -mean log sum_k theta_k phi_kw over those others, so that exp(loss) is the perplexity; NaN if there are none. One exact sum.
    template <data::DataSource S> learn::score score(const S& source) const {
        const auto rows = detail::load_rows(communicator, source, &features);
        const detail::shards by(communicator, rows.partition,
                                detail::threads_of(communicator, threads, rows, topics()));
        std::vector<double> sums(2);
        const detail::topic_mixture mixture(counts, features.size(), alpha, beta);
        by.sum(sums, [&](std::size_t, data::range local, std::size_t, double* partial) {
            std::vector<double> theta(topics());
            for (std::size_t i = local.begin; i < local.end; ++i) {
                auto known = detail::words_of(rows, i), asked = known;
                bool odd = false;
                for (std::size_t e = 0; e < known.size(); ++e) {
                    const double half = std::floor((known[e].count + (odd ? 0 : 1)) / 2);
                    if (std::fmod(known[e].count, 2) != 0) odd = !odd;
                    asked[e].count -= half;
                    known[e].count = half;
                }
                mixture.shares(known, theta.data());
                for (const auto& e : asked)
                    if (e.count > 0) {
                        partial[0] -= e.count * std::log(mixture.likelihood(e.word, theta.data()));
                        partial[1] += e.count;
                    }
            }
        });
        return {.rows = rows.rows(), .loss = sums[0] / sums[1]};
    }

    /// How often the top words of a topic come together, per topic (Mimno et al., EMNLP 2011; nearer to 0 is better):
    ///   sum over pairs i < j of top words  log (D(i and j) + 1) / D(i),    D: in how many documents of the source
    /// A word that is in no document counts as if it were in one. One pass, one exact sum of topics number^2 numbers.
    template <data::DataSource S> std::vector<double> coherence(const S& source, std::size_t number = 10) const {
        const auto rows = detail::load_rows(communicator, source, &features);
        const detail::shards by(communicator, rows.partition,
                                detail::threads_of(communicator, threads, rows, topics()));
        std::vector<std::vector<std::size_t>> best;
        for (std::size_t k = 0; k < topics(); ++k) best.push_back(top(k, number));
        return detail::coherence_of(by, rows, best);
    }

    template <class Self, class Visit> static void members(Self& fit, Visit&& visit) {
        outcome::members(fit, visit);
        visit("features", fit.features);
        visit("alpha", fit.alpha);
        visit("beta", fit.beta);
        visit("counts", fit.counts);
    }
    void validate() const {
        const auto wrong = [](double v) { return !(v > 0 && std::isfinite(v)); };
        if (alpha.empty() || counts.size() != alpha.size() * features.size())
            throw core::data_error(core::text(counts.size(), " counts (", alpha.size(), " topics of ", features.size(),
                                              " words) save the fit again"));
        if (wrong(beta) || std::any_of(alpha.begin(), alpha.end(), wrong) ||
            std::any_of(counts.begin(), counts.end(), [](double n) { return !(n >= 0); }))
            throw core::data_error(
                "a prior that is not above 0, or a count below 0 (topics have none) save the fit again");
    }

protected:
    /// Shares of topics; or, of the words alone, without alpha, where a document has some: sum_w n_w theta_k phi_kw / (theta'phi_w) / n.
    template <class Dataset> row_numbers shares_of(const Dataset& rows, bool of_words) const {
        row_numbers found{rows.first_row, topics(), std::vector<double>(rows.local_rows() * topics())};
        const detail::topic_mixture mixture(counts, features.size(), alpha, beta);
        const detail::shards by(communicator, rows.partition,
                                detail::threads_of(communicator, threads, rows, topics()));
        const double all = std::accumulate(alpha.begin(), alpha.end(), 0.0);
        by.each([&](std::size_t, data::range local, std::size_t) {
            for (std::size_t i = local.begin; i < local.end; ++i) {
                double* const theta = found.values.data() + i * topics();
                const auto words = detail::words_of(rows, i);
                mixture.shares(words, theta);
                double length = 0;
                for (const auto& e : words) length += e.count;
                for (std::size_t k = 0; of_words && length > 0 && k < topics(); ++k)
                    theta[k] = std::max(0.0, (theta[k] * (length + all) - alpha[k]) / length);
            }
        });
        return found;
    }
};

/// Latent Dirichlet allocation (Blei, Ng and Jordan, JMLR 2003) by collapsed Gibbs sampling: rows are documents, columns words, numbers
/// how often a document has a word.
///     theta_d ~ Dirichlet(alpha_1 .. alpha_k),  phi_k ~ Dirichlet(beta .. beta);   each word: a topic by theta_d, then the word by phi
///     learn::topics{.count = 50}.fit(data::triples<>{.path = "docword.txt"})
/// The topics of all words start anywhere, and an iteration draws each anew given all others (up to 512 topics detail/dense_gibbs.hpp, to 2^-24 of
/// the sum of all weights; beyond, or where documents are so short that their counts would take more than 64 MiB and four times what the words
/// take, detail/sparse_gibbs.hpp), or proposes
/// twice (detail/metropolis_topics.hpp: in steps that count does not raise, from memory that it does; more sweeps are needed). In the first
/// `anneal` sweeps alpha and beta are larger, falling from 1 to what they are, so that topics find their places before they settle:
/// a start without it ends more often where one topic is two, and two are one. `restarts`: the most likely of several chains.
/// `learn_every`: after annealing, every so many sweeps, alpha (each topic its own) and beta are fitted to the topics (Minka).
/// Documents and words are cut into `nodes` blocks, and words visit documents (detail/topic_counts.hpp): as many ranks, or threads, as
/// nodes have work. nodes = 1 is the sampler to the letter; with more, a topic's total is known up to what other nodes do meanwhile.
/// A fit depends on nodes, and has the same bits on any number of ranks and threads.
/// Objective: -log p(words, topics | alpha, beta) per word; it need not fall. There is no residual: a chain ends by stop.iterations, or
/// because an observer, or the clock, says so. Cost per word and sweep: count / 8 steps of a vector up to 512 topics; beyond, topics of the
/// document, and log2(count); of proposals its words / 8, whatever the count.
/// Memory: per rank 20 bytes a word of its documents (28, and 4 count bytes a document, up to 512 topics), words x count / nodes numbers per
/// node, beyond 512 topics at most two for each word of all documents; all counts in the end.
/// Throws data_error for counts that are none, weights, and fewer words than topics; a document may be empty.
template <class C> struct topics {
    std::size_t count = 10;
    double alpha = 0.1;            ///< of each topic
    std::vector<double> alphas{};  ///< one for each topic, instead of alpha
    double beta = 0.01;
    learn::sampling sampling = learn::sampling::gibbs;
    std::size_t learn_every = 0;  ///< 0: alpha and beta stay as they are
    std::size_t anneal = 50;      ///< at most half of the iterations
    std::size_t restarts = 1;
    std::size_t samples =
        10;  ///< counts are means over so many sweeps, the last ones; of a run that goes on for longer those of its own
    std::size_t nodes = 8;
    gamut::communicator::route route = gamut::communicator::route::ring;  ///< how blocks of words travel
    core::stop stop{.iterations = 200, .tolerance = 0};
    core::resume_from resume{};  ///< a checkpoint, or a folder of core::checkpoints, to go on from; of one chain
    std::uint64_t seed = 0;
    int threads = 0;
    C communicator{};

    void validate() const {
        stop.validate("topics");
        const auto positive = [](const char* what, double value) {
            if (!(value > 0 && std::isfinite(value)))
                throw core::option_error(core::text("topics: ", what, " is ", value, " (it must be above 0) try 0.1"));
        };
        if (count == 0) throw core::option_error("topics: count is 0 (one topic is needed) try 10");
        if (restarts == 0) throw core::option_error("topics: restarts is 0 (one chain is needed) try 1");
        if (restarts > 1 && !resume.empty())
            throw core::option_error(
                "topics: resume with restarts (only one chain keeps what it needs) set restarts = 1");
        if (nodes == 0) throw core::option_error("topics: nodes is 0 (one block of documents is needed) try 8");
        if (samples == 0) throw core::option_error("topics: samples is 0 (one sweep is needed) try 10");
        if (stop.iterations == 0) throw core::option_error("topics: stop.iterations is 0 (no sweep) try 200");
        positive("alpha", alpha);
        positive("beta", beta);
        for (const double a : alphas) positive("one of alphas", a);
        if (!alphas.empty() && alphas.size() != count)
            throw core::option_error(core::text("topics: ", alphas.size(), " alphas (there are ", count,
                                                " topics) give one for each, or none"));
    }

    template <data::DataSource S, core::Observer... O> fitted_topics<C> fit(const S& source, O&&... observers) const {
        return detail::fit_together(
            communicator,
            [&](core::any_keeper observer) {
                gamut::communicator::agree(communicator, [&] {
                    if (observer.keeps() && restarts > 1)
                        throw core::option_error("topics: checkpoints with restarts (only one chain keeps what it "
                                                 "needs) leave the checkpoints "
                                                 "out, or set restarts = 1");
                });
                const auto rows = detail::load_documents("topics", *this, source, false);
                fitted_topics<C> best(communicator);
                for (std::size_t r = 0; r < restarts; ++r) {
                    auto one = fit_once(rows, observer, r);
                    const core::status how = one.status;
                    if (r == 0 || one.objective < best.objective) best = std::move(one);
                    if (how != core::status::iteration_limit) break;
                }
                return best;
            },
            observers...);
    }

private:
    template <class Dataset>
    fitted_topics<C> fit_once(const Dataset& rows, core::any_keeper observer, std::size_t restart) const {
        const std::size_t work = 1 + 64 / nodes;  // a round draws a node's share of the words, and each costs much
        fitted_topics<C> fit(communicator);
        detail::topic_priors priors{alphas.empty() ? std::vector<double>(count, alpha) : alphas, beta};
        const auto draws = [&](std::size_t sweep) {
            return core::random{.seed = seed, .stream = (std::uint64_t{restart} << 32) + sweep};
        };
        detail::topic_chain<C> chain(*this, rows, detail::threads_of(communicator, threads, rows, work), draws(0), fit);
        const bool is_dense = sampling == learn::sampling::gibbs &&
                              detail::dense_gibbs::takes(count, chain.counts.documents(), chain.counts.tokens());
        std::vector<detail::dense_gibbs> dense;
        std::vector<detail::sparse_gibbs> exact;
        std::vector<detail::metropolis_topics> proposing;
        gamut::communicator::agree(communicator, [&] {
            for (const auto& node : chain.counts.nodes())
                if (sampling == learn::sampling::metropolis)
                    proposing.emplace_back(node);
                else if (is_dense)
                    dense.emplace_back(node, count);
                else
                    exact.emplace_back(node, count);
        });

        detail::run<C> run(communicator, "topics", stop, observer);
        std::vector<std::vector<std::int32_t>> orders(chain.counts.nodes().size());
        const auto kept = [&](auto& each) {
            chain.describe(each, rows, fit);
            each("alpha", priors.alpha);
            each("beta", priors.beta);
            for (std::size_t i = 0; i < exact.size(); ++i) orders[i] = exact[i].order(chain.counts.nodes()[i]);
            if (sampling == learn::sampling::gibbs && !is_dense)
                chain.keep_by_document(
                    each, "orders", rows, [&](detail::topic_node & node) -> auto& {
                        return orders[static_cast<std::size_t>(&node - chain.counts.nodes().data())];
                    });
        };
        bool over = false;
        if (restarts == 1) {
            over = run.resume(fit, resume, rows, kept);
            if (run.next() > 1) {
                chain.counts.recount();
                if (chain.begins_anew(run.next())) std::fill(fit.counts.begin(), fit.counts.end(), 0.0);
                for (std::size_t i = 0; i < exact.size(); ++i) exact[i].take(chain.counts.nodes()[i], orders[i]);
                for (std::size_t i = 0; i < dense.size(); ++i) dense[i].recount(chain.counts.nodes()[i]);
            }
        }
        for (std::size_t sweep = run.next(); !over; ++sweep) {
            const auto warm = chain.warm(priors, sweep);
            chain.counts.sweep([&](std::size_t i, detail::topic_node& node, const detail::word_block& block) {
                if (!dense.empty())
                    dense[i](node, block, warm, draws(sweep));
                else if (!exact.empty())
                    exact[i](node, block, warm, draws(sweep));
                else
                    proposing[i](node, block, warm, draws(sweep));
            });
            if (learn_every > 0 && chain.cool(sweep) > 0 && chain.cool(sweep) % learn_every == 0)
                detail::learn_priors(chain.counts, priors, 5);
            if (chain.counts_sweep(sweep)) chain.add(fit);
            over = run.ends(
                fit,
                {.phase = chain.phase(sweep),
                 .iteration = sweep,
                 .objective = -chain.counts.log_likelihood(priors) / static_cast<double>(chain.counts.tokens()),
                 .nonzeros = count,
                 .passes = sweep + 1},
                "");
        }
        if (!chain.has_samples()) chain.add(fit);
        chain.finish(fit, std::move(priors));
        return fit;
    }
};

}  // namespace gamut::learn

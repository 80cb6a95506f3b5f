// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
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
#include <gamut/learn/detail/kept.hpp>
#include <gamut/learn/detail/margin_gibbs.hpp>
#include <gamut/learn/detail/run.hpp>
#include <gamut/learn/detail/targets.hpp>
#include <gamut/learn/detail/topic_chain.hpp>
#include <gamut/learn/detail/topic_counts.hpp>
#include <gamut/learn/topics.hpp>
#include <gamut/quadratic/semidefinite.hpp>

namespace gamut::learn {

/// How far the documents of one rank are on each class's side: rows x classes.
struct class_decisions {
    std::size_t first_row = 0;
    std::vector<double> values{};
    std::vector<std::string> classes{};

    std::size_t rows() const { return classes.empty() ? 0 : values.size() / classes.size(); }
    double operator()(std::size_t row, std::size_t k) const { return values[row * classes.size() + k]; }
    /// The class that is most on its side, as an index into `classes`; the first of equal ones.
    std::size_t class_index(std::size_t row) const {
        const auto first = values.begin() + static_cast<std::ptrdiff_t>(row * classes.size());
        return static_cast<std::size_t>(std::max_element(first, first + static_cast<std::ptrdiff_t>(classes.size())) -
                                        first);
    }
    const std::string& class_name(std::size_t row) const { return classes[class_index(row)]; }
};

/// Topics, and per class how much each speaks for it; coherence and transform are those of topics.
template <class C> struct fitted_supervised_topics : fitted_topics<C> {
    static constexpr const char* name = "supervised_topics";

    explicit fitted_supervised_topics(const C& ranks = C()) : fitted_topics<C>(ranks) {}

    std::vector<std::string> classes{};
    std::string label{};
    std::vector<double>
        weights{};  ///< eta, machines x topics: one machine for the second of two classes, else one for each class

    /// eta'z, z the shares of a document's words in topics, which are fixed; of two classes, the first has the negative. No message.
    template <data::DataSource S> class_decisions predict(const S& source) const {
        return decide(detail::load_targets(this->communicator, source, *this, false));
    }

    /// accuracy. One pass, two exact sums.
    template <data::DataSource S> learn::score score(const S& source) const {
        const auto rows = detail::load_targets(this->communicator, source, *this, true);
        const class_decisions found = decide(rows);
        std::vector<double> chosen;
        for (std::size_t i = 0; i < found.rows(); ++i) chosen.push_back(static_cast<double>(found.class_index(i)));
        return detail::score_values(this->communicator, rows, classes, chosen);
    }

    template <class Self, class Visit> static void members(Self& fit, Visit&& visit) {
        fitted_topics<C>::members(fit, visit);
        visit("classes", fit.classes);
        visit("label", fit.label);
        visit("weights", fit.weights);
    }
    void validate() const {
        fitted_topics<C>::validate();
        if (classes.empty() || weights.size() != machines() * this->topics())
            throw core::data_error(core::text(weights.size(), " weights (", this->topics(), " topics and ",
                                              classes.size(), " classes) save the fit again"));
    }

private:
    std::size_t machines() const { return classes.size() == 2 ? 1 : classes.size(); }

    template <class Dataset> class_decisions decide(const Dataset& rows) const {
        const std::size_t topics = this->topics();
        class_decisions found{rows.first_row, std::vector<double>(rows.local_rows() * classes.size()), classes};
        gamut::communicator::agree(this->communicator, [&] {
            const row_numbers shares = this->shares_of(rows, true);
            for (std::size_t i = 0; i < rows.local_rows(); ++i) {
                double* const to = found.values.data() + i * classes.size();
                for (std::size_t m = 0; m < machines(); ++m)
                    for (std::size_t k = 0; k < topics; ++k)
                        to[classes.size() == 2 ? 1 : m] += weights[m * topics + k] * shares(i, k);
                if (classes.size() == 2) to[0] = -to[1];
            }
        });
        return found;
    }
};

/// Max-margin topics (MedLDA): topics that explain documents and tell their classes apart, one class against the rest, by Gibbs sampling
/// with one more unknown per document (Zhu, Chen, Perkins and Zhang, Gibbs max-margin topic models with data augmentation, JMLR 15, 2014):
///     eta_m ~ N(0, variance),  and a document counts  exp(-2 cost max(0, margin - y_m eta_m'z)),  z its words' shares in topics
///     learn::supervised_topics{.count = 20}.fit(source).score(test).accuracy
/// An iteration draws eta, then each word's topic, then lambda (detail/margin_gibbs.hpp); words, nodes, ranks and annealing are as in
/// learn::topics. Cost per word: topics x machines, and as many exponentials as topics; per sweep also an exact sum of machines topics
/// (topics + 3) / 2 numbers. Two classes have one machine, c > 2 classes have c.
/// Objective: (-log p(words, topics) + |eta|^2 / (2 variance) + 2 cost sum max(0, margin - y eta'z)) per word; it need not fall.
/// counts and weights are means over the last `samples` sweeps. Throws data_error for weights, and what topics
/// refuses.
template <class C> struct supervised_topics {
    std::size_t count = 20;
    double alpha = 0.1, beta = 0.1;  ///< as in topics
    double cost = 0.1;               ///< of a document on the wrong side
    double margin = 64;              ///< how far on the right side is enough
    double variance = 100;           ///< of eta
    std::size_t anneal = 50;         ///< at most half of the iterations
    std::size_t samples = 20;
    std::size_t nodes = 8;
    gamut::communicator::route route = gamut::communicator::route::ring;
    core::stop stop{.iterations = 200, .tolerance = 0};
    core::resume_from resume{};  ///< a checkpoint, or a folder of core::checkpoints, to go on from
    std::uint64_t seed = 0;
    int threads = 0;
    C communicator{};

    void validate() const {
        stop.validate("supervised_topics");
        const auto positive = [](const char* what, double value) {
            if (!(value > 0 && std::isfinite(value)))
                throw core::option_error(
                    core::text("supervised_topics: ", what, " is ", value, " (it must be above 0) try 1"));
        };
        const auto some = [](const char* what, std::size_t value) {
            if (value == 0)
                throw core::option_error(core::text("supervised_topics: ", what, " is 0 (one is needed) try 10"));
        };
        some("count", count);
        some("nodes", nodes);
        some("samples", samples);
        some("stop.iterations", stop.iterations);
        positive("alpha", alpha);
        positive("beta", beta);
        positive("cost", cost);
        positive("margin", margin);
        positive("variance", variance);
    }

    template <data::DataSource S, core::Observer... O>
    fitted_supervised_topics<C> fit(const S& source, O&&... observers) const {
        return detail::fit_together(
            communicator,
            [&](core::any_keeper observer) {
                return fit_rows(detail::load_documents("supervised_topics", *this, source, true), observer);
            },
            observers...);
    }

private:
    template <class Dataset>
    fitted_supervised_topics<C> fit_rows(const Dataset& rows, core::any_keeper observer) const {
        const std::size_t machines = rows.classes.size() == 2 ? 1 : rows.classes.size();
        fitted_supervised_topics<C> fit(communicator);
        fit.classes = rows.classes;
        fit.label = rows.label;
        detail::topic_priors priors{std::vector<double>(count, alpha), beta};
        const detail::margin_options options{cost, margin};
        std::vector<double> eta(machines * count);
        fit.weights.assign(eta.size(), 0.0);
        enum purpose : std::uint64_t { topics_of_words, lambda_normal, lambda_uniform, noise, prior, purposes };
        const auto draws = [&](std::size_t sweep, purpose what) {
            return core::random{.seed = seed, .stream = purposes * std::uint64_t{sweep} + what};
        };
        detail::topic_chain<C> chain(*this, rows,
                                     detail::threads_of(communicator, threads, rows, 1 + 8 * count / nodes),
                                     draws(0, topics_of_words), fit);
        std::vector<detail::margin_gibbs> samplers;
        gamut::communicator::agree(communicator, [&] {
            for (const auto& node : chain.counts.nodes()) {
                std::vector<double> signs;
                for (std::size_t i = node.documents.begin; i < node.documents.end; ++i)
                    for (std::size_t m = 0; m < machines; ++m)
                        signs.push_back(static_cast<std::size_t>(rows.y[i]) == (rows.classes.size() == 2 ? 1 : m) ? 1
                                                                                                                  : -1);
                samplers.emplace_back(std::move(signs), machines, count);
            }
        });
        const auto first_document = [&](const detail::topic_node& node) {
            return rows.first_row + node.documents.begin;
        };
        double loss = 0;
        const auto draw_lambda = [&](std::size_t sweep) {
            chain.counts.sum({&loss, 1}, [&](std::size_t i, const detail::topic_node& node, const detail::word_block&,
                                             double* partial) {
                samplers[i].draw_lambda(node, first_document(node), eta, options, draws(sweep, lambda_normal),
                                        draws(sweep, lambda_uniform), *partial);
            });
        };
        draw_lambda(0);

        detail::run<C> run(communicator, "supervised_topics", stop, observer);
        const auto add = [&] {
            chain.add(fit);
            for (std::size_t k = 0; k < eta.size(); ++k) fit.weights[k] += eta[k];
        };
        const auto kept = [&](auto& each) {
            chain.describe(each, rows, fit);
            std::vector<double> lambda;
            for (auto& one : samplers) lambda.insert(lambda.end(), one.lambda().begin(), one.lambda().end());
            detail::keep_rows(each, "lambda", communicator, rows, lambda);
            auto from = lambda.begin();
            for (auto& one : samplers) {
                const auto end = from + static_cast<std::ptrdiff_t>(one.lambda().size());
                std::copy(from, end, one.lambda().begin());
                from = end;
            }
            detail::keep_numbers(each, "eta", eta);
            detail::keep_numbers(each, "weights", fit.weights);
        };
        bool over = run.resume(fit, resume, rows, kept);
        if (run.next() > 1) chain.counts.recount();
        if (chain.begins_anew(run.next())) {
            std::fill(fit.counts.begin(), fit.counts.end(), 0.0);
            std::fill(fit.weights.begin(), fit.weights.end(), 0.0);
        }
        for (std::size_t sweep = run.next(); !over; ++sweep) {
            draw_eta(chain.counts, samplers, first_document, options, draws(sweep, noise), draws(sweep, prior), eta);
            const auto warm = chain.warm(priors, sweep);
            chain.counts.sweep([&](std::size_t i, detail::topic_node& node, const detail::word_block& block) {
                samplers[i](node, block, warm, eta, options, draws(sweep, topics_of_words));
            });
            draw_lambda(sweep);
            if (chain.counts_sweep(sweep)) add();
            double squares = 0;
            for (const double e : eta) squares += e * e;
            const double objective = -chain.counts.log_likelihood(priors) + squares / (2 * variance) + loss;
            over = run.ends(fit,
                            {.phase = chain.phase(sweep),
                             .iteration = sweep,
                             .objective = objective / static_cast<double>(chain.counts.tokens()),
                             .nonzeros = count,
                             .passes = sweep + 1},
                            "");
        }
        if (!chain.has_samples()) add();
        chain.mean(fit.weights);
        chain.finish(fit, std::move(priors));
        return fit;
    }

    /// eta_m ~ N(A^-1 b, A^-1),  A = I / variance + cost^2 sum z z' / lambda:  A^-1 (b + what has the covariance A)
    template <class First>
    void draw_eta(detail::topic_counts<C>& chain, std::vector<detail::margin_gibbs>& samplers, First first_document,
                  const detail::margin_options& options, const core::random& noise, const core::random& prior,
                  std::vector<double>& eta) const {
        const std::size_t half = count * (count + 1) / 2, machines = eta.size() / count;
        std::vector<double> moments(machines * (half + count)), a(count * count), b(count);
        chain.sum(moments,
                  [&](std::size_t i, const detail::topic_node& node, const detail::word_block&, double* partial) {
                      samplers[i].add_moments(node, first_document(node), options, noise, partial);
                  });
        for (std::size_t m = 0; m < machines; ++m) {
            const double* from = moments.data() + m * (half + count);
            for (std::size_t k = 0; k < count; ++k) {
                for (std::size_t j = 0; j <= k; ++j) a[k * count + j] = *from++;
                a[k * count + k] += 1 / variance;
            }
            for (std::size_t k = 0; k < count; ++k) b[k] = from[k] + prior.normal(m * count + k) / std::sqrt(variance);
            quadratic::semidefinite(a, count).solve(b);
            std::copy(b.begin(), b.end(), eta.begin() + static_cast<std::ptrdiff_t>(m * count));
        }
    }
};

}  // namespace gamut::learn

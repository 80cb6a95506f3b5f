// SPDX-License-Identifier: BSL-1.0
#include <gamut/learn/supervised_topics.hpp>

#include "topic_data.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "../real_data/files.hpp"

#include <gamut/data/rows_where.hpp>
#include <gamut/data/triples.hpp>

using namespace gamut;
using learn::detail::topic_node;
using learn::detail::word_block;
using topic_data::sparse;

namespace {

constexpr learn::detail::margin_options options{.cost = 0.7, .margin = 2};
const learn::detail::topic_priors priors{{0.5, 1.2}, 0.4};
const std::vector<double> eta{1.5, -0.5, -1, 0.5};  // two machines
const std::vector<double> signs{1, -1, -1, 1};      // of two documents
const auto tiny = sparse({{1, 1, 0}, {1, 0, 1}});

double missing(std::size_t d, std::size_t m, const std::vector<std::int32_t>& topic) {
    const auto in = [&](std::size_t t) { return eta[m * 2 + static_cast<std::size_t>(topic[t])]; };
    return options.margin - signs[d * 2 + m] * (in(2 * d) + in(2 * d + 1)) / 2;
}

/// Documents whose class is told by words of three topics out of six; the others have most of the words.
struct labelled {
    std::size_t classes;
    std::uint64_t seed = 5;
    data::arrays<topic_data::matrix> source() const {
        const core::random draws{.seed = seed};
        std::vector<std::vector<double>> rows;
        std::vector<double> labels;
        std::uint64_t at = 0;
        for (std::size_t d = 0; d < 240; ++d) {
            const std::size_t label = draws.below(at++, classes);
            const std::size_t other = classes + draws.below(at++, 3);
            std::vector<double> row((classes + 3) * 8);
            for (std::size_t n = 0; n < 40; ++n) {
                const std::size_t topic = draws.uniform(at++) < 0.3 ? label : other;
                row[topic * 8 + draws.below(at++, 8)] += 1;
            }
            rows.push_back(std::move(row));
            labels.push_back(static_cast<double>(label) * 10);
        }
        return data::arrays(sparse(rows), labels);
    }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(supervised_topics)

BOOST_AUTO_TEST_CASE(inverse_gaussians_have_their_distribution) {
    const core::random normals{.seed = 1}, uniforms{.seed = 1, .stream = 1};
    for (const double mean : {0.2, 1.0, 5.0}) {
        constexpr std::size_t n = 200000;
        double sum = 0, of_inverse = 0;
        for (std::size_t i = 0; i < n; ++i) {
            const double x = learn::detail::inverse_gaussian(mean, normals.normal(i), uniforms.uniform(i));
            sum += x / n;
            of_inverse += 1 / x / n;
        }
        // variances: mean^3 of x, 1 / mean + 2 of 1 / x, whose mean is 1 / mean + 1
        BOOST_TEST(std::abs(sum - mean) < 4 * std::sqrt(mean * mean * mean / n));
        BOOST_TEST(std::abs(of_inverse - 1 / mean - 1) < 4 * std::sqrt((1 / mean + 2) / n));
    }
    BOOST_TEST(std::isfinite(learn::detail::inverse_gaussian(1e8, 1.3, 0.2)));
}

BOOST_AUTO_TEST_CASE(topics_and_lambda_are_drawn_as_often_as_they_are_likely) {
    // With eta fixed: p(words, topics) prod exp(-2 cost max(0, margin - y eta'z)), all 16 assignments counted.
    data::request wanted;
    wanted.labels = false;
    wanted.blocks = 1;
    const communicator::single<> ranks;
    const auto rows = data::arrays(tiny).load(ranks, wanted);
    learn::detail::topic_counts chain(ranks, rows, 2, 1);
    learn::detail::margin_gibbs sampler(signs, 2, 2);
    std::vector<double> p(16), seen(16);
    double all = 0;
    std::uint64_t sweep = 0;
    for (std::size_t s = 0; s < 16; ++s)
        chain.sweep([&](std::size_t, topic_node& node, const word_block& block) {
            std::fill(block.counts, block.counts + block.size(), 0);
            node.totals.assign(2, 0);
            for (std::size_t t = 0; t < 4; ++t) {
                node.topic[t] = static_cast<std::int32_t>(s >> t & 1);
                block.add(block.open(static_cast<std::size_t>(node.word[t])), s >> t & 1);
                ++node.totals[s >> t & 1];
            }
        }),
            p[s] = chain.log_likelihood(priors);
    for (std::size_t s = 0; s < 16; ++s) {
        std::vector<std::int32_t> topic;
        for (std::size_t t = 0; t < 4; ++t) topic.push_back(static_cast<std::int32_t>(s >> t & 1));
        for (std::size_t d = 0; d < 2; ++d)
            for (std::size_t m = 0; m < 2; ++m) p[s] -= 2 * options.cost * std::max(0.0, missing(d, m, topic));
        all += p[s] = std::exp(p[s]);
    }
    constexpr std::size_t draws = 40000, apart = 6;
    for (std::size_t n = 1; n <= draws * apart; ++n) {
        ++sweep;
        double loss = 0;
        chain.sweep([&](std::size_t, topic_node& node, const word_block& block) {
            sampler(node, block, priors, eta, options, {.seed = 3, .stream = 3 * sweep});
            sampler.draw_lambda(node, 0, eta, options, {.seed = 3, .stream = 3 * sweep + 1},
                                {.seed = 3, .stream = 3 * sweep + 2}, loss);
        });
        const auto& topic = chain.nodes()[0].topic;
        if (n == 1) {
            double expected = 0;
            for (std::size_t d = 0; d < 2; ++d)
                for (std::size_t m = 0; m < 2; ++m) expected += 2 * options.cost * std::max(0.0, missing(d, m, topic));
            BOOST_TEST(loss == expected, boost::test_tools::tolerance(1e-12));
        }
        if (n % apart != 0) continue;
        std::size_t s = 0;
        for (std::size_t t = 0; t < 4; ++t) s += static_cast<std::size_t>(topic[t]) << t;
        ++seen[s];
    }
    double chi_square = 0;
    for (std::size_t s = 0; s < 16; ++s) {
        const double expected = p[s] / all * draws;
        chi_square += (seen[s] - expected) * (seen[s] - expected) / expected;
    }
    BOOST_TEST(chi_square < 37.7);  // 15 degrees of freedom: exceeded once in 1,000 chains
}

BOOST_AUTO_TEST_CASE(classes_are_told_by_topics_that_have_few_of_the_words) {
    for (const std::size_t classes : {2u, 4u}) {
        const learn::supervised_topics margin{.count = 8, .stop = {.iterations = 100}, .seed = 2};
        const auto fit = margin.fit(labelled{classes}.source());
        const auto fresh = labelled{classes, 6}.source();
        const double accuracy = fit.score(fresh).accuracy;
        BOOST_TEST(accuracy > 0.9, classes << " classes: " << accuracy);
        BOOST_TEST(fit.weights.size() == (classes == 2 ? 8u : 32u));
        BOOST_TEST(fit.history.back().objective < fit.history.front().objective);
        const auto found = fit.predict(fresh);
        BOOST_TEST(found.rows() == 240u);
        BOOST_TEST(found.class_name(0) == found.classes[found.class_index(0)]);
        if (classes == 2) BOOST_TEST(found(3, 0) == -found(3, 1));
    }
}

BOOST_AUTO_TEST_CASE(options_and_sources_that_do_not_fit_are_refused) {
    using margin = learn::supervised_topics<>;
    const auto source = labelled{2}.source();
    const double nan = std::numeric_limits<double>::quiet_NaN();
    for (const auto& wrong :
         {margin{.count = 0}, margin{.alpha = 0}, margin{.beta = 0}, margin{.cost = -1}, margin{.margin = nan},
          margin{.variance = 0}, margin{.samples = 0}, margin{.nodes = 0}, margin{.stop = {.iterations = 0}}})
        BOOST_CHECK_THROW(wrong.fit(source), core::option_error);
    BOOST_CHECK_THROW(margin{.count = 10000}.fit(source), core::data_error);
    BOOST_CHECK_THROW(margin{}.fit(data::arrays(sparse({{1, 0.5}, {2, 1}}), std::vector<double>{1, 2})),
                      core::data_error);
    auto fit = margin{.count = 2, .stop = {.iterations = 2}}.fit(source);
    fit.weights.pop_back();
    BOOST_CHECK_THROW(fit.validate(), core::data_error);
}

BOOST_AUTO_TEST_CASE(blogs_are_told_apart_better_than_listed, *boost::unit_test::precondition(real_data::is_there)) {
    const real_data::answer answer("supervised_poliblog");
    const real_data::unpacked file("poliblog/docword.poliblog.txt.gz");
    data::request wanted;
    wanted.labels = false;
    const auto x = data::triples<>{.path = file.name()}.load(communicator::single<>{}, wanted).x;
    std::vector<double> ratings;
    for (const auto& row : real_data::table(real_data::text_of(real_data::path("poliblog/ratings.txt"))))
        ratings.push_back(row[0]);
    const data::arrays all(x, ratings);
    const auto test = data::rows_where(all, [](std::size_t d) { return d % 5 == 0; });
    const auto train = data::rows_where(all, [](std::size_t d) { return d % 5 != 0; });
    const auto labels = test.load(communicator::single<>{}, {.classification = true}).y;
    std::vector<double> sums(labels.size());
    double alone = 0, together = 0;
    for (const std::uint64_t seed : {1u, 2u, 3u, 4u, 5u}) {
        const auto fit = learn::supervised_topics{.stop = {.iterations = 80}, .seed = seed}.fit(train);
        alone += fit.score(test).accuracy / 5;
        const auto found = fit.predict(test);
        for (std::size_t i = 0; i < sums.size(); ++i) sums[i] += found(i, 1);
    }
    for (std::size_t i = 0; i < sums.size(); ++i) together += (sums[i] > 0) == (labels[i] == 1);
    together /= static_cast<double>(sums.size());
    BOOST_TEST_MESSAGE("accuracy of five chains: " << alone << " each, " << together << " together; naive Bayes "
                                                   << answer["nb_alpha1"] << ", linear SVM "
                                                   << answer["linear_svm_log1p_C0.01"]);
    BOOST_TEST(alone > answer["majority"].get<double>() + 0.1);
    BOOST_TEST(together > answer["nb_alpha1"].get<double>());
    BOOST_TEST(together >= answer["linear_svm_log1p_C0.01"].get<double>() - 0.05);
}

BOOST_AUTO_TEST_SUITE_END()

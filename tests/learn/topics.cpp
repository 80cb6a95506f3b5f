// SPDX-License-Identifier: BSL-1.0
#include <gamut/learn/topics.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string>
#include <vector>

#include "../real_data/files.hpp"

#include <gamut/core/random.hpp>
#include <gamut/data/arrays.hpp>
#include <gamut/data/rows_where.hpp>
#include <gamut/data/triples.hpp>

using namespace gamut;

namespace {

constexpr core::random draws{.seed = 81};

/// Documents of two of three topics each; topic k has the words 5k, ..., 5k + 4 and no others.
backend::sparse_matrix<double> documents(std::size_t n, std::size_t length) {
    backend::sparse_matrix<double> x;
    x.columns = 15;
    for (std::size_t i = 0; i < n; ++i, ++x.rows) {
        std::vector<double> counts(15);
        for (std::size_t t = 0; t < length; ++t) {
            const std::size_t topic = (i + (draws.uniform(2 * (i * length + t)) < 0.7 ? 0 : 1)) % 3;
            counts[5 * topic + draws.below(2 * (i * length + t) + 1, 5)] += 1;
        }
        for (std::size_t j = 0; j < 15; ++j)
            if (counts[j] > 0) {
                x.indices.push_back(static_cast<std::int32_t>(j));
                x.values.push_back(counts[j]);
            }
        x.offsets.push_back(static_cast<std::int64_t>(x.indices.size()));
    }
    return x;
}

std::string message_of(const auto& learner, const auto& source) {
    try {
        learner.fit(source);
    } catch (const core::error& problem) {
        return problem.what();
    }
    return "";
}

}  // namespace

BOOST_AUTO_TEST_SUITE(topics)

BOOST_AUTO_TEST_CASE(topics_that_share_no_words_are_found) {
    const data::arrays source(documents(120, 40));
    const auto fit = learn::topics{.topics = 3, .stop = {.iterations = 100}}.fit(source);
    std::vector<std::size_t> seen;
    for (std::size_t k = 0; k < 3; ++k) {
        double total = 0, most = 0;
        for (std::size_t group = 0; group < 3; ++group) {
            double mass = 0;
            for (std::size_t j = 5 * group; j < 5 * group + 5; ++j) mass += fit.words[k * 15 + j];
            total += mass;
            most = std::max(most, mass);
            if (mass > 0.9) seen.push_back(group);
        }
        BOOST_TEST(total == 1, boost::test_tools::tolerance(1e-12));
        BOOST_TEST(most > 0.95);
    }
    std::sort(seen.begin(), seen.end());
    BOOST_TEST(seen == (std::vector<std::size_t>{0, 1, 2}), boost::test_tools::per_element());
    const auto shares = fit.transform(source);
    for (std::size_t i = 0; i < shares.rows(); ++i) {
        double sum = 0;
        for (std::size_t k = 0; k < 3; ++k) sum += shares(i, k);
        BOOST_TEST(sum == 1, boost::test_tools::tolerance(1e-12));
    }
    BOOST_TEST(fit.top(0, 5).size() == 5u);
}

BOOST_AUTO_TEST_CASE(the_likelihood_rises_to_a_level_and_stays) {
    const auto fit = learn::topics{.topics = 3, .stop = {.iterations = 150}}.fit(data::arrays(documents(120, 40)));
    BOOST_TEST(fit.history.back().objective < fit.history.front().objective - 0.3);
    for (std::size_t i = 60; i < 150; ++i)
        BOOST_TEST(std::abs(fit.history[i].objective - fit.history.back().objective) < 0.1);
    BOOST_TEST((fit.status == core::status::iteration_limit));
}

BOOST_AUTO_TEST_CASE(one_topic_is_the_distribution_of_all_words) {
    const auto x = documents(30, 20);
    std::vector<double> counts(15);
    for (std::size_t k = 0; k < x.indices.size(); ++k) counts[static_cast<std::size_t>(x.indices[k])] += x.value(k);
    const auto fit = learn::topics{.topics = 1, .beta = 0.5, .stop = {.iterations = 1}}.fit(data::arrays(x));
    for (std::size_t j = 0; j < 15; ++j)
        BOOST_TEST(fit.words[j] == (counts[j] + 0.5) / (600 + 7.5), boost::test_tools::tolerance(1e-12));
}

BOOST_AUTO_TEST_CASE(the_sampler_draws_from_the_posterior) {
    // one document a a b, two topics: all eight assignments can be weighed, and the sampler must visit them as often
    backend::sparse_matrix<double> x;
    x.columns = 2;
    x.rows = 1;
    x.indices.push_back(0);
    x.indices.push_back(1);
    x.values.push_back(2);
    x.values.push_back(1);
    x.offsets.push_back(2);
    const double alpha = 0.7, beta = 0.4;
    const auto log_joint = [&](int z) {
        double n[2][2] = {{0, 0}, {0, 0}}, sum = std::lgamma(2 * alpha) - std::lgamma(2 * alpha + 3);
        for (int t = 0; t < 3; ++t) n[t == 2 ? 1 : 0][(z >> t) & 1] += 1;
        for (int k = 0; k < 2; ++k) {
            sum += std::lgamma(alpha + n[0][k] + n[1][k]) - std::lgamma(alpha);
            sum += std::lgamma(2 * beta) - std::lgamma(2 * beta + n[0][k] + n[1][k]);
            for (const auto& word : n) sum += std::lgamma(beta + word[k]) - std::lgamma(beta);
        }
        return sum;
    };
    double together = 0, all = 0;  // the probability that all tokens share a topic
    for (int z = 0; z < 8; ++z) {
        all += std::exp(log_joint(z));
        if (z == 0 || z == 7) together += std::exp(log_joint(z));
    }
    // counts are renewed after each iteration only, so the draws are nearly, not exactly, those of the posterior
    std::size_t same = 0, count = 0;
    for (std::uint64_t seed = 0; seed < 40; ++seed) {
        const auto fit =
            learn::topics{.topics = 2, .alpha = alpha, .beta = beta, .stop = {.iterations = 250}, .seed = seed}.fit(
                data::arrays(x));
        for (std::size_t i = 50; i < fit.history.size(); ++i, ++count)
            same += std::abs(-3 * fit.history[i].objective - log_joint(0)) < 1e-9 ? 1 : 0;
    }
    BOOST_TEST(std::abs(static_cast<double>(same) / static_cast<double>(count) - together / all) < 0.1);
}

BOOST_AUTO_TEST_CASE(what_is_no_count_is_refused) {
    const data::arrays source(documents(10, 5));
    BOOST_TEST(message_of(learn::topics<>{.topics = 0}, source).find("topics is 0") != std::string::npos);
    BOOST_TEST(message_of(learn::topics<>{.alpha = 0}, source).find("alpha is 0") != std::string::npos);
    BOOST_TEST(message_of(learn::topics<>{.beta = -1}, source).find("beta is -1") != std::string::npos);
    BOOST_TEST(message_of(learn::topics<>{.rounds = 0}, source).find("rounds is 0") != std::string::npos);
    for (const double bad : {-1.0, 0.5}) {
        auto x = documents(10, 5);
        x.values[7] = bad;
        BOOST_TEST(message_of(learn::topics<>{}, data::arrays(x)).find("words are counted") != std::string::npos);
    }
    backend::dense_matrix<double> nothing(3, 2);
    BOOST_TEST(message_of(learn::topics<>{}, data::arrays(nothing)).find("no words") != std::string::npos);
    const std::vector<double> y(10), weights(10, 2.0);
    BOOST_TEST(message_of(learn::topics<>{}, data::arrays(documents(10, 5), y, weights)).find("sample weights") !=
               std::string::npos);
}

BOOST_AUTO_TEST_CASE(empty_documents_are_all_topics_alike) {
    auto x = documents(20, 30);
    ++x.rows;
    x.offsets.push_back(x.offsets.back());
    const auto fit = learn::topics{.topics = 3, .stop = {.iterations = 20}}.fit(data::arrays(x));
    const auto shares = fit.transform(data::arrays(x));
    for (std::size_t k = 0; k < 3; ++k) BOOST_TEST(shares(20, k) == 1.0 / 3, boost::test_tools::tolerance(1e-12));
}

BOOST_AUTO_TEST_CASE(news_reach_the_perplexity_of_other_tools, *boost::unit_test::precondition(real_data::is_there)) {
    const real_data::answer known("lda_ap");
    const real_data::unpacked file("ap/docword.ap.txt.gz");
    const data::triples<> source{.path = file.name()};
    const auto train = data::rows_where(source, [](std::size_t d) { return d % 10 != 9; });
    const auto test = data::rows_where(source, [](std::size_t d) { return d % 10 == 9; });
    const auto words = learn::topics{.topics = 1, .stop = {.iterations = 1}}.fit(train);
    real_data::check_close("unigram", std::exp(words.score(test).loss), known["unigram_perplexity_exact"], 1e-9);
    const auto fit = learn::topics{.topics = 10, .stop = {.iterations = 60}}.fit(train);
    const double perplexity = std::exp(fit.score(test).loss);
    double listed = 0;
    for (const auto& one : known["lda"])
        if (one["K"] == 10) listed = std::max(listed, one["completion_perplexity"].get<double>());
    BOOST_TEST(perplexity <= 1.05 * listed, perplexity << ", listed " << listed);
}

BOOST_AUTO_TEST_SUITE_END()

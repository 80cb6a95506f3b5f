// SPDX-License-Identifier: BSL-1.0
#include <gamut/learn/topics.hpp>

#include "topic_data.hpp"

#include <boost/test/unit_test.hpp>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "../real_data/files.hpp"
#include "../solver/interrupted.hpp"

#include <gamut/data/rows_where.hpp>
#include <gamut/data/triples.hpp>

using namespace gamut;
using topic_data::disjoint;
using topic_data::sparse;

namespace {

std::string message_of(const learn::topics<>& topics, const std::vector<std::vector<double>>& rows) {
    try {
        topics.fit(data::arrays(sparse(rows)));
    } catch (const core::error& problem) {
        return problem.what();
    }
    return "";
}

/// Two topics of two words each, told exactly.
learn::fitted_topics<> known() {
    learn::fitted_topics<> fit;
    fit.features = {"a", "b", "c", "d"};
    fit.alpha = {0.1, 0.3};
    fit.beta = 0.01;
    fit.counts = {3, 6, 0, 0, 0, 1, 4, 4};
    return fit;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(topics)

BOOST_AUTO_TEST_CASE(a_run_that_goes_on_for_longer_takes_the_mean_of_its_own_last_sweeps) {
    const disjoint truth{.topics = 3, .words = 5, .documents = 30, .length = 20};
    const data::arrays source(truth.documents_of());
    const interrupted::scratch place("topics_longer");
    learn::topics chain{.count = 3, .anneal = 5, .samples = 5, .stop = {.iterations = 40}};
    const auto whole = chain.fit(source);
    chain.stop.iterations = 20;
    chain.fit(source, core::checkpoints{.every = 20, .folder = place.folder()});
    chain.stop.iterations = 40;
    chain.resume = place.folder();
    const auto rest = chain.fit(source);
    BOOST_TEST(rest.objective == whole.objective);
    BOOST_TEST(rest.counts == whole.counts, boost::test_tools::per_element());
    learn::topics several{.count = 3, .restarts = 2};
    try {
        several.fit(source, core::checkpoints{.folder = place.folder()});
        BOOST_ERROR("several chains kept checkpoints");
    } catch (const core::option_error& problem) {
        BOOST_TEST(std::string(problem.what()).find("checkpoints with restarts") != std::string::npos, problem.what());
    }
}

BOOST_AUTO_TEST_CASE(topics_that_share_no_words_are_found_from_any_seed) {
    const disjoint truth{.topics = 8, .words = 15, .documents = 250, .length = 60};
    const data::arrays source(truth.documents_of());
    for (const std::uint64_t seed : {0u, 1u, 2u, 3u}) {
        const learn::topics exact{.count = 8, .restarts = 2, .stop = {.iterations = 100}, .seed = seed};
        const double found = truth.recovered(exact.fit(source));
        BOOST_TEST(found > 0.9, "seed " << seed << ": " << found);
    }
    const learn::topics proposing{
        .count = 8, .sampling = learn::sampling::metropolis, .anneal = 150, .restarts = 2, .stop = {.iterations = 300}};
    const double found = truth.recovered(proposing.fit(source));
    BOOST_TEST(found > 0.9, "metropolis: " << found);
}

BOOST_AUTO_TEST_CASE(nodes_hardly_change_where_a_chain_goes) {
    const data::arrays source(disjoint{.alpha = 0.5}.documents_of());
    learn::topics one{.count = 10, .nodes = 1, .stop = {.iterations = 100}, .seed = 3};
    auto many = one;
    many.nodes = 16;
    auto proposing = one;
    proposing.sampling = learn::sampling::metropolis;
    const auto a = one.fit(source), b = many.fit(source), c = proposing.fit(source);
    BOOST_TEST(std::abs(a.objective - b.objective) < 0.02 * a.objective, a.objective << " and " << b.objective);
    BOOST_TEST(std::abs(a.objective - c.objective) < 0.03 * a.objective, a.objective << " and " << c.objective);
    for (const auto* const fit : {&a, &b, &c}) {
        BOOST_TEST(fit->history.size() == 100u);
        BOOST_TEST(fit->history.back().objective < fit->history.front().objective);
        BOOST_TEST((fit->status == core::status::iteration_limit));
        double all = 0;
        for (const double n : fit->counts) all += n;
        BOOST_TEST(all == 300 * 60.0, boost::test_tools::tolerance(1e-12));
    }
}

BOOST_AUTO_TEST_CASE(documents_that_were_not_seen_are_explained_as_well) {
    const disjoint truth;
    disjoint others = truth;
    others.seed = 78;
    const auto fit =
        learn::topics{.count = 10, .restarts = 2, .stop = {.iterations = 100}}.fit(data::arrays(truth.documents_of()));
    const auto fresh = fit.score(data::arrays(others.documents_of()));
    BOOST_TEST(fresh.rows == 300u);
    BOOST_TEST(std::exp(fresh.loss) < 60);  // 200 without topics, 20 if each document had one
    BOOST_TEST(std::exp(fresh.loss) > 20);
    BOOST_TEST(fresh.loss < 1.05 * fit.score(data::arrays(truth.documents_of())).loss);
    const auto theta = fit.transform(data::arrays(others.documents_of()));
    BOOST_TEST(theta.rows() == 300u);
    for (std::size_t i = 0; i < 300; ++i) {
        double sum = 0;
        for (std::size_t k = 0; k < 10; ++k) sum += theta(i, k);
        BOOST_TEST(sum == 1, boost::test_tools::tolerance(1e-12));
    }
}

BOOST_AUTO_TEST_CASE(frequent_topics_get_larger_alphas) {
    const disjoint truth{.topics = 4, .documents = 400, .length = 40, .alpha = 0.4, .slope = 3};
    const auto fit = learn::topics{.count = 4, .learn_every = 10}.fit(data::arrays(truth.documents_of()));
    const auto [least, most] = std::minmax_element(fit.alpha.begin(), fit.alpha.end());
    BOOST_TEST(*most > 3 * *least);  // 10 times, in truth
    BOOST_TEST(fit.beta > 0.05);
    BOOST_TEST(learn::topics{.count = 4}.fit(data::arrays(truth.documents_of())).alpha == std::vector<double>(4, 0.1),
               boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(shares_and_scores_are_what_they_say) {
    const auto fit = known();
    const double phi[2][4] = {{3.01 / 9.04, 6.01 / 9.04, 0.01 / 9.04, 0.01 / 9.04},
                              {0.01 / 9.04, 1.01 / 9.04, 4.01 / 9.04, 4.01 / 9.04}};
    for (std::size_t k = 0; k < 2; ++k)
        for (std::size_t w = 0; w < 4; ++w) BOOST_TEST(fit(k, w) == phi[k][w], boost::test_tools::tolerance(1e-14));
    BOOST_TEST((fit.top(0, 2) == std::vector<std::size_t>{1, 0}));
    BOOST_TEST((fit.top(1, 9) == std::vector<std::size_t>{2, 3, 1, 0}));

    const auto shares = [&](const std::vector<double>& n) {
        double theta[2] = {0.5, 0.5}, all = 0.4;
        for (const double one : n) all += one;
        for (int round = 0; round < 200; ++round) {
            double next[2] = {0.1, 0.3};
            for (std::size_t w = 0; w < 4; ++w)
                for (std::size_t k = 0; k < 2; ++k)
                    next[k] += n[w] * theta[k] * phi[k][w] / (theta[0] * phi[0][w] + theta[1] * phi[1][w]);
            for (std::size_t k = 0; k < 2; ++k) theta[k] = next[k] / all;
        }
        return std::vector<double>{theta[0], theta[1]};
    };
    // tokens a a a b c c d: the 1st, 3rd, 5th and 7th are known, a a c d; the others asked, a b c
    const std::vector<std::vector<double>> documents{{3, 1, 2, 1}, {0, 0, 0, 0}, {0, 1, 0, 0}};
    const auto found = fit.transform(data::arrays(sparse(documents)));
    for (std::size_t i = 0; i < 3; ++i) {
        const auto expected = shares(documents[i]);
        for (std::size_t k = 0; k < 2; ++k) BOOST_TEST(std::abs(found(i, k) - expected[k]) < 1e-7);
    }
    BOOST_TEST(std::abs(found(1, 0) - 0.25) < 1e-12);  // no words: alpha / sum alpha
    const auto theta = shares({2, 0, 1, 1});
    double loss = 0;
    for (const std::size_t w : {0u, 1u, 2u}) loss -= std::log(theta[0] * phi[0][w] + theta[1] * phi[1][w]) / 3;
    BOOST_TEST(fit.score(data::arrays(sparse(documents))).loss == loss, boost::test_tools::tolerance(1e-7));
    BOOST_TEST(std::isnan(fit.score(data::arrays(sparse({{0, 1, 0, 0}}))).loss));  // no second word

    // top two words: b before a, c before d;  D(b) = 2, D(b and a) = 1;  D(c) = 1, D(c and d) = 1
    const auto together = fit.coherence(data::arrays(sparse(documents)), 2);
    BOOST_TEST(std::abs(together[0] - std::log(2.0 / 2)) < 1e-14);
    BOOST_TEST(std::abs(together[1] - std::log(2.0 / 1)) < 1e-14);
}

BOOST_AUTO_TEST_CASE(options_and_counts_that_do_not_fit_are_refused) {
    const std::vector<std::vector<double>> fine{{1, 2}, {0, 0}, {3, 0}};
    BOOST_TEST(message_of({.count = 2, .stop = {.iterations = 3}}, fine) == "");  // an empty document is one
    for (const auto& wrong :
         {learn::topics<>{.count = 0}, learn::topics<>{.alpha = 0}, learn::topics<>{.beta = -1},
          learn::topics<>{.restarts = 0}, learn::topics<>{.nodes = 0}, learn::topics<>{.samples = 0},
          learn::topics<>{.stop = {.iterations = 0}}, learn::topics<>{.count = 2, .alphas = {0.1}},
          learn::topics<>{.count = 2, .alphas = {0.1, -0.1}},
          learn::topics<>{.alpha = std::numeric_limits<double>::quiet_NaN()}})
        BOOST_CHECK_THROW(wrong.fit(data::arrays(sparse(fine))), core::option_error);
    BOOST_TEST(message_of({.count = 7}, fine).find("6 words in 3 documents (7 topics are wanted)") !=
               std::string::npos);
    BOOST_TEST(message_of({.count = 1}, {{0, 0}}).find("0 words") != std::string::npos);
    BOOST_TEST(message_of({.count = 1}, {{1, 2}, {1, -2}}).find("document 2 has 'x1' -2 times") != std::string::npos);
    BOOST_TEST(message_of({.count = 1}, {{1.5, 2}}).find("document 1 has 'x0' 1.5 times") != std::string::npos);
    BOOST_TEST(message_of({.count = 1}, {{1, 1e10}}).find("whole numbers") != std::string::npos);
    const auto fit = known();
    BOOST_CHECK_THROW(fit.transform(data::arrays(sparse({{1, 2, 3, 0.5}}))), core::data_error);
    BOOST_CHECK_THROW(fit.score(data::arrays(sparse({{1, 2, 3, -1}}))), core::data_error);
    BOOST_CHECK_THROW(fit.transform(data::arrays(sparse({{1, 2, 3, 4, 5}}))), core::error);
    auto broken = known();
    broken.counts.pop_back();
    BOOST_CHECK_THROW(broken.validate(), core::data_error);
    broken = known();
    broken.alpha[0] = 0;
    BOOST_CHECK_THROW(broken.validate(), core::data_error);
}

BOOST_AUTO_TEST_CASE(news_are_completed_as_well_as_listed, *boost::unit_test::precondition(real_data::is_there)) {
    const real_data::answer answer("lda_ap");
    const real_data::unpacked file("ap/docword.ap.txt.gz");
    const data::triples<> all{.path = file.name()};
    const auto test = data::rows_where(all, [](std::size_t d) { return d % 10 == 9; });
    const auto train = data::rows_where(all, [](std::size_t d) { return d % 10 != 9; });
    for (const std::size_t count : {10u, 50u}) {
        double least = std::numeric_limits<double>::infinity();
        for (const auto& one : answer["lda"])
            if (one["K"] == count) least = std::min(least, one["completion_perplexity"].get<double>());
        const auto fit = learn::topics{.count = count, .stop = {.iterations = 60}}.fit(train);
        const double found = std::exp(fit.score(test).loss);
        BOOST_TEST_MESSAGE(count << " topics: perplexity " << found << ", listed " << least);
        BOOST_TEST(found < least);
    }
}

BOOST_AUTO_TEST_SUITE_END()

// SPDX-License-Identifier: BSL-1.0
// What the samplers of topics draw, against all that could be: tiny corpora of which every assignment can be counted.
#include "topic_data.hpp"

#include <boost/test/unit_test.hpp>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include <gamut/communicator/threads.hpp>
#include <gamut/learn/detail/dense_gibbs.hpp>
#include <gamut/learn/detail/learn_priors.hpp>
#include <gamut/learn/detail/log_rising.hpp>
#include <gamut/learn/detail/metropolis_topics.hpp>
#include <gamut/learn/detail/sparse_gibbs.hpp>
#include <gamut/learn/detail/topic_counts.hpp>

using namespace gamut;
using learn::detail::topic_node;
using learn::detail::topic_priors;
using learn::detail::word_block;

namespace {

template <class C> auto load(const C& ranks, const topic_data::matrix& x, std::size_t nodes) {
    data::request wanted;
    wanted.labels = false;
    wanted.blocks = nodes;
    return data::arrays(x).load(ranks, wanted);
}

/// Tokens with all their words and documents, and topics that can be any.
struct corpus {
    std::vector<std::size_t> document, word;
    std::size_t documents, words;
    topic_priors priors;

    static corpus of(const topic_data::matrix& x, const topic_priors& priors) {
        corpus c{{}, {}, x.rows, x.columns, priors};
        for (std::size_t i = 0; i < x.rows; ++i)
            for (auto e = static_cast<std::size_t>(x.offsets[i]); e < static_cast<std::size_t>(x.offsets[i + 1]); ++e)
                for (double n = 0; n < x.value(e); ++n) {
                    c.document.push_back(i);
                    c.word.push_back(static_cast<std::size_t>(x.indices[e]));
                }
        return c;
    }

    /// One token after the other: the chance of its topic, and of its word, given those before.
    double log_likelihood(const std::vector<std::size_t>& topic) const {
        const std::size_t k = priors.alpha.size();
        std::vector<double> in_document(documents * k), of_word(words * k), of_topic(k), length(documents);
        double all = 0, sum = 0;
        for (const double a : priors.alpha) all += a;
        for (std::size_t t = 0; t < topic.size(); ++t) {
            const std::size_t z = topic[t], d = document[t], w = word[t];
            sum += std::log((in_document[d * k + z] + priors.alpha[z]) / (length[d] + all));
            sum +=
                std::log((of_word[w * k + z] + priors.beta) / (of_topic[z] + static_cast<double>(words) * priors.beta));
            ++in_document[d * k + z];
            ++of_word[w * k + z];
            ++of_topic[z];
            ++length[d];
        }
        return sum;
    }

    std::vector<std::size_t> assignment(std::size_t number) const {
        std::vector<std::size_t> topic;
        for (std::size_t t = 0; t < word.size(); ++t, number /= priors.alpha.size())
            topic.push_back(number % priors.alpha.size());
        return topic;
    }
    /// Probabilities of all assignments.
    std::vector<double> posterior() const {
        std::size_t all = 1;
        for (std::size_t t = 0; t < word.size(); ++t) all *= priors.alpha.size();
        std::vector<double> p;
        double sum = 0;
        for (std::size_t s = 0; s < all; ++s) sum += p.emplace_back(std::exp(log_likelihood(assignment(s))));
        for (double& one : p) one /= sum;
        return p;
    }
};

const auto tiny = topic_data::sparse({{1, 1, 0}, {1, 0, 1}});
const topic_priors two{{0.5, 1.2}, 0.4};
const auto small = topic_data::sparse({{2, 1, 0}, {0, 1, 1}});
const topic_priors three{{0.3, 0.2, 0.7}, 0.25};

/// sum (seen - expected)^2 / expected of a chain's assignments, of which every `apart`-th counts.
template <class Sampler, class Make>
double chi_square(const topic_data::matrix& x, const topic_priors& priors, std::size_t draws, std::size_t apart,
                  Make make) {
    const communicator::single<> ranks;
    const auto rows = load(ranks, x, 1);
    learn::detail::topic_counts chain(ranks, rows, priors.alpha.size(), 1);
    chain.sweep([&](std::size_t, topic_node& node, const word_block& block) {
        learn::detail::draw_any_topics(node, block, {.seed = 5});
    });
    Sampler sampler = make(chain.nodes()[0]);
    const auto p = corpus::of(x, priors).posterior();
    std::vector<double> seen(p.size());
    for (std::size_t sweep = 1; sweep <= draws * apart; ++sweep) {
        chain.sweep([&](std::size_t, topic_node& node, const word_block& block) {
            sampler(node, block, priors, {.seed = 6, .stream = sweep});
        });
        if (sweep % apart != 0) continue;
        std::size_t number = 0, place = 1;
        for (const auto z : chain.nodes()[0].topic) {
            number += static_cast<std::size_t>(z) * place;
            place *= priors.alpha.size();
        }
        ++seen[number];
    }
    double sum = 0;
    for (std::size_t s = 0; s < p.size(); ++s) {
        const double expected = p[s] * static_cast<double>(draws);
        sum += (seen[s] - expected) * (seen[s] - expected) / expected;
    }
    return sum;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(topic_samplers)

BOOST_AUTO_TEST_CASE(gibbs_draws_assignments_as_often_as_they_are_likely) {
    using sampler = learn::detail::sparse_gibbs;
    const auto make = [](std::size_t topics) {
        return [topics](const topic_node& node) { return sampler(node, topics); };
    };
    // of 15 and 242 degrees of freedom: exceeded once in 1,000 chains
    BOOST_TEST(chi_square<sampler>(tiny, two, 40000, 5, make(2)) < 37.7);
    BOOST_TEST(chi_square<sampler>(small, three, 40000, 8, make(3)) < 314.0);
}

BOOST_AUTO_TEST_CASE(gibbs_over_all_topics_draws_assignments_as_often_as_they_are_likely) {
    using sampler = learn::detail::dense_gibbs;
    const auto make = [](std::size_t topics) {
        return [topics](const topic_node& node) { return sampler(node, topics); };
    };
    BOOST_TEST(chi_square<sampler>(tiny, two, 40000, 5, make(2)) < 37.7);
    BOOST_TEST(chi_square<sampler>(small, three, 40000, 8, make(3)) < 314.0);
}

BOOST_AUTO_TEST_CASE(a_topic_is_drawn_in_proportion_of_its_weight_whatever_their_number) {
    for (const std::size_t topics : {1u, 7u, 31u, 32u, 33u, 100u, 500u}) {
        learn::detail::topic_weights weights(topics);
        topic_priors priors{{}, 0.3};
        std::vector<std::int64_t> totals(topics);
        std::vector<std::int32_t> row(topics);
        std::vector<float> in_document(weights.padded());
        std::vector<double> p(topics);
        for (std::size_t k = 0; k < topics; ++k) {
            priors.alpha.push_back(0.05 * static_cast<double>(1 + k % 7));
            row[k] = static_cast<std::int32_t>(k * k % 5);
            totals[k] = static_cast<std::int64_t>(10 + k % 11);
            in_document[k] = static_cast<float>(k * 13 % 4);
        }
        const double all = 3.0;
        weights.begin(priors, all, totals);
        weights.of_word(row.data());
        if (topics > 1) {  // one token goes, and another comes
            in_document[1] = std::max(0.0f, in_document[1] - 1);
            weights.removed<16>(1, row[1] = std::max(row[1] - 1, 0), --totals[1]);
            weights.added<16>(topics - 1, ++row[topics - 1], ++totals[topics - 1]);
        }
        double sum = 0;
        for (std::size_t k = 0; k < topics; ++k)
            sum += p[k] = (static_cast<double>(in_document[k]) + priors.alpha[k]) * (row[k] + priors.beta) /
                          (static_cast<double>(totals[k]) + all);
        // Evenly spread numbers are found in each topic as often as its weight says, to what the ends of its parts add.
        constexpr std::size_t asked = 200000;
        std::vector<double> seen(topics);
        for (std::size_t i = 0; i < asked; ++i)
            ++seen[weights.draw<16>(in_document.data(), (static_cast<double>(i) + 0.5) / asked)];
        for (std::size_t k = 0; k < topics; ++k)
            BOOST_TEST(std::abs(seen[k] - p[k] / sum * asked) < 2.1,
                       topics << " topics, topic " << k << ": " << seen[k]);
        BOOST_TEST(weights.draw<16>(in_document.data(), 1 - 0x1p-53) < topics);
    }
}

BOOST_AUTO_TEST_CASE(metropolis_draws_assignments_as_often_as_they_are_likely) {
    using sampler = learn::detail::metropolis_topics;
    const auto make = [](const topic_node& node) { return sampler(node); };
    BOOST_TEST(chi_square<sampler>(tiny, two, 40000, 8, make) < 37.7);
    BOOST_TEST(chi_square<sampler>(small, three, 40000, 12, make) < 314.0);
}

BOOST_AUTO_TEST_CASE(a_sampler_of_other_priors_is_found_out) {
    using sampler = learn::detail::sparse_gibbs;
    struct wrong {
        sampler inner;
        void operator()(topic_node& node, const word_block& block, topic_priors priors, const core::random& draws) {
            priors.alpha[0] *= 1.1;
            inner(node, block, priors, draws);
        }
    };
    const auto make = [](const topic_node& node) { return wrong{sampler(node, 2)}; };
    BOOST_TEST(chi_square<wrong>(tiny, two, 40000, 5, make) > 37.7);
}

BOOST_AUTO_TEST_CASE(proposals_keep_the_balance) {
    // The first token alone, from each topic s: pi_s T(s, t) = pi_t T(t, s), pi its distribution given the other tokens.
    const communicator::single<> ranks;
    const auto rows = load(ranks, small, 1);
    learn::detail::topic_counts chain(ranks, rows, 3, 1);
    const auto c = corpus::of(small, three);
    const std::vector<std::int32_t> others{1, 2, 0, 0};
    constexpr std::size_t draws = 200000;
    double moved[3][3] = {}, pi[3];
    chain.sweep([&](std::size_t, topic_node& node, const word_block& block) {
        for (std::size_t s = 0; s < 3; ++s) {
            topic_node from = node;
            std::vector<std::int32_t> counts(block.size());
            word_block own = block;
            own.counts = counts.data();
            from.topic[0] = static_cast<std::int32_t>(s);
            std::copy(others.begin(), others.end(), from.topic.begin() + 1);
            for (std::size_t t = 0; t < 5; ++t) {
                own.add(own.open(c.word[t]), static_cast<std::size_t>(from.topic[t]));
                ++from.totals[static_cast<std::size_t>(from.topic[t])];
            }
            pi[s] = std::exp(c.log_likelihood(std::vector<std::size_t>(from.topic.begin(), from.topic.end())));
            const auto before = counts;
            const topic_node begin = from;
            learn::detail::metropolis_topics sampler(node);
            for (std::uint64_t n = 0; n < draws; ++n) {
                sampler(from, own, three, {.seed = 11 + s, .stream = n});
                moved[s][static_cast<std::size_t>(from.topic[0])] += 1.0 / draws;
                from.topic = begin.topic;
                from.totals = begin.totals;
                counts = before;
            }
        }
    });
    const double all = pi[0] + pi[1] + pi[2];
    for (std::size_t s = 0; s < 3; ++s) {
        double into = 0;
        for (std::size_t from = 0; from < 3; ++from) into += pi[from] / all * moved[from][s];
        BOOST_TEST(std::abs(into - pi[s] / all) < 0.004, "topic " << s << ": " << into << ", not " << pi[s] / all);
        for (std::size_t t = 0; t < s; ++t)
            BOOST_TEST(std::abs(pi[s] * moved[s][t] - pi[t] * moved[t][s]) / all < 0.004, s << " and " << t);
    }
}

BOOST_AUTO_TEST_CASE(counts_are_those_of_the_topics_and_the_likelihood_is_that_of_the_tokens) {
    const topic_data::disjoint source{.topics = 4, .words = 6, .documents = 40, .length = 20};
    const auto x = source.documents_of();
    const auto all_samplers = [&](std::size_t topics, int size) {
        topic_priors priors{{}, 0.05};
        for (std::size_t k = 0; k < topics; ++k) priors.alpha.push_back(0.1 * static_cast<double>(1 + k * k % 7));
        double answer = 0;
        communicator::threads<>::run(size, [&](const communicator::threads<>& ranks) {
            const auto rows = load(ranks, x, 7);
            learn::detail::topic_counts chain(ranks, rows, topics, 2);
            std::vector<learn::detail::sparse_gibbs> exact;
            std::vector<learn::detail::metropolis_topics> proposing;
            for (const auto& node : chain.nodes()) {
                exact.emplace_back(node, topics);
                proposing.emplace_back(node);
            }
            for (std::uint64_t sweep = 0; sweep < 4; ++sweep)  // the first one finds no topics yet
                chain.sweep([&](std::size_t i, topic_node& node, const word_block& block) {
                    exact[i](node, block, priors, {.seed = 1, .stream = sweep});
                });
            for (std::uint64_t sweep = 4; sweep < 6; ++sweep)
                chain.sweep([&](std::size_t i, topic_node& node, const word_block& block) {
                    proposing[i](node, block, priors, {.seed = 1, .stream = sweep});
                });
            std::vector<learn::detail::dense_gibbs> dense;
            for (const auto& node : chain.nodes()) dense.emplace_back(node, topics);
            for (std::uint64_t sweep = 6; sweep < 8; ++sweep)
                chain.sweep([&](std::size_t i, topic_node& node, const word_block& block) {
                    dense[i](node, block, priors, {.seed = 1, .stream = sweep});
                });
            std::vector<double> found(topics * 24), counted(topics * 24), totals(topics);
            std::vector<std::int32_t> topic(800);
            chain.add_counts(found);
            for (const auto& node : chain.nodes())
                for (std::size_t t = 0; t < node.size(); ++t) {
                    const auto k = static_cast<std::size_t>(node.topic[t]);
                    ++counted[k * 24 + static_cast<std::size_t>(node.word[t])];
                    ++totals[k];
                    topic[node.first_token + t] = node.topic[t];
                }
            for (auto* const numbers : {&found, &counted, &totals})
                ranks.all_reduce(std::span(*numbers), communicator::operation::sum);
            ranks.all_reduce(std::span(topic), communicator::operation::sum);
            BOOST_TEST((found == counted));
            BOOST_TEST((totals == std::vector<double>(chain.totals().begin(), chain.totals().end())));
            const double likelihood = chain.log_likelihood(priors);
            BOOST_TEST(likelihood == corpus::of(x, priors).log_likelihood({topic.begin(), topic.end()}),
                       boost::test_tools::tolerance(1e-11));
            if (ranks.rank() == 0) answer = likelihood;
        });
        return answer;
    };
    for (const std::size_t topics : {5u, 600u})  // of 600, words are pairs of a topic and its count
        BOOST_TEST(all_samplers(topics, 1) == all_samplers(topics, 3));
}

BOOST_AUTO_TEST_CASE(learning_priors_never_lowers_the_likelihood) {
    const communicator::single<> ranks;
    const auto rows = load(ranks, topic_data::disjoint{.topics = 3, .documents = 60, .slope = 1}.documents_of(), 2);
    learn::detail::topic_counts chain(ranks, rows, 3, 1);
    std::vector<learn::detail::sparse_gibbs> samplers;
    for (const auto& node : chain.nodes()) samplers.emplace_back(node, 3);
    topic_priors priors{{1, 1, 1}, 0.5};
    for (std::uint64_t sweep = 0; sweep < 20; ++sweep)
        chain.sweep([&](std::size_t i, topic_node& node, const word_block& block) {
            samplers[i](node, block, priors, {.seed = 2, .stream = sweep});
        });
    double before = chain.log_likelihood(priors);
    for (int step = 0; step < 30; ++step) {
        learn::detail::learn_priors(chain, priors, 1);
        const double now = chain.log_likelihood(priors);
        BOOST_TEST(now >= before - 1e-9 * std::abs(before));
        before = now;
    }
    learn::detail::learn_priors(chain, priors, 300);
    const auto best = chain.log_likelihood(priors);
    for (const double factor : {0.97, 1.03}) {  // nothing near is better
        for (std::size_t k = 0; k < 3; ++k) {
            auto other = priors;
            other.alpha[k] *= factor;
            BOOST_TEST(chain.log_likelihood(other) < best);
        }
        auto other = priors;
        other.beta *= factor;
        BOOST_TEST(chain.log_likelihood(other) < best);
    }
}

BOOST_AUTO_TEST_CASE(rising_factorials_are_those_of_the_gamma_function) {
    for (const double a : {1e-6, 0.01, 0.1, 1.0, 3.7, 200.0})
        for (const std::size_t n : {0u, 1u, 2u, 8u, 9u, 100u, 123456u}) {
            const double expected = std::lgamma(a + static_cast<double>(n)) - std::lgamma(a);
            BOOST_TEST(std::abs(learn::detail::log_rising(a, n) - expected) <= 1e-12 * (1 + std::abs(expected)));
            const double h = 1e-5 * a;
            const double slope = (learn::detail::log_rising(a + h, n) - learn::detail::log_rising(a - h, n)) / (2 * h);
            BOOST_TEST(std::abs(learn::detail::rising_slope(a, n) - slope) <= 1e-3 * (1 + std::abs(slope)));
        }
}

BOOST_AUTO_TEST_CASE(words_are_cut_into_blocks_of_about_as_many_tokens) {
    const auto cut_words = [](const std::vector<std::int64_t>& tokens, std::size_t blocks) {
        return learn::detail::cut_evenly(tokens, blocks);
    };
    BOOST_TEST((cut_words({4, 4, 4, 4}, 2) == std::vector<std::size_t>{0, 2, 4}));
    BOOST_TEST((cut_words({10, 1, 1, 1}, 3) == std::vector<std::size_t>{0, 1, 1, 4}));
    BOOST_TEST((cut_words({1, 1}, 4) == std::vector<std::size_t>{0, 1, 1, 2, 2}));
    BOOST_TEST((cut_words({0, 0, 0}, 2).back() == 3u));
    BOOST_TEST((cut_words({}, 2) == std::vector<std::size_t>{0, 0, 0}));
}

BOOST_AUTO_TEST_CASE(documents_that_keep_their_counts_get_the_topics_of_those_that_are_counted) {
    const auto x = topic_data::sparse({{300, 0, 411, 7}, {2, 1, 0, 1}, {0, 90, 5, 600}, {1, 1, 1, 1}});
    const topic_priors priors{std::vector<double>(6, 0.3), 0.1};
    const auto drawn = [&](std::size_t long_from) {
        const communicator::single<> ranks;
        const auto rows = load(ranks, x, 2);
        learn::detail::topic_counts chain(ranks, rows, priors.alpha.size(), 1);
        chain.sweep([&](std::size_t, topic_node& node, const word_block& block) {
            learn::detail::draw_any_topics(node, block, {.seed = 5});
        });
        std::vector<learn::detail::metropolis_topics> samplers;
        for (const auto& node : chain.nodes()) samplers.emplace_back(node, long_from);
        for (std::size_t sweep = 1; sweep <= 20; ++sweep)
            chain.sweep([&](std::size_t i, topic_node& node, const word_block& block) {
                samplers[i](node, block, priors, {.seed = 6, .stream = sweep});
            });
        std::vector<std::int32_t> topics;
        for (const auto& node : chain.nodes()) topics.insert(topics.end(), node.topic.begin(), node.topic.end());
        return topics;
    };
    const auto counted = drawn(1'000'000);
    BOOST_TEST(drawn(1) == counted, boost::test_tools::per_element());    // all keep them
    BOOST_TEST(drawn(512) == counted, boost::test_tools::per_element());  // two of four
}

BOOST_AUTO_TEST_CASE(all_topics_are_weighed_where_documents_have_room_for_it) {
    using learn::detail::dense_gibbs;
    BOOST_TEST(dense_gibbs::takes(10, 1'000, 20'000));
    BOOST_TEST(dense_gibbs::takes(512, 30'000, 300'000));  // 61 MB
    BOOST_TEST(!dense_gibbs::takes(513, 1'000, 20'000));
    BOOST_TEST(!dense_gibbs::takes(512, 8'000'000, 80'000'000));  // 16 GB beside 2.2
    BOOST_TEST(dense_gibbs::takes(512, 8'000'000, 800'000'000));
}

BOOST_AUTO_TEST_SUITE_END()

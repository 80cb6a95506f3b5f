// SPDX-License-Identifier: BSL-1.0
// Learners that must not begin, or fits that cannot answer: options, shapes, labels, counts and files, and what is to be said about each; the same on
// one rank and on three.
#include <bad_input/failure.hpp>
#include <boost/test/unit_test.hpp>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <filesystem>
#include <fstream>
#include <functional>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include <unistd.h>

#include "../fits/any_communicator.hpp"

#include <gamut/backend/matrix.hpp>
#include <gamut/communicator/threads.hpp>
#include <gamut/core/error.hpp>
#include <gamut/data/arrays.hpp>
#include <gamut/data/texts.hpp>
#include <gamut/data/triples.hpp>
#include <gamut/learn.hpp>

using namespace gamut;

namespace {

using C = fits::any_communicator;
using core::error_kind;

using test::failure;
using test::failure_of;

struct bad_learner {
    const char* what;
    error_kind kind;
    std::vector<const char*> words;
    std::function<void(const C&)> fit;
};

constexpr double nan = std::numeric_limits<double>::quiet_NaN(), inf = std::numeric_limits<double>::infinity();

backend::dense_matrix<double> some_rows(std::size_t rows = 30, std::size_t columns = 4) {
    backend::dense_matrix<double> x(rows, columns);
    for (std::size_t i = 0; i < rows; ++i)
        for (std::size_t j = 0; j < columns; ++j) x(i, j) = static_cast<double>((5 * i + 3 * j * j) % 11);
    return x;
}
backend::dense_matrix<double> with(std::size_t i, std::size_t j, double value) {
    auto x = some_rows();
    x(i, j) = value;
    return x;
}
std::vector<double> labels(std::size_t rows = 30) {
    std::vector<double> y;
    for (std::size_t i = 0; i < rows; ++i) y.push_back(static_cast<double>(i % 3));
    return y;
}
const std::string path =
    (std::filesystem::temp_directory_path() / ("gamut_bad_learner_" + std::to_string(::getpid()))).string();

struct cases {
    std::vector<bad_learner> all;

    template <class L, class S>
    void add(const char* what, error_kind kind, std::vector<const char*> words, L learner, S source) {
        all.push_back({what, kind, std::move(words), [learner, source](const C& ranks) {
                           L here = learner;
                           here.communicator = ranks;
                           here.fit(source);
                       }});
    }
    template <class L> void option(const char* what, std::vector<const char*> words, L learner) {
        add(what, error_kind::option, std::move(words), learner, data::arrays(some_rows(), labels()));
    }
    template <class L, class S> void data(const char* what, std::vector<const char*> words, L learner, S source) {
        add(what, error_kind::data, std::move(words), learner, source);
    }
    /// A text file, read by documents or entries.
    template <class L>
    void documents(const char* what, std::vector<const char*> words, L learner, const std::string& text) {
        from_file(what, std::move(words), learner, text, [] { return data::texts<>{.path = path}; });
    }
    template <class L>
    void entries(const char* what, std::vector<const char*> words, L learner, const std::string& text) {
        from_file(what, std::move(words), learner, text, [] { return data::triples<>{.path = path}; });
    }

    template <class L, class Make>
    void from_file(const char* what, std::vector<const char*> words, L learner, const std::string& text, Make make) {
        all.push_back({what, error_kind::data, std::move(words), [=](const C& ranks) {
                           L here = learner;
                           here.communicator = ranks;
                           if (ranks.rank() == 0) std::ofstream(path, std::ios::binary) << text;
                           ranks.barrier();
                           here.fit(make());
                       }});
    }
};

std::vector<bad_learner> bad_learners() {
    cases c;
    {
        using L = learn::k_means<C>;
        c.option("no clusters", {"k_means", "clusters is 0", "try 8"}, L{.clusters = 0});
        c.option("no runs", {"k_means", "restarts is 0"}, L{.restarts = 0});
        c.option("a negative tolerance", {"k_means", "tolerance"}, L{.stop = {.tolerance = -1}});
        c.option("a tolerance that is none", {"k_means", "tolerance"}, L{.stop = {.tolerance = nan}});
        c.option("one run of two goes on", {"k_means", "restarts = 1"}, L{.restarts = 2, .resume = "somewhere"});
        c.data("more clusters than rows", {"30 rows", "31 clusters"}, L{.clusters = 31}, data::arrays(some_rows()));
        c.data("a row that is not finite", {"x(7, 2)", "finite"}, L{.clusters = 2}, data::arrays(with(7, 2, nan)));
        c.data("no rows", {"("}, L{.clusters = 1}, data::arrays(some_rows(0)));
        c.data("a negative weight", {"weight"}, L{.clusters = 2},
               data::arrays(some_rows(), labels(), std::vector<double>(30, -1)));
    }
    {
        using L = learn::principal_components<C>;
        c.data("more components than columns", {"30 rows and 4 columns", "5 components"}, L{.components = 5},
               data::arrays(some_rows()));
        c.data("components of an infinite number", {"x(0, 3)", "finite"}, L{.components = 1},
               data::arrays(with(0, 3, inf)));
    }
    {
        using L = learn::nearest<C>;
        c.option("no neighbours", {"nearest", "neighbours is 0"}, L{.neighbours = 0});
        c.data("more neighbours than rows", {"30 rows", "31 neighbours"}, L{.neighbours = 31},
               data::arrays(some_rows()));
    }
    {
        using L = learn::random_forest<C>;
        c.option("no trees", {"random_forest", "trees is 0"}, L{.trees = 0});
        c.option("leaves without rows", {"random_forest", "leaf is 0"}, L{.leaf = 0});
        c.option("no share", {"random_forest", "share is 0"}, L{.share = 0});
        c.option("a share above 1", {"random_forest", "share is 2"}, L{.share = 2});
        c.option("nothing to learn", {"random_forest", "target is none"}, L{.target = learn::target::none});
        c.option("more features than there are", {"random_forest", "features is 5", "4"}, L{.features = 5});
        c.option("variance of classes", {"random_forest", "does not suit"}, L{.impurity = learn::impurity::variance});
        c.data("labels that are not finite", {"y(4)"}, L{.trees = 1, .target = learn::target::numbers},
               data::arrays(some_rows(), [] {
                   auto y = labels();
                   y[4] = inf;
                   return y;
               }()));
        c.add("labels of too few rows", error_kind::shape, {"29 labels", "30 rows"}, L{.trees = 1},
              data::arrays(some_rows(), labels(29)));
    }
    {
        using L = learn::nonnegative_factorisation<C>;
        c.option("parts of rank 0", {"nonnegative_factorisation", "rank is 0"}, L{.rank = 0});
        c.data("a number below 0", {"-3"}, L{.rank = 2}, data::arrays(with(5, 1, -3)));
        c.data("more parts than rows", {"30 rows"}, L{.rank = 31}, data::arrays(some_rows()));
    }
    {
        using L = learn::sparse_coding<C>;
        c.option("no atoms", {"sparse_coding", "atoms is 0"}, L{.atoms = 0});
        c.option("a negative lambda", {"sparse_coding", "lambda is -1"}, L{.lambda = -1});
        c.option("a lambda that is none", {"sparse_coding", "lambda is nan"}, L{.lambda = nan});
        c.data("more atoms than rows", {"30 rows"}, L{.atoms = 31}, data::arrays(some_rows()));
    }
    {
        using L = learn::factorisation<C>;
        c.option("factors of rank 0", {"factorisation", "rank is 0"}, L{.rank = 0});
        c.option("an infinite lambda", {"factorisation", "lambda is inf"}, L{.lambda = inf});
        c.option("no rounds", {"factorisation", "inner is 0"}, L{.inner = 0});
        c.data("a rank above the columns'", {"30 rows and 4 columns", "rank 5"}, L{.rank = 5},
               data::arrays(some_rows()));
        c.entries("entries without a number", {":2:"}, L{.rank = 1}, "0,0,1\n0,1,many\n1,0,2\n");
        c.entries("an entry given twice", {"0", "1"}, L{.rank = 1}, "0,0,1\n0,1,2\n0,1,3\n1,1,1\n");
        c.entries("a negative place", {":2:"}, L{.rank = 1}, "0,0,1\n-1,0,1\n1,1,1\n");
    }
    {
        using L = learn::metric<C>;
        c.option("a metric without a hinge", {"metric", "lambda is 0"}, L{.lambda = 0});
        c.option("a metric without pairs", {"metric", "pairs is 0"}, L{.pairs = 0});
        c.data("a rank above the columns' of a metric", {"4"}, L{.rank = 5}, data::arrays(some_rows(), labels()));
    }
    {
        using L = learn::topics<C>;
        c.option("no topics", {"topics", "count is 0"}, L{.count = 0});
        c.option("no nodes", {"topics", "nodes is 0"}, L{.nodes = 0});
        c.option("no samples", {"topics", "samples is 0"}, L{.samples = 0});
        c.option("an alpha of 0", {"topics", "alpha is 0"}, L{.alpha = 0});
        c.option("a beta that is none", {"topics", "beta is nan"}, L{.beta = nan});
        c.option("alphas of other topics", {"topics", "2 alphas", "3 topics"}, L{.count = 3, .alphas = {1, 1}});
        c.data("a negative count", {"document 6", "-2 times"}, L{.count = 2}, data::arrays(with(5, 0, -2)));
        c.data("half a word", {"document 1", "0.5 times"}, L{.count = 2}, data::arrays(with(0, 2, 0.5)));
        c.data("documents that have weights", {"document", "weight 2"}, L{.count = 2},
               data::arrays(some_rows(), labels(), std::vector<double>(30, 2)));
        c.data("documents without words", {"0 words"}, L{.count = 1},
               data::arrays(backend::dense_matrix<double>(3, 2)));
        c.documents("more topics than words", {"3 words in 2 documents"}, L{.count = 4}, "a x one two\nb y three\n");
        c.documents("a file of blank lines", {"blank lines only"}, L{.count = 1}, "\n  \n");
        c.documents("a document that is only a name", {":1:"}, L{.count = 1}, "alone\nb y one two\n");
    }
    {
        using L = learn::supervised_topics<C>;
        c.option("no topics for classes", {"supervised_topics", "count is 0"}, L{.count = 0});
        c.option("no cost", {"supervised_topics", "cost is 0"}, L{.cost = 0});
        c.option("a margin below 0", {"supervised_topics", "margin is -1"}, L{.margin = -1});
        c.option("an infinite variance", {"supervised_topics", "variance is inf"}, L{.variance = inf});
        c.data("a negative count with classes", {"document 3", "-1 times"}, L{.count = 2},
               data::arrays(with(2, 0, -1), labels()));
    }
    return std::move(c.all);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(bad_learners_suite)

BOOST_AUTO_TEST_CASE(learners_refuse_what_they_cannot_learn_from_and_say_why_on_all_ranks) {
    const auto all = bad_learners();
    BOOST_TEST(all.size() >= 55u);
    for (const bad_learner& bad : all) BOOST_TEST_CONTEXT(bad.what) {
            const failure alone = failure_of([&] { bad.fit({}); });
            BOOST_TEST(static_cast<int>(alone.kind) == static_cast<int>(bad.kind), alone.message);
            for (const char* word : bad.words)
                BOOST_TEST(alone.message.find(word) != std::string::npos, alone.message << " lacks " << word);
            BOOST_TEST(alone.message.find('(') != std::string::npos, alone.message << " does not say why");
            std::vector<failure> together(3);
            communicator::threads<>::run(3, [&](const communicator::threads<>& ranks) {
                together[static_cast<std::size_t>(ranks.rank())] = failure_of([&] { bad.fit(C(ranks)); });
            });
            for (const failure& one : together) {
                BOOST_TEST(static_cast<int>(one.kind) == static_cast<int>(bad.kind), one.message);
                BOOST_TEST(one.message == together[0].message);
                BOOST_TEST(one.message.ends_with(alone.message), one.message << " is not " << alone.message);
            }
        }
    std::filesystem::remove(path);
}

BOOST_AUTO_TEST_SUITE_END()

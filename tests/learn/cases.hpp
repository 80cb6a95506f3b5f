// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "../fits/any_communicator.hpp"
#include "../fits/any_source.hpp"

#include <gamut/core/checkpoints.hpp>
#include <gamut/core/random.hpp>
#include <gamut/data/arrays.hpp>
#include <gamut/learn/concept.hpp>
#include <gamut/learn/factorisation.hpp>
#include <gamut/learn/k_means.hpp>
#include <gamut/learn/metric.hpp>
#include <gamut/learn/model_file.hpp>
#include <gamut/learn/nearest.hpp>
#include <gamut/learn/nonnegative_factorisation.hpp>
#include <gamut/learn/principal_components.hpp>
#include <gamut/learn/random_forest.hpp>
#include <gamut/learn/row_numbers.hpp>
#include <gamut/learn/sparse_coding.hpp>
#include <gamut/learn/supervised_topics.hpp>
#include <gamut/learn/topics.hpp>

/// Every learner on small data, behind one type: what conformance tests run over.
namespace learners {

using namespace gamut;
using ranks_type = fits::any_communicator;
using source_type = fits::any_source<backend::dense_matrix<double>>;
using observer_type = std::function<bool(const core::record&)>;
using lines = std::vector<std::string>;

/// Numbers as hexadecimal floating point: equal texts are equal bits.
inline std::string shown(double value) {
    char text[64];
    std::snprintf(text, sizeof text, " %a", value);
    return text;
}
template <class T>
requires std::integral<T> std::string shown(T value) { return " " + std::to_string(value); }
inline std::string shown(const std::string& value) { return " " + value; }
inline std::string shown(core::status value) { return " " + std::string(core::name(value)); }
template <class T> std::string shown(const std::vector<T>& values) {
    std::string all;
    for (const auto& value : values) all += shown(value);
    return all;
}

inline std::string shown(const core::names& value) {
    return shown(static_cast<const std::vector<std::string>&>(value));
}

/// All that a file keeps of a fit.
template <class F> lines members_of(const F& fit) {
    lines all;
    F::members(fit, [&](const char* name, const auto& value) { all.push_back(name + (":" + shown(value))); });
    return all;
}
template <class F> lines described(const F& fit) {
    lines all = members_of(fit);
    for (const core::record& now : fit.history)
        all.push_back("record " + std::string(now.solver) + " " + std::string(now.phase) + " " +
                      std::to_string(now.iteration) + " " + std::to_string(now.nonzeros) + " " +
                      std::to_string(now.passes) + shown(now.objective) + shown(now.residual));
    all.push_back("status " + std::string(core::name(fit.status)) + ": " + fit.message);
    return all;
}
inline lines of_score(const learn::score& s) {
    return {"score " + std::to_string(s.rows) + shown(s.loss) + shown(s.accuracy) + shown(s.r_squared)};
}

/// Answers about the rows of a rank: a line per row, and where they begin.
struct answers {
    std::size_t first_row = 0;
    lines rows;
};
inline answers about(const learn::cluster_assignment& found) {
    answers a{found.first_row, {}};
    for (std::size_t i = 0; i < found.clusters.size(); ++i)
        a.rows.push_back(shown(found.clusters[i]) + shown(found.distances[i]));
    return a;
}
inline answers about(const learn::row_numbers& found) {
    answers a{found.first_row, lines(found.rows())};
    for (std::size_t i = 0; i < found.rows(); ++i)
        for (std::size_t k = 0; k < found.width; ++k) a.rows[i] += shown(found(i, k));
    return a;
}
inline answers about(const learn::neighbours_found& found) {
    answers a{found.first_row, lines(found.rows())};
    for (std::size_t i = 0; i < found.rows(); ++i) {
        for (std::size_t k = i * found.neighbours; k < (i + 1) * found.neighbours; ++k)
            a.rows[i] += shown(found.indices[k]) + shown(found.distances[k]);
        if (!found.values.empty()) a.rows[i] += shown(found.values[i]);
    }
    return a;
}
inline answers about(const learn::forest_answer& found) {
    answers a{found.first_row, lines(found.rows())};
    for (std::size_t i = 0; i < found.rows(); ++i)
        for (std::size_t k = 0; k < found.outputs; ++k) a.rows[i] += shown(found(i, k));
    return a;
}
inline answers about(const learn::class_decisions& found) {
    answers a{found.first_row, lines(found.rows())};
    for (std::size_t i = 0; i < found.rows(); ++i) {
        for (std::size_t k = 0; k < found.classes.size(); ++k) a.rows[i] += shown(found(i, k));
        a.rows[i] += " " + found.class_name(i);
    }
    return a;
}
inline answers about(const learn::entry_predictions& found) {
    answers a{found.first_row, {}};
    for (std::size_t e = 0; e < found.rows.size(); ++e) {
        if (e == 0 || found.rows[e] != found.rows[e - 1]) a.rows.emplace_back();
        a.rows.back() += shown(found.columns[e]) + shown(found.values[e]);
    }
    return a;
}
template <class F> answers answers_of(const F& fit, const source_type& source) {
    if constexpr (learn::detail::Predicts<F>)
        return about(fit.predict(source));
    else
        return about(fit.transform(source));
}

/// The first difference in words; empty if there is none.
inline std::string difference(const lines& a, const lines& b) {
    for (std::size_t i = 0; i < a.size() && i < b.size(); ++i)
        if (a[i] != b[i]) return a[i].substr(0, 400) + "\n  and " + b[i].substr(0, 400);
    return a.size() == b.size() ? "" : std::to_string(a.size()) + " lines and " + std::to_string(b.size());
}

/// A source whose numbers are rounded down: counts.
struct counted {
    using matrix_type = backend::dense_matrix<double>;
    using value_type = double;
    source_type inner;

    data::dataset<matrix_type> load(const ranks_type& ranks, const data::request& wanted = {}) const {
        auto rows = inner.load(ranks, wanted);
        for (double& value : rows.x.values) value = std::floor(value);
        return rows;
    }
};

struct learner_case {
    std::string name;
    bool minimises = true;  ///< has an objective
    bool weighs = true;     ///< takes sample weights
    bool observes = true;   ///< has iterations that an observer can end
    bool sums = true;       ///< the objective is a sum over rows: twice the weights, twice the objective
    std::function<lines(const ranks_type&, const source_type&, const observer_type&)> fit;
    std::function<lines(const ranks_type&, const source_type&)> fit_smallest;  ///< with options that suit one row
    std::function<void(const source_type&)> fit_too_many;  ///< more of something than there are rows; may be empty
    std::function<double(const source_type&)> objective;
    std::function<answers(const ranks_type&, const source_type&)> answer;
    std::function<lines(const ranks_type&, const source_type&)> score;
    /// What differs between a fit and its saved and loaded self.
    std::function<std::string(const ranks_type&, const source_type&, const std::string& path)> save_and_load;
    /// A fit that keeps checkpoints in a folder and is stopped behind so many iterations; and one that goes on from there. May be empty.
    std::function<void(const ranks_type&, const source_type&, const std::string& folder, std::size_t)> interrupt;
    std::function<lines(const ranks_type&, const source_type&, const std::string& folder)> resume;
};

template <template <class> class F, class L>
learner_case make(std::string name, L learner, L smallest, std::type_identity_t<std::optional<L>> too_many,
                  bool counts = false) {
    static_assert(learn::Learner<L> && learn::Fitted<F<ranks_type>>);
    const auto on = [](L options, const ranks_type& ranks) {
        options.communicator = ranks;
        options.threads = 1;
        return options;
    };
    const auto seen = [counts](const source_type& source) { return counts ? source_type(counted{source}) : source; };
    learner_case c;
    c.name = std::move(name);
    c.fit = [=](const ranks_type& ranks, const source_type& source, const observer_type& observer) {
        const L options = on(learner, ranks);
        return described(observer ? options.fit(seen(source), observer) : options.fit(seen(source)));
    };
    c.fit_smallest = [=](const ranks_type& ranks, const source_type& source) {
        return described(on(smallest, ranks).fit(seen(source)));
    };
    if (too_many) c.fit_too_many = [=](const source_type& source) { on(*too_many, {}).fit(seen(source)); };
    c.objective = [=](const source_type& source) { return learner.fit(seen(source)).objective; };
    c.answer = [=](const ranks_type& ranks, const source_type& source) {
        return answers_of(on(learner, ranks).fit(seen(source)), seen(source));
    };
    c.score = [=](const ranks_type& ranks, const source_type& source) {
        return of_score(on(learner, ranks).fit(seen(source)).score(seen(source)));
    };
    c.save_and_load = [=](const ranks_type& ranks, const source_type& source, const std::string& path) {
        const auto fit = on(learner, ranks).fit(seen(source));
        save(fit, path);
        const auto again = learn::load<F>(path, ranks);
        const std::string found = difference(members_of(fit), members_of(again));
        return found != "" ? found
                           : difference(answers_of(fit, seen(source)).rows, answers_of(again, seen(source)).rows);
    };
    if constexpr (requires { learner.resume; }) {
        c.interrupt = [=](const ranks_type& ranks, const source_type& source, const std::string& folder,
                          std::size_t iterations) {
            core::checkpoints keeper{.every = 2, .folder = folder};
            const observer_type end = [=](const core::record& now) { return now.iteration >= iterations; };
            on(learner, ranks).fit(seen(source), keeper, end);
        };
        c.resume = [=](const ranks_type& ranks, const source_type& source, const std::string& folder) {
            L options = on(learner, ranks);
            options.resume = folder;
            return described(options.fit(seen(source)));
        };
    }
    return c;
}

/// rows x columns numbers above 0 in three clusters, and as many classes.
struct table {
    std::size_t rows = 150, columns = 6;
    double weight = 0;  // of every row; 0: no weights
    bool different_weights = false;

    backend::dense_matrix<double> values() const {
        backend::dense_matrix<double> x(rows, columns);
        for (std::size_t i = 0; i < rows; ++i)
            for (std::size_t j = 0; j < columns; ++j)
                x(i, j) = std::abs(core::random{.seed = 3}.normal(i * columns + j)) + (j % 3 == i % 3 ? 4.0 : 0.0);
        return x;
    }
    std::vector<double> labels() const {
        std::vector<double> y;
        for (std::size_t i = 0; i < rows; ++i) y.push_back(static_cast<double>(i % 3));
        return y;
    }
    operator source_type() const {
        if (weight == 0 && !different_weights) return source_type(data::arrays(values(), labels()));
        std::vector<double> weights;
        for (std::size_t i = 0; i < rows; ++i)
            weights.push_back(!different_weights ? weight : i % 7 == 5 ? 0 : 0.1 + core::random{.seed = 4}.uniform(i));
        return source_type(data::arrays(values(), labels(), weights));
    }
};

inline std::vector<learner_case> all_cases() {
    using C = ranks_type;
    std::vector<learner_case> cases;
    {
        using L = learn::k_means<C>;
        cases.push_back(make<learn::fitted_k_means>("k_means", L{.clusters = 4, .restarts = 2, .swaps = 3},
                                                    L{.clusters = 1}, L{.clusters = 1000}));
        cases.back().resume = {};  // one run of several
        cases.push_back(make<learn::fitted_k_means>("k_means, random start",
                                                    L{.clusters = 5, .start = learn::centres::random}, L{.clusters = 1},
                                                    L{.clusters = 1000}));
        cases.push_back(
            make<learn::fitted_k_means>("k_means, batches", L{.clusters = 3, .batch = 20, .stop = {.iterations = 30}},
                                        L{.clusters = 1, .batch = 3, .stop = {.iterations = 2}}, std::nullopt));
        cases.back().sums = false;
        cases.back().resume = {};
    }
    {
        using L = learn::principal_components<C>;
        cases.push_back(make<learn::fitted_principal_components>("principal_components, moments", L{.components = 3},
                                                                 L{.components = 1}, L{.components = 151}));
        cases.back().observes = false;
        cases.push_back(make<learn::fitted_principal_components>(
            "principal_components, subspace",
            L{.components = 2,
              .origin = learn::origin::zero,
              .method = learn::decomposition::subspace,
              .oversampling = 2},
            L{.components = 1, .method = learn::decomposition::subspace}, L{.components = 151}));
        cases.back().sums = false;  // where it stops depends on rounding
    }
    {
        using L = learn::nearest<C>;
        for (const auto target : {learn::target::none, learn::target::classes, learn::target::numbers}) {
            cases.push_back(make<learn::fitted_nearest>("nearest", L{.neighbours = 3, .target = target},
                                                        L{.neighbours = 1}, L{.neighbours = 151}));
            cases.back().observes = cases.back().sums = cases.back().minimises = false;
        }
    }
    {
        using L = learn::random_forest<C>;
        const auto add = [&](const char* name, L options) {
            cases.push_back(make<learn::fitted_random_forest>(
                name, options, L{.trees = 2, .target = learn::target::numbers}, std::nullopt));
            cases.back().observes = cases.back().sums = cases.back().minimises = false;
        };
        add("random_forest, bootstrap", {.trees = 7});
        add("random_forest, entropy, a share of the rows, bins",
            {.trees = 4, .impurity = learn::impurity::entropy, .leaf = 2, .bins = 9, .sample = learn::sample::share});
        add("random_forest, numbers", {.trees = 5, .target = learn::target::numbers, .depth = 4});
    }
    {
        using L = learn::nonnegative_factorisation<C>;
        cases.push_back(make<learn::fitted_nonnegative_factorisation>(
            "nonnegative_factorisation", L{.rank = 3, .stop = {.iterations = 12}}, L{.rank = 1}, L{.rank = 151}));
        cases.back().sums = false;  // sweeps depend on how weights scale
        cases.push_back(make<learn::fitted_nonnegative_factorisation>(
            "nonnegative_factorisation, multiplicative",
            L{.rank = 3, .method = learn::updates::multiplicative, .stop = {.iterations = 8}}, L{.rank = 1},
            L{.rank = 151}));
        cases.back().sums = false;
        cases.push_back(make<learn::fitted_nonnegative_factorisation>(
            "nonnegative_factorisation, projected",
            L{.rank = 3, .method = learn::updates::projected, .batch = 40, .stop = {.iterations = 6}},
            L{.rank = 1, .method = learn::updates::projected, .stop = {.iterations = 2}}, L{.rank = 151}));
        cases.back().sums = false;
    }
    {
        using L = learn::sparse_coding<C>;
        cases.push_back(make<learn::fitted_sparse_coding>(
            "sparse_coding", L{.atoms = 5, .lambda = 0.3, .stop = {.iterations = 8}}, L{.atoms = 1}, L{.atoms = 151}));
        cases.push_back(make<learn::fitted_sparse_coding>(
            "sparse_coding, batches", L{.atoms = 5, .lambda = 0.3, .batch = 40, .stop = {.iterations = 6}},
            L{.atoms = 1, .batch = 2, .stop = {.iterations = 2}}, L{.atoms = 151}));
    }
    {
        using L = learn::factorisation<C>;
        const auto add = [&](const char* name, L options) {
            cases.push_back(make<learn::fitted_factorisation>(name, options, L{.rank = 1}, L{.rank = 151}));
            cases.back().sums = false;  // the penalty is none of them
        };
        add("factorisation, components",
            {.rank = 2, .lambda = 0.5, .biases = learn::biases::rows_and_columns, .stop = {.iterations = 6}});
        add("factorisation, alternating",
            {.rank = 3, .method = learn::descent::alternating, .stop = {.iterations = 4}});
        add("factorisation, choices",
            {.rank = 2, .method = learn::descent::implicit, .alpha = 2, .stop = {.iterations = 5}});
        add("factorisation, rotation",
            {.rank = 2, .lambda = 0.5, .method = learn::descent::rotation, .nodes = 5, .stop = {.iterations = 5}});
        add("factorisation, tables", {.rank = 2,
                                      .biases = learn::biases::rows_and_columns,
                                      .method = learn::descent::tables,
                                      .nodes = 5,
                                      .stop = {.iterations = 5}});
    }
    {
        using L = learn::metric<C>;
        cases.push_back(make<learn::fitted_metric>("metric, convex", L{.stop = {.iterations = 12}},
                                                   L{.stop = {.iterations = 3}}, L{.rank = 151}));
        cases.back().sums = false;  // a pair counts as the product of its weights
        cases.push_back(make<learn::fitted_metric>("metric, steps",
                                                   L{.rank = 2, .batch = 60, .stop = {.iterations = 15}},
                                                   L{.stop = {.iterations = 3}}, std::nullopt));
        cases.back().sums = false;
    }
    {
        using L = learn::topics<C>;
        const auto add = [&](const char* name, L options) {
            cases.push_back(make<learn::fitted_topics>(name, options, L{.count = 1, .stop = {.iterations = 2}},
                                                       std::nullopt, true));
            cases.back().weighs = cases.back().minimises = cases.back().sums = false;
        };
        add("topics", {.count = 3, .learn_every = 3, .nodes = 5, .stop = {.iterations = 12}});
        add("topics, proposals",
            {.count = 3, .sampling = learn::sampling::metropolis, .nodes = 4, .stop = {.iterations = 6}});
        add("topics, one node", {.count = 4, .anneal = 0, .restarts = 2, .nodes = 1, .stop = {.iterations = 4}});
        cases.back().resume = {};  // one run of several
    }
    {
        using L = learn::supervised_topics<C>;
        cases.push_back(make<learn::fitted_supervised_topics>(
            "supervised_topics", L{.count = 3, .nodes = 5, .stop = {.iterations = 5}},
            L{.count = 1, .stop = {.iterations = 2}}, std::nullopt, true));
        cases.back().weighs = cases.back().minimises = cases.back().sums = false;
    }
    return cases;
}

}  // namespace learners

// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <gamut/communicator/agree.hpp>
#include <gamut/communicator/single.hpp>
#include <gamut/core/error.hpp>
#include <gamut/core/names.hpp>
#include <gamut/core/random.hpp>
#include <gamut/fwd.hpp>
#include <gamut/learn/concept.hpp>
#include <gamut/learn/detail/forest.hpp>
#include <gamut/learn/detail/run.hpp>
#include <gamut/learn/detail/shards.hpp>
#include <gamut/learn/detail/targets.hpp>
#include <gamut/learn/detail/tree_growth.hpp>

namespace gamut::learn {

/// Which rows a tree is grown on: as many as there are, drawn with replacement; a share of them without; or all.
enum class sample { bootstrap, share, all };

/// What a forest says about the rows of one rank: rows x outputs, the probability of each class, or one number.
struct forest_answer {
    std::size_t first_row = 0, outputs = 1;
    std::vector<double> values{};
    std::vector<std::string> classes{};

    std::size_t rows() const { return values.size() / outputs; }
    double operator()(std::size_t row, std::size_t k = 0) const { return values[row * outputs + k]; }
    /// The most probable class, as an index into `classes`; the first of equally probable ones.
    std::size_t class_index(std::size_t row) const {
        const auto first = values.begin() + static_cast<std::ptrdiff_t>(row * outputs);
        return static_cast<std::size_t>(std::max_element(first, first + static_cast<std::ptrdiff_t>(outputs)) - first);
    }
    const std::string& class_name(std::size_t row) const { return classes[class_index(row)]; }
};

/// Trees, one after another: nodes of tree t are roots[t], ..., roots[t + 1] - 1, with children counted from the tree's root.
template <class C> struct fitted_random_forest : outcome {
    static constexpr const char* name = "random_forest";

    explicit fitted_random_forest(const C& ranks = C()) : communicator(ranks) {}

    core::names features{};
    std::vector<std::string> classes{};  ///< empty: numbers
    std::string label{};
    std::vector<std::size_t> roots{0};
    std::vector<std::int32_t> split_features{};  ///< -1: a leaf
    std::vector<double> thresholds{};            ///< at most that goes left
    std::vector<std::size_t> children{};  ///< the left one, the right one is next to it; of a leaf: its first answer,
                                          ///< and the threshold is how many answers it has
    std::vector<std::int32_t> answer_classes{};
    std::vector<double> answer_values{};
    std::vector<double> importances{};  ///< per feature the share of all gains, mean over the trees
    double out_of_bag =
        std::numeric_limits<double>::quiet_NaN();  ///< accuracy or r_squared on rows that trees have not seen
    C communicator;
    int threads = 0;

    std::size_t trees() const { return roots.size() - 1; }

    /// Means of the trees' answers. No message.
    template <data::DataSource S> forest_answer predict(const S& source) const {
        return answer(detail::load_targets(communicator, source, *this, false));
    }

    /// accuracy of classes, or r_squared and loss (half the mean square) of numbers. One pass, two exact sums.
    template <data::DataSource S> learn::score score(const S& source) const {
        const auto rows = detail::load_targets(communicator, source, *this, true);
        return detail::score_values(communicator, rows, classes, detail::one_each(answer(rows)));
    }

    template <class Self, class Visit> static void members(Self& fit, Visit&& visit) {
        outcome::members(fit, visit);
        visit("features", fit.features);
        visit("classes", fit.classes);
        visit("label", fit.label);
        visit("roots", fit.roots);
        visit("split_features", fit.split_features);
        visit("thresholds", fit.thresholds);
        visit("children", fit.children);
        visit("answer_classes", fit.answer_classes);
        visit("answer_values", fit.answer_values);
        visit("importances", fit.importances);
        visit("out_of_bag", fit.out_of_bag);
    }
    void validate() const { detail::forest_view(*this).validate(); }

private:
    template <class Dataset> forest_answer answer(const Dataset& rows) const {
        forest_answer found{rows.first_row, std::max<std::size_t>(1, classes.size()), {}, classes};
        gamut::communicator::agree(communicator, [&] {
            found.values.assign(rows.local_rows() * found.outputs, 0.0);
            const detail::forest_view forest(*this);
            const int here = detail::threads_of(communicator, threads, rows, trees());
            forest.add_answers(rows.x, found.values.data(), static_cast<std::size_t>(std::max(1, here)));
            for (double& value : found.values) value /= static_cast<double>(trees());
        });
        return found;
    }
};

/// A random forest: the mean of trees, each grown on rows and columns drawn at random (Breiman, Random forests, Machine Learning 45, 2001).
///     learn::random_forest{.trees = 100}.fit(source).score(test).accuracy
/// Splits: the best of all between different values; with `bins` above 0 between groups of about as many rows, which is faster where
/// columns have many different values. Trees are dealt to ranks, and draws are counted per tree: the same forest on any number of
/// ranks and threads. Every rank holds all rows, one all-reduce of n (p + 2) numbers, and in the end all trees; growing sends nothing.
/// About n log n operations per tree and column looked at. objective: 1 - the out-of-bag accuracy or r_squared (NaN becomes 0).
/// A single tree: {.trees = 1, .features = p, .sample = sample::all}. Throws option_error; data_error for labels that do not fit.
template <class C> struct random_forest {
    std::size_t trees = 100;
    learn::target target = learn::target::classes;
    learn::impurity impurity = learn::impurity::automatic;  ///< gini for classes, variance for numbers
    std::size_t features = 0;  ///< looked at per node; 0: sqrt(p) for classes, p / 3 for numbers
    std::size_t depth = 0;     ///< 0: until leaves are pure
    std::size_t leaf = 1;      ///< rows in a leaf, at least
    std::size_t bins = 0;      ///< 0: exact splits
    learn::sample sample = learn::sample::bootstrap;
    double share = 0.632;  ///< of the rows, for sample::share
    std::uint64_t seed = 0;
    int threads = 0;
    C communicator{};

    void validate() const {
        using core::option_error;
        using core::text;
        if (trees == 0) throw option_error("random_forest: trees is 0 (one is needed) try 100");
        if (leaf == 0) throw option_error("random_forest: leaf is 0 (a leaf has a row or more) try 1");
        if (target == learn::target::none)
            throw option_error(
                "random_forest: target is none (trees learn from labels) say target::classes or target::numbers");
        if (!(share > 0 && share <= 1))
            throw option_error(text("random_forest: share is ", share, " (it is above 0, and at most 1) try 0.632"));
        const bool variance = impurity == learn::impurity::variance;
        if (impurity != learn::impurity::automatic && variance != (target == learn::target::numbers))
            throw option_error("random_forest: this impurity does not suit the target (gini and entropy are of "
                               "classes, variance is of numbers) leave it automatic");
    }

    template <data::DataSource S, core::Observer... O>
    fitted_random_forest<C> fit(const S& source, O&&... observers) const {
        return detail::fit_together(
            communicator,
            [&](core::any_keeper observer) {
                gamut::communicator::agree(communicator, [&] { validate(); });
                return fit_rows(detail::load_targets(communicator, source, target), observer);
            },
            observers...);
    }

private:
    template <class Dataset> fitted_random_forest<C> fit_rows(const Dataset& rows, core::any_keeper observer) const {
        const std::size_t n = rows.rows(), p = rows.columns(), k = rows.classes.size();
        if (features > p)
            throw core::option_error(core::text("random_forest: features is ", features, " (", rows.source, " has ", p,
                                                ") use 0, or fewer"));
        if (n > std::numeric_limits<std::uint32_t>::max())
            throw core::data_error(
                core::text(rows.source, ": ", n, " rows (a tree holds 2^32 - 1) fit a part of them"));
        fitted_random_forest<C> fit(communicator);
        fit.threads = threads;
        fit.features = rows.features;
        fit.classes = rows.classes;
        fit.label = rows.label;

        std::vector<double> x, y, weights;
        gamut::communicator::agree(communicator, [&] {
            x.resize(n * p);
            y.resize(n);
            weights.resize(n);
            for (std::size_t i = 0; i < rows.local_rows(); ++i) {
                detail::copy_row(rows.x, i, x.data() + (rows.first_row + i) * p);
                y[rows.first_row + i] = static_cast<double>(rows.y[i]);
                weights[rows.first_row + i] = static_cast<double>(rows.weight(i));
            }
        });
        for (auto* const all : {&x, &y, &weights}) detail::everywhere(communicator, std::span<double>(*all));

        const std::size_t automatic =
            target == learn::target::classes ? static_cast<std::size_t>(std::sqrt(static_cast<double>(p))) : p / 3;
        const detail::growth_options how{impurity == learn::impurity::entropy ? impurity : learn::impurity::gini,
                                         target == learn::target::classes ? k : 0,
                                         features > 0 ? features : std::max<std::size_t>(1, automatic), depth, leaf};
        detail::run<C> run(communicator, "random_forest", {.iterations = 1}, observer);
        detail::grown_forest grown(trees, p);
        const auto here =
            static_cast<std::size_t>(backend::host<double>{.threads = threads}.threads_of(communicator.local_size()));
        gamut::communicator::agree(communicator, [&] {
            const detail::forest_table table(x, n, p, bins, here);
            const auto rank = static_cast<std::size_t>(communicator.rank()),
                       size = static_cast<std::size_t>(communicator.size());
            std::vector<detail::tree_growth> growth(here, detail::tree_growth(table, y, how));
            std::vector<std::vector<double>> bags(here);
            backend::parallel_for(
                trees * rank / size, trees * (rank + 1) / size, here, [&](std::size_t t, std::size_t thread) {
                    bag(t, weights, bags[thread]);
                    grown.trees[t] = growth[thread].grow(bags[thread], {.seed = seed, .stream = 2 * t + 1});
                });
        });
        grown.gather(communicator, fit);
        fit.out_of_bag = left_out(rows, weights, fit);
        run.ends(fit,
                 {.iteration = 1,
                  .objective = std::isnan(fit.out_of_bag) ? 0 : 1 - fit.out_of_bag,
                  .residual = 0,
                  .nonzeros = fit.split_features.size(),
                  .passes = 1},
                 core::text(trees, " trees are grown"));
        return fit;
    }

    /// How often tree t sees each row, times the row's weight.
    void bag(std::size_t t, const std::vector<double>& weights, std::vector<double>& out) const {
        const core::random draws{.seed = seed, .stream = 2 * t};
        const std::size_t n = weights.size();
        out.assign(n, sample == learn::sample::all ? 1.0 : 0.0);
        if (sample == learn::sample::bootstrap)
            for (std::size_t i = 0; i < n; ++i) out[draws.below(i, n)] += 1;
        if (sample == learn::sample::share) {
            const auto order = core::permutation(draws, n);
            const auto count = std::max<std::size_t>(1, static_cast<std::size_t>(share * static_cast<double>(n)));
            for (std::size_t i = 0; i < count; ++i) out[order[i]] = 1;
        }
        double sum = 0;
        for (std::size_t i = 0; i < n; ++i) sum += out[i] *= weights[i];
        if (!(sum > 0)) out = weights;  // nothing but rows of weight 0 was drawn
    }

    /// The score of each row by the trees that have not seen it; NaN if there are none. Rows are dealt to ranks: two exact sums.
    template <class Dataset>
    double left_out(const Dataset& rows, const std::vector<double>& weights, const fitted_random_forest<C>& fit) const {
        if (sample == learn::sample::all) return std::numeric_limits<double>::quiet_NaN();
        const std::size_t outputs = std::max<std::size_t>(1, fit.classes.size());
        forest_answer found{rows.first_row, outputs, {}, fit.classes};
        auto seen = rows;
        gamut::communicator::agree(communicator, [&] {
            found.values.assign(rows.local_rows() * outputs, 0.0);
            const detail::forest_view forest(fit);
            const auto here = static_cast<std::size_t>(detail::threads_of(communicator, threads, rows, trees));
            constexpr std::size_t block = 256, together = decltype(forest)::together;
            const std::size_t p = rows.columns();
            std::vector<double> in_bag;
            std::vector<std::vector<double>> some(here, std::vector<double>(together * p));
            std::vector<std::size_t> answers(rows.local_rows());
            for (std::size_t t = 0; t < trees; ++t) {  // in their order, so that a row's sum is the same on any threads
                bag(t, weights, in_bag);
                backend::parallel_for(
                    0, (rows.local_rows() + block - 1) / block, here, [&](std::size_t b, std::size_t thread) {
                        std::size_t which[together], count = 0;
                        double* const copies = some[thread].data();
                        const auto flush = [&] {
                            if (count > 0)
                                forest.add_answers_of(t, copies, count, [&](std::size_t r) {
                                    return found.values.data() + which[r] * outputs;
                                });
                            count = 0;
                        };
                        for (std::size_t i = b * block; i < std::min(rows.local_rows(), (b + 1) * block); ++i) {
                            if (in_bag[rows.first_row + i] > 0) continue;
                            detail::copy_row(rows.x, i, copies + count * p);
                            which[count++] = i;
                            ++answers[i];
                            if (count == together) flush();
                        }
                        flush();
                    });
            }
            seen.weights.assign(rows.local_rows(), 0);
            for (std::size_t i = 0; i < rows.local_rows(); ++i) {
                if (answers[i] == 0) continue;
                seen.weights[i] = static_cast<typename Dataset::value_type>(rows.weight(i));
                for (std::size_t k = 0; k < outputs; ++k)
                    found.values[i * outputs + k] /= static_cast<double>(answers[i]);
            }
        });
        const auto score = detail::score_values(communicator, seen, fit.classes, detail::one_each(found));
        return fit.classes.empty() ? score.r_squared : score.accuracy;
    }
};

}  // namespace gamut::learn

// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <utility>
#include <vector>

#include <gamut/backend/parallel.hpp>
#include <gamut/communicator/agree.hpp>
#include <gamut/communicator/concept.hpp>
#include <gamut/core/error.hpp>
#include <gamut/learn/detail/rows.hpp>
#include <gamut/learn/detail/shards.hpp>
#include <gamut/learn/detail/tree_growth.hpp>

namespace gamut::learn::detail {

/// Per row the most probable class, or the number.
template <class Answer> std::vector<double> one_each(const Answer& found) {
    if (found.classes.empty()) return found.values;
    std::vector<double> one(found.rows());
    for (std::size_t i = 0; i < one.size(); ++i) one[i] = static_cast<double>(found.class_index(i));
    return one;
}

/// A fitted forest, packed for walking down its trees.
template <class Fit> class forest_view {
public:
    explicit forest_view(const Fit& fit)
        : fit_(fit),
          nodes_(std::min({fit.split_features.size(), fit.thresholds.size(), fit.children.size()})) {
        for (std::size_t t = 0; t + 1 < fit.roots.size(); ++t)
            for (std::size_t i = fit.roots[t]; i < std::min(fit.roots[t + 1], nodes_.size()); ++i) {
                if (fit.split_features[i] >= 0)
                    nodes_[i] = {fit.thresholds[i], fit.split_features[i], static_cast<std::uint32_t>(fit.children[i])};
                else
                    nodes_[i].left = static_cast<std::uint32_t>(i - fit.roots[t]);
            }
    }

    /// So many rows go down a tree side by side: none waits for the memory that another one reads. A leaf leads to itself.
    static constexpr std::size_t together = 16;

    /// out(r) points to where what tree t says about row r of `count`, at most `together`, is added.
    template <class Out> void add_answers_of(std::size_t t, const double* rows, std::size_t count, Out&& out) const {
        const node* const root = nodes_.data() + fit_.roots[t];
        const std::size_t p = fit_.features.size();
        const double* row[together];
        std::uint32_t at[together] = {};
        for (std::size_t r = 0; r < together; ++r) row[r] = rows + std::min(r, count - 1) * p;
        const auto down = [&](std::uint32_t from, std::size_t r) {
            const node& here = root[from];
            return here.left + (row[r][here.feature] > here.threshold ? 1U : 0U);
        };
        for (std::uint32_t moved = 1; moved != 0;) {
            moved = 0;
            for (std::size_t r = 0; r < together; ++r) at[r] = down(at[r], r);
            for (std::size_t r = 0; r < together; ++r) {
                const std::uint32_t to = down(at[r], r);
                moved |= to ^ at[r];
                at[r] = to;
            }
        }
        for (std::size_t r = 0; r < count; ++r) {
            const std::size_t leaf = fit_.roots[t] + at[r];
            double* const to = out(r);
            std::size_t a = fit_.children[leaf];
            const auto end = a + static_cast<std::size_t>(fit_.thresholds[leaf]);
            for (; a < end; ++a) to[fit_.answer_classes[a]] += fit_.answer_values[a];
        }
    }

    /// out, rows x outputs, += the sum of all trees' answers, in the order of the trees.
    template <class Matrix> void add_answers(const Matrix& x, double* out, std::size_t threads) const {
        constexpr std::size_t block = 256;
        const std::size_t p = fit_.features.size(), outputs = std::max<std::size_t>(1, fit_.classes.size());
        backend::parallel_for(0, (x.rows + block - 1) / block, threads, [&](std::size_t b, std::size_t) {
            const std::size_t begin = b * block, end = std::min(x.rows, begin + block);
            std::vector<double> rows((end - begin) * p);
            for (std::size_t i = begin; i < end; ++i) copy_row(x, i, rows.data() + (i - begin) * p);
            for (std::size_t t = 0; t + 1 < fit_.roots.size(); ++t)
                for (std::size_t i = begin; i < end; i += together)
                    add_answers_of(t, rows.data() + (i - begin) * p, std::min(together, end - i),
                                   [&](std::size_t r) { return out + (i + r) * outputs; });
        });
    }

    /// Throws data_error where a walk could leave the trees.
    void validate() const {
        const auto fail = [](const auto&... parts) {
            throw core::data_error(core::text(parts..., " save the forest again"));
        };
        const std::size_t n = fit_.split_features.size(), outputs = std::max<std::size_t>(1, fit_.classes.size());
        if (fit_.thresholds.size() != n || fit_.children.size() != n || fit_.features.empty() ||
            fit_.roots.size() < 2 || fit_.roots.front() != 0 || fit_.roots.back() != n ||
            fit_.answer_values.size() != fit_.answer_classes.size())
            fail(n, " nodes (", fit_.thresholds.size(), " thresholds, ", fit_.children.size(), " children, ",
                 fit_.roots.size(), " roots)");
        for (std::size_t t = 0; t + 1 < fit_.roots.size(); ++t) {
            if (fit_.roots[t + 1] <= fit_.roots[t] || fit_.roots[t + 1] > n) fail("tree ", t, " has no nodes");
            const std::size_t size = fit_.roots[t + 1] - fit_.roots[t];
            for (std::size_t i = 0; i < size; ++i) {
                const std::size_t at = fit_.roots[t] + i;
                const std::int32_t feature = fit_.split_features[at];
                if (feature >= 0 && (static_cast<std::size_t>(feature) >= fit_.features.size() ||
                                     fit_.children[at] <= i || fit_.children[at] + 1 >= size))
                    fail("node ", i, " of tree ", t, " leads nowhere");
                if (feature < 0 &&
                    !(fit_.thresholds[at] >= 1 && static_cast<double>(fit_.children[at]) + fit_.thresholds[at] <=
                                                      static_cast<double>(fit_.answer_values.size())))
                    fail("leaf ", i, " of tree ", t, " has no answer");
            }
        }
        for (const std::int32_t k : fit_.answer_classes)
            if (k < 0 || static_cast<std::size_t>(k) >= outputs)
                fail("answer of class ", k, " (there are ", outputs, ")");
    }

private:
    struct node {
        double threshold = std::numeric_limits<double>::infinity();
        std::int32_t feature = 0;
        std::uint32_t left = 0;  // of the tree; what is above the threshold goes to the one behind it
    };

    const Fit& fit_;
    std::vector<node> nodes_;
};

/// Trees where they were grown, and then everywhere.
struct grown_forest {
    std::vector<tree> trees;
    std::size_t columns;

    grown_forest(std::size_t count, std::size_t p) : trees(count), columns(p) {}

    /// Collective: six all-reduces, of 2 numbers per tree, of all nodes and answers, of a number per tree and column.
    template <communicator::Communicator C, class Fit> void gather(const C& ranks, Fit& fit) {
        const std::size_t count = trees.size();
        std::vector<std::int64_t> sizes(2 * count);
        for (std::size_t t = 0; t < count; ++t) {
            sizes[2 * t] = static_cast<std::int64_t>(trees[t].nodes.size());
            sizes[2 * t + 1] = static_cast<std::int64_t>(trees[t].answers.size());
        }
        ranks.all_reduce(std::span<std::int64_t>(sizes), communicator::operation::sum);
        std::vector<std::int64_t> children;
        std::vector<double> gains;
        communicator::agree(ranks, [&] {
            fit.roots.assign(1, 0);
            std::vector<std::size_t> first_answer(1, 0);
            for (std::size_t t = 0; t < count; ++t) {
                fit.roots.push_back(fit.roots.back() + static_cast<std::size_t>(sizes[2 * t]));
                first_answer.push_back(first_answer.back() + static_cast<std::size_t>(sizes[2 * t + 1]));
            }
            if (first_answer.back() > static_cast<std::size_t>(std::numeric_limits<std::int32_t>::max()))
                throw core::option_error(
                    core::text("random_forest: ", first_answer.back(),
                               " answers in leaves (2^31 - 1 fit) use fewer trees, or larger leaves"));
            fit.split_features.assign(fit.roots.back(), 0);
            fit.thresholds.assign(fit.roots.back(), 0.0);
            fit.answer_classes.assign(first_answer.back(), 0);
            fit.answer_values.assign(first_answer.back(), 0.0);
            children.assign(fit.roots.back(), 0);
            gains.assign(count * columns, 0.0);
            for (std::size_t t = 0; t < count; ++t) {
                const tree& grown = trees[t];
                for (std::size_t i = 0; i < grown.nodes.size(); ++i) {
                    const tree::node& node = grown.nodes[i];
                    const std::size_t at = fit.roots[t] + i;
                    fit.split_features[at] = node.feature;
                    fit.thresholds[at] = node.threshold;
                    children[at] = node.left + (node.feature < 0 ? static_cast<std::int64_t>(first_answer[t]) : 0);
                }
                for (std::size_t a = 0; a < grown.answers.size(); ++a) {
                    fit.answer_classes[first_answer[t] + a] = grown.answers[a].which;
                    fit.answer_values[first_answer[t] + a] = grown.answers[a].value;
                }
                double all = 0;
                for (const double gain : grown.gains) all += gain;
                for (std::size_t j = 0; j < grown.gains.size(); ++j)
                    gains[t * columns + j] = all > 0 ? grown.gains[j] / all : 0;
            }
            trees = {};
        });
        const auto add = [&](auto& values) { ranks.all_reduce(std::span(values), communicator::operation::sum); };
        add(fit.split_features);
        everywhere(ranks, std::span<double>(fit.thresholds));
        add(fit.answer_classes);
        everywhere(ranks, std::span<double>(fit.answer_values));
        add(children);
        add(gains);
        fit.children.assign(children.begin(), children.end());
        fit.importances.assign(columns, 0.0);
        for (std::size_t t = 0; t < count; ++t)
            for (std::size_t j = 0; j < columns; ++j)
                fit.importances[j] += gains[t * columns + j] / static_cast<double>(count);
    }
};

}  // namespace gamut::learn::detail

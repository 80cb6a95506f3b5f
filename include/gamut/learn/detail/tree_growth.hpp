// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <utility>
#include <vector>

#include <gamut/core/random.hpp>
#include <gamut/learn/detail/forest_table.hpp>

namespace gamut::learn {

/// What a split makes small: Gini's impurity or the entropy of the classes, or the variance of the numbers.
enum class impurity { automatic, gini, entropy, variance };

namespace detail {

/// One tree: a node goes left where the feature is at most the threshold, to child `left`, else to left + 1. Leaves have feature -1 and
/// `threshold` answers from answers[left] on: classes and their shares, or one number.
struct tree {
    struct node {
        std::int32_t feature = -1, left = 0;
        double threshold = 0;
    };
    struct answer {
        std::int32_t which = 0;
        double value = 0;
    };
    std::vector<node> nodes;
    std::vector<answer> answers;
    std::vector<double> gains;  // per feature
};

struct growth_options {
    learn::impurity by = learn::impurity::gini;
    std::size_t classes = 0;   // 0: numbers
    std::size_t features = 1;  // looked at per node
    std::size_t depth = 0, leaf = 1;
};

/// Grows a tree on the rows that have a weight. Quality of a group of rows, which splits make large, with n_k the weight of class k:
///     gini  sum n_k^2 / n      entropy  sum n_k log n_k - n log n      variance  (sum w (y - m))^2 / n, m the mean of the whole node
/// A node looks at columns in random order, at `features` of them and further while none can be split. Splits of a column: by counting
/// codes where rows are many, else by sorting rows. Of equally good splits it takes the last.
class tree_growth {
public:
    tree_growth(const forest_table& table, const std::vector<double>& y, const growth_options& how)
        : table_(table),
          y_(y),
          how_(how),
          width_(how.classes == 0 ? 1 : how.classes),
          order_(table.columns.size()) {}

    /// weights: per row; draws: of this tree alone.
    tree grow(std::span<const double> weights, const core::random& draws) {
        tree result;
        result.gains.assign(table_.columns.size(), 0.0);
        rows_.clear();
        for (std::size_t i = 0; i < table_.rows; ++i)
            if (weights[i] > 0) rows_.push_back(static_cast<std::uint32_t>(i));
        weights_ = weights;
        draws_ = draws;
        next_draw_ = 0;
        struct task {
            std::size_t node, begin, end, depth;
        };
        std::vector<task> tasks{{0, 0, rows_.size(), 0}};
        result.nodes.emplace_back();
        while (!tasks.empty()) {
            const task now = tasks.back();
            tasks.pop_back();
            const std::size_t middle = split(now.begin, now.end, now.depth);
            tree::node& node = result.nodes[now.node];
            if (middle == now.begin) {
                node.left = static_cast<std::int32_t>(result.answers.size());
                write_leaf(result);
                node.threshold = static_cast<double>(result.answers.size()) - static_cast<double>(node.left);
                continue;
            }
            result.gains[static_cast<std::size_t>(best_.feature)] += std::max(0.0, best_.gain);
            const auto left = result.nodes.size();
            node = {best_.feature, static_cast<std::int32_t>(left), best_.threshold};
            result.nodes.resize(left + 2);
            tasks.push_back({left + 1, middle, now.end, now.depth + 1});
            tasks.push_back({left, now.begin, middle, now.depth + 1});
        }
        return result;
    }

private:
    struct split_found {
        std::int32_t feature = -1;
        std::uint32_t code = 0;  // the last that goes left
        double threshold = 0, quality = -std::numeric_limits<double>::infinity(), gain = 0;
    };
    bool numbers() const { return how_.classes == 0; }
    std::size_t class_of(std::uint32_t row) const { return numbers() ? 0 : static_cast<std::size_t>(y_[row]); }

    double quality(const double* counts, double weight) const {
        double sum = 0;
        if (numbers()) return counts[0] * counts[0] / weight;
        if (how_.by == learn::impurity::entropy) {
            for (std::size_t k = 0; k < width_; ++k)
                if (counts[k] > 0) sum += counts[k] * std::log(counts[k]);
            return sum - weight * std::log(weight);
        }
        for (std::size_t k = 0; k < width_; ++k) sum += counts[k] * counts[k];
        return sum / weight;
    }

    /// Puts the rows that go left first; returns where the others begin, or `begin` if this is a leaf.
    std::size_t split(std::size_t begin, std::size_t end, std::size_t depth) {
        total_.assign(width_, 0.0);
        weight_ = mean_ = 0;
        bool pure = true;
        for (std::size_t r = begin; r < end; ++r) {
            const std::uint32_t row = rows_[r];
            const double w = weights_[row];
            weight_ += w;
            total_[class_of(row)] += numbers() ? w * y_[row] : w;
            pure = pure && y_[row] == y_[rows_[begin]];
        }
        if (numbers()) {
            mean_ = total_[0] / weight_;
            total_[0] = 0;
            for (std::size_t r = begin; r < end; ++r) total_[0] += weights_[rows_[r]] * (y_[rows_[r]] - mean_);
        }
        best_ = {};
        const std::size_t count = end - begin;
        if (pure || count < 2 * how_.leaf || (how_.depth > 0 && depth >= how_.depth)) return begin;
        look_at_columns(begin, end);
        if (best_.feature < 0) return begin;
        best_.gain = best_.quality - quality(total_.data(), weight_);
        const auto& codes = table_.columns[static_cast<std::size_t>(best_.feature)].codes;
        const auto middle = std::partition(rows_.begin() + static_cast<std::ptrdiff_t>(begin),
                                           rows_.begin() + static_cast<std::ptrdiff_t>(end),
                                           [&](std::uint32_t row) { return codes[row] <= best_.code; });
        return static_cast<std::size_t>(middle - rows_.begin());
    }

    void look_at_columns(std::size_t begin, std::size_t end) {
        const std::size_t p = order_.size();
        for (std::size_t j = 0; j < p; ++j) order_[j] = static_cast<std::uint32_t>(j);
        for (std::size_t seen = 0; seen < p; ++seen) {
            if (seen >= how_.features && best_.feature >= 0) return;
            if (how_.features < p) {
                const auto other = seen + static_cast<std::size_t>(draws_.below(next_draw_++, p - seen));
                std::swap(order_[seen], order_[other]);
            }
            const std::size_t column = order_[seen];
            const auto many = static_cast<double>(end - begin);
            const auto cells = static_cast<double>(table_.columns[column].size() * (width_ + 1));
            if (cells < 8 * many * std::log2(many))
                by_counting(column, begin, end);
            else
                by_sorting(column, begin, end);
        }
    }

    void offer(std::size_t column, std::uint32_t a, std::uint32_t b, std::size_t rows_left, std::size_t rows_right,
               double found) {
        if (rows_left < how_.leaf || rows_right < how_.leaf || !(found >= best_.quality)) return;
        best_ = {static_cast<std::int32_t>(column), a, table_.columns[column].between(a, b), found, 0};
    }

    void by_counting(std::size_t column, std::size_t begin, std::size_t end) {
        const auto& c = table_.columns[column];
        const std::size_t cells = c.size() * width_;
        if (counts_.size() < cells) counts_.resize(cells);
        if (numbers_of_rows_.size() < c.size()) numbers_of_rows_.resize(c.size()), weight_of_.resize(c.size());
        std::fill_n(counts_.begin(), cells, 0.0);
        std::fill_n(numbers_of_rows_.begin(), c.size(), 0u);
        std::fill_n(weight_of_.begin(), c.size(), 0.0);
        for (std::size_t r = begin; r < end; ++r) {
            const std::uint32_t row = rows_[r], code = c.codes[row];
            const double w = weights_[row];
            counts_[code * width_ + class_of(row)] += numbers() ? w * (y_[row] - mean_) : w;
            weight_of_[code] += w;
            ++numbers_of_rows_[code];
        }
        left_.assign(width_, 0.0);
        right_ = total_;
        double weight = 0;
        std::size_t seen = 0;
        bool any = false;
        std::uint32_t before = 0;
        for (std::uint32_t code = 0; code < c.size(); ++code) {
            if (numbers_of_rows_[code] == 0) continue;
            if (any)
                offer(column, before, code, seen, end - begin - seen,
                      quality(left_.data(), weight) + quality(right_.data(), weight_ - weight));
            const double* const here = counts_.data() + code * width_;
            for (std::size_t k = 0; k < width_; ++k) {
                left_[k] += here[k];
                right_[k] -= here[k];
            }
            weight += weight_of_[code];
            seen += numbers_of_rows_[code];
            before = code;
            any = true;
        }
    }

    void by_sorting(std::size_t column, std::size_t begin, std::size_t end) {
        const auto& codes = table_.columns[column].codes;
        sorted_.clear();
        for (std::size_t r = begin; r < end; ++r) sorted_.push_back(std::uint64_t{codes[rows_[r]]} << 32 | rows_[r]);
        std::sort(sorted_.begin(), sorted_.end());
        left_.assign(width_, 0.0);
        right_ = total_;
        double weight = 0, squares_left = 0, squares_right = 0;  // of Gini, kept row by row
        for (std::size_t k = 0; k < width_; ++k) squares_right += right_[k] * right_[k];
        for (std::size_t s = 0; s < sorted_.size(); ++s) {
            const auto code = static_cast<std::uint32_t>(sorted_[s] >> 32),
                       row = static_cast<std::uint32_t>(sorted_[s]);
            if (s > 0) {
                const auto before = static_cast<std::uint32_t>(sorted_[s - 1] >> 32);
                if (before != code) {
                    const bool by_squares = !numbers() && how_.by != learn::impurity::entropy;
                    offer(column, before, code, s, sorted_.size() - s,
                          by_squares ? squares_left / weight + squares_right / (weight_ - weight)
                                     : quality(left_.data(), weight) + quality(right_.data(), weight_ - weight));
                }
            }
            const double w = weights_[row], change = numbers() ? w * (y_[row] - mean_) : w;
            const std::size_t k = class_of(row);
            squares_left += change * (2 * left_[k] + change);
            squares_right -= change * (2 * right_[k] - change);
            left_[k] += change;
            right_[k] -= change;
            weight += w;
        }
    }

    void write_leaf(tree& to) const {
        if (numbers()) {
            to.answers.push_back({0, mean_});
            return;
        }
        for (std::size_t k = 0; k < width_; ++k)
            if (total_[k] > 0) to.answers.push_back({static_cast<std::int32_t>(k), total_[k] / weight_});
    }

    const forest_table& table_;
    const std::vector<double>& y_;
    growth_options how_;
    std::size_t width_;
    std::span<const double> weights_;
    core::random draws_;
    std::uint64_t next_draw_ = 0;
    std::vector<std::uint32_t> rows_, order_, numbers_of_rows_;
    std::vector<double> total_, left_, right_, counts_, weight_of_;
    std::vector<std::uint64_t> sorted_;
    double weight_ = 0, mean_ = 0;
    split_found best_;
};

}  // namespace detail

}  // namespace gamut::learn

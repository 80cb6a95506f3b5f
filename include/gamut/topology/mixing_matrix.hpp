// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include <gamut/core/error.hpp>
#include <gamut/topology/concept.hpp>
#include <gamut/topology/weights.hpp>

namespace gamut::topology {

/// W: the weights of all nodes at one step, y_i = sum of W_ij x_j. Everybody can compute it, so nobody has to ask who hears whom.
class mixing_matrix {
public:
    mixing_matrix() = default;
    template <Graph G, WeightRule W>
    mixing_matrix(const G& g, const W& rule, std::size_t n, std::size_t step) : rows_(n) {
        degrees d{std::vector<std::size_t>(n), std::vector<std::size_t>(n)};
        const std::vector<node_list> heard = heard_by_all(g, n, step);
        for (std::size_t i = 0; i < n; ++i) {
            d.in[i] = heard[i].size();
            for (const std::size_t j : heard[i]) ++d.out[j];
        }
        for (std::size_t i = 0; i < n; ++i) {
            for (const std::size_t j : heard[i]) rows_[i].push_back({j, rule.of(d, i, j)});
            rows_[i].push_back({i, rule.self(d, i, heard[i])});
        }
        sort();
    }
    template <Mixing M> mixing_matrix(const M& m, std::size_t n, std::size_t step) : rows_(n) {
        for (std::size_t i = 0; i < n; ++i) {
            rows_[i] = m.row(i, n, step);
            for (const link& l : rows_[i])
                if (l.from >= n)
                    throw core::option_error(core::text("topology: node ", i, " hears node ", l.from,
                                                        " (there are nodes 0 to ", n - 1, ")"));
        }
        sort();
    }

    std::size_t size() const { return rows_.size(); }
    /// The links of a node, by sources, its own among them.
    const std::vector<link>& row(std::size_t i) const { return rows_[i]; }
    double at(std::size_t i, std::size_t j) const {
        for (const link& l : rows_[i])
            if (l.from == j) return l.weight;
        return 0;
    }

    /// (I + W) / 2
    mixing_matrix lazy() const {
        mixing_matrix half = *this;
        for (std::size_t i = 0; i < size(); ++i)
            for (link& l : half.rows_[i]) l.weight = 0.5 * l.weight + (l.from == i ? 0.5 : 0);
        return half;
    }

    /// Empty, or what is wrong: rows that do not add up to 1, columns likewise, W_ij that is not W_ji.
    std::string not_row_stochastic() const {
        for (std::size_t i = 0; i < size(); ++i) {
            double sum = 0;
            for (const link& l : rows_[i]) sum += l.weight;
            if (!(std::abs(sum - 1) < 1e-12)) return core::text("what node ", i, " hears adds up to ", sum);
        }
        return {};
    }
    std::string not_column_stochastic() const {
        std::vector<double> sums(size());
        for (const auto& row : rows_)
            for (const link& l : row) sums[l.from] += l.weight;
        for (std::size_t j = 0; j < size(); ++j)
            if (!(std::abs(sums[j] - 1) < 1e-12))
                return core::text("what node ", j, " says counts ", sums[j], " times in all");
        return {};
    }
    std::string not_symmetric() const {
        for (std::size_t i = 0; i < size(); ++i)
            for (const link& l : rows_[i])
                if (!(std::abs(at(l.from, i) - l.weight) < 1e-12))
                    return core::text("nodes ", std::min(i, l.from), " and ", std::max(i, l.from),
                                      " hear each other by different weights");
        return {};
    }

    /// How much of the nodes' distance from their mean is left after a step, at most: the largest singular value of W on what has mean
    /// 0, to about 1e-6 relative. By power iteration on W'W: O(links) each.
    double second_singular_value() const {
        const std::size_t n = size();
        std::vector<double> x(n), y(n);
        for (std::size_t i = 0; i < n; ++i)
            x[i] = std::sin(1.0 + 2.0 * static_cast<double>(i) + 0.1 * static_cast<double>(i * i));
        double value = 0;
        for (int round = 0; round < 10'000; ++round) {
            if (!centre(x)) return 0;
            double length = 0;
            for (std::size_t i = 0; i < n; ++i) {
                y[i] = 0;
                for (const link& l : rows_[i]) y[i] += l.weight * x[l.from];
                length += y[i] * y[i];
            }
            const double before = value;
            value = std::sqrt(length);
            if (round > 50 && std::abs(value - before) <= 1e-15 * value) break;
            std::fill(x.begin(), x.end(), 0.0);
            for (std::size_t i = 0; i < n; ++i)
                for (const link& l : rows_[i]) x[l.from] += l.weight * y[i];
        }
        return value;
    }

    /// The same on all ranks that have the same matrix (FNV-1a over sources and weights).
    std::uint64_t hash() const {
        std::uint64_t value = 14695981039346656037u;
        const auto add = [&](std::uint64_t word) {
            for (int byte = 0; byte < 8; ++byte) value = (value ^ (word >> 8 * byte & 255)) * 1099511628211u;
        };
        for (const auto& row : rows_) {
            add(row.size());
            for (const link& l : row) {
                std::uint64_t bits = 0;
                std::memcpy(&bits, &l.weight, sizeof bits);
                add(l.from);
                add(bits);
            }
        }
        return value;
    }

private:
    void sort() {
        for (auto& row : rows_)
            std::sort(row.begin(), row.end(), [](const link& a, const link& b) { return a.from < b.from; });
    }
    /// x - mean, of length 1; false: nothing is left.
    static bool centre(std::vector<double>& x) {
        double mean = 0, length = 0;
        for (const double v : x) mean += v / static_cast<double>(x.size());
        for (double& v : x) v -= mean, length += v * v;
        length = std::sqrt(length);
        if (!(length > 1e-150)) return false;
        for (double& v : x) v /= length;
        return true;
    }

    std::vector<std::vector<link>> rows_;
};

}  // namespace gamut::topology

// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include <gamut/backend/sparse.hpp>
#include <gamut/core/random.hpp>
#include <gamut/data/arrays.hpp>

/// Documents as latent Dirichlet allocation makes them.
namespace topic_data {

using matrix = gamut::backend::sparse_matrix<double>;

inline matrix sparse(const std::vector<std::vector<double>>& rows) {
    matrix x;
    x.columns = rows.empty() ? 0 : rows[0].size();
    for (const auto& row : rows) {
        for (std::size_t j = 0; j < row.size(); ++j)
            if (row[j] != 0) {
                x.indices.push_back(static_cast<std::int32_t>(j));
                x.values.push_back(row[j]);
            }
        x.offsets.push_back(static_cast<std::int64_t>(x.indices.size()));
        ++x.rows;
    }
    return x;
}

/// `topics` topics with `words` words each, all equally likely, that no other topic has; shares of topics ~ Dirichlet(alpha ...), where
/// topic k has alpha / (1 + k slope).
struct disjoint {
    std::size_t topics = 10, words = 20, documents = 300, length = 60;
    double alpha = 0.1, slope = 0;
    std::uint64_t seed = 77;

    matrix documents_of() const {
        const gamut::core::random draws{.seed = seed};
        std::uint64_t at = 0;
        std::vector<std::vector<double>> rows;
        for (std::size_t d = 0; d < documents; ++d) {
            std::vector<double> share(topics), row(topics * words);
            double all = 0;
            for (std::size_t k = 0; k < topics; ++k) {  // u^(1/a) e: nearly Gamma(a) where a is small
                const double u = draws.uniform(at++), e = -std::log(1 - draws.uniform(at++));
                all += share[k] = std::pow(u, (1 + static_cast<double>(k) * slope) / alpha) * e;
            }
            for (std::size_t n = 0; n < length; ++n) {
                double u = draws.uniform(at++) * all;
                std::size_t k = 0;
                while (k + 1 < topics && u >= share[k]) u -= share[k++];
                row[k * words + draws.below(at++, words)] += 1;
            }
            rows.push_back(std::move(row));
        }
        return sparse(rows);
    }

    /// How much of each true topic the most similar topic found has: sum_w min(phi_kw, true phi_w); the least of them.
    template <class Fit> double recovered(const Fit& fit) const {
        double least = 1;
        for (std::size_t t = 0; t < topics; ++t) {
            double most = 0;
            for (std::size_t k = 0; k < fit.topics(); ++k) {
                double common = 0;
                for (std::size_t w = t * words; w < (t + 1) * words; ++w)
                    common += std::min(fit(k, w), 1 / static_cast<double>(words));
                most = std::max(most, common);
            }
            least = std::min(least, most);
        }
        return least;
    }
};

}  // namespace topic_data

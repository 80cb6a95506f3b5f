// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <gamut/backend/host.hpp>
#include <gamut/backend/matrix.hpp>
#include <gamut/backend/sparse.hpp>

namespace gamut::backend::detail {

/// Which columns of X~ belong to each output: features[first[k]] to features[first[k + 1] - 1], ascending; `columns`, one more
/// than the last feature, is the intercept.
struct output_columns {
    std::vector<std::size_t> features, first;

    /// entries: indices j c + k into the weights, ordered by output k, then by feature j.
    output_columns(std::span<const std::size_t> entries, std::size_t outputs) : first(outputs + 1) {
        features.reserve(entries.size());
        for (const std::size_t e : entries) {
            features.push_back(e / outputs);
            ++first[e % outputs + 1];
        }
        for (std::size_t k = 0; k < outputs; ++k) first[k + 1] += first[k];
    }
    std::size_t size() const { return features.size(); }
    std::span<const std::size_t> of(std::size_t k) const {
        return std::span(features).subspan(first[k], first[k + 1] - first[k]);
    }
};

/// Gathers chosen columns of a few rows, standardised: (x - mean) * inverse scale; the intercept is a column of ones.
class column_gatherer {
public:
    column_gatherer(const output_columns& chosen, std::size_t columns, const double* means,
                    const double* inverse_scales)
        : chosen_(chosen),
          columns_(columns),
          base_(chosen.size()),
          scale_(chosen.size(), 1.0) {
        for (std::size_t e = 0; e < chosen.size(); ++e) {
            const std::size_t j = chosen.features[e];
            if (j == columns) {
                base_[e] = 1;
                scale_[e] = 0;
            } else if (means) {
                base_[e] = -means[j] * inverse_scales[j];
                scale_[e] = inverse_scales[j];
            }
        }
    }

    /// out: rows x |of(k)|, row-major
    template <class T>
    void gather(const dense_matrix<T>& x, std::size_t begin, std::size_t end, std::size_t k, double* out) const {
        const std::size_t first = chosen_.first[k], m = chosen_.first[k + 1] - first;
        const bool intercept = m > 0 && chosen_.features[first + m - 1] == columns_;
        const std::size_t own = m - (intercept ? 1 : 0);
        for (std::size_t i = begin; i < end; ++i, out += m) {
            const T* const row = x.row(i);
            for (std::size_t e = 0; e < own; ++e)
                out[e] = base_[first + e] + scale_[first + e] * static_cast<double>(row[chosen_.features[first + e]]);
            if (intercept) out[own] = 1;
        }
    }
    template <class T>
    void gather(const sparse_matrix<T>& x, std::size_t begin, std::size_t end, std::size_t k, double* out) const {
        const std::size_t first = chosen_.first[k], m = chosen_.first[k + 1] - first;
        place_.assign(columns_, -1);
        for (std::size_t e = 0; e < m; ++e)
            if (chosen_.features[first + e] < columns_)
                place_[chosen_.features[first + e]] = static_cast<std::int32_t>(e);
        for (std::size_t i = begin; i < end; ++i, out += m) {
            std::copy_n(base_.data() + first, m, out);
            for (auto entry = static_cast<std::size_t>(x.offsets[i]);
                 entry < static_cast<std::size_t>(x.offsets[i + 1]); ++entry) {
                const std::int32_t e = place_[static_cast<std::size_t>(x.indices[entry])];
                if (e >= 0) out[e] += scale_[first + static_cast<std::size_t>(e)] * static_cast<double>(x.value(entry));
            }
        }
    }

private:
    const output_columns& chosen_;
    std::size_t columns_;
    std::vector<double> base_, scale_;
    mutable std::vector<std::int32_t> place_;
};

/// out += A' B for rows x m and rows x n matrices; symmetric: only on and above the diagonal, about half of the work.
inline void add_product(const double* a, std::size_t m, const double* b, std::size_t n, std::size_t rows,
                        bool symmetric, double* out, std::size_t stride) {
    constexpr std::size_t tile = 192;
    for (std::size_t j = 0; j < n; j += tile) {
        const std::size_t width = std::min(tile, n - j), height = symmetric ? j + width : m;
        host<double>::gemm(true, false, height, width, rows, 1.0, a, m, b + j, n, 1.0, out + j, stride);
    }
}

}  // namespace gamut::backend::detail

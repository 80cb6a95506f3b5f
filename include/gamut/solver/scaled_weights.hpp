// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <utility>
#include <vector>

#include <gamut/backend/array.hpp>
#include <gamut/data/standardize.hpp>
#include <gamut/penalty/concept.hpp>

namespace gamut::solver {

/// Reads an array of weights wherever it lives.
template <class Backend> class host_copy {
public:
    using value_type = typename Backend::value_type;

    explicit host_copy(const backend::array<Backend>& a) {
        if constexpr (Backend::host_memory)
            entries_ = a.span();
        else {
            copy_ = a.download();
            entries_ = copy_;
        }
    }
    std::span<const value_type> span() const { return entries_; }

private:
    std::vector<value_type> copy_;
    std::span<const value_type> entries_;
};

/// Standardisation, folded into the weights: the data are never changed. With x~ = (x - mean) / scale
///     X~ W + 1 b' = X (W / scale) + 1 (b - mean'(W / scale))'
/// and so, for derivatives D with respect to W / scale and d with respect to the bias there,
///     dL/dW = (D - mean d') / scale,   dL/db = d.
/// The weights are (p + 1) x c row-major: one row per column of X, and a last row, the intercepts, if there are any. Both ways
/// cost O(p c).
template <class Backend> class scaled_weights {
public:
    using array = backend::array<Backend>;
    using value_type = typename Backend::value_type;

    scaled_weights(penalty::layout shape, bool intercept, data::standardization scaling)
        : shape_(shape),
          intercept_(intercept),
          scaling_(std::move(scaling)),
          divisors_(scaling_.divisors()) {}

    penalty::layout layout() const { return shape_; }
    bool has_intercept() const { return intercept_; }
    std::size_t dimension() const { return (shape_.features + (intercept_ ? 1 : 0)) * shape_.outputs; }
    const data::standardization& scaling() const { return scaling_; }
    /// One per column; none if nothing is scaled.
    const std::vector<double>& divisors() const { return divisors_; }

    /// Weights and bias for the data as they are.
    struct effective {
        host_copy<Backend> given;
        std::vector<value_type> scaled, bias;
        const value_type* w() const { return scaled.empty() ? given.span().data() : scaled.data(); }
        const value_type* b() const { return bias.data(); }
    };

    effective effective_weights(const array& weights) const {
        const std::size_t p = shape_.features, c = shape_.outputs;
        effective e{host_copy<Backend>(weights), {}, std::vector<value_type>(c)};
        const auto w = e.given.span();
        if (intercept_) std::copy(w.begin() + static_cast<std::ptrdiff_t>(p * c), w.end(), e.bias.begin());
        if (divisors_.empty()) return e;
        e.scaled.resize(p * c);
        std::vector<double> shift(c);
        for (std::size_t j = 0; j < p; ++j)
            for (std::size_t k = 0; k < c; ++k) {
                const double scaled = static_cast<double>(w[j * c + k]) / divisors_[j];
                e.scaled[j * c + k] = static_cast<value_type>(scaled);
                shift[k] += scaling_.means[j] * scaled;
            }
        for (std::size_t k = 0; k < c; ++k)
            e.bias[k] = static_cast<value_type>(static_cast<double>(e.bias[k]) - shift[k]);
        return e;
    }

    /// The derivative with respect to the solver's weights, from [ D | d | ... ] with respect to the effective ones.
    /// Adds `bends`, of the penalty, if there are any.
    void to_gradient(std::span<const double> sums, array& gradient, std::span<const value_type> bends = {}) const {
        const std::size_t p = shape_.features, c = shape_.outputs;
        std::vector<value_type> g(dimension());
        for (std::size_t j = 0; j < p; ++j)
            for (std::size_t k = 0; k < c; ++k) {
                const double s = sums[j * c + k];
                g[j * c + k] = static_cast<value_type>(
                    divisors_.empty() ? s : (s - scaling_.means[j] * sums[p * c + k]) / divisors_[j]);
            }
        if (intercept_)
            for (std::size_t k = 0; k < c; ++k) g[p * c + k] = static_cast<value_type>(sums[p * c + k]);
        for (std::size_t j = 0; j < bends.size(); ++j) g[j] += bends[j];
        gradient.upload(g);
    }

private:
    penalty::layout shape_;
    bool intercept_;
    data::standardization scaling_;
    std::vector<double> divisors_;
};

}  // namespace gamut::solver

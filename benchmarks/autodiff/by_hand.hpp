// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

#include <gamut/backend/host.hpp>

/// What one writes who needs just this network: buffers without padding, BLAS for products, plain loops that the compiler vectorises.
namespace by_hand {

/// mean over n rows of the cross-entropy of  relu(relu(x W1 + b1) W2 + b2) W3 + b3;  parameters W1 b1 W2 b2 W3 b3, row-major.
template <class T> class three_layers {
public:
    three_layers(std::size_t inputs, std::size_t first, std::size_t second, std::size_t classes, std::size_t rows)
        : d_(inputs),
          h1_(first),
          h2_(second),
          c_(classes),
          n_(rows),
          z1_(n_ * h1_),
          z2_(n_ * h2_),
          z3_(n_ * c_),
          s1_(n_ * h1_),
          s2_(n_ * h2_) {}

    /// The loss; adds its gradient to g.
    double gradient(const T* x, const T* y, const T* w, T* g) {
        const std::size_t at_b1 = d_ * h1_, at_w2 = at_b1 + h1_, at_b2 = at_w2 + h1_ * h2_, at_w3 = at_b2 + h2_,
                          at_b3 = at_w3 + h2_ * c_;
        multiply(false, false, n_, h1_, d_, x, d_, w, h1_, 0, z1_.data());
        bias_relu(z1_.data(), w + at_b1, n_, h1_);
        multiply(false, false, n_, h2_, h1_, z1_.data(), h1_, w + at_w2, h2_, 0, z2_.data());
        bias_relu(z2_.data(), w + at_b2, n_, h2_);
        multiply(false, false, n_, c_, h2_, z2_.data(), h2_, w + at_w3, c_, 0, z3_.data());
        const double loss = cross_entropy(y, w + at_b3, g + at_b3);
        multiply(true, false, h2_, c_, n_, z2_.data(), h2_, z3_.data(), c_, 1, g + at_w3);
        multiply(false, true, n_, h2_, c_, z3_.data(), c_, w + at_w3, c_, 0, s2_.data());
        back(s2_.data(), z2_.data(), g + at_b2, n_, h2_);
        multiply(true, false, h1_, h2_, n_, z1_.data(), h1_, s2_.data(), h2_, 1, g + at_w2);
        multiply(false, true, n_, h1_, h2_, s2_.data(), h2_, w + at_w2, h2_, 0, s1_.data());
        back(s1_.data(), z1_.data(), g + at_b1, n_, h1_);
        multiply(true, false, d_, h1_, n_, x, d_, s1_.data(), h1_, 1, g);
        return loss;
    }

private:
    static void multiply(bool ta, bool tb, std::size_t m, std::size_t n, std::size_t k, const T* a, std::size_t lda,
                         const T* b, std::size_t ldb, T beta, T* c) {
        gamut::backend::host<T>::gemm(ta, tb, m, n, k, T(1), a, lda, b, ldb, beta, c, n);
    }
    static void bias_relu(T* z, const T* b, std::size_t n, std::size_t h) {
        for (std::size_t i = 0; i < n; ++i)
            for (std::size_t k = 0; k < h; ++k) z[i * h + k] = std::max(T(0), z[i * h + k] + b[k]);
    }
    static void back(T* s, const T* z, T* bias, std::size_t n, std::size_t h) {
        for (std::size_t i = 0; i < n; ++i)
            for (std::size_t k = 0; k < h; ++k) {
                const T v = z[i * h + k] > 0 ? s[i * h + k] : T(0);
                s[i * h + k] = v;
                bias[k] += v;
            }
    }
    /// z3 becomes the derivative of the mean loss.
    double cross_entropy(const T* y, const T* b, T* bias) {
        double loss = 0;
        const T share = T(1) / static_cast<T>(n_);
        for (std::size_t i = 0; i < n_; ++i) {
            T* const z = z3_.data() + i * c_;
            for (std::size_t k = 0; k < c_; ++k) z[k] += b[k];
            const T most = *std::max_element(z, z + c_);
            const auto own = static_cast<std::size_t>(y[i]);
            const T chosen = z[own];
            T sum = 0;
            for (std::size_t k = 0; k < c_; ++k) sum += z[k] = std::exp(z[k] - most);
            loss += static_cast<double>(most + std::log(sum) - chosen);
            for (std::size_t k = 0; k < c_; ++k) z[k] *= share / sum;
            z[own] -= share;
            for (std::size_t k = 0; k < c_; ++k) bias[k] += z[k];
        }
        return loss / static_cast<double>(n_);
    }

    std::size_t d_, h1_, h2_, c_, n_;
    std::vector<T> z1_, z2_, z3_, s1_, s2_;
};

}  // namespace by_hand

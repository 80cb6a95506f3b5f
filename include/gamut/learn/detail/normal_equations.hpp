// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>

#include <gamut/backend/aligned_vector.hpp>
#include <gamut/backend/kernel.hpp>
#include <gamut/backend/pack.hpp>

namespace gamut::learn::detail {

/// A += sum over `count` vectors of w v v', b += sum c v, all of length `padded`, a multiple of 8: the lower triangle of A, by tiles of eight
/// rows and columns that stay in registers.
struct sum_of_squares {
    template <std::size_t Bytes>
    GAMUT_INLINE static void run(const double* v, const double* w, const double* c, std::size_t count,
                                 std::size_t padded, double* a, double* b) {
        using P = backend::pack<double, Bytes>;
        for (std::size_t column = 0; column < padded; column += 8) {
            P side = P::load(b + column);
            for (std::size_t e = 0; e < count; ++e) side += P::gather(c + e, 0) * P::load(v + e * padded + column);
            side.store(b + column);
            for (std::size_t row = column; row < padded; row += 8) {
                double* const to = a + row * padded + column;
                P s0 = P::load(to), s1 = P::load(to + padded), s2 = P::load(to + 2 * padded),
                  s3 = P::load(to + 3 * padded), s4 = P::load(to + 4 * padded), s5 = P::load(to + 5 * padded),
                  s6 = P::load(to + 6 * padded), s7 = P::load(to + 7 * padded);
                for (std::size_t e = 0; e < count; ++e) {
                    const double* const x = v + e * padded + row;
                    const P y = P::gather(w + e, 0) * P::load(v + e * padded + column);
                    s0 += P::gather(x, 0) * y;
                    s1 += P::gather(x + 1, 0) * y;
                    s2 += P::gather(x + 2, 0) * y;
                    s3 += P::gather(x + 3, 0) * y;
                    s4 += P::gather(x + 4, 0) * y;
                    s5 += P::gather(x + 5, 0) * y;
                    s6 += P::gather(x + 6, 0) * y;
                    s7 += P::gather(x + 7, 0) * y;
                }
                s0.store(to);
                s1.store(to + padded);
                s2.store(to + 2 * padded);
                s3.store(to + 3 * padded);
                s4.store(to + 4 * padded);
                s5.store(to + 5 * padded);
                s6.store(to + 6 * padded);
                s7.store(to + 7 * padded);
            }
        }
    }
};

/// Eight systems side by side, A x = b by A = L L': a has the lower triangles by rows, entry e of system s at 8 e + s, b likewise. A row
/// whose pivot is not above 1e-13 of its diagonal depends on earlier ones: it is left out, and its unknown is 0.
struct eight_systems {
    template <std::size_t Bytes> GAMUT_INLINE static void run(std::size_t rank, double* a, double* b) {
        using P = backend::pack<double, Bytes>;
        const P none(0);
        double* row = a;
        for (std::size_t j = 0; j < rank; row += 8 * (j + 1), ++j) {
            const P whole = P::load(row + 8 * j);
            P pivot = whole, x = P::load(b + 8 * j);
            const double* other = a;
            for (std::size_t k = 0; k < j; other += 8 * (k + 1), ++k) {
                P sum = P::load(row + 8 * k), more(0);
                std::size_t i = 0;
                for (; i + 2 <= k; i += 2) {
                    sum = sum - P::load(row + 8 * i) * P::load(other + 8 * i);
                    more += P::load(row + 8 * i + 8) * P::load(other + 8 * i + 8);
                }
                if (i < k) sum = sum - P::load(row + 8 * i) * P::load(other + 8 * i);
                const P l = (sum - more) * P::load(other + 8 * k);  // the diagonal holds 1 / L_kk, or 0
                l.store(row + 8 * k);
                pivot = pivot - l * l;
                x = x - l * P::load(b + 8 * k);
            }
            const P inverse = select(pivot > P(1e-13) * whole, P(1) / sqrt(pivot), none);
            inverse.store(row + 8 * j);
            (x * inverse).store(b + 8 * j);
        }
        for (std::size_t j = rank; j-- > 0;) {
            row -= 8 * (j + 1);
            const P x = P::load(b + 8 * j) * P::load(row + 8 * j);
            x.store(b + 8 * j);
            for (std::size_t k = 0; k < j; ++k) (P::load(b + 8 * k) - P::load(row + 8 * k) * x).store(b + 8 * k);
        }
    }
};

/// Many systems of `rank` equations,  (lambda + factor M + sum w v v') x = sum c v,  solved eight at a time:
///     begin(M, factor);  add(w, v, c) for each v;  end(x)          and in the end flush()
/// The bits of a solution depend on its system alone, and not on its neighbours. For one thread.
class normal_equations {
public:
    normal_equations(std::size_t rank, double lambda)
        : rank_(rank),
          padded_((rank + 7) / 8 * 8),
          lambda_(lambda),
          a_(padded_ * padded_),
          b_(padded_),
          waiting_(block * padded_),
          systems_(8 * rank * (rank + 1) / 2),
          sides_(8 * rank) {}

    /// M: rank x rank, symmetric, or nothing.
    void begin(const double* m = nullptr, double factor = 0) {
        std::fill(a_.begin(), a_.end(), 0.0);
        std::fill(b_.begin(), b_.end(), 0.0);
        for (std::size_t i = 0; i < rank_; ++i) {
            for (std::size_t j = 0; m != nullptr && j <= i; ++j) a_[i * padded_ + j] = factor * m[i * rank_ + j];
            a_[i * padded_ + i] += lambda_;
        }
    }
    void add(double w, const double* v, double c) {
        std::copy_n(v, rank_, waiting_.data() + count_ * padded_);
        w_[count_] = w;
        c_[count_] = c;
        if (++count_ == block) square();
    }
    void end(double* x) {
        square();
        double* to = systems_.data() + systems_waiting_;
        for (std::size_t i = 0; i < rank_; ++i)
            for (std::size_t j = 0; j <= i; ++j, to += 8) *to = a_[i * padded_ + j];
        for (std::size_t i = 0; i < rank_; ++i) sides_[8 * i + systems_waiting_] = b_[i];
        places_[systems_waiting_] = x;
        if (++systems_waiting_ == 8) flush();
    }
    void flush() {
        if (systems_waiting_ == 0) return;
        backend::run<eight_systems>(rank_, systems_.data(), sides_.data());  // what is left of others does no harm
        for (std::size_t s = 0; s < systems_waiting_; ++s)
            for (std::size_t i = 0; i < rank_; ++i) places_[s][i] = sides_[8 * i + s];
        systems_waiting_ = 0;
    }

private:
    static constexpr std::size_t block = 32;  // vectors that are added at once

    void square() {
        backend::run<sum_of_squares>(waiting_.data(), w_.data(), c_.data(), count_, padded_, a_.data(), b_.data());
        count_ = 0;
    }

    std::size_t rank_, padded_, count_ = 0, systems_waiting_ = 0;
    double lambda_;
    backend::aligned_vector<double> a_, b_, waiting_;
    std::array<double, block> w_{}, c_{};
    backend::aligned_vector<double> systems_, sides_;
    std::array<double*, 8> places_{};
};

}  // namespace gamut::learn::detail

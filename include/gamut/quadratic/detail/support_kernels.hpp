// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <limits>

#include <gamut/backend/kernel.hpp>
#include <gamut/backend/pack.hpp>
#include <gamut/quadratic/objective.hpp>

/// The inner loops of quadratic::support over all candidates; d, v, m, floor and Q are named as there.

namespace gamut::quadratic::detail {

/// gain_j = d_j^2 / (2 v_j) where v_j is above floor_j, else 0.
struct addition_gains {
    template <std::size_t Bytes>
    GAMUT_INLINE static void run(std::size_t n, const double* d, const double* v, const double* floor, double* gain) {
        using P = backend::pack<double, Bytes>;
        std::size_t j = 0;
        for (; j + 8 <= n; j += 8) {
            const P dj = P::load(d + j), vj = P::load(v + j);
            select(vj > P::load(floor + j), P(0.5) * dj * dj / vj, P(0)).store(gain + j);
        }
        for (; j < n; ++j) gain[j] = v[j] > floor[j] ? 0.5 * d[j] * d[j] / v[j] : 0;
    }
};

/// Which candidates gain more than `least` when they are added, or are explained by the members: 1 for them, 0 for others and members.
struct contenders {
    template <std::size_t Bytes>
    GAMUT_INLINE static void run(std::size_t n, const double* d, const double* v, const double* floor, double least,
                                 double* is_one) {
        using P = backend::pack<double, Bytes>;
        const P twice(2 * least), infinity(std::numeric_limits<double>::infinity());
        std::size_t j = 0;
        for (; j + 8 <= n; j += 8) {
            const P dj = P::load(d + j), vj = P::load(v + j), lowest = P::load(floor + j);
            const P gains = select(dj * dj > twice * vj, P(1), P(0)), other = select(vj > lowest, gains, P(1));
            select(lowest < infinity, other, P(0)).store(is_one + j);
        }
        for (; j < n; ++j)
            is_one[j] = floor[j] < std::numeric_limits<double>::infinity() &&
                        (!(v[j] > floor[j]) || d[j] * d[j] > 2 * least * v[j]);
    }
};

/// What adding candidate j to the support would gain once s has left it, for all j at once: the largest, the first of equals.
///   (d_j + m_j a)^2 / (2 (v_j + m_j^2 b)),  where the denominator is above floor_j
/// a = 0, b = 0: nothing leaves.
struct largest_gain {
    template <std::size_t Bytes>
    GAMUT_INLINE static best_entry run(std::size_t n, const double* d, const double* m, const double* v,
                                       const double* floor, double a, double b) {
        using P = backend::pack<double, Bytes>;
        const P pa(a), pb(b);
        P best(0), first(0);
        std::size_t j = 0;
        for (; j + 8 <= n; j += 8) {
            const P mj = P::load(m + j), numerator = P::load(d + j) + mj * pa,
                    denominator = P::load(v + j) + mj * mj * pb;
            const P gain = select(denominator > P::load(floor + j), numerator * numerator / denominator, P(0));
            first = select(best < gain, P(static_cast<double>(j)), first);
            best = select(best < gain, gain, best);
        }
        double gains[8], begins[8], largest = 0;
        best.store(gains);
        first.store(begins);
        best_entry found;
        for (std::size_t l = 0; l < 8; ++l) {
            const auto index = static_cast<std::size_t>(begins[l]) + l;
            if (!(gains[l] > largest) && !(gains[l] == largest && largest > 0 && index < found.index)) continue;
            largest = gains[l];
            found.index = index;
        }
        for (; j < n; ++j) {
            const double numerator = d[j] + m[j] * a, denominator = v[j] + m[j] * m[j] * b;
            const double gain = denominator > floor[j] ? numerator * numerator / denominator : 0;
            if (!(gain > largest)) continue;
            largest = gain;
            found.index = j;
        }
        found.gain = 0.5 * largest;
        return found;
    }
};

/// Whether one of these gains is above least (to rounding): without their divisions.
struct exceeds_gain {
    template <std::size_t Bytes>
    GAMUT_INLINE static bool run(std::size_t n, const double* d, const double* m, const double* v, const double* floor,
                                 double a, double b, double least) {
        using P = backend::pack<double, Bytes>;
        const P pa(a), pb(b), twice(2 * least);
        P most(-1);
        std::size_t j = 0;
        for (; j + 8 <= n; j += 8) {
            const P mj = P::load(m + j), numerator = P::load(d + j) + mj * pa,
                    denominator = P::load(v + j) + mj * mj * pb;
            const P excess =
                select(denominator > P::load(floor + j), numerator * numerator - twice * denominator, P(-1));
            most = select(most < excess, excess, most);
        }
        double lanes[8];
        most.store(lanes);
        bool does = false;
        for (const double lane : lanes) does = does || lane > 0;
        for (; j < n; ++j) {
            const double numerator = d[j] + m[j] * a, denominator = v[j] + m[j] * m[j] * b;
            does = does || (denominator > floor[j] && numerator * numerator > 2 * least * denominator);
        }
        return does;
    }
};

/// One number where there are not enough for a pack.
struct number {
    double x;
    number() = default;
    GAMUT_INLINE explicit number(double y) : x(y) {}
    GAMUT_INLINE static number load(const double* p) { return number(*p); }
    GAMUT_INLINE void store(double* p) const { *p = x; }
    GAMUT_INLINE friend number operator+(number a, number b) { return number(a.x + b.x); }
    GAMUT_INLINE friend number operator-(number a, number b) { return number(a.x - b.x); }
    GAMUT_INLINE friend number operator*(number a, number b) { return number(a.x * b.x); }
};

/// What k members say of all candidates:  M_:s = sum_t Q_st H_:t,   d -= sum_s w_s H_:s,   v -= sum_s M_:s H_:s  by entries.
struct member_columns {
    template <std::size_t Bytes>
    GAMUT_INLINE static void run(std::size_t p, std::size_t k, const double* const* h, const double* q, const double* w,
                                 double* const* m, double* d, double* v) {
        using P = backend::pack<double, Bytes>;
        std::size_t j = 0;
        for (; j + 16 <= p; j += 16) sweep<P, 2>(j, k, h, q, w, m, d, v);
        for (; j + 8 <= p; j += 8) sweep<P, 1>(j, k, h, q, w, m, d, v);
        for (; j < p; ++j) sweep<number, 1>(j, k, h, q, w, m, d, v);
    }

private:
    template <class P, std::size_t Packs>
    GAMUT_INLINE static void sweep(std::size_t j, std::size_t k, const double* const* h, const double* q,
                                   const double* w, double* const* m, double* d, double* v) {
        constexpr std::size_t width = sizeof(P) / sizeof(double);
        P slope[Packs], curvature[Packs];
        for (std::size_t i = 0; i < Packs; ++i) {
            slope[i] = P::load(d + j + width * i);
            curvature[i] = P::load(v + j + width * i);
        }
        for (std::size_t s = 0; s < k; ++s) {
            const P weight(w[s]);
            P sum[Packs];
            for (std::size_t i = 0; i < Packs; ++i) sum[i] = P(0);
            for (std::size_t t = 0; t < k; ++t) {
                const P factor(q[s * k + t]);
                for (std::size_t i = 0; i < Packs; ++i) sum[i] = sum[i] + factor * P::load(h[t] + j + width * i);
            }
            for (std::size_t i = 0; i < Packs; ++i) {
                const P column = P::load(h[s] + j + width * i);
                slope[i] = slope[i] - weight * column;
                curvature[i] = curvature[i] - sum[i] * column;
                sum[i].store(m[s] + j + width * i);
            }
        }
        for (std::size_t i = 0; i < Packs; ++i) {
            slope[i].store(d + j + width * i);
            curvature[i].store(v + j + width * i);
        }
    }
};

/// What a member that leaves, one that enters, or both, do to the columns M of the others, to d and to v:
///   t    = H_:j - sum_s h_s M_:s         of the one that enters, with M as it is without the one that leaves
///   M_:s += leaves_s u + enters_s t      u: the column of the one that leaves, where t / v_j takes its place
///   d    += share u - weight t
///   v    += inverse u^2 - t^2 / v_j
/// M is read and written once.
struct column_exchange {
    const double* entering = nullptr;  // H_:j, or null
    double* leaving = nullptr;         // u, or null
    double* fresh = nullptr;           // where t / v_j goes
    const double *h = nullptr, *leaves = nullptr, *enters = nullptr;
    double h_leaving = 0;  // sum_s h_s leaves_s
    double share = 0, inverse = 0, weight = 0, curvature = 1;

    template <std::size_t Bytes>
    GAMUT_INLINE static void run(const column_exchange* e, std::size_t p, double* const* m, std::size_t k, double* d,
                                 double* v) {
        using P = backend::pack<double, Bytes>;
        std::size_t j = 0;
        for (; j + tile <= p; j += tile) sweep<P, 8, tile>(*e, j, m, k, d, v);
        for (; j + 8 <= p; j += 8) sweep<P, 8, 8>(*e, j, m, k, d, v);
        for (; j + 4 <= p; j += 4) sweep<number, 1, 4>(*e, j, m, k, d, v);
        for (; j < p; ++j) sweep<number, 1, 1>(*e, j, m, k, d, v);
    }

private:
    static constexpr std::size_t tile = 32;

    /// Entries j, ..., j + Count - 1.
    template <class P, std::size_t Width, std::size_t Count>
    GAMUT_INLINE static void sweep(const column_exchange& e, std::size_t j, double* const* m, std::size_t k, double* d,
                                   double* v) {
        constexpr std::size_t packs = Count / Width;
        P t[packs], u[packs];
        for (std::size_t i = 0; i < packs; ++i) {
            u[i] = e.leaving ? P::load(e.leaving + j + Width * i) : P(0);
            t[i] = (e.entering ? P::load(e.entering + j + Width * i) : P(0)) - P(e.h_leaving) * u[i];
        }
        for (std::size_t s = 0; e.entering && s < k; ++s) {
            const P h(e.h[s]);
            const double* const x = m[s] + j;
            for (std::size_t i = 0; i < packs; ++i) t[i] = t[i] - h * P::load(x + Width * i);
        }
        for (std::size_t s = 0; s < k; ++s) {
            const P leaves(e.leaves[s]), enters(e.enters[s]);
            double* const x = m[s] + j;
            for (std::size_t i = 0; i < packs; ++i)
                (P::load(x + Width * i) + leaves * u[i] + enters * t[i]).store(x + Width * i);
        }
        const P inverse_curvature(1 / e.curvature);
        for (std::size_t i = 0; i < packs; ++i) {
            double *const dj = d + j + Width * i, *const vj = v + j + Width * i;
            (P::load(dj) + P(e.share) * u[i] - P(e.weight) * t[i]).store(dj);
            (P::load(vj) + P(e.inverse) * (u[i] * u[i]) - inverse_curvature * (t[i] * t[i])).store(vj);
            if (e.fresh) (inverse_curvature * t[i]).store(e.fresh + j + Width * i);
        }
    }
};

}  // namespace gamut::quadratic::detail

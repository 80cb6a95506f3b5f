// SPDX-License-Identifier: BSL-1.0
#pragma once
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <vector>
#include <gamut/backend/array.hpp>

namespace gamut::solver {

template <class A>
class anderson {
public:
    anderson(std::size_t memory, std::size_t blocks, const A& like)
        : M(memory), dG(blocks, std::vector<A>(memory, like)), dT(blocks, std::vector<A>(memory, like)), g(blocks, like), t(blocks, like), tprev(blocks, like),
          mT(memory, like), Tprev(like), gram(memory * memory), rhs(memory) {}
    std::size_t products() const { return 2 * M; }
    // residual r = T(v)-v of block b
    void step(std::size_t b, const A& r, const A& v, std::span<double> out) {
        std::fill(out.begin(), out.end(), 0.0);
        if (M == 0) { t[b] = v + r; return; }
        work_t = v + r;
        if (have_prev) {
            dG[b][slot] = r - g[b];
            dT[b][slot] = work_t - t[b];
            const std::size_t n = std::min(count + 1, M);
            for (std::size_t j = 0; j < n; ++j) {
                out[j] = backend::dot(dG[b][slot], dG[b][j]);
                out[M + j] = backend::dot(dG[b][j], r);
            }
        }
        tprev[b] = t[b];
        g[b] = r;
        t[b] = work_t;
    }
    // T: mean of plain steps; V: out mean of new v; returns whether the last point was good
    bool combine(std::span<const double> sums, double fixed, double safeguard, const A& T, A& V, std::vector<A>& v) {
        if (M == 0) { V = T; for (std::size_t b = 0; b < v.size(); ++b) v[b] = t[b]; return true; }
        if (was_mixed && !(fixed <= safeguard * last)) {
            // back to the plain step from the previous point
            V = Tprev;
            for (std::size_t b = 0; b < v.size(); ++b) v[b] = tprev[b];
            restart();
            return false;
        }
        if (have_prev) {
            mT[slot] = T - Tprev;
            const std::size_t n = std::min(count + 1, M);
            for (std::size_t j = 0; j < n; ++j) { gram[slot * M + j] = gram[j * M + slot] = sums[j]; rhs[j] = sums[M + j]; }
            count = n; slot = (slot + 1) % M;
        }
        last = fixed;
        Tprev = T;
        have_prev = true;
        V = T;
        for (std::size_t b = 0; b < v.size(); ++b) v[b] = t[b];
        was_mixed = false;
        if (count > 0) {
            auto gam = solve();
            bool ok = !gam.empty();
            double size = 0; for (double x : gam) { size += x * x; if (!std::isfinite(x)) ok = false; }
            if (ok && size < 1e8) {
                for (std::size_t j = 0; j < count; ++j) {
                    V = V - gam[j] * mT[j];
                    for (std::size_t b = 0; b < v.size(); ++b) v[b] = v[b] - gam[j] * dT[b][j];
                }
                was_mixed = true;
            }
        }
        return true;
    }
    void restart() { have_prev = false; count = 0; slot = 0; was_mixed = false; }
private:
    std::vector<double> solve() const {
        const std::size_t n = count;
        std::vector<double> a(n * n), x(n), scale(n);
        for (std::size_t i = 0; i < n; ++i) scale[i] = 1 / std::sqrt(gram[i * M + i]);
        for (std::size_t i = 0; i < n; ++i) { for (std::size_t j = 0; j < n; ++j) a[i * n + j] = gram[i * M + j] * scale[i] * scale[j]; a[i * n + i] += reg; x[i] = rhs[i] * scale[i]; }
        for (std::size_t i = 0; i < n; ++i) {
            for (std::size_t j = 0; j <= i; ++j) {
                double s = a[i * n + j];
                for (std::size_t k = 0; k < j; ++k) s -= a[i * n + k] * a[j * n + k];
                if (i == j) { if (!(s > 0)) return {}; a[i * n + i] = std::sqrt(s); } else a[i * n + j] = s / a[j * n + j];
            }
        }
        for (std::size_t i = 0; i < n; ++i) { for (std::size_t k = 0; k < i; ++k) x[i] -= a[i * n + k] * x[k]; x[i] /= a[i * n + i]; }
        for (std::size_t i = n; i-- > 0;) { for (std::size_t k = i + 1; k < n; ++k) x[i] -= a[k * n + i] * x[k]; x[i] /= a[i * n + i]; }
        for (std::size_t i = 0; i < n; ++i) x[i] *= scale[i];
        return x;
    }
public:
    double reg = 1e-12;
private:
    std::size_t M, count = 0, slot = 0;
    std::vector<std::vector<A>> dG, dT;
    std::vector<A> g, t, tprev, mT;
    A Tprev, work_t{Tprev};
    std::vector<double> gram, rhs;
    bool have_prev = false, was_mixed = false;
    double last = 0;
};

}

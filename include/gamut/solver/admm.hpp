// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <exception>
#include <optional>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include <gamut/backend/array.hpp>
#include <gamut/communicator/sum.hpp>
#include <gamut/core/error.hpp>
#include <gamut/core/result.hpp>
#include <gamut/core/stop.hpp>
#include <gamut/solver/anderson.hpp>
#include <gamut/solver/concept.hpp>
#include <gamut/solver/newton_cg.hpp>
#include <gamut/solver/run.hpp>

namespace gamut::solver {

template <class Local = newton_cg<>>
struct admm {
    double rho = 0;
    double relaxation = 1.6;
    double balance = 10, growth = 2;
    std::size_t balance_every = 1, balance_until = 100;
    std::size_t acceleration = 5;
    double safeguard = 1;
    double rho_factor = 1;
    std::size_t objective_every = 1;
    Local local{};
    core::stop stop{};

    template <Consensus P, class... O>
    core::result<typename P::array> minimize(const P& p, O&&... observers) const {
        using A = typename P::array;
        const std::size_t m = p.dimension(), N = p.blocks(), mine = p.last_block() - p.first_block();
        const double n = static_cast<double>(N);
        const auto& ranks = p.communicator();
        run<P, O...> record("admm", p, stop, observers...);
        using block_type = std::remove_cvref_t<decltype(p.block(0))>;
        std::vector<block_type> f;
        for (std::size_t b = 0; b < mine; ++b) f.push_back(p.block(p.first_block() + b));
        A z = p.start(), z_old = z, V = z, T = z, gradient = z, work = z;
        std::vector<A> x(mine, z), v(mine, z);
        anderson<A> mix(acceleration, mine, z);
        constexpr std::size_t extra = 6;
        const std::size_t width = m + extra + mix.products();
        std::vector<double> rows(mine * width), sums(width);
        double rho_now = rho;
        if (!(rho_now > 0)) {
            p.value_and_gradient(z, gradient);
            std::vector<double> c(mine), s(1);
            const double gg = backend::dot(gradient, gradient);
            for (std::size_t b = 0; b < mine; ++b) {
                f[b].hessian(z).times(gradient, work);
                c[b] = backend::dot(work, gradient) / gg;
            }
            communicator::sum(ranks, std::span<const double>(c), mine, std::span(s));
            rho_now = rho_factor * s[0] / n;
            if (!(rho_now > 0) || !std::isfinite(rho_now)) rho_now = 1 / n;
        }
        double first_p = 0, first_d = 0, last_good = INFINITY;
        std::size_t rejected = 0;
        p.prox(V, 1 / (n * rho_now), z);
        core::record now;
        for (std::size_t k = 1;; ++k) {
            std::size_t passes = 0;
            for (std::size_t b = 0; b < mine; ++b) {
                work = 2.0 * z - v[b];
                const auto done = local.improve(f[b], x[b], work, rho_now);
                passes = done.passes;
                double* row = rows.data() + b * width;
                work = relaxation * (x[b] - z);
                mix.step(b, work, v[b], std::span<double>(row + m + extra, mix.products()));
                work = v[b] + work;
                std::copy_n(work.data(), m, row);
                double* e = row + m;
                const double d = backend::distance(x[b], z), xn = backend::norm(x[b]), un = backend::distance(v[b], z);
                e[0] = d * d; e[1] = xn * xn; e[2] = un * un; e[3] = double(passes); e[4] = done.residual * done.residual; e[5] = 0;
            }
            communicator::sum(ranks, std::span<const double>(rows), mine, std::span(sums));
            const double S2 = sums[m], X2 = sums[m + 1], U2 = sums[m + 2], E2 = sums[m + 4];
            record.add_passes(static_cast<std::size_t>(std::lround(sums[m + 3] / n)));
            T.upload(std::span<const double>(sums).first(m));
            T = (1 / n) * T;
            work = (n / relaxation) * (T - V);  // sum of x - z
            if (k == 1) { first_p = std::sqrt(S2); first_d = rho_now * first_p; }
            const double fixed = std::sqrt(S2);
            const bool accept = mix.combine(std::span<const double>(sums).subspan(m + extra), fixed, safeguard, T, V, v);
            if (!accept) ++rejected;
            z_old = z;
            p.prox(V, 1 / (n * rho_now), z);
            gradient = z - z_old;
            const double dz = backend::norm(gradient);
            const double r = std::sqrt(std::max(0.0, S2 - 2 * backend::dot(gradient, work) + n * dz * dz));
            const double s = std::sqrt(rho_now * rho_now * n * dz * dz + E2);
            const double sp = std::max({std::sqrt(X2), std::sqrt(n) * backend::norm(z), first_p});
            const double sd = std::max(rho_now * std::sqrt(U2), first_d);
            now = {.iteration = k, .residual = r / sp, .dual_residual = s / sd, .step = rho_now};
            if (objective_every > 0 && k % objective_every == 0) now.objective = objective(p, z);
            now.nonzeros = p.nonzeros(z);
            auto asked = record.report(now);
            const bool conv = now.residual <= stop.tolerance && now.dual_residual <= stop.tolerance;
            if (conv || k >= stop.iterations || asked) {
                const auto st = conv ? core::status::converged : asked ? *asked : core::status::iteration_limit;
                std::printf("rejected %zu\n", rejected);
                return record.finish(z, objective(p, z), st, "");
            }
            if (k <= balance_until && k % balance_every == 0 && accept) {
                const double ratio = now.residual / now.dual_residual;
                double change = 1;
                if (ratio > balance) change = std::min(growth, std::sqrt(ratio));
                if (ratio < 1 / balance) change = std::max(1 / growth, std::sqrt(ratio));
                if (change != 1) {
                    rho_now *= change;
                    V = z + (1 / change) * (V - z);
                    for (std::size_t b = 0; b < mine; ++b) v[b] = z + (1 / change) * (v[b] - z);
                    mix.restart();
                }
            }
        }
    }
};

}  // namespace gamut::solver

// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <vector>

#include <gamut/backend/array.hpp>

namespace gamut::solver {

/// Anderson acceleration of a fixed-point iteration v <- T(v) whose v is spread over blocks:
///   v <- T(v_k) - sum_j gamma_j dT_j,     gamma = argmin | r_k - sum_j gamma_j dr_j |,     r = T(v) - v,
/// dT_j and dr_j being the last `memory` changes of T(v) and of r. All it needs of other blocks are inner products, 2 memory
/// numbers that ride along in the sum over the blocks which the iteration makes anyway.
///
/// Safeguard: where |r| at a mixed point exceeds twice the smallest |r| so far, the plain step before it is taken instead,
/// and the memory cleared. Keeps 2 memory + 3 arrays per block and memory + 1 of means.
/// Walker and Ni 2011; Zhang, O'Donoghue and Boyd 2020 for the safeguard.
template <class A> class anderson {
    using T = typename A::value_type;

public:
    /// blocks: those of this rank.
    anderson(std::size_t memory, std::size_t blocks, const A& like)
        : memory_(memory),
          change_of_residual_(blocks * memory, like),
          change_of_step_(blocks * memory, like),
          residual_(blocks, like),
          step_(blocks, like),
          step_before_(blocks, like),
          change_of_mean_(memory, like),
          mean_before_(like),
          gram_(memory * memory),
          projection_(memory) {}

    /// The wanted memory, or what `blocks` blocks of `dimension` numbers can have within 1 GiB over all ranks together.
    static std::size_t affordable(std::size_t wanted, std::size_t blocks, std::size_t dimension) {
        constexpr std::size_t budget = std::size_t(1) << 30;
        return std::min(wanted, budget / (2 * sizeof(T)) / std::max<std::size_t>(blocks * dimension, 1));
    }

    /// Numbers per block that the sum over the blocks must carry.
    std::size_t products() const { return 2 * memory_; }

    /// Block b has found r = T(v) - v, T(v) = step. Fills in its part of the inner products.
    void advance(std::size_t b, const A& r, const A& step, std::span<double> products) {
        std::fill(products.begin(), products.end(), 0.0);
        if (memory_ > 0 && started_) {
            A* const dr = change_of_residual_.data() + b * memory_;
            dr[next_] = r - residual_[b];
            change_of_step_[b * memory_ + next_] = step - step_[b];
            for (std::size_t j = 0; j < std::min(stored_ + 1, memory_); ++j) {
                products[j] = backend::dot(dr[next_], dr[j]);
                products[memory_ + j] = backend::dot(dr[j], r);
            }
            step_before_[b] = step_[b];
        }
        residual_[b] = r;
        step_[b] = step;
    }

    /// The next v of every block, and its mean over all blocks. products: summed over all blocks; length: |r| over all
    /// blocks; mean_step: mean of T(v). False: the last point was bad, and v is a step back.
    bool mix(std::span<const double> products, double length, const A& mean_step, A& mean, std::vector<A>& v) {
        if (mixed_ && !(length <= 2 * shortest_)) {
            mean = mean_before_;
            v.swap(step_before_);
            restart();
            return false;
        }
        if (memory_ > 0 && started_) {
            change_of_mean_[next_] = mean_step - mean_before_;
            stored_ = std::min(stored_ + 1, memory_);
            for (std::size_t j = 0; j < stored_; ++j) {
                gram_[next_ * memory_ + j] = gram_[j * memory_ + next_] = products[j];
                projection_[j] = products[memory_ + j];
            }
            next_ = (next_ + 1) % memory_;
        }
        shortest_ = started_ ? std::min(shortest_, length) : length;
        started_ = true;
        mean = mean_step;
        mean_before_ = mean_step;
        std::copy(step_.begin(), step_.end(), v.begin());
        const std::vector<double> gamma = coefficients();
        for (std::size_t j = 0; j < gamma.size(); ++j) {
            const T factor = static_cast<T>(gamma[j]);
            mean = mean - factor * change_of_mean_[j];
            for (std::size_t b = 0; b < v.size(); ++b) v[b] = v[b] - factor * change_of_step_[b * memory_ + j];
        }
        mixed_ = !gamma.empty();
        return true;
    }

    /// What must outlive an interruption; see state.hpp. p: whose blocks they are.
    template <class Each, class P> void describe(Each& each, const P& p) {
        each.blocks("anderson.changes_of_residuals", change_of_residual_, p);
        each.blocks("anderson.changes_of_steps", change_of_step_, p);
        each.blocks("anderson.residuals", residual_, p);
        each.blocks("anderson.steps", step_, p);
        each.blocks("anderson.steps_before", step_before_, p);
        each("anderson.changes_of_mean", change_of_mean_);
        each("anderson.mean_before", mean_before_);
        each("anderson.gram", gram_);
        each("anderson.projection", projection_);
        each("anderson.stored", stored_);
        each("anderson.next", next_);
        each("anderson.started", started_);
        each("anderson.mixed", mixed_);
        each("anderson.shortest", shortest_);
    }

    /// T is about to change: what was learned of it is void.
    void restart() {
        started_ = mixed_ = false;
        stored_ = next_ = 0;
    }

private:
    // Cholesky on the normal equations, scaled to a unit diagonal; empty if they say nothing
    std::vector<double> coefficients() const {
        const std::size_t n = stored_;
        std::vector<double> a(n * n), x(n), scale(n);
        for (std::size_t i = 0; i < n; ++i) scale[i] = 1 / std::sqrt(gram_[i * memory_ + i]);
        for (std::size_t i = 0; i < n; ++i) {
            for (std::size_t j = 0; j <= i; ++j) {
                double sum = gram_[i * memory_ + j] * scale[i] * scale[j] + (i == j ? 1e-12 : 0.0);
                for (std::size_t k = 0; k < j; ++k) sum -= a[i * n + k] * a[j * n + k];
                if (i == j && !(sum > 0)) return {};
                a[i * n + j] = i == j ? std::sqrt(sum) : sum / a[j * n + j];
            }
            x[i] = projection_[i] * scale[i];
            for (std::size_t k = 0; k < i; ++k) x[i] -= a[i * n + k] * x[k];
            x[i] /= a[i * n + i];
        }
        double size = 0;
        for (std::size_t i = n; i-- > 0;) {
            for (std::size_t k = i + 1; k < n; ++k) x[i] -= a[k * n + i] * x[k];
            x[i] /= a[i * n + i];
        }
        for (std::size_t i = 0; i < n; ++i) {
            x[i] *= scale[i];
            size += x[i] * x[i];
        }
        if (!(size < 1e8)) return {};
        return x;
    }

    std::size_t memory_, stored_ = 0, next_ = 0;
    std::vector<A> change_of_residual_, change_of_step_;  // block b's are entries b memory ... (b + 1) memory - 1
    std::vector<A> residual_, step_, step_before_;
    std::vector<A> change_of_mean_;
    A mean_before_;
    std::vector<double> gram_, projection_;
    bool started_ = false, mixed_ = false;
    double shortest_ = 0;
};

}  // namespace gamut::solver

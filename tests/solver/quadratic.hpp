// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <exception>
#include <span>
#include <stdexcept>
#include <utility>
#include <vector>

#include <gamut/backend/host.hpp>
#include <gamut/communicator/single.hpp>
#include <gamut/communicator/sum.hpp>
#include <gamut/core/random.hpp>
#include <gamut/penalty/concept.hpp>
#include <gamut/penalty/none.hpp>
#include <gamut/solver/concept.hpp>

/// A small problem with everything a solver may ask for, in plain loops: mean loss over rows, a penalty, blocks of rows.
namespace toy {

using namespace gamut;
using array = backend::array<backend::host<double>>;

struct squared {
    static double value(double z, double y) { return 0.5 * (z - y) * (z - y); }
    static double slope(double z, double y) { return z - y; }
    static double curvature(double, double) { return 1; }
};

/// y is 0 or 1
struct logistic {
    static double value(double z, double y) { return std::max(z, 0.0) + std::log1p(std::exp(-std::abs(z))) - y * z; }
    static double slope(double z, double y) { return sigmoid(z) - y; }
    static double curvature(double z, double) { return sigmoid(z) * (1 - sigmoid(z)); }
    static double sigmoid(double z) { return z < 0 ? std::exp(z) / (1 + std::exp(z)) : 1 / (1 + std::exp(-z)); }
};

/// n rows of p numbers; with an intercept, a last column of ones that no penalty sees.
struct table {
    std::size_t rows = 0, columns = 0;
    std::vector<double> x, y;
    bool intercept = false;

    const double* row(std::size_t i) const { return x.data() + i * columns; }
    std::size_t penalised() const { return columns - (intercept ? 1 : 0); }
};

/// Random rows; equicorrelated columns; y from a few true weights. classes: y is 0 or 1.
inline table random_table(std::size_t rows, std::size_t columns, double correlation, bool classes,
                          bool intercept = false, std::uint64_t seed = 1, double noise = 1) {
    const core::random x{.seed = seed, .stream = 0}, common{.seed = seed, .stream = 1},
        errors{.seed = seed, .stream = 2};
    table t{.rows = rows, .columns = columns + (intercept ? 1 : 0), .x = {}, .y = {}, .intercept = intercept};
    for (std::size_t i = 0; i < rows; ++i) {
        double z = intercept ? 0.5 : 0;
        for (std::size_t j = 0; j < columns; ++j) {
            const double entry =
                std::sqrt(1 - correlation) * x.normal(i * columns + j) + std::sqrt(correlation) * common.normal(i);
            t.x.push_back(entry);
            if (j % 3 == 0) z += (j % 2 == 0 ? 1.0 : -1.0) * entry;
        }
        if (intercept) t.x.push_back(1);
        z += noise * errors.normal(i);
        t.y.push_back(classes ? (z > 0 ? 1.0 : 0.0) : z);
    }
    return t;
}

/// Mean loss over the rows first <= i < last, times (last - first) / rows: a block's part of the mean.
template <class Loss> class part {
public:
    using array = toy::array;

    part(const table& t, std::size_t first, std::size_t last, bool faulty = false)
        : t_(t),
          first_(first),
          last_(last),
          faulty_(faulty) {}

    std::size_t dimension() const { return t_.columns; }
    double value(const array& w) const {
        double sum = 0;
        for (std::size_t i = first_; i < last_; ++i) sum += Loss::value(predict(i, w.data()), t_.y[i]);
        return sum / static_cast<double>(t_.rows);
    }
    double value_and_gradient(const array& w, array& gradient) const {
        if (faulty_) throw std::runtime_error("this block is faulty");
        for (std::size_t j = 0; j < t_.columns; ++j) gradient[j] = 0;
        for (std::size_t i = first_; i < last_; ++i)
            add(gradient.data(), Loss::slope(predict(i, w.data()), t_.y[i]) / static_cast<double>(t_.rows), i);
        return value(w);
    }
    struct hessian_at {
        const part& f;
        std::vector<double> curvature;
        void times(const array& v, array& out) const {
            for (std::size_t j = 0; j < f.t_.columns; ++j) out[j] = 0;
            for (std::size_t i = f.first_; i < f.last_; ++i)
                f.add(out.data(), curvature[i - f.first_] * f.predict(i, v.data()), i);
        }
    };
    hessian_at hessian(const array& w) const {
        hessian_at h{*this, {}};
        for (std::size_t i = first_; i < last_; ++i)
            h.curvature.push_back(Loss::curvature(predict(i, w.data()), t_.y[i]) / static_cast<double>(t_.rows));
        return h;
    }

private:
    double predict(std::size_t i, const double* w) const {
        double z = 0;
        for (std::size_t j = 0; j < t_.columns; ++j) z += t_.row(i)[j] * w[j];
        return z;
    }
    void add(double* to, double factor, std::size_t i) const {
        for (std::size_t j = 0; j < t_.columns; ++j) to[j] += factor * t_.row(i)[j];
    }

    const table& t_;
    std::size_t first_, last_;
    bool faulty_;
};

template <class Loss, class Penalty = penalty::none, class C = communicator::single<>> class problem {
public:
    using array = toy::array;
    static constexpr bool smooth = penalty::Smooth<Penalty>;

    problem(const table& t, Penalty p, std::size_t blocks = 1, C c = C{}, std::size_t faulty_block = std::size_t(-1))
        : t_(t),
          p_(std::move(p)),
          c_(std::move(c)),
          blocks_(blocks),
          faulty_(faulty_block),
          start_(t.columns) {}

    std::size_t dimension() const { return t_.columns; }
    const C& communicator() const { return c_; }
    array start() const { return start_; }
    void start_from(array w) { start_ = std::move(w); }
    std::size_t passes() const { return passes_; }

    double value(const array& w) const {
        return sum(nullptr, [&](const part<Loss>& f, std::span<double> row) { row.back() = f.value(w); }) +
               smooth_penalty(w);
    }
    double value_and_gradient(const array& w, array& gradient) const {
        const double value = sum(&gradient, [&](const part<Loss>& f, std::span<double> row) {
            array g(dimension());
            row.back() = f.value_and_gradient(w, g);
            std::copy_n(g.data(), dimension(), row.begin());
        });
        if constexpr (smooth)
            for (std::size_t j = 0; j < t_.penalised(); ++j) gradient[j] += p_.derivative(w[j]);
        return value + smooth_penalty(w);
    }
    struct hessian_at {
        const problem& f;
        array w;
        void times(const array& v, array& out) const {
            f.sum(&out, [&](const part<Loss>& block, std::span<double> row) {
                array hv(f.dimension());
                block.hessian(w).times(v, hv);
                std::copy_n(hv.data(), f.dimension(), row.begin());
            });
            if constexpr (smooth)
                for (std::size_t j = 0; j < f.t_.penalised(); ++j) out[j] += f.p_.second_derivative(w[j]) * v[j];
        }
    };
    hessian_at hessian(const array& w) const { return {*this, w}; }

    double penalty(const array& w) const {
        return penalty::value(p_, std::span<const double>(w.data(), t_.penalised()), shape());
    }
    void prox(const array& v, double step, array& out) const {
        out = v;
        penalty::prox(p_, std::span<const double>(v.data(), t_.penalised()), step,
                      std::span<double>(out.data(), t_.penalised()), shape());
    }
    std::size_t nonzeros(const array& w) const {
        return t_.penalised() - static_cast<std::size_t>(std::count(w.data(), w.data() + t_.penalised(), 0.0));
    }

    std::size_t blocks() const { return blocks_; }
    std::size_t first_block() const { return blocks_ * std::size_t(c_.rank()) / std::size_t(c_.size()); }
    std::size_t last_block() const { return blocks_ * std::size_t(c_.rank() + 1) / std::size_t(c_.size()); }
    part<Loss> block(std::size_t b) const {
        return {t_, t_.rows * b / blocks_, t_.rows * (b + 1) / blocks_, b == faulty_};
    }

    std::size_t batches(std::size_t size) const { return (t_.rows + size - 1) / size; }
    double batch_gradient(const array& w, solver::batch b, array& gradient) const {
        const auto order = core::permutation({.seed = b.seed, .stream = b.epoch}, t_.rows);
        const std::size_t first = b.index * b.size, last = std::min(t_.rows, first + b.size);
        const double scale = static_cast<double>(t_.rows) / static_cast<double>(last - first);
        gradient = 0.0 * w;
        double value = 0;
        for (std::size_t i = first; i < last; ++i) {
            const part<Loss> one(t_, order[i], order[i] + 1);
            array g(dimension());
            value += scale * one.value_and_gradient(w, g);
            gradient = gradient + scale * g;
        }
        if constexpr (smooth)
            for (std::size_t j = 0; j < t_.penalised(); ++j) gradient[j] += p_.derivative(w[j]);
        return value + smooth_penalty(w);
    }

private:
    penalty::layout shape() const { return {.features = t_.penalised(), .outputs = 1}; }
    double smooth_penalty(const array& w) const {
        if constexpr (smooth)
            return penalty(w);
        else
            return 0;
    }

    // a row of dimension() numbers and a value from each block of this rank, added up over all
    template <class F> double sum(array* out, F&& f) const {
        ++passes_;
        const std::size_t mine = last_block() - first_block(), width = dimension() + 1;
        std::vector<double> rows(mine * width), total(width);
        for (std::size_t b = 0; b < mine; ++b) f(block(first_block() + b), std::span(rows).subspan(b * width, width));
        communicator::sum(c_, std::span<const double>(rows), mine, std::span(total));
        if (out) std::copy_n(total.begin(), dimension(), out->data());
        return total.back();
    }

    const table& t_;
    Penalty p_;
    C c_;
    std::size_t blocks_, faulty_;
    array start_;
    mutable std::size_t passes_ = 0;
};

/// Loss and penalty by their types: toy::make<toy::squared>(table, penalty::l1{.1}, 4, communicator).
template <class Loss, class Penalty, class C = communicator::single<>>
problem<Loss, Penalty, C> make(const table& t, Penalty p, std::size_t blocks = 1, C c = C{}) {
    return {t, std::move(p), blocks, std::move(c)};
}

}  // namespace toy

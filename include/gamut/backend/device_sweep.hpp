// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <utility>
#include <vector>

#include <gamut/autodiff/gradient.hpp>
#include <gamut/backend/device.hpp>
#include <gamut/backend/device_matrix.hpp>
#include <gamut/backend/sweep.hpp>

namespace gamut::backend {

namespace detail {

/// Labels and sample weights of the rows that are looked at; null: none.
template <class T> struct device_observations {
    row_numbers numbers;
    const T *y, *omega;
    T share;  // 1 / Omega

    template <class V> constexpr void move_to(autodiff::rows<V>& row, std::size_t q) const {
        const std::size_t i = numbers(q);
        const T weight = omega ? omega[i] : T(1);
        row.move_to(V(y ? y[i] : T(0)), V(weight), V(weight * share));
    }
};

/// The loss of each row.
template <class T, class Formula> struct loss_of_row {
    Formula formula;
    device_observations<T> rows;
    std::size_t outputs;
    const T* z;
    double* loss;
    constexpr void operator()(std::ptrdiff_t at) const {
        const std::size_t q = static_cast<std::size_t>(at);
        autodiff::rows<T> row(outputs, z + q * outputs, nullptr, nullptr);
        rows.move_to(row, q);
        loss[q] = static_cast<double>(formula.value(row, 0));
    }
};

/// The loss of each row from place `first` on, and its derivatives.
///   kept    scratch_of<Formula> numbers per row and output, if outputs > 1
template <class T, class Formula> struct slope_of_row {
    Formula formula;
    device_observations<T> rows;
    std::size_t outputs, first;
    const T* z;
    T* s;
    double* loss;
    T* kept;
    constexpr void operator()(std::ptrdiff_t at) const {
        constexpr std::size_t scratch = autodiff::scratch_of<Formula>;
        const std::size_t i = static_cast<std::size_t>(at), q = first + i;
        if (outputs == 1) {  // in registers
            T value(z[q]), adjoint(0), own[scratch + 1] = {};
            autodiff::rows<T> row(1, &value, &adjoint, own);
            rows.move_to(row, q);
            loss[q] = static_cast<double>(autodiff::pull_row(formula, row));
            s[q] = adjoint;
        } else {
            T* adjoints = s + q * outputs;
            for (std::size_t k = 0; k < outputs; ++k) adjoints[k] = T(0);
            autodiff::rows<T> row(outputs, z + q * outputs, adjoints, kept + i * scratch * outputs);
            rows.move_to(row, q);
            loss[q] = static_cast<double>(autodiff::pull_row(formula, row));
        }
    }
};

/// The derivatives of each row from place `first` on, differentiated at z in the direction t (null: 1).
///   kept    2 + scratch_of<Formula> duals per row and output, if outputs > 1
template <class T, class Formula> struct curve_of_row {
    using dual = autodiff::dual<T>;
    Formula formula;
    device_observations<T> rows;
    std::size_t outputs, first;
    const T *z, *t;
    T* s;
    dual* kept;
    constexpr void operator()(std::ptrdiff_t at) const {
        constexpr std::size_t scratch = autodiff::scratch_of<Formula>;
        const std::size_t i = static_cast<std::size_t>(at), q = first + i;
        if (outputs == 1) {
            dual value(z[q], t ? t[q] : T(1)), adjoint(T(0)), own[scratch + 1] = {};
            autodiff::rows<dual> row(1, &value, &adjoint, own);
            rows.move_to(row, q);
            autodiff::pull_row(formula, row);
            s[q] = adjoint.tangent;
        } else {
            dual* values = kept + i * (2 + scratch) * outputs;
            dual* adjoints = values + outputs;
            for (std::size_t k = 0; k < outputs; ++k) {
                values[k] = dual(z[q * outputs + k], t[q * outputs + k]);
                adjoints[k] = dual(T(0));
            }
            autodiff::rows<dual> row(outputs, values, adjoints, adjoints + outputs);
            rows.move_to(row, q);
            autodiff::pull_row(formula, row);
            for (std::size_t k = 0; k < outputs; ++k) s[q * outputs + k] = adjoints[k].tangent;
        }
    }
};

template <class T> struct scaled_row {
    const T *known, *t;
    T* s;
    constexpr void operator()(std::ptrdiff_t q) const { s[q] = known[q] * t[q]; }
};

/// Entry e of [ column sums of S | loss ], summed over rows.
template <class T> struct tail_of_rows {
    std::size_t outputs;
    const T* s;
    const double* loss;
    constexpr double operator()(std::size_t begin, std::size_t end, std::size_t packed, std::size_t e) const {
        double sum = 0;
        for (std::size_t q = packed; q < packed + (end - begin); ++q)
            sum += e < outputs ? static_cast<double>(s[q * outputs + e]) : loss[q];
        return sum;
    }
};

}  // namespace detail

/// `sweep` on a device: the data are copied there once; with each evaluation weights go there and partial sums come back.
/// Z, S and the losses of all rows are kept in the device's memory, so a gradient reads the data twice.
/// The partial of a shard depends on its rows alone, and sums are in double whatever T is.
template <class T, class System, class Matrix, autodiff::Loss Formula> class device_sweep {
public:
    using backend = device<T, System>;
    using value_type = T;
    template <class V> using vector = typename backend::template vector<V>;
    /// What `linearize` keeps for products with the Hessian; it stays on the device.
    using curvature = vector<T>;

    /// bounds: the first row of each shard, and the number of rows at the end. The last argument is for the host's threads.
    device_sweep(const Matrix& x, const observations<T>& rows, std::vector<std::size_t> bounds, const Formula& formula,
                 std::size_t outputs, int = 0)
        : x_(x),
          bounds_(std::move(bounds)),
          formula_(formula),
          outputs_(outputs),
          share_(static_cast<T>(1 / rows.total_weight)) {
        std::vector<detail::row_piece> shards;
        for (std::size_t v = 0; v + 1 < bounds_.size(); ++v) shards.push_back({bounds_[v], bounds_[v + 1], bounds_[v]});
        backend::send(shards.data(), shards.size(), shards_);
        if (rows.y) backend::send(rows.y, x.rows, y_);
        if (rows.omega) backend::send(rows.omega, x.rows, omega_);
    }
    device_sweep(const device_sweep&) = delete;
    device_sweep& operator=(const device_sweep&) = delete;

    std::size_t columns() const { return x_.columns(); }
    std::size_t outputs() const { return outputs_; }
    shard_range all() const { return {0, bounds_.size() - 1}; }
    row_range rows_of(std::size_t shard) const { return {bounds_[shard], bounds_[shard + 1]}; }
    std::size_t gradient_size() const { return (columns() + 1) * outputs_ + 1; }
    std::size_t hessian_size() const { return (columns() + 1) * outputs_; }

    /// partials: on the host, shards.size() rows of one number each.
    void value(const T* w, const T* b, shard_range shards, double* partials) const {
        const selection rows = select(shards);
        const T* z = products(rows, w, b, work_.z);
        double* loss = backend::reserve(work_.loss, rows.size);
        backend::for_each(rows.size, detail::loss_of_row<T, Formula>{formula_, observed(rows), outputs_, z, loss});
        double* sums = backend::reserve(work_.sums, rows.shards);
        add_up(rows, detail::tail_of_rows<T>{0, nullptr, loss}, 1, sums, 1);
        backend::fetch(work_.sums, rows.shards, partials);
    }

    /// partials: shards.size() rows of gradient_size() numbers.
    void gradient(const T* w, const T* b, shard_range shards, double* partials) const {
        gradient(w, b, select(shards), partials);
    }

    /// The same for some rows of each shard only: rows[s] lie within shard s.
    void gradient(const T* w, const T* b, std::span<const row_range> rows, double* partials) const {
        gradient(w, b, select(rows), partials);
    }

    /// See sweep::linearize.
    void linearize(const T* w, const T* b, shard_range shards, curvature& known) const {
        const selection rows = select(shards);
        if (outputs_ > 1) {
            products(rows, w, b, known);
        } else {
            const T* z = products(rows, w, b, work_.z);
            T* out = backend::reserve(known, rows.size);
            backend::for_each(
                rows.size, detail::curve_of_row<T, Formula>{formula_, observed(rows), 1, 0, z, nullptr, out, nullptr});
        }
    }

    /// partials: shards.size() rows of hessian_size() numbers: the shard's part of H (V, vb).
    void hessian(const curvature& known, const T* v, const T* vb, shard_range shards, double* partials) const {
        const selection rows = select(shards);
        const T *z = backend::data(known), *t = products(rows, v, vb, work_.z);
        T* s = backend::reserve(work_.s, rows.size * outputs_);
        if (outputs_ == 1) {
            backend::for_each(rows.size, detail::scaled_row<T>{z, t, s});
        } else {
            const std::size_t per_row = (2 + scratch) * outputs_, chunk = std::min(rows_at_once(per_row), rows.size);
            auto* kept = backend::reserve(work_.dual_kept, chunk * per_row);
            for (std::size_t first = 0; first < rows.size; first += chunk)
                backend::for_each(
                    std::min(chunk, rows.size - first),
                    detail::curve_of_row<T, Formula>{formula_, observed(rows), outputs_, first, z, t, s, kept});
        }
        pull_back(rows, s, nullptr, hessian_size(), partials);
    }

    /// Z = X W + b for all rows of the shards, rows x outputs, on the host.
    void multiply(const T* w, const T* b, shard_range shards, T* z) const {
        const selection rows = select(shards);
        products(rows, w, b, work_.z);
        backend::fetch(work_.z, rows.size * outputs_, z);
    }

private:
    static constexpr std::size_t scratch = autodiff::scratch_of<Formula>;

    /// What evaluations need beside the data; grows to what was needed most.
    struct workspace {
        vector<T> weights, z, s, kept;
        vector<double> loss, parts, sums;
        vector<autodiff::dual<T>> dual_kept;
        vector<detail::row_piece> pieces;
        std::vector<T> host_weights;
    };

    /// The rows that an evaluation looks at, `size` of them in all.
    struct selection {
        detail::row_numbers numbers;
        const detail::row_piece* pieces;  // one per shard
        std::size_t shards, origin, size = 0, largest = 0;
    };
    selection select(shard_range which) const {
        const std::size_t first = bounds_[which.begin];
        selection rows{{first, nullptr, 0}, backend::data(shards_) + which.begin, which.size(), first};
        for (std::size_t v = which.begin; v < which.end; ++v)
            rows.largest = std::max(rows.largest, bounds_[v + 1] - bounds_[v]);
        rows.size = bounds_[which.end] - first;
        return rows;
    }
    selection select(std::span<const row_range> which) const {
        selection rows{{}, nullptr, which.size(), 0};
        std::vector<detail::row_piece> pieces;
        for (const row_range r : which) {
            pieces.push_back({r.begin, r.end, rows.size});
            rows.largest = std::max(rows.largest, r.end - r.begin);
            rows.size += r.end - r.begin;
        }
        backend::send(pieces.data(), pieces.size(), work_.pieces);
        rows.pieces = backend::data(work_.pieces);
        rows.numbers = {0, rows.pieces, rows.shards};
        return rows;
    }

    /// Rows whose kept numbers take 2^22 places.
    static std::size_t rows_at_once(std::size_t per_row) {
        return std::max<std::size_t>((std::size_t(1) << 22) / std::max<std::size_t>(per_row, 1), 1024);
    }

    detail::device_observations<T> observed(const selection& rows) const {
        return {rows.numbers, y_.empty() ? nullptr : backend::data(y_),
                omega_.empty() ? nullptr : backend::data(omega_), share_};
    }

    void gradient(const T* w, const T* b, const selection& rows, double* partials) const {
        const T* z = products(rows, w, b, work_.z);
        T* s = backend::reserve(work_.s, rows.size * outputs_);
        double* loss = backend::reserve(work_.loss, rows.size);
        const std::size_t per_row = outputs_ == 1 ? 0 : scratch * outputs_,
                          chunk = std::min(rows_at_once(per_row), rows.size);
        T* kept = backend::reserve(work_.kept, chunk * per_row);
        for (std::size_t first = 0; first < rows.size; first += chunk)
            backend::for_each(
                std::min(chunk, rows.size - first),
                detail::slope_of_row<T, Formula>{formula_, observed(rows), outputs_, first, z, s, loss, kept});
        pull_back(rows, s, loss, gradient_size(), partials);
    }

    T* products(const selection& rows, const T* w, const T* b, vector<T>& memory) const {
        const std::size_t m = columns() * outputs_;
        auto& both = work_.host_weights;
        both.assign(w, w + m);
        both.insert(both.end(), b, b + outputs_);
        backend::send(both.data(), both.size(), work_.weights);
        const T* weights = backend::data(work_.weights);
        T* z = backend::reserve(memory, rows.size * outputs_);
        x_.multiply(rows.numbers, rows.size, outputs_, weights, weights + m, z);
        return z;
    }

    template <class Term>
    void add_up(const selection& rows, const Term& term, std::size_t width, double* out, std::size_t stride) const {
        detail::sum_rows<backend>(term, rows.pieces, rows.shards, rows.origin, rows.largest, width, out, stride,
                                  work_.parts);
    }

    /// partials = [ X' S | column sums of S | loss, if there is one ], m numbers per shard.
    void pull_back(const selection& rows, const T* s, const double* loss, std::size_t m, double* partials) const {
        const std::size_t weights = columns() * outputs_;
        double* sums = backend::reserve(work_.sums, rows.shards * m);
        add_up(rows, x_.transposed(outputs_, s), weights, sums, m);
        add_up(rows, detail::tail_of_rows<T>{outputs_, s, loss}, m - weights, sums + weights, m);
        backend::fetch(work_.sums, rows.shards * m, partials);
    }

    typename detail::matrix_on_device<Matrix, System>::type x_;
    std::vector<std::size_t> bounds_;
    vector<detail::row_piece> shards_;
    vector<T> y_, omega_;
    Formula formula_;
    std::size_t outputs_;
    T share_;
    mutable workspace work_;
};

template <class T, class System, class Matrix, class Formula> struct sweep_for<device<T, System>, Matrix, Formula> {
    using type = device_sweep<T, System, Matrix, Formula>;
};

}  // namespace gamut::backend

// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <memory>
#include <numeric>
#include <span>
#include <utility>
#include <vector>

#include <gamut/backend/array.hpp>
#include <gamut/backend/gram.hpp>
#include <gamut/backend/host.hpp>
#include <gamut/backend/matrix.hpp>
#include <gamut/penalty/l0.hpp>
#include <gamut/quadratic/lazy_products.hpp>
#include <gamut/quadratic/objective.hpp>

namespace gamut::quadratic {

/// A second-order model of a loss at w, in terms of some candidate weights alone: what may always be non-zero (intercepts, free
/// features) is eliminated, for given the others its best weights are a linear function of theirs. All else stays as it is in w.
///   loss(v) + l2/2 |v|^2  ~  1/2 v'(H + l2)v - q'v + constant,   q = Hw - slopes of the loss at w
///   of candidates i and what is always there, a:   H_ii - H_ia (H_aa)^-1 H_ai,   q_i - H_ia (H_aa)^-1 q_a
/// Given are w, which candidates there are, and then either H (set) or the rows F of H = F'F, where they are few (set_rows).
/// function() is the quadratic of the candidates; weights(s) are all weights on a support s of it. O(p^2 f) for p candidates and f
/// weights that are always there, or O(n p f) for n rows.
class support_model {
public:
    /// pool: the candidates, indices into w, in the order of `shape`; `penalty` says what is free, l1, l2 and the bounds.
    support_model(const penalty::l0& penalty, penalty::layout layout, std::vector<double> w,
                  std::span<const std::size_t> pool, objective shape)
        : f_(std::move(shape)),
          pool_(pool.begin(), pool.end()),
          size_(w.size()),
          l2_(penalty.l2),
          penalised_(layout.size()),
          rest_(std::move(w)) {
        sort_out(penalty, layout);
        f_.l1 = penalty.l1;
        f_.lower = penalty.lower;
        f_.upper = penalty.upper;
        for (const std::size_t e : entries_) at_.push_back(std::exchange(rest_[e], 0.0));
    }

    /// Indices into w of the candidates and what is always there, ordered by output, then by feature: H and q are of these.
    const std::vector<std::size_t>& entries() const { return entries_; }
    /// Which of the entries are candidates, and which are always there.
    const std::vector<std::size_t>& inside() const { return inside_; }
    const std::vector<std::size_t>& outside() const { return outside_; }
    /// The weights of entries() in w.
    const std::vector<double>& at() const { return at_; }

    /// h: second derivatives of the loss at w; slopes: its first ones.
    void set(backend::dense_matrix<double> h, std::span<const double> slopes) {
        std::vector<double> q = negative(slopes);
        for (std::size_t a = 0; a < entries_.size(); ++a)
            for (std::size_t b = 0; b < entries_.size(); ++b) q[a] += h(a, b) * at_[b];
        add_ridge(h);
        eliminate(h, q);
    }

    /// The same for h = F'F, row by row. `inside`: F for the candidates, n rows and then one of zeros for each of what is always there;
    /// outside[a]: the column of F of one that is; product: F w. What is always there is projected out of F; where it has a ridge of its
    /// own, that makes more rows. Not for units of several.
    void set_rows(std::shared_ptr<lazy_products> inside, std::vector<std::vector<double>> outside,
                  const std::vector<double>& product, std::span<const double> slopes) {
        std::vector<double> q = negative(slopes);
        const std::size_t f = outside_.size();
        if (std::any_of(at_.begin(), at_.end(), [](double x) { return x != 0; })) {
            const std::vector<double> products = inside->product(product);
            for (std::size_t k = 0; k < inside_.size(); ++k) q[inside_[k]] += products[k];
            for (std::size_t a = 0; a < f; ++a)
                q[outside_[a]] += std::inner_product(outside[a].begin(), outside[a].end(), product.begin(), 0.0);
        }
        for (const std::size_t k : inside_) f_.slope.push_back(q[k]);
        if (f > 0) {
            backend::dense_matrix<double> between(f, f), border(inside_.size(), f);
            for (std::size_t a = 0; a < f; ++a) {
                const std::size_t n = outside[a].size() - f;
                const std::vector<double> products = inside->product(outside[a]);
                for (std::size_t k = 0; k < border.rows; ++k) border(k, a) = products[k];
                outside[a][n + a] = entries_[outside_[a]] < penalised_ ? std::sqrt(l2_) : 0;
                for (std::size_t b = 0; b < f; ++b)
                    between(a, b) = std::inner_product(outside[a].begin(), outside[a].end(), outside[b].begin(), 0.0);
            }
            follow(std::move(between), border, q);
        }
        inside->finish(outside, response_);
        f_.lazy = std::move(inside);
    }

    /// Of a loss that is 1/2 v'Gv - q'v + constant; all else is 0.
    support_model(const penalty::l0& penalty, penalty::layout layout, const backend::dense_matrix<double>& gram,
                  std::span<const double> slope, std::span<const std::size_t> pool, objective shape)
        : f_(std::move(shape)),
          pool_(pool.begin(), pool.end()),
          size_(slope.size()),
          l2_(penalty.l2),
          penalised_(layout.size()) {
        sort_out(penalty, layout);
        backend::dense_matrix<double> h(entries_.size(), entries_.size());
        std::vector<double> q(entries_.size());
        for (std::size_t a = 0; a < entries_.size(); ++a) {
            for (std::size_t b = 0; b < entries_.size(); ++b) h(a, b) = gram(entries_[a], entries_[b]);
            q[a] = slope[entries_[a]];
        }
        add_ridge(h);
        eliminate(h, q);
    }

    const objective& function() const { return f_; }

    /// From here on every group has that many places.
    void allow(std::size_t places) { std::fill(f_.room.begin(), f_.room.end(), places); }

    /// The weights of the whole problem on a support: those of the model.
    template <class T, class S> std::vector<T> weights(const S& s) const {
        std::vector<T> w(rest_.begin(), rest_.end());
        w.resize(size_);
        const std::vector<double> inside = s.weights();
        for (std::size_t i = 0; i < pool_.size(); ++i) w[pool_[i]] = static_cast<T>(inside[i]);
        for (const std::size_t u : s.members()) {  // a member is one even if its weights are 0
            if (is_used(u, std::span<const T>(w))) continue;
            w[pool_[f_.begin(u)]] = std::numeric_limits<T>::min();
        }
        for (std::size_t a = 0; a < always_.size(); ++a) {
            double sum = offset_[a];
            for (std::size_t i = 0; i < pool_.size(); ++i) sum -= response_(a, i) * inside[i];
            w[always_[a]] = static_cast<T>(sum);
        }
        return w;
    }

    /// The candidates, or units, that are not 0 in w, as places in the pool.
    template <class T> std::vector<std::size_t> members_of(std::span<const T> w) const {
        std::vector<std::size_t> members;
        for (std::size_t u = 0; u < f_.units(); ++u)
            if (is_used(u, w)) members.push_back(u);
        return members;
    }

private:
    template <class T> bool is_used(std::size_t unit, std::span<const T> w) const {
        bool any = false;
        for (std::size_t i = f_.begin(unit); i < f_.end(unit); ++i) any = any || w[pool_[i]] != 0;
        return any;
    }

    /// The entries that are candidates or always there, ordered by output, then by feature; which of them are which.
    void sort_out(const penalty::l0& penalty, penalty::layout layout) {
        std::vector<int> role(size_);  // 0: fixed at 0, 1: candidate, 2: always there
        for (const std::size_t e : pool_) role[e] = 1;
        for (const std::size_t j : penalty.free)
            for (std::size_t k = 0; k < layout.outputs; ++k) role[j * layout.outputs + k] = 2;
        for (std::size_t e = layout.size(); e < size_; ++e) role[e] = 2;
        std::vector<std::size_t> place(size_);
        for (std::size_t k = 0; k < layout.outputs; ++k)
            for (std::size_t e = k; e < size_; e += layout.outputs) {
                if (role[e] == 0) continue;
                if (role[e] == 2) outside_.push_back(entries_.size()), always_.push_back(e);
                place[e] = entries_.size();
                entries_.push_back(e);
            }
        for (const std::size_t e : pool_) inside_.push_back(place[e]);
    }

    static std::vector<double> negative(std::span<const double> slopes) {
        std::vector<double> q;
        for (const double slope : slopes) q.push_back(-slope);
        return q;
    }

    void add_ridge(backend::dense_matrix<double>& h) const {
        for (std::size_t a = 0; a < entries_.size(); ++a)
            if (entries_[a] < penalised_) h(a, a) += l2_;
    }

    /// H_ii - H_ia H_aa^-1 H_ai and q_i - H_ia H_aa^-1 q_a for i a candidate, a always there.
    void eliminate(const backend::dense_matrix<double>& h, std::span<const double> q) {
        using host = backend::host<double>;
        const std::vector<std::size_t>&inside = inside_, &always = outside_;
        const std::size_t p = inside.size(), f = always.size();
        f_.hessian = backend::dense_matrix<double>(p, p);
        f_.slope.resize(p);
        for (std::size_t i = 0; i < p; ++i) {
            f_.slope[i] = q[inside[i]];
            for (std::size_t j = 0; j < p; ++j) f_.hessian(i, j) = h(inside[i], inside[j]);
            if (!f_.unit.empty()) {  // definite, for what depends on other candidates to rounding
                const double square = h(inside[i], inside[i]);
                f_.hessian(i, i) += square > 0 ? 1e-12 * square : 1;
            }
        }
        if (f == 0) return;
        backend::dense_matrix<double> between(f, f), border(p, f);
        for (std::size_t a = 0; a < f; ++a)
            for (std::size_t b = 0; b < f; ++b) between(a, b) = h(always[a], always[b]);
        for (std::size_t i = 0; i < p; ++i)
            for (std::size_t a = 0; a < f; ++a) border(i, a) = h(inside[i], always[a]);
        follow(std::move(between), border, q);
        host::gemm(false, false, p, p, f, -1.0, border.values.data(), f, response_.values.data(), p, 1.0,
                   f_.hessian.values.data(), p);
    }

    /// How what is always there follows the candidates, from H_aa (`between`) and H_ia (`border`), and what that does to their slopes.
    void follow(backend::dense_matrix<double> between, const backend::dense_matrix<double>& border,
                std::span<const double> q) {
        using host = backend::host<double>;
        const std::size_t p = border.rows, f = border.columns;
        double trace = 0;
        for (std::size_t a = 0; a < f; ++a) trace += between(a, a);
        for (std::size_t a = 0; a < f; ++a)  // softmax knows its intercepts up to a constant
            between(a, a) += 1e-12 * trace / static_cast<double>(f);
        for (const std::size_t a : outside_) offset_.push_back(q[a]);
        response_ = backend::dense_matrix<double>(f, p);
        if (!host::factorize(f, between.values.data())) {  // no curvature: they stay where they are
            std::fill(offset_.begin(), offset_.end(), 0.0);
            return;
        }
        host::solve(f, between.values.data(), offset_.data());
        std::vector<double> column(f);
        for (std::size_t i = 0; i < p; ++i) {
            for (std::size_t a = 0; a < f; ++a) column[a] = border(i, a);
            host::solve(f, between.values.data(), column.data());
            for (std::size_t a = 0; a < f; ++a) response_(a, i) = column[a];
            for (std::size_t a = 0; a < f; ++a) f_.slope[i] -= border(i, a) * offset_[a];
        }
    }

    objective f_;
    std::vector<std::size_t> pool_, always_;
    std::vector<std::size_t> inside_, outside_;  // of the entries looked at, those of the pool and those always there
    std::vector<std::size_t> entries_;           // those looked at
    std::vector<double> at_;                     // their weights in w
    std::size_t size_;
    double l2_;
    std::size_t penalised_;       // the entries below have a ridge
    std::vector<double> rest_;    // what stays
    std::vector<double> offset_;  // weights of what is always there are offset - response (those of the pool)
    backend::dense_matrix<double> response_;
};

}  // namespace gamut::quadratic

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
#include <gamut/communicator/agree.hpp>
#include <gamut/penalty/l0.hpp>
#include <gamut/quadratic/lazy_products.hpp>
#include <gamut/quadratic/support.hpp>

namespace gamut::quadratic {

/// The second-order model of a problem at w, in terms of some candidate weights alone: what may always be non-zero (intercepts,
/// free features) is eliminated, for given the others its best weights are a linear function of theirs. All else stays as it is in w.
///   loss(v) + l2/2 |v|^2  ~  1/2 v'(H + l2)v - q'v + constant,   q = Hw - gradient
/// One pass for the gradient, one for H, which costs a sum of |candidates|^2 numbers; or the rows themselves where they are few
/// (lazy_products). Exact for least squares.
class support_model {
public:
    /// slopes: of the loss at `at`, if they are known. pool: the candidates, indices into w, in the order of `shape`.
    template <class P>
    support_model(const P& p, const typename P::array& at, std::vector<typename P::array::value_type> slopes,
                  std::span<const std::size_t> pool, objective shape)
        : f_(std::move(shape)),
          pool_(pool.begin(), pool.end()),
          size_(p.dimension()) {
        using T = typename P::array::value_type;
        const std::vector<std::size_t> entries = sort_out(p.penalty_term(), p.layout());
        f_.l1 = p.penalty_term().l1;
        f_.lower = p.penalty_term().lower;
        f_.upper = p.penalty_term().upper;

        if (slopes.empty()) {
            typename P::array gradient(size_);
            p.value_and_gradient(at, gradient);
            slopes = gradient.download();
        }
        const std::vector<T> w = at.download();
        rest_.assign(w.begin(), w.end());
        std::vector<double> q, inside;
        for (const std::size_t e : entries) {
            q.push_back(-static_cast<double>(slopes[e]));
            inside.push_back(std::exchange(rest_[e], 0.0));
        }
        if constexpr (requires { p.gathers_rows(entries.size()); })
            if (f_.unit.empty() && p.gathers_rows(entries.size())) {
                eliminate(p, entries, inside, q);
                return;
            }
        auto h = p.second_derivatives(at, entries);
        for (std::size_t a = 0; a < entries.size(); ++a)
            for (std::size_t b = 0; b < entries.size(); ++b) q[a] += h(a, b) * inside[b];
        add_ridge(h, entries, p.penalty_term(), p.layout());
        eliminate(h, q);
    }

    /// Of a loss that is 1/2 v'Gv - q'v + constant.
    support_model(const penalty::l0& penalty, penalty::layout layout, const backend::dense_matrix<double>& gram,
                  std::span<const double> slope, std::span<const std::size_t> pool, objective shape)
        : f_(std::move(shape)),
          pool_(pool.begin(), pool.end()),
          size_(slope.size()) {
        const std::vector<std::size_t> entries = sort_out(penalty, layout);
        backend::dense_matrix<double> h(entries.size(), entries.size());
        std::vector<double> q(entries.size());
        for (std::size_t a = 0; a < entries.size(); ++a) {
            for (std::size_t b = 0; b < entries.size(); ++b) h(a, b) = gram(entries[a], entries[b]);
            q[a] = slope[entries[a]];
        }
        add_ridge(h, entries, penalty, layout);
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
    std::vector<std::size_t> sort_out(const penalty::l0& penalty, penalty::layout layout) {
        std::vector<int> role(size_);  // 0: fixed at 0, 1: candidate, 2: always there
        for (const std::size_t e : pool_) role[e] = 1;
        for (const std::size_t j : penalty.free)
            for (std::size_t k = 0; k < layout.outputs; ++k) role[j * layout.outputs + k] = 2;
        for (std::size_t e = layout.size(); e < size_; ++e) role[e] = 2;
        std::vector<std::size_t> entries, place(size_);
        for (std::size_t k = 0; k < layout.outputs; ++k)
            for (std::size_t e = k; e < size_; e += layout.outputs) {
                if (role[e] == 0) continue;
                if (role[e] == 2) outside_.push_back(entries.size()), always_.push_back(e);
                place[e] = entries.size();
                entries.push_back(e);
            }
        for (const std::size_t e : pool_) inside_.push_back(place[e]);
        return entries;
    }

    static void add_ridge(backend::dense_matrix<double>& h, std::span<const std::size_t> entries,
                          const penalty::l0& penalty, penalty::layout layout) {
        for (std::size_t a = 0; a < entries.size(); ++a)
            if (entries[a] < layout.size()) h(a, a) += penalty.l2;
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

    /// The same for H = F'F + ridge, row by row: what is always there is projected out of F. Where it has a ridge of its own, that
    /// makes more rows. q lacks Hw.
    template <class P>
    void eliminate(const P& p, std::span<const std::size_t> entries, const std::vector<double>& w,
                   std::vector<double> q) {
        const std::size_t f = outside_.size(), n = p.rows();
        const double l2 = p.penalty_term().l2;
        std::vector<std::size_t> used;
        for (std::size_t k = 0; k < w.size(); ++k)
            if (w[k] != 0) used.push_back(k);
        std::shared_ptr<lazy_products> h;
        std::vector<std::vector<double>> always;
        std::vector<double> product;  // F w, F with what is always there
        communicator::agree(p.communicator(), [&] {
            h = std::make_shared<lazy_products>(n + f, inside_.size(), l2, static_cast<std::size_t>(p.threads()));
            always.assign(f, std::vector<double>(n + f));
            product.resize(n + f);
            for (std::size_t a = 0; a < f; ++a) h->set_row(n + a, [](std::size_t) { return 0.0; });
        });
        p.visit_rows(entries, h->threads(), [&](std::size_t i, const double* row, double root) {
            h->set_row(i, [&](std::size_t k) { return root * row[inside_[k]]; });
            for (std::size_t a = 0; a < f; ++a) always[a][i] = root * row[outside_[a]];
            for (const std::size_t k : used) product[i] += root * row[k] * w[k];
        });
        if (!used.empty()) {
            const std::vector<double> products = h->product(product);
            for (std::size_t k = 0; k < inside_.size(); ++k) q[inside_[k]] += products[k];
            for (std::size_t a = 0; a < f; ++a)
                q[outside_[a]] += std::inner_product(always[a].begin(), always[a].end(), product.begin(), 0.0);
        }
        for (const std::size_t k : inside_) f_.slope.push_back(q[k]);
        if (f > 0) {
            backend::dense_matrix<double> between(f, f), border(inside_.size(), f);
            for (std::size_t a = 0; a < f; ++a) {
                const std::vector<double> products = h->product(always[a]);
                for (std::size_t k = 0; k < border.rows; ++k) border(k, a) = products[k];
                always[a][n + a] = entries[outside_[a]] < p.layout().size() ? std::sqrt(l2) : 0;
                for (std::size_t b = 0; b < f; ++b)
                    between(a, b) = std::inner_product(always[a].begin(), always[a].end(), always[b].begin(), 0.0);
            }
            follow(std::move(between), border, q);
        }
        h->finish(always, response_);
        f_.lazy = h;
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
    std::size_t size_;
    std::vector<double> rest_;    // what stays
    std::vector<double> offset_;  // weights of what is always there are offset - response (those of the pool)
    backend::dense_matrix<double> response_;
};

}  // namespace gamut::quadratic

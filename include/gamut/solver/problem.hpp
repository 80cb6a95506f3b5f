// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include <gamut/backend/array.hpp>
#include <gamut/communicator/agree.hpp>
#include <gamut/communicator/concept.hpp>
#include <gamut/data/dataset.hpp>
#include <gamut/data/standardize.hpp>
#include <gamut/model/check_labels.hpp>
#include <gamut/model/concept.hpp>
#include <gamut/model/linear.hpp>
#include <gamut/penalty/concept.hpp>
#include <gamut/solver/block.hpp>
#include <gamut/solver/column_view.hpp>
#include <gamut/solver/concept.hpp>
#include <gamut/solver/moments.hpp>
#include <gamut/solver/problem_rows.hpp>
#include <gamut/solver/scaled_weights.hpp>
#include <gamut/solver/some_columns.hpp>

namespace gamut::solver {

/// loss(model(w; X), y) + penalty(w) over the rows of all ranks: everything a solver may ask for, and nothing about files.
///
/// The weights are (p + 1) x c row-major: one row per column of X, and a last row, the intercepts, if there are any. They are those
/// of standardised columns; see scaled_weights.hpp. What passes over rows is in problem_rows.hpp.
///
/// Each of value, value_and_gradient and a product with the Hessian is one pass over the rows and one global sum. All of
/// them fail together: a rank that throws makes all ranks throw the same error.
template <class Model, class Dataset, class Penalty, class Backend, class C> class problem {
    static_assert(communicator::Communicator<C>, "problem: needs a communicator; see gamut/communicator/concept.hpp");
    using rows_type = problem_rows<Model, Dataset, Backend, C>;
    using scaled_type = scaled_weights<Backend>;
    static constexpr bool least_squares = Backend::host_memory && std::is_same_v<Model, model::linear>;

public:
    using backend_type = Backend;
    using array = backend::array<Backend>;
    using value_type = typename Backend::value_type;

    /// The penalty is part of value() and of gradients.
    static constexpr bool smooth = penalty::Smooth<Penalty, value_type>;
    /// The loss is convex and at least 0.
    static constexpr bool nonnegative_loss = model::is_nonnegative<Model>;
    /// The loss has corners.
    static constexpr bool nonsmooth_loss = model::is_nonsmooth<Model>;

    /// `data` is referred to and must live as long as the problem. Collective: the sum of the sample weights is agreed.
    /// Throws data_error, the same one on all ranks, for labels that the model does not take.
    problem(const Model& m, const Dataset& data, const Penalty& penalty, const Backend& machine, const C& ranks,
            bool intercept, data::standardization scaling = {})
        : problem(m, data, penalty, machine, ranks, intercept, std::move(scaling),
                  (communicator::agree(ranks, [&] { model::check_labels<Model>(data); }),
                   rows_type::sum_of_weights(data, ranks))) {}

    /// The same for rows whose sum of weights is known; no messages.
    problem(const Model& m, const Dataset& data, const Penalty& penalty, const Backend& machine, const C& ranks,
            bool intercept, data::standardization scaling, double total_weight)
        : model_(m),
          machine_(machine),
          penalty_(penalty),
          scaled_({data.columns(), model::outputs_of(m, data.classes.size())}, intercept, std::move(scaling)),
          rows_(m, data, machine, ranks, scaled_.layout(), total_weight) {}

    std::size_t dimension() const { return scaled_.dimension(); }
    penalty::layout layout() const { return scaled_.layout(); }
    bool has_intercept() const { return scaled_.has_intercept(); }
    bool has_offsets() const { return dataset().has_offsets; }
    const C& communicator() const { return rows_.ranks(); }
    const Dataset& dataset() const { return rows_.data(); }
    const core::names& feature_names() const { return dataset().features; }
    const Penalty& penalty_term() const { return penalty_; }
    const data::standardization& scaling() const { return scaled_.scaling(); }
    const Model& loss_model() const { return model_; }
    int threads() const { return rows_.threads(); }
    /// Omega, the sum of the sample weights.
    double total_weight() const { return rows_.total_weight(); }
    array start() const { return start_.size() == 0 ? array(dimension()) : start_; }
    std::size_t passes() const { return passes_; }
    std::size_t rows() const { return dataset().rows(); }

    /// Loss, and the penalty if that is smooth.
    double value(const array& w) const {
        ++passes_;
        double loss = 0, penalised = 0;
        rows_.globally(1, std::span<double>(&loss, 1), [&](double* partials) {
            const auto e = scaled_.effective_weights(w);
            rows_.sweep().value(e.w(), e.b(), rows_.sweep().all(), partials);
            if constexpr (smooth) penalised = penalty_here(w);
        });
        return loss + penalised;
    }

    double value_and_gradient(const array& w, array& gradient) const {
        ++passes_;
        return gradient_over(rows_.sweep().all(), w, 1, gradient);
    }

    /// The second derivative at one point, made once and multiplied many times. Making it is one pass over the rows
    /// without a message, a product one pass and one global sum.
    class hessian_at {
    public:
        void times(const array& v, array& out) const {
            const problem& p = *problem_;
            const auto& sweep = p.rows_.sweep();
            ++p.passes_;
            p.sums_.resize(sweep.hessian_size());
            p.rows_.globally(p.sums_.size(), p.sums_, [&](double* partials) {
                if (failure_) std::rethrow_exception(failure_);
                const auto e = p.scaled_.effective_weights(v);
                sweep.hessian(curvature_, e.w(), e.b(), sweep.all(), partials);
                if constexpr (smooth) p.curve(at_, v);
            });
            p.scaled_.to_gradient(p.sums_, out, p.bends_);
        }

    private:
        friend class problem;
        hessian_at(const problem& p, const array& w) : problem_(&p), at_(w) {
            ++p.passes_;
            try {
                const auto e = p.scaled_.effective_weights(w);
                p.rows_.sweep().linearize(e.w(), e.b(), p.rows_.sweep().all(), curvature_);
            } catch (...) {
                failure_ = std::current_exception();  // thrown with the first product, on all ranks
            }
        }
        const problem* problem_;
        array at_;
        typename rows_type::sweep_type::curvature curvature_;
        std::exception_ptr failure_;
    };
    hessian_at hessian(const array& w) const { return hessian_at(*this, w); }

    /// A penalty is code that may fail on one rank alone, and what follows depends on it: one small all-reduce.
    double penalty(const array& w) const {
        double value = 0;
        communicator::agree(communicator(), [&] { value = penalty_here(w); });
        return value;
    }
    void prox(const array& v, double step, array& out) const {
        communicator::agree(communicator(), [&] { local_prox(v, step, out); });
    }
    /// The same for a copy of the weights that is this rank's alone: no messages, and it may fail on one rank alone.
    void local_prox(const array& v, double step, array& out) const {
        const host_copy<Backend> entries(v);
        std::vector<value_type> result(entries.span().begin(), entries.span().end());
        penalty::prox(penalty_, entries.span().first(layout().size()), static_cast<value_type>(step),
                      std::span<value_type>(result).first(layout().size()), layout());
        out.upload(result);
    }

    std::size_t nonzeros(const array& w) const {
        const host_copy<Backend> entries(w);
        const auto weights = entries.span().first(layout().size());
        return weights.size() - static_cast<std::size_t>(std::count(weights.begin(), weights.end(), value_type(0)));
    }

    /// Batches of about `size` rows in an epoch; see problem_rows.hpp.
    std::size_t batches(std::size_t size) const { return rows_.batches(size); }
    /// The loss of a batch times the number of batches, plus the smooth penalty, and the gradient of that.
    double batch_gradient(const array& w, const batch& wanted, array& gradient) const {
        return gradient_over(wanted, w, static_cast<double>(batches(wanted.size)), gradient);
    }

    /// What node b minimises where every block of rows has its own copy of the weights: blocks() times the block's loss, and the smooth
    /// penalty, so that the mean over the nodes is the objective. Of a batch: the value and the gradient of its rows in block b,
    /// scaled as batch_gradient. b is one of this rank's blocks. It never communicates, and may fail on one rank alone.
    double local_gradient(std::size_t b, const array& w, const batch& wanted, array& gradient) const {
        const double factor = static_cast<double>(batches(wanted.size)) * static_cast<double>(blocks());
        double penalised = 0;
        if constexpr (smooth) penalised = penalty_and_slopes(w);
        return block(b).rows_gradient(w, rows_.runs_of(wanted), factor, gradient, bends_) + penalised;
    }

    // what second-order methods read of the rows: see moments.hpp

    auto moments() const requires least_squares { return ++passes_, solver::moments(rows_, scaled_); }
    auto moments_by(std::span<const std::uint32_t> group = {}, std::size_t groups = 1) const requires least_squares {
        return ++passes_, solver::moments_by(rows_, scaled_, group, groups);
    }
    auto gram_rows(std::span<const std::size_t> known,
                   std::span<const std::size_t> fresh) const requires least_squares {
        return solver::gram_rows(rows_, scaled_, known, fresh);
    }
    auto second_derivatives(const array& w, std::span<const std::size_t> entries) const requires Backend::host_memory {
        return ++passes_, solver::second_derivatives(rows_, scaled_, w, entries);
    }
    template <class F>
    void visit_rows(std::span<const std::size_t> entries, std::size_t threads, F&& see) const requires least_squares {
        ++passes_;
        solver::visit_rows(rows_, scaled_, entries, threads, see);
    }
    bool gathers_rows(std::size_t entries) const requires(std::is_same_v<Model, model::linear>) {
        return solver::gathers_rows(rows_, entries);
    }
    std::vector<double> column_squares() const { return ++passes_, solver::column_squares(rows_, scaled_); }

    /// Some columns as a problem of its own; see some_columns.hpp.
    template <class Q> using column_problem = some_columns<problem, problem<Model, Dataset, Q, Backend, C>>;
    template <class Q>
    column_problem<Q> on_columns(std::span<const std::size_t> columns, const Q& penalty, array from = {}) const {
        return column_problem<Q>(*this, columns, penalty, std::move(from));
    }

    /// The same rows with another penalty, from the same start. It refers to the same data. No messages.
    template <class Q> problem<Model, Dataset, Q, Backend, C> with_penalty(const Q& other) const {
        return problem<Model, Dataset, Q, Backend, C>(*this, other);
    }

    std::size_t blocks() const { return rows_.blocks(); }
    std::size_t first_block() const { return rows_.own_blocks().begin; }
    std::size_t last_block() const { return rows_.own_blocks().end; }
    /// b counts over all ranks: first_block() <= b < last_block(). See block.hpp.
    auto block(std::size_t b) const { return block_of(rows_, scaled_, b); }
    auto dual_block(std::size_t b) const requires(Backend::host_memory&& model::DualModel<Model>) {
        return dual_block_of(model_, rows_, scaled_, b);
    }

    /// The columns with all rows, standardised, dealt to ranks in `blocks` runs; with a free intercept they are about their means
    /// in any case. Collective: every rank receives the data once; see data/owned_columns.hpp.
    auto column_view(std::size_t blocks) const requires(Backend::host_memory&& BoundedCurvature<Model>) {
        ++passes_;
        data::standardization scaling = this->scaling();
        std::vector<double> means;
        if (has_intercept() && scaling.means.empty()) {
            passes_ += data::detail::passes_to_standardize<typename Dataset::matrix_type>;
            scaling = data::standardize(communicator(), dataset(), threads());
            std::fill(scaling.scales.begin(), scaling.scales.end(), 1.0);
            means = scaling.means;
        }
        return solver::column_view<Model, typename Dataset::matrix_type>(
            communicator(), model_, data::owned_columns(communicator(), dataset(), scaling, blocks, threads()),
            std::move(means), total_weight(), threads());
    }

private:
    template <class, class, class, class, class> friend class problem;
    template <class, class> friend class some_columns;

    template <class Q>
    problem(const problem<Model, Dataset, Q, Backend, C>& other, const Penalty& penalty)
        : problem(other.model_, other.dataset(), penalty, other.machine_, other.communicator(), other.has_intercept(),
                  other.scaling(), other.total_weight()) {
        start_ = other.start_;
    }

    /// `factor` times the loss of some rows of each shard, plus the smooth penalty, and the gradient.
    template <class Which>
    double gradient_over(const Which& which, const array& w, double factor, array& gradient) const {
        sums_.resize(rows_.sweep().gradient_size());
        double penalised = 0;
        rows_.globally(sums_.size(), sums_, [&](double* partials) {
            const auto e = scaled_.effective_weights(w);
            if constexpr (std::is_same_v<Which, batch>)
                rows_.sweep().gradient(e.w(), e.b(), std::span<const backend::row_range>(rows_.runs_of(which)),
                                       partials);
            else
                rows_.sweep().gradient(e.w(), e.b(), which, partials);
            if constexpr (smooth) penalised = penalty_and_slopes(w);
        });
        if constexpr (std::is_same_v<Which, batch>)
            for (double& s : sums_) s *= factor;
        scaled_.to_gradient(sums_, gradient, bends_);
        return sums_.back() + penalised;
    }

    double penalty_here(const array& w) const {
        const host_copy<Backend> entries(w);
        return penalty::value(penalty_, entries.span().first(layout().size()), layout());
    }
    /// The smooth penalty, and its slopes for to_gradient. Called where a failure is shared: within a global sum.
    double penalty_and_slopes(const array& w) const {
        const host_copy<Backend> entries(w);
        bends_.resize(layout().size());
        for (std::size_t j = 0; j < bends_.size(); ++j) bends_[j] = penalty_.derivative(entries.span()[j]);
        return penalty_here(w);
    }
    /// The product of the smooth penalty's second derivatives with v, for to_gradient.
    void curve(const array& w, const array& v) const {
        const host_copy<Backend> entries(w), direction(v);
        bends_.resize(layout().size());
        for (std::size_t j = 0; j < bends_.size(); ++j)
            bends_[j] = penalty_.second_derivative(entries.span()[j]) * direction.span()[j];
    }

    Model model_;
    Backend machine_;
    Penalty penalty_;
    scaled_type scaled_;
    rows_type rows_;
    array start_;
    mutable std::vector<double> sums_;
    mutable std::vector<value_type> bends_;  // of a smooth penalty: slopes, or their changes; else empty
    mutable std::size_t passes_ = 0;
};

}  // namespace gamut::solver

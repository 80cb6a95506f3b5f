// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <numeric>
#include <span>
#include <utility>
#include <vector>

#include <gamut/backend/array.hpp>
#include <gamut/backend/columns.hpp>
#include <gamut/backend/gram.hpp>
#include <gamut/backend/parallel.hpp>
#include <gamut/backend/sweep.hpp>
#include <gamut/communicator/agree.hpp>
#include <gamut/communicator/concept.hpp>
#include <gamut/communicator/sum.hpp>
#include <gamut/core/random.hpp>
#include <gamut/data/dataset.hpp>
#include <gamut/data/select_columns.hpp>
#include <gamut/data/standardize.hpp>
#include <gamut/model/concept.hpp>
#include <gamut/model/linear.hpp>
#include <gamut/penalty/concept.hpp>
#include <gamut/solver/column_view.hpp>
#include <gamut/solver/concept.hpp>
#include <gamut/solver/detail/second_moments.hpp>
#include <gamut/solver/dual_block.hpp>

namespace gamut::solver {

/// loss(model(w; X), y) + penalty(w) over the rows of all ranks: everything a solver may ask for, and nothing about files.
///
/// The weights are (p + 1) x c row-major: one row per column of X, and a last row, the intercepts, if there are any.
/// Standardisation is never applied to the data: x~ = (x - mean) / scale is folded into the weights and the bias,
///     X~ W + 1 b' = X (W / scale) + 1 (b - mean' (W / scale))'
/// so sparse data stay sparse, and the weights a solver sees are those of standardised columns.
///
/// Each of value, value_and_gradient and a product with the Hessian is one pass over the rows and one global sum. All of
/// them fail together: a rank that throws makes all ranks throw the same error.
template <class Model, class Dataset, class Penalty, class Backend, class C> class problem {
    static_assert(communicator::Communicator<C>, "problem: needs a communicator; see gamut/communicator/concept.hpp");

public:
    using backend_type = Backend;
    using array = backend::array<Backend>;
    using value_type = typename Backend::value_type;
    using formula = decltype(model::loss_formula(std::declval<const Model&>()));
    using sweep = typename backend::sweep_for<Backend, typename Dataset::matrix_type, formula>::type;

    /// The penalty is part of value() and of gradients.
    static constexpr bool smooth = penalty::Smooth<Penalty, value_type>;
    /// The loss is convex and at least 0.
    static constexpr bool nonnegative_loss = model::is_nonnegative<Model>;
    /// The loss has corners.
    static constexpr bool kinked_loss = model::is_kinked<Model>;

    /// `data` is referred to and must live as long as the problem. Collective: the sum of the sample weights is agreed.
    problem(const Model& m, const Dataset& data, const Penalty& penalty, const Backend& machine, const C& ranks,
            bool intercept, data::standardization scaling = {})
        : problem(m, data, penalty, machine, ranks, intercept, std::move(scaling), sum_of_weights(data, ranks)) {}

    /// The same for rows whose sum of weights is known; no messages.
    problem(const Model& m, const Dataset& data, const Penalty& penalty, const Backend& machine, const C& ranks,
            bool intercept, data::standardization scaling, double total_weight)
        : model_(m),
          machine_(machine),
          data_(data),
          penalty_(penalty),
          ranks_(ranks),
          intercept_(intercept),
          shape_{data.columns(), model::outputs_of(m, data.classes.size())},
          scaling_(std::move(scaling)),
          divisors_(scaling_.divisors()),
          cut_(cut_for(data.partition, shape_)),
          mine_(blocks_of(data, ranks)),
          total_weight_(total_weight),
          sweep_(data.x,
                 {data.y.data(), data.weights.empty() ? nullptr : data.weights.data(), total_weight_,
                  data.offsets.empty() ? nullptr : data.offsets.data()},
                 shard_bounds(), model::loss_formula(m), shape_.outputs, machine.threads_of(ranks.local_size())) {
        if (!data.has_offsets) return;
        if (shape_.outputs > 1)
            throw core::option_error(
                "problem: offsets with several outputs (added to all of them they change no class) leave them out");
        if constexpr (!requires { sweep::knows_offsets; })
            throw core::option_error("problem: offsets on this backend (it does not know them) use backend::host");
        if constexpr (std::is_same_v<Model, model::linear>)  // what least squares sees of them
            for (std::size_t i = 0; i < std::min(data.y.size(), data.offsets.size()); ++i)
                less_offsets_.push_back(data.y[i] - data.offsets[i]);
    }

    std::size_t dimension() const { return (shape_.features + (intercept_ ? 1 : 0)) * shape_.outputs; }
    penalty::layout layout() const { return shape_; }
    bool has_intercept() const { return intercept_; }
    bool has_offsets() const { return data_.has_offsets; }
    const C& communicator() const { return ranks_; }
    const Dataset& dataset() const { return data_; }
    const Penalty& penalty_term() const { return penalty_; }
    const data::standardization& scaling() const { return scaling_; }
    const Model& loss_model() const { return model_; }
    int threads() const { return machine_.threads_of(ranks_.local_size()); }
    /// Omega, the sum of the sample weights.
    double total_weight() const { return total_weight_; }
    array start() const { return start_.size() == 0 ? array(dimension()) : start_; }
    std::size_t passes() const { return passes_; }
    std::size_t rows() const { return data_.rows(); }

    /// Loss, and the penalty if that is smooth.
    double value(const array& w) const {
        ++passes_;
        double loss = 0, penalised = 0;
        globally(1, std::span<double>(&loss, 1), [&](double* partials) {
            const effective e = effective_weights(w);
            sweep_.value(e.w(), e.b(), sweep_.all(), partials);
            if constexpr (smooth) penalised = penalty_here(w);
        });
        return loss + penalised;
    }

    double value_and_gradient(const array& w, array& gradient) const {
        ++passes_;
        sums_.resize(sweep_.gradient_size());
        double penalised = 0;
        globally(sums_.size(), sums_, [&](double* partials) {
            const effective e = effective_weights(w);
            sweep_.gradient(e.w(), e.b(), sweep_.all(), partials);
            if constexpr (smooth) penalised = penalty_and_slopes(w);
        });
        to_gradient(sums_, gradient, bends_);
        return sums_.back() + penalised;
    }

    /// The second derivative at one point, made once and multiplied many times. Making it is one pass over the rows
    /// without a message, a product one pass and one global sum.
    class hessian_at {
    public:
        void times(const array& v, array& out) const {
            const problem& p = *problem_;
            ++p.passes_;
            p.sums_.resize(p.sweep_.hessian_size());
            p.globally(p.sums_.size(), p.sums_, [&](double* partials) {
                if (failure_) std::rethrow_exception(failure_);
                const effective e = p.effective_weights(v);
                p.sweep_.hessian(curvature_, e.w(), e.b(), p.sweep_.all(), partials);
                if constexpr (smooth) p.curve(at_, v);
            });
            p.to_gradient(p.sums_, out, p.bends_);
        }

    private:
        friend class problem;
        hessian_at(const problem& p, const array& w) : problem_(&p), at_(w) {
            ++p.passes_;
            try {
                const effective e = p.effective_weights(w);
                p.sweep_.linearize(e.w(), e.b(), p.sweep_.all(), curvature_);
            } catch (...) {
                failure_ = std::current_exception();  // thrown with the first product, on all ranks
            }
        }
        const problem* problem_;
        array at_;
        typename sweep::curvature curvature_;
        std::exception_ptr failure_;
    };
    hessian_at hessian(const array& w) const { return hessian_at(*this, w); }

    /// A penalty is code that may fail on one rank alone, and what follows depends on it: one small all-reduce.
    double penalty(const array& w) const {
        double value = 0;
        communicator::agree(ranks_, [&] { value = penalty_here(w); });
        return value;
    }
    void prox(const array& v, double step, array& out) const {
        communicator::agree(ranks_, [&] {
            const host_copy entries(v);
            std::vector<value_type> result(entries.span().begin(), entries.span().end());
            penalty::prox(penalty_, entries.span().first(shape_.size()), static_cast<value_type>(step),
                          std::span<value_type>(result).first(shape_.size()), shape_);
            out.upload(result);
        });
    }

    std::size_t nonzeros(const array& w) const {
        const host_copy entries(w);
        const auto weights = entries.span().first(shape_.size());
        return weights.size() - static_cast<std::size_t>(std::count(weights.begin(), weights.end(), value_type(0)));
    }

    /// Batches of about `size` rows in an epoch: every shard is cut into as many runs of consecutive rows, and each batch
    /// takes one run of every shard, in an order drawn for (seed, epoch, shard): the same on any number of ranks.
    std::size_t batches(std::size_t size) const {
        return std::clamp<std::size_t>((data_.rows() + size / 2) / std::max<std::size_t>(size, 1), 1,
                                       std::max<std::size_t>(data_.rows(), 1));
    }

    /// The loss of a batch times the number of batches, plus the smooth penalty, and the gradient of that.
    double batch_gradient(const array& w, const batch& wanted, array& gradient) const {
        sums_.resize(sweep_.gradient_size());
        double penalised = 0;
        globally(sums_.size(), sums_, [&](double* partials) {
            const effective e = effective_weights(w);
            sweep_.gradient(e.w(), e.b(), std::span<const backend::row_range>(runs_of(wanted)), partials);
            if constexpr (smooth) penalised = penalty_and_slopes(w);
        });
        const double scale = static_cast<double>(batches(wanted.size));
        for (double& s : sums_) s *= scale;
        to_gradient(sums_, gradient, bends_);
        return sums_.back() + penalised;
    }

    struct quadratic_moments {
        backend::dense_matrix<value_type> gram;
        std::vector<value_type> slope;
        double constant = 0;
    };

    /// Least squares in terms of G = X~'Omega X~ / Omega: loss = 1/2 w'Gw - slope'w + constant. One pass; global sums of
    /// (d + 1)^2 / 2 numbers in all, as many partials as there are blocks; or a gather of the rows, see detail/second_moments.hpp.
    quadratic_moments moments() const requires(Backend::host_memory&& std::is_same_v<Model, model::linear>) {
        ++passes_;
        const std::size_t d = dimension(), y = shape_.features + 1;
        std::vector<std::size_t> columns(d + 1, y);
        std::iota(columns.begin(), columns.end() - 1, std::size_t(0));
        const auto sums = products(data_.x, scaling_, {}, columns, sample_weights(), 1 / total_weight_);
        quadratic_moments result{backend::dense_matrix<value_type>(d, d), std::vector<value_type>(d), 0};
        for (std::size_t i = 0; i < d; ++i) {
            for (std::size_t j = 0; j < d; ++j) result.gram(i, j) = static_cast<value_type>(sums(i, j));
            result.slope[i] = static_cast<value_type>(sums(i, d));
        }
        result.constant = 0.5 * sums(d, d);
        return result;
    }

    /// Least squares by groups of rows: for each group the sums of omega_i a_i a_i' over its rows, a_i = [ x~_i | 1 | y_i - label ],
    /// label the mean of all labels: (p + 2) x (p + 2) numbers in double, the same on all ranks. Groups add up to the whole, and
    /// can be taken away from it. group[i]: that of local row i; empty: all rows are group 0.
    /// One pass, whose rows are copied group by group if there are several; global sums of about p^2 / 2 numbers a group.
    struct row_moments {
        double label = 0;
        std::vector<backend::dense_matrix<double>> of_group;
    };
    row_moments moments_by(std::span<const std::uint32_t> group = {}, std::size_t groups = 1) const
        requires(Backend::host_memory&& std::is_same_v<Model, model::linear>) {
        ++passes_;
        row_moments result;
        double sum = 0;
        globally(1, std::span<double>(&sum, 1), [&](double* partials) {
            for (std::size_t s = 0; s < sweep_.all().size(); ++s) {
                partials[s] = 0;
                for (std::size_t i = sweep_.rows_of(s).begin; i < sweep_.rows_of(s).end; ++i)
                    partials[s] += static_cast<double>(data_.weight(i)) * static_cast<double>(labels()[i]);
            }
        });
        result.label = sum / total_weight_;
        std::vector<std::size_t> columns(shape_.features + 2);
        std::iota(columns.begin(), columns.end(), std::size_t(0));
        for (std::size_t g = 0; g < groups; ++g) {
            std::exception_ptr failure;
            std::vector<std::size_t> chosen;
            std::vector<value_type> y, weights;
            typename Dataset::matrix_type x;
            std::vector<backend::row_range> runs = block_rows();
            try {
                std::size_t seen = 0;
                for (backend::row_range& run : runs) {
                    const std::size_t end = run.end;
                    for (run.begin = y.size(); seen < end; ++seen) {
                        if (!group.empty() && group[seen] != g) continue;
                        if (!group.empty()) chosen.push_back(seen);
                        y.push_back(static_cast<value_type>(static_cast<double>(labels()[seen]) - result.label));
                        if (!data_.weights.empty()) weights.push_back(data_.weights[seen]);
                    }
                    run.end = y.size();
                }
                if (!group.empty()) x = backend::rows_of(data_.x, std::span<const std::size_t>(chosen));
            } catch (...) {
                failure = std::current_exception();
            }
            result.of_group.push_back(products(group.empty() ? data_.x : x, y.data(), std::move(runs), scaling_, {},
                                               columns, {weights.empty() ? nullptr : weights.data(), 1}, 1, failure));
        }
        return result;
    }

    /// Least squares: rows of G for the columns `fresh`, against the columns `known` and then `fresh`; the intercept's is
    /// layout().features. Reads those columns; global sums of as many numbers as are new.
    backend::dense_matrix<double> gram_rows(std::span<const std::size_t> known,
                                            std::span<const std::size_t> fresh) const
        requires(Backend::host_memory&& std::is_same_v<Model, model::linear>) {
        if constexpr (std::is_same_v<typename Dataset::matrix_type, backend::dense_matrix<value_type>>) {
            return products(data_.x, scaling_, known, fresh, sample_weights(), 1 / total_weight_);
        } else {  // entries of other columns are passed over once, not for every strip
            std::vector<std::size_t> chosen;
            for (const auto part : {known, fresh})
                for (const std::size_t j : part)
                    if (j < shape_.features) chosen.push_back(j);
            std::sort(chosen.begin(), chosen.end());
            const auto place = [&](std::size_t j) {
                return j == shape_.features ? chosen.size()
                                            : static_cast<std::size_t>(
                                                  std::lower_bound(chosen.begin(), chosen.end(), j) - chosen.begin());
            };
            std::vector<std::size_t> known_places, fresh_places;
            for (const std::size_t j : known) known_places.push_back(place(j));
            for (const std::size_t j : fresh) fresh_places.push_back(place(j));
            std::exception_ptr failure;
            typename Dataset::matrix_type x;
            try {
                x = backend::columns_of(data_.x, std::span<const std::size_t>(chosen),
                                        static_cast<std::size_t>(threads()));
            } catch (...) {
                failure = std::current_exception();
            }
            return products(x, data::select_columns(scaling_, chosen), known_places, fresh_places, sample_weights(),
                            1 / total_weight_, failure);
        }
    }

    /// The loss's second derivatives at w with respect to some of the weights, without penalty: entries x entries, the same on all
    /// ranks. entries: indices into w, ordered by output, then by feature. One pass, one global sum of |entries|^2 numbers, as
    /// many partials as there are blocks.
    backend::dense_matrix<double> second_derivatives(
        const array& w, std::span<const std::size_t> entries) const requires Backend::host_memory {
        ++passes_;
        std::exception_ptr failure;
        if constexpr (!autodiff::has_table<formula>) {  // entry j is column j, and the intercept the column of ones
            typename sweep::curvature derivatives;
            try {
                const effective e = effective_weights(w);
                sweep_.linearize(e.w(), e.b(), sweep_.all(), derivatives);
            } catch (...) {
                failure = std::current_exception();
            }
            return products(data_.x, scaling_, {}, entries, {derivatives.data(), 1}, 1, failure);
        }
        const std::size_t m = entries.size(), per_block = cut_.shards / cut_.blocks;
        std::vector<double> inverse;
        std::span<double> partials;
        backend::dense_matrix<double> sums(m, m);
        try {
            for (const double divisor : divisors_) inverse.push_back(1 / divisor);
            partials = partials_of(mine_.size() * m * m);
            std::fill(partials.begin(), partials.end(), 0.0);
            std::vector<backend::shard_range> groups;
            for (std::size_t b = 0; b < mine_.size(); ++b) groups.push_back({b * per_block, (b + 1) * per_block});
            const effective e = effective_weights(w);
            sweep_.second_derivatives(e.w(), e.b(), entries,
                                      {inverse.empty() ? nullptr : scaling_.means.data(), inverse.data()}, groups,
                                      partials.data());
        } catch (...) {
            failure = std::current_exception();
        }
        communicator::sum(ranks_, std::span<const double>(partials), mine_.size(), std::span<double>(sums.values),
                          failure);
        for (std::size_t i = 0; i < m; ++i)
            for (std::size_t j = 0; j < i; ++j) sums(i, j) = sums(j, i);
        return sums;
    }

    /// see(i, row, root) for these entries of all rows i of all ranks, on every rank, from that many threads at once:
    /// second_derivatives(w, entries) is the sum of (root row)(root row)'. Worth the memory where rows are few, see gathers_rows. One gather.
    template <class F>
    void visit_rows(std::span<const std::size_t> entries, std::size_t threads, F&& see) const
        requires(Backend::host_memory&& std::is_same_v<Model, model::linear>) {
        ++passes_;
        const std::vector<backend::row_range> runs = block_rows();
        const auto weights = sample_weights();
        detail::second_moments<typename Dataset::matrix_type, value_type>{data_.x, labels(), runs, weights, scaling_}
            .visit_rows(ranks_, entries, 1 / total_weight_, threads, see);
    }
    bool gathers_rows(std::size_t entries) const requires(std::is_same_v<Model, model::linear>) {
        return detail::row_sizes{data_.rows(), cut_.blocks, 1}.travel(entries);
    }

    /// sum of omega x~_ij^2 / Omega, the mean squares of the standardised columns. One pass, one global sum of p numbers.
    std::vector<double> column_squares() const {
        ++passes_;
        const std::size_t p = shape_.features;
        std::vector<double> sums(p), inverse;
        globally(p, sums, [&](double* partials) {
            for (const double divisor : divisors_) inverse.push_back(1 / divisor);
            backend::parallel_for(
                0, sweep_.all().size(), static_cast<std::size_t>(threads()), [&](std::size_t s, std::size_t) {
                    std::fill_n(partials + s * p, p, 0.0);
                    backend::add_squares<value_type>(
                        data_.x, sweep_.rows_of(s), data_.weights.empty() ? nullptr : data_.weights.data(),
                        {inverse.empty() ? nullptr : scaling_.means.data(), inverse.data()}, partials + s * p);
                });
        });
        for (double& sum : sums) sum /= total_weight_;
        return sums;
    }

    /// Some of the columns with the intercepts, as a problem of its own that owns a copy of them: what methods compute with that
    /// look at few columns at a time (lent ones are lent again where all are wanted). It must not outlive this one. Its weights are the rows of W that `columns` names, which ascend strictly, and it begins
    /// at `from` (those rows, and the intercepts) unless that is empty. Reads what it copies; sends nothing.
    template <class Q> class column_problem {
    public:
        using type = problem<Model, Dataset, Q, Backend, C>;

        const type& operator*() const { return part_; }
        const type* operator->() const { return &part_; }
        column_problem(const column_problem&) = delete;
        column_problem& operator=(const column_problem&) = delete;
        ~column_problem() {
            if (part_.partials_.size() > scratch_->size()) part_.partials_.swap(*scratch_);
        }

    private:
        friend class problem;
        column_problem(const problem& whole, std::span<const std::size_t> columns, const Q& penalty, array from)
            : scratch_(&whole.partials_),
              rows_(data::select_columns(whole.data_, columns, whole.threads())),
              part_(whole.model_, rows_, penalty, whole.machine_, whole.ranks_, whole.intercept_,
                    data::select_columns(whole.scaling_, columns), whole.total_weight_) {
            part_.start_ = std::move(from);
            part_.partials_.swap(*scratch_);
        }
        std::vector<double>*
            scratch_;  // the whole's, which the part has meanwhile: memory that was used already is quicker
        Dataset rows_;
        type part_;
    };
    template <class Q>
    column_problem<Q> on_columns(std::span<const std::size_t> columns, const Q& penalty, array from = {}) const {
        return column_problem<Q>(*this, columns, penalty, std::move(from));
    }

    /// The same rows with another penalty, from the same start. It refers to the same data. No messages.
    template <class Q> problem<Model, Dataset, Q, Backend, C> with_penalty(const Q& other) const {
        return problem<Model, Dataset, Q, Backend, C>(*this, other);
    }

    std::size_t blocks() const { return cut_.blocks; }
    std::size_t first_block() const { return mine_.begin; }
    std::size_t last_block() const { return mine_.end; }

    /// The loss of one of this rank's blocks, without penalty: the sum over all blocks is the loss. It never communicates.
    class block_function {
    public:
        using array = problem::array;

        std::size_t dimension() const { return problem_->dimension(); }
        double value(const array& w) const {
            const effective e = problem_->effective_weights(w);
            const auto partials = problem_->partials_of(shards_.size());
            problem_->sweep_.value(e.w(), e.b(), shards_, partials.data());
            double sum = 0;
            for (const double part : partials) sum += part;
            return sum;
        }
        double value_and_gradient(const array& w, array& gradient) const {
            const effective e = problem_->effective_weights(w);
            const std::size_t m = problem_->sweep_.gradient_size();
            const auto partials = problem_->partials_of(shards_.size() * m);
            problem_->sweep_.gradient(e.w(), e.b(), shards_, partials.data());
            const std::span<double> sum = add_rows(partials, m);
            problem_->to_gradient(sum, gradient);
            return sum.back();
        }
        class hessian_at {
        public:
            void times(const array& v, array& out) const {
                const problem& p = *block_.problem_;
                const effective e = p.effective_weights(v);
                const std::size_t m = p.sweep_.hessian_size();
                const auto partials = p.partials_of(block_.shards_.size() * m);
                p.sweep_.hessian(curvature_, e.w(), e.b(), block_.shards_, partials.data());
                p.to_gradient(add_rows(partials, m), out);
            }

        private:
            friend class block_function;
            hessian_at(const block_function& block, const array& w) : block_(block) {
                const effective e = block.problem_->effective_weights(w);
                block.problem_->sweep_.linearize(e.w(), e.b(), block.shards_, curvature_);
            }
            block_function block_;
            typename sweep::curvature curvature_;
        };
        hessian_at hessian(const array& w) const { return hessian_at(*this, w); }

    private:
        friend class problem;
        block_function(const problem& p, backend::shard_range shards) : problem_(&p), shards_(shards) {}

        /// The first row becomes the sum of the rows, in their order.
        static std::span<double> add_rows(std::span<double> partials, std::size_t m) {
            const std::span<double> sum = partials.first(m);
            for (std::size_t r = 1; r * m < partials.size(); ++r)
                for (std::size_t j = 0; j < m; ++j) sum[j] += partials[r * m + j];
            return sum;
        }

        const problem* problem_;
        backend::shard_range shards_;
    };

    /// b counts over all ranks: first_block() <= b < last_block().
    block_function block(std::size_t b) const {
        const std::size_t per_block = cut_.shards / cut_.blocks, first = b - mine_.begin;
        return block_function(*this, {first * per_block, (first + 1) * per_block});
    }

    /// The dual variables of the rows of one of this rank's blocks. It refers to the problem's data and scaling.
    auto dual_block(std::size_t b) const requires(Backend::host_memory&& model::DualModel<Model>) {
        const data::range rows = data_.partition.block_rows(b);
        return solver::dual_block<Model, typename Dataset::matrix_type>(
            model_, data_.x, {rows.begin - data_.first_row, rows.end - data_.first_row},
            {data_.y.data(), data_.weights.empty() ? nullptr : data_.weights.data(), total_weight_}, scaling_,
            intercept_);
    }

    /// The columns with all rows, standardised, dealt to ranks in `blocks` runs; with a free intercept they are about their means
    /// in any case. Collective: every rank receives the data once; see data/owned_columns.hpp.
    auto column_view(std::size_t blocks) const requires(Backend::host_memory&& BoundedCurvature<Model>) {
        ++passes_;
        data::standardization scaling = scaling_;
        std::vector<double> means;
        if (intercept_ && scaling.means.empty()) {
            passes_ += data::detail::passes_to_standardize<typename Dataset::matrix_type>;
            scaling = data::standardize(ranks_, data_, threads());
            std::fill(scaling.scales.begin(), scaling.scales.end(), 1.0);
            means = scaling.means;
        }
        return solver::column_view<Model, typename Dataset::matrix_type>(
            ranks_, model_, data::owned_columns(ranks_, data_, scaling, blocks, threads()), std::move(means),
            total_weight_, threads());
    }

private:
    template <class, class, class, class, class> friend class problem;

    template <class Q>
    problem(const problem<Model, Dataset, Q, Backend, C>& other, const Penalty& penalty)
        : problem(other.model_, other.data_, penalty, other.machine_, other.ranks_, other.intercept_, other.scaling_,
                  other.total_weight_) {
        start_ = other.start_;
    }

    /// Reads an array wherever it lives.
    class host_copy {
    public:
        explicit host_copy(const array& a) {
            if constexpr (Backend::host_memory)
                entries_ = a.span();
            else {
                copy_ = a.download();
                entries_ = copy_;
            }
        }
        std::span<const value_type> span() const { return entries_; }

    private:
        std::vector<value_type> copy_;
        std::span<const value_type> entries_;
    };

    /// Weights and bias for the data as they are.
    struct effective {
        host_copy given;
        std::vector<value_type> scaled, bias;
        const value_type* w() const { return scaled.empty() ? given.span().data() : scaled.data(); }
        const value_type* b() const { return bias.data(); }
    };

    effective effective_weights(const array& weights) const {
        const std::size_t p = shape_.features, c = shape_.outputs;
        effective e{host_copy(weights), {}, std::vector<value_type>(c)};
        const auto w = e.given.span();
        if (intercept_) std::copy(w.begin() + static_cast<std::ptrdiff_t>(p * c), w.end(), e.bias.begin());
        if (divisors_.empty()) return e;
        e.scaled.resize(p * c);
        std::vector<double> shift(c);
        for (std::size_t j = 0; j < p; ++j)
            for (std::size_t k = 0; k < c; ++k) {
                const double scaled = static_cast<double>(w[j * c + k]) / divisors_[j];
                e.scaled[j * c + k] = static_cast<value_type>(scaled);
                shift[k] += scaling_.means[j] * scaled;
            }
        for (std::size_t k = 0; k < c; ++k)
            e.bias[k] = static_cast<value_type>(static_cast<double>(e.bias[k]) - shift[k]);
        return e;
    }

    /// The derivative with respect to the solver's weights, from [ dW | db | ... ] with respect to the effective ones.
    /// Adds `bends`, of the penalty, if there are any.
    void to_gradient(std::span<const double> sums, array& gradient, std::span<const value_type> bends = {}) const {
        const std::size_t p = shape_.features, c = shape_.outputs;
        std::vector<value_type> g(dimension());
        for (std::size_t j = 0; j < p; ++j)
            for (std::size_t k = 0; k < c; ++k) {
                const double s = sums[j * c + k];
                g[j * c + k] = static_cast<value_type>(
                    divisors_.empty() ? s : (s - scaling_.means[j] * sums[p * c + k]) / divisors_[j]);
            }
        if (intercept_)
            for (std::size_t k = 0; k < c; ++k) g[p * c + k] = static_cast<value_type>(sums[p * c + k]);
        for (std::size_t j = 0; j < bends.size(); ++j) g[j] += bends[j];
        gradient.upload(g);
    }

    /// Runs f(partials) for this rank's shards, m numbers each, and adds up over all ranks.
    template <class F> void globally(std::size_t m, std::span<double> sums, F&& f) const {
        std::exception_ptr failure;
        std::span<double> partials;
        try {
            partials = partials_of(sweep_.all().size() * m);
            f(partials.data());
        } catch (...) {
            failure = std::current_exception();
        }
        communicator::sum(ranks_, partials, sweep_.all().size(), sums, failure);
    }

    /// The rows of a batch in each of this rank's shards.
    const std::vector<backend::row_range>& runs_of(const batch& wanted) const {
        const std::size_t count = batches(wanted.size), shards = sweep_.all().size();
        if (orders_.size() != shards || shuffled_.size != wanted.size || shuffled_.seed != wanted.seed ||
            shuffled_.epoch != wanted.epoch) {
            const std::size_t first = cut_.block_begin_shard(mine_.begin);
            orders_.resize(shards);
            for (std::size_t s = 0; s < shards; ++s)
                orders_[s] =
                    core::permutation({.seed = wanted.seed, .stream = wanted.epoch * cut_.shards + first + s}, count);
            shuffled_ = wanted;
        }
        runs_.resize(shards);
        for (std::size_t s = 0; s < shards; ++s) {
            const backend::row_range rows = sweep_.rows_of(s);
            const std::size_t n = rows.end - rows.begin, run = orders_[s][wanted.index];
            runs_[s] = {rows.begin + n * run / count, rows.begin + n * (run + 1) / count};
        }
        return runs_;
    }

    /// y; for least squares without the offsets.
    const value_type* labels() const { return less_offsets_.empty() ? data_.y.data() : less_offsets_.data(); }

    backend::row_weights<value_type> sample_weights() const {
        return {data_.weights.empty() ? nullptr : data_.weights.data(), 1};
    }

    /// detail::second_moments of these rows, or of others.
    template <class Matrix>
    backend::dense_matrix<double> products(const Matrix& x, const data::standardization& scaling,
                                           std::span<const std::size_t> known, std::span<const std::size_t> fresh,
                                           const backend::row_weights<value_type>& weights, double factor,
                                           std::exception_ptr failure = nullptr) const {
        return products(x, labels(), block_rows(), scaling, known, fresh, weights, factor, failure);
    }
    template <class Matrix>
    backend::dense_matrix<double> products(const Matrix& x, const value_type* y,
                                           const std::vector<backend::row_range>& runs,
                                           const data::standardization& scaling, std::span<const std::size_t> known,
                                           std::span<const std::size_t> fresh,
                                           const backend::row_weights<value_type>& weights, double factor,
                                           std::exception_ptr failure) const {
        const detail::second_moments<Matrix, value_type> all{x, y, runs, weights, scaling};
        return all.sum(ranks_, known, fresh, factor, {data_.rows(), cut_.blocks, static_cast<std::size_t>(threads())},
                       partials_, failure);
    }

    /// The rows of each of this rank's blocks.
    std::vector<backend::row_range> block_rows() const {
        std::vector<backend::row_range> runs;
        const std::size_t per_block = cut_.shards / cut_.blocks;
        for (std::size_t b = 0; b < mine_.size(); ++b)
            runs.push_back({sweep_.rows_of(b * per_block).begin, sweep_.rows_of((b + 1) * per_block - 1).end});
        return runs;
    }

    std::span<double> partials_of(std::size_t n) const {
        if (partials_.size() < n) partials_.resize(n);
        return std::span(partials_).first(n);
    }

    double penalty_here(const array& w) const {
        const host_copy entries(w);
        return penalty::value(penalty_, entries.span().first(shape_.size()), shape_);
    }
    /// The smooth penalty, and its slopes for to_gradient. Called where a failure is shared: within a global sum.
    double penalty_and_slopes(const array& w) const {
        const host_copy entries(w);
        bends_.resize(shape_.size());
        for (std::size_t j = 0; j < shape_.size(); ++j) bends_[j] = penalty_.derivative(entries.span()[j]);
        return penalty::value(penalty_, entries.span().first(shape_.size()), shape_);
    }
    /// The product of the smooth penalty's second derivatives with v, for to_gradient.
    void curve(const array& w, const array& v) const {
        const host_copy entries(w), direction(v);
        bends_.resize(shape_.size());
        for (std::size_t j = 0; j < shape_.size(); ++j)
            bends_[j] = penalty_.second_derivative(entries.span()[j]) * direction.span()[j];
    }

    std::vector<std::size_t> shard_bounds() const {
        std::vector<std::size_t> bounds;
        for (std::size_t s = cut_.block_begin_shard(mine_.begin); s <= cut_.block_begin_shard(mine_.end); ++s)
            bounds.push_back(cut_.shard_begin(s) - data_.first_row);
        return bounds;
    }

    /// The shards of the data; fewer, though not below 16, where a partial sum of all weights for each would take more than 2 MiB:
    /// what a core then adds up no longer stays near it, and may be more than the data.
    static data::partition cut_for(data::partition cut, penalty::layout shape) {
        constexpr std::size_t budget = (std::size_t(2) << 20) / sizeof(double);
        const std::size_t wanted = std::max<std::size_t>(16, budget / std::max<std::size_t>(shape.size(), 1));
        cut.shards = std::min(cut.shards, (wanted + cut.blocks - 1) / cut.blocks * cut.blocks);
        return cut;
    }

    static data::range blocks_of(const Dataset& data, const C& ranks) {
        return data.partition.blocks_of(static_cast<std::size_t>(ranks.rank()), static_cast<std::size_t>(ranks.size()));
    }

    static double sum_of_weights(const Dataset& data, const C& ranks) {
        // somebody may have no rows, and so no weights, while others have some
        std::int32_t weighted = data.weights.empty() ? 0 : 1;
        ranks.all_reduce(std::span<std::int32_t>(&weighted, 1), communicator::operation::maximum);
        if (weighted == 0) return static_cast<double>(data.rows());
        const data::range blocks = blocks_of(data, ranks);
        std::vector<double> partials;
        for (std::size_t s = data.partition.block_begin_shard(blocks.begin);
             s < data.partition.block_begin_shard(blocks.end); ++s) {
            double sum = 0;
            if (!data.weights.empty())
                for (std::size_t i = data.partition.shard_begin(s); i < data.partition.shard_begin(s + 1); ++i)
                    sum += static_cast<double>(data.weights[i - data.first_row]);
            partials.push_back(sum);
        }
        double total = 0;
        communicator::sum(ranks, partials, partials.size(), std::span<double>(&total, 1));
        if (data.rows() > 0) data::check_sum_of_weights<value_type>(total, data.source);
        return total;
    }

    Model model_;
    Backend machine_;
    const Dataset& data_;
    Penalty penalty_;
    C ranks_;
    bool intercept_;
    penalty::layout shape_;
    data::standardization scaling_;
    std::vector<double> divisors_;
    data::partition cut_;
    data::range mine_;
    double total_weight_;
    sweep sweep_;
    array start_;
    std::vector<value_type> less_offsets_;
    mutable std::vector<double> partials_, sums_;
    mutable std::vector<value_type> bends_;  // of a smooth penalty: slopes, or their changes; else empty
    mutable std::vector<std::vector<std::size_t>> orders_;
    mutable std::vector<backend::row_range> runs_;
    mutable batch shuffled_;
    mutable std::size_t passes_ = 0;
};

}  // namespace gamut::solver

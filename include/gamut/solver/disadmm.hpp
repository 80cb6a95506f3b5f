// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gamut/backend/array.hpp>
#include <gamut/communicator/agree.hpp>
#include <gamut/communicator/sum.hpp>
#include <gamut/core/random.hpp>
#include <gamut/core/result.hpp>
#include <gamut/core/resume_from.hpp>
#include <gamut/core/stop.hpp>
#include <gamut/fwd.hpp>
#include <gamut/solver/beginning.hpp>
#include <gamut/solver/certificate.hpp>
#include <gamut/solver/concept.hpp>
#include <gamut/solver/detail/compare_by_fits.hpp>
#include <gamut/solver/gram_problem.hpp>
#include <gamut/solver/newton_cg.hpp>
#include <gamut/solver/polish.hpp>
#include <gamut/solver/run.hpp>
#include <gamut/solver/swap.hpp>

namespace gamut::solver {

/// How disadmm looks at the data.
enum class mode {
    automatic,  ///< gram where it is possible and pays: least squares, no fewer rows than weights, and room for the matrix
    gram,  ///< once, for the Gram matrix; everything after that is in memory and sends nothing (least squares only)
    rows   ///< in every round
};

/// Distributed sparse ADMM: minimises a loss over at most kappa non-zero weights (penalty::l0).
///   x_b = argmin f_b(x) + rho/2 |x - z + u_b|^2       each block's loss, near the group; one or two Newton steps
///   v   = mean over blocks of  alpha x_b + (1 - alpha) z + u_b
///   z   = prox(v, 1 / (N rho))                        the kappa weights that are worth most
///   u_b = u_b + alpha x_b + (1 - alpha) z_before - z  how far the block disagrees
///   rho = growth rho, u_b = u_b / growth              from far below the curvature L of the loss to beyond it
/// With small rho the blocks roam and z tries many supports; as rho grows the search freezes. Every support that lasts is
/// polished (the best weights on it), and the best of all is improved by exchanges of weights (solver::swap; not for rows of
/// several weights, nor on devices). A heuristic: the problem is not convex. How far from the optimum the result can be at most
/// is in its lower_bound and gap(), if l2 > 0 (for convex losses).
///
/// Per round: one local solve per block, one reduction of dimension() numbers, one pass for the objective; in gram mode one
/// block and products with the matrix instead.
/// The blocks, and so every bit, depend on the data and `blocks` alone, not on the number of ranks.
/// Boyd et al. 2011, section 3 and, for the cardinality constraint, 9.1. Olama et al. (PsFiT) keep rho fixed.
template <class Local> struct disadmm {
    static constexpr bool takes_any_problem = true;
    std::size_t blocks = 4;       ///< local copies of the weights
    double relaxation = 1.6;      ///< alpha
    double growth = 1.07;         ///< of rho per round
    double first_rho = 1e-3;      ///< N rho in the first round, in units of L
    double last_rho = 2;          ///< and in the last
    std::size_t candidates = 20;  ///< supports that are polished, at most
    solver::mode mode = solver::mode::automatic;
    std::size_t memory =
        std::size_t(1) << 30;  ///< bytes that a Gram matrix and its partial sums may take in automatic mode
    Local local{.stop = {.iterations = 2, .tolerance = 0.1}};
    polish polishing{};
    std::optional<swap> swapping = swap{};  ///< std::nullopt: none
    certificate bounding{.steps = 100};     ///< the result's lower bound
    core::stop stop{.iterations = 500};     ///< rounds
    core::resume_from resume{};  ///< a checkpoint of a round, or a folder of core::checkpoints, to go on from

    void validate() const {
        const auto demand = [](bool ok, const char* option, double value, const char* why) {
            if (!ok) throw core::option_error(core::text("disadmm: ", option, " is ", value, " (", why, ")"));
        };
        demand(blocks >= 1 && blocks <= 4095, "blocks", static_cast<double>(blocks), "it must be 1 to 4095");
        demand(relaxation >= 1 && relaxation < 2, "relaxation", relaxation, "it must be at least 1 and below 2");
        demand(growth > 1 && growth <= 2, "growth", growth, "it must be above 1, and at most 2");
        demand(first_rho > 0 && std::isfinite(first_rho), "first_rho", first_rho, "it must be positive");
        demand(last_rho >= first_rho && std::isfinite(last_rho), "last_rho", last_rho, "it must be at least first_rho");
        demand(candidates >= 1, "candidates", static_cast<double>(candidates), "at least one support must be polished");
        if (swapping) swapping->validate();
        stop.validate("disadmm");
    }

    template <Consensus P, class... O>
    requires Cardinality<P> && TwiceDifferentiable<P> core::result<typename P::array> minimize(const P& p,
                                                                                               O&&... observers)
    const {
        communicator::agree(p.communicator(), [&] {
            validate();
            if (mode == solver::mode::gram && !Quadratic<P>)
                throw core::option_error(
                    "disadmm: mode is gram (the loss is no sum of squares in the weights) use mode::rows");
        });
        run<P, std::remove_reference_t<O>...> record("disadmm", p, stop, observers...);
        if constexpr (Quadratic<P>) {
            if (mode == solver::mode::gram || (mode == solver::mode::automatic && gram_pays(p))) {
                const gram_problem<P> in_memory(p);
                return search<gram_problem<P>, P, decltype(record)>(*this, in_memory, p, record).go();
            }
        }
        return search<P, P, decltype(record)>(*this, p, p, record).go();
    }

    template <class P, class... O> refused minimize(const P&, O&&...) const {
        static_assert(Cardinality<P>,
                      "disadmm: needs penalty::l0 (it searches for the best kappa weights); use solver::admm");
        static_assert(!Cardinality<P> || (Consensus<P> && TwiceDifferentiable<P>),
                      "disadmm: needs a loss in blocks with hessian(w); see gamut/solver/concept.hpp");
        return {};
    }

private:
    /// Rows are worth at least as much as weights, and the matrices fit.
    template <class P> bool gram_pays(const P& p) const {
        const double d = static_cast<double>(p.dimension()) + 1, matrices = static_cast<double>(p.blocks()) + 2;
        return static_cast<double>(p.dataset().rows()) >= d && 8 * d * d * matrices <= static_cast<double>(memory);
    }

    /// A run's state. P is what the rounds compute with, Whole the problem itself: the same, unless in gram mode.
    template <class P, class Whole, class Run> class search {
        using A = typename P::array;
        using T = typename A::value_type;

    public:
        search(const disadmm& options, const P& p, const Whole& whole, Run& record)
            : options_(options),
              p_(p),
              whole_(whole),
              run_(record),
              n_(p.dimension()),
              z_(p.start()),
              before_(z_),
              mean_(n_) {}

        [[gnu::cold]] core::result<A> go() {
            communicator::agree(whole_.communicator(), [&] {
                x_.assign(p_.last_block() - p_.first_block(), z_);
                u_.assign(x_.size(), A(n_));
                partials_.resize(x_.size() * (n_ + 2));
                sums_.resize(n_ + 2);
            });
            z_ = best_start(whole_).weights;
            const A origin = backend::count_nonzeros(whole_.start()) > 0 ? A(n_) : z_;
            for (A& x : x_) x = z_;
            p_.value_and_gradient(z_, mean_);
            gradient_at_start_ = backend::norm(mean_);
            if (p_.penalty_term().kappa == 0 && p_.penalty_term().free.empty()) {
                const auto nothing = [](auto&) {};
                run_.resume({}, nothing);
                run_.leave_state();
                return only_intercept();
            }
            const double curvature = largest_curvature();
            double total_rho = options_.first_rho * curvature;
            const double last = std::max(options_.last_rho * curvature, std::numeric_limits<double>::min());
            core::status status = core::status::iteration_limit;
            const auto kept = [&](auto& each) {
                describe(each);
                each("total_rho", total_rho);
            };
            const std::optional<core::record> before = run_.resume(options_.resume, kept);
            for (std::size_t k = before ? before->iteration : 1; k <= options_.stop.iterations; ++k) {
                iteration_ = k;
                core::record now;
                if (before && k == before->iteration) {
                    now = *before;
                } else {
                    const auto [primal_now, dual_now] = round(total_rho);
                    const double objective = p_.value(z_) + p_.penalty(z_);
                    const bool new_support = follow_support();
                    if (!std::isfinite(primal_now)) {
                        status = core::status::diverged;
                        break;
                    }
                    if (stable_ == 2 || (new_support && k % 8 == 0)) consider(z_);
                    now = {.phase = in_memory ? "rounds on the Gram matrix" : "rounds",
                           .iteration = k,
                           .objective = objective,
                           .residual = primal_now,
                           .dual_residual = dual_now,
                           .step = total_rho,
                           .nonzeros = p_.nonzeros(z_)};
                }
                const double primal = now.residual, dual = now.dual_residual;
                if (const auto asked = run_.report(now)) {
                    status = *asked;
                    break;
                }
                const double scale = std::max(backend::distance(z_, origin), 1e-300);
                if ((primal <= 1e-6 * scale && dual <= 1e-6 * std::max(1.0, total_rho) * scale) || total_rho >= last) {
                    status = core::status::converged;
                    break;
                }
                total_rho = std::min(total_rho * options_.growth, last);
                for (A& u : u_) u = static_cast<T>(1 / options_.growth) * u;
            }
            run_.leave_state();
            consider(z_, true);
            return finish(status);
        }

    private:
        /// What must outlive an interruption between two rounds; see state.hpp.
        template <class Each> void describe(Each& each) {
            each("weights", z_);
            each.blocks("copies", x_, p_);
            each.blocks("multipliers", u_, p_);
            each("block_passes", block_passes_);
            each("counted_passes", counted_passes_);
            each("stable", stable_);
            each("last_support", last_support_);
            each("seen", seen_);
            each("polished", polished_);
            bool has_best = best_.has_value();
            each("best.there", has_best);
            if (!has_best) return best_.reset();
            if (!best_) best_.emplace().weights = z_;
            each("best.weights", best_->weights);
            each("best.objective", best_->objective);
            each("best.status", best_->status);
            each("best.message", best_->message);
            each("best.iterations", best_->iterations);
            each("best.passes", best_->passes);
        }

        /// One round with N rho = total_rho. Returns the norms of the primal and the dual residual.
        [[gnu::cold]] std::pair<double, double> round(double total_rho) {
            const double parts = static_cast<double>(p_.blocks()), rho = total_rho / parts;
            const T alpha = static_cast<T>(options_.relaxation);
            std::exception_ptr failure;
            try {
                for (std::size_t b = 0; b < x_.size(); ++b) {
                    A& x = x_[b];
                    mean_ = z_ - u_[b];  // the centre
                    const improvement done = options_.local.improve(p_.block(p_.first_block() + b), x, mean_, rho);
                    u_[b] = u_[b] + alpha * x + (T(1) - alpha) * z_;
                    const auto row = std::span(partials_).subspan(b * (n_ + 2), n_ + 2);
                    const std::vector<T> entries = u_[b].download();
                    std::copy(entries.begin(), entries.end(), row.begin());
                    const double distance = backend::distance(x, z_);
                    row[n_] = distance * distance;
                    row[n_ + 1] = static_cast<double>(done.passes);
                }
            } catch (...) {
                failure = std::current_exception();
            }
            communicator::sum(p_.communicator(), partials_, x_.size(), sums_, failure);
            std::vector<T> mean(n_);
            for (std::size_t j = 0; j < n_; ++j) mean[j] = static_cast<T>(sums_[j] / parts);
            mean_.upload(mean);
            std::swap(before_, z_);
            p_.prox(mean_, 1 / total_rho, z_);
            for (A& u : u_) u = u - z_;
            if (!in_memory) {
                block_passes_ += sums_[n_ + 1] / parts;
                const std::size_t passes = static_cast<std::size_t>(block_passes_);
                run_.add_passes(passes - counted_passes_);
                counted_passes_ = passes;
            }
            return {std::sqrt(sums_[n_]), rho * std::sqrt(parts) * backend::distance(z_, before_)};
        }

        /// The largest curvature of the loss at the start, by power iterations: about 10 passes.
        [[gnu::cold]] double largest_curvature() {
            auto h = p_.hessian(z_);
            A v(n_), hv(n_);
            std::vector<T> entries(n_);
            const core::random numbers{.seed = 20, .stream = 1};
            for (std::size_t j = 0; j < n_; ++j) entries[j] = static_cast<T>(numbers.normal(j));
            v.upload(entries);
            double largest = 0;
            for (int k = 0; k < 10; ++k) {
                const double length = backend::norm(v);
                if (!(length > 0)) break;
                v = static_cast<T>(1 / length) * v;
                h.times(v, hv);
                largest = std::max(largest, backend::norm(hv));
                v = hv;
            }
            return largest > 0 ? largest : 1;
        }

        /// Notes the support of z; true if it has not been seen before.
        bool follow_support() {
            const std::uint64_t hash = support_hash(z_);
            stable_ = hash == last_support_ ? stable_ + 1 : 0;
            last_support_ = hash;
            if (std::find(seen_.begin(), seen_.end(), hash) != seen_.end()) return false;
            seen_.push_back(hash);
            return true;
        }

        std::uint64_t support_hash(const A& w) const {
            const std::vector<T> entries = w.download();
            std::uint64_t hash = 1469598103934665603ull;
            for (std::size_t j = 0; j < p_.layout().size(); ++j)
                if (entries[j] != 0) hash = (hash ^ (j + 1)) * 1099511628211ull;
            return hash;
        }

        /// Polishes the support of w unless that was done before, and keeps it if it is the best so far.
        [[gnu::cold]] void consider(const A& w, bool last = false) {
            const std::uint64_t hash = support_hash(w);
            if (std::find(polished_.begin(), polished_.end(), hash) != polished_.end()) return;
            if (polished_.size() >= options_.candidates && !last) return;
            polished_.push_back(hash);
            core::result<A> found = options_.polishing.improve(p_, w, gradient_at_start_);
            if (!best_ || found.objective < best_->objective) best_ = std::move(found);
        }

        core::result<A> only_intercept() {
            A zero(n_);
            consider(zero, true);
            return finish(core::status::converged);
        }

        [[gnu::cold]] core::result<A> finish(core::status status) {
            std::optional<std::string> said;
            if constexpr (ColumnAccess<P> && SecondDerivatives<P>)
                if (status == core::status::converged && options_.swapping) {
                    best_ = options_.swapping->improve(p_, std::move(*best_), run_, iteration_, &said);
                    iteration_ = best_->iterations;
                }
            if constexpr (in_memory && LeastSquares<Whole>)  // from the rows, where the Gram matrix has too few digits
                if (status == core::status::converged && p_.penalty_term().is_smooth() &&
                    detail::loses_digits(p_, whole_.rows(), best_->weights)) {
                    best_ = options_.polishing.improve(whole_, best_->weights, gradient_at_start_);
                    if (options_.swapping && options_.swapping->compare_by_fits)
                        said = detail::compare_by_fits(whole_, options_.polishing, *best_, asking(status));
                }
            A w = std::move(best_->weights);
            const double objective = whole_.value(w) + whole_.penalty(w);  // of the rows: no digits are lost
            const double lower_bound = options_.bounding.below(p_, w, objective);
            std::string message =
                status == core::status::converged
                    ? core::text(said ? *said : core::text("the best of ", polished_.size(), " polished supports"),
                                 "; ", certificate::says(objective, lower_bound))
                    : explanation(status, options_.stop);
            if (status == core::status::converged && best_->status != core::status::converged) {
                status = best_->status;
                message = best_->message.empty() ? explanation(status, options_.stop) : best_->message;
            }
            if (status != core::status::separable && status != core::status::stopped &&
                status != core::status::time_limit)
                if (auto nowhere = no_minimum_on_support(whole_, w)) {
                    status = core::status::separable;
                    message = *std::move(nowhere);
                }
            const core::record now{
                .phase = "polish", .iteration = iteration_ + 1, .objective = objective, .nonzeros = p_.nonzeros(w)};
            run_.report(now);
            core::result<A> result = run_.finish(std::move(w), objective, status, std::move(message));
            result.lower_bound = lower_bound;
            return result;
        }

        /// Asks the observers every 16th time; false if they end the run.
        auto asking(core::status& status) {
            return [&, fits = std::size_t(0)](const core::result<A>& now) mutable {
                if (++fits % 16 != 0) return true;
                const auto asked = run_.report({.phase = "comparison by fits",
                                                .iteration = ++iteration_,
                                                .objective = now.objective,
                                                .nonzeros = p_.nonzeros(now.weights)});
                if (asked) status = *asked;
                return !asked;
            };
        }

        static constexpr bool in_memory = !std::is_same_v<P, Whole>;

        const disadmm& options_;
        const P& p_;
        const Whole& whole_;
        Run& run_;
        std::size_t n_;
        A z_, before_, mean_;
        std::vector<A> x_, u_;
        std::vector<double> partials_, sums_;
        double gradient_at_start_ = 0, block_passes_ = 0;
        std::size_t counted_passes_ = 0, iteration_ = 0, stable_ = 0;
        std::uint64_t last_support_ = 0;
        std::vector<std::uint64_t> seen_, polished_;
        std::optional<core::result<A>> best_;
    };
};

}  // namespace gamut::solver

// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>

#include <gamut/backend/array.hpp>
#include <gamut/communicator/agree.hpp>
#include <gamut/communicator/observe.hpp>
#include <gamut/communicator/read_together.hpp>
#include <gamut/core/checkpoint.hpp>
#include <gamut/core/checkpoint_history.hpp>
#include <gamut/core/clock.hpp>
#include <gamut/core/observe.hpp>
#include <gamut/core/result.hpp>
#include <gamut/core/resume_from.hpp>
#include <gamut/core/stop.hpp>
#include <gamut/solver/concept.hpp>
#include <gamut/solver/detail/kept_run.hpp>
#include <gamut/solver/state.hpp>
#include <gamut/solver/stopping.hpp>

namespace gamut::solver {

/// What every run of a solver keeps: the clock, the history, the observers. It lives in the call of `minimize`.
template <Problem P, class... O> class run : private core::shown_run {
public:
    using array = typename P::array;

    run(std::string_view solver, const P& problem, const core::stop& stop, O&... observers)
        : solver_(solver),
          problem_(problem),
          stop_(stop),
          observers_(observers...),
          passes_before_(problem.passes()) {}

    run(const run&) = delete;
    run& operator=(const run&) = delete;

    /// Says what the state of this run is (see state.hpp), so that observers can see the weights and keep checkpoints; it must live
    /// as long as the run. Where `from` names a checkpoint (core::newest_checkpoint), it is taken over: the solver goes on
    /// behind the report of the record that this returns. Collective if `from` is not empty; throws on all ranks.
    template <class State>
    [[gnu::cold]] std::optional<core::record> resume(const core::resume_from& from, const State& state) {
        state_ = &state;
        if constexpr (keeps)
            write_ = [](const void* self, state_writer& to) { (*static_cast<const State*>(self))(to); };
        find_ = [](const void* self, weights_finder& to) { (*static_cast<const State*>(self))(to); };
        if (from.empty()) return std::nullopt;
        const auto& c = problem_.communicator();
        const std::optional<core::checkpoint> found = communicator::read_together(c, from);
        if (!found) return std::nullopt;
        communicator::agree(c, [&] {
            detail::check_problem(*found, solver_, problem_);
            state_reader reader(*found);
            state(reader);
            result_.history = from.history(*found, solver_);
        });
        const core::record last = result_.history.back();
        result_.iterations = last.iteration;
        seconds_before_ = last.seconds;
        block_passes_ += last.passes - passes();
        resumed_ = true;
        return last;
    }

    /// From now on the state is not what was described, until the run ends: no checkpoints, and no weights for observers.
    void leave_state() { left_ = true; }

    /// Shows a record to the observers, and decides whether they or the clock end the run. Collective: all ranks get
    /// the same answer; one small all-reduce if there are observers, one if there is a time limit.
    [[gnu::cold]] std::optional<core::status> report(core::record now) {
        if (std::exchange(resumed_, false)) return std::nullopt;  // it is in the history, and has been judged
        now.solver = solver_;
        now.passes = passes();
        now.seconds = seconds();
        now.limit = stop_.iterations;
        result_.iterations = now.iteration;
        const communicator::observed asked = std::apply(
            [&](O&... observers) {
                return communicator::show(problem_.communicator(), now, result_.history, shown(), observers...);
            },
            observers_);
        std::optional<core::status> end;
        if (asked.stop) {
            end = core::status::stopped;
        } else if (stop_.seconds > 0) {  // clocks differ between ranks: one that is late is enough
            std::int32_t late = clock_.seconds() > stop_.seconds ? 1 : 0;
            problem_.communicator().all_reduce(std::span<std::int32_t>(&late, 1), communicator::operation::maximum);
            if (late != 0) end = core::status::time_limit;
        }
        if (state_ != nullptr && !left_ && is_kept() && (asked.keep || end || now.iteration >= stop_.iterations))
            keep(now);
        return end;
    }

    /// Whether anybody sees the records; the same on all ranks.
    bool is_watched() const {
        return std::apply([](const O&... observers) { return (core::is_somebody(observers) || ...); }, observers_);
    }

    /// Passes over the data by blocks, which the problem does not count.
    void add_passes(std::size_t passes) { block_passes_ += passes; }

    std::size_t passes() const { return problem_.passes() - passes_before_ + block_passes_; }

    [[gnu::cold]] core::result<array> finish(array weights, double objective, core::status status,
                                             std::string message) {
        if (status == core::status::converged && !std::isfinite(objective)) {
            status = core::status::diverged;
            message = "the objective is not finite";
        }
        result_.weights = std::move(weights);
        result_.objective = objective;
        result_.status = status;
        result_.message = std::move(message);
        result_.passes = passes();
        result_.seconds = seconds();
        if (state_ != nullptr && is_kept()) mark_end();
        return std::move(result_);
    }

private:
    double seconds() const { return seconds_before_ + clock_.seconds(); }

    const core::shown_run* shown() const { return state_ != nullptr ? this : nullptr; }
    std::vector<double> weights() const override {
        if (left_)
            throw core::option_error(
                core::text(solver_,
                           ": no weights in this phase (it looks at parts of the problem) skip the "
                           "records of phase '",
                           result_.history.back().phase, "'"));
        weights_finder finder;
        find_(state_, finder);
        return std::move(finder.found);
    }

    /// An observer may keep states; without one, nothing that writes them is compiled.
    static constexpr bool keeps = (core::may_keep<O> || ...);
    bool is_kept() const {
        return keeps && std::apply([](O&... observers) { return (core::is_keeper(observers) || ...); }, observers_);
    }
    template <class F> void keepers(F&& f) {
        communicator::agree(problem_.communicator(), [&] {
            if (problem_.communicator().rank() != 0) return;
            std::apply([&](O&... observers) { f(core::observers<std::remove_reference_t<O>...>(observers...)); },
                       observers_);
        });
    }

    /// Collective: what the state gathers, and one all-reduce of 4 bytes.
    [[gnu::cold]] void keep(const core::record& now) {
        if constexpr (keeps) {
            core::checkpoint made;
            made.kind = solver_;
            made.step = now.iteration;
            state_writer writer(made, problem_.communicator());
            write_(state_, writer);
            keepers([&](const auto& observers) {
                detail::put_problem(made, problem_);
                core::put_history(made, result_.history);
                observers.take(now, made);
            });
        }
    }

    [[gnu::cold]] void mark_end() {
        if constexpr (keeps)
            keepers([&](const auto& observers) {
                core::checkpoint last;
                last.kind = "end";
                last.step = result_.iterations;
                last.put("weights", result_.weights.download());
                last.put("objective", std::vector<double>{result_.objective});
                last.put("status", core::name(result_.status));
                last.put("message", result_.message);
                detail::put_problem(last, problem_);
                observers.end(last);
            });
    }

    std::string_view solver_;
    const P& problem_;
    const core::stop& stop_;
    std::tuple<O&...> observers_;
    core::clock clock_;
    std::size_t passes_before_, block_passes_ = 0;
    core::result<array> result_;
    const void* state_ = nullptr;  // a description, and what to do with it
    void (*write_)(const void*, state_writer&) = nullptr;
    void (*find_)(const void*, weights_finder&) = nullptr;
    double seconds_before_ = 0;  // of the run that this one continues
    bool resumed_ = false, left_ = false;
};

/// Weights that are not 0; the problem says how many if it can, for it knows the intercepts.
template <Problem P> std::size_t nonzeros(const P& p, const typename P::array& w) {
    if constexpr (requires {
                      { p.nonzeros(w) } -> std::convertible_to<std::size_t>;
                  })
        return p.nonzeros(w);
    else
        return backend::count_nonzeros(w);
}

/// Makes what may fail on one rank alone (options, memory), and lets all ranks go on or throw together.
template <Problem P, class Make> auto prepare(const P& p, Make&& make) {
    std::optional<std::invoke_result_t<Make&>> made;
    communicator::agree(p.communicator(), [&] { made.emplace(make()); });
    return std::move(*made);
}

/// "2.5e-05 of the objective", how much lower than the objective the least one may be; as a number where the objective is next to 0,
/// and a share of it says nothing.
[[gnu::cold]] inline std::string gap_in_words(double objective, double lower_bound) {
    const double gap = core::relative_gap(objective, lower_bound);
    return gap <= 1 ? core::text(gap, " of the objective") : core::text(std::max(objective - lower_bound, 0.0));
}

/// Why a run ended, for result::message.
[[gnu::cold]] inline std::string explanation(core::status status, const core::stop& stop) {
    switch (status) {
    case core::status::stopped:
        return "an observer asked to stop";
    case core::status::time_limit:
        return core::text("the time limit of ", stop.seconds, " s is used up");
    case core::status::iteration_limit:
        return core::text("the limit of ", stop.iterations, " iterations is used up");
    case core::status::diverged:
        return "the objective or the weights are no longer finite";
    case core::status::separable:
        return separable_along("");
    case core::status::stalled:
        return "nothing gets better any more, though the residual is above the tolerance";
    default:
        return core::text("the residual fell below ", stop.tolerance);
    }
}

/// Watches a run for weights that grow without end: a minimum at infinity, such as that of the unpenalised logistic loss
/// of separable classes. It remembers an earlier point; where the objective is still no higher a thousand times further
/// along the way from there, and little is left to gain there, the minimum is nowhere.
template <class A> class halting_watch {
public:
    explicit halting_watch(const A& w) : earlier_(w), far_(w) {}

    void begin(const A& w, double objective) {
        earlier_ = w;
        start_ = objective;
    }

    /// True at iterations 16, 32, 64 ... : time to look, and to remember.
    static bool due(std::size_t iteration) { return iteration >= 16 && (iteration & (iteration - 1)) == 0; }

    void remember(const A& w) { earlier_ = w; }

    /// What must outlive an interruption; see state.hpp.
    template <class Each> void describe(Each& each) {
        each("earlier", earlier_);
        each("start", start_);
    }

    /// Is the minimum nowhere? `objective(w)` is evaluated once, and only if the weights grew by more than 1 % of their
    /// length; with `value`, the objective at w, not known (NaN) twice.
    template <class F> bool look(const A& w, double value, F&& objective) {
        using T = typename A::value_type;
        if (!(backend::distance(w, earlier_) > 0.01 * backend::norm(w))) return false;
        if (std::isnan(value)) value = objective(w);
        far_ = w + T(1000) * (w - earlier_);
        const double there = objective(far_);
        return there <= value && value - there <= 0.01 * (start_ - value);
    }

    /// The same as the end of a run on a problem.
    template <Problem P> ending end(const P& p, const A& w, double value) {
        if (!look(w, value, [&](const A& far) { return solver::objective(p, far); })) return {};
        return {core::status::separable, separable_along(columns_along(p, direction()))};
    }

    /// The way that was looked along last, a thousand times and more from there.
    const A& direction() const { return far_; }

private:
    A earlier_, far_;
    double start_ = 0;
};

}  // namespace gamut::solver

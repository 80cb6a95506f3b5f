// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <gamut/backend/host.hpp>
#include <gamut/backend/parallel.hpp>
#include <gamut/communicator/agree.hpp>
#include <gamut/communicator/concept.hpp>
#include <gamut/communicator/observe.hpp>
#include <gamut/communicator/read_together.hpp>
#include <gamut/communicator/together.hpp>
#include <gamut/core/checkpoint.hpp>
#include <gamut/core/checkpoint_history.hpp>
#include <gamut/core/clock.hpp>
#include <gamut/core/error.hpp>
#include <gamut/core/names.hpp>
#include <gamut/core/observe.hpp>
#include <gamut/core/result.hpp>
#include <gamut/core/resume_from.hpp>
#include <gamut/core/stop.hpp>
#include <gamut/core/text.hpp>
#include <gamut/data/concept.hpp>
#include <gamut/learn/concept.hpp>
#include <gamut/solver/state.hpp>

namespace gamut::learn::detail {

/// work(observer) with all observers as one, on all ranks together.
template <communicator::Communicator C, class Work, core::Observer... O>
auto fit_together(const C& ranks, Work&& work, O&... observers) {
    core::observers<O...> all(observers...);
    core::any_keeper everyone;
    if constexpr (sizeof...(O) > 0) everyone = core::any_keeper(all);
    return communicator::together(ranks, [&] { return work(everyone); });
}

/// This rank's rows, for a fit or, with its features, for a fitted thing.
template <communicator::Communicator C, data::DataSource S>
auto load_rows(const C& ranks, const S& source, const core::names* features = nullptr, bool labels = false) {
    data::request wanted;
    wanted.labels = labels;
    if (features) wanted.features = *features;
    return source.load(ranks, wanted);
}

/// Threads worth waking for passes over these rows that do `work` times as much as reading them.
template <communicator::Communicator C, class Dataset>
int threads_of(const C& ranks, int threads, const Dataset& rows, std::size_t work = 1) {
    const int all = backend::host<double>{.threads = threads}.threads_of(ranks.local_size());
    const std::size_t entries = backend::entries_of(rows.x, 0, rows.x.rows) * work;
    return static_cast<int>(backend::threads_for(entries, static_cast<std::size_t>(std::max(all, 1))));
}

/// Keeps the history of a run, says when it is over, and where an observer wants that keeps what it needs to go on.
template <communicator::Communicator C> class run : private core::shown_run {
public:
    run(const C& ranks, const char* name, const core::stop& stop, core::any_keeper observer)
        : ranks_(ranks),
          name_(name),
          stop_(stop),
          observer_(observer) {}
    run(const run&) = delete;
    run& operator=(const run&) = delete;

    /// Says what the state of this run is at a call of `ends` (state.hpp, kept.hpp); it must live as long as the run. Where `from` names a
    /// checkpoint (core::newest_checkpoint), it is taken over, and next() is the iteration to go on with. True where the
    /// run that it is of was over, by these limits. Collective if `from` is not empty; throws on all ranks.
    template <class Dataset, class State>
    bool resume(outcome& result, const core::resume_from& from, const Dataset& rows, const State& state) {
        state_ = &state;
        write_ = [](const void* self, solver::state_writer& to) { (*static_cast<const State*>(self))(to); };
        sizes_ = {rows.rows(), rows.columns()};
        if (from.empty()) return false;
        const std::optional<core::checkpoint> found = communicator::read_together(ranks_, from);
        if (!found) return false;
        std::string settled;
        auto as = core::status::converged;
        communicator::agree(ranks_, [&] {
            if (found->kind != name_)
                throw core::data_error(core::text(found->path(), ": a checkpoint of '", core::visible(found->kind, 40),
                                                  "' (", name_, " is to go on) name one of the same learner"));
            if (found->template get<std::uint64_t>("data.sizes") != sizes_)
                throw core::data_error(core::text(found->path(),
                                                  ": made with other data (another number of rows or columns) "
                                                  "resume with the data of the run, or without resume"));
            solver::state_reader reader(*found);
            state(reader);
            result.history = from.history(*found, name_);
            settled = found->characters("run.settled");
            reader("run.settled_as", as);
        });
        const core::record last = result.history.back();
        before_ = last.iteration;
        seconds_before_ = last.seconds;
        note(result, last);
        if (!judge(result, last, settled, as)) return false;
        if (observer_.keeps()) mark_end(result);
        return true;
    }
    /// The iteration that comes first: 1, or the one behind a checkpoint.
    std::size_t next() const { return before_ + 1; }

    /// Files an iteration; true when it was the last: status and message then say why. Where residual <= tolerance they are `as` and
    /// `settled`. Collective: one message where somebody observes, one where there is a time limit; a checkpoint gathers the state.
    bool ends(outcome& result, core::record now, const std::string& settled,
              core::status as = core::status::converged) {
        now.solver = name_;
        now.seconds = seconds();
        now.limit = stop_.iterations;
        const communicator::observed asked =
            communicator::show(ranks_, now, result.history, state_ != nullptr ? this : nullptr, observer_);
        note(result, now);
        const auto end = [&](core::status why, std::string message) {
            result.status = why;
            result.message = std::move(message);
            return true;
        };
        bool over = judge(result, now, settled, as), early = false;
        if (!over && asked.stop) {
            early = end(core::status::stopped, "an observer asked to stop");
        } else if (!over && stop_.seconds > 0) {
            std::int32_t late = clock_.seconds() >= stop_.seconds ? 1 : 0;
            ranks_.all_reduce(std::span<std::int32_t>(&late, 1), communicator::operation::maximum);
            if (late != 0)
                early =
                    end(core::status::time_limit, core::text("the limit of ", stop_.seconds, " seconds is used up"));
        }
        if (state_ != nullptr && observer_.keeps()) {
            if (asked.keep || early || result.status == core::status::iteration_limit) keep(now, result, settled, as);
            if (over || early) mark_end(result);
        }
        return over || early;
    }
    double seconds() const { return seconds_before_ + clock_.seconds(); }

private:
    std::vector<double> weights() const override {
        throw core::option_error(
            core::text(name_, ": a record has no weights (a learner has other numbers) look at the fit"));
    }
    static void note(outcome& result, const core::record& now) {
        result.objective = now.objective;
        result.iterations = now.iteration;
        result.passes = now.passes;
        result.seconds = now.seconds;
    }
    /// What the record alone says.
    bool judge(outcome& result, const core::record& now, const std::string& settled, core::status as) const {
        const auto end = [&](core::status why, std::string message) {
            result.status = why;
            result.message = std::move(message);
            return true;
        };
        if (!std::isfinite(now.objective)) return end(core::status::diverged, "the objective is not finite");
        if (now.residual <= stop_.tolerance) return end(as, settled);
        if (now.iteration >= stop_.iterations)
            return end(core::status::iteration_limit,
                       core::text("the limit of ", stop_.iterations, " iterations is used up"));
        return false;
    }
    void keep(const core::record& now, const outcome& result, const std::string& settled, core::status as) {
        core::checkpoint made;
        made.kind = name_;
        made.step = now.iteration;
        solver::state_writer writer(made, ranks_);
        write_(state_, writer);
        writer("run.settled_as", as);
        communicator::agree(ranks_, [&] {
            if (ranks_.rank() != 0) return;
            made.put("data.sizes", sizes_);
            made.put("run.settled", settled);
            core::put_history(made, result.history);
            observer_.take(now, made);
        });
    }
    void mark_end(const outcome& result) {
        communicator::agree(ranks_, [&] {
            if (ranks_.rank() != 0) return;
            core::checkpoint last;
            last.kind = "end";
            last.step = result.iterations;
            last.put("objective", std::vector<double>{result.objective});
            last.put("status", core::name(result.status));
            last.put("message", result.message);
            observer_.end(last);
        });
    }

    const C& ranks_;
    const char* name_;
    core::stop stop_;
    core::any_keeper observer_;
    core::clock clock_;
    const void* state_ = nullptr;  // a description, and what to do with it
    void (*write_)(const void*, solver::state_writer&) = nullptr;
    std::vector<std::uint64_t> sizes_;
    std::size_t before_ = 0;  // iterations and seconds of the run that this one continues
    double seconds_before_ = 0;
};

}  // namespace gamut::learn::detail

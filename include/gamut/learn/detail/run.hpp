// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>

#include <gamut/backend/host.hpp>
#include <gamut/backend/parallel.hpp>
#include <gamut/communicator/agree.hpp>
#include <gamut/communicator/concept.hpp>
#include <gamut/communicator/observe.hpp>
#include <gamut/communicator/together.hpp>
#include <gamut/core/clock.hpp>
#include <gamut/core/names.hpp>
#include <gamut/core/observe.hpp>
#include <gamut/core/stop.hpp>
#include <gamut/core/text.hpp>
#include <gamut/data/concept.hpp>
#include <gamut/learn/concept.hpp>

namespace gamut::learn::detail {

/// work(observer) with all observers as one, on all ranks together.
template <communicator::Communicator C, class Work, core::Observer... O>
auto fit_together(const C& ranks, Work&& work, O&... observers) {
    auto all = [&](const core::record& now) {
        bool stop = false;
        ((stop = core::notify(observers, now) || stop), ...);
        return stop;
    };
    core::any_observer everyone;
    if constexpr (sizeof...(O) > 0) everyone = core::any_observer(all);
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

/// Keeps the history of a run and says when it is over.
template <communicator::Communicator C> class run {
public:
    run(const C& ranks, const char* name, const core::stop& stop, core::any_observer observer)
        : ranks_(ranks),
          name_(name),
          stop_(stop),
          observer_(observer) {}

    /// Files an iteration; true when it was the last: status and message then say why. Converged: residual <= tolerance, and
    /// what the message says. Collective: one message where somebody observes, one where there is a time limit.
    bool ends(outcome& result, core::record now, const std::string& converged) {
        now.solver = name_;
        now.seconds = clock_.seconds();
        const bool asked = communicator::observe(ranks_, now, result.history, observer_);
        result.objective = now.objective;
        result.iterations = now.iteration;
        result.passes = now.passes;
        result.seconds = now.seconds;
        const auto end = [&](core::status why, std::string message) {
            result.status = why;
            result.message = std::move(message);
            return true;
        };
        if (!std::isfinite(now.objective)) return end(core::status::diverged, "the objective is not finite");
        if (now.residual <= stop_.tolerance) return end(core::status::converged, converged);
        if (asked) return end(core::status::stopped, "an observer asked to stop");
        if (now.iteration >= stop_.iterations)
            return end(core::status::iteration_limit,
                       core::text("the limit of ", stop_.iterations, " iterations is used up"));
        if (stop_.seconds > 0) {
            std::int32_t late = now.seconds >= stop_.seconds ? 1 : 0;
            ranks_.all_reduce(std::span<std::int32_t>(&late, 1), communicator::operation::maximum);
            if (late != 0)
                return end(core::status::time_limit, core::text("the limit of ", stop_.seconds, " seconds is used up"));
        }
        return false;
    }
    double seconds() const { return clock_.seconds(); }

private:
    const C& ranks_;
    const char* name_;
    core::stop stop_;
    core::any_observer observer_;
    core::clock clock_;
};

}  // namespace gamut::learn::detail

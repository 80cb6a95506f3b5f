// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <limits>
#include <memory>
#include <queue>
#include <set>
#include <utility>
#include <vector>

#include <gamut/communicator/detail/failure.hpp>
#include <gamut/communicator/network.hpp>
#include <gamut/core/error.hpp>

namespace gamut::communicator::detail {

/// Ranks that take turns. Of all that could happen next, what comes first by the virtual clock does; ties go to events
/// before ranks, to the earlier event, to the lower rank. `Crew`: fibers or token_threads.
template <class Crew> class virtual_time {
public:
    /// Something that happens at a time, whatever the ranks do then. It must neither wait nor throw.
    struct event {
        virtual ~event() = default;
        virtual void happen(double now) = 0;
    };

    virtual_time(int ranks, network model)
        : model_(std::move(model)),
          ranks_(static_cast<std::size_t>(ranks)),
          failures_(ranks),
          crew_(ranks) {
        for (const auto& one : model_.stragglers) at(one.rank).factor *= one.factor;
        for (const auto& one : model_.lost) at(one.rank).lost = std::min(at(one.rank).lost, one.after);
    }

    int size() const { return static_cast<int>(ranks_.size()); }
    double now(int rank) { return at(rank).now; }
    void set_now(int rank, double time) { at(rank).now = std::max(at(rank).now, time); }
    std::uint64_t switches() const { return switches_; }

    /// Calls body(rank) for all; then rethrows the exception of the lowest rank that failed by itself.
    template <class Body> void run(Body body) {
        for (int rank = 0; rank < size(); ++rank) ready_.insert({0.0, rank});
        crew_.run(next(), [&](int rank) {
            try {
                body(rank);
            } catch (...) {
                at(rank).failure = std::current_exception();
                post(rank, at(rank).failure);
            }
            if (first_left_ < 0) first_left_ = rank;
            return next();
        });
        for (const bool secondary : {false, true})
            for (auto& one : ranks_)
                if (one.failure && one.outcast == secondary) std::rethrow_exception(one.failure);
    }

    void work(int rank, double seconds) {
        check(rank);
        if (!(seconds >= 0))
            throw core::option_error(core::text("sim: work of ", seconds, " seconds (not less than 0)"));
        rank_state& me = at(rank);
        me.now += seconds * me.factor * (model_.slower != nullptr ? model_.slower(rank, me.steps) : 1);
        ++me.steps;
    }

    /// When a message that `from` sends at `time` arrives.
    double arrival(int from, int to, std::size_t bytes, double time) {
        const auto link = std::find_if(model_.links.begin(), model_.links.end(),
                                       [&](const auto& one) { return one.from == from && one.to == to; });
        const bool own = link != model_.links.end();
        double& free = at(from).sender_free;
        free = std::max(free, time) + static_cast<double>(bytes) / (own ? link->bandwidth : model_.bandwidth);
        return free + (own ? link->latency : model_.latency);
    }

    const network& model() const { return model_; }

    /// Lets everything come first that is earlier than this rank's clock. Throws what was posted.
    void pass(int rank) {
        check(rank);
        const double now = at(rank).now;
        const bool first =
            (events_.empty() || events_.top().at > now) && (ready_.empty() || std::pair(now, rank) < *ready_.begin());
        if (first) return;
        ready_.insert({now, rank});
        go(rank);
        check(rank);
    }

    /// Until done(); others say by wake when they may have made it true.
    template <class Done> void wait(int rank, const char* what, Done done) {
        check(rank);
        while (!done()) {
            rank_state& me = at(rank);
            me.what = what;
            me.done = &done;
            me.is_done = [](void* self) { return (*static_cast<Done*>(self))(); };
            go(rank);
            if (failures_.posted() && !done()) refuse(rank);
        }
    }

    /// A rank that waits looks, not before `time`, whether what it waits for has come.
    void wake(int rank, double time) {
        rank_state& one = at(rank);
        if (one.done == nullptr || !one.is_done(one.done)) return;
        one.done = nullptr;
        one.now = std::max(one.now, time);
        ready_.insert({one.now, rank});
    }

    void at_time(double time, std::unique_ptr<event> what) { events_.push({time, numbers_++, std::move(what)}); }
    double next_event() const { return events_.empty() ? std::numeric_limits<double>::infinity() : events_.top().at; }

    void check(int rank) {
        if (failures_.posted()) refuse(rank);
        if (at(rank).now >= at(rank).lost)
            throw core::communicator_error(
                core::text("rank ", rank, ": lost after ", at(rank).lost, " s (the network says so)"));
    }

    [[noreturn]] void fail(int rank, const std::exception_ptr& mine) {
        post(rank, mine);
        std::rethrow_exception(failures_.posted());
    }

private:
    struct rank_state {
        double now = 0, sender_free = 0, factor = 1, lost = std::numeric_limits<double>::infinity();
        std::uint64_t steps = 0;
        const char* what = "";
        void* done = nullptr;  // not null: it waits
        bool (*is_done)(void*) = nullptr;
        bool outcast = false;  // it only failed because another rank had
        std::exception_ptr failure{};
    };
    struct entry {
        double at;
        std::uint64_t number;
        mutable std::unique_ptr<event> what;  // moved from at the top of the queue
        bool operator<(const entry& other) const {
            return at != other.at ? at > other.at : number > other.number;  // the earliest on top
        }
    };

    rank_state& at(int rank) { return ranks_[static_cast<std::size_t>(rank)]; }

    [[noreturn]] void refuse(int rank) {
        at(rank).outcast = true;
        std::rethrow_exception(failures_.posted());
    }

    void post(int rank, const std::exception_ptr& mine) {
        failures_.post(rank, mine);
        for (int other = 0; other < size(); ++other)
            if (at(other).done != nullptr) {
                at(other).done = nullptr;
                at(other).now = std::max(at(other).now, at(rank).now);
                ready_.insert({at(other).now, other});
            }
    }

    void go(int rank) {
        const int to = next();
        if (to == rank) return;
        ++switches_;
        crew_.hand_over(rank, to);
    }

    int next() {
        for (;;) {
            if (!events_.empty() && (ready_.empty() || events_.top().at <= ready_.begin()->first)) {
                const double time = events_.top().at;
                const std::unique_ptr<event> what = std::move(events_.top().what);
                events_.pop();
                what->happen(time);
            } else if (!ready_.empty()) {
                const int rank = ready_.begin()->second;
                ready_.erase(ready_.begin());
                return rank;
            } else if (!say_that_nothing_can_happen()) {
                return -1;
            }
        }
    }

    /// All who did not leave wait: all of them are told. False when nobody waits.
    bool say_that_nothing_can_happen() {
        for (int rank = 0; rank < size(); ++rank) {
            if (at(rank).done == nullptr) continue;
            const std::string who = first_left_ < 0 ? "all ranks wait" : core::text("rank ", first_left_, " has left");
            post(rank, made(core::error_kind::communicator,
                            core::text("rank ", rank, ": ", at(rank).what, " cannot be completed (", who, ")")));
            return true;
        }
        return false;
    }

    network model_;
    std::vector<rank_state> ranks_;
    failures failures_;
    std::set<std::pair<double, int>> ready_;
    std::priority_queue<entry> events_;
    std::uint64_t numbers_ = 0, switches_ = 0;
    int first_left_ = -1;
    Crew crew_;
};

}  // namespace gamut::communicator::detail

// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <deque>
#include <exception>
#include <limits>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <gamut/communicator/concept.hpp>
#include <gamut/communicator/detail/contribution.hpp>
#include <gamut/communicator/detail/crew.hpp>
#include <gamut/communicator/detail/parcels.hpp>
#include <gamut/communicator/detail/quiesce.hpp>
#include <gamut/communicator/detail/simulated_office.hpp>
#include <gamut/communicator/detail/virtual_time.hpp>
#include <gamut/communicator/network.hpp>
#include <gamut/core/error.hpp>
#include <gamut/fwd.hpp>

namespace gamut::communicator {

namespace detail {

/// What simulated ranks share: their time, and what they bring and leave for each other.
template <class Crew> struct simulation {
    struct arrival {
        double at;
        std::vector<std::uint8_t> bytes;
    };

    simulation(int ranks, const network& model)
        : time(ranks, model),
          contributions(static_cast<std::size_t>(ranks)),
          parcels(contributions.size()) {}

    /// All bring something; the last one does the work for all.
    template <class Work> void collective(int rank, const contribution& mine, Work work) {
        time.check(rank);
        contributions[static_cast<std::size_t>(rank)] = mine;
        begin = std::max(begin, time.now(rank));
        const std::uint64_t here = generation;
        if (++arrived < contributions.size()) {
            time.wait(rank, mine.operation, [this, here] { return generation != here; });
        } else {
            arrived = 0;
            ++generation;
            wrong = mismatch(contributions);
            if (wrong.empty()) work();
            const double rounds = std::ceil(std::log2(static_cast<double>(contributions.size())));
            const double end =
                begin + 2 * rounds * time.model().latency +
                (rounds > 0 ? 2 * static_cast<double>(mine.count * mine.bytes) / time.model().bandwidth : 0);
            begin = 0;
            time.set_now(rank, end);
            for (int other = 0; other < time.size(); ++other) time.wake(other, end);
        }
        if (!wrong.empty()) throw core::communicator_error(wrong);
    }

    virtual_time<Crew> time;
    std::vector<contribution> contributions;
    std::vector<std::map<int, std::deque<arrival>>> parcels;  // by receiver, by sender
    std::uint64_t generation = 0;
    std::size_t arrived = 0;
    double begin = 0;
    std::string wrong;
};

}  // namespace detail

/// Ranks that take turns in this process, on machines that do not exist: the same code on a thousand ranks, with the same
/// bits and the same times in every run.     communicator::sim<>::run(1024, {.latency = 1e-4}, [&](const auto& c) {...});
/// Computing takes no time unless told: c.work(seconds). A wait that nothing can end throws on all ranks, at once.
/// Ranks are fibers with 1 MiB of stack each, or threads (see detail/crew.hpp).
template <class Sums, class Crew> class sim {
public:
    using sums = Sums;

    struct report {
        double seconds = 0;          ///< the latest rank's clock
        std::uint64_t switches = 0;  ///< from rank to rank
    };

    /// Calls f(communicator) on `ranks` ranks. A rank that fails makes the others throw the same error, by its type in
    /// core/error.hpp, from wherever they wait or will wait; run rethrows the exception of the lowest rank that failed
    /// by itself.
    template <class F> static report run(int ranks, const network& model, F&& f) {
        if (ranks < 1) throw core::option_error(core::text("sim: ", ranks, " ranks (at least one is needed)"));
        model.check(ranks);
        detail::simulation<Crew> world(ranks, model);
        world.time.run([&](int rank) { f(sim(&world, rank)); });
        report done{.seconds = 0, .switches = world.time.switches()};
        for (int rank = 0; rank < ranks; ++rank) done.seconds = std::max(done.seconds, world.time.now(rank));
        return done;
    }

    int rank() const { return rank_; }
    int size() const { return world_->time.size(); }
    int local_size() const { return size(); }

    /// This rank's clock, and computing on it.
    double now() const { return world_->time.now(rank_); }
    void work(double seconds) const { world_->time.work(rank_, seconds); }

    template <Element T> void all_reduce(std::span<T> values, operation combine) const {
        const char* const what = detail::all_reduce_name(combine);
        world_->collective(rank_, {what, values.size(), sizeof(T), 0, nullptr, values.data()}, [&] {
            const auto& all = world_->contributions;
            std::vector<T> total(values.size());
            std::copy_n(static_cast<const T*>(all[0].shared), total.size(), total.begin());
            for (std::size_t r = 1; r < all.size(); ++r)
                detail::combine_into(total.data(), static_cast<const T*>(all[r].shared), total.size(), combine);
            for (const auto& one : all) std::copy(total.begin(), total.end(), static_cast<T*>(one.shared));
        });
    }

    template <Element T> void broadcast(std::span<T> values, int root) const {
        if (root < 0 || root >= size())
            throw core::communicator_error(core::text("broadcast: root ", root, " (ranks are 0..", size() - 1, ")"));
        world_->collective(rank_, {"broadcast", values.size(), sizeof(T), root, nullptr, values.data()}, [&] {
            if (values.empty()) return;
            const void* const from = world_->contributions[static_cast<std::size_t>(root)].shared;
            for (const auto& one : world_->contributions)
                if (one.shared != from) std::memcpy(one.shared, from, values.size_bytes());
        });
    }

    template <Element T> void gather(std::span<const T> mine, std::span<T> all) const {
        if (all.size() != mine.size() * static_cast<std::size_t>(size()))
            throw core::shape_error(core::text("gather: ", all.size(), " entries for the result (", size(),
                                               " ranks bring ", mine.size(), " each)"));
        world_->collective(rank_, {"gather", mine.size(), sizeof(T), 0, mine.data(), all.data()}, [&] {
            if (mine.empty()) return;
            for (const auto& to : world_->contributions)
                for (std::size_t r = 0; r < world_->contributions.size(); ++r)
                    std::memcpy(static_cast<T*>(to.shared) + r * mine.size(), world_->contributions[r].mine,
                                mine.size_bytes());
        });
    }

    void barrier() const {
        world_->collective(rank_, {"barrier", 0, 0, 0, nullptr, nullptr}, [] {});
    }

    template <Element T> void exchange(std::span<const parcel<const T>> out, std::span<const parcel<T>> in) const {
        detail::check_ranks(out, in, size());
        auto& time = world_->time;
        time.pass(rank_);
        for (const auto& one : out) {
            std::vector<std::uint8_t> copy(one.values.size_bytes());
            if (!copy.empty()) std::memcpy(copy.data(), one.values.data(), copy.size());
            const double when = time.arrival(rank_, one.rank, copy.size(), time.now(rank_));
            world_->parcels[static_cast<std::size_t>(one.rank)][rank_].push_back({when, std::move(copy)});
            time.wake(one.rank, 0);
        }
        for (const auto& one : in) {
            auto& queue = world_->parcels[static_cast<std::size_t>(rank_)][one.rank];
            time.wait(rank_, "exchange", [&] { return !queue.empty(); });
            const auto next = std::move(queue.front());
            queue.pop_front();
            time.set_now(rank_, next.at);
            detail::check_length(one.rank, rank_, next.bytes.size() / sizeof(T), one.values.size());
            if (!next.bytes.empty()) std::memcpy(one.values.data(), next.bytes.data(), next.bytes.size());
        }
    }

    /// Letters arrive in virtual time, while their rank does something else, too.
    class mailbox {
    public:
        mailbox(const mailbox&) = delete;
        mailbox& operator=(const mailbox&) = delete;
        ~mailbox() { mine().receiver = {}; }

        void post(int to, std::vector<std::uint8_t> bytes) const {
            detail::check_addressee(to, c_.size());
            if (!office_->in_letter()) c_.world_->time.pass(c_.rank_);  // what others do earlier comes first
            office_->post(office_, c_.rank_, to, std::move(bytes));
        }
        template <class Done> void wait(Done done) const {
            c_.world_->time.pass(c_.rank_);
            c_.world_->time.wait(c_.rank_, "mailbox", [&] { return mine().failure || done(); });
            rethrow();
        }
        template <class F> auto look(F f) const {
            c_.world_->time.pass(c_.rank_);
            rethrow();
            return f();
        }
        void settle() const {
            detail::quiesce(c_, [&](std::int64_t& posted, std::int64_t& taken) {
                auto& time = c_.world_->time;
                if (const double next = time.next_event(); next < std::numeric_limits<double>::infinity())
                    time.set_now(c_.rank_, next);
                time.pass(c_.rank_);
                posted = mine().posted;
                taken = mine().taken;
            });
        }

    private:
        friend class sim;
        mailbox(const sim& c, std::shared_ptr<detail::simulated_office<Crew>> office, detail::any_receiver receiver)
            : c_(c),
              office_(std::move(office)) {
            mine().receiver = receiver;
            c_.barrier();
        }
        auto& mine() const { return office_->at(c_.rank_); }
        void rethrow() const {
            if (mine().failure) std::rethrow_exception(mine().failure);
        }
        sim c_;
        std::shared_ptr<detail::simulated_office<Crew>> office_;
    };

    template <Receiver H> mailbox open(H& receiver) const {
        using office = detail::simulated_office<Crew>;
        std::shared_ptr<office> shared;
        world_->collective(rank_, {"open", 0, 0, 0, nullptr, &shared}, [&] {
            const auto made = std::make_shared<office>(world_->time);
            for (const auto& one : world_->contributions) *static_cast<std::shared_ptr<office>*>(one.shared) = made;
        });
        return mailbox(*this, std::move(shared), detail::any_receiver::of(receiver));
    }

    /// This group will never be whole again: all its ranks throw `mine`, by its type in core/error.hpp, from every call
    /// that waits; if another rank said so before, all throw that rank's error instead.
    [[noreturn]] void fail(const std::exception_ptr& mine) const { world_->time.fail(rank_, mine); }

private:
    sim(detail::simulation<Crew>* world, int rank) : world_(world), rank_(rank) {}

    detail::simulation<Crew>* world_;
    int rank_;
};

static_assert(PostalCommunicator<sim<>> && PairwiseCommunicator<sim<core::fast, detail::token_threads>>);

}  // namespace gamut::communicator

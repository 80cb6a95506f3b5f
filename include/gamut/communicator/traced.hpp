// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <span>
#include <utility>
#include <vector>

#include <gamut/communicator/concept.hpp>
#include <gamut/core/wait_watcher.hpp>

namespace gamut::communicator {

/// Any communicator whose waits are seen: each collective of this rank lies between watcher.enter and watcher.leave of
/// core::timeline, core::stall_report or both. The watchers must outlive it; copies are seen by the same ones.
///     core::timeline times("traces", rank);
///     communicator::traced ranks(communicator::mpi<>{}, times);
template <class C> class traced {
public:
    using sums = typename C::sums;

    template <std::derived_from<core::wait_watcher>... W>
    explicit traced(C inner, W&... watchers) : inner_(std::move(inner)),
                                               watchers_{&watchers...} {}

    int rank() const { return inner_.rank(); }
    int size() const { return inner_.size(); }
    int local_size() const { return inner_.local_size(); }

    template <Element T> void all_reduce(std::span<T> values, operation combine) const {
        const waiting here(*this, combine == operation::sum ? "all_reduce(sum)" : "all_reduce(maximum)",
                           values.size_bytes());
        inner_.all_reduce(values, combine);
    }
    template <Element T> void broadcast(std::span<T> values, int root) const {
        const waiting here(*this, "broadcast", values.size_bytes());
        inner_.broadcast(values, root);
    }
    template <Element T> void gather(std::span<const T> mine, std::span<T> all) const {
        const waiting here(*this, "gather", mine.size_bytes());
        inner_.gather(mine, all);
    }
    void barrier() const {
        const waiting here(*this, "barrier", 0);
        inner_.barrier();
    }

    template <Element T>
    void exchange(std::span<const parcel<const T>> out,
                  std::span<const parcel<T>> in) const requires PairwiseCommunicator<C> {
        std::size_t bytes = 0;
        for (const auto& one : out) bytes += one.values.size_bytes();
        const waiting here(*this, "exchange", bytes);
        inner_.exchange(out, in);
    }

    /// Letters are not seen, waits for them are.
    template <class Box> class mailbox {
    public:
        void post(int to, std::vector<std::uint8_t> bytes) const { box_.post(to, std::move(bytes)); }
        template <class Done> void wait(Done done) const {
            const waiting here(c_, "mailbox", 0);
            box_.wait(done);
        }
        template <class F> auto look(F f) const { return box_.look(f); }
        void settle() const {
            const waiting here(c_, "settle", 0);
            box_.settle();
        }

    private:
        friend class traced;
        template <Receiver H> mailbox(const traced& c, H& receiver) : c_(c), box_(c.inner_.open(receiver)) {}
        traced c_;
        Box box_;
    };

    template <Receiver H> auto open(H& receiver) const requires PostalCommunicator<C> {
        return mailbox<decltype(inner_.open(receiver))>(*this, receiver);
    }

    /// See together.hpp.
    [[noreturn]] void fail_together(const std::exception_ptr& mine) const requires requires(const C& c) {
        c.fail_together(mine);
    }
    {
        inner_.fail_together(mine);
        std::terminate();
    }

    [[noreturn]] void fail(const std::exception_ptr& mine) const requires requires(const C& c) { c.fail(mine); }
    {
        inner_.fail(mine);
        std::terminate();
    }

private:
    class waiting {
    public:
        waiting(const traced& of, const char* operation, std::size_t bytes) : of_(of) {
            for (core::wait_watcher* const each : of_.watchers_) each->enter(operation, bytes);
        }
        ~waiting() {
            for (core::wait_watcher* const each : of_.watchers_) each->leave();
        }
        waiting(const waiting&) = delete;
        waiting& operator=(const waiting&) = delete;

    private:
        const traced& of_;
    };

    C inner_;
    std::vector<core::wait_watcher*> watchers_;
};

}  // namespace gamut::communicator

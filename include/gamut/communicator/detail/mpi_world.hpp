// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <memory>
#include <optional>
#include <thread>

#include <gamut/communicator/detail/mpi_calls.hpp>
#include <gamut/communicator/detail/mpi_failures.hpp>
#include <gamut/communicator/detail/watchdog.hpp>
#include <gamut/core/clock.hpp>
#include <gamut/core/error.hpp>

namespace gamut::communicator::detail {

/// What a session keeps for all communicators.
struct world {
    explicit world(double deadline) : guard(deadline, &world::expired) {}

    static void expired(const wait& what, double seconds) {
        int rank = 0, size = 0;
        MPI_Comm_rank(MPI_COMM_WORLD, &rank);
        MPI_Comm_size(MPI_COMM_WORLD, &size);
        std::fprintf(stderr,
                     "gamut: rank %d of %d has waited %.1f s in %s of %zu %s (another rank never came, or the network "
                     "is cut) ending the job with exit code %d\n",
                     rank, size, seconds, what.operation, what.count, what.type, stuck);
        std::fflush(stderr);
        // the others' deadlines end about now, too: let them say what they waited for
        std::this_thread::sleep_for(std::chrono::duration<double>(std::min(1.0, seconds / 4)));
        abort_job(stuck);
    }

    boost::mpi::communicator everyone = duplicate_of_world();
    boost::mpi::communicator closing = duplicate_of_world();  // where ranks meet that leave, perhaps by an exception
    int local_size = ranks_here(everyone);
    std::shared_ptr<mpi_failures> failures = std::make_shared<mpi_failures>(everyone);
    watchdog guard;
};

inline world* running = nullptr;  // set by the session; read by every collective

inline world& running_world() {
    if (running == nullptr)
        throw core::communicator_error(
            "communicator::mpi: no session is running (MPI starts and ends with one) first in main: "
            "communicator::mpi_session session(argc, argv);");
    return *running;
}

/// A wait: it tells the watchdog, for as long as it lives, what this rank waits for, and hears of ranks that fail. Those may yet
/// have done their part of what this rank waits for, so it goes on for half a second before it fails as they do.
class waiting {
public:
    waiting(mpi_failures& group, const wait& what) : world_(running_world()), group_(group) {
        group_.check();
        world_.failures->check();
        world_.guard.enter(what);
    }
    ~waiting() { world_.guard.leave(); }
    waiting(const waiting&) = delete;
    waiting& operator=(const waiting&) = delete;

    /// Between two looks at what is waited for. Throws, on all ranks of the group, when one of them failed.
    void pause() {
        if (++pauses_ % 16 == 0) listen();
        if (pauses_ > 64) std::this_thread::yield();
    }

    void complete(MPI_Request& request, const char* call) {
        for (int done = 0;;) {
            checked(MPI_Test(&request, &done, MPI_STATUS_IGNORE), call);
            if (done != 0) return;
            pause();
        }
    }
    /// Until all ranks of `group` have come: what they then do together will end.
    void meet(MPI_Comm group) {
        MPI_Request request = MPI_REQUEST_NULL;
        checked(MPI_Ibarrier(group, &request), "MPI_Ibarrier");
        complete(request, "MPI_Ibarrier");
    }

private:
    void listen() {
        mpi_failures* const calling = group_.called()             ? &group_
                                      : world_.failures->called() ? world_.failures.get()
                                                                  : nullptr;
        if (calling == nullptr) return;
        if (!heard_) heard_.emplace();
        if (heard_->seconds() > 0.5) calling->fail_together(nullptr);
    }

    world& world_;
    mpi_failures& group_;
    std::size_t pauses_ = 0;
    std::optional<core::clock> heard_;
};

}  // namespace gamut::communicator::detail

// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include <gamut/communicator/concept.hpp>
#include <gamut/communicator/detail/mpi_calls.hpp>
#include <gamut/communicator/detail/mpi_office.hpp>
#include <gamut/communicator/detail/mpi_world.hpp>
#include <gamut/communicator/detail/parcels.hpp>
#include <gamut/communicator/detail/quiesce.hpp>
#include <gamut/core/clock.hpp>
#include <gamut/core/error.hpp>
#include <gamut/fwd.hpp>

namespace gamut::communicator {

/// Starts MPI, and ends it when it goes out of scope: first in main, one per process.
///
/// A watchdog thread ends a stuck job: a rank that waits in one collective for longer than `deadline` seconds writes
/// what it waits for to the standard error and aborts the job with exit code 75.
///
/// An exception that leaves the session's scope on all ranks passes unharmed. One that leaves it on some ranks only would
/// leave the others waiting for ever: after 2 seconds (a quarter of a shorter deadline) the job is aborted with exit
/// code 70, and nobody will see the exception's text, for it cannot be had while in flight: catch it inside to print it.
/// Work within communicator::together fails on all ranks with the same error instead, which all can catch and print; then the
/// ranks refuse to go on, and the session ends the job with exit code 70.
class mpi_session {
public:
    mpi_session(int& argc, char**& argv, double deadline = 60) : deadline_(deadline) {
        if (!(deadline > 0))
            throw core::option_error(
                core::text("mpi_session: deadline is ", deadline, " seconds (it must be positive)"));
        if (detail::running != nullptr)
            throw core::communicator_error("mpi_session: a session is running already (MPI starts once per process)");
        if (boost::mpi::environment::finalized())
            throw core::communicator_error("mpi_session: MPI has been ended (it starts once per process)");
        environment_.emplace(argc, argv, boost::mpi::threading::multiple, false);
        world_ = std::make_unique<detail::world>(deadline);
        detail::running = world_.get();
    }
    mpi_session(const mpi_session&) = delete;
    mpi_session& operator=(const mpi_session&) = delete;

    ~mpi_session() {
        const bool unwinding = std::uncaught_exceptions() > exceptions_;
        if (world_->failures->closed()) {
            everyone_leaves(std::min(deadline_ / 4, 2.0));  // so that all can say what they caught
            std::fprintf(stderr, "gamut: rank %d ends its mpi_session after a rank failed, with exit code %d\n",
                         world_->everyone.rank(), detail::failed);
            detail::abort_job(detail::failed);
        }
        {
            world_->guard.enter({"the end of the session", "ranks", static_cast<std::size_t>(world_->everyone.size())});
            if (!everyone_leaves(unwinding ? std::min(deadline_ / 4, 2.0) : 0)) {
                std::fprintf(stderr,
                             "gamut: rank %d leaves its mpi_session by an exception (the other ranks go on) ending the "
                             "job with exit code %d\n",
                             world_->everyone.rank(), detail::failed);
                detail::abort_job(detail::failed);
            }
            world_->guard.leave();
            detail::running = nullptr;
            world_->failures.reset();
            world_->everyone = world_->closing = boost::mpi::communicator(MPI_COMM_SELF, boost::mpi::comm_attach);
            environment_.reset();  // MPI_Finalize
        }
    }

private:
    /// False when not all ranks got here within `seconds`; 0: the watchdog's deadline.
    bool everyone_leaves(double seconds) noexcept {
        const core::clock clock;
        MPI_Request request = MPI_REQUEST_NULL;
        int done = 0;
        if (MPI_Ibarrier(world_->closing, &request) != MPI_SUCCESS) return false;
        while (MPI_Test(&request, &done, MPI_STATUS_IGNORE) == MPI_SUCCESS && !done) {
            if (seconds > 0 && clock.seconds() > seconds) return false;
            std::this_thread::yield();
        }
        return done != 0;
    }

    double deadline_;
    int exceptions_ = std::uncaught_exceptions();
    std::optional<boost::mpi::environment> environment_;
    std::unique_ptr<detail::world> world_;
};

/// Ranks that are processes, by MPI. mpi{} is everybody in the running mpi_session.
/// Per call one MPI collective on the caller's buffer, without copies; longer buffers than `chunk` numbers go in pieces
/// (MPI counts with 31 bits). gather of more than that is a broadcast per rank.
template <class Sums> class mpi {
public:
    using sums = Sums;
    static constexpr std::size_t largest_chunk = std::size_t{1} << 29;

    mpi()
        : mpi(detail::running_world().everyone, detail::running_world().local_size, largest_chunk,
              detail::running_world().failures) {}

    /// A part of the ranks, by Boost.MPI. Collective.
    explicit mpi(const boost::mpi::communicator& group)
        : mpi(group, prepare(group), largest_chunk, std::make_shared<detail::mpi_failures>(group)) {}

    /// The same ranks; buffers longer than `chunk` numbers go in pieces of that size.
    mpi in_chunks(std::size_t chunk) const {
        return {group_, local_size_, std::clamp<std::size_t>(chunk, 1, largest_chunk), failures_};
    }

    int rank() const { return rank_; }
    int size() const { return size_; }
    int local_size() const { return local_size_; }

    template <Element T> void all_reduce(std::span<T> values, operation combine) const {
        const bool sum = combine == operation::sum;
        detail::waiting here(*failures_,
                             {sum ? "all_reduce(sum)" : "all_reduce(maximum)", detail::type_name<T>(), values.size()});
        together(
            here, values,
            [&](T* from, int count, MPI_Request* request) {
                return MPI_Iallreduce(MPI_IN_PLACE, from, count, detail::mpi_type<T>(), sum ? MPI_SUM : MPI_MAX, group_,
                                      request);
            },
            [&](T* from, int count) {
                return MPI_Allreduce(MPI_IN_PLACE, from, count, detail::mpi_type<T>(), sum ? MPI_SUM : MPI_MAX, group_);
            },
            "MPI_Allreduce");
    }

    template <Element T> void broadcast(std::span<T> values, int root) const {
        detail::waiting here(*failures_, {"broadcast", detail::type_name<T>(), values.size()});
        broadcast(here, values, root);
    }

    template <Element T> void gather(std::span<const T> mine, std::span<T> all) const {
        if (all.size() != mine.size() * static_cast<std::size_t>(size_))
            throw core::shape_error(core::text("gather: ", all.size(), " entries for the result (", size_,
                                               " ranks bring ", mine.size(), " each)"));
        detail::waiting here(*failures_, {"gather", detail::type_name<T>(), mine.size()});
        if (all.empty()) return;
        if (all.size() <= chunk_) {
            const int count = static_cast<int>(mine.size());
            here.meet(group_);
            detail::checked(MPI_Allgather(mine.data(), count, detail::mpi_type<T>(), all.data(), count,
                                          detail::mpi_type<T>(), group_),
                            "MPI_Allgather");
            return;
        }
        std::copy(mine.begin(), mine.end(), all.begin() + static_cast<std::ptrdiff_t>(mine.size()) * rank_);
        for (int root = 0; root < size_; ++root)
            broadcast(here, all.subspan(mine.size() * static_cast<std::size_t>(root), mine.size()), root);
    }

    /// Non-blocking receives and sends of the parcels, and one wait for all of them.
    template <Element T> void exchange(std::span<const parcel<const T>> out, std::span<const parcel<T>> in) const {
        detail::check_ranks(out, in, size_);
        if (out.empty() && in.empty()) return;
        detail::waiting here(*failures_, {"exchange", detail::type_name<T>(), out.size() + in.size()});
        std::vector<MPI_Request> requests;
        std::vector<expected> parts;
        requests.reserve(out.size() + in.size());
        parts.reserve(in.size());
        for (const auto& one : in)
            pieces_or_nothing(one.values, [&](T* to, int count) {
                parts.push_back({one.rank, count});
                detail::checked(MPI_Irecv(to, count, detail::mpi_type<T>(), one.rank, 0, group_,
                                          &requests.emplace_back(MPI_REQUEST_NULL)),
                                "MPI_Irecv");
            });
        for (const auto& one : out)
            pieces_or_nothing(one.values, [&](const T* from, int count) {
                detail::checked(MPI_Isend(from, count, detail::mpi_type<T>(), one.rank, 0, group_,
                                          &requests.emplace_back(MPI_REQUEST_NULL)),
                                "MPI_Isend");
            });
        std::vector<MPI_Status> statuses(requests.size());
        int code = MPI_SUCCESS;
        try {
            for (int done = 0; done == 0 && code == MPI_SUCCESS;) {
                code = MPI_Testall(static_cast<int>(requests.size()), requests.data(), &done, statuses.data());
                if (done == 0 && code == MPI_SUCCESS) here.pause();
            }
        } catch (...) {  // what has not arrived must not be written into buffers that will be gone
            for (std::size_t k = 0; k < parts.size(); ++k)
                if (requests[k] != MPI_REQUEST_NULL) MPI_Cancel(&requests[k]);
            throw;
        }
        if (code != MPI_ERR_IN_STATUS) detail::checked(code, "MPI_Waitall");
        for (std::size_t k = 0; k < statuses.size(); ++k) {
            const int why = code == MPI_ERR_IN_STATUS ? statuses[k].MPI_ERROR : MPI_SUCCESS;
            int arrived = 0;
            if (k < parts.size() && why == MPI_SUCCESS) MPI_Get_count(&statuses[k], detail::mpi_type<T>(), &arrived);
            if (k < parts.size() && (why == MPI_ERR_TRUNCATE || (why == MPI_SUCCESS && arrived != parts[k].count)))
                throw core::communicator_error(
                    core::text("exchange: rank ", parts[k].rank, " sends ", why == MPI_SUCCESS ? "fewer" : "more",
                               " numbers to rank ", rank_, " than it expects (", parts[k].count, ") lists must match"));
            detail::checked(why, "MPI_Waitall");
        }
    }

    /// One thread per mailbox takes letters while this rank computes.
    class mailbox {
    public:
        void post(int to, std::vector<std::uint8_t> bytes) const {
            detail::check_addressee(to, c_.size());
            office_->post(to, std::move(bytes));
        }
        template <class Done> void wait(Done done) const { office_->wait(done); }
        template <class F> auto look(F f) const { return office_->look(f); }
        void settle() const {
            detail::quiesce(c_, [&](std::int64_t& posted, std::int64_t& taken) { office_->counts(posted, taken); });
        }

    private:
        friend class mpi;
        mailbox(const mpi& c, detail::any_receiver receiver)
            : c_(c),
              office_(std::make_unique<detail::mpi_office>(c.group_, c.failures_, receiver)) {}
        mpi c_;
        std::unique_ptr<detail::mpi_office> office_;
    };

    template <Receiver H> mailbox open(H& receiver) const { return mailbox(*this, detail::any_receiver::of(receiver)); }

    void barrier() const {
        detail::waiting here(*failures_, {"barrier", "ranks", static_cast<std::size_t>(size_)});
        here.meet(group_);
    }

    /// All ranks of the group throw the same error from wherever they wait, and the group is closed; unless all call this with the
    /// same words: then all throw their own, and can go on. A message per pair of ranks.
    [[noreturn]] void fail_together(const std::exception_ptr& mine) const { failures_->fail_together(mine); }

private:
    static constexpr std::size_t short_bytes = std::size_t{1} << 16;

    mpi(const boost::mpi::communicator& group, int local_size, std::size_t chunk,
        std::shared_ptr<detail::mpi_failures> failures)
        : group_(group),
          rank_(group.rank()),
          size_(group.size()),
          local_size_(local_size),
          chunk_(chunk),
          failures_(std::move(failures)) {}

    static int prepare(const boost::mpi::communicator& group) {
        detail::running_world();
        detail::checked(MPI_Comm_set_errhandler(group, MPI_ERRORS_RETURN), "MPI_Comm_set_errhandler");
        return detail::ranks_here(group);
    }

    struct expected {
        int rank, count;
    };

    template <class T> static MPI_Datatype type() { return boost::mpi::get_mpi_datatype<T>(T{}); }

    /// A collective on a buffer in place. A short one is begun on a copy, which stays behind when another rank fails; for a long
    /// one the ranks meet first, and nothing can keep them from ending it.
    template <class T, class Begin, class Call>
    void together(detail::waiting& here, std::span<T> values, Begin begin, Call call, const char* name) const {
        if (values.size_bytes() > short_bytes || values.size() > chunk_) {
            here.meet(group_);
            pieces(values, [&](T* from, int count) { detail::checked(call(from, count), name); });
            return;
        }
        if (values.empty()) return;
        auto copy = std::make_unique<T[]>(values.size());
        std::copy(values.begin(), values.end(), copy.get());
        MPI_Request request = MPI_REQUEST_NULL;
        detail::checked(begin(copy.get(), static_cast<int>(values.size()), &request), name);
        try {
            here.complete(request, name);
        } catch (...) {
            detail::keep_for_mpi(std::move(copy));
            throw;
        }
        std::copy(copy.get(), copy.get() + values.size(), values.begin());
    }

    template <class T> void broadcast(detail::waiting& here, std::span<T> values, int root) const {
        together(
            here, values,
            [&](T* from, int count, MPI_Request* request) {
                return MPI_Ibcast(from, count, detail::mpi_type<T>(), root, group_, request);
            },
            [&](T* from, int count) { return MPI_Bcast(from, count, detail::mpi_type<T>(), root, group_); },
            "MPI_Bcast");
    }

    template <class T, class Call> void pieces(std::span<T> values, Call call) const {
        for (std::size_t begin = 0; begin < values.size(); begin += chunk_)
            call(values.data() + begin, static_cast<int>(std::min(chunk_, values.size() - begin)));
    }

    template <class T, class Call> void pieces_or_nothing(std::span<T> values, Call call) const {
        if (values.empty()) call(values.data(), 0);
        pieces(values, call);
    }

    boost::mpi::communicator group_;
    int rank_, size_, local_size_;
    std::size_t chunk_;
    std::shared_ptr<detail::mpi_failures> failures_;
};

static_assert(PostalCommunicator<mpi<>> && Communicator<mpi<core::fast>>);

}  // namespace gamut::communicator

// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <boost/mpi/communicator.hpp>
#include <boost/mpi/datatype.hpp>
#include <boost/mpi/environment.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <limits>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include <gamut/communicator/concept.hpp>
#include <gamut/communicator/detail/parcels.hpp>
#include <gamut/communicator/detail/quiesce.hpp>
#include <gamut/communicator/detail/watchdog.hpp>
#include <gamut/core/clock.hpp>
#include <gamut/core/error.hpp>
#include <gamut/fwd.hpp>

namespace gamut::communicator {

namespace detail {

/// Every raw MPI call goes through here: communicators return error codes, and an unread code is a wrong result.
inline void checked(int code, const char* call) {
    if (code == MPI_SUCCESS) return;
    char reason[MPI_MAX_ERROR_STRING] = "unknown error";
    int length = 0;
    MPI_Error_string(code, reason, &length);
    throw core::communicator_error(core::text(call, " failed (", static_cast<const char*>(reason), ")"));
}

/// The ranks of `group` that share this machine. Collective.
inline int ranks_here(MPI_Comm group) {
    MPI_Comm here = MPI_COMM_NULL;
    checked(MPI_Comm_split_type(group, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &here), "MPI_Comm_split_type");
    int ranks = 0;
    checked(MPI_Comm_size(here, &ranks), "MPI_Comm_size");
    checked(MPI_Comm_free(&here), "MPI_Comm_free");
    return ranks;
}

inline boost::mpi::communicator duplicate_of_world() {
    boost::mpi::communicator copy(MPI_COMM_WORLD, boost::mpi::comm_duplicate);
    checked(MPI_Comm_set_errhandler(copy, MPI_ERRORS_RETURN), "MPI_Comm_set_errhandler");
    return copy;
}

inline constexpr int stuck = 75;   // exit code of a job that the watchdog ended: try again later (EX_TEMPFAIL)
inline constexpr int failed = 70;  // exit code of a job that one rank left by an exception (EX_SOFTWARE)

/// Ends all ranks. The second thread is for an MPI that cannot even do that any more.
[[noreturn]] inline void abort_job(int code) {
    std::fflush(stderr);
    std::thread([code] {
        std::this_thread::sleep_for(std::chrono::seconds(10));
        std::_Exit(code);
    }).detach();
    MPI_Abort(MPI_COMM_WORLD, code);
    std::_Exit(code);
}

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

/// Tells the watchdog, for as long as it lives, what this rank waits for.
class waiting {
public:
    explicit waiting(const wait& what) : guard_(running_world().guard) { guard_.enter(what); }
    ~waiting() { guard_.leave(); }
    waiting(const waiting&) = delete;
    waiting& operator=(const waiting&) = delete;

private:
    watchdog& guard_;
};

template <class T> constexpr const char* type_name() {
    if constexpr (std::is_same_v<T, double>)
        return "double";
    else if constexpr (std::is_same_v<T, float>)
        return "float";
    else if constexpr (std::is_same_v<T, std::int64_t>)
        return "int64";
    else if constexpr (std::is_same_v<T, std::int32_t>)
        return "int32";
    else
        return "uint8";
}

/// Letters over MPI, on a communicator of their own: non-blocking sends, matched probes, and a thread that takes letters
/// while the rank computes; it stands aside while the rank waits, and takes them itself.
class mpi_office {
public:
    mpi_office(MPI_Comm group, any_receiver receiver) : receiver_(receiver) {
        checked(MPI_Comm_dup(group, &comm_), "MPI_Comm_dup");
        checked(MPI_Comm_set_errhandler(comm_, MPI_ERRORS_RETURN), "MPI_Comm_set_errhandler");
        thread_ = std::jthread([this](std::stop_token stop) { serve(stop); });
    }
    mpi_office(const mpi_office&) = delete;
    mpi_office& operator=(const mpi_office&) = delete;

    ~mpi_office() {
        thread_.request_stop();
        thread_.join();
        forget_the_sent();
        if (sent_.empty()) {
            MPI_Comm_free(&comm_);
        } else {  // not settled: MPI may still read them
            static_cast<void>(new std::list<letter>(std::move(sent_)));
        }
    }

    void post(int to, std::vector<std::uint8_t> bytes) {
        if (bytes.size() > static_cast<std::size_t>(std::numeric_limits<int>::max()))
            throw core::communicator_error(
                core::text("mailbox: a letter of ", bytes.size(), " bytes (MPI counts with 31 bits) send several"));
        const std::lock_guard lock(sends_);
        forget_the_sent();
        letter& last = sent_.emplace_back(letter{std::move(bytes), MPI_REQUEST_NULL});
        checked(
            MPI_Isend(last.bytes.data(), static_cast<int>(last.bytes.size()), MPI_BYTE, to, 0, comm_, &last.request),
            "MPI_Isend");
        ++posted_;
    }

    template <class Done> void wait(Done done) {
        const absence thread(waiting_);
        while (!look(done))
            if (!take()) std::this_thread::yield();
    }

    template <class F> auto look(F f) {
        const std::lock_guard lock(state_);
        if (failure_) std::rethrow_exception(failure_);
        return f();
    }

    void counts(std::int64_t& posted, std::int64_t& taken) {
        while (take()) {}
        {
            const std::lock_guard lock(state_);
            taken = taken_;
        }
        const std::lock_guard lock(sends_);
        posted = posted_;
    }

private:
    struct letter {
        std::vector<std::uint8_t> bytes;
        MPI_Request request;
    };
    struct absence {
        explicit absence(std::atomic<int>& count) : count_(count) { ++count_; }
        ~absence() { --count_; }
        absence(const absence&) = delete;
        absence& operator=(const absence&) = delete;
        std::atomic<int>& count_;
    };

    void serve(const std::stop_token& stop) {
        using std::chrono::microseconds;
        constexpr microseconds shortest(5), longest(200);
        for (microseconds pause = shortest; !stop.stop_requested();) {
            if (waiting_ == 0 && take()) {
                pause = shortest;
            } else {
                std::this_thread::sleep_for(pause);
                pause = std::min(2 * pause, longest);
            }
        }
    }

    void forget_the_sent() {
        std::erase_if(sent_, [](letter& one) {
            int done = 0;
            MPI_Test(&one.request, &done, MPI_STATUS_IGNORE);
            return done != 0;
        });
    }

    /// One letter, if there is one.
    bool take() noexcept {
        const std::lock_guard lock(state_);
        try {
            int found = 0;
            MPI_Message message = MPI_MESSAGE_NULL;
            MPI_Status status{};
            checked(MPI_Improbe(MPI_ANY_SOURCE, 0, comm_, &found, &message, &status), "MPI_Improbe");
            if (found == 0) return false;
            int count = 0;
            checked(MPI_Get_count(&status, MPI_BYTE, &count), "MPI_Get_count");
            bytes_.resize(static_cast<std::size_t>(count));
            checked(MPI_Mrecv(bytes_.data(), count, MPI_BYTE, &message, MPI_STATUS_IGNORE), "MPI_Mrecv");
            ++taken_;
            receiver_(status.MPI_SOURCE, bytes_);
        } catch (...) {
            if (!failure_) failure_ = std::current_exception();
        }
        return true;
    }

    any_receiver receiver_;
    MPI_Comm comm_ = MPI_COMM_NULL;
    std::mutex sends_, state_;  // of sent_, posted_; of the rest
    std::list<letter> sent_;
    std::int64_t posted_ = 0, taken_ = 0;
    std::vector<std::uint8_t> bytes_;
    std::exception_ptr failure_;
    std::atomic<int> waiting_{0};
    std::jthread thread_;
};

}  // namespace detail

/// Starts MPI, and ends it when it goes out of scope: first in main, one per process.
///
/// A watchdog thread ends a stuck job: a rank that waits in one collective for longer than `deadline` seconds writes
/// what it waits for to the standard error and aborts the job with exit code 75.
///
/// An exception that leaves the session's scope on all ranks passes unharmed. One that leaves it on some ranks only would
/// leave the others waiting for ever: after 5 seconds (a quarter of a shorter deadline) the job is aborted with exit
/// code 70, and nobody will see the exception's text, for it cannot be had while in flight: catch it inside to print it.
class mpi_session {
public:
    mpi_session(int& argc, char**& argv, double deadline = 600) : deadline_(deadline) {
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
        {
            const detail::waiting guard(
                {"the end of the session", "ranks", static_cast<std::size_t>(world_->everyone.size())});
            if (!everyone_leaves(unwinding ? std::min(deadline_ / 4, 5.0) : 0)) {
                std::fprintf(stderr,
                             "gamut: rank %d leaves its mpi_session by an exception (the other ranks go on) ending the "
                             "job with exit code %d\n",
                             world_->everyone.rank(), detail::failed);
                detail::abort_job(detail::failed);
            }
            detail::running = nullptr;
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

    mpi() : mpi(detail::running_world().everyone, detail::running_world().local_size, largest_chunk) {}

    /// A part of the ranks, by Boost.MPI. Collective.
    explicit mpi(const boost::mpi::communicator& group) : mpi(group, prepare(group), largest_chunk) {}

    /// The same ranks; buffers longer than `chunk` numbers go in pieces of that size.
    mpi in_chunks(std::size_t chunk) const {
        return {group_, local_size_, std::clamp<std::size_t>(chunk, 1, largest_chunk)};
    }

    int rank() const { return rank_; }
    int size() const { return size_; }
    int local_size() const { return local_size_; }

    template <Element T> void all_reduce(std::span<T> values, operation combine) const {
        const bool sum = combine == operation::sum;
        const detail::waiting guard(
            {sum ? "all_reduce(sum)" : "all_reduce(maximum)", detail::type_name<T>(), values.size()});
        pieces(values, [&](T* from, int count) {
            detail::checked(MPI_Allreduce(MPI_IN_PLACE, from, count, type<T>(), sum ? MPI_SUM : MPI_MAX, group_),
                            "MPI_Allreduce");
        });
    }

    template <Element T> void broadcast(std::span<T> values, int root) const {
        const detail::waiting guard({"broadcast", detail::type_name<T>(), values.size()});
        pieces(values, [&](T* from, int count) {
            detail::checked(MPI_Bcast(from, count, type<T>(), root, group_), "MPI_Bcast");
        });
    }

    template <Element T> void gather(std::span<const T> mine, std::span<T> all) const {
        if (all.size() != mine.size() * static_cast<std::size_t>(size_))
            throw core::shape_error(core::text("gather: ", all.size(), " entries for the result (", size_,
                                               " ranks bring ", mine.size(), " each)"));
        const detail::waiting guard({"gather", detail::type_name<T>(), mine.size()});
        if (all.empty()) return;
        if (all.size() <= chunk_) {
            const int count = static_cast<int>(mine.size());
            detail::checked(MPI_Allgather(mine.data(), count, type<T>(), all.data(), count, type<T>(), group_),
                            "MPI_Allgather");
            return;
        }
        std::copy(mine.begin(), mine.end(), all.begin() + static_cast<std::ptrdiff_t>(mine.size()) * rank_);
        for (int root = 0; root < size_; ++root)
            pieces(all.subspan(mine.size() * static_cast<std::size_t>(root), mine.size()), [&](T* from, int count) {
                detail::checked(MPI_Bcast(from, count, type<T>(), root, group_), "MPI_Bcast");
            });
    }

    /// Non-blocking receives and sends of the parcels, and one wait for all of them.
    template <Element T> void exchange(std::span<const parcel<const T>> out, std::span<const parcel<T>> in) const {
        detail::check_ranks(out, in, size_);
        if (out.empty() && in.empty()) return;
        const detail::waiting guard({"exchange", detail::type_name<T>(), out.size() + in.size()});
        std::vector<MPI_Request> requests;
        std::vector<expected> parts;
        requests.reserve(out.size() + in.size());
        parts.reserve(in.size());
        for (const auto& one : in)
            pieces_or_nothing(one.values, [&](T* to, int count) {
                parts.push_back({one.rank, count});
                detail::checked(
                    MPI_Irecv(to, count, type<T>(), one.rank, 0, group_, &requests.emplace_back(MPI_REQUEST_NULL)),
                    "MPI_Irecv");
            });
        for (const auto& one : out)
            pieces_or_nothing(one.values, [&](const T* from, int count) {
                detail::checked(
                    MPI_Isend(from, count, type<T>(), one.rank, 0, group_, &requests.emplace_back(MPI_REQUEST_NULL)),
                    "MPI_Isend");
            });
        std::vector<MPI_Status> statuses(requests.size());
        const int code = MPI_Waitall(static_cast<int>(requests.size()), requests.data(), statuses.data());
        if (code != MPI_ERR_IN_STATUS) detail::checked(code, "MPI_Waitall");
        for (std::size_t k = 0; k < statuses.size(); ++k) {
            const int why = code == MPI_ERR_IN_STATUS ? statuses[k].MPI_ERROR : MPI_SUCCESS;
            int arrived = 0;
            if (k < parts.size() && why == MPI_SUCCESS) MPI_Get_count(&statuses[k], type<T>(), &arrived);
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
        template <class Done> void wait(Done done) const {
            const detail::waiting guard({"mailbox", "letters", 1});
            office_->wait(done);
        }
        template <class F> auto look(F f) const { return office_->look(f); }
        void settle() const {
            detail::quiesce(c_, [&](std::int64_t& posted, std::int64_t& taken) { office_->counts(posted, taken); });
        }

    private:
        friend class mpi;
        mailbox(const mpi& c, detail::any_receiver receiver)
            : c_(c),
              office_(std::make_unique<detail::mpi_office>(c.group_, receiver)) {}
        mpi c_;
        std::unique_ptr<detail::mpi_office> office_;
    };

    template <Receiver H> mailbox open(H& receiver) const { return mailbox(*this, detail::any_receiver::of(receiver)); }

    void barrier() const {
        const detail::waiting guard({"barrier", "ranks", static_cast<std::size_t>(size_)});
        detail::checked(MPI_Barrier(group_), "MPI_Barrier");
    }

private:
    mpi(const boost::mpi::communicator& group, int local_size, std::size_t chunk)
        : group_(group),
          rank_(group.rank()),
          size_(group.size()),
          local_size_(local_size),
          chunk_(chunk) {}

    static int prepare(const boost::mpi::communicator& group) {
        detail::running_world();
        detail::checked(MPI_Comm_set_errhandler(group, MPI_ERRORS_RETURN), "MPI_Comm_set_errhandler");
        return detail::ranks_here(group);
    }

    struct expected {
        int rank, count;
    };

    template <class T> static MPI_Datatype type() { return boost::mpi::get_mpi_datatype<T>(T{}); }

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
};

static_assert(PostalCommunicator<mpi<>> && Communicator<mpi<core::fast>>);

}  // namespace gamut::communicator

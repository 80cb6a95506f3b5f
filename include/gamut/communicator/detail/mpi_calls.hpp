// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <boost/mpi/communicator.hpp>
#include <boost/mpi/datatype.hpp>
#include <boost/mpi/environment.hpp>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include <gamut/core/error.hpp>

/// The one file that includes MPI: what the others here say to it.
namespace gamut::communicator::detail {

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

/// Keeps what MPI may still read or write, now that nobody waits for it any more, until the process ends.
template <class Pointer> void keep_for_mpi(Pointer owner) noexcept {
    try {
        static std::mutex guard;
        static auto& kept = *new std::vector<std::shared_ptr<void>>;  // outlives whatever is destroyed at the end
        const std::lock_guard lock(guard);
        kept.reserve(kept.size() + 1);
        kept.emplace_back(std::move(owner));
    } catch (...) {
        static_cast<void>(owner.release());
    }
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

template <class T> MPI_Datatype mpi_type() { return boost::mpi::get_mpi_datatype<T>(T{}); }

}  // namespace gamut::communicator::detail

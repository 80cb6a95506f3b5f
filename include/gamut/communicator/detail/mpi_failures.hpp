// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <exception>
#include <new>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <gamut/communicator/detail/failure.hpp>
#include <gamut/communicator/detail/mpi_calls.hpp>
#include <gamut/core/error.hpp>

namespace gamut::communicator::detail {

/// How ranks of a group hear of an error wherever they wait, on an MPI communicator of its own. A rank that fails sends its
/// error to all others; a rank that hears of one while it waits answers that it has none. When each has a letter of every other,
/// all know the same: either all failed with the same words, and the group can go on, or the error of the lowest rank that failed
/// is everybody's, and the group is closed. From then on its calls throw and do not reach MPI. Costs nothing until somebody fails but a probe now and then; then a message per pair of ranks.
class mpi_failures {
public:
    explicit mpi_failures(MPI_Comm group) {
        checked(MPI_Comm_dup(group, &comm_), "MPI_Comm_dup");
        checked(MPI_Comm_set_errhandler(comm_, MPI_ERRORS_RETURN), "MPI_Comm_set_errhandler");
        checked(MPI_Comm_rank(comm_, &rank_), "MPI_Comm_rank");
        checked(MPI_Comm_size(comm_, &size_), "MPI_Comm_size");
        letters_.resize(static_cast<std::size_t>(size_));
        for (letter& one : letters_) one.resize(longest);
        requests_.resize(letters_.size(), MPI_REQUEST_NULL);
        mine_.resize(longest);
        const auto empty = std::make_exception_ptr(std::bad_alloc());
        out_of_memory_ = core::message_of(empty);
        for (int rank = 0; rank < size_; ++rank)
            memory_.push_back(
                made(core::error_kind::memory, quoted(core::error_kind::memory, rank, size_, out_of_memory_)));
    }
    mpi_failures(const mpi_failures&) = delete;
    mpi_failures& operator=(const mpi_failures&) = delete;
    ~mpi_failures() {
        int ended = 0;
        MPI_Finalized(&ended);
        if (!ended && !closed_) MPI_Comm_free(&comm_);
    }

    bool closed() const { return is_closed_; }  // from any thread
    /// Throws what closed the group, if something did.
    void check() const {
        if (is_closed_) std::rethrow_exception(closed_);
    }

    /// Another rank has said that it failed. A probe.
    bool called() const {
        int found = 0;
        return MPI_Iprobe(MPI_ANY_SOURCE, 0, comm_, &found, MPI_STATUS_IGNORE) == MPI_SUCCESS && found != 0;
    }

    /// Throws `mine` if all ranks call this with the same words; otherwise what closes the group. Without `mine`: what was heard.
    [[noreturn]] void fail_together(const std::exception_ptr& mine) {
        check();
        write(mine);
        for (int other = 0; other < size_; ++other)
            if (other != rank_)
                MPI_Isend(mine_.data(), static_cast<int>(length_of(mine_)), MPI_BYTE, other, 0, comm_,
                          &requests_[static_cast<std::size_t>(other)]);
        letters_[static_cast<std::size_t>(rank_)] = mine_;
        for (int missing = size_ - 1; missing > 0;) {
            for (int other = 0; other < size_; ++other) missing -= !heard(other) && receive(other);
            if (missing > 0) std::this_thread::yield();
        }
        MPI_Waitall(size_, requests_.data(), MPI_STATUSES_IGNORE);
        int first = size_;
        bool same = true;
        for (int other = size_ - 1; other >= 0; --other) {
            if (failed(at(other)))
                first = other;
            else
                same = false;
            same = same &&
                   std::equal(at(other).begin(), at(other).begin() + static_cast<std::ptrdiff_t>(header),
                              at(rank_).begin()) &&
                   std::memcmp(at(other).data(), at(rank_).data(), length_of(at(rank_))) == 0;
        }
        if (!same) {
            closed_ = read(first);
            is_closed_ = true;
        }
        for (letter& one : letters_) one[0] = unheard;
        if (same) std::rethrow_exception(mine);
        std::rethrow_exception(closed_);
    }

private:
    // the first byte: what the letter says; then the kind of error, the length of its text, and the text
    using letter = std::vector<std::uint8_t>;
    static constexpr std::uint8_t unheard = 0, heard_of_one = 1, has_failed = 2;
    static constexpr std::size_t header = 6, longest = 4096;

    letter& at(int rank) { return letters_[static_cast<std::size_t>(rank)]; }
    bool heard(int rank) { return rank == rank_ || at(rank)[0] != unheard; }
    static bool failed(const letter& one) { return one[0] == has_failed; }
    static std::size_t length_of(const letter& one) {
        std::uint32_t length = 0;
        std::memcpy(&length, one.data() + 2, sizeof length);
        return std::min<std::size_t>(header + length, longest);
    }

    /// Takes no memory when memory is out.
    void write(const std::exception_ptr& mine) noexcept {
        mine_[0] = mine ? has_failed : heard_of_one;
        mine_[1] = static_cast<std::uint8_t>(core::error_kind::memory);
        const auto put = [&](const std::string& text) {
            const auto length = static_cast<std::uint32_t>(std::min(text.size(), longest - header));
            std::memcpy(mine_.data() + 2, &length, sizeof length);
            std::memcpy(mine_.data() + header, text.data(), length);
        };
        if (!mine) return put({});
        try {
            const std::string text = core::message_of(mine);
            mine_[1] = static_cast<std::uint8_t>(core::kind_of(mine));
            put(text);
        } catch (...) {
            put(out_of_memory_);
        }
    }

    /// What closes the group: the error of a rank, as all throw it.
    std::exception_ptr read(int rank) noexcept {
        const letter& one = at(rank);
        const auto kind = static_cast<core::error_kind>(one[1]);
        if (kind == core::error_kind::memory) return memory_[static_cast<std::size_t>(rank)];
        try {
            return made(
                kind, quoted(kind, rank, size_,
                             std::string(reinterpret_cast<const char*>(one.data()) + header, length_of(one) - header)));
        } catch (...) {
            return memory_[static_cast<std::size_t>(rank)];
        }
    }

    bool receive(int from) {
        int found = 0;
        MPI_Status status{};
        if (MPI_Iprobe(from, 0, comm_, &found, &status) != MPI_SUCCESS || found == 0) return false;
        MPI_Recv(at(from).data(), static_cast<int>(longest), MPI_BYTE, from, 0, comm_, MPI_STATUS_IGNORE);
        return true;
    }

    MPI_Comm comm_ = MPI_COMM_NULL;
    int rank_ = 0, size_ = 1;
    std::vector<letter> letters_;  // by rank; made ahead, for when memory is out it is too late
    letter mine_;
    std::vector<MPI_Request> requests_;
    std::string out_of_memory_;
    std::vector<std::exception_ptr> memory_;  // by rank
    std::exception_ptr closed_;
    std::atomic<bool> is_closed_{false};
};

}  // namespace gamut::communicator::detail

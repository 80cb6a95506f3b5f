// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <exception>
#include <new>
#include <string>
#include <vector>

#include <gamut/core/error.hpp>

namespace gamut::communicator::detail {

/// What rank `rank` of `size` says, as the others quote it.
inline std::string quoted(core::error_kind kind, int rank, int size, const std::string& message) {
    // where in a file something is wrong doesn't depend on who read it; who said so already need not say it twice
    const bool plain =
        size == 1 || kind == core::error_kind::data || message.starts_with(core::text("rank ", rank, ": "));
    return plain ? message : core::text("rank ", rank, ": ", message);
}

inline std::exception_ptr made(core::error_kind kind, const std::string& message) {
    try {
        core::throw_error(kind, message);
    } catch (...) {
        return std::current_exception();
    }
}

inline bool same_words(const std::exception_ptr& a, const std::exception_ptr& b) noexcept {
    try {
        return a == b || (core::kind_of(a) == core::kind_of(b) && core::message_of(a) == core::message_of(b));
    } catch (...) {
        return false;
    }
}

/// The first error that a rank of a group posted, as all its ranks will throw it.
/// What says that memory is out is made ahead, for then it is too late.
class failures {
public:
    explicit failures(int ranks) : ranks_(ranks) {
        const auto empty = std::make_exception_ptr(std::bad_alloc());
        for (int rank = 0; rank < ranks; ++rank)
            out_of_memory_.push_back(
                made(core::error_kind::memory, quoted(core::error_kind::memory, rank, ranks, core::message_of(empty))));
    }

    const std::exception_ptr& posted() const { return first_; }

    void post(int rank, const std::exception_ptr& mine) noexcept {
        if (first_) return;
        try {
            const auto kind = core::kind_of(mine);
            if (kind != core::error_kind::memory)
                first_ = made(kind, quoted(kind, rank, ranks_, core::message_of(mine)));
        } catch (...) {}
        if (!first_) first_ = out_of_memory_[static_cast<std::size_t>(rank)];
    }

private:
    int ranks_;
    std::vector<std::exception_ptr> out_of_memory_;  // by rank
    std::exception_ptr first_;
};

}  // namespace gamut::communicator::detail

// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <concepts>
#include <exception>
#include <type_traits>
#include <utility>

#include <gamut/communicator/agree.hpp>
#include <gamut/communicator/concept.hpp>

namespace gamut::communicator {

/// Ranks whose waits an error can end: c.fail_together(mine) throws on all ranks, see together.
template <class C>
concept FailingTogether = Communicator<C> && requires(const C& c, const std::exception_ptr& mine) {
    c.fail_together(mine);
};

/// Runs work that communicates, on all ranks, and returns what it returns. A rank that fails somewhere between two
/// collectives, by a std::bad_alloc say, is heard by the others wherever they wait: all throw that error, by its type in
/// core/error.hpp, and the group refuses further use. Errors that ranks agreed upon, or that all of them throw with the
/// same words, pass as they are, and the group can go on.
/// Collective: one barrier. On one rank, and on sim, where an error that leaves a rank is everybody's anyway, it is work() alone.
template <Communicator C, std::invocable F> std::invoke_result_t<F> together(const C& c, F&& work) {
    if constexpr (!FailingTogether<C>) {
        return std::forward<F>(work)();
    } else {
        std::exception_ptr mine;
        try {
            std::invoke_result_t<F> result = std::forward<F>(work)();
            c.barrier();
            return result;
        } catch (...) {
            mine = std::current_exception();
        }
        c.fail_together(mine);
        std::terminate();
    }
}

}  // namespace gamut::communicator

// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include <cxxabi.h>
#include <sys/mman.h>
#include <ucontext.h>

#include <gamut/core/error.hpp>

namespace gamut::communicator::detail {

/// N flows of control of which one runs at a time, all on the thread that called run: each has a stack of its own, of
/// which only what it touches takes memory, and a page below it that ends the process when a stack overflows.
/// The exceptions in flight are a thread's, so they change hands with the stack.
class fibers {
public:
    explicit fibers(int flows) : fibers_(static_cast<std::size_t>(flows) + 1) {}
    fibers(const fibers&) = delete;
    fibers& operator=(const fibers&) = delete;
    ~fibers() {
        for (auto& one : fibers_)
            if (one.memory != nullptr) ::munmap(one.memory, guard + stack);
    }

    /// Runs body(flow) for every flow, `first` first; it returns who goes on after it, or -1 when it is the last.
    template <class Body> void run(int first, Body body) {
        const int flows = static_cast<int>(fibers_.size()) - 1;
        std::vector<start<Body>> starts(static_cast<std::size_t>(flows));
        for (int flow = 0; flow < flows; ++flow) {
            starts[static_cast<std::size_t>(flow)] = {this, &body, flow};
            prepare(flow, &starts[static_cast<std::size_t>(flow)], &enter<Body>);
        }
        hand_over(flows, first);
    }

    void hand_over(int from, int to) {
        auto* const globals = reinterpret_cast<in_flight*>(abi::__cxa_get_globals());
        at(from).exceptions = *globals;
        *globals = at(to).exceptions;
        ::swapcontext(&at(from).context, &at(to).context);
    }

private:
    static constexpr std::size_t stack = std::size_t{1} << 20, guard = 4096;

    struct in_flight {  // __cxa_eh_globals of the Itanium C++ ABI, 2.2.2
        void* caught = nullptr;
        unsigned uncaught = 0;
    };
    struct fiber {
        ucontext_t context{};
        void* memory = nullptr;
        in_flight exceptions{};
    };
    template <class Body> struct start {
        fibers* self = nullptr;
        Body* body = nullptr;
        int flow = 0;
    };

    fiber& at(int flow) { return fibers_[static_cast<std::size_t>(flow)]; }

    template <class Body> static void enter(unsigned high, unsigned low) {
        const auto address = static_cast<std::uintptr_t>((std::uint64_t{high} << 32) | low);
        const auto& mine = *reinterpret_cast<start<Body>*>(address);
        const int next = (*mine.body)(mine.flow);
        mine.self->hand_over(mine.flow, next < 0 ? static_cast<int>(mine.self->fibers_.size()) - 1 : next);
    }

    void prepare(int flow, void* argument, void (*entry)(unsigned, unsigned)) {
        fiber& one = at(flow);
        void* const memory =
            ::mmap(nullptr, guard + stack, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (memory == MAP_FAILED)
            throw core::communicator_error(
                core::text("sim: rank ", flow, " cannot be started (no memory for its stack) use fewer ranks"));
        one.memory = memory;
        ::mprotect(memory, guard, PROT_NONE);
        ::getcontext(&one.context);
        one.context.uc_stack.ss_sp = static_cast<char*>(memory) + guard;
        one.context.uc_stack.ss_size = stack;
        const auto address = static_cast<std::uint64_t>(reinterpret_cast<std::uintptr_t>(argument));
        ::makecontext(&one.context, reinterpret_cast<void (*)()>(entry), 2, static_cast<unsigned>(address >> 32),
                      static_cast<unsigned>(address));
    }

    std::vector<fiber> fibers_;  // the last: who called run
};

}  // namespace gamut::communicator::detail

// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <exception>

#ifdef _OPENMP
#    include <omp.h>
#    include <pthread.h>
#endif

namespace gamut::backend::detail {

using indexed_task = void (*)(void* context, std::size_t index, std::size_t thread);

#ifdef _OPENMP
/// Whether this process was forked off one that had threads at work: a fork copies none of them, and OpenMP would wait for
/// them for ever. Asked before threads are used, so that the children of later forks know.
inline bool threads_were_lost() {
    static bool lost = false;
    static const int registered = ::pthread_atfork(nullptr, nullptr, [] { lost = true; });
    static_cast<void>(registered);
    return lost;
}
#endif

/// Runs task(context, i, thread) for begin <= i < end on that many threads, in any order; an exception is rethrown when all
/// have ended. Not a template, so that it is compiled once. Behind a fork of a process that ran some already, one thread does all.
inline void run_tasks(std::size_t begin, std::size_t end, std::size_t threads, indexed_task task, void* context) {
    threads = std::min(threads, end - begin);
    if (threads <= 1) {
        for (std::size_t i = begin; i < end; ++i) task(context, i, 0);
        return;
    }
#ifdef _OPENMP
    if (threads_were_lost()) return run_tasks(begin, end, 1, task, context);
    std::exception_ptr failure;
    std::size_t next = begin;
#    pragma omp parallel num_threads(static_cast <int>(threads))
    {
        const auto thread = static_cast<std::size_t>(omp_get_thread_num());
        for (;;) {
            std::size_t mine;
#    pragma omp atomic capture
            mine = next++;
            if (mine >= end) break;
            try {
                task(context, mine, thread);
            } catch (...) {
#    pragma omp critical(gamut_run_tasks)
                failure = std::current_exception();
            }
        }
    }
    if (failure) std::rethrow_exception(failure);
#else
    for (std::size_t i = begin; i < end; ++i) task(context, i, 0);
#endif
}

/// How many of the threads are worth waking up to read that many entries: one for what takes about a tenth of a millisecond.
inline std::size_t threads_for(std::size_t entries, std::size_t threads) {
    constexpr std::size_t enough = 131072;
    return std::clamp<std::size_t>(entries / enough, 1, std::max<std::size_t>(1, threads));
}

/// Calls f(i, thread) for begin <= i < end; thread < threads.
template <class F> void parallel_for(std::size_t begin, std::size_t end, std::size_t threads, F&& f) {
    run_tasks(
        begin, end, threads,
        [](void* context, std::size_t i, std::size_t thread) {
            (*static_cast<std::remove_reference_t<F>*>(context))(i, thread);
        },
        &f);
}

}  // namespace gamut::backend::detail

// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gamut/backend/detail/parallel.hpp>

namespace gamut::backend {

/// parallel_for(begin, end, threads, f) calls f(i, thread) for begin <= i < end, thread < threads, in any order; an exception is
/// rethrown when all have ended. What i computes must not depend on the thread.
using detail::parallel_for;

/// threads_for(entries, threads): how many of the threads are worth waking up to read that many entries.
using detail::threads_for;

}  // namespace gamut::backend

// SPDX-License-Identifier: BSL-1.0
// Which flows of control communicator::sim takes: fibers, or threads where there are none or a sanitizer looks on.
#pragma once

#if defined(__has_feature)
#    if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#        define GAMUT_SIMULATES_ON_THREADS
#    endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || !defined(__linux__)
#    define GAMUT_SIMULATES_ON_THREADS
#endif

#include <gamut/communicator/detail/token_threads.hpp>
#if !defined(GAMUT_SIMULATES_ON_THREADS)
#    include <gamut/communicator/detail/fibers.hpp>
#endif

namespace gamut::communicator::detail {

#if defined(GAMUT_SIMULATES_ON_THREADS)
#    undef GAMUT_SIMULATES_ON_THREADS
struct crew : token_threads {
    using token_threads::token_threads;
};
#else
struct crew : fibers {
    using fibers::fibers;
};
#endif

}  // namespace gamut::communicator::detail

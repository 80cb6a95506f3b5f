// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>

#include <gamut/backend/pack.hpp>

/// Kernels are built for several instruction sets and chosen at run time, whatever flags the program is compiled with. A
/// kernel is a type with
///     template <std::size_t Bytes> static R run(A... arguments);
/// that computes in vectors of Bytes bytes; `run<Kernel>(arguments...)` calls the best one for this machine.
namespace gamut::backend::detail {

// Without inlining a vector would be passed between functions that disagree on how. With AddressSanitizer's checks in them three
// flattened copies of every kernel would take three times as long to compile.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__NO_INLINE__) && !defined(__CUDACC__) &&                     \
    !defined(__SANITIZE_ADDRESS__)
#    define GAMUT_AVX512 [[gnu::target("avx512f,avx512dq,avx512vl,avx512bw,avx2,fma"), gnu::flatten]]
#    define GAMUT_AVX2 [[gnu::target("avx2,fma"), gnu::flatten]]

/// Bytes of the widest vectors that this machine computes with.
inline std::size_t vector_bytes() {
    static const std::size_t bytes = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
                                             __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw")
                                         ? 64
                                     : __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") ? 32
                                                                                                       : 16;
    return bytes;
}

template <class Kernel, class... A> GAMUT_AVX512 auto run_avx512(A... arguments) {
    return Kernel::template run<64>(arguments...);
}
template <class Kernel, class... A> GAMUT_AVX2 auto run_avx2(A... arguments) {
    return Kernel::template run<32>(arguments...);
}
// For processors of before 2013: kept small, which compiles in half the time.
template <class Kernel, class... A> [[gnu::cold, gnu::flatten]] auto run_baseline(A... arguments) {
    return Kernel::template run<16>(arguments...);
}
template <class Kernel, class... A> auto run(A... arguments) {
    const std::size_t bytes = vector_bytes();
    if (bytes == 64) return run_avx512<Kernel, A...>(arguments...);
    if (bytes == 32) return run_avx2<Kernel, A...>(arguments...);
    return run_baseline<Kernel, A...>(arguments...);
}

#    undef GAMUT_AVX512
#    undef GAMUT_AVX2
#else

inline std::size_t vector_bytes() { return 16; }

template <class Kernel, class... A> auto run(A... arguments) { return Kernel::template run<16>(arguments...); }

#endif

}  // namespace gamut::backend::detail

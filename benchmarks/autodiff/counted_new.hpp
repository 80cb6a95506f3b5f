// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <new>

/// Replaces operator new in the program whose one source file includes this, to count its calls.
namespace counted_new {

inline std::atomic<long> allocations{0};

}  // namespace counted_new

// not inlined: the compiler would see malloc where it expects new, and warn
[[gnu::noinline]] void* operator new(std::size_t bytes) {
    ++counted_new::allocations;
    if (void* const p = std::malloc(bytes)) return p;
    throw std::bad_alloc();
}
[[gnu::noinline]] void* operator new(std::size_t bytes, std::align_val_t to) {
    ++counted_new::allocations;
    const auto a = static_cast<std::size_t>(to);
    if (void* const p = std::aligned_alloc(a, (bytes + a - 1) / a * a)) return p;
    throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* p) noexcept { std::free(p); }
[[gnu::noinline]] void operator delete(void* p, std::size_t) noexcept { std::free(p); }
[[gnu::noinline]] void operator delete(void* p, std::align_val_t) noexcept { std::free(p); }
[[gnu::noinline]] void operator delete(void* p, std::size_t, std::align_val_t) noexcept { std::free(p); }

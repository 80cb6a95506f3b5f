// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <new>

/// Replaces operator new: allocation number `fails` of the thread that is armed fails, and no other. In one file of a program; not
/// inlined, for compilers warn of pairs of new and free.
namespace failing_allocations {

inline thread_local bool armed = false;
inline std::atomic<long> count{0}, fails{0}, failed{0};

struct armed_here {
    explicit armed_here(bool here) { armed = here; }
    ~armed_here() { armed = false; }
    armed_here(const armed_here&) = delete;
    armed_here& operator=(const armed_here&) = delete;
};

inline void* take(std::size_t bytes, std::size_t alignment) noexcept {
    if (armed && ++count == fails) return ++failed, nullptr;
    if (alignment <= alignof(std::max_align_t)) return std::malloc(bytes > 0 ? bytes : 1);
    return std::aligned_alloc(alignment, (bytes + alignment - 1) / alignment * alignment);
}
inline void* taken(std::size_t bytes, std::size_t alignment) {
    if (void* const place = take(bytes, alignment)) return place;
    throw std::bad_alloc();
}

}  // namespace failing_allocations

[[gnu::noinline]] void* operator new(std::size_t n) { return failing_allocations::taken(n, 1); }
[[gnu::noinline]] void* operator new[](std::size_t n) { return failing_allocations::taken(n, 1); }
[[gnu::noinline]] void* operator new(std::size_t n, std::align_val_t a) {
    return failing_allocations::taken(n, static_cast<std::size_t>(a));
}
[[gnu::noinline]] void* operator new[](std::size_t n, std::align_val_t a) {
    return failing_allocations::taken(n, static_cast<std::size_t>(a));
}
[[gnu::noinline]] void* operator new(std::size_t n, const std::nothrow_t&) noexcept {
    return failing_allocations::take(n, 1);
}
[[gnu::noinline]] void* operator new[](std::size_t n, const std::nothrow_t&) noexcept {
    return failing_allocations::take(n, 1);
}
[[gnu::noinline]] void operator delete(void* p) noexcept { std::free(p); }
[[gnu::noinline]] void operator delete[](void* p) noexcept { std::free(p); }
[[gnu::noinline]] void operator delete(void* p, std::size_t) noexcept { std::free(p); }
[[gnu::noinline]] void operator delete[](void* p, std::size_t) noexcept { std::free(p); }
[[gnu::noinline]] void operator delete(void* p, std::align_val_t) noexcept { std::free(p); }
[[gnu::noinline]] void operator delete[](void* p, std::align_val_t) noexcept { std::free(p); }
[[gnu::noinline]] void operator delete(void* p, std::size_t, std::align_val_t) noexcept { std::free(p); }
[[gnu::noinline]] void operator delete[](void* p, std::size_t, std::align_val_t) noexcept { std::free(p); }
[[gnu::noinline]] void operator delete(void* p, const std::nothrow_t&) noexcept { std::free(p); }
[[gnu::noinline]] void operator delete[](void* p, const std::nothrow_t&) noexcept { std::free(p); }

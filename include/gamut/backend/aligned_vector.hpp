// SPDX-License-Identifier: BSL-1.0
#pragma once

#ifdef __linux__
#    include <sys/mman.h>
#endif

#include <cstddef>
#include <new>
#include <type_traits>
#include <utility>
#include <vector>

namespace gamut::backend {

/// Memory that starts on a cache line: one vector load never straddles two. Much memory comes in huge pages where the system has
/// them: five hundred times fewer page faults, and columns of a large matrix are read without a miss of the page tables each.
template <class T> struct aligned_allocator {
    using value_type = T;
    static constexpr std::size_t huge_page = std::size_t(2) << 20;

    aligned_allocator() = default;
    template <class U> constexpr aligned_allocator(const aligned_allocator<U>&) noexcept {}

    [[gnu::noinline]] T* allocate(std::size_t count) {
        if (count > static_cast<std::size_t>(-1) / sizeof(T)) throw std::bad_array_new_length();
        void* const memory = ::operator new(count * sizeof(T), alignment(count));
#ifdef __linux__
        if (alignment(count) == std::align_val_t(huge_page)) ::madvise(memory, count * sizeof(T), MADV_HUGEPAGE);
#endif
        return static_cast<T*>(memory);
    }
    void deallocate(T* memory, std::size_t count) noexcept { ::operator delete(memory, alignment(count)); }
    template <class U> friend constexpr bool operator==(const aligned_allocator&, const aligned_allocator<U>&) {
        return true;
    }

private:
    static constexpr std::align_val_t alignment(std::size_t count) {
        return std::align_val_t(count >= 4 * huge_page / sizeof(T) ? huge_page : 64);
    }
};

template <class T> using aligned_vector = std::vector<T, aligned_allocator<T>>;

/// Its entries have no value until they are given one: nobody writes large memory twice, and whoever writes first brings the pages in.
template <class T> struct uninitialised_allocator : aligned_allocator<T> {
    static_assert(std::is_trivial_v<T>);
    uninitialised_allocator() = default;
    template <class U> constexpr uninitialised_allocator(const uninitialised_allocator<U>&) noexcept {}
    template <class U> struct rebind { using other = uninitialised_allocator<U>; };
    template <class U> void construct(U*) noexcept {}
    template <class U, class V, class... Rest> void construct(U* place, V&& value, Rest&&... rest) {
        ::new (static_cast<void*>(place)) U(std::forward<V>(value), std::forward<Rest>(rest)...);
    }
};

template <class T> using uninitialised_vector = std::vector<T, uninitialised_allocator<T>>;

}  // namespace gamut::backend

// SPDX-License-Identifier: BSL-1.0
#pragma once

#ifdef __linux__
#    include <sys/mman.h>
#endif

#include <cstddef>
#include <new>
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

/// A rows x columns matrix that somebody else owns; row i starts at values + i * stride.
template <class T> struct dense_view {
    using value_type = T;

    const T* values = nullptr;
    std::size_t rows = 0, columns = 0, stride = 0;

    const T* row(std::size_t i) const { return values + i * stride; }
    T operator()(std::size_t i, std::size_t j) const { return values[i * stride + j]; }
};

/// A row-major rows x columns matrix without gaps between its rows.
template <class T> struct dense_matrix {
    using value_type = T;

    std::size_t rows = 0, columns = 0;
    aligned_vector<T> values;

    dense_matrix() = default;
    /// All zeros. Throws std::bad_array_new_length when rows * columns overflows.
    dense_matrix(std::size_t rows, std::size_t columns) : rows(rows), columns(columns) {
        if (columns > 0 && rows > static_cast<std::size_t>(-1) / columns) throw std::bad_array_new_length();
        values.resize(rows * columns);
    }

    T* row(std::size_t i) { return values.data() + i * columns; }
    const T* row(std::size_t i) const { return values.data() + i * columns; }
    T& operator()(std::size_t i, std::size_t j) { return values[i * columns + j]; }
    T operator()(std::size_t i, std::size_t j) const { return values[i * columns + j]; }

    dense_view<T> view() const { return {values.data(), rows, columns, columns}; }
    /// Rows [begin, end).
    dense_view<T> view(std::size_t begin, std::size_t end) const { return {row(begin), end - begin, columns, columns}; }
};

}  // namespace gamut::backend

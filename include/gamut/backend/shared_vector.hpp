// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <initializer_list>
#include <memory>
#include <utility>

#include <gamut/backend/aligned_vector.hpp>

namespace gamut::backend {

/// A vector whose elements are its own (a copy copies them), or borrowed from somebody else (a copy borrows them again, and costs
/// nothing): how ranks hold rows of a matrix that is in memory already. Reading a const one costs what it costs in a std::vector.
/// Whoever asks for elements that are not const is about to write: borrowed ones are copied first, so the owner's never change; what
/// pointed to them then points to the owner's, or to nothing if he is gone. So a borrowed vector that is not const wants one thread,
/// even to read.
template <class T> class shared_vector {
public:
    using value_type = T;

    shared_vector() = default;
    shared_vector(aligned_vector<T> elements) : own_(std::move(elements)) { refresh(); }
    /// `count` elements from `first` on, which live as long as `owner`; without one, longer than all who read them. They don't change.
    static shared_vector borrowed(std::shared_ptr<const void> owner, const T* first, std::size_t count) {
        shared_vector result;
        result.owner_ = std::move(owner);
        result.is_borrowed_ = true;
        result.first_ = const_cast<T*>(first);  // never written through while it is borrowed
        result.size_ = count;
        return result;
    }

    shared_vector(const shared_vector& from)
        : own_(from.own_),
          owner_(from.owner_),
          is_borrowed_(from.is_borrowed_),
          first_(is_borrowed_ ? from.first_ : own_.data()),
          size_(from.size_) {}
    shared_vector(shared_vector&& from) noexcept { swap(from); }
    shared_vector& operator=(shared_vector from) noexcept {
        swap(from);
        return *this;
    }
    void swap(shared_vector& other) noexcept {
        std::swap(own_, other.own_);
        std::swap(owner_, other.owner_);
        std::swap(is_borrowed_, other.is_borrowed_);
        std::swap(first_, other.first_);
        std::swap(size_, other.size_);
    }

    bool is_borrowed() const { return is_borrowed_; }
    bool empty() const { return size_ == 0; }
    std::size_t size() const { return size_; }
    std::size_t capacity() const { return is_borrowed_ ? size_ : own_.capacity(); }

    const T* data() const { return first_; }
    const T* begin() const { return first_; }
    const T* end() const { return first_ + size_; }
    const T& operator[](std::size_t i) const { return first_[i]; }
    const T& back() const { return first_[size_ - 1]; }

    T* data() { return own(), first_; }
    T* begin() { return data(); }
    T* end() { return data() + size_; }
    T& operator[](std::size_t i) { return data()[i]; }
    T& back() { return data()[size_ - 1]; }

    void clear() { *this = {}; }
    void reserve(std::size_t count) {
        change([&](auto& own) { own.reserve(count); });
    }
    void resize(std::size_t count) {
        change([&](auto& own) { own.resize(count); });
    }
    void push_back(T element) {
        change([&](auto& own) { own.push_back(element); });
    }
    void assign(std::size_t count, T element) { *this = aligned_vector<T>(count, element); }
    void assign(std::initializer_list<T> elements) { *this = aligned_vector<T>(elements); }
    template <class Iterator> void assign(Iterator from, Iterator to) { *this = aligned_vector<T>(from, to); }
    template <class Iterator> void insert(const T* before, Iterator from, Iterator to) {
        const std::ptrdiff_t place = before - first_;
        change([&](auto& own) { own.insert(own.begin() + place, from, to); });
    }

    friend bool operator==(const shared_vector& a, const shared_vector& b) {
        return a.size_ == b.size_ && std::equal(a.begin(), a.end(), b.begin());
    }

private:
    void own() {
        if (is_borrowed_) copy();
    }
    [[gnu::noinline, gnu::cold]] void copy() { *this = aligned_vector<T>(first_, first_ + size_); }
    template <class Change> void change(Change&& apply) {
        own();
        apply(own_);
        refresh();
    }
    void refresh() {
        first_ = own_.data();
        size_ = own_.size();
    }

    aligned_vector<T> own_;
    std::shared_ptr<const void> owner_;
    bool is_borrowed_ = false;  // else the elements are in own_
    T* first_ = nullptr;
    std::size_t size_ = 0;
};

}  // namespace gamut::backend

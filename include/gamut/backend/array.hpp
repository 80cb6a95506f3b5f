// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cmath>
#include <cstddef>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <gamut/autodiff/arithmetic.hpp>
#include <gamut/autodiff/leaf.hpp>
#include <gamut/backend/concept.hpp>
#include <gamut/core/error.hpp>
#include <gamut/core/text.hpp>

namespace gamut::backend {

/// A vector of numbers on a backend. Solvers compute with arrays and formulas:
///
///     u = u + w - z;             one loop on the host, one kernel on a device
///     double r = norm(w - z);    no temporary
///
/// An array may stand on both sides of an assignment, entry i is read before it is written.
template <class B> class array : public autodiff::expression {
public:
    using backend = B;
    using value_type = typename B::value_type;

    static constexpr autodiff::shape form = autodiff::shape::entries;

    // out of line: solvers make many arrays, and a container's own members are long
    [[gnu::noinline]] array() : storage_(B::allocate(0, value_type{})) {}
    [[gnu::noinline]] array(const array& a) : storage_(a.storage_) {}
    [[gnu::noinline]] array(array&& a) noexcept : storage_(std::move(a.storage_)) {}
    [[gnu::noinline]] array& operator=(const array& a) {
        storage_ = a.storage_;
        return *this;
    }
    [[gnu::noinline]] array& operator=(array&& a) noexcept {
        storage_ = std::move(a.storage_);
        return *this;
    }
    [[gnu::noinline]] ~array() {}

    [[gnu::noinline]] explicit array(std::size_t n, value_type value = value_type{})
        : storage_(B::allocate(n, value)) {}
    [[gnu::noinline]] explicit array(std::span<const value_type> values)
        : storage_(B::allocate(values.size(), value_type{})) {
        B::upload(values, storage_);
    }
    template <autodiff::Elementwise E>
    requires(!std::same_as<E, array>) array(const E& e)
        : storage_(B::allocate(autodiff::length(e.node()), value_type{})) {
        *this = e;
    }

    template <autodiff::Elementwise E>
    requires(!std::same_as<E, array>) array& operator=(const E& e) {
        const auto formula = e.node();
        check_length(autodiff::length(formula));
        B::map(formula, size(), B::data(storage_));
        return *this;
    }

    std::size_t size() const { return B::size(storage_); }
    auto node() const { return autodiff::entries<value_type>(B::data(storage_), size()); }

    /// The entries on the host; only backends whose memory the host can read have these.
    const value_type* data() const requires B::host_memory { return B::data(storage_); }
    value_type* data() requires B::host_memory { return B::data(storage_); }
    value_type operator[](std::size_t i) const requires B::host_memory { return data()[i]; }
    value_type& operator[](std::size_t i) requires B::host_memory { return data()[i]; }
    std::span<const value_type> span() const requires B::host_memory { return {data(), size()}; }
    std::span<value_type> span() requires B::host_memory { return {data(), size()}; }

    void upload(std::span<const value_type> values) {
        check_length(values.size());
        B::upload(values, storage_);
    }
    std::vector<value_type> download() const {
        std::vector<value_type> values(size());
        B::download(storage_, values);
        return values;
    }

    /// How the backend keeps the numbers: an xt::xtensor on the host, a thrust vector on a device.
    const typename B::storage& storage() const { return storage_; }
    typename B::storage& storage() { return storage_; }

private:
    void check_length(std::size_t n) const {
        if (n != size() && n != 0)
            throw core::shape_error(core::text("array: a formula of length ", n, " can't be assigned (the array has ",
                                               size(), " entries) make them equal"));
    }

    typename B::storage storage_;
};

namespace detail {
template <class E> struct backend_of;
template <class B> struct backend_of<array<B>> { using type = B; };
}  // namespace detail

/// Sum of the entries of an array, evaluated now.
template <class B> double total(const array<B>& a) { return B::sum(a.node(), a.size()); }
/// a'b.
template <class B> double dot(const array<B>& a, const array<B>& b) { return B::sum((a * b).node(), a.size()); }
/// The Euclidean norm.
template <class B> double norm(const array<B>& a) { return std::sqrt(B::sum(autodiff::square(a).node(), a.size())); }
/// |a - b|, without a temporary.
template <class B> double distance(const array<B>& a, const array<B>& b) {
    return std::sqrt(B::sum(autodiff::square(a - b).node(), a.size()));
}
/// The largest |a_i|; NaN if an entry is NaN.
template <class B> double largest_absolute(const array<B>& a) { return B::maximum(autodiff::abs(a).node(), a.size()); }
/// Number of entries that are not zero.
template <class B> std::size_t count_nonzeros(const array<B>& a) {
    using T = typename B::value_type;
    return static_cast<std::size_t>(B::sum(autodiff::choose(a == T(0), T(0), T(1)).node(), a.size()));
}

}  // namespace gamut::backend

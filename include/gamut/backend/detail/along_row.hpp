// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>

#include <gamut/backend/detail/region.hpp>

namespace gamut::backend::detail {

/// What an elementwise formula reads and writes, eight outputs of a row at a time. Its slots are numbered from 0.
///   Flowing   slots that adjoints go to
///   Fresh     those of them whose adjoints nobody has written yet
template <class V, class E> class along_row {
    static constexpr autodiff::reads read = autodiff::reads_of<E>;
    static constexpr std::size_t count = read.slots().size();
    using memory = lane_memory<V>;
    using T = typename memory::scalar;

public:
    using value_type = V;
    GAMUT_INLINE explicit along_row(const region<T>& r) : r_(r) {}
    GAMUT_INLINE void move_to(std::size_t i) { i_ = i; }
    /// Outputs k <= j < k + 8, of which so many exist.
    GAMUT_INLINE void begin(std::size_t exist) {
        exist_ = exist;
        for (auto& a : adjoints_) a = V(0);
    }

    template <std::size_t I> GAMUT_INLINE V slot(std::size_t k) const {
        const table<T>& t = r_.slots[I];
        const std::size_t at = i_ * t.stride + k;
        return memory::load(t.values + at, t.tangents + at);
    }
    template <std::size_t I> GAMUT_INLINE void add_slot(std::size_t, const V& a) { adjoints_[I] = adjoints_[I] + a; }
    template <std::size_t I> GAMUT_INLINE V slot_rows() const {
        const table<T>& t = r_.slots[I];
        return memory::spread(t.values + i_ * t.stride, t.tangents + i_ * t.stride);
    }
    template <std::size_t I> GAMUT_INLINE void add_slot_rows(const V& a) { adjoints_[I] = adjoints_[I] + a; }

    // one line for all rows: its adjoints are sums over them, zero before the first
    template <std::size_t I> GAMUT_INLINE V slot_line(std::size_t k) const { return line(r_.slots[I], k); }
    template <std::size_t I> GAMUT_INLINE void add_slot_line(std::size_t k, const V& a) { add_line(r_.slots[I], k, a); }
    template <std::size_t I> GAMUT_INLINE V slot_number() const { return number(r_.slots[I]); }
    template <std::size_t I> GAMUT_INLINE void add_slot_number(const V& a) { add_number(r_.slots[I], a); }
    template <std::size_t I> GAMUT_INLINE V parameter(std::size_t k) const { return line(r_.parameters[I], k); }
    template <std::size_t I> GAMUT_INLINE void add_parameter(std::size_t k, const V& a) {
        add_line(r_.parameters[I], k, a);
    }
    template <std::size_t I> GAMUT_INLINE V parameter_number() const { return number(r_.parameters[I]); }
    template <std::size_t I> GAMUT_INLINE void add_parameter_number(const V& a) { add_number(r_.parameters[I], a); }

    GAMUT_INLINE V label() const { return V(r_.y ? r_.y[i_ / r_.per_row] : T(0)); }
    GAMUT_INLINE V output(std::size_t k) const {
        using P = std::remove_cvref_t<decltype(plain(V()))>;
        return V(first_numbers<P>() + P(k));
    }

    template <autodiff::place_set Flowing, autodiff::place_set Fresh> GAMUT_INLINE void end(std::size_t k) {
        for_each_place<Flowing>([&]<std::size_t I>() {
            const table<T>& t = r_.slots[I];
            if constexpr (read.rows.has(I)) {
                const std::size_t at = i_ * t.stride;
                const V a = first_lanes(adjoints_[I], exist_);
                if (Fresh.has(I) && k == 0)
                    memory::store_total(a, t.adjoints + at, t.adjoint_tangents + at);
                else
                    memory::add_total(a, t.adjoints + at, t.adjoint_tangents + at);
            } else {
                const std::size_t at = i_ * t.stride + k;
                if constexpr (Fresh.has(I))
                    memory::store(adjoints_[I], t.adjoints + at, t.adjoint_tangents + at);
                else
                    memory::add(adjoints_[I], t.adjoints + at, t.adjoint_tangents + at);
            }
        });
    }

private:
    GAMUT_INLINE static V line(const table<T>& t, std::size_t k) { return memory::load(t.values + k, t.tangents + k); }
    GAMUT_INLINE static void add_line(const table<T>& t, std::size_t k, const V& a) {
        memory::add(a, t.adjoints + k, t.adjoint_tangents + k);
    }
    GAMUT_INLINE static V number(const table<T>& t) { return memory::spread(t.values, t.tangents); }
    GAMUT_INLINE void add_number(const table<T>& t, const V& a) const {
        memory::add_total(first_lanes(a, exist_), t.adjoints, t.adjoint_tangents);
    }

    const region<T>& r_;
    std::size_t i_ = 0, exist_ = 8;
    V adjoints_[count + 1];
};

}  // namespace gamut::backend::detail

// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>

#include <gamut/backend/detail/region.hpp>

namespace gamut::backend::detail {

/// What a formula reads and writes that needs all outputs of a row at once: eight rows at a time. `lanes` is memory for twice the
/// outputs of the slots that are read, and for what the formula keeps. Flowing and Fresh as in along_row.
template <class V, class E> class down_column {
    static constexpr autodiff::reads read = autodiff::reads_of<E>;
    static constexpr std::size_t count = read.slots().size();
    using memory = lane_memory<V>;
    using T = typename memory::scalar;

public:
    using value_type = V;
    GAMUT_INLINE down_column(const region<T>& r, V* lanes) : r_(r) {
        for_each_place<read.tables | read.rows>([&]<std::size_t I>() {
            values_[I] = lanes;
            adjoints_[I] = lanes + r.slots[I].columns;
            lanes += 2 * r.slots[I].columns;
        });
        scratch_ = lanes;
    }
    GAMUT_INLINE void move_to(std::size_t i, const V& label, const V& sum_weight, const V& mean_weight) {
        label_ = label, sum_weight_ = sum_weight, mean_weight_ = mean_weight;
        used_ = 0;
        for_each_place<read.tables | read.rows>([&]<std::size_t I>() {
            const table<T>& t = r_.slots[I];
            const std::size_t at = i * t.stride;
            for (std::size_t k = 0; k < t.columns; ++k) {
                values_[I][k] = memory::gather(t.values + at + k, t.tangents + at + k, t.stride);
                adjoints_[I][k] = V(0);
            }
        });
    }

    template <std::size_t I> GAMUT_INLINE std::size_t slot_columns() const { return r_.slots[I].columns; }
    template <std::size_t I> GAMUT_INLINE std::size_t parameter_columns() const { return r_.parameters[I].columns; }
    template <std::size_t I> GAMUT_INLINE const V& slot(std::size_t k) const { return values_[I][k]; }
    template <std::size_t I> GAMUT_INLINE void add_slot(std::size_t k, const V& a) {
        adjoints_[I][k] = adjoints_[I][k] + a;
    }
    template <std::size_t I> GAMUT_INLINE const V& slot_rows() const { return values_[I][0]; }
    template <std::size_t I> GAMUT_INLINE void add_slot_rows(const V& a) { add_slot<I>(0, a); }
    template <std::size_t I> GAMUT_INLINE V slot_line(std::size_t k) const { return spread(r_.slots[I], k); }
    template <std::size_t I> GAMUT_INLINE void add_slot_line(std::size_t k, const V& a) {
        add_total(r_.slots[I], k, a);
    }
    template <std::size_t I> GAMUT_INLINE V slot_number() const { return spread(r_.slots[I], 0); }
    template <std::size_t I> GAMUT_INLINE void add_slot_number(const V& a) { add_total(r_.slots[I], 0, a); }
    template <std::size_t I> GAMUT_INLINE V parameter(std::size_t k) const { return spread(r_.parameters[I], k); }
    template <std::size_t I> GAMUT_INLINE void add_parameter(std::size_t k, const V& a) {
        add_total(r_.parameters[I], k, a);
    }
    template <std::size_t I> GAMUT_INLINE V parameter_number() const { return spread(r_.parameters[I], 0); }
    template <std::size_t I> GAMUT_INLINE void add_parameter_number(const V& a) { add_total(r_.parameters[I], 0, a); }

    GAMUT_INLINE const V& label() const { return label_; }
    GAMUT_INLINE const V& sum_weight() const { return sum_weight_; }
    GAMUT_INLINE const V& mean_weight() const { return mean_weight_; }
    GAMUT_INLINE V output(std::size_t k) const { return V(static_cast<T>(k)); }

    GAMUT_INLINE V* take_scratch(std::size_t n) {
        V* p = scratch_ + used_;
        used_ += n;
        return p;
    }
    GAMUT_INLINE std::size_t scratch_mark() const { return used_; }
    GAMUT_INLINE void release_scratch(std::size_t mark) { used_ = mark; }

    template <autodiff::place_set Flowing, autodiff::place_set Fresh> GAMUT_INLINE void end(std::size_t i) {
        for_each_place<Flowing>([&]<std::size_t I>() {
            const table<T>& t = r_.slots[I];
            for (std::size_t k = 0; k < t.columns; ++k) {
                const std::size_t at = i * t.stride + k;
                if constexpr (Fresh.has(I))
                    memory::scatter(adjoints_[I][k], t.adjoints + at, t.adjoint_tangents + at, t.stride);
                else
                    memory::scatter_add(adjoints_[I][k], t.adjoints + at, t.adjoint_tangents + at, t.stride);
            }
        });
    }

private:
    GAMUT_INLINE static V spread(const table<T>& t, std::size_t k) {
        return memory::spread(t.values + k, t.tangents + k);
    }
    GAMUT_INLINE static void add_total(const table<T>& t, std::size_t k, const V& a) {
        memory::add_total(a, t.adjoints + k, t.adjoint_tangents + k);
    }

    const region<T>& r_;
    V *values_[count + 1], *adjoints_[count + 1], *scratch_;
    V label_{}, sum_weight_{}, mean_weight_{};
    std::size_t used_ = 0;
};

}  // namespace gamut::backend::detail

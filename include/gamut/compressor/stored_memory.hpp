// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string_view>
#include <type_traits>
#include <vector>

#include <gamut/compressor/concept.hpp>
#include <gamut/core/error.hpp>

namespace gamut::compressor {

/// What a compressor remembers, as bytes, so that a checkpoint can hold it.
struct stored_memory {
    bytes shared{};  ///< the same on all ranks, or that of one node
    std::optional<std::vector<bytes>> nodes =
        {};  ///< of each of this rank's nodes, if it has any; nullopt: the memory is that of one node
};

namespace detail {

template <class T>
concept Number = std::is_arithmetic_v<T>;

class memory_writer {
public:
    explicit memory_writer(stored_memory& to) : to_(to) {}

    template <Number T> void operator()(std::string_view, std::vector<T>& values) { put<T>(to_.shared, values); }
    template <Number T> void operator()(std::string_view, T& value) { put<T>(to_.shared, std::span<T>(&value, 1)); }
    void operator()(std::string_view, nothing&) {}
    template <class M> void operator()(std::string_view, M& memory) { memory.describe(*this); }
    template <Number T> void of_nodes(std::string_view, std::vector<T>& values) {
        if (!to_.nodes) return put<T>(to_.shared, values);
        const std::size_t count = to_.nodes->size(), each = count == 0 ? 0 : values.size() / count;
        for (std::size_t k = 0; k < count; ++k) put<T>((*to_.nodes)[k], std::span<T>(values).subspan(k * each, each));
    }

private:
    template <class T> static void put(bytes& to, std::span<const T> values) {
        append(to, std::uint64_t{values.size()});
        append(to, values.data(), values.size());
    }
    stored_memory& to_;
};

class memory_reader {
public:
    explicit memory_reader(const stored_memory& from) : from_(from), at_(from.nodes ? from.nodes->size() : 0) {}

    template <Number T> void operator()(std::string_view name, std::vector<T>& values) {
        values.clear();
        take(name, from_.shared, shared_at_, values);
    }
    template <Number T> void operator()(std::string_view name, T& value) {
        std::vector<T> one;
        take(name, from_.shared, shared_at_, one);
        if (one.size() != 1) refuse(name);
        value = one[0];
    }
    void operator()(std::string_view, nothing&) {}
    template <class M> void operator()(std::string_view, M& memory) { memory.describe(*this); }
    template <Number T> void of_nodes(std::string_view name, std::vector<T>& values) {
        values.clear();
        if (!from_.nodes) return take(name, from_.shared, shared_at_, values);
        for (std::size_t k = 0; k < at_.size(); ++k) take(name, (*from_.nodes)[k], at_[k], values);
        if (!at_.empty() && values.size() % at_.size() != 0) refuse(name);
    }
    /// All of it was read.
    void finish() const {
        bool left = shared_at_ != from_.shared.size();
        for (std::size_t k = 0; k < at_.size(); ++k) left = left || at_[k] != (*from_.nodes)[k].size();
        if (left)
            throw core::data_error(
                "compressor: what it remembers goes on behind its end (another compressor or type?) resume with the "
                "options of the run");
    }

private:
    template <class T>
    static void take(std::string_view name, const bytes& from, std::size_t& at, std::vector<T>& values) {
        if (from.size() - at < sizeof(std::uint64_t)) refuse(name);
        const auto count = detail::take<std::uint64_t>(from.data() + at);
        at += sizeof count;
        if (count > (from.size() - at) / sizeof(T)) refuse(name);
        const std::size_t before = values.size();
        values.resize(before + count);
        if (count > 0) std::memcpy(values.data() + before, from.data() + at, count * sizeof(T));
        at += count * sizeof(T);
    }
    [[noreturn]] static void refuse(std::string_view name) {
        throw core::data_error(core::text("compressor: what it remembers ends before '", name,
                                          "' (another compressor or type?) resume with the options of the run"));
    }
    const stored_memory& from_;
    std::size_t shared_at_ = 0;
    std::vector<std::size_t> at_;
};

}  // namespace detail

/// A memory that a checkpoint can hold says what is in it, numbers and vectors of numbers:
///     template <class Each> void describe(Each& each) {
///         each("right", right);        // of a node; where sums travel (Summable), the same on all ranks
///         each.of_nodes("kept", kept); // of a node; where sums travel, of all nodes of this rank, one after another
///         each("inner", inner);        // another memory
///     }
template <class M>
concept Storable = std::same_as<M, nothing> || requires(M& memory, detail::memory_writer& each) {
    memory.describe(each);
};

template <Storable M> void store(M& memory, stored_memory& to) {
    detail::memory_writer each(to);
    each("", memory);
}
/// Throws data_error for what is no such memory.
template <Storable M> void restore(M& memory, const stored_memory& from) {
    detail::memory_reader each(from);
    each("", memory);
    each.finish();
}

}  // namespace gamut::compressor

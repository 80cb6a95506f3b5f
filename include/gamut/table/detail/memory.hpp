// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>
#include <span>
#include <type_traits>
#include <vector>

#include <gamut/table/concept.hpp>
#include <gamut/table/detail/bytes.hpp>

namespace gamut::table::detail {

/// Writes what a row remembers.
struct memory_writer {
    byte_writer& out;

    template <class T>
    requires std::is_arithmetic_v<T>
    void operator()(T& value) const { out.put(value); }
    template <class T>
    requires std::is_arithmetic_v<T>
    void operator()(std::vector<T>& values) const {
        out.put(std::uint64_t{values.size()});
        out.put(std::span<const T>(values));
    }
};

struct memory_reader {
    byte_reader& in;

    template <class T>
    requires std::is_arithmetic_v<T>
    void operator()(T& value) const { value = in.take<T>(); }
    template <class T>
    requires std::is_arithmetic_v<T>
    void operator()(std::vector<T>& values) const { values = in.take<T>(in.take<std::uint64_t>()); }
};

template <Row R> void save_memory(byte_writer& out, R row) {
    if constexpr (requires { row.state(memory_writer{out}); }) row.state(memory_writer{out});
}
template <Row R> void load_memory(byte_reader& in, R& row) {
    if constexpr (requires { row.state(memory_reader{in}); }) row.state(memory_reader{in});
}

}  // namespace gamut::table::detail

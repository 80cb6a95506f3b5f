// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <type_traits>
#include <vector>

#include <gamut/core/error.hpp>

/// How messages begin, and how their numbers are put in and taken out.
namespace gamut::compressor::detail {

/// Appends numbers as they are in memory.
template <class N> void append(std::vector<std::uint8_t>& out, const N* first, std::size_t count) {
    static_assert(std::is_trivially_copyable_v<N>);
    const auto* const begin = reinterpret_cast<const std::uint8_t*>(first);
    out.insert(out.end(), begin, begin + count * sizeof(N));
}
template <class N> void append(std::vector<std::uint8_t>& out, const N& one) { append(out, &one, 1); }

/// count numbers that begin at a byte, wherever it lies.
template <class N> void take(const std::uint8_t* from, N* to, std::size_t count) {
    if (count > 0) std::memcpy(to, from, count * sizeof(N));
}
template <class N> N take(const std::uint8_t* from) {
    N x;
    std::memcpy(&x, from, sizeof x);
    return x;
}

/// FNV-1a: tells a message of one compressor from that of another.
constexpr std::uint32_t tag(std::string_view name) {
    std::uint32_t hash = 2166136261u;
    for (const char letter : name) hash = (hash ^ static_cast<std::uint8_t>(letter)) * 16777619u;
    return hash;
}

// tag (4 bytes), options (4), how many numbers (8), version (1), bytes of a number (1), 0 (2)
inline constexpr std::size_t header_bytes = 20;
inline constexpr std::uint8_t version = 1;

inline void put_header(std::vector<std::uint8_t>& out, std::string_view name, std::size_t number_bytes,
                       std::uint64_t count, std::uint32_t options) {
    append(out, tag(name));
    append(out, options);
    append(out, count);
    const std::uint8_t rest[4] = {version, static_cast<std::uint8_t>(number_bytes), 0, 0};
    append(out, rest, 4);
}

[[noreturn]] inline void refuse(std::string_view name, const std::string& problem) {
    throw core::communicator_error(core::text(name, ": ", problem));
}

/// What follows the header, which must say what is expected.
inline std::span<const std::uint8_t> payload_of(std::span<const std::uint8_t> message, std::string_view name,
                                                std::size_t number_bytes, std::uint64_t count, std::uint32_t options) {
    if (message.size() < header_bytes)
        refuse(name, core::text("a message of ", message.size(), " bytes (its first ", header_bytes,
                                " say what it is) it was cut on its way"));
    const std::uint8_t* const p = message.data();
    if (take<std::uint32_t>(p) != tag(name))
        refuse(name, "a message of another compressor (or of none) encode and decode with the same one");
    if (p[16] != version || p[18] != 0 || p[19] != 0)
        refuse(name, "a message in another format (or damaged on its way) use one version of the library on all ranks");
    if (p[17] != number_bytes)
        refuse(name, core::text("a message about numbers of ", int{p[17]}, " bytes (here they have ", number_bytes,
                                ") use float or double on all ranks"));
    if (take<std::uint64_t>(p + 8) != count)
        refuse(name, core::text("a message about ", take<std::uint64_t>(p + 8), " numbers (", count,
                                " are expected) sizes must agree"));
    if (take<std::uint32_t>(p + 4) != options)
        refuse(name, "a message written with other options (both sides must have the same) compare them");
    return message.subspan(header_bytes);
}

/// Throws communicator_error unless the payload has the length that the numbers need.
inline void check_length(std::string_view name, std::span<const std::uint8_t> payload, std::size_t count,
                         std::size_t expected) {
    if (payload.size() != expected)
        refuse(name, core::text("a message with ", payload.size(), " bytes of numbers (", count, " numbers need ",
                                expected, ") it was damaged on its way"));
}

}  // namespace gamut::compressor::detail

// SPDX-License-Identifier: BSL-1.0
// Messages of every compressor, as they may arrive: an input is which compressor, how many numbers, of which type and whether a
// header comes first, one byte each, and the message. Only a communicator_error may leave decode; numbers that come out go in.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <string_view>
#include <vector>

#include <compressor/compressors.hpp>
#include <gamut/core/error.hpp>

using namespace gamut;

namespace {

void require(bool holds, std::string_view property) {
    if (holds) return;
    std::fprintf(stderr, "property: %.*s\n", static_cast<int>(property.size()), property.data());
    std::abort();
}

template <class T, class C> void decode(const C& c, std::span<const std::uint8_t> part, std::size_t n, bool whole) {
    compressor::bytes message;
    if (!whole) compressor::detail::put_header(message, C::name, sizeof(T), n, compressor::detail::options_of(c));
    message.insert(message.end(), part.begin(), part.end());
    message.shrink_to_fit();
    std::vector<T> y(n);
    try {
        compressor::decode<T>(c, message, y);
    } catch (const core::communicator_error& problem) {
        const std::string_view words = problem.what();
        require(words.starts_with(C::name) && words.find('(') < words.find(')'), "a refusal says who and why");
        return;
    }
    compressor::memory_of<C, T> memory;
    compressor::encode<T>(c, {}, y, memory, message);
    compressor::decode<T>(c, message, y);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 4) return 0;
    const std::span<const std::uint8_t> part(data + 4, size - 4);
    std::size_t at = 0;
    shipped::for_each([&](const auto& c) {
        if (at++ != data[0]) return;
        if (data[2] % 2 == 0)
            decode<float>(c, part, data[1], data[3] % 2 == 1);
        else
            decode<double>(c, part, data[1], data[3] % 2 == 1);
    });
    return 0;
}

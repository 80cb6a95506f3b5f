// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

namespace gamut::table::detail {

/// A mailbox without its type: what posts letters.
struct outbox {
    const void* box = nullptr;
    void (*call)(const void*, int, std::vector<std::uint8_t>&&) = nullptr;

    template <class Box> static outbox of(const Box& box) {
        return {&box, [](const void* self, int to, std::vector<std::uint8_t>&& bytes) {
                    static_cast<const Box*>(self)->post(to, std::move(bytes));
                }};
    }
    void post(int to, std::vector<std::uint8_t> bytes) const { call(box, to, std::move(bytes)); }
};

}  // namespace gamut::table::detail

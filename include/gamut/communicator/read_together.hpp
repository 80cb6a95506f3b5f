// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include <gamut/communicator/agree.hpp>
#include <gamut/communicator/concept.hpp>
#include <gamut/core/checkpoint.hpp>
#include <gamut/core/resume_from.hpp>

namespace gamut::communicator {

/// The checkpoint that `from` names, the same on all ranks; nothing where there is none yet. Rank 0 reads; collective.
template <Communicator C>
[[gnu::cold]] std::optional<core::checkpoint> read_together(const C& c, const core::resume_from& from) {
    std::string bytes, path;
    agree(c, [&] {
        if (c.rank() != 0) return;
        if (const auto found = from.newest()) {
            path = found->path();
            bytes = from.bytes(*found);
        }
    });
    std::int64_t sizes[2] = {static_cast<std::int64_t>(bytes.size()), static_cast<std::int64_t>(path.size())};
    c.broadcast(std::span<std::int64_t>(sizes), 0);
    if (sizes[0] == 0) return std::nullopt;
    std::optional<core::checkpoint> read;
    agree(c, [&] {
        bytes.resize(static_cast<std::size_t>(sizes[0]));
        path.resize(static_cast<std::size_t>(sizes[1]));
    });
    for (std::string* const text : {&bytes, &path})
        c.broadcast(std::span<std::uint8_t>(reinterpret_cast<std::uint8_t*>(text->data()), text->size()), 0);
    agree(c, [&] { read = from.of_bytes(bytes, path); });
    return read;
}

}  // namespace gamut::communicator

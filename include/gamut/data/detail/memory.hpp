// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdio>
#include <limits>
#include <string>
#include <string_view>

#include <sys/resource.h>

#include <gamut/core/error.hpp>
#include <gamut/core/text.hpp>

namespace gamut::data::detail {

inline constexpr std::size_t unlimited = std::numeric_limits<std::size_t>::max();

/// The number behind `key` in one of the system's small files; `unlimited` when there is none ("max").
[[gnu::cold]] inline std::size_t number_in(const char* path, std::string_view key = {}) {
    char buffer[4096];
    std::FILE* const file = std::fopen(path, "r");
    if (!file) return unlimited;
    std::string_view text(buffer, std::fread(buffer, 1, sizeof buffer, file));
    std::fclose(file);
    const std::size_t place = text.find(key);
    if (place == text.npos) return unlimited;
    text.remove_prefix(place + key.size());
    text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
    std::size_t number = 0;
    const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
    return problem == std::errc() ? number : unlimited;
}

/// Bytes that this process may still take: what the machine or its container has left, shared with the other ranks there,
/// and what the process's own limit leaves.
[[gnu::cold]] inline std::size_t usable_memory(int ranks_here) {
    std::size_t machine = unlimited;
    const std::size_t available = number_in("/proc/meminfo", "MemAvailable:");
    if (available < unlimited / 1024) machine = available * 1024;
    const std::size_t group = number_in("/sys/fs/cgroup/memory.max"), used = number_in("/sys/fs/cgroup/memory.current");
    if (group != unlimited && used != unlimited) machine = std::min(machine, group - std::min(group, used));
    if (machine != unlimited) machine /= static_cast<std::size_t>(std::max(ranks_here, 1));

    rlimit process{};
    if (::getrlimit(RLIMIT_AS, &process) != 0 || process.rlim_cur == RLIM_INFINITY) return machine;
    const std::size_t pages = number_in("/proc/self/statm");
    const std::size_t taken = pages == unlimited ? 0 : pages * 4096;
    const auto limit = static_cast<std::size_t>(process.rlim_cur);
    return std::min(machine, limit - std::min(limit, taken));
}

/// How much a load may take on this rank: what the user says, or 80 % of what the process may use.
class memory_budget {
public:
    memory_budget(std::size_t limit, int ranks_here) : bytes(limit) {
        if (bytes != 0) return;
        const std::size_t usable = usable_memory(ranks_here);
        bytes = usable == unlimited ? unlimited : usable / 5 * 4;
    }

    /// Throws out_of_memory when `needed` bytes are too many.
    void require(std::size_t needed, const std::string& source) const {
        if (needed > bytes)
            refuse(source, ": a rank's rows take at least ", needed,
                   "use more ranks, float instead of double, or raise .memory_limit");
    }

    /// The same for what every rank holds for each of that many columns: a name at least.
    void require_columns(std::size_t columns, const std::string& source) const {
        if (columns > bytes / sizeof(std::string))
            refuse(source, core::text(": the names of ", columns, " columns take at least "),
                   columns * sizeof(std::string), "drop columns, or raise .memory_limit");
    }

private:
    [[noreturn, gnu::cold]] void refuse(const std::string& source, std::string_view what, std::size_t needed,
                                        std::string_view suggestion) const {
        throw core::out_of_memory(
            core::text(source, what, in_units(needed), " of memory (it may use ", in_units(bytes), ") ", suggestion));
    }

    [[gnu::cold]] static std::string in_units(std::size_t count) {
        return count < std::size_t(10) << 20 ? core::text(count >> 10, " KB") : core::text(count >> 20, " MB");
    }

    std::size_t bytes;
};

}  // namespace gamut::data::detail

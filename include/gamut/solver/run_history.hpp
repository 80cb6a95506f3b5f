// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <gamut/communicator/agree.hpp>
#include <gamut/communicator/concept.hpp>
#include <gamut/core/checkpoint.hpp>
#include <gamut/core/checkpoints.hpp>
#include <gamut/core/error.hpp>
#include <gamut/core/result.hpp>
#include <gamut/core/text.hpp>

/// What every checkpoint of a run has beside its state (state.hpp): the history; and how all ranks get the same one.
namespace gamut::solver {

namespace detail {
/// A text that lives for ever, as what records refer to must.
inline std::string_view interned(const std::string& text) {
    static std::mutex guard;
    static std::set<std::string> all;
    const std::lock_guard lock(guard);
    return *all.insert(text).first;
}
}  // namespace detail

inline void put_history(core::checkpoint& to, std::span<const core::record> history) {
    std::vector<double> numbers;
    std::vector<std::uint64_t> counts;
    std::vector<std::string_view> phases;
    std::string names;
    for (const core::record& r : history) {
        auto found = std::find(phases.begin(), phases.end(), r.phase);
        if (found == phases.end()) {
            (names += r.phase) += '\n';
            found = phases.insert(phases.end(), r.phase);
        }
        for (const double x : {r.objective, r.residual, r.dual_residual, r.step, r.seconds}) numbers.push_back(x);
        for (const std::size_t x : {r.iteration, r.nonzeros, r.passes, static_cast<std::size_t>(r.ranks), r.limit,
                                    static_cast<std::size_t>(found - phases.begin())})
            counts.push_back(x);
    }
    to.put("history.numbers", numbers);  // five a record, and six
    to.put("history.counts", counts);
    to.put("history.phases", names);
}

inline std::vector<core::record> get_history(const core::checkpoint& from, std::string_view solver) {
    const auto numbers = from.get<double>("history.numbers");
    const auto counts = from.get<std::uint64_t>("history.counts");
    const std::string names = from.characters("history.phases");
    const auto damaged = [&] {
        throw core::data_error(
            core::text(from.path(), ": its history is none (its parts do not fit together) take another checkpoint"));
    };
    std::vector<std::string_view> phases;
    for (std::size_t begin = 0, end; (end = names.find('\n', begin)) != names.npos; begin = end + 1)
        phases.push_back(detail::interned(names.substr(begin, end - begin)));
    const std::size_t size = counts.size() / 6;
    if (size == 0 || counts.size() != 6 * size || numbers.size() != 5 * size) damaged();
    std::vector<core::record> history(size);
    for (std::size_t i = 0; i < size; ++i) {
        core::record& r = history[i];
        const double* const x = numbers.data() + 5 * i;
        const std::uint64_t* const n = counts.data() + 6 * i;
        if (n[5] >= phases.size()) damaged();
        r = {.solver = solver,
             .phase = phases[n[5]],
             .iteration = n[0],
             .objective = x[0],
             .residual = x[1],
             .dual_residual = x[2],
             .step = x[3],
             .nonzeros = n[1],
             .passes = n[2],
             .seconds = x[4],
             .ranks = static_cast<int>(n[3]),
             .limit = n[4]};
    }
    return history;
}

/// The checkpoint that `from` names, the same on all ranks; nothing where there is none yet. Rank 0 reads; collective.
template <communicator::Communicator C>
std::optional<core::checkpoint> read_together(const C& c, const std::string& from) {
    std::string bytes, path;
    communicator::agree(c, [&] {
        if (c.rank() != 0) return;
        if (const auto found = core::newest_checkpoint(from)) {
            path = found->path();
            bytes = found->bytes();
        }
    });
    std::int64_t sizes[2] = {static_cast<std::int64_t>(bytes.size()), static_cast<std::int64_t>(path.size())};
    c.broadcast(std::span<std::int64_t>(sizes), 0);
    if (sizes[0] == 0) return std::nullopt;
    std::optional<core::checkpoint> read;
    communicator::agree(c, [&] {
        bytes.resize(static_cast<std::size_t>(sizes[0]));
        path.resize(static_cast<std::size_t>(sizes[1]));
    });
    for (std::string* const text : {&bytes, &path})
        c.broadcast(std::span<std::uint8_t>(reinterpret_cast<std::uint8_t*>(text->data()), text->size()), 0);
    communicator::agree(c, [&] { read = core::checkpoint::of_bytes(bytes, path); });
    return read;
}

}  // namespace gamut::solver

// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <gamut/core/checkpoint.hpp>
#include <gamut/core/error.hpp>
#include <gamut/core/result.hpp>
#include <gamut/core/text.hpp>

/// The history that every checkpoint of a run has beside its state.
namespace gamut::core {

namespace detail {
/// A text that lives for ever, as what records refer to must.
[[gnu::cold]] inline std::string_view interned(const std::string& text) {
    static std::mutex guard;
    static std::set<std::string> all;
    const std::lock_guard lock(guard);
    return *all.insert(text).first;
}
}  // namespace detail

[[gnu::cold]] inline void put_history(checkpoint& to, std::span<const record> history) {
    std::vector<double> numbers;
    std::vector<std::uint64_t> counts;
    std::vector<std::string_view> phases;
    std::string names;
    for (const record& r : history) {
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

[[gnu::cold]] inline std::vector<record> get_history(const checkpoint& from, std::string_view solver) {
    const auto numbers = from.get<double>("history.numbers");
    const auto counts = from.get<std::uint64_t>("history.counts");
    const std::string names = from.characters("history.phases");
    const auto damaged = [&] {
        throw data_error(
            text(from.path(), ": its history is none (its parts do not fit together) take another checkpoint"));
    };
    std::vector<std::string_view> phases;
    for (std::size_t begin = 0, end; (end = names.find('\n', begin)) != names.npos; begin = end + 1)
        phases.push_back(detail::interned(names.substr(begin, end - begin)));
    const std::size_t size = counts.size() / 6;
    if (size == 0 || counts.size() != 6 * size || numbers.size() != 5 * size) damaged();
    std::vector<record> history(size);
    for (std::size_t i = 0; i < size; ++i) {
        record& r = history[i];
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

}  // namespace gamut::core

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

/// What a checkpoint has beside a solver's state: the history, and what tells the problem; and how all ranks get the same one.
namespace gamut::solver::detail {

/// A text that lives for ever, as what records refer to must.
inline std::string_view interned(const std::string& text) {
    static std::mutex guard;
    static std::set<std::string> all;
    const std::lock_guard lock(guard);
    return *all.insert(text).first;
}

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
        phases.push_back(interned(names.substr(begin, end - begin)));
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

/// What stands in every checkpoint, so that nobody goes on with another problem, and a fit can be made of it without the data.
template <class P> void put_problem(core::checkpoint& to, const P& p) {
    to.put("problem.dimension", std::vector<std::uint64_t>{p.dimension()});
    if constexpr (requires {
                      p.scaling().means;
                      p.layout().outputs;
                  }) {
        to.put("problem.outputs", std::vector<std::uint64_t>{p.layout().outputs});
        to.put("problem.means", p.scaling().means);
        to.put("problem.scales", p.scaling().scales);
        to.put("problem.rows", std::vector<std::uint64_t>{p.rows()});
    }
    if constexpr (requires { p.dataset().classes; }) {
        to.put_words("problem.features", p.dataset().features);
        to.put_words("problem.classes", p.dataset().classes);
        to.put("problem.label", p.dataset().label);
    } else if constexpr (requires { p.class_names(); }) {
        to.put_words("problem.features", p.feature_names());
        to.put_words("problem.classes", p.class_names());
        to.put("problem.label", p.label());
    }
}

template <class P> void check_problem(const core::checkpoint& from, std::string_view solver, const P& p) {
    if (from.kind != solver)
        throw core::data_error(core::text(from.path(), ": a checkpoint of '", core::visible(from.kind, 40), "' (",
                                          solver, " is to go on) name one of the same solver"));
    core::checkpoint mine;
    put_problem(mine, p);
    const auto other = [&](const char* what) {
        throw core::data_error(core::text(from.path(), ": made with other data (", what,
                                          ") resume with the data and the preparation of the run, or without resume"));
    };
    if (from.get<std::uint64_t>("problem.dimension") != mine.get<std::uint64_t>("problem.dimension"))
        other("another number of weights");
    if (!mine.has("problem.rows")) return;
    if (from.get<std::uint64_t>("problem.rows") != mine.get<std::uint64_t>("problem.rows"))
        other("another number of rows");
    if (from.get<double>("problem.means") != mine.get<double>("problem.means") ||
        from.get<double>("problem.scales") != mine.get<double>("problem.scales"))
        other("columns have other means or deviations");
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

}  // namespace gamut::solver::detail

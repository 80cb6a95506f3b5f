// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdio>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <string_view>
#include <unistd.h>
#include <vector>

#include <gamut/communicator/single.hpp>
#include <gamut/communicator/threads.hpp>
#include <gamut/core/checkpoints.hpp>
#include <gamut/core/result.hpp>
#include <gamut/core/text.hpp>

/// Runs that are interrupted at every iteration and go on from their checkpoint, on other numbers of ranks.
namespace interrupted {

namespace core = gamut::core;
namespace communicator = gamut::communicator;

/// A folder of this test's own, that is gone afterwards.
struct scratch {
    std::filesystem::path path;
    explicit scratch(std::string_view name)
        : path(std::filesystem::temp_directory_path() / core::text("gamut_", name, "_", ::getpid())) {
        std::filesystem::remove_all(path);
    }
    ~scratch() { std::filesystem::remove_all(path); }
    std::string folder() const { return path.string(); }
};

/// All that a run found but for seconds and ranks, number by number, as hexadecimal floating point.
template <class A> std::string described(const core::result<A>& found) {
    std::string text = core::text("ended ", core::name(found.status), ": ", found.message, "; iterations ",
                                  found.iterations, ", passes ", found.passes, ":");
    const auto append = [&](double value) {
        char digits[64];
        std::snprintf(digits, sizeof digits, " %a", value);
        text += digits;
    };
    append(found.objective);
    append(found.lower_bound);
    for (const auto value : found.weights.download()) append(static_cast<double>(value));
    for (const core::record& now : found.history) {
        text += core::text("\n", now.solver, " ", now.phase, " ", now.iteration, ", nonzeros ", now.nonzeros,
                           ", passes ", now.passes, ":");
        for (const double value : {now.objective, now.residual, now.dual_residual, now.step}) append(value);
    }
    return text;
}

/// The line in which two differ; empty: none.
inline std::string difference(const std::string& a, const std::string& b) {
    if (a == b) return {};
    std::size_t i = 0;
    while (i < a.size() && i < b.size() && a[i] == b[i]) ++i;
    const auto line = [&](const std::string& text) {
        const std::size_t begin = i == 0 ? 0 : text.rfind('\n', i - 1) + 1;
        return text.substr(begin, text.find('\n', i) - begin);
    };
    return line(a) + "\nand " + line(b);
}

struct power_cut : std::runtime_error {
    power_cut() : std::runtime_error("the power is cut") {}
};

/// Calls f(communicator) on as many ranks; what rank 0 returns.
template <class F> std::string on_ranks(int ranks, F&& f) {
    if (ranks == 1) return f(communicator::single<>{});
    std::vector<std::string> all(static_cast<std::size_t>(ranks));
    communicator::threads<>::run(
        ranks, [&](const communicator::threads<>& c) { all[static_cast<std::size_t>(c.rank())] = f(c); });
    for (const std::string& one : all)
        if (one != all[0]) return "ranks differ: " + difference(one, all[0]);
    return all[0];
}

/// minimize(communicator, resume, observers...) returns a result. Runs it whole, and then for every iteration k: up to k, where
/// it is stopped, or, if it crashes, thrown out; then to the end on another number of ranks. Returns what went wrong.
template <class Minimize>
std::string at_every_iteration(std::string_view name, Minimize&& minimize, std::size_t stride = 1) {
    const std::string whole = on_ranks(1, [&](const auto& c) { return described(minimize(c, std::string())); });
    std::size_t iterations = 0;
    on_ranks(1, [&](const auto& c) {
        iterations = minimize(c, std::string()).history.back().iteration;
        return std::string();
    });
    std::size_t rounds = 0;
    for (std::size_t k = 1; k < iterations; k += stride, ++rounds)
        for (const bool crashes : {false, true}) {
            const scratch place(core::text(name, "_", k));
            const int before = 1 + static_cast<int>(rounds % 4),
                      after = 1 + static_cast<int>((rounds + 1 + crashes) % 4);
            bool cut = false;
            try {
                on_ranks(before, [&](const auto& c) {
                    const auto interrupt = [&](const core::record& now) {
                        if (now.iteration < k + (crashes ? 1 : 0)) return false;
                        if (crashes) throw power_cut();  // no checkpoint of this one
                        return true;
                    };
                    core::checkpoints keeper{.every = k, .folder = place.folder()};
                    const auto found = minimize(c, std::string(), interrupt, keeper);
                    return std::string(core::name(found.status));
                });
            } catch (const core::error&) {  // what ranks throw together
                cut = true;
            } catch (const power_cut&) {
                cut = true;
            }
            if (cut != crashes) return core::text(name, ": iteration ", k, " did not end as it should");
            const std::string rest = on_ranks(after, [&](const auto& c) {
                core::checkpoints keeper{.every = 1000000, .folder = place.folder()};
                return described(minimize(c, place.folder(), keeper));
            });
            if (rest != whole)
                return core::text(name, ": interrupted ", crashes ? "behind" : "at", " iteration ", k, " on ", before,
                                  " ranks, and on ", after, " afterwards: ", difference(rest, whole));
            if (!std::filesystem::exists(core::end_mark_of(place.folder()))) return core::text(name, ": no end mark");
        }
    return rounds > 0 ? "" : core::text(name, ": nothing to interrupt");
}

}  // namespace interrupted

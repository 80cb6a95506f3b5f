// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <limits>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <gamut/communicator/agree.hpp>
#include <gamut/communicator/concept.hpp>
#include <gamut/consistency/concept.hpp>
#include <gamut/core/error.hpp>
#include <gamut/core/exact_sum.hpp>
#include <gamut/table/layout.hpp>

namespace gamut::table::detail {

/// A layout that has all its numbers, and which rank has which of them.
struct plan {
    table::layout layout{};
    std::vector<int> rank_of_worker{}, rank_of_server{};
    std::size_t servers = 1;                          // that have rows: the first of them
    std::vector<int> worker_ranks{}, server_ranks{};  // each rank once

    std::size_t server_of(std::uint64_t row) const { return static_cast<std::size_t>(row % layout.servers); }
};

/// Servers in runs over the ranks `on`; the first has one.
inline std::vector<int> deal_servers(std::size_t count, const std::vector<int>& on) {
    std::vector<int> all(count);
    for (std::size_t i = 0; i < count; ++i) all[i] = on[i * on.size() / count];
    return all;
}

/// Workers in runs over the ranks `on`, as nodes and blocks of rows are dealt (exchange/first_node.hpp).
inline std::vector<int> deal_workers(std::size_t count, const std::vector<int>& on) {
    std::vector<int> all(count);
    for (std::size_t i = 0; i < count; ++i) all[i] = on[((i + 1) * on.size() - 1) / count];
    return all;
}

inline std::vector<int> each_once(std::vector<int> ranks) {
    std::sort(ranks.begin(), ranks.end());
    ranks.erase(std::unique(ranks.begin(), ranks.end()), ranks.end());
    return ranks;
}

/// Throws core::option_error where the layout makes no sense.
inline void check_layout(const layout& shape, int ranks, std::uint64_t widest) {
    const auto refuse = [&](const auto&... parts) { throw core::option_error(core::text(shape.name, ": ", parts...)); };
    constexpr std::size_t most_workers = core::exact_sum::most_partials, most_servers = std::size_t{1} << 20;
    if (shape.rows == 0) refuse("rows is 0 (at least one is needed)");
    if (shape.width == 0) refuse("width is 0 (at least one is needed)");
    if (shape.workers > most_workers)
        refuse("workers is ", shape.workers, " (", most_workers, " updates of a clock fit exactly) use fewer");
    if (shape.servers > most_servers) refuse("servers is ", shape.servers, " (at most ", most_servers, ") use fewer");
    if (shape.width > widest)
        refuse("width is ", shape.width, " (a row travels in one letter, of at most ", widest,
               " numbers) use more rows, or table::sparse");
    for (const auto* const list : {&shape.workers_on, &shape.servers_on}) {
        const char* const what = list == &shape.workers_on ? "workers_on" : "servers_on";
        for (const int rank : *list)
            if (rank < 0 || rank >= ranks) refuse(what, " names rank ", rank, " (ranks are 0..", ranks - 1, ")");
        if (each_once(*list).size() != list->size()) refuse(what, " names a rank twice (once is enough)");
    }
    shape.early.validate();
}

inline plan complete(layout shape, int ranks) {
    plan all;
    const auto on = [&](const std::vector<int>& named) {
        std::vector<int> list = named;
        if (list.empty())
            for (int rank = 0; rank < ranks; ++rank) list.push_back(rank);
        return list;
    };
    const auto workers_on = on(shape.workers_on), servers_on = on(shape.servers_on);
    if (shape.workers == 0) shape.workers = workers_on.size();
    if (shape.servers == 0) shape.servers = servers_on.size();
    all.rank_of_worker = deal_workers(shape.workers, workers_on);
    all.rank_of_server = deal_servers(shape.servers, servers_on);
    all.servers = static_cast<std::size_t>(std::min<std::uint64_t>(shape.servers, shape.rows));
    all.worker_ranks = each_once(all.rank_of_worker);
    all.server_ranks =
        each_once({all.rank_of_server.begin(), all.rank_of_server.begin() + static_cast<std::ptrdiff_t>(all.servers)});
    all.layout = std::move(shape);
    return all;
}

/// 64-bit FNV-1a
class fingerprint {
public:
    void add(std::span<const std::uint8_t> bytes) {
        for (const std::uint8_t byte : bytes) hash_ = (hash_ ^ byte) * 1099511628211u;
    }
    void add(std::uint64_t number) {
        for (int byte = 0; byte < 8; ++byte, number >>= 8) hash_ = (hash_ ^ (number & 255)) * 1099511628211u;
    }
    std::uint64_t value() const { return hash_; }

private:
    std::uint64_t hash_ = 14695981039346656037u;
};

/// Whether a number is the same on all ranks. Collective: one all-reduce of 16 bytes.
template <communicator::Communicator C> bool same_everywhere(const C& c, std::uint64_t number) {
    const auto mine = static_cast<std::int64_t>(number >> 1);  // its negative exists
    std::int64_t most[2] = {mine, -mine};
    c.all_reduce(std::span<std::int64_t>(most), communicator::operation::maximum);
    return most[0] == -most[1];
}

/// The plan that all ranks have, or one error on all of them. Collective: two all-reduces.
template <communicator::Communicator C, class Rows, consistency::Consistency K>
plan agreed_plan(const C& c, const layout& shape, const typename Rows::logic& logic, const K& rule) {
    plan all;
    communicator::agree(c, [&] {
        check_layout(shape, c.size(), Rows::widest);
        if constexpr (requires { logic.validate(); }) logic.validate();
        all = complete(shape, c.size());
        rule.validate(all.layout.workers);
    });
    fingerprint options;
    for (const std::uint64_t number :
         {all.layout.rows, all.layout.width, std::uint64_t{all.layout.workers}, std::uint64_t{all.layout.servers},
          rule.oldest(1000), std::uint64_t{rule.quorum(all.layout.workers)}, std::uint64_t{rule.pushed()}})
        options.add(number);
    for (const auto* const list : {&all.rank_of_worker, &all.rank_of_server})
        for (const int rank : *list) options.add(static_cast<std::uint64_t>(rank));
    if (!same_everywhere(c, options.value()))
        throw core::option_error(
            core::text(all.layout.name, ": the ranks' options differ (all must say the same) give all the same"));
    return all;
}

}  // namespace gamut::table::detail

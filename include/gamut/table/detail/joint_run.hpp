// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <tuple>
#include <utility>
#include <vector>

#include <gamut/communicator/agree.hpp>
#include <gamut/core/error.hpp>
#include <gamut/table/record.hpp>
#include <gamut/table/worker.hpp>

namespace gamut::table::detail {

/// One run of tables whose workers are the same: body(worker of the first, worker of the second, ...).
template <class... Part> class joint_run {
public:
    template <class Body> static std::vector<report> of(std::uint64_t clocks, Body& body, Part&... tables) {
        auto& first = std::get<0>(std::tie(tables...));
        ((tables.where.rank_of_worker == first.where.rank_of_worker
              ? void()
              : throw core::shape_error(core::text(tables.where.layout.name, ": its workers are not those of ",
                                                   first.where.layout.name, " (tables of one run share them)"))),
         ...);
        (tables.begin_run(clocks), ...);
        std::exception_ptr mine;
        const auto trying = [&](auto&& work) {
            try {
                work();
            } catch (const somebody_failed&) {
            } catch (...) {
                if (!mine) mine = std::current_exception();
                (tables.tell(mine), ...);
            }
        };
        trying([&] { work(clocks, body, tables...); });
        trying([&] { (tables.say_finished(), ...); });
        trying([&] { (tables.serve(), ...); });
        (tables.box.settle(), ...);
        ((mine = mine ? mine : tables.desk->failure), ...);
        try {
            communicator::agree(first.c, mine);
        } catch (const core::error& problem) {
            (tables.close(problem.what()), ...);
            throw;
        }
        return {tables.end_run(clocks)...};
    }

private:
    /// Clock after clock of this rank's workers; the one that is behind goes first.
    template <class Body> static void work(std::uint64_t clocks, Body& body, Part&... tables) {
        std::vector<std::tuple<worker<Part>...>> crew;
        std::vector<std::uint64_t> done;
        const auto& plan = std::get<0>(std::tie(tables...)).where;
        for (std::size_t id = 0; id < plan.rank_of_worker.size(); ++id)
            if (plan.rank_of_worker[id] == std::get<0>(std::tie(tables...)).c.rank()) {
                crew.emplace_back(worker<Part>(tables, id)...);
                done.push_back(0);
            }
        for (;;) {
            const auto behind = std::min_element(done.begin(), done.end());
            if (behind == done.end() || *behind >= clocks) return;
            auto& mine = crew[static_cast<std::size_t>(behind - done.begin())];
            std::apply([&](auto&... me) { body(me...); }, mine);
            *behind = tick(mine, std::index_sequence_for<Part...>{}) + 1;
        }
    }

    /// Ends a clock, which is the same in all tables: where one of them is further on, so are the others.
    template <std::size_t... I>
    static std::uint64_t tick(std::tuple<worker<Part>...>& mine, std::index_sequence<I...>) {
        std::uint64_t latest = 0;
        ((latest = std::max(latest, std::get<I>(mine).clocks_done())), ...);
        (std::get<I>(mine).tick(latest), ...);
        return latest;
    }
};

}  // namespace gamut::table::detail

// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gamut/communicator/concept.hpp>
#include <gamut/consistency/concept.hpp>
#include <gamut/core/clock.hpp>
#include <gamut/core/error.hpp>
#include <gamut/table/detail/desk.hpp>
#include <gamut/table/detail/guard.hpp>
#include <gamut/table/detail/letter.hpp>
#include <gamut/table/detail/outbox.hpp>
#include <gamut/table/detail/plan.hpp>
#include <gamut/table/detail/tally.hpp>
#include <gamut/table/layout.hpp>
#include <gamut/table/record.hpp>

namespace gamut::table::detail {

/// One rank's part of a table: its desk, the mailbox, and how a run begins and ends.
template <communicator::PostalCommunicator C, class Rows, consistency::Consistency K> class part {
public:
    using rows_type = Rows;
    using rule_type = K;
    using desk_type = detail::desk<Rows, K>;
    using box_type = decltype(std::declval<const C&>().open(std::declval<desk_type&>()));

    part(const C& ranks, const layout& shape, const typename Rows::logic& row, const K& freshness)
        : c(ranks),
          logic(row),
          rule(freshness),
          where(agreed_plan<C, Rows, K>(ranks, shape, row, freshness)),
          desk(std::make_unique<desk_type>(where, ranks.rank(), ranks.size(), row, freshness)),
          box(ranks.open(*desk)) {
        box.look([&] {
            desk->out = outbox::of(box);
            return true;
        });
        c.barrier();
    }
    part(const part&) = delete;
    part& operator=(const part&) = delete;

    void check_row(std::uint64_t number) const {
        if (number >= where.layout.rows)
            throw core::shape_error(
                core::text(where.layout.name, ": row ", number, " (rows are 0..", where.layout.rows - 1, ")"));
    }
    void check_open() const {
        if (!closed_.empty())
            throw core::error(core::text(where.layout.name, ": a worker failed before (", closed_,
                                         ") make the table again, and restore its last snapshot"));
    }
    void close(const char* why) { closed_ = why; }

    /// Seconds, virtual ones where there are such.
    double now() const {
        if constexpr (requires { c.now(); })
            return c.now();
        else
            return since_.seconds();
    }
    std::int64_t nanoseconds_since(double then) const { return static_cast<std::int64_t>(1e9 * (now() - then)); }

    void post(std::uint64_t in_clock, std::size_t server, byte_writer letter) {
        counts.sent(in_clock, letter.size());
        box.post(where.rank_of_server[server], letter.take());
    }

    // A run: begin_run, the workers' clocks, say_finished, serve, (settle,) end_run; or tell, somewhere.

    void begin_run(std::uint64_t clocks) {
        check_open();
        counts.begin(clock, clocks);
        end = clock + clocks;
        box.look([&] {
            desk->begin(clock, clocks);
            return true;
        });
        // no letter of this run comes before all have begun
        if (!same_everywhere(c, clocks) || clocks > (std::uint64_t{1} << 62) - clock)
            throw core::option_error(core::text(where.layout.name, ": ", clocks, " clocks on rank ", c.rank(),
                                                " (all ranks say the same, less than 2^62) give all the same number"));
        begun = now();
    }
    /// This rank's work failed: the others need not wait for it.
    void tell(const std::exception_ptr& mine) noexcept {
        try {
            if (box.look([&] { return desk->note(mine); })) desk->tell();
        } catch (...) {}  // a group whose mailboxes fail has told everybody
    }
    void say_finished() {
        if (!is_among(where.worker_ranks)) return;
        for (const int to : where.server_ranks)
            box.post(
                to,
                begin_letter({.kind = letter_kind::finished, .sender = static_cast<std::uint64_t>(c.rank())}).take());
    }
    /// A rank with servers takes letters until all workers are done, each in a wait of its own, for waits have deadlines.
    void serve() {
        if (!is_among(where.server_ranks)) return;
        bool over = false;
        while (!over) {
            std::uint64_t seen = 0;
            box.look([&] {
                seen = desk->letters;
                return true;
            });
            box.wait([&] {
                over = desk->stopped || desk->finished == where.worker_ranks.size();
                return over || desk->letters != seen;
            });
        }
    }
    /// What was counted, from all ranks. Collective: two all-reduces.
    report end_run(std::uint64_t clocks) {
        clock += clocks;
        box.look([&] {
            for (const auto& one : desk->servers) counts.add(one.counts);
            return true;
        });
        report done;
        done.seconds = now() - begun;
        add_over_ranks(c, counts);
        done.total = counts.total(where.layout.name);
        for (std::size_t k = 0; k < counts.size(); ++k) done.history.push_back(counts.describe(k, where.layout.name));
        if constexpr (!K::needs_clock) done.message = warning(logic, done.total);
        return done;
    }

    C c;
    typename Rows::logic logic;
    K rule;
    plan where;
    std::unique_ptr<desk_type> desk;  // before the box, which goes first
    box_type box;
    std::uint64_t clock = 0, end = 0;  // when the run began, or the next one will, and when it ends
    double begun = 0;
    tally counts;  // of this rank's workers

private:
    bool is_among(const std::vector<int>& ranks) const {
        return std::binary_search(ranks.begin(), ranks.end(), c.rank());
    }

    core::clock since_;
    std::string closed_;  // why
};

}  // namespace gamut::table::detail

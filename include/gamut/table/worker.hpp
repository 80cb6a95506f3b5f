// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <unordered_map>
#include <utility>
#include <vector>

#include <gamut/table/detail/bytes.hpp>
#include <gamut/table/detail/early_line.hpp>
#include <gamut/table/detail/ledger.hpp>
#include <gamut/table/detail/letter.hpp>
#include <gamut/table/detail/tally.hpp>

namespace gamut::table {

namespace detail {

template <class... Part> class joint_run;

/// Thrown out of a worker's function when another rank has failed; nobody outside sees it.
struct somebody_failed {};

}  // namespace detail

/// What the function given to table::shared::run works with: one worker, in one of its clocks.
template <class Part> class worker {
public:
    using rows = typename Part::rows_type;
    using values = typename rows::values;  // std::vector<double>, or table::entries where rows are sparse

    std::size_t id() const { return id_; }
    std::uint64_t clock() const { return clock_; }

    /// The row, as fresh as the rule demands; if it is additive (sum) with what this worker added itself. Waits for a
    /// letter there and one back where this rank's copy is too old, or the rule is asynchronous; for the others where
    /// the rule says so. With backup_workers, a worker that comes too late finds itself in a later clock.
    values get(std::uint64_t row) {
        table_.check_row(row);
        send_early();
        const std::uint64_t oldest = table_.rule.oldest(clock_);
        auto& copies = table_.desk->read_copies;
        if (!has(row, oldest)) wait_for(row, oldest);
        values got;
        std::uint64_t as_of = 0;
        const bool failed = table_.box.look([&] {
            if (table_.desk->stopped) return true;
            const auto& copy = *copies.find(row, oldest);
            got = copy.values;
            as_of = copies.clock_of(row, copy);
            versions_[row] = copy.version;
            return false;
        });
        if (failed) throw detail::somebody_failed{};
        if constexpr (with_clock) catch_up(as_of);
        line_.saw(row, got);
        if constexpr (rows::additive) add_own(row, as_of, got);
        return got;
    }

    /// Adds to the row: `width` numbers, or table::entries where rows are sparse. Out it goes when the clock is over, or
    /// before (table::managed).
    void add(std::uint64_t row, typename rows::given update) {
        table_.check_row(row);
        rows::check(update, table_.where.layout.width, table_.where.layout.name);
        now_.add(row, update, table_.where.layout.width);
        send_early();
    }

    /// One entry of a sparse row.
    void add(std::uint64_t row, std::uint64_t index, double value) requires requires(values v) { v.add(index, value); }
    { add(row, values{{index, value}}); }

    /// How many clocks what was read last lacks; 0 when the rule is asynchronous (see record::staleness).
    std::uint64_t staleness() const { return staleness_; }

private:
    template <class... Parts> friend class detail::joint_run;
    using entry = typename detail::ledger<rows>::entry;
    static constexpr bool with_clock = Part::rule_type::needs_clock;

    worker(Part& table, std::size_t id)
        : table_(table),
          id_(id),
          clock_(table.clock),
          line_(table.where.layout.early, id) {}

    /// Whether this rank's copy will do.
    bool has(std::uint64_t row, std::uint64_t oldest) {
        const bool found =
            with_clock && table_.box.look([&] { return table_.desk->read_copies.find(row, oldest) != nullptr; });
        if (found) table_.counts.add(detail::hits, clock_);
        return found;
    }

    void wait_for(std::uint64_t row, std::uint64_t oldest) {
        const double since = table_.now();
        auto& copies = table_.desk->read_copies;
        const bool comes_by_itself = table_.box.look([&] {
            if (!with_clock) copies.forget(row);  // the next one that comes is new
            return table_.rule.pushed() && copies.has(row);
        });
        if (!comes_by_itself)
            table_.post(clock_, table_.where.server_of(row),
                        detail::begin_letter({.kind = detail::letter_kind::pull,
                                              .sender = id_,
                                              .server = table_.where.server_of(row),
                                              .clock = oldest,
                                              .begun = clock_,
                                              .count = row}));
        table_.box.wait([&] { return table_.desk->stopped || copies.find(row, oldest) != nullptr; });
        table_.counts.add(detail::waits, clock_);
        table_.counts.add(detail::nanoseconds_waited, clock_, table_.nanoseconds_since(since));
    }

    /// The others may have gone on without this worker.
    void catch_up(std::uint64_t as_of) {
        if (as_of > clock_) {
            clock_ = as_of;
            for (auto& one : now_.all()) one.unsent = true;  // what went early went for an older clock
        }
        staleness_ = clock_ - as_of;
        table_.counts.add(detail::readings, clock_);
        table_.counts.add(detail::stale, clock_, static_cast<std::int64_t>(staleness_));
        table_.counts.most(detail::most_stale, clock_, static_cast<std::int64_t>(staleness_));
    }

    /// What this worker added and the copy lacks.
    void add_own(std::uint64_t row, std::uint64_t as_of, values& got) const {
        for (const auto& [then, added] : before_)
            if (const auto* mine = then >= as_of ? added.find(row) : nullptr) rows::add(got, *mine);
        if (const auto* mine = now_.find(row)) rows::add(got, *mine);
    }

    /// What may go before the clock is over.
    void send_early() {
        if (!line_.is_on() || clock_ >= table_.end) return;
        for (const double time = table_.now(); line_.is_free(time);) {
            const std::size_t k = line_.next(now_.all());
            if (k == line_.nothing) return;
            entry& one = now_.all()[k];
            const std::size_t server = table_.where.server_of(one.row);
            auto letter = detail::begin_letter(head(server, 1, false));
            write(letter, one);
            line_.used(time, letter.size());
            table_.counts.add(detail::early, clock_);
            table_.post(clock_, server, std::move(letter));
            if constexpr (with_clock)
                one.unsent = false;
            else
                now_.forget(k);
        }
    }

    std::uint64_t clocks_done() const { return clock_ - table_.clock; }

    /// The clock is over, and all before the one that is `done` clocks after the run's first: another table of the same
    /// run may be further on.
    void tick(std::uint64_t done) {
        if (table_.box.look([&] { return table_.desk->stopped; })) throw detail::somebody_failed{};
        table_.counts.most(detail::ended, clock_, table_.nanoseconds_since(table_.begun));
        if (clock_ < table_.end)
            send_updates();
        else  // the others made the last clock without it
            table_.counts.add(detail::late, table_.end - 1);
        if constexpr (rows::additive && with_clock) before_.emplace_back(clock_, std::move(now_));
        now_.clear();
        for (++clock_; clock_ <= table_.clock + done; ++clock_)
            if (with_clock && clock_ < table_.end) send_updates();
        while (!before_.empty() && before_.front().first < table_.rule.oldest(clock_)) before_.pop_front();
    }

    /// To every server what it does not have yet, and that there is no more; in several letters if it is long.
    void send_updates() {
        std::vector<std::vector<const entry*>> for_server(table_.where.servers);
        for (const entry& one : now_.all())
            if (one.unsent) for_server[table_.where.server_of(one.row)].push_back(&one);
        for (std::size_t server = 0; server < for_server.size(); ++server) {
            if (!with_clock && for_server[server].empty()) continue;
            auto letter = detail::begin_letter({});
            std::uint64_t count = 0;
            const auto send = [&](bool last) {
                letter.replace(0, head(server, std::exchange(count, 0), last));
                table_.post(clock_, server, std::exchange(letter, detail::begin_letter({})));
            };
            for (const entry* one : for_server[server]) {
                if (count > 0 && letter.size() + rows::bytes(one->sum) > detail::longest_letter) send(false);
                write(letter, *one);
                ++count;
            }
            send(true);
        }
    }

    detail::letter_head head(std::size_t server, std::uint64_t count, bool last) const {
        return {.kind = detail::letter_kind::update,
                .sender = id_,
                .server = server,
                .clock = clock_,
                .count = count,
                .last = last};
    }
    void write(detail::byte_writer& letter, const entry& one) const {
        const auto read = versions_.find(one.row);
        letter.put(one.row);
        letter.put(read == versions_.end() ? detail::never_read : read->second);
        rows::write(letter, one.sum);
    }

    Part& table_;
    std::size_t id_;
    std::uint64_t clock_, staleness_ = 0;
    detail::ledger<rows> now_;                                           // of this clock
    std::deque<std::pair<std::uint64_t, detail::ledger<rows>>> before_;  // of clocks that copies may lack
    std::unordered_map<std::uint64_t, std::uint64_t> versions_;          // of rows as they were read last
    detail::early_line<rows> line_;
};

}  // namespace gamut::table

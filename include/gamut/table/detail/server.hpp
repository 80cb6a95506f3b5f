// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <unordered_map>
#include <utility>
#include <vector>

#include <gamut/consistency/concept.hpp>
#include <gamut/core/stable_sort.hpp>
#include <gamut/table/detail/bytes.hpp>
#include <gamut/table/detail/clocks.hpp>
#include <gamut/table/detail/letter.hpp>
#include <gamut/table/detail/outbox.hpp>
#include <gamut/table/detail/plan.hpp>
#include <gamut/table/detail/tally.hpp>

namespace gamut::table::detail {

/// One server: its rows, and what letters to it change. Everything here happens in letter(...), or between letters.
template <class Rows, consistency::Consistency K> class server {
public:
    using values = typename Rows::values;
    using kept = typename Rows::kept;
    struct row {
        kept content;
        std::uint64_t version = 0;  // updates that were applied
    };
    using all_rows = std::unordered_map<std::uint64_t, row>;

    server(std::uint64_t number, const plan& where, const typename Rows::logic& logic, const K& rule)
        : number_(number),
          plan_(where),
          logic_(logic),
          rule_(rule),
          open_(where.layout.workers) {}

    void begin(std::uint64_t first, std::uint64_t clocks) {
        complete_ = first;
        end_ = first + clocks;
        counts.begin(first, clocks);
    }

    /// What a worker added; see letter_kind::update.
    void update(const letter_head& head, byte_reader& in, const outbox& out) {
        if (head.sender >= plan_.layout.workers)
            in.wrong("worker ", head.sender, " (it has ", plan_.layout.workers, ")");
        if (head.clock >= end_) in.wrong("clock ", head.clock, " (the run ends with ", end_, ")");
        if constexpr (!K::needs_clock) {
            for (std::uint64_t k = 0; k < head.count; ++k) apply_at_once(head.clock, in);
            in.end();
        } else {
            if (is_late(head)) {
                if (head.last != 0) counts.add(late, head.clock);
                return;
            }
            auto& clock = open_.at(head.clock - complete_);
            for (std::uint64_t k = 0; k < head.count; ++k) {
                const std::uint64_t number = take_row(in);
                in.take<std::uint64_t>();  // the version
                open_.put(clock, head.sender, number, Rows::read(in, plan_.layout.width));
            }
            in.end();
            if (head.last == 0) return;
            if (clock.is_over[static_cast<std::size_t>(head.sender)])
                in.wrong("clock ", head.clock, " of worker ", head.sender, " ends twice");
            clock.is_over[static_cast<std::size_t>(head.sender)] = true;
            ++clock.over;
            while (open_.first_has(rule_.quorum(plan_.layout.workers))) commit(out);
        }
    }

    /// Somebody wants a row; it gets it when it is as fresh as the rule demands.
    void pull(int from, const letter_head& head, byte_reader& in, const outbox& out) {
        in.end();
        check_row(head.count, in);
        if (head.clock > end_) in.wrong("a row of clock ", head.clock, " (the run ends with ", end_, ")");
        const question asked{from, head.count, head.clock, head.begun};
        if (K::needs_clock && complete_ < asked.oldest)
            waiting_.push_back(asked);
        else
            answer(asked, out);
    }

    all_rows& rows() { return rows_; }
    kept& row_to_set(std::uint64_t number) { return find_or_make(number).content; }
    values get(std::uint64_t number) const {
        const auto found = rows_.find(number);
        return found == rows_.end() ? Rows::none(plan_.layout.width) : found->second.content.get();
    }

    tally counts;

private:
    struct question {
        int from = 0;
        std::uint64_t row = 0, oldest = 0, begun = 0;
    };
    using one_clock = typename open_clocks<values>::one_clock;

    bool is_late(const letter_head& head) {
        if (head.clock < complete_) return true;
        const auto& clock = open_.at(head.clock - complete_);
        return clock.over >= rule_.quorum(plan_.layout.workers) &&
               !clock.is_over[static_cast<std::size_t>(head.sender)];
    }

    void check_row(std::uint64_t number, const byte_reader& in) const {
        if (number >= plan_.layout.rows || plan_.server_of(number) != number_)
            in.wrong("row ", number, " (server ", number_, " of ", plan_.layout.servers, " has no such row)");
    }
    std::uint64_t take_row(byte_reader& in) const {
        const auto number = in.take<std::uint64_t>();
        check_row(number, in);
        return number;
    }
    row& find_or_make(std::uint64_t number) {
        return rows_.try_emplace(number, row{kept(logic_, plan_.layout.width)}).first->second;
    }

    void apply_at_once(std::uint64_t clock, byte_reader& in) {
        row& mine = find_or_make(take_row(in));
        const auto read = in.take<std::uint64_t>();
        mine.content.apply_alone(Rows::read(in, plan_.layout.width));
        if (read <= mine.version) {
            const auto between = static_cast<std::int64_t>(mine.version - read);
            counts.add(stale, clock, between);
            counts.add(readings, clock);
            counts.most(most_stale, clock, between);
        }
        ++mine.version;
        counts.add(applied, clock);
    }

    /// The first open clock is complete: its updates, summed exactly so that their order does not matter, are applied.
    void commit(const outbox& out) {
        const one_clock first = open_.take_first();
        std::vector<std::pair<std::uint64_t, const values*>> additions;
        for (std::size_t w = 0; w < first.of_worker.size(); ++w)
            if (first.is_over[w])
                for (const auto& one : first.of_worker[w]) additions.push_back({one.row, &one.values});
        core::stable_sort(additions, [](const auto& a, const auto& b) { return a.first < b.first; });
        std::vector<std::uint64_t> changed;
        std::vector<const values*> updates;
        for (std::size_t k = 0; k < additions.size();) {
            const std::uint64_t number = additions[k].first;
            updates.clear();
            for (; k < additions.size() && additions[k].first == number; ++k) updates.push_back(additions[k].second);
            row& mine = find_or_make(number);
            mine.content.apply(updates, first.over);
            ++mine.version;
            changed.push_back(number);
        }
        counts.add(applied, complete_, static_cast<std::int64_t>(first.over));
        ++complete_;
        push(changed, out);
        std::vector<question> again = std::exchange(waiting_, {});
        for (const question& asked : again)
            if (asked.oldest <= complete_)
                answer(asked, out);
            else
                waiting_.push_back(asked);
    }

    /// To every rank that has rows of this server: those of them that changed, and that the others did not.
    void push(const std::vector<std::uint64_t>& changed, const outbox& out) {
        for (const auto& [rank, has] : listeners_) {
            byte_writer letter = begin_letter(head_of_rows(complete_));
            std::uint64_t count = 0;
            const auto send = [&, to = rank](bool last) {
                letter_head head = head_of_rows(complete_);
                head.count = std::exchange(count, 0);
                head.last = last;
                letter.replace(0, head);
                counts.sent(complete_ - 1, letter.size());
                out.post(to, letter.take());
                letter = begin_letter(head);
            };
            for (const std::uint64_t number : changed) {
                if (!std::binary_search(has.begin(), has.end(), number)) continue;
                put_row(letter, number);
                ++count;
                counts.add(pushed, complete_ - 1);
                if (letter.size() >= longest_letter) send(false);
            }
            send(true);
        }
    }

    void answer(const question& asked, const outbox& out) {
        if (rule_.pushed()) listen(asked.from, asked.row);
        letter_head head = head_of_rows(complete_);
        head.count = 1;
        byte_writer letter = begin_letter(head);
        put_row(letter, asked.row);
        counts.sent(asked.begun, letter.size());
        out.post(asked.from, letter.take());
    }

    void listen(int rank, std::uint64_t number) {
        auto at =
            std::find_if(listeners_.begin(), listeners_.end(), [&](const auto& one) { return one.first == rank; });
        if (at == listeners_.end()) at = listeners_.insert(at, {rank, {}});
        auto& has = at->second;
        const auto place = std::lower_bound(has.begin(), has.end(), number);
        if (place == has.end() || *place != number) has.insert(place, number);
    }

    letter_head head_of_rows(std::uint64_t clock) const {
        return {.kind = letter_kind::rows, .sender = number_, .server = number_, .clock = clock};
    }
    void put_row(byte_writer& letter, std::uint64_t number) const {
        const auto found = rows_.find(number);
        letter.put(number);
        letter.put(found == rows_.end() ? std::uint64_t{0} : found->second.version);
        if (found == rows_.end())
            Rows::write(letter, Rows::none(plan_.layout.width));
        else
            found->second.content.write(letter);
    }

    std::uint64_t number_;
    const plan& plan_;
    typename Rows::logic logic_;
    K rule_;
    all_rows rows_;
    std::uint64_t complete_ = 0, end_ = 0;  // clocks that are; the run's last, and one more
    open_clocks<values> open_;
    std::vector<question> waiting_;
    std::vector<std::pair<int, std::vector<std::uint64_t>>> listeners_;  // rank, the rows that it has, in order
};

}  // namespace gamut::table::detail

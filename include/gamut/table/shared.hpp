// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <gamut/communicator/agree.hpp>
#include <gamut/communicator/concept.hpp>
#include <gamut/consistency/concept.hpp>
#include <gamut/core/clock.hpp>
#include <gamut/core/error.hpp>
#include <gamut/table/concept.hpp>
#include <gamut/table/detail/desk.hpp>
#include <gamut/table/detail/guard.hpp>
#include <gamut/table/detail/joint_run.hpp>
#include <gamut/table/detail/plan.hpp>
#include <gamut/table/detail/rows_of.hpp>
#include <gamut/table/detail/snapshot.hpp>
#include <gamut/table/detail/tally.hpp>
#include <gamut/table/layout.hpp>
#include <gamut/table/record.hpp>
#include <gamut/table/worker.hpp>

namespace gamut::table {

/// Rows that servers keep and workers read and add to, clock by clock (a parameter server):
///     table::shared t{ranks, {.rows = 10, .width = 100, .workers = 6, .servers = 2},
///                     table::descent{.rate = .1, .momentum = .9}, consistency::bounded_staleness{.slack = 2}};
///     t.run(100, [&](auto& me) { const auto w = me.get(3); me.add(3, gradient_at(w)); });   one clock of one worker
/// What workers add to a row in a clock is summed exactly, and applied by the row's logic (table/concept.hpp): with
/// consistency::bulk_synchronous, and with slack 0, the values have the same bits for any number of ranks and servers.
/// Everything that is not said to be a worker's is collective: all ranks call it, between runs. Tables are made at any
/// time, in any number; each has a mailbox of its own.
/// A worker's clock costs a letter to every server (asynchronous: to those of the rows that it added to), of the rows
/// that it added to; a reading that must wait costs two, one of them a row long.
/// Li et al., Scaling distributed machine learning with the parameter server, OSDI 2014; Ho et al. 2013 (Petuum).
template <class C, class R, class K> class shared {
    static_assert(
        communicator::PostalCommunicator<C>,
        "table::shared: needs letters, not collectives (a communicator with open, post, wait, look, settle); see "
        "gamut/communicator/concept.hpp");
    static_assert(Row<R> || detail::is_sparse<R>,
                  "table::shared: rows need apply(values, update, count); see gamut/table/concept.hpp");
    static_assert(consistency::Consistency<K>,
                  "table::shared: the rule needs oldest, quorum, pushed, validate; see gamut/consistency/concept.hpp");

public:
    using rows_type = detail::rows_of<R>;
    using values_type = typename rows_type::values;  // std::vector<double>, or table::entries
    using given_type = typename rows_type::given;
    using logic_type = typename rows_type::logic;

    /// Options that make no sense, or differ between ranks, throw core::option_error on all of them.
    shared(const C& ranks, const layout& shape, const R& row, const K& rule)
        : c_(ranks),
          logic_(detail::logic_of(row)),
          rule_(rule),
          plan_(detail::agreed_plan<C, rows_type, K>(ranks, shape, logic_, rule)),
          desk_(std::make_unique<desk_type>(plan_, ranks.rank(), ranks.size(), logic_, rule)),
          box_(ranks.open(*desk_)) {
        box_.look([&] {
            desk_->out = detail::outbox::of(box_);
            return true;
        });
        c_.barrier();
    }
    shared(const shared&) = delete;
    shared& operator=(const shared&) = delete;

    const table::layout& layout() const { return plan_.layout; }
    /// Clocks that every worker has done so far.
    std::uint64_t clock() const { return clock_; }

    /// `clocks` clocks of every worker: body(me) is one of them, with table::worker. This rank's workers take turns, the one
    /// that is behind first. Observers then see the clocks' records, on all ranks.
    /// What a worker's function throws is thrown on all ranks, of the lowest rank that failed; the table is then closed,
    /// and what it had lies in the last snapshot.
    template <class Body, class... O>
    requires(Observer<std::remove_reference_t<O>>&&...) report run(std::uint64_t clocks, Body body, O&&... observers) {
        auto done = std::move(detail::joint_run<shared>::of(clocks, body, *this).front());
        if constexpr (sizeof...(O) > 0)
            communicator::agree(c_, [&] {
                for (const record& one : done.history) (static_cast<void>(observers(one)), ...);
            });
        return done;
    }

    /// A row as it is now, on all ranks. One or two broadcasts.
    values_type row(std::uint64_t number) {
        check_open();
        check_row(number);
        std::vector<std::uint8_t> bytes;
        const int owner = plan_.rank_of_server[plan_.server_of(number)];
        if (owner == c_.rank()) {
            detail::byte_writer out;
            box_.look([&] {
                rows_type::write(out, desk_->server_with(number).get(number));
                return true;
            });
            bytes = out.take();
        }
        detail::broadcast_bytes(c_, bytes, owner);
        detail::byte_reader in(bytes, core::error_kind::communicator, plan_.layout.name);
        return rows_type::read(in, plan_.layout.width);
    }

    /// All rows, one after another, on all ranks: rows x width numbers. A broadcast per row.
    std::vector<double> values() requires std::same_as<values_type, std::vector<double>> {
        std::vector<double> all;
        all.reserve(static_cast<std::size_t>(plan_.layout.rows * plan_.layout.width));
        for (std::uint64_t number = 0; number < plan_.layout.rows; ++number) {
            const auto one = row(number);
            all.insert(all.end(), one.begin(), one.end());
        }
        return all;
    }

    /// Gives a row its values; all ranks say the same. Sends nothing.
    void set(std::uint64_t number, given_type to) {
        check_open();
        check_row(number);
        rows_type::check(to, plan_.layout.width, plan_.layout.name);
        box_.look([&] {
            desk_->read_copies.forget(number);
            if (plan_.rank_of_server[plan_.server_of(number)] == c_.rank())
                desk_->server_with(number).row_to_set(number).set(rows_type::made(to));
            return true;
        });
    }

    /// Everything that a later run needs, in one file, which rank 0 writes: rows, what they remember, the clock. The file has
    /// the same bytes for any number of ranks and servers.
    void save(const std::string& path) {
        check_saved();
        check_open();
        const detail::snapshot_of<C, desk_type> file{c_, plan_, *desk_};
        box_.look([] { return true; });
        file.save(path, clock_);
    }

    /// Takes back what save wrote, of a table with as many rows of the same width and kind, on any number of ranks
    /// and servers. Rank 0 reads the file. One that is broken is refused on all ranks, and nothing is changed.
    void restore(const std::string& path) {
        check_saved();
        check_open();
        const detail::snapshot_of<C, desk_type> file{c_, plan_, *desk_};
        clock_ = file.restore(path, logic_);
    }

private:
    using desk_type = detail::desk<rows_type, K>;
    using worker_type = worker<shared>;
    using box_type = decltype(std::declval<const C&>().open(std::declval<desk_type&>()));
    friend worker_type;
    template <class... Table> friend class detail::joint_run;

    static void check_saved() {
        static_assert(SavedRow<logic_type>,
                      "table::shared: a row that remembers something needs state(visit) to be saved; see "
                      "gamut/table/concept.hpp");
    }
    void check_row(std::uint64_t number) const {
        if (number >= plan_.layout.rows)
            throw core::shape_error(
                core::text(plan_.layout.name, ": row ", number, " (rows are 0..", plan_.layout.rows - 1, ")"));
    }
    void check_open() const {
        if (!closed_.empty())
            throw core::error(core::text(plan_.layout.name, ": a worker failed before (", closed_,
                                         ") make the table again, and restore its last snapshot"));
    }
    void close(const char* why) { closed_ = why; }
    double now() const {
        if constexpr (requires { c_.now(); })
            return c_.now();
        else
            return since_.seconds();
    }

    // what a run is made of: detail/joint_run.hpp

    void begin_run(std::uint64_t clocks) {
        check_open();
        counts_.begin(clock_, clocks);
        end_ = clock_ + clocks;
        box_.look([&] {
            desk_->begin(clock_, clocks);
            return true;
        });
        if (!detail::same_everywhere(c_, clocks))
            throw core::option_error(
                core::text(plan_.layout.name, ": ", clocks, " clocks on rank ", c_.rank(),
                           " and another number elsewhere (a run has as many for all) give all ranks the same"));
        begun_ = now();
    }
    worker_type hire(std::size_t id) { return worker_type(*this, id, clock_, plan_.layout.early); }
    std::uint64_t clocks_done(const worker_type& me) const { return me.clock_ - clock_; }

    values_type read(worker_type& me, std::uint64_t number) {
        check_row(number);
        talk_early(me);
        const std::uint64_t oldest = rule_.oldest(me.clock_);
        enum { there, asked_for, not_there } found = not_there;
        const auto stopped = [&] { return desk_->stopped; };
        box_.look([&] {
            if (!K::needs_clock)
                desk_->read_copies.forget(number);
            else if (desk_->read_copies.find(number, oldest) != nullptr)
                found = there;
            else if (rule_.pushed() && desk_->read_copies.has(number))
                found = asked_for;
            return true;
        });
        if (found == there) {
            counts_.add(detail::hits, me.clock_);
        } else {
            const double since = now();
            if (found == not_there) pull(me, number, oldest);
            box_.wait([&] { return stopped() || desk_->read_copies.find(number, oldest) != nullptr; });
            counts_.add(detail::waits, me.clock_);
            counts_.add(detail::nanoseconds_waited, me.clock_, static_cast<std::int64_t>(1e9 * (now() - since)));
        }
        values_type got;
        std::uint64_t clock = 0;
        const bool failed = box_.look([&] {
            if (stopped()) return true;
            const auto& copy = *desk_->read_copies.find(number, oldest);
            got = copy.values;
            clock = desk_->read_copies.clock_of(number, copy);
            me.versions_[number] = copy.version;
            return false;
        });
        if (failed) throw detail::somebody_failed{};
        if constexpr (K::needs_clock) catch_up(me, clock);
        me.line_.saw(number, got);
        if constexpr (rows_type::additive) add_own(me, number, clock, got);
        return got;
    }

    /// The others may have gone on without this worker; how stale what it read is.
    void catch_up(worker_type& me, std::uint64_t clock) {
        if (clock > me.clock_) {
            me.clock_ = clock;
            for (auto& one : me.now_.all()) one.unsent = true;  // what went early went for an older clock
        }
        me.staleness_ = me.clock_ - clock;
        counts_.add(detail::readings, me.clock_);
        counts_.add(detail::stale, me.clock_, static_cast<std::int64_t>(me.staleness_));
        counts_.most(detail::most_stale, me.clock_, static_cast<std::int64_t>(me.staleness_));
    }

    static void add_own(const worker_type& me, std::uint64_t number, std::uint64_t clock, values_type& got) {
        for (const auto& [then, added] : me.before_)
            if (const auto* mine = then >= clock ? added.find(number) : nullptr) rows_type::add(got, *mine);
        if (const auto* mine = me.now_.find(number)) rows_type::add(got, *mine);
    }

    void pull(worker_type& me, std::uint64_t number, std::uint64_t oldest) {
        const std::size_t server = plan_.server_of(number);
        post(me.clock_, server,
             detail::begin_letter({.kind = detail::letter_kind::pull,
                                   .sender = me.id_,
                                   .server = server,
                                   .clock = oldest,
                                   .begun = me.clock_,
                                   .count = number}));
    }

    void add(worker_type& me, std::uint64_t number, given_type update) {
        check_row(number);
        rows_type::check(update, plan_.layout.width, plan_.layout.name);
        me.now_.add(number, update, plan_.layout.width);
        talk_early(me);
    }

    /// What may go before the clock is over.
    void talk_early(worker_type& me) {
        if (!me.line_.is_on() || me.clock_ >= end_) return;
        const double time = now();
        while (me.line_.is_free(time)) {
            const std::size_t k = me.line_.next(me.now_.all());
            if (k == me.line_.nothing) return;
            auto& one = me.now_.all()[k];
            detail::byte_writer letter = begin_update(me, plan_.server_of(one.row), 1, false);
            put(letter, me, one);
            me.line_.used(time, letter.size());
            counts_.add(detail::early, me.clock_);
            post(me.clock_, plan_.server_of(one.row), std::move(letter));
            if constexpr (K::needs_clock)
                one.unsent = false;
            else
                me.now_.forget(k);
        }
    }

    /// The worker's clock is over, and all before the one that is `done` clocks after the run's first: another table of
    /// the same run may be further on.
    void tick(worker_type& me, std::uint64_t done) {
        if (box_.look([&] { return desk_->stopped; })) throw detail::somebody_failed{};
        counts_.most(detail::ended, me.clock_, static_cast<std::int64_t>(1e9 * (now() - begun_)));
        if (me.clock_ < end_)
            send_updates(me);
        else  // the others made the last clock without it
            counts_.add(detail::late, end_ - 1);
        if constexpr (rows_type::additive && K::needs_clock) me.before_.emplace_back(me.clock_, std::move(me.now_));
        me.now_.clear();
        for (++me.clock_; me.clock_ <= clock_ + done; ++me.clock_)
            if (K::needs_clock && me.clock_ < end_) send_updates(me);
        while (!me.before_.empty() && me.before_.front().first < rule_.oldest(me.clock_)) me.before_.pop_front();
    }

    void send_updates(worker_type& me) {
        std::vector<std::vector<std::size_t>> for_server(plan_.servers);
        const auto& all = me.now_.all();
        for (std::size_t k = 0; k < all.size(); ++k)
            if (all[k].unsent) for_server[plan_.server_of(all[k].row)].push_back(k);
        for (std::size_t s = 0; s < plan_.servers; ++s) {
            if (!K::needs_clock && for_server[s].empty()) continue;
            detail::byte_writer letter = begin_update(me, s, 0, true);
            std::uint64_t count = 0;
            for (const std::size_t k : for_server[s]) {
                if (count > 0 && letter.size() + rows_type::bytes(all[k].sum) > detail::longest_letter) {
                    letter.replace(0, update_head(me, s, std::exchange(count, 0), false));
                    post(me.clock_, s, std::exchange(letter, begin_update(me, s, 0, true)));
                }
                put(letter, me, all[k]);
                ++count;
            }
            letter.replace(0, update_head(me, s, count, true));
            post(me.clock_, s, std::move(letter));
        }
    }

    static detail::letter_head update_head(const worker_type& me, std::size_t server, std::uint64_t count, bool last) {
        return {.kind = detail::letter_kind::update,
                .sender = me.id_,
                .server = server,
                .clock = me.clock_,
                .count = count,
                .last = last};
    }
    static detail::byte_writer begin_update(const worker_type& me, std::size_t server, std::uint64_t count, bool last) {
        return detail::begin_letter(update_head(me, server, count, last));
    }
    template <class Entry> static void put(detail::byte_writer& letter, const worker_type& me, const Entry& one) {
        const auto read = me.versions_.find(one.row);
        letter.put(one.row);
        letter.put(read == me.versions_.end() ? detail::never_read : read->second);
        rows_type::write(letter, one.sum);
    }
    void post(std::uint64_t clock, std::size_t server, detail::byte_writer letter) {
        counts_.sent(clock, letter.size());
        box_.post(plan_.rank_of_server[server], letter.take());
    }

    /// This rank's part failed: the others need not wait for it.
    void tell(const std::exception_ptr& mine) noexcept {
        try {
            if (box_.look([&] { return desk_->note(mine); })) desk_->tell();
        } catch (...) {}  // a group whose mailboxes fail has told everybody
    }
    void say_finished() {
        if (!is_among(plan_.worker_ranks)) return;
        for (const int to : plan_.server_ranks)
            box_.post(to, detail::begin_letter(
                              {.kind = detail::letter_kind::finished, .sender = static_cast<std::uint64_t>(c_.rank())})
                              .take());
    }
    /// A rank with servers takes letters until all workers are done, each in a wait of its own, for waits have deadlines.
    void serve() {
        if (!is_among(plan_.server_ranks)) return;
        for (bool over = false; !over;) {
            std::uint64_t seen = 0;
            box_.look([&] {
                seen = desk_->letters;
                return true;
            });
            box_.wait([&] {
                over = desk_->stopped || desk_->finished == plan_.worker_ranks.size();
                return over || desk_->letters != seen;
            });
        }
    }
    bool is_among(const std::vector<int>& ranks) const {
        return std::binary_search(ranks.begin(), ranks.end(), c_.rank());
    }

    /// What was counted, from all ranks.
    report end_run(std::uint64_t clocks) {
        clock_ += clocks;
        box_.look([&] {
            for (const auto& one : desk_->servers) counts_.add(one.counts);
            return true;
        });
        detail::add_over_ranks(c_, counts_);
        report done;
        done.seconds = now() - begun_;
        done.total = counts_.total(plan_.layout.name);
        for (std::size_t k = 0; k < counts_.size(); ++k) done.history.push_back(counts_.describe(k, plan_.layout.name));
        if constexpr (!K::needs_clock) done.message = detail::warning(logic_, done.total);
        return done;
    }

    C c_;
    logic_type logic_;
    K rule_;
    detail::plan plan_;
    std::unique_ptr<desk_type> desk_;  // before the box, which goes first
    box_type box_;
    std::uint64_t clock_ = 0, end_ = 0;  // when a run begins, and ends
    detail::tally counts_;               // of this rank's workers
    core::clock since_;
    double begun_ = 0;
    std::string closed_;  // why
};

template <class C, class R, class K> shared(const C&, layout, R, K) -> shared<C, R, K>;

}  // namespace gamut::table

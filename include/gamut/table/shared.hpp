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
#include <gamut/table/detail/joint_run.hpp>
#include <gamut/table/detail/part.hpp>
#include <gamut/table/detail/rows_of.hpp>
#include <gamut/table/detail/snapshot.hpp>
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
        : part_(ranks, shape, detail::logic_of(row), rule) {}

    const table::layout& layout() const { return part_.where.layout; }
    /// Clocks that every worker has done so far.
    std::uint64_t clock() const { return part_.clock; }

    /// `clocks` clocks of every worker: body(me) is one of them, with table::worker. This rank's workers take turns, the one
    /// that is behind first. Observers then see the clocks' records, on all ranks.
    /// What a worker's function throws is thrown on all ranks, of the lowest rank that failed; the table is then closed,
    /// and what it had lies in the last snapshot.
    template <class Body, class... O>
    requires(Observer<std::remove_reference_t<O>>&&...) report run(std::uint64_t clocks, Body body, O&&... observers) {
        auto done = std::move(detail::joint_run<part_type>::of(clocks, body, part_).front());
        if constexpr (sizeof...(O) > 0)
            communicator::agree(part_.c, [&] {
                for (const record& one : done.history) (static_cast<void>(observers(one)), ...);
            });
        return done;
    }

    /// A row as it is now, on all ranks. One or two broadcasts.
    values_type row(std::uint64_t number) {
        part_.check_open();
        part_.check_row(number);
        std::vector<std::uint8_t> bytes;
        const int owner = part_.where.rank_of_server[part_.where.server_of(number)];
        if (owner == part_.c.rank()) {
            detail::byte_writer out;
            part_.box.look([&] {
                rows_type::write(out, part_.desk->server_with(number).get(number));
                return true;
            });
            bytes = out.take();
        }
        detail::broadcast_bytes(part_.c, bytes, owner);
        detail::byte_reader in(bytes, core::error_kind::communicator, part_.where.layout.name);
        return rows_type::read(in, part_.where.layout.width);
    }

    /// All rows, one after another, on all ranks: rows x width numbers. A broadcast per rank with servers.
    std::vector<double> values() requires std::same_as<values_type, std::vector<double>> {
        part_.check_open();
        const auto& where = part_.where;
        const auto rows = static_cast<std::size_t>(where.layout.rows),
                   width = static_cast<std::size_t>(where.layout.width);
        std::vector<double> all, some;
        communicator::agree(part_.c, [&] { all.resize(rows * width); });
        for (const int owner : where.server_ranks) {
            const auto each = [&](auto&& f) {
                for (std::size_t number = 0; number < rows; ++number)
                    if (where.rank_of_server[where.server_of(number)] == owner) f(number);
            };
            communicator::agree(part_.c, [&] {
                some.clear();
                if (owner == part_.c.rank())
                    part_.box.look([&] {
                        each([&](std::size_t number) {
                            const auto one = part_.desk->server_with(number).get(number);
                            some.insert(some.end(), one.begin(), one.end());
                        });
                        return true;
                    });
                else
                    each([&](std::size_t) { some.resize(some.size() + width); });
            });
            part_.c.broadcast(std::span<double>(some), owner);
            auto from = some.begin();
            each([&](std::size_t number) {
                const auto end = from + static_cast<std::ptrdiff_t>(width);
                std::copy(from, end, all.begin() + static_cast<std::ptrdiff_t>(number * width));
                from = end;
            });
        }
        return all;
    }

    /// Gives a row its values; all ranks say the same. Sends nothing.
    void set(std::uint64_t number, given_type to) {
        part_.check_open();
        part_.check_row(number);
        rows_type::check(to, part_.where.layout.width, part_.where.layout.name);
        part_.box.look([&] {
            part_.desk->read_copies.forget(number);
            if (part_.where.rank_of_server[part_.where.server_of(number)] == part_.c.rank())
                part_.desk->server_with(number).row_to_set(number).set(rows_type::made(to));
            return true;
        });
    }

    /// Everything that a later run needs, in one file, which rank 0 writes: rows, what they remember, the clock. The file has
    /// the same bytes for any number of ranks and servers.
    void save(const std::string& path) {
        check_saved();
        part_.check_open();
        const detail::snapshot_of<C, desk_type> file{part_.c, part_.where, *part_.desk};
        part_.box.look([] { return true; });
        file.save(path, part_.clock);
    }

    /// Takes back what save wrote, of a table with as many rows of the same width and kind, on any number of ranks
    /// and servers. Rank 0 reads the file. One that is broken is refused on all ranks, and nothing is changed.
    void restore(const std::string& path) {
        check_saved();
        part_.check_open();
        const detail::snapshot_of<C, desk_type> file{part_.c, part_.where, *part_.desk};
        part_.clock = file.restore(path, part_.logic);
    }

private:
    using part_type = detail::part<C, rows_type, K>;
    using desk_type = typename part_type::desk_type;
    template <class Body, class... Table>
    friend std::vector<report> run(std::uint64_t clocks, Body body, Table&... tables);

    static void check_saved() {
        static_assert(SavedRow<logic_type>,
                      "table::shared: a row that remembers something needs state(visit) to be saved; see "
                      "gamut/table/concept.hpp");
    }

    part_type part_;
};

template <class C, class R, class K> shared(const C&, layout, R, K) -> shared<C, R, K>;

}  // namespace gamut::table

// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <exception>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <gamut/communicator/agree.hpp>
#include <gamut/communicator/concept.hpp>
#include <gamut/core/error.hpp>
#include <gamut/core/is_utf8.hpp>
#include <gamut/table/concept.hpp>
#include <gamut/table/detail/bytes.hpp>
#include <gamut/table/detail/desk.hpp>
#include <gamut/table/detail/plan.hpp>
#include <gamut/table/detail/table_file.hpp>

namespace gamut::table::detail {

/// Bytes of `root` on all ranks. Two broadcasts.
template <communicator::Communicator C> void broadcast_bytes(const C& c, std::vector<std::uint8_t>& bytes, int root) {
    auto size = static_cast<std::int64_t>(bytes.size());
    c.broadcast(std::span<std::int64_t>(&size, 1), root);
    bytes.resize(static_cast<std::size_t>(size));
    c.broadcast(std::span<std::uint8_t>(bytes), root);
}

template <class C, class Desk> struct snapshot_of;

/// A table as a file, which rank 0 writes and reads. Neither it nor another rank ever holds more than its own rows and a
/// few pieces.
template <class C, class Rows, class K> struct snapshot_of<C, desk<Rows, K>> {
    const C& c;
    const plan& where;
    desk<Rows, K>& mine;

    using server_type = server<Rows, K>;
    using row = typename server_type::row;

    static constexpr std::size_t piece = std::size_t{1} << 20;
    static constexpr std::size_t row_head = 3 * sizeof(std::uint64_t);  // number, version, length of what follows

    static std::string kind() { return core::text(Rows::kind, " ", row_name<typename Rows::logic>()); }

    /// Rows in the order of their numbers: whenever rank 0 has none left of a rank, it asks that rank for a piece.
    void save(const std::string& path, std::uint64_t clock) const {
        std::vector<std::pair<std::uint64_t, const row*>> own;
        std::int64_t count = 0;
        for (auto& one : mine.servers)
            for (auto& [number, content] : one.rows()) own.push_back({number, &content});
        std::sort(own.begin(), own.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
        count = static_cast<std::int64_t>(own.size());
        c.all_reduce(std::span<std::int64_t>(&count, 1), communicator::operation::sum);

        std::exception_ptr failure;
        std::optional<hashing_file> file;
        std::vector<stream> from(static_cast<std::size_t>(c.rank() == 0 ? c.size() : 0));
        if (c.rank() == 0)
            attempt(failure, [&] {
                byte_writer head;
                file_head{kind(), where.layout.rows, where.layout.width, clock, static_cast<std::uint64_t>(count)}
                    .write(head);
                file.emplace(path).write(head.bytes());
            });
        for (auto next = own.begin();;) {
            std::int64_t who = -1;
            if (c.rank() == 0 && !failure) attempt(failure, [&] { who = write_until_one_is_empty(*file, from); });
            c.broadcast(std::span<std::int64_t>(&who, 1), 0);
            if (who < 0) break;
            std::vector<std::uint8_t> some;
            if (c.rank() == who) attempt(failure, [&] { some = encoded(next, own.end()); });
            send_to_root(static_cast<int>(who), some);
            if (c.rank() == 0) {
                auto& source = from[static_cast<std::size_t>(who)];
                source.over = some.empty();
                source.bytes = std::move(some);
                source.at = 0;
            }
        }
        if (c.rank() == 0 && !failure) attempt(failure, [&] { file->close(); });
        communicator::agree(c, failure);
    }

    /// The clock. Nothing is changed before all ranks have found all their rows right.
    std::uint64_t restore(const std::string& path, const typename Rows::logic& logic) const {
        std::optional<checked_file> file;
        std::int64_t numbers[3] = {};  // clock, rows, bytes of the rows
        communicator::agree(c, [&] {
            if (c.rank() != 0) return;
            const auto& head = file.emplace(path).head;
            if (head.kind != kind())
                file->refuse("has rows of the kind '", core::visible(head.kind, 40), "' (this table's are '", kind(),
                             "') make a table of that kind");
            if (head.rows != where.layout.rows || head.width != where.layout.width)
                file->refuse("has ", head.rows, " rows of width ", head.width, " (this table has ", where.layout.rows,
                             " of ", where.layout.width, ") make a table of that size");
            if (head.clock >> 62 != 0 || head.count > head.rows || head.count > file->row_bytes() / row_head)
                file->refuse("is broken (it has ", head.count, " rows in ", file->row_bytes(), " bytes)");
            numbers[0] = static_cast<std::int64_t>(head.clock);
            numbers[1] = static_cast<std::int64_t>(head.count);
            numbers[2] = static_cast<std::int64_t>(file->row_bytes());
        });
        c.broadcast(std::span<std::int64_t>(numbers), 0);

        std::vector<typename server_type::all_rows> found(mine.servers.size());
        row_parser rows{path, where, mine, logic, found, static_cast<std::uint64_t>(numbers[1])};
        std::exception_ptr failure;
        std::vector<std::uint8_t> buffer;
        for (auto left = static_cast<std::uint64_t>(numbers[2]); left > 0;) {
            buffer.resize(static_cast<std::size_t>(std::min<std::uint64_t>(left, piece)));
            if (c.rank() == 0 && !failure) attempt(failure, [&] { file->read(buffer); });
            c.broadcast(std::span<std::uint8_t>(buffer), 0);
            left -= buffer.size();
            if (!failure) attempt(failure, [&] { rows.take(buffer, left); });
        }
        if (!failure) attempt(failure, [&] { rows.end(); });
        communicator::agree(c, failure);
        for (std::size_t k = 0; k < found.size(); ++k) mine.servers[k].rows() = std::move(found[k]);
        mine.read_copies.forget_all();
        return static_cast<std::uint64_t>(numbers[0]);
    }

private:
    struct stream {  // of one rank's rows, at rank 0
        std::vector<std::uint8_t> bytes{};
        std::size_t at = 0;
        bool over = false;

        bool is_empty() const { return at == bytes.size(); }
        std::uint64_t number(std::size_t k) const {
            std::uint64_t value = 0;
            std::memcpy(&value, bytes.data() + at + k * sizeof value, sizeof value);
            return value;
        }
    };

    template <class Work> static void attempt(std::exception_ptr& failure, Work work) {
        try {
            work();
        } catch (...) {
            failure = std::current_exception();
        }
    }

    /// The rank that is asked next; -1: none, all is written.
    static std::int64_t write_until_one_is_empty(hashing_file& file, std::vector<stream>& from) {
        for (;;) {
            stream* least = nullptr;
            for (std::size_t r = 0; r < from.size(); ++r) {
                if (from[r].is_empty() && !from[r].over) return static_cast<std::int64_t>(r);
                if (!from[r].is_empty() && (least == nullptr || from[r].number(0) < least->number(0))) least = &from[r];
            }
            if (least == nullptr) return -1;
            const std::size_t length = row_head + static_cast<std::size_t>(least->number(2));
            file.write(std::span<const std::uint8_t>(least->bytes).subspan(least->at, length));
            least->at += length;
        }
    }

    template <class Iterator> static std::vector<std::uint8_t> encoded(Iterator& next, Iterator end) {
        byte_writer out;
        for (; next != end && out.size() < piece; ++next) {
            const std::size_t at = out.size();
            for (const std::uint64_t number : {next->first, next->second->version, std::uint64_t{0}}) out.put(number);
            next->second->content.save(out);
            out.replace(at + 2 * sizeof(std::uint64_t), std::uint64_t{out.size() - at - row_head});
        }
        return out.take();
    }

    void send_to_root(int who, std::vector<std::uint8_t>& bytes) const {
        std::int64_t size[1] = {static_cast<std::int64_t>(bytes.size())};
        pass(who, std::span<std::int64_t>(size));
        if (c.rank() == 0) bytes.resize(static_cast<std::size_t>(size[0]));
        pass(who, std::span<std::uint8_t>(bytes));
    }
    template <class T> void pass(int who, std::span<T> values) const {
        if (who == 0) return;
        const communicator::parcel<const T> sent{0, values};
        const communicator::parcel<T> received{who, values};
        const bool sends = c.rank() == who, receives = c.rank() == 0;
        c.exchange(std::span<const communicator::parcel<const T>>(&sent, sends ? 1 : 0),
                   std::span<const communicator::parcel<T>>(&received, receives ? 1 : 0));
    }

    /// Rows out of a stream of bytes: all ranks read them all, and keep their own.
    struct row_parser {
        const std::string& path;
        const plan& where;
        const desk<Rows, K>& mine;
        const typename Rows::logic& logic;
        std::vector<typename server_type::all_rows>& found;
        std::uint64_t expected;
        std::uint64_t seen = 0, least = 0;  // rows; the number that the next may have
        std::vector<std::uint8_t> rest{};   // of a row that is not complete

        void take(std::span<const std::uint8_t> bytes, std::uint64_t left) {
            rest.insert(rest.end(), bytes.begin(), bytes.end());
            std::size_t at = 0;
            while (rest.size() - at >= row_head) {
                byte_reader in(std::span<const std::uint8_t>(rest).subspan(at), core::error_kind::data, path);
                const auto number = in.take<std::uint64_t>(), version = in.take<std::uint64_t>(),
                           length = in.take<std::uint64_t>();
                if (number < least || number >= where.layout.rows || length > in.left() + left)
                    in.wrong("is broken (row ", number, " of ", length, " bytes after row ", least, ")");
                if (length > in.left()) break;
                at += row_head;
                if (const std::size_t k = mine.place_of(where.server_of(number)); k < found.size()) {
                    byte_reader content(
                        std::span<const std::uint8_t>(rest).subspan(at, static_cast<std::size_t>(length)),
                        core::error_kind::data, path);
                    row one{typename Rows::kept(logic, where.layout.width), version};
                    one.content.load(content, where.layout.width);
                    content.end();
                    found[k].emplace(number, std::move(one));
                }
                at += static_cast<std::size_t>(length);
                least = number + 1;
                ++seen;
            }
            rest.erase(rest.begin(), rest.begin() + static_cast<std::ptrdiff_t>(at));
        }
        void end() const {
            if (seen != expected || !rest.empty())
                throw core::data_error(
                    core::text(path, ": is broken (", seen, " of ", expected, " rows are there) use another snapshot"));
        }
    };
};

}  // namespace gamut::table::detail

// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <limits>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <gamut/consistency/concept.hpp>
#include <gamut/core/error.hpp>
#include <gamut/table/detail/bytes.hpp>
#include <gamut/table/detail/copies.hpp>
#include <gamut/table/detail/letter.hpp>
#include <gamut/table/detail/outbox.hpp>
#include <gamut/table/detail/plan.hpp>
#include <gamut/table/detail/server.hpp>

namespace gamut::table::detail {

/// Where the letters of a table arrive on a rank: its servers, and its workers' copies.
template <class Rows, consistency::Consistency K> class desk {
public:
    desk(const plan& where, int rank, int ranks, const typename Rows::logic& logic, const K& rule)
        : read_copies(where, rule.pushed()),
          plan_(where),
          rank_(rank),
          ranks_(ranks),
          local_(where.servers, nowhere) {
        for (std::size_t s = 0; s < where.servers; ++s) {
            if (where.rank_of_server[s] != rank) continue;
            local_[s] = servers.size();
            servers.emplace_back(s, where, logic, rule);
        }
    }
    desk(const desk&) = delete;
    desk& operator=(const desk&) = delete;

    void begin(std::uint64_t first, std::uint64_t clocks) {
        finished = 0;
        for (auto& one : servers) one.begin(first, clocks);
    }

    /// A letter that is wrong, or whose work fails, is a failure of this rank, which all others hear of.
    void letter(int from, std::span<const std::uint8_t> bytes) {
        ++letters;
        try {
            take(from, bytes);
        } catch (...) {
            if (note(std::current_exception())) tell();
        }
    }

    /// This rank failed by itself. True: and the others must be told.
    bool note(const std::exception_ptr& mine) {
        if (!failure) failure = mine;
        return !std::exchange(stopped, true);
    }
    /// Nobody need wait any more. Not from within a look.
    void tell() const {
        for (int to = 0; to < ranks_; ++to)
            if (to != rank_)
                out.post(
                    to,
                    begin_letter({.kind = letter_kind::failure, .sender = static_cast<std::uint64_t>(rank_)}).take());
    }

    /// Of a server among this rank's; not less than there are: it is on another one.
    std::size_t place_of(std::uint64_t server) const {
        return server < local_.size() ? local_[static_cast<std::size_t>(server)] : nowhere;
    }
    server<Rows, K>& server_with(std::uint64_t row) { return servers[place_of(plan_.server_of(row))]; }

    outbox out{};
    std::vector<server<Rows, K>> servers;  // of this rank
    copies<Rows> read_copies;
    std::exception_ptr failure{};  // of this rank
    bool stopped = false;          // somebody failed
    std::uint64_t letters = 0;     // that came so far
    std::size_t finished = 0;      // ranks whose workers' run is over

private:
    static constexpr std::size_t nowhere = std::numeric_limits<std::size_t>::max();

    void take(int from, std::span<const std::uint8_t> bytes) {
        const std::string what = core::text(plan_.layout.name, ": a letter from rank ", from);
        byte_reader in(bytes, core::error_kind::communicator, what);
        const letter_head head = take_head(in);
        if (head.kind == letter_kind::failure)
            stopped = true;
        else if (head.kind == letter_kind::finished)
            ++finished;
        else if (head.kind == letter_kind::rows)
            read_copies.take(head, in);
        else if (stopped)
            return;  // what servers do is of no use any more
        else if (place_of(head.server) == nowhere)
            in.wrong("server ", head.server, " (it is not on rank ", rank_, ")");
        else if (auto& mine = servers[place_of(head.server)]; head.kind == letter_kind::update)
            mine.update(head, in, out);
        else
            mine.pull(from, head, in, out);
    }

    const plan& plan_;
    int rank_, ranks_;
    std::vector<std::size_t> local_;  // by server: its place in servers
};

}  // namespace gamut::table::detail

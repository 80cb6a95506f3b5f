// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <unordered_map>
#include <vector>

#include <gamut/table/detail/bytes.hpp>
#include <gamut/table/detail/letter.hpp>
#include <gamut/table/detail/plan.hpp>

namespace gamut::table::detail {

/// A rank's copies of the rows that its workers read.
template <class Rows> class copies {
public:
    struct copy {
        typename Rows::values values{};
        std::uint64_t clock = 0, version = 0;
    };

    copies(const plan& where, bool pushed) : plan_(where), pushed_(pushed), heard_(where.layout.servers) {}

    /// See letter_kind::rows.
    void take(const letter_head& head, byte_reader& in) {
        if (head.sender >= heard_.size()) in.wrong("server ", head.sender, " (it has ", heard_.size(), ")");
        for (std::uint64_t k = 0; k < head.count; ++k) {
            const auto row = in.take<std::uint64_t>();
            if (row >= plan_.layout.rows || plan_.server_of(row) != head.sender)
                in.wrong("row ", row, " (server ", head.sender, " has no such row)");
            const auto version = in.take<std::uint64_t>();
            auto values = Rows::read(in, plan_.layout.width);
            auto [at, fresh] = all_.try_emplace(row);
            if (fresh || head.clock >= at->second.clock) at->second = {std::move(values), head.clock, version};
        }
        in.end();
        auto& heard = heard_[static_cast<std::size_t>(head.sender)];
        if (head.last != 0) heard = std::max(heard, head.clock);
    }

    /// The copy of a row that is not older than `oldest`; null: there is none.
    const copy* find(std::uint64_t row, std::uint64_t oldest) const {
        const auto found = all_.find(row);
        return found != all_.end() && clock_of(row, found->second) >= oldest ? &found->second : nullptr;
    }
    bool has(std::uint64_t row) const { return all_.contains(row); }

    /// The clock of a copy: a server that pushes says of its other rows that they did not change.
    std::uint64_t clock_of(std::uint64_t row, const copy& one) const {
        return pushed_ ? std::max(one.clock, heard_[plan_.server_of(row)]) : one.clock;
    }

    void forget(std::uint64_t row) { all_.erase(row); }
    void forget_all() {
        all_.clear();
        std::fill(heard_.begin(), heard_.end(), 0);
    }

private:
    const plan& plan_;
    bool pushed_;
    std::vector<std::uint64_t> heard_;  // by server
    std::unordered_map<std::uint64_t, copy> all_;
};

}  // namespace gamut::table::detail

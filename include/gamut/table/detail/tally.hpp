// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <gamut/communicator/concept.hpp>
#include <gamut/table/record.hpp>

namespace gamut::table::detail {

/// What is counted in a clock. All but the last two are added up over ranks; of those the greatest counts.
enum counted : std::size_t {
    messages,
    bytes,
    hits,
    waits,
    nanoseconds_waited,
    applied,
    late,
    early,
    pushed,
    stale,
    readings,
    most_stale,
    ended,
    counters
};

/// The counts of a run, clock by clock; at most `most_bins` of them, so that a long run does not need the memory.
class tally {
public:
    static constexpr std::uint64_t most_bins = 65536;
    static constexpr std::size_t summed = most_stale;  // so many of the counters

    void begin(std::uint64_t first, std::uint64_t clocks) {
        first_ = first;
        clocks_ = clocks;
        per_bin_ = std::max<std::uint64_t>(1, (clocks + most_bins - 1) / most_bins);
        bins_.assign(static_cast<std::size_t>((clocks + per_bin_ - 1) / per_bin_), {});
    }
    /// Clocks that are not of this run count as its nearest.
    void add(counted what, std::uint64_t clock, std::int64_t amount = 1) {
        if (auto* const bin = at(clock)) (*bin)[what] += amount;
    }
    void most(counted what, std::uint64_t clock, std::int64_t value) {
        if (auto* const bin = at(clock)) (*bin)[what] = std::max((*bin)[what], value);
    }
    void sent(std::uint64_t clock, std::size_t size) {
        add(messages, clock);
        add(bytes, clock, static_cast<std::int64_t>(size));
    }

    /// Of another part of the same run, on the same rank.
    void add(const tally& other) {
        for (std::size_t k = 0; k < bins_.size(); ++k)
            for (std::size_t j = 0; j < counters; ++j)
                bins_[k][j] = j < summed ? bins_[k][j] + other.bins_[k][j] : std::max(bins_[k][j], other.bins_[k][j]);
    }

    std::size_t size() const { return bins_.size(); }
    std::array<std::int64_t, counters>& bin(std::size_t k) { return bins_[k]; }

    record describe(std::size_t k, const std::string& table) const {
        const std::uint64_t offset = k * per_bin_;
        record one = describe(bins_[k], table);
        one.clock = first_ + offset;
        one.clocks = std::min(per_bin_, clocks_ - offset);
        return one;
    }
    record total(const std::string& table) const {
        std::array<std::int64_t, counters> all{};
        for (const auto& bin : bins_)
            for (std::size_t j = 0; j < counters; ++j) all[j] = j < summed ? all[j] + bin[j] : std::max(all[j], bin[j]);
        record one = describe(all, table);
        one.clock = first_;
        one.clocks = clocks_;
        return one;
    }

private:
    using numbers = std::array<std::int64_t, counters>;

    numbers* at(std::uint64_t clock) {
        if (bins_.empty()) return nullptr;
        const std::uint64_t offset = std::min(clock - std::min(clock, first_), clocks_ - 1);
        return &bins_[static_cast<std::size_t>(offset / per_bin_)];
    }

    static record describe(const numbers& n, const std::string& table) {
        const auto count = [&](counted what) { return static_cast<std::uint64_t>(n[what]); };
        record one;
        one.table = table;
        one.messages = count(messages);
        one.bytes = count(bytes);
        one.hits = count(hits);
        one.waits = count(waits);
        one.waited = 1e-9 * static_cast<double>(n[nanoseconds_waited]);
        one.applied = count(applied);
        one.late = count(late);
        one.early = count(early);
        one.pushed = count(pushed);
        one.staleness = n[readings] == 0 ? 0 : static_cast<double>(n[stale]) / static_cast<double>(n[readings]);
        one.most_stale = count(most_stale);
        one.seconds = 1e-9 * static_cast<double>(n[ended]);
        return one;
    }

    std::uint64_t first_ = 0, clocks_ = 0, per_bin_ = 1;
    std::vector<numbers> bins_;
};

/// Collective: two all-reduces.
template <communicator::Communicator C> void add_over_ranks(const C& c, tally& mine) {
    std::vector<std::int64_t> sums, most;
    for (std::size_t k = 0; k < mine.size(); ++k) {
        const auto& bin = mine.bin(k);
        sums.insert(sums.end(), bin.begin(), bin.begin() + tally::summed);
        most.insert(most.end(), bin.begin() + tally::summed, bin.end());
    }
    c.all_reduce(std::span<std::int64_t>(sums), communicator::operation::sum);
    c.all_reduce(std::span<std::int64_t>(most), communicator::operation::maximum);
    for (std::size_t k = 0; k < mine.size(); ++k) {
        auto& bin = mine.bin(k);
        std::copy_n(sums.data() + k * tally::summed, tally::summed, bin.begin());
        std::copy_n(most.data() + k * (counters - tally::summed), counters - tally::summed,
                    bin.begin() + tally::summed);
    }
}

}  // namespace gamut::table::detail

// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <gamut/communicator/concept.hpp>
#include <gamut/core/error.hpp>
#include <gamut/core/is_utf8.hpp>
#include <gamut/core/text.hpp>

namespace gamut::data::detail {

/// A piece of the user's file for a message: in quotes, shortened, with control characters made visible.
[[gnu::cold]] inline std::string in_quotes(std::string_view raw) {
    return core::text("'", core::visible(raw, 40), "'");
}

/// "a, b, c, ..." : at most `most` of them.
template <class Names> [[gnu::cold]] std::string listed(const Names& names, std::size_t most = 10) {
    std::string joined;
    for (std::size_t i = 0; i < std::min<std::size_t>(names.size(), most); ++i) {
        if (i) joined += ", ";
        joined += core::visible(names[i]);
    }
    return names.size() > most ? joined + ", ..." : joined;
}

/// The texts of all ranks, in rank order, on every rank. Two messages.
template <communicator::Communicator C>
[[gnu::cold]] std::vector<std::string> gather_texts(const C& ranks, std::string_view mine) {
    const auto count = static_cast<std::size_t>(ranks.size());
    const std::int64_t length[] = {static_cast<std::int64_t>(mine.size())};
    std::vector<std::int64_t> lengths(count);
    ranks.gather(std::span<const std::int64_t>(length), std::span<std::int64_t>(lengths));
    const auto longest = static_cast<std::size_t>(*std::max_element(lengths.begin(), lengths.end()));
    std::vector<std::string> texts(count);
    if (longest == 0) return texts;
    std::vector<std::uint8_t> padded(longest), all(longest * count);
    std::copy(mine.begin(), mine.end(), padded.begin());
    ranks.gather(std::span<const std::uint8_t>(padded), std::span<std::uint8_t>(all));
    for (std::size_t r = 0; r < count; ++r) {
        const auto begin = all.begin() + static_cast<std::ptrdiff_t>(r * longest);
        texts[r].assign(begin, begin + lengths[r]);
    }
    return texts;
}

/// What is wrong with the rows that a rank reads: the first few in words, all in number.
class problems {
public:
    static constexpr std::size_t shown = 5;

    bool none() const { return count == 0; }

    /// Always false: what a function that says whether all is well returns.
    template <class... Parts> [[gnu::cold]] bool add(const Parts&... parts) {
        if (count++ < shown) messages.push_back(core::text(parts...));
        return false;
    }

    /// Collective: does nothing, or throws the same data_error on every rank, with the first problems of all rows
    /// (ranks own consecutive rows). One message when all is well.
    template <communicator::Communicator C> [[gnu::cold]] void report(const C& ranks) const {
        std::int64_t total[] = {static_cast<std::int64_t>(count)};
        ranks.all_reduce(std::span<std::int64_t>(total), communicator::operation::sum);
        if (total[0] == 0) return;
        std::string mine;
        for (const auto& message : messages) mine += message + '\0';
        std::string report;
        std::size_t lines = 0;
        for (const auto& texts : gather_texts(ranks, mine)) {
            for (std::size_t begin = 0, end; lines < shown && begin < texts.size(); begin = end + 1, ++lines) {
                end = texts.find('\0', begin);
                if (lines) report += '\n';
                report += texts.substr(begin, end - begin);
            }
        }
        if (total[0] > 1) report += core::text("\n", total[0], " problems in all");
        throw core::data_error(report);
    }

private:
    std::size_t count = 0;
    std::vector<std::string> messages;
};

}  // namespace gamut::data::detail

// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>

#include <gamut/table/detail/bytes.hpp>

namespace gamut::table::detail {

enum class letter_kind : std::uint32_t {
    update,    ///< worker -> server: what it added to `count` rows in `clock`; last: and to no others
    pull,      ///< worker -> server: send me the row `count`, not older than `clock`
    rows,      ///< server -> rank: `count` rows, as of `clock`; last: and whatever else you have from me is so, too
    finished,  ///< rank -> rank with servers: my workers' run is over
    failure    ///< rank -> all ranks: stop waiting
};

/// What every letter of a table begins with. Rows that follow: a row's number, its version, its values.
struct letter_head {
    static constexpr std::uint32_t right_mark = 0x7ab1e001;  // the last digits: the version of the format

    std::uint32_t mark = right_mark;
    letter_kind kind = letter_kind::failure;
    std::uint64_t sender = 0;  // the worker's number, the server's, or the rank's
    std::uint64_t server = 0;
    std::uint64_t clock = 0;  // update: of the worker; rows: that the rows have
    std::uint64_t begun = 0;  // pull: the clock of the worker that asks
    std::uint64_t count = 0;
    std::uint64_t last = 0;
};

inline constexpr std::uint64_t never_read = ~std::uint64_t{0};  // instead of a row's version

inline constexpr std::size_t longest_letter = std::size_t{1} << 26;  // longer ones are made several, row by row

inline byte_writer begin_letter(const letter_head& head) {
    byte_writer out;
    out.put(head);
    return out;
}

inline letter_head take_head(byte_reader& in) {
    const auto head = in.take<letter_head>();
    if (head.mark != letter_head::right_mark) in.wrong("it is no letter of a table (its first bytes say so)");
    if (head.kind > letter_kind::failure) in.wrong("a letter of kind ", static_cast<std::uint32_t>(head.kind));
    return head;
}

}  // namespace gamut::table::detail

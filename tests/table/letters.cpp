// SPDX-License-Identifier: BSL-1.0
// Letters that are not what they say are refused, whatever their bytes.
#include <boost/test/unit_test.hpp>
#include <gamut/table/detail/bytes.hpp>
#include <gamut/table/detail/desk.hpp>
#include <gamut/table/detail/letter.hpp>
#include <gamut/table/detail/plan.hpp>
#include <gamut/table/detail/rows_of.hpp>

#include "tables.hpp"

namespace {

namespace core = tables::core;
namespace detail = tables::table::detail;
namespace table = tables::table;
using detail::letter_head;
using detail::letter_kind;

/// A mailbox that only remembers.
struct notes {
    mutable std::vector<std::pair<int, std::vector<std::uint8_t>>> letters{};
    void post(int to, std::vector<std::uint8_t> bytes) const { letters.push_back({to, std::move(bytes)}); }
};

/// Rank 0 of 2, with server 0 of 2; three workers, rows of two numbers.
template <class R = table::sum, class K = tables::consistency::bulk_synchronous> struct office {
    using desk_type = detail::desk<detail::rows_of<R>, K>;
    explicit office(const K& rule = {}) : desk(where, 0, 2, detail::logic_of(R{}), rule) {
        desk.out = detail::outbox::of(sent);
        desk.begin(0, 10);
    }
    detail::plan where = detail::complete({.rows = 5, .width = 2, .workers = 3, .servers = 2}, 2);
    notes sent;
    desk_type desk;
};

std::vector<std::uint8_t> letter(const letter_head& head, std::uint64_t row, const std::vector<double>& values) {
    auto out = detail::begin_letter(head);
    out.put(row);
    out.put(detail::never_read);
    out.put(std::span<const double>(values));
    return out.take();
}
std::vector<std::uint8_t> update(std::uint64_t worker, std::uint64_t clock, double value, bool last = true) {
    return letter({.kind = letter_kind::update, .sender = worker, .clock = clock, .count = 1, .last = last}, 0,
                  {value, -value});
}

template <class Office> std::string complaint_of(Office& one) {
    return one.desk.failure ? core::message_of(one.desk.failure) : "";
}
/// What rank 0 says of a letter from rank 1.
std::string complaint(const std::vector<std::uint8_t>& bytes) {
    office<> one;
    one.desk.letter(1, bytes);
    if (complaint_of(one).empty() == one.desk.stopped) return "it stops without a reason, or the other way round";
    if (one.desk.stopped && (one.sent.letters.size() != 1 || one.sent.letters[0].first != 1))
        return "the other rank is not told, or more than once";
    return complaint_of(one);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(letters)

BOOST_AUTO_TEST_CASE(right_ones_are_taken) {
    BOOST_TEST(complaint(update(0, 0, 1)) == "");
    office<> one;
    for (const std::uint64_t worker : {2, 0, 1}) one.desk.letter(1, update(worker, 0, static_cast<double>(worker + 1)));
    BOOST_TEST(complaint_of(one) == "");
    BOOST_TEST(one.desk.server_with(0).get(0) == std::vector<double>({6, -6}), boost::test_tools::per_element());
    BOOST_TEST(one.sent.letters.empty());
    one.desk.letter(1, detail::begin_letter({.kind = letter_kind::pull, .clock = 1, .begun = 1, .count = 0}).take());
    BOOST_TEST(one.sent.letters.size() == 1u);
    one.desk.letter(1, detail::begin_letter({.kind = letter_kind::pull, .clock = 2, .begun = 2, .count = 0}).take());
    BOOST_TEST(one.sent.letters.size() == 1u);  // it waits for the clock
}

BOOST_AUTO_TEST_CASE(what_goes_early_is_replaced_by_what_comes_later) {
    office<> one;
    one.desk.letter(1, update(0, 0, 100, false));
    one.desk.letter(1, update(0, 0, 1, false));
    for (const std::uint64_t worker : {1, 2}) one.desk.letter(1, update(worker, 0, 1));
    BOOST_TEST(one.desk.server_with(0).get(0)[0] == 0);
    one.desk.letter(1, detail::begin_letter({.kind = letter_kind::update, .sender = 0, .last = 1}).take());
    BOOST_TEST(one.desk.server_with(0).get(0)[0] == 3);
    BOOST_TEST(complaint_of(one) == "");
}

BOOST_AUTO_TEST_CASE(letters_cut_off_anywhere_are_refused) {
    const auto whole = update(1, 0, 1);
    for (std::size_t length = 0; length < whole.size(); ++length) {
        const auto said = complaint({whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(length)});
        BOOST_TEST(said.starts_with("table: a letter from rank 1: "), said);
    }
    auto longer = whole;
    longer.push_back(0);
    BOOST_TEST(complaint(longer) == "table: a letter from rank 1: 1 bytes too many (its header says so)");
}

BOOST_AUTO_TEST_CASE(heads_that_cannot_be_are_refused) {
    const auto says = [](const letter_head& head, std::uint64_t row, const std::string& expected) {
        BOOST_TEST(complaint(letter(head, row, {1, 2})) == "table: a letter from rank 1: " + expected);
    };
    const letter_head right{.kind = letter_kind::update, .count = 1, .last = 1};
    auto head = right;
    head.mark = 7;
    says(head, 0, "it is no letter of a table (its first bytes say so)");
    head = right;
    head.kind = static_cast<letter_kind>(99);
    says(head, 0, "a letter of kind 99");
    head = right;
    head.sender = 3;
    says(head, 0, "worker 3 (it has 3)");
    head = right;
    head.server = 1;
    says(head, 0, "server 1 (it is not on rank 0)");
    head.server = ~std::uint64_t{0};
    says(head, 0, "server 18446744073709551615 (it is not on rank 0)");
    head = right;
    head.clock = 10;
    says(head, 0, "clock 10 (the run ends with 10)");
    says(right, 1, "row 1 (server 0 of 2 has no such row)");
    says(right, 6, "row 6 (server 0 of 2 has no such row)");
    head = right;
    head.count = ~std::uint64_t{0};
    BOOST_TEST(complaint(letter(head, 0, {1, 2})).starts_with("table: a letter from rank 1: it is cut off ("));
    says({.kind = letter_kind::rows, .sender = 2, .count = 1}, 0, "server 2 (it has 2)");
    says({.kind = letter_kind::rows, .sender = 1, .count = 1}, 0, "row 0 (server 1 has no such row)");
    BOOST_TEST(complaint(detail::begin_letter({.kind = letter_kind::pull, .clock = 11}).take()) ==
               "table: a letter from rank 1: a row of clock 11 (the run ends with 10)");
    BOOST_TEST(complaint(detail::begin_letter({.kind = letter_kind::pull, .count = 3}).take()) ==
               "table: a letter from rank 1: row 3 (server 0 of 2 has no such row)");
}

BOOST_AUTO_TEST_CASE(a_worker_ends_a_clock_once) {
    office<> one;
    one.desk.letter(1, update(1, 0, 1));
    one.desk.letter(1, update(1, 0, 1));
    BOOST_TEST(complaint_of(one) == "table: a letter from rank 1: clock 0 of worker 1 ends twice");
}

BOOST_AUTO_TEST_CASE(sparse_entries_rise_and_are_within_the_width) {
    const auto says = [](const std::vector<table::entries::entry>& some) {
        office<table::sparse<table::sum>> one;
        auto out = detail::begin_letter({.kind = letter_kind::update, .count = 1, .last = 1});
        out.put(std::uint64_t{0});
        out.put(detail::never_read);
        out.put(std::uint64_t{some.size()});
        out.put(std::span<const table::entries::entry>(some));
        one.desk.letter(1, out.take());
        return complaint_of(one);
    };
    BOOST_TEST(says({{0, 1}, {1, 1}}) == "");
    BOOST_TEST(says({{1, 1}, {1, 1}}) == "table: a letter from rank 1: entry 1 of a row (they rise, and are below 2)");
    BOOST_TEST(says({{2, 1}}) == "table: a letter from rank 1: entry 2 of a row (they rise, and are below 2)");
}

BOOST_AUTO_TEST_CASE(of_k_of_n_exactly_k_count_and_later_ones_are_late) {
    office<table::descent, tables::consistency::backup_workers> one({.enough = 2});
    one.desk.letter(1, update(0, 1, 50));  // of the next clock already
    for (const std::uint64_t worker : {1, 2, 0}) one.desk.letter(1, update(worker, 0, 10));
    BOOST_TEST(complaint_of(one) == "");
    BOOST_TEST(one.desk.server_with(0).get(0)[0] == -.1 * 10);  // the mean of two
    one.desk.letter(1, update(2, 1, 70));
    one.desk.letter(1, update(1, 1, 1000));
    BOOST_TEST(std::abs(one.desk.server_with(0).get(0)[0] - (-1 - .1 * 60)) < 1e-15);
    const auto counts = one.desk.servers[0].counts.total("table");
    BOOST_TEST(counts.applied == 4u);
    BOOST_TEST(counts.late == 2u);
}

BOOST_AUTO_TEST_SUITE_END()

// SPDX-License-Identifier: BSL-1.0
#include <boost/test/unit_test.hpp>
#include <cstdint>
#include <gamut/consistency/asynchronous.hpp>
#include <gamut/consistency/backup_workers.hpp>
#include <gamut/consistency/bounded_staleness.hpp>
#include <gamut/consistency/bulk_synchronous.hpp>
#include <gamut/consistency/concept.hpp>
#include <gamut/core/error.hpp>
#include <limits>
#include <string>

namespace consistency = gamut::consistency;
namespace core = gamut::core;

namespace {

struct without_quorum {
    static constexpr bool needs_letters = true, needs_clock = true, needs_server = false;
    std::uint64_t oldest(std::uint64_t clock) const { return clock; }
    bool pushed() const { return false; }
    void validate(std::size_t) const {}
};
struct loosening : consistency::bulk_synchronous {  // a user's own: staler as clocks go by
    std::uint64_t oldest(std::uint64_t clock) const { return clock / 2; }
};

static_assert(consistency::Consistency<consistency::bulk_synchronous>);
static_assert(consistency::Consistency<consistency::bounded_staleness>);
static_assert(consistency::Consistency<consistency::asynchronous>);
static_assert(consistency::Consistency<consistency::backup_workers>);
static_assert(consistency::Consistency<loosening>);
static_assert(!consistency::Consistency<without_quorum>);
static_assert(!consistency::Consistency<double>);

// who can do without what
static_assert(!consistency::bulk_synchronous::needs_letters && consistency::bulk_synchronous::needs_clock);
static_assert(consistency::bounded_staleness::needs_letters && consistency::bounded_staleness::needs_clock);
static_assert(consistency::asynchronous::needs_letters && !consistency::asynchronous::needs_clock);
static_assert(consistency::backup_workers::needs_server && !consistency::bounded_staleness::needs_server);

auto says(const std::string& message) {
    return [message](const std::exception& problem) { return std::string(problem.what()) == message; };
}

constexpr std::uint64_t last = std::numeric_limits<std::uint64_t>::max();

}  // namespace

BOOST_AUTO_TEST_SUITE(rules)

BOOST_AUTO_TEST_CASE(how_old_a_row_may_be) {
    for (const std::uint64_t clock : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{7}, last}) {
        BOOST_TEST(consistency::bulk_synchronous{}.oldest(clock) == clock);
        BOOST_TEST(consistency::backup_workers{.enough = 2}.oldest(clock) == clock);
        BOOST_TEST(consistency::asynchronous{}.oldest(clock) == 0u);
        BOOST_TEST(consistency::bounded_staleness{.slack = 0}.oldest(clock) == clock);
        BOOST_TEST(consistency::bounded_staleness{.slack = last}.oldest(clock) == 0u);
    }
    const consistency::bounded_staleness three{.slack = 3};
    BOOST_TEST(three.oldest(2) == 0u);
    BOOST_TEST(three.oldest(3) == 0u);
    BOOST_TEST(three.oldest(4) == 1u);
    BOOST_TEST(three.oldest(last) == last - 3);
}

BOOST_AUTO_TEST_CASE(how_many_updates_make_a_clock) {
    BOOST_TEST(consistency::bulk_synchronous{}.quorum(5) == 5u);
    BOOST_TEST(consistency::bounded_staleness{}.quorum(5) == 5u);
    BOOST_TEST(consistency::backup_workers{.enough = 4}.quorum(5) == 4u);
    BOOST_TEST(consistency::asynchronous{}.quorum(5) == 1u);
}

BOOST_AUTO_TEST_CASE(only_essp_pushes) {
    BOOST_TEST(!consistency::bulk_synchronous{}.pushed());
    BOOST_TEST(!consistency::bounded_staleness{.slack = 2}.pushed());
    BOOST_TEST((consistency::bounded_staleness{.slack = 2, .pushes = true}.pushed()));
}

BOOST_AUTO_TEST_CASE(a_clock_is_made_by_one_worker_at_least_and_by_no_more_than_there_are) {
    for (const std::size_t enough : {1, 2, 3}) consistency::backup_workers{.enough = enough}.validate(3);
    BOOST_CHECK_EXCEPTION(
        consistency::backup_workers{.enough = 0}.validate(3), core::option_error,
        says("backup_workers: enough is 0 (of 3 workers at least one makes a clock, and not more than "
             "there are)"));
    BOOST_CHECK_THROW(consistency::backup_workers{.enough = 4}.validate(3), core::option_error);
    consistency::bulk_synchronous{}.validate(3);
    consistency::bounded_staleness{.slack = last}.validate(3);
    consistency::asynchronous{}.validate(3);
}

BOOST_AUTO_TEST_CASE(collectives_suffice_where_all_wait_for_all) {
    consistency::check_collectives(consistency::bulk_synchronous{});
    consistency::check_without_clock(consistency::asynchronous{});
}

BOOST_AUTO_TEST_SUITE_END()

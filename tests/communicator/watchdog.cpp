// SPDX-License-Identifier: BSL-1.0
#include <boost/test/unit_test.hpp>
#include <condition_variable>
#include <gamut/communicator/detail/watchdog.hpp>
#include <limits>
#include <mutex>
#include <string>

using gamut::communicator::detail::wait;
using gamut::communicator::detail::watchdog;

namespace {

struct bark {
    std::mutex mutex;
    std::condition_variable heard;
    int times = 0;
    wait what;
    double seconds = 0;
} barked;

void expired(const wait& what, double seconds) {
    const std::lock_guard lock(barked.mutex);
    ++barked.times;
    barked.what = what;
    barked.seconds = seconds;
    barked.heard.notify_all();
}

}  // namespace

BOOST_AUTO_TEST_SUITE(watchdog_)

BOOST_AUTO_TEST_CASE(a_wait_beyond_the_deadline_is_reported_once_with_what_was_waited_for) {
    barked.times = 0;
    watchdog guard(0.02, expired);
    guard.enter({"gather", "int32", 12});
    std::unique_lock lock(barked.mutex);
    barked.heard.wait(lock, [] { return barked.times > 0; });
    BOOST_TEST(barked.times == 1);
    BOOST_TEST(std::string(barked.what.operation) == "gather");
    BOOST_TEST(std::string(barked.what.type) == "int32");
    BOOST_TEST(barked.what.count == 12u);
    BOOST_TEST(barked.seconds >= 0.02);
}

BOOST_AUTO_TEST_CASE(many_short_waits_are_not_one_long_one) {
    barked.times = 0;
    {
        watchdog guard(0.5, expired);
        const gamut::core::clock clock;
        while (clock.seconds() < 1) {  // twice the deadline
            guard.enter({"barrier", "ranks", 2});
            guard.leave();
        }
    }
    BOOST_TEST(barked.times == 0);
}

BOOST_AUTO_TEST_CASE(time_outside_collectives_does_not_count_and_an_endless_deadline_is_one) {
    barked.times = 0;
    {
        watchdog guard(0.02, expired), endless(std::numeric_limits<double>::infinity(), expired);
        endless.enter({"barrier", "ranks", 2});
        guard.enter({"barrier", "ranks", 2});
        guard.leave();
        const gamut::core::clock clock;
        while (clock.seconds() < 0.1) {}
    }
    BOOST_TEST(barked.times == 0);
}

BOOST_AUTO_TEST_SUITE_END()

// SPDX-License-Identifier: BSL-1.0
#include <boost/test/unit_test.hpp>
#include <gamut/core/clock.hpp>
#include <gamut/core/result.hpp>
#include <gamut/core/stop.hpp>
#include <limits>
#include <set>
#include <string>

namespace core = gamut::core;

BOOST_AUTO_TEST_SUITE(stop)

BOOST_AUTO_TEST_CASE(limits_that_make_sense_pass) {
    core::stop{}.validate("lbfgs");
    core::stop{.iterations = 0, .tolerance = 0, .seconds = 3.5}.validate("lbfgs");
}

BOOST_AUTO_TEST_CASE(negative_limits_and_nan_are_refused_with_the_solvers_name) {
    constexpr double nan = std::numeric_limits<double>::quiet_NaN();
    for (const double bad : {-1.0, nan}) {
        for (const core::stop& wrong : {core::stop{.tolerance = bad}, core::stop{.seconds = bad}}) {
            BOOST_CHECK_EXCEPTION(wrong.validate("lbfgs"), core::option_error, [](const core::option_error& problem) {
                return std::string(problem.what()).starts_with("lbfgs: stop.");
            });
        }
    }
}

BOOST_AUTO_TEST_CASE(every_status_has_its_own_name) {
    std::set<std::string_view> names;
    for (const auto status : {core::status::converged, core::status::iteration_limit, core::status::time_limit,
                              core::status::stopped, core::status::diverged, core::status::separable})
        names.insert(core::name(status));
    BOOST_TEST(names.size() == 6u);
    BOOST_TEST(names.count("unknown") == 0u);
}

BOOST_AUTO_TEST_CASE(the_clock_never_runs_backwards) {
    const core::clock clock;
    double last = 0;
    for (int i = 0; i < 1000; ++i) {
        const double now = clock.seconds();
        BOOST_REQUIRE(now >= last);
        last = now;
    }
}

BOOST_AUTO_TEST_SUITE_END()

// SPDX-License-Identifier: BSL-1.0
#include "conformance.hpp"

#include <boost/test/unit_test.hpp>

#include <cmath>
#include <cstddef>
#include <new>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include <gamut/communicator/observe.hpp>
#include <gamut/communicator/sum.hpp>

namespace communicator = gamut::communicator;
namespace core = gamut::core;

static_assert(communicator::Communicator<communicator::counting<communicator::single<>>>);
static_assert(!communicator::Communicator<std::vector<double>>);
static_assert(std::is_empty_v<communicator::single<>>);

BOOST_AUTO_TEST_SUITE(single)

BOOST_AUTO_TEST_CASE(conforms) {
    BOOST_TEST(conformance::check(communicator::single<>{}) == "");
    BOOST_TEST(conformance::check(communicator::single<core::fast>{}) == "");
    BOOST_TEST(conformance::check(communicator::counting<communicator::single<>>{}) == "");
}

BOOST_AUTO_TEST_CASE(many_entries_are_summed_as_few_are) {
    const communicator::single c{};
    const std::size_t columns = 10000, count = 3;
    std::vector<double> partials(count * columns), all(columns);
    for (std::size_t k = 0; k < partials.size(); ++k)
        partials[k] = std::ldexp(std::sin(static_cast<double>(k)), static_cast<int>(k % 60) - 30);
    partials[9999] = HUGE_VAL;
    communicator::sum(c, std::span<const double>(partials), count, std::span<double>(all));
    for (std::size_t begin = 0; begin < columns; begin += 1000) {
        std::vector<double> few, sums(1000);
        for (std::size_t row = 0; row < count; ++row)
            for (std::size_t k = 0; k < 1000; ++k) few.push_back(partials[row * columns + begin + k]);
        communicator::sum(c, std::span<const double>(few), count, std::span<double>(sums));
        for (std::size_t k = 0; k < 1000; ++k)
            BOOST_REQUIRE((sums[k] == all[begin + k] || (std::isnan(sums[k]) && std::isnan(all[begin + k]))));
    }
    BOOST_TEST(std::isnan(all[9999]));
}

BOOST_AUTO_TEST_CASE(gather_into_another_size_is_refused) {
    const communicator::single c{};
    std::vector<double> one(1), two(2);
    BOOST_CHECK_THROW(c.gather(std::span<const double>(one), std::span<double>(two)), core::shape_error);
}

BOOST_AUTO_TEST_CASE(what_an_observer_throws_becomes_an_error_with_its_words) {
    struct disk_full : std::runtime_error {
        using std::runtime_error::runtime_error;
    };
    const communicator::single<> alone{};
    const auto show = [&](auto observer) {
        core::record now;
        std::vector<core::record> history;
        return communicator::observe(alone, now, history, observer);
    };
    const auto words = [](const char* expected) {
        return [=](const std::exception& problem) { return std::string(problem.what()) == expected; };
    };
    BOOST_CHECK_EXCEPTION(show([](const core::record&) { throw disk_full("no space"); }), core::error,
                          words("no space"));
    BOOST_CHECK_EXCEPTION(show([](const core::record&) { throw core::option_error("not so"); }), core::option_error,
                          words("not so"));
    BOOST_CHECK_THROW(show([](const core::record&) { throw std::bad_alloc(); }), core::out_of_memory);
    BOOST_CHECK_EXCEPTION(show([](const core::record&) { throw 3; }), core::error,
                          words("unknown failure (what was thrown is not a std::exception)"));
    BOOST_TEST(!show([](const core::record&) {}));
    BOOST_TEST(show([](const core::record&) { return true; }));
}

BOOST_AUTO_TEST_SUITE_END()

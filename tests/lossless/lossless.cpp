// SPDX-License-Identifier: BSL-1.0
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include <gamut/compressor/lossless.hpp>

#include "../compressor/compressors.hpp"

using namespace gamut;
using namespace shipped;

BOOST_AUTO_TEST_SUITE(compressor_lossless)

BOOST_AUTO_TEST_CASE(every_bit_comes_back) {
    static_assert(Compressor<lossless, float> && Compressor<lossless, double> && lossless::contracts);
    for (const std::size_t n : {0, 1, 2, 255, 4099, 5000000}) {
        auto x = normals<float>(n);
        if (n > 4) {
            x[1] = -0.0f;
            x[2] = std::numeric_limits<float>::infinity();
            x[3] = std::bit_cast<float>(0xffc12345u);  // a NaN with something to say
            x[4] = std::numeric_limits<float>::denorm_min();
        }
        for (const int level : {0, 5, 9}) {
            const auto y = sent(lossless{.level = level}, x);
            std::size_t wrong = 0;
            for (std::size_t i = 0; i < n; ++i)
                wrong += std::bit_cast<std::uint32_t>(x[i]) != std::bit_cast<std::uint32_t>(y[i]) ? 1 : 0;
            BOOST_TEST(wrong == 0);
        }
    }
    const auto x = normals<double>(1000);
    BOOST_TEST(sent(lossless{}, x) == x, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(what_repeats_becomes_short_and_what_does_not_hardly_longer) {
    const auto bytes_of = [](const auto& x) { return message_of(lossless{}, x).size(); };
    std::vector<float> few(10000);
    for (std::size_t i = 0; i < few.size(); i += 100) few[i] = static_cast<float>(i);
    BOOST_TEST(bytes_of(few) < 4000);
    BOOST_TEST(bytes_of(normals<float>(10000)) < 40000);
    std::vector<float> noise(10000);
    const core::random draws{.seed = 1};
    for (std::size_t i = 0; i < noise.size(); ++i)
        noise[i] = std::bit_cast<float>(static_cast<std::uint32_t>(draws.bits(i)));
    BOOST_TEST(bytes_of(noise) <= 40000 + 64);
    BOOST_TEST(message_of(lossless{}, noise) == message_of(lossless{}, noise));
}

BOOST_AUTO_TEST_CASE(messages_that_are_cut_or_damaged_are_refused_or_give_numbers) {
    std::vector<float> x = normals<float>(300);
    std::fill(x.begin() + 50, x.begin() + 200, 1.0f);
    const bytes message = message_of(lossless{}, x);
    for (std::size_t length = 0; length < message.size(); ++length)
        BOOST_CHECK_THROW(
            numbers_of<float>(lossless{}, bytes(message.begin(), message.begin() + static_cast<std::ptrdiff_t>(length)),
                              300),
            core::communicator_error);
    bytes longer = message;
    longer.push_back(0);
    BOOST_CHECK_THROW(numbers_of<float>(lossless{}, longer, 300), core::communicator_error);
    for (std::size_t at = 0; at < message.size(); ++at)
        for (const int flip : {0x01, 0x80, 0xff}) {
            bytes damaged = message;
            damaged[at] = static_cast<std::uint8_t>(damaged[at] ^ flip);
            try {
                numbers_of<float>(lossless{}, damaged, 300);
            } catch (const core::communicator_error&) {}
        }
    BOOST_TEST(sent(lossless{}, x) == x, boost::test_tools::per_element());
    BOOST_CHECK_THROW(message_of(lossless{.level = 10}, x), core::option_error);
    BOOST_CHECK_THROW(message_of(lossless{.level = -1}, x), core::option_error);
}

BOOST_AUTO_TEST_SUITE_END()

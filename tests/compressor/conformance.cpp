// SPDX-License-Identifier: BSL-1.0
// What holds for every compressor.
#include <boost/test/unit_test.hpp>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <type_traits>
#include <vector>

#include "compressors.hpp"

using namespace gamut;
using namespace shipped;

namespace {

double norm(const auto& x) {
    double sum = 0;
    for (const auto entry : x) sum += static_cast<double>(entry) * static_cast<double>(entry);
    return std::sqrt(sum);
}

template <class T> double distance(const std::vector<T>& a, const std::vector<T>& b) {
    std::vector<double> difference;
    for (std::size_t i = 0; i < a.size(); ++i)
        difference.push_back(static_cast<double>(a[i]) - static_cast<double>(b[i]));
    return norm(difference);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(compressor_conformance)

BOOST_AUTO_TEST_CASE(every_compressor_satisfies_the_concept_in_float_and_double) {
    for_each([](const auto& c) {
        using C = std::remove_cvref_t<decltype(c)>;
        static_assert(Compressor<C, float> && Compressor<C, double>);
        static_assert(Summable<C, float> == C::summable && Summable<C, double> == C::summable);
        static_assert(!(C::unbiased && C::needs_error_feedback));
        compressor::validate(c);
    });
    static_assert(!Compressor<int> && !Compressor<std::string>);
    static_assert(none::summable && random_k::summable && low_rank::summable && !top_k::summable && !sign::summable);
    static_assert(top_k::needs_error_feedback && sign::needs_error_feedback && low_rank::needs_error_feedback);
    static_assert(!error_feedback<top_k>::needs_error_feedback && error_feedback<low_rank>::summable);
    static_assert(quantized::unbiased && random_k::unbiased && !quantized::contracts && !random_k::contracts);
    static_assert(contracted<random_k>::contracts && contracted<random_k>::summable && !contracted<random_k>::unbiased);
    static_assert(std::is_same_v<contracting<random_k>, contracted<random_k>> &&
                  std::is_same_v<contracting<top_k>, top_k>);
    static_assert(!error_feedback<top_k>::contracts);  // it sends what was left out before, too
}

BOOST_AUTO_TEST_CASE(any_number_of_numbers_comes_back_as_many_and_finite) {
    for_each([](const auto& c) {
        for (const std::size_t n : {0, 1, 2, 3, 31, 32, 33, 255, 256, 257, 1000}) {
            const auto y = sent(c, normals<float>(n));
            BOOST_TEST(y.size() == n);
            for (const float entry : y) BOOST_TEST_REQUIRE(std::isfinite(entry));
            BOOST_TEST(sent(c, normals<double>(n)).size() == n);
        }
    });
}

BOOST_AUTO_TEST_CASE(zeros_come_back_as_zeros) {
    for_each([](const auto& c) {
        for (const float entry : sent(c, std::vector<float>(70))) BOOST_TEST(entry == 0);
    });
}

BOOST_AUTO_TEST_CASE(the_same_numbers_turn_and_memory_give_the_same_bytes) {
    for_each([](const auto& c) {
        using C = std::remove_cvref_t<decltype(c)>;
        const auto x = normals<float>(300), later = normals<float>(300, 1);
        memory_of<C, float> first, second;
        bytes a, b;
        for (const std::uint64_t round : {3, 4}) {
            const auto& numbers = round == 3 ? x : later;
            encode<float>(c, {.round = round, .node = 2}, numbers, first, a);
            encode<float>(c, {.round = round, .node = 2}, numbers, second, b);
            BOOST_TEST(a == b);
        }
    });
}

BOOST_AUTO_TEST_CASE(what_contracts_is_nearer_than_nothing_at_all) {
    std::apply(
        [](const auto&... c) {
            const auto check = [](const auto& compressor, const auto& x) {
                if constexpr (std::remove_cvref_t<decltype(compressor)>::contracts)
                    BOOST_TEST(distance(sent(compressor, x), x) < norm(x));
            };
            std::vector<float> one_of_many(200, 1e-3f), alternating(200);
            one_of_many[77] = -5;
            for (std::size_t i = 0; i < alternating.size(); ++i) alternating[i] = i % 2 == 0 ? 3.0f : -1.0f;
            for (const auto& x : {normals<float>(200), one_of_many, alternating}) (check(c, x), ...);
            (check(c, normals<double>(200)), ...);
        },
        plain);
}

BOOST_AUTO_TEST_CASE(not_a_number_is_not_hidden) {
    const float nan = std::numeric_limits<float>::quiet_NaN();
    for_each([&](const auto& c) {
        if (c.name == random_k::name) return;  // sees what it draws only
        auto x = normals<float>(40);
        x[24] = nan;
        BOOST_TEST(std::isnan(sent(c, x)[24]));
    });
}

BOOST_AUTO_TEST_CASE(nobody_claims_that_infinity_is_finite) {
    const double infinity = std::numeric_limits<double>::infinity();
    for_each([&](const auto& c) {
        if (c.name == random_k::name) return;
        for (const double large : {infinity, -infinity}) {
            auto x = normals<double>(40);
            x[24] = large;
            BOOST_TEST(!std::isfinite(sent(c, x)[24]));
        }
    });
}

BOOST_AUTO_TEST_CASE(a_message_that_is_cut_is_refused_at_any_length) {
    for_each([](const auto& c) {
        const auto x = normals<float>(50);
        const bytes message = message_of(c, x);
        for (std::size_t length = 0; length < message.size(); ++length) {
            // a vector of just that length, so that a sanitizer sees reading beyond it
            const bytes cut(message.begin(), message.begin() + static_cast<std::ptrdiff_t>(length));
            BOOST_CHECK_THROW(numbers_of<float>(c, cut, 50), core::communicator_error);
        }
        bytes longer = message;
        longer.push_back(0);
        BOOST_CHECK_THROW(numbers_of<float>(c, longer, 50), core::communicator_error);
    });
}

BOOST_AUTO_TEST_CASE(a_damaged_byte_is_refused_or_gives_numbers_and_nothing_else) {
    for_each([](const auto& c) {
        const bytes message = message_of(c, normals<float>(50));
        for (std::size_t at = 0; at < message.size(); ++at)
            for (const int flip : {0x01, 0x80, 0xff}) {
                bytes damaged = message;
                damaged[at] = static_cast<std::uint8_t>(damaged[at] ^ flip);
                if (at < detail::header_bytes)
                    BOOST_CHECK_THROW(numbers_of<float>(c, damaged, 50), core::communicator_error);
                else
                    try {
                        numbers_of<float>(c, damaged, 50);
                    } catch (const core::communicator_error&) {}
            }
    });
}

BOOST_AUTO_TEST_CASE(what_a_message_is_not_about_is_said) {
    const auto says = [](const std::string& words) {
        return
            [=](const core::communicator_error& e) { return std::string(e.what()).find(words) != std::string::npos; };
    };
    for_each([&](const auto& c) {
        const bytes message = message_of(c, normals<float>(50));
        BOOST_CHECK_EXCEPTION(numbers_of<float>(c, message, 51), core::communicator_error,
                              says("a message about 50 numbers (51 are expected)"));
        BOOST_CHECK_EXCEPTION(numbers_of<double>(c, message, 50), core::communicator_error,
                              says("numbers of 4 bytes (here they have 8)"));
        BOOST_CHECK_EXCEPTION(numbers_of<float>(c, {}, 50), core::communicator_error, says("a message of 0 bytes"));
    });
    BOOST_CHECK_EXCEPTION(numbers_of<float>(half{}, message_of(bfloat{}, normals<float>(50)), 50),
                          core::communicator_error, says("half: a message of another compressor"));
    BOOST_CHECK_EXCEPTION(numbers_of<float>(int8{.block = 8}, message_of(int8{.block = 7}, normals<float>(5)), 5),
                          core::communicator_error, says("int8: a message written with other options"));
    BOOST_CHECK_EXCEPTION(numbers_of<float>(quantized{.bits = 3}, message_of(quantized{}, normals<float>(5)), 5),
                          core::communicator_error, says("quantized: a message written with other options"));
}

BOOST_AUTO_TEST_CASE(bad_options_are_errors) {
    const double nan = std::numeric_limits<double>::quiet_NaN();
    for (const double bad : {0.0, -0.5, 1.5, nan}) {
        BOOST_CHECK_THROW(compressor::validate(top_k{.share = bad}), core::option_error);
        BOOST_CHECK_THROW(compressor::validate(random_k{.share = bad}), core::option_error);
        BOOST_CHECK_THROW(message_of(top_k{.share = bad}, normals<float>(5)), core::option_error);
        BOOST_CHECK_THROW(compressor::validate(error_feedback{top_k{.share = bad}}), core::option_error);
    }
    for (const std::uint32_t bad : {0u, 1u, 9u})
        BOOST_CHECK_THROW(compressor::validate(quantized{.bits = bad}), core::option_error);
    for (const std::uint32_t bad : {0u, 4u, 33u})
        BOOST_CHECK_THROW(compressor::validate(quantized{.bucket = bad}), core::option_error);
    BOOST_CHECK_THROW(compressor::validate(int8{.block = 0}), core::option_error);
    BOOST_CHECK_THROW(compressor::validate(int8{.block = 5000}), core::option_error);
    BOOST_CHECK_THROW(compressor::validate(low_rank{.rank = 0}), core::option_error);
}

BOOST_AUTO_TEST_SUITE_END()

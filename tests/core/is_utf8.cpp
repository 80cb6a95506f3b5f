// SPDX-License-Identifier: BSL-1.0
#include <gamut/core/is_utf8.hpp>

#include <boost/test/unit_test.hpp>

#include <string>
#include <string_view>

using gamut::core::is_utf8;

BOOST_AUTO_TEST_SUITE(utf8)

BOOST_AUTO_TEST_CASE(every_code_point_is_utf8_and_no_surrogate) {
    for (unsigned c = 0; c <= 0x10ffff; ++c) {
        std::string text;
        const auto follow = [&](unsigned bits) { text += static_cast<char>(0x80 | (bits & 0x3f)); };
        if (c < 0x80) {
            text += static_cast<char>(c);
        } else if (c < 0x800) {
            text += static_cast<char>(0xc0 | (c >> 6)), follow(c);
        } else if (c < 0x10000) {
            text += static_cast<char>(0xe0 | (c >> 12)), follow(c >> 6), follow(c);
        } else {
            text += static_cast<char>(0xf0 | (c >> 18)), follow(c >> 12), follow(c >> 6), follow(c);
        }
        const bool surrogate = c >= 0xd800 && c <= 0xdfff;
        if (is_utf8(text) == surrogate || (c >= 0x80 && is_utf8(std::string_view(text).substr(1))))
            BOOST_TEST_REQUIRE(false, "code point " << c);
        if (text.size() > 1 && is_utf8(std::string_view(text).substr(0, text.size() - 1)))
            BOOST_TEST_REQUIRE(false, "code point " << c << ", cut");
    }
}

BOOST_AUTO_TEST_CASE(other_encodings_and_overlong_spellings_are_none) {
    for (const char* text :
         {"caf\xe9", "\xe4\xf6\xfc", "\xff\xfe", "\x80", "a\xc3", "\xc0\xaf", "\xc1\xbf", "\xe0\x80\xaf",
          "\xf0\x80\x80\xaf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xed\xa0\x80"})
        BOOST_TEST(!is_utf8(text), text);
    for (const char* text : {"", "plain", "caf\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x8c\x8d!"})
        BOOST_TEST(is_utf8(text));
}

BOOST_AUTO_TEST_CASE(what_is_shown_is_utf8_without_control_characters) {
    using gamut::core::visible;
    BOOST_TEST(visible("caf\xe9\n\x7f!") == "caf\\xe9\\x0a\\x7f!");
    BOOST_TEST(visible("caf\xc3\xa9") == "caf\xc3\xa9");
    BOOST_TEST(visible("caf\xc3\xa9", 5) == "caf\xc3\xa9");
    BOOST_TEST(visible("caf\xc3\xa9", 4) == "caf...");  // never half a character
    BOOST_TEST(visible("abc", 2) == "ab...");
}

BOOST_AUTO_TEST_SUITE_END()

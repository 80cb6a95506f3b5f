// SPDX-License-Identifier: BSL-1.0
#include <gamut/shrink/huffman.hpp>

#include <gamut/core/random.hpp>
#include <gamut/shrink/bits.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numeric>
#include <string>
#include <vector>

using namespace gamut;
using shrink::huffman;

BOOST_AUTO_TEST_SUITE(huffman_codes)

namespace {
using list = std::vector<std::uint64_t>;

/// Bits of the best prefix code: the sum of the two least, again and again.
std::uint64_t least_bits(list counts) {
    std::erase(counts, 0u);
    std::uint64_t sum = 0;
    while (counts.size() > 1) {
        std::sort(counts.rbegin(), counts.rend());
        const std::uint64_t pair = counts[counts.size() - 1] + counts[counts.size() - 2];
        counts.resize(counts.size() - 2);
        counts.push_back(pair);
        sum += pair;
    }
    return sum;
}

std::vector<list> many_counts() {
    std::vector<list> all{{1, 1},       {5, 0, 3},  {0, 0, 7, 1, 1}, {1, 1, 1, 1, 1}, {1000000, 1, 1, 1},
                          list(256, 1), list(37, 4)};
    list fibonacci{1, 1};
    while (fibonacci.size() < 40) fibonacci.push_back(fibonacci.back() + fibonacci[fibonacci.size() - 2]);
    all.push_back(fibonacci);  // the longest codes that counts of this sum can have
    for (std::uint64_t seed = 0; seed < 40; ++seed) {
        const core::random draw{seed, 0};
        list one;
        for (std::size_t s = 0; s < 2 + draw.below(0, 60); ++s)
            one.push_back(static_cast<std::uint64_t>(std::exp(8 * draw.uniform(1 + s)) - 1));
        if (std::accumulate(one.begin(), one.end(), std::uint64_t(0)) > 0) all.push_back(one);
    }
    return all;
}

template <class F> void refused(const F& f, const std::string& words) {
    BOOST_CHECK_EXCEPTION(f(), core::data_error, [&](const core::data_error& e) {
        return std::string(e.what()).find(words) != std::string::npos;
    });
}
std::string table(const std::vector<unsigned>& lengths) {
    shrink::bit_writer bits;
    for (const unsigned length : lengths) bits.put(length, huffman::length_width);
    return bits.bytes();
}
}  // namespace

BOOST_AUTO_TEST_CASE(no_prefix_code_is_shorter) {
    for (const list& counts : many_counts()) {
        const huffman code(counts);
        const auto used = std::count_if(counts.begin(), counts.end(), [](std::uint64_t n) { return n > 0; });
        if (used > 1) BOOST_TEST(code.coded_bits(counts) == least_bits(counts));
    }
}

BOOST_AUTO_TEST_CASE(coded_size_is_within_a_bit_of_entropy) {
    for (const list& counts : many_counts()) {
        const double total = std::accumulate(counts.begin(), counts.end(), 0.0);
        const double per_symbol = static_cast<double>(huffman(counts).coded_bits(counts)) / total;
        const double least = shrink::entropy(counts);
        BOOST_TEST(per_symbol >= least - 1e-9);
        BOOST_TEST(per_symbol <= least + 1);
    }
    BOOST_TEST(shrink::entropy(list{4, 4, 4, 4}) == 2);
}

BOOST_AUTO_TEST_CASE(what_is_written_is_read) {
    for (const list& counts : many_counts()) {
        const huffman code(counts);
        std::vector<std::size_t> symbols;
        const core::random draw{7, counts.size()};
        for (std::size_t i = 0; symbols.size() < 200; ++i)
            if (const std::size_t s = draw.below(i, counts.size()); counts[s] > 0) symbols.push_back(s);
        shrink::bit_writer bits;
        code.write_lengths(bits);
        for (const std::size_t s : symbols) code.write(bits, s);

        shrink::bit_reader from(bits.bytes());
        const huffman again = huffman::read_lengths(from, counts.size());
        BOOST_CHECK(again.lengths() == code.lengths());
        std::vector<std::size_t> read;
        for (std::size_t i = 0; i < symbols.size(); ++i) read.push_back(again.read(from));
        from.finish();
        BOOST_CHECK(read == symbols);
    }
}

BOOST_AUTO_TEST_CASE(codes_are_canonical) {
    const huffman code(list{10, 1, 4, 1, 10});
    BOOST_CHECK((code.lengths() == std::vector<std::uint8_t>{2, 4, 3, 4, 1}));
    // symbols of one length, in their order: consecutive codes
    const huffman four(list{1, 1, 1, 1});
    shrink::bit_writer bits;
    for (std::size_t s = 0; s < 4; ++s) four.write(bits, s);
    BOOST_TEST(bits.bytes() == "\x1b");  // 00 01 10 11
}

BOOST_AUTO_TEST_CASE(a_symbol_alone_takes_no_bits) {
    const huffman code(list{0, 9, 0});
    shrink::bit_writer bits;
    code.write_lengths(bits);
    const std::size_t before = bits.bits();
    for (int i = 0; i < 9; ++i) code.write(bits, 1);
    BOOST_TEST(bits.bits() == before);
    shrink::bit_reader from(bits.bytes());
    const huffman again = huffman::read_lengths(from, 3);
    for (int i = 0; i < 9; ++i) BOOST_TEST(again.read(from) == 1u);
    from.finish();
}

BOOST_AUTO_TEST_CASE(broken_input_is_refused) {
    const auto lengths = [](const std::vector<unsigned>& of) {
        const std::string bytes = table(of);
        shrink::bit_reader from(bytes, "here");
        static_cast<void>(huffman::read_lengths(from, of.size()));
    };
    lengths({1, 2, 2});
    refused([&] { lengths({1, 1, 1}); }, "here: has codes that are the beginnings of others");
    refused([&] { lengths({1, 2, 0}); }, "here: has bits that are no code");
    refused([&] { lengths({2}); }, "has bits that are no code");
    refused([&] { lengths({57, 1}); }, "has a code of 57 bits");

    const huffman code(list{3, 2, 1});
    shrink::bit_writer bits;
    for (const std::size_t s : {0u, 1u, 2u, 0u, 2u}) code.write(bits, s);  // 8 bits
    BOOST_TEST(bits.bits() == 8u);
    shrink::bit_reader ends(bits.bytes(), "here");
    for (int i = 0; i < 5; ++i) static_cast<void>(code.read(ends));
    refused([&] { static_cast<void>(code.read(ends)); }, "here: ends too early, after 1 bytes");
    shrink::bit_reader more(bits.bytes());
    refused([&] { more.finish(); }, "goes on after its end");
    shrink::bit_reader padded(bits.bytes());
    static_cast<void>(padded.get(3));
    refused([&] { padded.finish(); }, "has no zeros after its end");
    const std::string nothing = table({0, 0});
    shrink::bit_reader empty(nothing);
    const huffman none = huffman::read_lengths(empty, 2);
    refused([&] { static_cast<void>(none.read(empty)); }, "has a symbol where there is none");
}

BOOST_AUTO_TEST_CASE(what_cannot_be_written_is_refused) {
    shrink::bit_writer bits;
    BOOST_CHECK_THROW(huffman(list{1, 0, 1}).write(bits, 1), core::option_error);
    BOOST_CHECK_THROW(huffman(list{1, 1}).write(bits, 2), core::option_error);
    BOOST_CHECK_THROW(huffman(list{std::uint64_t(1) << 38, 1}), core::option_error);
    BOOST_CHECK_THROW(huffman(list{std::numeric_limits<std::uint64_t>::max(), 2}), core::option_error);
}

BOOST_AUTO_TEST_SUITE_END()

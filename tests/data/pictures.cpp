// SPDX-License-Identifier: BSL-1.0
#include <gamut/data/cifar.hpp>
#include <gamut/data/idx.hpp>

#include <boost/test/unit_test.hpp>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include <data/helpers.hpp>
#include <gamut/communicator/single.hpp>
#include <gamut/communicator/threads.hpp>
#include <gamut/data/every.hpp>

using namespace gamut;
using test::temporary_file;

namespace {

const data::request classes{.classification = true};

template <class N> std::string big_endian(N number) {
    std::string bytes(sizeof(N), '\0');
    if constexpr (sizeof(N) == 1)
        bytes[0] = static_cast<char>(number);
    else {
        using bits = std::conditional_t<sizeof(N) == 2, std::uint16_t,
                                        std::conditional_t<sizeof(N) == 4, std::uint32_t, std::uint64_t>>;
        bits all = std::bit_cast<bits>(number);
        for (std::size_t k = sizeof(N); k-- > 0; all = static_cast<bits>(all >> 8))
            bytes[k] = static_cast<char>(all & 255);
    }
    return bytes;
}
template <class N>
std::string idx_bytes(char type, const std::vector<std::uint32_t>& dimensions, const std::vector<N>& numbers) {
    std::string bytes{'\0', '\0', type, static_cast<char>(dimensions.size())};
    for (const std::uint32_t d : dimensions) bytes += big_endian(d);
    for (const N number : numbers) bytes += big_endian(number);
    return bytes;
}
std::string labels_of(const std::vector<std::uint8_t>& labels) {
    return idx_bytes<std::uint8_t>(8, {static_cast<std::uint32_t>(labels.size())}, labels);
}

template <class N> void is_read(char type, const std::vector<N>& six) {
    const temporary_file items(idx_bytes<N>(type, {3, 2, 1}, six)), labels(labels_of({7, 0, 7}));
    const auto rows = data::idx<>{.path = items.path, .labels = labels.path}.load(communicator::single<>{}, classes);
    BOOST_TEST(rows.rows() == 3);
    BOOST_TEST(rows.columns() == 2);
    for (std::size_t k = 0; k < 6; ++k) BOOST_TEST(rows.x.row(k / 2)[k % 2] == static_cast<double>(six[k]));
    BOOST_TEST((rows.classes == std::vector<std::string>{"0", "7"}));
    BOOST_TEST((rows.y == std::vector<double>{1, 0, 1}));
}

template <class Source> std::string complaint(const Source& source, const data::request& wanted = classes) {
    std::vector<std::string> of_rank(3);
    communicator::threads<>::run(3, [&](const communicator::threads<>& ranks) {
        try {
            source.load(ranks, wanted);
        } catch (const core::error& problem) {
            of_rank[static_cast<std::size_t>(ranks.rank())] = problem.what();
        }
    });
    BOOST_TEST(of_rank[0] == of_rank[1]);
    BOOST_TEST(of_rank[0] == of_rank[2]);
    return of_rank[0];
}
template <class Source>
void says(const Source& source, const std::string& part, const data::request& wanted = classes) {
    const std::string why = complaint(source, wanted);
    BOOST_TEST(why.find(part) != std::string::npos, why);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(pictures)

BOOST_AUTO_TEST_CASE(idx_has_six_types_of_numbers) {
    is_read<std::uint8_t>(8, {0, 1, 127, 128, 254, 255});
    is_read<std::int8_t>(9, {0, 1, 127, -128, -1, 5});
    is_read<std::int16_t>(11, {0, 1, 32767, -32768, -1, 258});
    is_read<std::int32_t>(12, {0, 1, 2147483647, -2147483647, -1, 66051});
    is_read<float>(13, {0, -1.5F, 1e-30F, 3e38F, 0.1F, 7});
    is_read<double>(14, {0, -1.5, 1e-300, 3e300, 0.1, 7});
}

BOOST_AUTO_TEST_CASE(every_rank_gets_its_rows_and_labels_may_be_numbers) {
    std::vector<std::uint8_t> pixels, labels;
    for (std::size_t i = 0; i < 300; ++i) {
        for (std::size_t k = 0; k < 4; ++k) pixels.push_back(static_cast<std::uint8_t>((i * 4 + k) % 251));
        labels.push_back(static_cast<std::uint8_t>(i % 10));
    }
    const temporary_file items(idx_bytes<std::uint8_t>(8, {300, 2, 2}, pixels)), of_items(labels_of(labels));
    const auto source =
        data::all_but_every(data::idx<float>{.path = items.path, .labels = of_items.path, .scale = 1. / 255}, 5);
    for (const int size : {1, 4}) {
        std::vector<int> good(static_cast<std::size_t>(size));
        communicator::threads<>::run(size, [&](const communicator::threads<>& ranks) {
            const auto rows = source.load(ranks);
            bool same = rows.rows() == 240;
            for (std::size_t i = 0; i < rows.local_rows(); ++i) {
                const std::size_t place = rows.first_row + i, item = place / 4 * 5 + place % 4 + 1;
                same = same && rows.y[i] == static_cast<float>(item % 10);
                for (std::size_t k = 0; k < 4; ++k)
                    same = same && rows.x.row(i)[k] == static_cast<float>(pixels[item * 4 + k] * (1. / 255));
            }
            good[static_cast<std::size_t>(ranks.rank())] = same;
        });
        for (const int g : good) BOOST_TEST(g == 1);
    }
}

BOOST_AUTO_TEST_CASE(broken_idx_files_are_told) {
    const temporary_file good(idx_bytes<std::uint8_t>(8, {2, 2}, {1, 2, 3, 4})), labels(labels_of({0, 1}));
    const auto file = [&](const std::string& bytes, const std::string& part) {
        const temporary_file bad(bytes);
        says(data::idx<>{.path = bad.path, .labels = labels.path}, part);
    };
    const std::string bytes = idx_bytes<std::uint8_t>(8, {2, 2}, {1, 2, 3, 4});
    file("", "no IDX file");
    file("label,x\n1,2\n", "no IDX file");
    file(std::string(bytes).replace(2, 1, "\x0a"), "no IDX file");
    file(bytes.substr(0, 7), "its sizes are not all there");
    file(bytes.substr(0, 15), "2 items of 2 bytes are announced, 3 bytes are there");
    file(bytes + "x", "another length");
    file(idx_bytes<std::uint8_t>(8, {2, 0xffffffff, 0xffffffff}, {1}), "is 4294967295");
    const temporary_file none(idx_bytes<std::uint8_t>(8, {0, 2}, {}));
    data::request no_labels;
    no_labels.labels = false;
    says(data::idx<>{.path = none.path}, "no rows", no_labels);
    file(idx_bytes<std::uint8_t>(8, {2, 0}, {}), "dimension 2 is 0");
    file("\x1f\x8b\x08\x08 rest", "gunzip it first");
    file(idx_bytes<float>(13, {2, 2}, {1, 2, std::numeric_limits<float>::infinity(), 4}), "item 1, number 0 is inf");
    says(data::idx<>{.path = good.path}, "no labels");
    const temporary_file three(labels_of({0, 1, 1}));
    says(data::idx<>{.path = good.path, .labels = three.path}, "3 items of 1 numbers");
    says(data::idx<>{.path = good.path, .labels = good.path}, "2 items of 2 numbers");
    const temporary_file halves(idx_bytes<float>(13, {2}, {0, 0.5F})),
        nans(idx_bytes<float>(13, {2}, {0, std::numeric_limits<float>::quiet_NaN()}));
    says(data::idx<>{.path = good.path, .labels = halves.path}, "item 1: label 0.5 (whole numbers");
    says(data::idx<>{.path = good.path, .labels = nans.path}, "item 1: label nan", data::request{});
    says(data::idx<>{.path = good.path, .labels = labels.path, .scale = 0}, ".scale = 0");
    data::request fitted = classes;
    fitted.classes = {"0", "2"};
    says(data::idx<>{.path = good.path, .labels = labels.path}, "item 1: label '1' is unknown", fitted);
    fitted = classes;
    fitted.features = {"a", "b", "c"};
    says(data::idx<>{.path = good.path, .labels = labels.path}, "2 numbers per item (the model has 3 features)",
         fitted);
}

BOOST_AUTO_TEST_CASE(cifar_turns_planes_into_channels) {
    const auto record = [](const std::string& labels, int shift) {
        std::string bytes = labels;
        for (int k = 0; k < 3072; ++k) bytes += static_cast<char>((k / 1024 * 50 + k % 1024 + shift) % 256);
        return bytes;
    };
    const temporary_file one(record({3}, 0) + record({9}, 1)), two(record({3}, 2)), fine(record({1, 77}, 0));
    const auto rows = data::cifar<>{.paths = {one.path, two.path}}.load(communicator::single<>{}, data::request{});
    BOOST_TEST(rows.rows() == 3);
    BOOST_TEST((rows.y == std::vector<double>{3, 9, 3}));
    for (std::size_t i = 0; i < 3; ++i)
        for (std::size_t p = 0; p < 1024; ++p)
            for (std::size_t c = 0; c < 3; ++c)
                BOOST_REQUIRE(rows.x.row(i)[3 * p + c] == static_cast<double>((c * 50 + p + i) % 256));
    const data::cifar<> hundred{.paths = {fine.path}, .classes = 100};
    BOOST_TEST(hundred.load(communicator::single<>{}).y[0] == 77);
    says(data::cifar<>{.paths = {fine.path}}, "a picture of CIFAR-10 has 3073");
    says(data::cifar<>{}, "no .paths");
    says(data::cifar<>{.paths = {one.path}, .classes = 20}, "use 10 or 100");
    says(data::cifar<>{.paths = {"nowhere.bin"}}, "can't be opened");
}

BOOST_AUTO_TEST_SUITE_END()

// SPDX-License-Identifier: BSL-1.0
#include <gamut/shrink/file.hpp>

#include <gamut/communicator/threads.hpp>
#include <gamut/shrink.hpp>

#include <boost/test/unit_test.hpp>

#include <bit>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "shrink/cases.hpp"

using namespace gamut;
using namespace small;

BOOST_AUTO_TEST_SUITE(file)

namespace {
struct kept_file {
    std::string path;
    explicit kept_file(const char* name) : path((std::filesystem::temp_directory_path() / name).string()) {}
    ~kept_file() { std::filesystem::remove(path); }
    std::string bytes() const {
        std::ifstream from(path, std::ios::binary);
        return {std::istreambuf_iterator<char>(from), {}};
    }
    void write(const std::string& bytes) const {
        std::ofstream to(path, std::ios::binary | std::ios::trunc);
        to.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    }
};
auto small_network() {
    const auto e = trainer(8, 1);
    const auto source = tiny_mix(200, 1, 0);
    return shrink::prune(e, source, e.fit(source), {.keep = 0.3});
}
std::vector<double> coded_and_read(const std::vector<double>& weights, std::size_t& bytes) {
    shrink::bit_writer bits;
    shrink::detail::write_tensor(bits, weights);
    bytes = bits.bytes().size();
    std::vector<double> read(weights.size());
    shrink::bit_reader from(bits.bytes());
    shrink::detail::read_tensor(from, read);
    return read;
}
/// Whether these bytes are refused with a data_error that names the file and has this in its words.
template <class Fit> std::string complaint(const std::string& bytes, const Fit& layers) {
    auto fit = layers;
    try {
        shrink::detail::read_compressed(bytes, "a.net", fit);
    } catch (const core::data_error& e) {
        return e.what();
    }
    return "none";
}
bool has(const std::string& complaint, const char* words) { return complaint.find(words) != std::string::npos; }
}  // namespace

BOOST_AUTO_TEST_CASE(what_is_loaded_is_the_shared_network_to_the_bit) {
    const kept_file file("gamut_test_shrink.net");
    const auto fit = small_network();
    for (const std::uint32_t bits : {1u, 4u, 8u}) {
        const auto size = shrink::save(fit, file.path, {.bits = bits});
        const auto again = shrink::load(file.path, fit.model);
        const auto shared = shrink::share(fit, {.bits = bits});
        BOOST_CHECK(again.weights == shared.weights);
        const auto test = tiny_mix(50, 1, 1);
        BOOST_CHECK(again.predict(test).values == shared.predict(test).values);
        BOOST_CHECK(again.classes == fit.classes && again.features == fit.features && again.blocks == fit.blocks);
        BOOST_TEST(size.file == file.bytes().size());
        BOOST_TEST(size.weights == 20u * 8 + 8 * 8 + 8 * 10);
        BOOST_TEST(size.alive == shrink::sparsity_of(shared).alive);
        BOOST_TEST(size.others == 4u * 26);
    }
}

BOOST_AUTO_TEST_CASE(tensors_of_every_kind) {
    std::size_t bytes = 0;
    std::vector<std::vector<double>> all{std::vector<double>(1000), std::vector<double>(1000, -0.5), {}, {1.0}};
    all.emplace_back(5000)[4999] = 2;  // a gap that no symbol holds
    for (const double share : {0.001, 0.02, 0.13, 0.5, 0.98}) {
        const core::random draw{5, 0};
        std::vector<double> w(20000);
        for (std::size_t k = 0; k < w.size(); ++k)
            if (draw.uniform(2 * k) < share) w[k] = static_cast<double>(draw.below(2 * k + 1, 16)) - 7.5;
        all.push_back(w);
    }
    for (const auto& w : all) BOOST_CHECK(coded_and_read(w, bytes) == w);
    // alone, a number takes no bits but those of the tables
    static_cast<void>(coded_and_read(all[1], bytes));
    BOOST_TEST(bytes < 32u);
    // places and values: within a bit a symbol of what they must take, and the tables
    const double h = -0.13 * std::log2(0.13) - 0.87 * std::log2(0.87);
    static_cast<void>(coded_and_read(all[7], bytes));
    BOOST_TEST(static_cast<double>(8 * bytes) < 20000 * (h + 0.13 * 4) * 1.03 + 32 * 16 + 6 * (16 + 256));
}

BOOST_AUTO_TEST_CASE(what_was_changed_or_torn_is_refused) {
    const kept_file file("gamut_test_shrink_changed.net");
    const auto fit = small_network();
    shrink::save(fit, file.path);
    const std::string whole = file.bytes();
    BOOST_TEST(complaint(whole, fit) == "none");
    for (std::size_t i = 0; i < whole.size(); ++i) {
        std::string changed = whole;
        changed[i] = static_cast<char>(static_cast<unsigned char>(changed[i]) ^ (1u << i % 8));
        BOOST_REQUIRE_MESSAGE(has(complaint(changed, fit), "a.net: "), "byte " << i);
        BOOST_REQUIRE_MESSAGE(has(complaint(whole.substr(0, i), fit), "a.net: "), i << " bytes");
    }
    // they say what, and where
    const auto at = [&](std::size_t i) {
        std::string changed = whole;
        changed[i] = static_cast<char>(changed[i] + 1);
        return complaint(changed, fit);
    };
    BOOST_TEST(has(at(0), "no compressed network"));
    BOOST_TEST(has(at(8), "format version 2"));
    BOOST_TEST(has(at(20), "damaged (the checksum of its first 36 bytes"));
    BOOST_TEST(has(at(50), "damaged (the checksum of its head, bytes 36 to "));
    BOOST_TEST(has(at(whole.size() - 1), "damaged (the checksum of block 5, bytes "));
    BOOST_TEST(has(complaint(whole.substr(0, whole.size() - 1), fit), "torn ("));
    BOOST_TEST(has(complaint(whole + "x", fit), "torn ("));
    BOOST_TEST(has(complaint(whole.substr(0, 20), fit), "torn (20 bytes are there"));
    BOOST_TEST(has(complaint("", fit), "no compressed network"));
}

BOOST_AUTO_TEST_CASE(bits_that_no_tensor_has_are_refused) {
    const auto refused = [](const auto& write, const char* words) {
        shrink::bit_writer bits;
        write(bits);
        shrink::bit_reader from(bits.bytes(), "here");
        std::vector<double> w(100);
        BOOST_CHECK_EXCEPTION(shrink::detail::read_tensor(from, w), core::data_error, says(words));
    };
    const auto one = [](float x) { return std::uint64_t{std::bit_cast<std::uint32_t>(x)}; };
    refused([](auto& to) { to.put(300, 16); }, "a code book of 300 numbers");
    refused([](auto&) {}, "here: ends too early");
    refused([&](auto& to) { to.put(1, 16), to.put(one(0), 32); }, "has 0 in its code book");
    refused([&](auto& to) { to.put(1, 16), to.put(one(INFINITY), 32); }, "has inf in its code book");
    refused([&](auto& to) { to.put(2, 16), to.put(one(3), 32), to.put(one(2), 32); },
            "has 2 in its code book at place 1");
    refused([&](auto& to) { to.put(1, 16), to.put(one(3), 32), to.put(101, 48); },
            "has 101 weights that are not 0, of 100");
    const auto book_of_one = [&](auto& to, std::uint64_t count) {
        to.put(1, 16), to.put(one(3), 32), to.put(count, 48), to.put(1, 6);
    };
    refused([&](auto& to) { book_of_one(to, 1), to.put(9, 4); }, "has gaps of 9 bits");
    // a gap symbol that is alone takes no bits, and never leads beyond the end for ever
    refused([&](auto& to) { book_of_one(to, 1), to.put(1, 4), to.put(0, 6), to.put(1, 6); }, "behind the last, 100");
    refused([&](auto& to) { book_of_one(to, 1), to.put(1, 4), to.put(0, 12); }, "a symbol where there is none");
    refused([&](auto& to) { book_of_one(to, 100), to.put(1, 4), to.put(1, 6), to.put(0, 6), to.put(1, 9); },
            "after its end");
}

BOOST_AUTO_TEST_CASE(other_layers_and_bad_options_are_refused) {
    const kept_file file("gamut_test_shrink_layers.net");
    auto fit = small_network();
    shrink::save(fit, file.path);
    BOOST_CHECK_EXCEPTION(shrink::load(file.path, mlp{{9}, {}, {8}, {}, {10}}), core::data_error,
                          says("\"blocks\" are not those of the layers"));
    using shallow = network::classifier<network::dense, network::relu, network::dense>;
    BOOST_CHECK_EXCEPTION(shrink::load(file.path, shallow{{8}, {}, {10}}), core::data_error,
                          says("not those of the layers"));
    BOOST_CHECK_EXCEPTION(shrink::load(file.path + ".none", fit.model), core::data_error, says("cannot be opened"));
    for (const std::uint32_t bits : {0u, 9u})
        BOOST_CHECK_EXCEPTION(shrink::save(fit, file.path, {.bits = bits}), core::option_error,
                              says("share: bits is "));
    fit.classes[0] = "\xff";
    BOOST_CHECK_EXCEPTION(shrink::save(fit, file.path), core::data_error, says("not UTF-8"));
    BOOST_CHECK(shrink::load(file.path, fit.model).classes[0] != "\xff");  // a save that fails leaves the file
}

BOOST_AUTO_TEST_CASE(one_rank_writes_and_all_read) {
    const kept_file file("gamut_test_shrink_ranks.net");
    std::vector<int> same(3);
    communicator::threads<>::run(3, [&](const communicator::threads<>& ranks) {
        const auto e = trainer(8, 1, ranks, 1);
        const auto fit = e.fit(tiny_mix(200, 1, 0));
        shrink::save(fit, file.path);
        const auto again = shrink::load(file.path, fit.model, ranks);
        same[static_cast<std::size_t>(ranks.rank())] = again.weights == shrink::share(fit).weights ? 1 : 0;
    });
    for (const int s : same) BOOST_TEST(s == 1);
}

BOOST_AUTO_TEST_SUITE_END()

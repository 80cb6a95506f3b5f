// SPDX-License-Identifier: BSL-1.0
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <limits>
#include <sstream>
#include <string>
#include <string_view>
#include <unistd.h>
#include <vector>

#include <gamut/core/checkpoint.hpp>
#include <gamut/core/checkpoints.hpp>
#include <gamut/core/crc32c.hpp>
#include <gamut/core/random.hpp>

namespace core = gamut::core;
namespace fs = std::filesystem;

namespace {

struct scratch {
    fs::path path = fs::temp_directory_path() / core::text("gamut_checkpoint_", ::getpid());
    scratch() { fs::remove_all(path); }
    ~scratch() { fs::remove_all(path); }
};

core::checkpoint example() {
    core::checkpoint made;
    made.kind = "sgd";
    made.step = 17;
    made.put("weights", std::vector<double>{1, -0.0, std::numeric_limits<double>::quiet_NaN(), 5e-324});
    made.put("velocity", std::vector<float>{0.1f, -3e30f});
    made.put("nothing", std::vector<double>{});
    made.put("epoch", std::vector<std::uint64_t>{~std::uint64_t{0}});
    made.put("signs", std::vector<std::int32_t>{-1, 1});
    made.put("places", std::vector<std::int64_t>{-7});
    made.put("phase", "batches");
    return made;
}

/// Nothing, or why it is no checkpoint.
std::string refusal(std::string_view bytes) {
    try {
        static_cast<void>(core::checkpoint::of_bytes(bytes, "the.file"));
        return {};
    } catch (const core::data_error& problem) {
        return problem.what();
    }
}

bool says(const std::string& what, std::string_view part) { return what.find(part) != what.npos; }

}  // namespace

BOOST_AUTO_TEST_SUITE(checkpoint)

BOOST_AUTO_TEST_CASE(the_checksum_has_the_known_answers) {
    BOOST_TEST(core::crc32c("") == 0u);
    BOOST_TEST(core::crc32c("123456789") == 0xe3069283u);
    // RFC 3720, B.4
    BOOST_TEST(core::crc32c(std::string(32, '\0')) == 0x8a9136aau);
    BOOST_TEST(core::crc32c(std::string(32, '\xff')) == 0x62a8ab43u);
    std::string rising;
    for (char c = 0; c < 32; ++c) rising += c;
    BOOST_TEST(core::crc32c(rising) == 0x46dd794eu);
    for (std::size_t cut = 0; cut <= 32; ++cut)
        BOOST_TEST(core::crc32c(std::string_view(rising).substr(cut), core::crc32c(rising.substr(0, cut))) ==
                   0x46dd794eu);
}

BOOST_AUTO_TEST_CASE(what_is_put_in_comes_out_bit_by_bit) {
    const auto made = example();
    const auto back = core::checkpoint::of_bytes(made.bytes(), "the.file");
    BOOST_TEST(back.kind == "sgd");
    BOOST_TEST(back.step == 17u);
    const auto w = back.get<double>("weights"), expected = made.get<double>("weights");
    BOOST_REQUIRE(w.size() == 4u);
    BOOST_TEST(std::memcmp(w.data(), expected.data(), 32) == 0);
    BOOST_TEST(std::isnan(w[2]));
    BOOST_TEST(std::signbit(w[1]));
    BOOST_TEST(back.get<float>("velocity")[0] == 0.1f);
    BOOST_TEST(back.get<double>("nothing").empty());
    BOOST_TEST(back.get<std::uint64_t>("epoch")[0] == ~std::uint64_t{0});
    BOOST_TEST(back.get<std::int32_t>("signs")[0] == -1);
    BOOST_TEST(back.get<std::int64_t>("places")[0] == -7);
    BOOST_TEST(back.characters("phase") == "batches");
    BOOST_TEST(back.has("phase"));
    BOOST_TEST(!back.has("phases"));
    BOOST_TEST(back.bytes() == made.bytes());
    const auto empty = core::checkpoint::of_bytes(core::checkpoint{}.bytes(), "");
    BOOST_TEST(empty.sections().empty());
}

BOOST_AUTO_TEST_CASE(the_bytes_are_the_documented_ones) {
    core::checkpoint made;
    made.kind = "k";
    made.step = 2;
    made.put("w", std::vector<std::int32_t>{258});
    const std::string file = made.bytes();
    using namespace std::string_literals;
    const std::string number = "\x02\x01\x00\x00"s;
    BOOST_TEST(file.substr(0, 8) == "\x89gamut\r\n"s);
    BOOST_TEST(file.substr(8, 4) == "\x01\0\0\0"s);
    BOOST_TEST(file.substr(12, 4) == "\x3f\0\0\0"s);  // 40 + 1 + 17 + 1 + 4 = 63
    BOOST_TEST(file.substr(16, 8) == "\x43\0\0\0\0\0\0\0"s);
    BOOST_TEST(file.size() == 67u);
    BOOST_TEST(file.substr(24, 8) == "\x02\0\0\0\0\0\0\0"s);
    BOOST_TEST(file.substr(32, 9) == "\x01\0\0\0\x01\0\0\0k"s);
    BOOST_TEST(file.substr(41, 14) == "\x04\x01\0\0\0w\x01\0\0\0\0\0\0\0"s);
    BOOST_TEST(file.substr(63) == number);
    std::uint32_t sum = 0;
    std::memcpy(&sum, file.data() + 55, 4);
    BOOST_TEST(sum == core::crc32c(number));
    std::memcpy(&sum, file.data() + 59, 4);
    BOOST_TEST(sum == core::crc32c(file.substr(0, 59)));
}

BOOST_AUTO_TEST_CASE(every_bit_that_changes_is_noticed) {
    const std::string good = example().bytes();
    BOOST_REQUIRE(refusal(good).empty());
    for (std::size_t i = 0; i < good.size(); ++i)
        for (int bit = 0; bit < 8; ++bit) {
            std::string bad = good;
            bad[i] = static_cast<char>(bad[i] ^ (1 << bit));
            BOOST_TEST(!refusal(bad).empty(), "bit " << bit << " of byte " << i);
        }
}

BOOST_AUTO_TEST_CASE(every_other_length_is_noticed) {
    const std::string good = example().bytes();
    for (std::size_t length = 0; length < good.size(); ++length)
        BOOST_TEST(!refusal(std::string_view(good).substr(0, length)).empty(), length << " bytes");
    BOOST_TEST(says(refusal(good + '\0'), "torn"));
    BOOST_TEST(says(refusal(good.substr(0, good.size() - 1)), "torn (" + std::to_string(good.size() - 1) +
                                                                  " bytes are there, " + std::to_string(good.size()) +
                                                                  " were written)"));
}

BOOST_AUTO_TEST_CASE(random_bytes_are_no_checkpoint_and_take_no_memory) {
    const std::string good = example().bytes();
    const core::random source{.seed = 4};
    std::uint64_t draw = 0;
    for (int round = 0; round < 20000; ++round) {
        std::string bad = good;
        const std::size_t changes = 1 + source.below(draw++, 6);
        for (std::size_t i = 0; i < changes; ++i) {
            const std::size_t at = source.below(draw++, bad.size());
            bad[at] = static_cast<char>(source.bits(draw++));
        }
        if (source.below(draw++, 2) == 0) {  // what a checksum would hide: lengths and counts that lie
            std::uint32_t header = 0;
            std::memcpy(&header, bad.data() + 12, 4);
            if (header >= 44 && header <= bad.size()) {
                const std::uint32_t sum = core::crc32c(std::string_view(bad).substr(0, header - 4));
                std::memcpy(bad.data() + header - 4, &sum, 4);
            }
        }
        if (bad == good) continue;
        // a repaired checksum may hide a new step or another name, but never numbers that are not those
        try {
            const auto back = core::checkpoint::of_bytes(bad, "the.file");
            BOOST_TEST(back.bytes() == bad);
        } catch (const core::data_error&) {}
    }
    for (int round = 0; round < 2000; ++round) {
        std::string noise(source.below(draw++, 200), '\0');
        for (char& c : noise) c = static_cast<char>(source.bits(draw++));
        BOOST_TEST(says(refusal(noise), "no checkpoint"));
    }
}

BOOST_AUTO_TEST_CASE(foreign_and_newer_files_are_refused_in_a_sentence) {
    BOOST_TEST(refusal("{\"format\": \"gamut model\"}") ==
               "the.file: no checkpoint (it does not begin like one) name a file that core::checkpoints wrote");
    BOOST_TEST(says(refusal(""), "no checkpoint"));
    std::string newer = example().bytes();
    newer[8] = 9;
    BOOST_TEST(refusal(newer) ==
               "the.file: format version 9 (this program reads up to 1) use the program that wrote it, or a newer one");
    std::string bad = example().bytes();
    bad.back() = static_cast<char>(bad.back() ^ 1);
    BOOST_TEST(refusal(bad) == "the.file: damaged (the checksum of 'phase' is another one) take an older checkpoint");
}

BOOST_AUTO_TEST_CASE(numbers_that_are_not_there_or_of_another_type_are_errors) {
    auto made = example();
    BOOST_CHECK_EXCEPTION(made.get<double>("velocity"), core::data_error, [](const auto& problem) {
        return says(problem.what(), "'velocity' is of type float (double is needed");
    });
    BOOST_CHECK_EXCEPTION(made.get<double>("radius"), core::data_error,
                          [](const auto& problem) { return says(problem.what(), "no 'radius' in it (kind 'sgd'"); });
    BOOST_CHECK_THROW(made.put("weights", std::vector<double>{1}), core::option_error);
}

BOOST_AUTO_TEST_CASE(a_file_is_whole_or_as_it_was) {
    const scratch place;
    fs::create_directory(place.path);
    const std::string path = (place.path / "a.checkpoint").string();
    auto made = example();
    made.save(path);
    made.step = 18;
    made.save(path);
    BOOST_TEST(core::checkpoint::load(path).step == 18u);
    BOOST_TEST(core::checkpoint::load(path).path() == path);
    BOOST_TEST(!fs::exists(path + ".partial"));
    fs::resize_file(path, 30);
    BOOST_CHECK_EXCEPTION(core::checkpoint::load(path), core::data_error, [&](const auto& problem) {
        return std::string_view(problem.what()).starts_with(path + ": torn (30 bytes");
    });
    BOOST_CHECK_EXCEPTION(core::checkpoint::load(place.path.string()), core::data_error,
                          [](const auto& problem) { return says(problem.what(), "is no regular file"); });
    BOOST_CHECK_EXCEPTION(core::checkpoint::load(path + "s"), core::data_error,
                          [](const auto& problem) { return says(problem.what(), "cannot be opened (No such file"); });
    BOOST_CHECK_THROW(made.save((place.path / "none" / "a").string()), core::error);
}

BOOST_AUTO_TEST_CASE(the_newest_whole_one_is_found_and_where_there_is_none_it_is_said_so) {
    const scratch place;
    const std::string folder = place.path.string();
    BOOST_TEST(!core::newest_checkpoint(folder).has_value());
    fs::create_directory(place.path);
    BOOST_TEST(!core::newest_checkpoint(folder).has_value());
    for (const std::uint64_t step : {3, 4}) {
        auto made = example();
        made.step = step;
        made.save(folder + '/' + core::detail::checkpoint_name(step));
    }
    BOOST_TEST(core::newest_checkpoint(folder)->step == 4u);
    const auto files = core::checkpoints_in(folder);
    fs::resize_file(files[1].path, 30);
    BOOST_TEST(core::newest_checkpoint(folder)->step == 3u);
    fs::resize_file(files[0].path, 30);
    BOOST_CHECK_EXCEPTION(core::newest_checkpoint(folder), core::data_error, [&](const auto& problem) {
        return says(problem.what(), "step-000000000003.checkpoint: torn (30 bytes are there, ") &&
               says(problem.what(), " were written) there is no older one: begin in a new folder");
    });
    std::ofstream(place.path / "notes") << "no folder";
    BOOST_CHECK_EXCEPTION(core::newest_checkpoint(folder + "/notes"), core::error, [&](const auto& problem) {
        return problem.what() == folder + "/notes: is no folder (checkpoints are files in one, whose names end in "
                                          ".checkpoint) name the folder, or one of them";
    });
}

BOOST_AUTO_TEST_CASE(a_file_that_claims_to_be_huge_is_refused_before_it_is_read) {
    const scratch place;
    std::string lie = example().bytes();
    lie[23] = 0x10;  // 2^60 bytes
    std::ofstream(place.path, std::ios::binary) << lie;
    BOOST_CHECK_EXCEPTION(core::checkpoint::load(place.path.string()), core::data_error,
                          [](const auto& problem) { return says(problem.what(), "torn"); });
    fs::resize_file(place.path, std::uintmax_t(1) << 40);  // a hole of 1 TiB behind the first bytes
    BOOST_CHECK_THROW(core::checkpoint::load(place.path.string()), core::data_error);
}

BOOST_AUTO_TEST_SUITE_END()

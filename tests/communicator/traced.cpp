// SPDX-License-Identifier: BSL-1.0
#include <boost/test/unit_test.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <string_view>
#include <thread>
#include <unistd.h>
#include <vector>

#include <nlohmann/json.hpp>

#include <gamut/communicator/observe.hpp>
#include <gamut/communicator/single.hpp>
#include <gamut/communicator/threads.hpp>
#include <gamut/communicator/traced.hpp>
#include <gamut/core/clock.hpp>
#include <gamut/core/stall_report.hpp>
#include <gamut/core/text.hpp>
#include <gamut/core/timeline.hpp>
#include <gamut/core/wait_watcher.hpp>

using namespace gamut;
namespace fs = std::filesystem;

namespace {

struct scratch {
    fs::path path = fs::temp_directory_path() / core::text("gamut_traced_", ::getpid());
    scratch() { fs::remove_all(path); }
    ~scratch() { fs::remove_all(path); }
};

std::string read(const fs::path& path) {
    std::ifstream in(path, std::ios::binary);
    std::ostringstream all;
    all << in.rdbuf();
    return all.str();
}

std::string read(std::FILE* file) {
    std::rewind(file);
    std::string all;
    for (int c; (c = std::fgetc(file)) != EOF;) all += static_cast<char>(c);
    return all;
}

struct listener final : core::wait_watcher {
    std::vector<std::string> heard{};
    void enter(const char* operation, std::size_t bytes) override {
        heard.push_back(core::text(operation, ' ', bytes));
    }
    void leave() override { heard.push_back("left"); }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(traced)

BOOST_AUTO_TEST_CASE(every_collective_is_seen_from_entering_to_leaving_and_does_what_it_did) {
    static_assert(communicator::PostalCommunicator<communicator::traced<communicator::threads<>>>);
    static_assert(communicator::Communicator<communicator::traced<communicator::single<>>>);
    communicator::threads<>::run(3, [](const auto& inner) {
        listener ears, more;
        const communicator::traced c(inner, ears, more);
        std::vector<double> values{1.0 + c.rank(), 2};
        c.all_reduce(std::span<double>(values), communicator::operation::sum);
        if (values[0] != 6 || values[1] != 6) throw core::error("another sum");
        std::int64_t one = c.rank();
        c.all_reduce(std::span<std::int64_t>(&one, 1), communicator::operation::maximum);
        if (one != 2) throw core::error("another maximum");
        c.broadcast(std::span<double>(values), 1);
        std::vector<double> all(3);
        c.gather(std::span<const double>(values).first(1), std::span<double>(all));
        const auto copy = c;
        copy.barrier();
        const std::vector<std::string> expected{
            "all_reduce(sum) 16", "left", "all_reduce(maximum) 8", "left", "broadcast 16", "left", "gather 8", "left",
            "barrier 0",          "left"};
        if (ears.heard != expected || more.heard != expected) throw core::error("heard something else");
    });
}

BOOST_AUTO_TEST_CASE(a_wait_that_ends_by_an_error_is_left) {
    listener ears;
    BOOST_CHECK_THROW(communicator::threads<>::run(2,
                                                   [&](const auto& inner) {
                                                       if (inner.rank() == 1) throw core::data_error("mine");
                                                       const communicator::traced c(inner, ears);
                                                       c.barrier();
                                                   }),
                      core::error);
    BOOST_TEST(ears.heard.size() % 2 == 0u);
}

BOOST_AUTO_TEST_CASE(a_timeline_has_a_span_for_each_iteration_and_each_wait) {
    const scratch place;
    communicator::threads<>::run(2, [&](const auto& inner) {
        core::timeline times(place.path.string(), inner.rank());
        const communicator::traced c(inner, times);
        std::vector<core::record> history;
        for (std::size_t k = 0; k < 3; ++k) {
            core::record now{.solver = "s\"gd", .iteration = k, .objective = 0.5};
            communicator::observe(c, now, history, times);
        }
        c.barrier();
    });
    for (const int rank : {0, 1}) {
        const auto events = nlohmann::json::parse(read(place.path / core::text("trace-", rank, ".json")));
        double iterations_end = 0, waits_end = 0;
        std::size_t iterations = 0, waits = 0;
        for (const auto& e : events) {
            BOOST_TEST(e.at("pid") == rank);
            if (e.at("ph") != "X") continue;
            BOOST_TEST(e.at("dur").get<double>() >= 0);
            if (e.at("tid") == 0) {
                BOOST_TEST(e.at("name") == "s\"gd");
                BOOST_TEST(e.at("args").at("iteration") == iterations++);
                BOOST_TEST(e.at("args").at("objective") == 0.5);
                BOOST_TEST(e.at("ts").get<double>() >= iterations_end - 0.01);
                iterations_end = e.at("ts").get<double>() + e.at("dur").get<double>();
            } else {
                BOOST_TEST(e.at("args").at("number") == waits++);
                BOOST_TEST(e.at("name") == (waits <= 3 ? "all_reduce(maximum)" : "barrier"));
                BOOST_TEST(e.at("ts").get<double>() >= waits_end - 0.01);
                waits_end = e.at("ts").get<double>() + e.at("dur").get<double>();
            }
        }
        BOOST_TEST(iterations == 3u);
        BOOST_TEST(waits == 4u);
    }
}

// --- who everybody waits for ------------------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(the_sentence_names_the_rank_the_node_and_why) {
    std::vector<core::sign_of_life> signs;
    for (int r = 0; r < 4; ++r)
        signs.push_back({.rank = r,
                         .ranks = 4,
                         .node = core::text("node", r),
                         .process = 100 + r,
                         .waits = 12,
                         .waiting = true,
                         .operation = "all_reduce(sum)",
                         .iteration = 7,
                         .since = 1000,
                         .said = 1030});
    const auto says = [&] { return core::stall_sentence(signs, 4, 1031, 30); };
    BOOST_TEST(says() ==
               "4 of 4 ranks have waited 31.0 s in all_reduce(sum) number 12, after iteration 7; all are there: the "
               "network is slow, or cut");
    signs[2].waits = 11;
    signs[2].waiting = false;
    signs[2].since = 999;
    BOOST_TEST(
        says() ==
        "3 of 4 ranks have waited 31.0 s in all_reduce(sum) number 12, after iteration 7; everybody waits for rank "
        "2 on node2 (process 102), which has computed for 32.0 s, after iteration 7");
    signs[2].said = 990;
    BOOST_TEST(says().ends_with(
        "rank 2 on node2 (process 102), which has been silent for 41.0 s: its process or machine is gone"));
    signs[2].said = 1030;
    signs[2].waiting = true;
    signs[2].operation = "barrier";
    BOOST_TEST(says().ends_with("which is in barrier number 11 instead, for 32.0 s"));
    signs.erase(signs.begin() + 2);
    BOOST_TEST(says().ends_with("everybody waits for rank 2, which was never heard of"));
    for (auto& s : signs) s.waiting = false;
    BOOST_TEST(says() == "nobody waits");
}

BOOST_AUTO_TEST_CASE(a_stall_is_reported_once_and_by_one_rank) {
    const scratch place;
    std::FILE* const out = std::tmpfile();
    {
        std::vector<std::unique_ptr<core::stall_report>> ranks;
        for (int r = 0; r < 3; ++r)
            ranks.push_back(std::make_unique<core::stall_report>(place.path.string(), r, 3, 0.5, out));
        for (const int r : {0, 2}) {
            core::record now{.iteration = 5};
            (*ranks[std::size_t(r)])(now);
            ranks[std::size_t(r)]->enter("all_reduce(sum)", 8);
        }
        const core::clock clock;
        while (!read(out).ends_with('\n') && clock.seconds() < 60) std::this_thread::yield();
        for (const int r : {0, 2}) ranks[std::size_t(r)]->leave();
    }
    const std::string text = read(out);
    std::fclose(out);
    char node[256] = "";
    BOOST_REQUIRE(::gethostname(node, sizeof node - 1) == 0);
    BOOST_TEST(text.starts_with("gamut: 2 of 3 ranks have waited "));
    BOOST_TEST(text.find(core::text(" in all_reduce(sum) number 1, after iteration 5; everybody waits for rank 1 on ",
                                    std::string_view(node), " (process ", ::getpid(), "), which has computed for ")) !=
               text.npos);
    BOOST_TEST(text.find('\n') == text.size() - 1);
}

BOOST_AUTO_TEST_CASE(who_does_not_stall_says_nothing) {
    const scratch place;
    std::FILE* const out = std::tmpfile();
    {
        core::stall_report alone(place.path.string(), 0, 1, 1e3, out);
        const communicator::traced c(communicator::single<>{}, alone);
        for (int k = 0; k < 100; ++k) c.barrier();
        BOOST_TEST(fs::exists(core::stall_report::path_of(place.path.string(), 0)));
    }
    BOOST_TEST(read(out).empty());
    std::fclose(out);
    BOOST_CHECK_THROW(core::stall_report(place.path.string(), 0, 1, 0), core::option_error);
}

BOOST_AUTO_TEST_SUITE_END()

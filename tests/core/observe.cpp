// SPDX-License-Identifier: BSL-1.0
#include <boost/test/unit_test.hpp>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <gamut/core/error.hpp>
#include <gamut/core/json_lines.hpp>
#include <gamut/core/observe.hpp>
#include <gamut/core/progress.hpp>
#include <sstream>
#include <string>
#include <string_view>
#include <unistd.h>
#include <vector>

namespace core = gamut::core;
namespace fs = std::filesystem;

namespace {

struct scratch {  // a file name of this test's own, and what is left there afterwards
    fs::path path = fs::temp_directory_path() / core::text("gamut_observe_", ::getpid());
    scratch() { fs::remove_all(path); }
    ~scratch() { fs::remove_all(path); }
};

std::string read(const fs::path& path) {
    std::ifstream in(path, std::ios::binary);
    std::ostringstream all;
    all << in.rdbuf();
    return all.str();
}

std::vector<std::string> table(const std::vector<core::record>& records, std::size_t every = 0) {
    std::FILE* const out = std::tmpfile();
    {
        core::progress show{.out = out, .every = every};
        for (const auto& record : records) show(record);
    }
    std::rewind(out);
    std::vector<std::string> lines(1);
    for (int c; (c = std::fgetc(out)) != EOF;) {
        if (c == '\n')
            lines.emplace_back();
        else
            lines.back() += static_cast<char>(c);
    }
    std::fclose(out);
    lines.pop_back();
    return lines;
}

std::vector<core::record> run(std::size_t iterations) {
    std::vector<core::record> records(iterations);
    for (std::size_t i = 0; i < iterations; ++i) {
        records[i].solver = "lbfgs";
        records[i].iteration = i + 1;
        records[i].objective = 1 / static_cast<double>(i + 1);
        records[i].residual = 1e-3;
    }
    return records;
}

struct closes_early {
    bool operator()(const core::record& now) const { return now.iteration >= 3; }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(observe)

BOOST_AUTO_TEST_CASE(whoever_takes_a_record_observes) {
    static_assert(core::Observer<closes_early>);
    static_assert(core::Observer<void (*)(const core::record&)>);
    static_assert(!core::Observer<void (*)(int)>);
    static_assert(!core::Observer<std::string (*)(const core::record&)>);
    closes_early early;
    core::record now;
    now.iteration = 2;
    BOOST_TEST(!core::notify(early, now));
    now.iteration = 3;
    BOOST_TEST(core::notify(early, now));
    int seen = 0;
    auto silent = [&seen](const core::record&) { ++seen; };
    BOOST_TEST(!core::notify(silent, now));
    BOOST_TEST(seen == 1);
}

BOOST_AUTO_TEST_CASE(the_table_has_a_column_for_each_number_the_first_record_has) {
    auto records = run(2);
    auto lines = table(records);
    BOOST_TEST(lines[0] == "lbfgs");
    BOOST_TEST(lines[1].find("residual") != std::string::npos);
    BOOST_TEST(lines[1].find("dual residual") == std::string::npos);
    BOOST_TEST(lines[1].find("step") == std::string::npos);
    records[0].dual_residual = records[0].step = 1;
    lines = table(records);
    BOOST_TEST(lines[1].find("dual residual") != std::string::npos);
    BOOST_TEST(lines[1].find("step") != std::string::npos);
    for (std::size_t i = 2; i < lines.size(); ++i) BOOST_TEST(lines[i].size() == lines[1].size());
    BOOST_TEST(lines[3].find(" -") != std::string::npos);  // a number that went missing
}

BOOST_AUTO_TEST_CASE(the_table_shows_the_first_ten_then_ever_fewer_and_always_the_last_iteration) {
    const auto lines = table(run(345));
    std::vector<int> shown;
    for (std::size_t i = 2; i < lines.size(); ++i) shown.push_back(std::stoi(lines[i]));
    const std::vector<int> expected{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100, 200, 300, 345};
    BOOST_TEST(shown == expected, boost::test_tools::per_element());
    BOOST_TEST(table(run(10)).size() == 12u);  // nothing twice
}

BOOST_AUTO_TEST_CASE(the_table_shows_every_nth_iteration_when_told_so) {
    const auto lines = table(run(20), 8);
    BOOST_REQUIRE(lines.size() == 5u);
    BOOST_TEST(std::stoi(lines[2]) == 8);
    BOOST_TEST(std::stoi(lines[3]) == 16);
    BOOST_TEST(std::stoi(lines[4]) == 20);
}

BOOST_AUTO_TEST_CASE(slow_iterations_are_all_shown) {
    auto records = run(14);
    for (auto& record : records) record.seconds = 3. * static_cast<double>(record.iteration);
    BOOST_TEST(table(records).size() == 16u);
}

BOOST_AUTO_TEST_CASE(a_second_run_starts_a_new_table_and_other_ranks_print_nothing) {
    auto records = run(12);
    for (const auto& again : run(3)) records.push_back(again);
    const auto lines = table(records);
    BOOST_TEST(lines.size() == 2u + 11 + 2 + 3);
    BOOST_TEST(std::stoi(lines[12]) == 12);  // the end of the first run comes before the second table
    for (auto& record : records) record.rank = 1;
    BOOST_TEST(table(records).empty());
}

BOOST_AUTO_TEST_CASE(json_lines_keep_every_bit_and_write_null_for_what_is_not_finite) {
    const scratch place;
    auto records = run(3);
    records[1].objective = 0.1;
    records[2].solver = "a \"quoted\" name\n\\";
    {
        core::json_lines log(place.path.string());
        for (const auto& record : records) log(record);
    }
    std::istringstream lines(read(place.path));
    std::string line;
    std::vector<std::string> all;
    while (std::getline(lines, line)) all.push_back(line);
    BOOST_REQUIRE(all.size() == 3u);
    BOOST_TEST(all[1].find("\"objective\":0.10000000000000001") != std::string::npos);
    BOOST_TEST(all[1].find("\"dual_residual\":null") != std::string::npos);
    BOOST_TEST(all[1].find("\"iteration\":2") != std::string::npos);
    BOOST_TEST(all[2].find("\"a \\\"quoted\\\" name\\u000a\\\\\"") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(json_lines_take_their_name_only_when_whole) {
    const scratch place;
    std::ofstream(place.path) << "the last run";
    core::json_lines log(place.path.string());
    log(run(1)[0]);
    BOOST_TEST(read(place.path) == "the last run");
    core::json_lines moved(std::move(log));
    moved.close();
    BOOST_TEST(read(place.path).starts_with("{\"solver\":\"lbfgs\""));
    BOOST_TEST(!fs::exists(place.path.string() + ".partial"));
}

BOOST_AUTO_TEST_CASE(json_lines_of_other_ranks_touch_no_file) {
    const scratch place;
    auto record = run(1)[0];
    record.rank = 3;
    {
        core::json_lines log(place.path.string());
        log(record);
    }
    BOOST_TEST(!fs::exists(place.path));
}

BOOST_AUTO_TEST_CASE(json_lines_in_a_folder_that_is_not_there_are_an_error_that_names_the_file) {
    core::json_lines log("/nonexistent_folder/run.jsonl");
    BOOST_CHECK_EXCEPTION(log(run(1)[0]), core::error, [](const core::error& problem) {
        const std::string_view what = problem.what();
        return what.find("/nonexistent_folder/run.jsonl") == 0 && what.find("(No such file") != what.npos;
    });
}

BOOST_AUTO_TEST_SUITE_END()

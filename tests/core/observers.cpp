// SPDX-License-Identifier: BSL-1.0
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <limits>
#include <map>
#include <span>
#include <sstream>
#include <string>
#include <string_view>
#include <unistd.h>
#include <vector>

#include <gamut/core/checkpoint.hpp>
#include <gamut/core/crc32c.hpp>
#include <gamut/core/csv_lines.hpp>
#include <gamut/core/early_stopping.hpp>
#include <gamut/core/keep_best.hpp>
#include <gamut/core/observe.hpp>
#include <gamut/core/progress.hpp>
#include <gamut/core/stop_on_signal.hpp>
#include <gamut/core/tensorboard.hpp>
#include <gamut/core/time_limit.hpp>

namespace core = gamut::core;
namespace fs = std::filesystem;

namespace {

constexpr double none = std::numeric_limits<double>::quiet_NaN();

struct scratch {
    fs::path path = fs::temp_directory_path() / core::text("gamut_observers_", ::getpid());
    scratch() { fs::remove_all(path); }
    ~scratch() { fs::remove_all(path); }
};

std::string read(const fs::path& path) {
    std::ifstream in(path, std::ios::binary);
    std::ostringstream all;
    all << in.rdbuf();
    return all.str();
}

core::record at(std::size_t iteration, double objective) {
    core::record now{.solver = "lbfgs"};
    now.iteration = iteration;
    now.objective = objective;
    return now;
}

/// The iteration at which an observer asks to stop; 0: it does not.
template <class O> std::size_t stops_at(O observer, const std::vector<double>& objectives) {
    for (std::size_t i = 0; i < objectives.size(); ++i)
        if (core::notify(observer, at(i + 1, objectives[i]))) return i + 1;
    return 0;
}

struct two_weights : core::shown_run {
    double first = 0;
    std::vector<double> weights() const override { return {first, 2}; }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(observers)

BOOST_AUTO_TEST_CASE(early_stopping_stops_after_as_many_scores_without_gain_as_it_has_patience) {
    BOOST_TEST(stops_at(core::early_stopping{.patience = 2}, {5, 4, 4.5, 3, 3.1, 3.2, 1}) == 6u);
    BOOST_TEST(stops_at(core::early_stopping{.patience = 3}, {5, 4, 4.5, 3, 3.1, 3.2, 1}) == 0u);
    BOOST_TEST(stops_at(core::early_stopping{.patience = 1}, {5, 5}) == 2u);
    // gains of no more than that are none
    BOOST_TEST(stops_at(core::early_stopping{.patience = 2, .least_gain = 0.5}, {5, 4.75, 4.5, 4.25}) == 3u);
    BOOST_TEST(stops_at(core::early_stopping{.patience = 2, .least_gain = 0.5}, {5, 4.75, 4.25, 4.125, 3.5}) == 0u);
    // iterations without a score do not count
    BOOST_TEST(stops_at(core::early_stopping{.patience = 2}, {5, none, none, none, 6, none, 7}) == 7u);
    // every third: 3, 6, 9
    BOOST_TEST(stops_at(core::early_stopping{.patience = 1, .every = 3}, {9, 9, 5, 1, 1, 4, 9, 9, 4}) == 9u);
}

BOOST_AUTO_TEST_CASE(early_stopping_remembers_the_best_and_takes_any_score) {
    core::early_stopping watch{.patience = 9, .score = [](const core::record& now) { return -now.objective; }};
    for (const double objective : {1., 3., 2.}) watch(at(static_cast<std::size_t>(objective), objective));
    BOOST_TEST(watch.best == -3);
    BOOST_TEST(watch.best_iteration == 3u);
    BOOST_TEST(watch.without_gain == 1u);
    static_assert(core::Observer<decltype(watch)>);
    BOOST_CHECK_THROW((core::early_stopping{.every = 0})(at(1, 1)), core::option_error);
    BOOST_CHECK_THROW((core::early_stopping{.least_gain = none})(at(1, 1)), core::option_error);
}

BOOST_AUTO_TEST_CASE(keep_best_has_the_weights_of_the_smallest_score) {
    const scratch place;
    core::keep_best best{.path = place.path.string()};
    two_weights run;
    const double objectives[] = {3, 1, none, 2};
    for (std::size_t i = 0; i < 4; ++i) {
        run.first = static_cast<double>(i);
        auto now = at(i, objectives[i]);
        now.run = &run;
        best(now);
    }
    BOOST_TEST(best.best == 1);
    BOOST_TEST(best.best_iteration == 1u);
    BOOST_TEST(best.weights == (std::vector<double>{1, 2}), boost::test_tools::per_element());
    const auto file = core::checkpoint::load(place.path.string());
    BOOST_TEST(file.kind == "best");
    BOOST_TEST(file.step == 1u);
    BOOST_TEST(file.get<double>("weights") == best.weights, boost::test_tools::per_element());
    BOOST_TEST(file.get<double>("score")[0] == 1);
}

BOOST_AUTO_TEST_CASE(a_record_without_a_run_has_no_weights_and_says_so) {
    core::keep_best best{};
    BOOST_CHECK_EXCEPTION(best(at(1, 1)), core::option_error, [](const auto& problem) {
        return std::string_view(problem.what()).find("no weights (lbfgs shows none") != std::string_view::npos;
    });
    BOOST_TEST(std::isinf(best.best));
}

BOOST_AUTO_TEST_CASE(a_time_limit_counts_from_when_it_was_made) {
    core::time_limit far{.seconds = 1e9};
    BOOST_TEST(!core::notify(far, at(1, 1)));
    core::time_limit over{.seconds = 0};
    BOOST_TEST(core::notify(over, at(1, 1)));
    core::time_limit soon{.seconds = 1e-3};
    std::size_t calls = 1;
    while (!core::notify(soon, at(calls, 1))) ++calls;
    BOOST_TEST(soon.since.seconds() >= 1e-3);
    BOOST_CHECK_THROW((core::time_limit{.seconds = none})(at(1, 1)), core::option_error);
}

BOOST_AUTO_TEST_CASE(a_signal_stops_and_does_what_it_did_before_afterwards) {
    static int elsewhere;
    elsewhere = 0;
    const auto before = std::signal(SIGUSR1, [](int) { ++elsewhere; });
    {
        core::stop_on_signal warned(SIGUSR1);
        BOOST_TEST(!core::notify(warned, at(1, 1)));
        std::raise(SIGUSR1);
        BOOST_TEST(core::notify(warned, at(2, 1)));
        const core::stop_on_signal late(SIGUSR1);  // a second rank's
        BOOST_TEST(late.received());
    }
    BOOST_TEST(elsewhere == 0);
    std::raise(SIGUSR1);
    BOOST_TEST(elsewhere == 1);
    {
        const core::stop_on_signal again(SIGUSR1);
        BOOST_TEST(!again.received());
        std::raise(SIGUSR1);
        BOOST_TEST(again.received());
    }
    BOOST_CHECK_THROW(core::stop_on_signal(0), core::option_error);
    BOOST_CHECK_THROW(core::stop_on_signal(SIGKILL), core::option_error);
    std::signal(SIGUSR1, before);
}

BOOST_AUTO_TEST_CASE(csv_lines_have_a_line_of_names_and_every_bit) {
    const scratch place;
    auto now = at(2, 0.1);
    now.phase = "a \"b\", c";
    now.nonzeros = 3;
    now.passes = 4;
    now.seconds = 0.5;
    now.ranks = 6;
    {
        core::csv_lines log(place.path.string());
        log(now);
        BOOST_TEST(!fs::exists(place.path));
        now.phase = {};
        now.objective = -std::numeric_limits<double>::infinity();
        now.step = 1;
        log(now);
        now.rank = 1;
        log(now);
    }
    BOOST_TEST(read(place.path) ==
               "solver,phase,iteration,objective,residual,dual_residual,step,nonzeros,passes,seconds,ranks\n"
               "lbfgs,\"a \"\"b\"\", c\",2,0.10000000000000001,,,,3,4,0.5,6\n"
               "lbfgs,,2,,,,1,3,4,0.5,6\n");
}

// --- the bar -----------------------------------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(the_bar_says_share_rate_and_time_left) {
    core::record first, now;
    now.iteration = 100;
    now.limit = 400;
    now.seconds = 8;
    BOOST_TEST(core::detail::progress_bar(first, now) ==
               "[#######.......................] 25 %  100 of 400  12.5/s  at most 0:24 left");
    first.iteration = 50;  // a run that went on from there
    first.seconds = 4;
    BOOST_TEST(core::detail::progress_bar(first, now) ==
               "[#######.......................] 25 %  100 of 400  12.5/s  at most 0:24 left");
    now.limit = 100 + 12 * 3600 + 6 * 750;
    BOOST_TEST(core::detail::progress_bar(first, now).ends_with("at most 1:03:36 left"));
    now.limit = 100;
    BOOST_TEST(core::detail::progress_bar(first, now) == "[##############################] 100 %  100 of 100  12.5/s");
    now.limit = 0;
    BOOST_TEST(core::detail::progress_bar(first, now) == "100 iterations  12.5/s");
    BOOST_TEST(core::detail::progress_bar(now, now) == "100 iterations");
    now.seconds = 1e9;
    now.limit = std::size_t(-1);
    BOOST_TEST(core::detail::progress_bar(first, now).size() <= 120u);
}

namespace {

/// What core::progress writes to a terminal of ours.
std::string on_terminal(const std::vector<core::record>& records) {
    const int master = ::posix_openpt(O_RDWR | O_NOCTTY);
    if (master < 0 || ::grantpt(master) != 0 || ::unlockpt(master) != 0) return {};
    std::FILE* const out = std::fopen(::ptsname(master), "r+");
    if (out == nullptr) return {};
    ::fcntl(master, F_SETFL, O_NONBLOCK);
    std::string seen;
    const auto drain = [&] {
        char some[4096];
        for (ssize_t got; (got = ::read(master, some, sizeof some)) > 0;)
            seen.append(some, static_cast<std::size_t>(got));
    };
    {
        core::progress show{.out = out};
        for (const auto& now : records) {
            show(now);
            drain();
        }
    }
    drain();
    std::fclose(out);
    ::close(master);
    return seen;
}

/// What a terminal shows in the end of text with carriage returns, line feeds and "erase to the end of the line".
std::vector<std::string> shown(std::string_view text) {
    std::vector<std::string> lines(1);
    std::size_t column = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '\r') {
            column = 0;
        } else if (text[i] == '\n') {
            lines.emplace_back();
        } else if (text.substr(i).starts_with("\033[K")) {
            lines.back().resize(std::min(column, lines.back().size()));
            i += 2;
        } else {
            if (column == lines.back().size()) lines.back() += ' ';
            lines.back()[column++] = text[i];
        }
    }
    return lines;
}

std::vector<core::record> long_run(std::size_t iterations) {
    std::vector<core::record> records;
    for (std::size_t i = 0; i <= iterations; ++i) {
        records.push_back(at(i, 1.0 / static_cast<double>(i + 1)));
        records.back().seconds = 0.05 * static_cast<double>(i);
        records.back().limit = 400;
    }
    return records;
}

struct with_terminal_named {  // the tests may run without one, and others must not notice
    std::string before;
    bool there;
    explicit with_terminal_named(const char* name) : there(std::getenv("TERM") != nullptr) {
        if (there) before = std::getenv("TERM");
        ::setenv("TERM", name, 1);
    }
    ~with_terminal_named() {
        if (there)
            ::setenv("TERM", before.c_str(), 1);
        else
            ::unsetenv("TERM");
    }
};

}  // namespace

BOOST_AUTO_TEST_CASE(a_terminal_shows_the_bar_while_it_runs_and_the_table_alone_afterwards) {
    const auto records = long_run(57);
    std::string plain;
    {
        std::FILE* const out = std::tmpfile();
        {
            core::progress show{.out = out};
            for (const auto& now : records) show(now);
        }
        std::rewind(out);
        for (int c; (c = std::fgetc(out)) != EOF;) plain += static_cast<char>(c);
        std::fclose(out);
    }
    BOOST_TEST(plain.find_first_of("\r\033[#") == plain.npos);  // elsewhere nothing of the kind

    std::string live;
    {
        const with_terminal_named name("xterm");
        live = on_terminal(records);
    }
    if (live.empty()) {
        BOOST_TEST_MESSAGE("no pseudo-terminal to be had: skipped");
        return;
    }
    const auto lines = shown(live);
    std::string table;
    for (const auto& line : lines) table += line + (&line == &lines.back() ? "" : "\n");
    BOOST_TEST(table == plain);
    BOOST_TEST(live.find("[##............................] 8 %  34 of 400  20/s  at most 0:19 left") != live.npos);
    std::size_t bars = 0;
    for (std::size_t at = 0; (at = live.find(" of 400", at)) != live.npos; ++at) ++bars;
    BOOST_TEST(bars >= 20u);
    BOOST_TEST(bars <= 58u);  // at most ten a second, and one below each new line of the table

    const with_terminal_named name("dumb");
    BOOST_TEST(on_terminal(records).find('\033') == std::string::npos);
}

// --- TensorBoard -----------------------------------------------------------------------------------------------------

namespace {

/// A reader of its own: what the file format's pages say, nothing of the writer's.
struct event_reader {
    std::string_view rest;

    static std::uint64_t fixed(std::string_view bytes, std::size_t n) {
        std::uint64_t value = 0;
        for (std::size_t i = n; i-- > 0;) value = value << 8 | static_cast<unsigned char>(bytes[i]);
        return value;
    }
    static bool sum_matches(std::string_view bytes, std::uint64_t stored) {
        const std::uint32_t turned = static_cast<std::uint32_t>(stored) - 0xa282ead8u;
        return ((turned >> 17) | (turned << 15)) == core::crc32c(bytes);
    }
    std::string_view next() {
        BOOST_REQUIRE(rest.size() >= 12);
        const std::size_t length = fixed(rest, 8);
        BOOST_TEST(sum_matches(rest.substr(0, 8), fixed(rest.substr(8), 4)));
        BOOST_REQUIRE(rest.size() >= 16 + length);
        const auto data = rest.substr(12, length);
        BOOST_TEST(sum_matches(data, fixed(rest.substr(12 + length), 4)));
        rest.remove_prefix(16 + length);
        return data;
    }
};

/// The fields of a protocol buffer: number, and bytes (of numbers, little-endian or as they are).
std::vector<std::pair<std::uint64_t, std::string>> fields(std::string_view data) {
    std::vector<std::pair<std::uint64_t, std::string>> found;
    const auto varint = [&] {
        std::uint64_t value = 0;
        for (int shift = 0;; shift += 7) {
            BOOST_REQUIRE(!data.empty());
            const auto byte = static_cast<unsigned char>(data.front());
            data.remove_prefix(1);
            value |= std::uint64_t{byte & 127u} << shift;
            if (byte < 128) return value;
        }
    };
    while (!data.empty()) {
        const auto key = varint();
        std::size_t length = 0;
        if ((key & 7) == 0) {
            found.emplace_back(key >> 3, std::to_string(varint()));
            continue;
        }
        length = (key & 7) == 1 ? 8 : (key & 7) == 5 ? 4 : varint();
        BOOST_REQUIRE(data.size() >= length);
        found.emplace_back(key >> 3, std::string(data.substr(0, length)));
        data.remove_prefix(length);
    }
    return found;
}

std::map<std::string, float> scalars_of(std::string_view summary) {
    std::map<std::string, float> all;
    for (const auto& [one, value] : fields(summary)) {
        BOOST_TEST(one == 1u);
        const auto parts = fields(value);
        BOOST_REQUIRE(parts.size() == 2u);
        BOOST_TEST(parts[0].first == 1u);
        BOOST_TEST(parts[1].first == 2u);
        float number = 0;
        BOOST_REQUIRE(parts[1].second.size() == 4u);
        std::memcpy(&number, parts[1].second.data(), 4);
        all[parts[0].second] = number;
    }
    return all;
}

}  // namespace

BOOST_AUTO_TEST_CASE(tensorboard_files_hold_the_scalars_of_every_iteration) {
    const scratch place;
    std::string path;
    {
        core::tensorboard board(place.path.string());
        for (const std::size_t k : {std::size_t(0), std::size_t(1), std::size_t(300)}) {
            auto now = at(k, 0.5 / static_cast<double>(k + 1));
            now.residual = k == 1 ? none : 0.25;
            now.nonzeros = 7;
            board(now);
            now.rank = 1;
            board(now);
        }
        path = board.path();
    }
    BOOST_TEST(path.starts_with(place.path.string() + "/events.out.tfevents."));
    const std::string file = read(path);
    event_reader reader{file};
    const auto first = fields(reader.next());
    BOOST_REQUIRE(first.size() == 2u);
    BOOST_TEST(first[1].first == 3u);
    BOOST_TEST(first[1].second == "brain.Event:2");
    for (const std::size_t k : {std::size_t(0), std::size_t(1), std::size_t(300)}) {
        const auto event = fields(reader.next());
        BOOST_REQUIRE(event.size() == 3u);
        double wall = 0;
        BOOST_REQUIRE(event[0].second.size() == 8u);
        std::memcpy(&wall, event[0].second.data(), 8);
        BOOST_TEST(event[0].first == 1u);
        BOOST_TEST(wall > 1.6e9);
        BOOST_TEST(event[1].first == 2u);
        BOOST_TEST(event[1].second == std::to_string(k));
        BOOST_TEST(event[2].first == 5u);
        const auto scalars = scalars_of(event[2].second);
        BOOST_TEST(scalars.at("objective") == static_cast<float>(0.5 / static_cast<double>(k + 1)));
        BOOST_TEST(scalars.at("nonzeros") == 7);
        BOOST_TEST(scalars.count("residual") == (k == 1 ? 0u : 1u));
        BOOST_TEST(scalars.count("dual_residual") == 0u);
    }
    BOOST_TEST(reader.rest.empty());

    // a second run does not touch the first one's file
    core::tensorboard again(place.path.string());
    again(at(0, 1));
    BOOST_TEST(again.path() != path);
    BOOST_TEST(read(path) == file);
    BOOST_CHECK_EXCEPTION(core::tensorboard("/nonexistent/folder")(at(0, 1)), core::error, [](const auto& problem) {
        return std::string_view(problem.what()).starts_with("/nonexistent/folder: cannot be created (No such file");
    });
}

BOOST_AUTO_TEST_SUITE_END()

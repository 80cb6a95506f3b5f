// SPDX-License-Identifier: BSL-1.0
#include <boost/test/unit_test.hpp>

#include <exception>
#include <filesystem>
#include <string>
#include <string_view>
#include <variant>

#include <bad_input/data_cases.hpp>
#include <data/helpers.hpp>
#include <gamut/communicator/mpi.hpp>
#include <gamut/communicator/single.hpp>

using namespace gamut;

namespace {

template <class C, class Source>
std::string failure_of(const C& ranks, const Source& source, const data::request& wanted) {
    try {
        source.load(ranks, wanted);
    } catch (...) {
        const auto failure = std::current_exception();
        return core::text(static_cast<int>(core::kind_of(failure)), ' ', core::message_of(failure));
    }
    return "no error";
}

void all_say(const std::string& mine, const std::string& expected, const char* what) {
    const communicator::mpi<> ranks;
    for (const auto& theirs : data::detail::gather_texts(ranks, mine)) BOOST_TEST(theirs == mine, what);
    BOOST_TEST(mine == expected, what);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(data_input)

BOOST_AUTO_TEST_CASE(all_ranks_say_what_one_process_says) {
    const communicator::mpi<> ranks;
    for (const auto& bad : test::bad_files()) {
        const test::shared_file file(ranks, bad.content);
        std::visit(
            [&](auto source) {
                source.path = file.path;
                auto together = failure_of(ranks, source, bad.wanted);
                // who found a wrong option may be said, or not if all did
                if (std::string_view(together).substr(2).starts_with("rank 0: ")) together.erase(2, 8);
                all_say(together, failure_of(communicator::single<>{}, source, bad.wanted), bad.what);
            },
            bad.source);
    }
}

BOOST_AUTO_TEST_CASE(a_bad_line_in_one_ranks_part_stops_all) {
    const communicator::mpi<> ranks;
    for (const int bad_line : {1, 50, 100, 150, 200}) {
        std::string sparse, table;
        for (int i = 1; i <= 200; ++i) {
            sparse += i == bad_line ? "1 1:1 1:2\n" : "1 1:1\n";
            table += i == bad_line ? "1,oops,3\n" : "1,2,3\n";
        }
        const test::shared_file sparse_file(ranks, sparse), table_file(ranks, table);
        all_say(failure_of(ranks, data::libsvm<>{.path = sparse_file.path}, {}),
                core::text("3 ", sparse_file.path, ':', bad_line,
                           ":7: index 1 appears twice in this row (which value counts?) keep one of them"),
                "LIBSVM");
        all_say(failure_of(ranks, data::csv<>{.path = table_file.path, .header = data::header::no}, {}),
                core::text("3 ", table_file.path, ':', bad_line,
                           ":3: 'oops' in column '#1' is not a number (features are numeric) ",
                           "encode it as numbers, or add the column to .ignore"),
                "CSV");
    }
}

BOOST_AUTO_TEST_CASE(a_file_that_differs_between_ranks_is_refused) {
    const communicator::mpi<> ranks;
    if (ranks.size() == 1) return;
    // every rank has its own file, under the same name relative to its own folder
    const test::temporary_file mine(ranks.rank() == ranks.size() - 1 ? "1 1:1\n" : "1 1:1\n1 1:1\n");
    const auto before = std::filesystem::current_path();
    std::filesystem::current_path(std::filesystem::path(mine.path).parent_path());
    const auto message = failure_of(ranks, data::libsvm<>{.path = "data.txt"}, {});
    std::filesystem::current_path(before);
    all_say(message,
            core::text("3 data.txt: not the same file on all ranks (12 bytes on rank 0, 6 on rank ", ranks.size() - 1,
                       ") give all machines the same complete copy"),
            "sizes");
}

BOOST_AUTO_TEST_CASE(a_file_that_is_missing_on_one_rank_is_refused_by_all) {
    const communicator::mpi<> ranks;
    const test::temporary_file mine("1 1:1\n", ranks.rank() == ranks.size() - 1 ? "other.txt" : "data.txt");
    const auto before = std::filesystem::current_path();
    std::filesystem::current_path(std::filesystem::path(mine.path).parent_path());
    const auto message = failure_of(ranks, data::csv<>{.path = "data.txt"}, {});
    std::filesystem::current_path(before);
    all_say(message, "3 data.txt: can't be opened (No such file or directory) check the path and the permissions",
            "missing");
}

BOOST_AUTO_TEST_SUITE_END()

// SPDX-License-Identifier: BSL-1.0
#include <gamut/communicator/write_together.hpp>

#include "../data/helpers.hpp"

#include <boost/test/unit_test.hpp>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include <gamut/communicator/threads.hpp>
#include <gamut/core/error.hpp>

using namespace gamut;

BOOST_AUTO_TEST_SUITE(write_together)

BOOST_AUTO_TEST_CASE(one_rank_makes_the_text_and_all_learn_what_became_of_it) {
    const test::temporary_file file("before");
    for (const int size : {1, 3}) {
        std::atomic<int> made = 0;
        communicator::threads<>::run(size, [&](const communicator::threads<>& ranks) {
            communicator::write_together(ranks, file.path, [&] {
                ++made;
                return std::string("of ") + std::to_string(ranks.size());
            });
        });
        BOOST_TEST(made == 1);
        std::ifstream from(file.path);
        BOOST_TEST(std::string(std::istreambuf_iterator<char>(from), {}) == "of " + std::to_string(size));
    }
    std::atomic<int> told = 0;
    communicator::threads<>::run(3, [&](const communicator::threads<>& ranks) {
        for (const std::string& path : {file.path, file.path + "/no/folder"}) try {
                communicator::write_together(ranks, path, [&]() -> std::string {
                    if (path == file.path) throw core::option_error("nothing to write");
                    return "text";
                });
            } catch (const core::error&) {
                ++told;
            }
    });
    BOOST_TEST(told == 6);
    std::ifstream from(file.path);
    BOOST_TEST(std::string(std::istreambuf_iterator<char>(from), {}) == "of 3");  // as it was
}

BOOST_AUTO_TEST_SUITE_END()

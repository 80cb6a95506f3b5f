// SPDX-License-Identifier: BSL-1.0
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include <unistd.h>

#include <boost/test/unit_test.hpp>

#include <gamut/core/error.hpp>
#include <gamut/core/text.hpp>
#include <gamut/core/whole_file.hpp>

using gamut::core::whole_file;

namespace {

struct folder {
    std::filesystem::path path =
        std::filesystem::temp_directory_path() / gamut::core::text("gamut_whole_file_", ::getpid());
    folder() { std::filesystem::create_directories(path); }
    ~folder() { std::filesystem::remove_all(path); }
    std::string file(const char* name) const { return (path / name).string(); }
};

std::string content(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace

BOOST_AUTO_TEST_SUITE(whole_file_suite)

BOOST_AUTO_TEST_CASE(a_file_has_its_name_only_when_it_is_whole) {
    const folder here;
    const std::string path = here.file("model.json");
    {
        whole_file file(path);
        file.write("one ");
        BOOST_TEST(!std::filesystem::exists(path));
        file.write("two");
        file.close();
        BOOST_TEST(content(path) == "one two");
        BOOST_TEST(!std::filesystem::exists(path + ".partial"));
    }
    whole_file again(path);
    again.write("never closed");
    BOOST_TEST(content(path) == "one two");
}

BOOST_AUTO_TEST_CASE(a_folder_that_is_missing_is_named) {
    whole_file file("/nowhere/at/all/model.json");
    try {
        file.write("x");
        BOOST_FAIL("written");
    } catch (const gamut::core::error& problem) {
        BOOST_TEST(std::string(problem.what()).find("/nowhere/at/all/model.json.partial: cannot be created") == 0u);
    }
}

BOOST_AUTO_TEST_SUITE_END()

// SPDX-License-Identifier: BSL-1.0
#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include <sys/stat.h>
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
    std::size_t names() const {
        return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(path), {}));
    }
};

std::string content(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

void write(const std::string& path, const std::string& text) {
    whole_file file(path);
    file.write(text);
    file.close();
}

/// What writing to a path says.
std::string complaint(const std::string& path) {
    try {
        write(path, "x");
    } catch (const gamut::core::error& problem) {
        return problem.what();
    }
    return "";
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
    {
        whole_file again(path);
        again.write("never closed");
        BOOST_TEST(std::filesystem::exists(path + ".partial"));
    }
    BOOST_TEST(content(path) == "one two");
    BOOST_TEST(!std::filesystem::exists(path + ".partial"));
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

BOOST_AUTO_TEST_CASE(a_link_stays_and_its_target_is_written) {
    const folder here;
    const std::string target = here.file("target.json"), link = here.file("link.json"), chain = here.file("chain.json");
    write(target, "old");
    std::filesystem::create_symlink("target.json", link);  // relative to the link's folder
    std::filesystem::create_symlink(link, chain);
    for (const std::string& path : {link, chain}) {
        write(path, "by way of " + path);
        BOOST_TEST(std::filesystem::is_symlink(link));
        BOOST_TEST(std::filesystem::is_symlink(chain));
        BOOST_TEST(!std::filesystem::is_symlink(target));
        BOOST_TEST(content(target) == "by way of " + path);
    }
    BOOST_TEST(here.names() == 3u);
}

BOOST_AUTO_TEST_CASE(a_link_to_nothing_yet_makes_its_target) {
    const folder here;
    std::filesystem::create_directories(here.file("elsewhere"));
    std::filesystem::create_symlink("elsewhere/model.json", here.file("link.json"));
    write(here.file("link.json"), "new");
    BOOST_TEST(std::filesystem::is_symlink(here.file("link.json")));
    BOOST_TEST(content(here.file("elsewhere/model.json")) == "new");
}

BOOST_AUTO_TEST_CASE(links_in_a_circle_are_refused) {
    const folder here;
    std::filesystem::create_symlink("b", here.file("a"));
    std::filesystem::create_symlink("a", here.file("b"));
    BOOST_TEST(complaint(here.file("a")).find("cannot be looked at (Too many levels of symbolic links)") !=
               std::string::npos);
    BOOST_TEST(here.names() == 2u);
}

BOOST_AUTO_TEST_CASE(what_is_no_regular_file_is_refused_and_stays) {
    const folder here;
    const std::string fifo = here.file("fifo"), directory = here.file("directory"), link = here.file("link");
    BOOST_TEST_REQUIRE(::mkfifo(fifo.c_str(), 0600) == 0);
    std::filesystem::create_directories(directory);
    std::filesystem::create_symlink("fifo", link);
    BOOST_TEST(complaint(fifo) == fifo + ": is a FIFO (only a regular file can be written whole) name another file");
    BOOST_TEST(complaint(link) == link + ": is a FIFO (only a regular file can be written whole) name another file");
    BOOST_TEST(complaint(directory) ==
               directory + ": is a directory (only a regular file can be written whole) name another file");
    BOOST_TEST(std::filesystem::is_fifo(fifo));
    BOOST_TEST(std::filesystem::is_symlink(link));
    BOOST_TEST(here.names() == 3u);
    BOOST_TEST(complaint("") == "the path is empty (a file is needed) name one");
}

BOOST_AUTO_TEST_CASE(what_lies_in_the_partial_files_place_is_not_written_through) {
    const folder here;
    const std::string path = here.file("model.json"), partial = path + ".partial", precious = here.file("precious");
    write(precious, "precious");
    std::filesystem::create_symlink(precious, partial);
    BOOST_TEST(complaint(path).find(partial + ": cannot be created") == 0u);
    BOOST_TEST(content(precious) == "precious");
    std::filesystem::remove(partial);
    BOOST_TEST_REQUIRE(::mkfifo(partial.c_str(), 0600) == 0);
    BOOST_TEST(complaint(path).find(partial + ": cannot be created") == 0u);  // and does not wait for a reader
    std::filesystem::remove(partial);
    std::ofstream(partial) << "left by a process that was killed, and longer";
    write(path, "short");
    BOOST_TEST(content(path) == "short");
    BOOST_TEST(!std::filesystem::exists(partial));
}

BOOST_AUTO_TEST_CASE(the_mode_of_a_file_that_is_replaced_stays) {
    const folder here;
    const std::string path = here.file("model.json");
    write(path, "old");
    for (const mode_t mode : {0600u, 0640u, 0755u, 0444u}) {
        BOOST_TEST_REQUIRE(::chmod(path.c_str(), mode) == 0);
        write(path, "new");
        struct stat found {};
        BOOST_TEST_REQUIRE(::stat(path.c_str(), &found) == 0);
        BOOST_TEST((found.st_mode & 0777) == mode);
    }
}

BOOST_AUTO_TEST_CASE(a_failure_leaves_nothing_behind) {
    const folder here;
    const std::string path = here.file("model.json");
    // the name is taken between the first write and the end
    whole_file file(path);
    file.write("x");
    std::filesystem::create_directories(path + "/not empty");
    BOOST_CHECK_THROW(file.close(), gamut::core::error);
    BOOST_TEST(std::filesystem::is_directory(path));
    BOOST_TEST(here.names() == 1u);
}

BOOST_AUTO_TEST_SUITE_END()

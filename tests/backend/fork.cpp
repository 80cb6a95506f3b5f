// SPDX-License-Identifier: BSL-1.0
#include <gamut/backend/parallel.hpp>

#include <boost/test/unit_test.hpp>

#include <sys/wait.h>
#include <unistd.h>

#include <cstddef>
#include <vector>

using namespace gamut;

namespace {

/// The sum of 0 ... 99 by two threads.
std::size_t sum_by_threads() {
    std::vector<std::size_t> found(100);
    backend::parallel_for(0, 100, 2, [&](std::size_t i, std::size_t thread) { found[i] = thread < 2 ? i : 1000; });
    std::size_t sum = 0;
    for (const std::size_t one : found) sum += one;
    return sum;
}

/// What a child process that is forked off now gets; it is killed if it waits for ever.
template <class Work> int in_a_child(Work&& work) {
    const pid_t child = ::fork();
    if (child == 0) {
        ::alarm(60);
        int said = 99;
        try {
            said = work() ? 0 : 1;
        } catch (...) {}
        ::_exit(said);
    }
    int status = -1;
    ::waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(fork_suite)

BOOST_AUTO_TEST_CASE(a_child_computes_what_its_parent_does_though_threads_are_not_copied) {
    const auto right = [] { return sum_by_threads() == 4950; };
    BOOST_TEST(right());
    BOOST_TEST(in_a_child(right) == 0);
    BOOST_TEST(in_a_child([&] { return in_a_child(right) == 0; }) == 0);  // and its child
    BOOST_TEST(right());                                                  // the parent goes on with its threads
    BOOST_TEST(in_a_child(right) == 0);
}

BOOST_AUTO_TEST_SUITE_END()

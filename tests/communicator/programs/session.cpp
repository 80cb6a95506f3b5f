// SPDX-License-Identifier: BSL-1.0
// Ways to end an mpi_session, one per run; ../CMakeLists.txt says which exit code and words each must give.
#include <gamut/communicator/mpi.hpp>

#include <cstdio>
#include <span>
#include <stdexcept>
#include <string>
#include <unistd.h>
#include <vector>

namespace communicator = gamut::communicator;
namespace core = gamut::core;

namespace {

void wait_for_nothing() {  // a pipe that nobody writes to
    int ends[2];
    char byte;
    if (::pipe(ends) == 0) (void)!::read(ends[0], &byte, 1);
}

void reduce(const communicator::mpi<>& c) {
    std::vector<double> values(1001);
    c.all_reduce(std::span<double>(values), communicator::operation::sum);
}

int within_a_session(const std::string& what, int argc, char** argv) {
    // short where the watchdog has to bite; a quarter of it is the time that a leaving rank gives the others
    const double deadline = what == "stuck" || what == "returns" ? 1 : what == "leaves" ? 8 : 60;
    communicator::mpi_session session(argc, argv, deadline);
    const communicator::mpi c{};
    reduce(c);
    const bool last = c.rank() == c.size() - 1;
    if (what == "stuck") last ? wait_for_nothing() : reduce(c);
    if (what == "returns" && !last) reduce(c);
    if (what == "leaves") last ? throw std::runtime_error("only me") : reduce(c);
    if (what == "all_leave") throw core::option_error("all of us");
    if (what == "some_leave_at_the_end" && last) throw core::option_error("only me, when nobody waits");
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    const std::string what = argc > 1 ? argv[1] : "";
    try {
        if (what == "no_session") reduce(communicator::mpi{});
        const int code = within_a_session(what, argc, argv);
        if (what == "after_session") reduce(communicator::mpi{});
        if (what == "second_session") return within_a_session("", argc, argv);
        std::fprintf(stderr, "ended with %d\n", code);
        return code;
    } catch (const std::exception& problem) {
        std::fprintf(stderr, "caught: %s\n", problem.what());
        return 3;
    }
}

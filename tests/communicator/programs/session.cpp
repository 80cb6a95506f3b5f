// SPDX-License-Identifier: BSL-1.0
// Ways to end an mpi_session, one per run; ../CMakeLists.txt says which exit code and words each must give.
#include <gamut/communicator/mpi.hpp>
#include <gamut/communicator/together.hpp>

#include <cstdint>
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

/// Rank 1 fails by itself where the others wait for it; all say what they caught, and that they cannot go on.
void fail_within(const std::string& where, const communicator::mpi<>& c) {
    struct letters {
        int count = 0;
        void letter(int, std::span<const std::uint8_t>) { ++count; }
    } taken;
    const auto caught = [&](const char* when, auto call) {
        try {
            call();
        } catch (const core::error& problem) {
            std::fprintf(stderr, "rank %d %s: %s\n", c.rank(), when, problem.what());
        }
    };
    caught("caught", [&] {
        communicator::together(c, [&] {
            const auto box = c.open(taken);
            std::vector<double> values(where == "a_long_collective" ? 100'000 : 10);
            if (c.rank() == 1) throw core::option_error("no more");
            if (where == "an_exchange") {
                const communicator::parcel<double> in{1, std::span<double>(values)};
                c.exchange(std::span<const communicator::parcel<const double>>(),
                           std::span<const communicator::parcel<double>>(&in, 1));
            } else if (where == "a_mailbox") {
                box.wait([&] { return taken.count > 0; });
            } else {
                c.all_reduce(std::span<double>(values), communicator::operation::sum);
            }
            return 0;
        });
    });
    caught("again", [&] { c.barrier(); });
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
    if (what.starts_with("fails_in_")) fail_within(what.substr(9), c);
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

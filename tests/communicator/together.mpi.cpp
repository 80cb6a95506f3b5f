// SPDX-License-Identifier: BSL-1.0
// Failing together over MPI. A group that was closed stays so: every case has a group of its own, with the ranks of all.
#include <boost/test/unit_test.hpp>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <new>
#include <span>
#include <string>
#include <vector>

#include <gamut/communicator/agree.hpp>
#include <gamut/communicator/mpi.hpp>
#include <gamut/communicator/together.hpp>

namespace communicator = gamut::communicator;
namespace core = gamut::core;
using communicator::parcel;

namespace {

std::string said(core::error_kind kind, const std::string& message) {
    return core::text(static_cast<int>(kind), " ", message, ";");
}

/// What every rank hears from together(work), and from a barrier afterwards.
template <class Work> std::vector<std::string> heard_by_all(Work work) {
    const communicator::mpi<> world;
    const communicator::mpi<> c(boost::mpi::communicator(MPI_COMM_WORLD, boost::mpi::comm_duplicate));
    std::string mine;
    const auto hear = [&](auto call) {
        try {
            call();
            mine += "nothing;";
        } catch (...) {
            const auto problem = std::current_exception();
            mine += said(core::kind_of(problem), core::message_of(problem));
        }
    };
    hear([&] {
        communicator::together(c, [&] {
            work(c);
            return 0;
        });
    });
    hear([&] { c.barrier(); });
    mine.resize(200, ' ');
    std::vector<std::uint8_t> all(200 * static_cast<std::size_t>(world.size()));
    world.gather(std::span<const std::uint8_t>(reinterpret_cast<const std::uint8_t*>(mine.data()), 200),
                 std::span<std::uint8_t>(all));
    std::vector<std::string> heard;
    for (std::size_t r = 0; r < all.size(); r += 200) {
        heard.emplace_back(all.begin() + static_cast<std::ptrdiff_t>(r),
                           all.begin() + static_cast<std::ptrdiff_t>(r + 200));
        heard.back().resize(heard.back().find_last_not_of(' ') + 1);
    }
    return heard;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(together_mpi)

BOOST_AUTO_TEST_CASE(a_rank_that_runs_out_of_memory_is_the_same_error_on_all_wherever_they_are) {
    const communicator::mpi<> world;
    if (world.size() == 1) return;
    const std::string empty = core::message_of(std::make_exception_ptr(std::bad_alloc()));
    for (int failing = 0; failing < world.size(); ++failing)
        for (const int where : {0, 1, 2, 3}) {
            const auto heard = heard_by_all([&](const communicator::mpi<>& c) {
                c.barrier();
                std::vector<double> values(where == 2 ? 50'000 : 1);
                const parcel<double> in{failing, std::span<double>(values)};
                if (c.rank() == failing) throw std::bad_alloc();
                if (where == 1) c.exchange({}, std::span<const parcel<double>>(&in, 1));
                if (where != 1 && where != 3) c.all_reduce(std::span<double>(values), communicator::operation::sum);
            });
            const std::string once = said(core::error_kind::memory, core::text("rank ", failing, ": ", empty));
            for (const auto& one : heard) BOOST_TEST(one == once + once);
        }
}

BOOST_AUTO_TEST_CASE(what_ranks_agreed_upon_passes_and_the_group_goes_on) {
    const int last = communicator::mpi<>{}.size() - 1;
    for (int repeat = 0; repeat < 20; ++repeat) {
        const auto heard = heard_by_all([&](const communicator::mpi<>& c) {
            communicator::agree(c, [&] {
                if (c.rank() == last) throw core::option_error("too small");
            });
        });
        const std::string expected = last == 0 ? "too small" : core::text("rank ", last, ": too small");
        for (const auto& one : heard) BOOST_TEST(one == said(core::error_kind::option, expected) + "nothing;");
    }
}

BOOST_AUTO_TEST_CASE(what_all_ranks_throw_alike_passes_and_the_group_goes_on) {
    for (int repeat = 0; repeat < 20; ++repeat) {
        const auto heard = heard_by_all([](const communicator::mpi<>& c) {
            c.barrier();
            throw core::shape_error("too wide");
        });
        for (const auto& one : heard) BOOST_TEST(one == said(core::error_kind::shape, "too wide") + "nothing;");
    }
}

BOOST_AUTO_TEST_CASE(different_errors_become_that_of_the_lowest_rank) {
    const int size = communicator::mpi<>{}.size();
    if (size == 1) return;
    const auto heard =
        heard_by_all([](const communicator::mpi<>& c) { throw core::option_error(core::text("option ", c.rank())); });
    for (const auto& one : heard)
        BOOST_TEST(one == said(core::error_kind::option, "rank 0: option 0") +
                              said(core::error_kind::option, "rank 0: option 0"));
}

BOOST_AUTO_TEST_SUITE_END()

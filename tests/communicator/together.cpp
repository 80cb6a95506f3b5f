// SPDX-License-Identifier: BSL-1.0
#include <boost/test/unit_test.hpp>
#include <gamut/communicator/agree.hpp>
#include <gamut/communicator/single.hpp>
#include <gamut/communicator/threads.hpp>
#include <gamut/communicator/together.hpp>
#include <new>
#include <span>
#include <string>
#include <vector>

namespace communicator = gamut::communicator;
namespace core = gamut::core;
using communicator::parcel;
using communicator::threads;

namespace {

/// What every rank hears from together(work), and from a barrier afterwards.
template <class Work> std::vector<std::string> heard_by(int ranks, Work work) {
    std::vector<std::string> heard(static_cast<std::size_t>(ranks));
    threads<>::run(ranks, [&](const threads<>& c) {
        std::string& mine = heard[static_cast<std::size_t>(c.rank())];
        const auto hear = [&](auto call) {
            try {
                call();
                mine += "nothing;";
            } catch (...) {
                const auto problem = std::current_exception();
                mine += core::text(static_cast<int>(core::kind_of(problem)), " ", core::message_of(problem), ";");
            }
        };
        hear([&] {
            communicator::together(c, [&] {
                work(c);
                return 0;
            });
        });
        hear([&] { c.barrier(); });
    });
    return heard;
}

std::string said(core::error_kind kind, const std::string& message) {
    return core::text(static_cast<int>(kind), " ", message, ";");
}

}  // namespace

BOOST_AUTO_TEST_SUITE(together)

BOOST_AUTO_TEST_CASE(work_that_succeeds_gives_its_result) {
    BOOST_TEST(communicator::together(communicator::single<>{}, [] { return 3; }) == 3);
    threads<>::run(3, [](const threads<>& c) {
        if (communicator::together(c, [&] { return c.rank(); }) != c.rank()) throw core::error("another result");
    });
}

BOOST_AUTO_TEST_CASE(a_rank_that_runs_out_of_memory_is_the_same_error_on_all_wherever_they_are) {
    for (int failing = 0; failing < 4; ++failing) {
        for (const int where : {0, 1, 2}) {
            const auto heard = heard_by(4, [&](const threads<>& c) {
                c.barrier();
                double value = 0;
                const std::vector<parcel<double>> in{{failing, std::span<double>(&value, 1)}};
                if (c.rank() == failing) throw std::bad_alloc();
                if (where == 0) c.barrier();                                          // in a collective,
                if (where == 1) c.exchange({}, std::span<const parcel<double>>(in));  // waiting for a parcel,
            });                                                                       // or at the end already
            const std::string once =
                said(core::error_kind::memory,
                     core::text("rank ", failing, ": ", core::message_of(std::make_exception_ptr(std::bad_alloc()))));
            for (const auto& one : heard) BOOST_TEST(one == once + once);
        }
    }
}

BOOST_AUTO_TEST_CASE(what_ranks_agreed_upon_passes_and_the_group_goes_on) {
    const auto heard = heard_by(3, [](const threads<>& c) {
        communicator::agree(c, [&] {
            if (c.rank() == 1) throw core::option_error("too small");
        });
    });
    for (const auto& one : heard) BOOST_TEST(one == said(core::error_kind::option, "rank 1: too small") + "nothing;");
}

BOOST_AUTO_TEST_CASE(what_all_ranks_throw_alike_passes_and_the_group_goes_on) {
    for (int repeat = 0; repeat < 20; ++repeat) {
        const auto heard = heard_by(4, [](const threads<>& c) {
            c.barrier();
            throw core::shape_error("too wide");
        });
        for (const auto& one : heard) BOOST_TEST(one == said(core::error_kind::shape, "too wide") + "nothing;");
    }
}

BOOST_AUTO_TEST_CASE(different_errors_become_one) {
    const auto heard = heard_by(4, [](const threads<>& c) { throw core::data_error(core::text("line ", c.rank())); });
    for (const auto& one : heard) BOOST_TEST(one == heard[0]);
    BOOST_TEST(heard[0].find("nothing") == std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()

// SPDX-License-Identifier: BSL-1.0
#include "conformance.hpp"

#include <atomic>
#include <boost/test/unit_test.hpp>
#include <gamut/communicator/threads.hpp>
#include <mutex>
#include <thread>

namespace communicator = gamut::communicator;
namespace core = gamut::core;
using communicator::parcel;
using communicator::threads;

namespace {

template <class Sums> std::string conformance_of_all(int ranks) {
    std::vector<std::string> verdicts(static_cast<std::size_t>(ranks));
    threads<Sums>::run(ranks,
                       [&](const auto& c) { verdicts[static_cast<std::size_t>(c.rank())] = conformance::check(c); });
    std::string all;
    for (const auto& one : verdicts) all += one;
    return all;
}

auto says(const std::string& message) {
    return [message](const std::exception& problem) { return std::string(problem.what()) == message; };
}

}  // namespace

BOOST_AUTO_TEST_SUITE(threads_)

BOOST_AUTO_TEST_CASE(conforms_for_any_number_of_ranks) {
    for (const int ranks : {1, 2, 3, 4, 5, 8}) {
        BOOST_TEST(conformance_of_all<core::exact>(ranks) == "");
        BOOST_TEST(conformance_of_all<core::fast>(ranks) == "");
    }
}

BOOST_AUTO_TEST_CASE(groups_of_ranks_conform) {
    for (const int ranks : {1, 2, 5}) {
        std::vector<std::string> said(static_cast<std::size_t>(ranks));
        threads<>::run(ranks, [&](const auto& c) {
            said[static_cast<std::size_t>(c.rank())] = conformance::check(communicator::split(c, c.rank() % 2));
        });
        for (const auto& one : said) BOOST_TEST(one == "");
    }
}

BOOST_AUTO_TEST_CASE(each_rank_is_one_thread_and_all_share_the_machine) {
    std::mutex mutex;
    std::set<std::thread::id> ids;
    std::thread::id first;
    std::set<int> ranks;
    threads<>::run(6, [&](const threads<>& c) {
        const std::lock_guard lock(mutex);
        ids.insert(std::this_thread::get_id());
        ranks.insert(c.rank());
        if (c.size() != 6 || c.local_size() != 6) ranks.insert(-1);
        if (c.rank() == 0) first = std::this_thread::get_id();
    });
    BOOST_TEST(ids.size() == 6u);
    BOOST_TEST((first == std::this_thread::get_id()));
    BOOST_TEST(ranks == (std::set<int>{0, 1, 2, 3, 4, 5}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(floating_point_sums_are_taken_in_rank_order) {
    const std::vector<double> of_rank{1e16, 1, -1e16, 1};  // every other order gives another sum
    const double expected = ((1e16 + 1) - 1e16) + 1;
    for (int repeat = 0; repeat < 50; ++repeat) {
        std::vector<double> got(4);
        threads<>::run(4, [&](const threads<>& c) {
            const auto r = static_cast<std::size_t>(c.rank());
            double x = of_rank[r];
            c.all_reduce(std::span<double>(&x, 1), communicator::operation::sum);
            got[r] = x;
        });
        for (const double x : got) BOOST_TEST(x == expected);
    }
}

BOOST_AUTO_TEST_CASE(a_rank_that_leaves_by_an_exception_releases_the_others_and_its_error_is_the_one_seen) {
    for (const int failing : {0, 1, 3}) {
        std::atomic<int> released = 0;
        const auto work = [&](const threads<>& c) {
            c.barrier();
            if (c.rank() == failing) throw core::data_error("the first cause");
            try {
                c.barrier();
            } catch (const core::data_error& problem) {
                if (says("the first cause")(problem)) ++released;
                throw;
            }
        };
        BOOST_CHECK_EXCEPTION(threads<>::run(4, work), core::data_error, says("the first cause"));
        BOOST_TEST(released == 3);
    }
}

BOOST_AUTO_TEST_CASE(of_several_that_fail_by_themselves_the_lowest_is_heard) {
    BOOST_CHECK_EXCEPTION(threads<>::run(5,
                                         [](const threads<>& c) {
                                             if (c.rank() == 0) c.barrier();  // can only fail because others have left
                                             if (c.rank() % 2 == 1) throw core::error(core::text("rank ", c.rank()));
                                         }),
                          core::error, says("rank 1"));
}

BOOST_AUTO_TEST_CASE(a_wrapped_secondary_error_does_not_hide_the_first_cause) {
    const auto work = [](const threads<>& c) {
        if (c.rank() == 1) throw std::runtime_error("the first cause");
        try {
            c.barrier();
        } catch (...) {
            throw std::logic_error("something else");
        }
    };
    BOOST_CHECK_EXCEPTION(threads<>::run(2, work), std::runtime_error, says("the first cause"));
}

BOOST_AUTO_TEST_CASE(a_rank_that_returns_early_is_an_error_for_those_who_wait) {
    const auto work = [](const threads<>& c) {
        if (c.rank() == 1) return;
        double x = 0;
        c.all_reduce(std::span<double>(&x, 1), communicator::operation::sum);
    };
    BOOST_CHECK_EXCEPTION(threads<>::run(2, work), core::communicator_error,
                          says("rank 0: all_reduce(sum) cannot be completed (rank 1 has left)"));
}

BOOST_AUTO_TEST_CASE(different_collectives_sizes_types_or_roots_throw_on_every_rank) {
    std::atomic<int> refused = 0;
    threads<>::run(3, [&](const threads<>& c) {
        const bool odd = c.rank() == 1;
        const auto refuses = [&](auto call) {
            try {
                call();
            } catch (const core::communicator_error&) {
                ++refused;
            }
        };
        std::vector<double> values(4);
        std::vector<float> other(4);
        refuses([&] { c.broadcast(std::span<double>(values).first(odd ? 3 : 4), 0); });
        refuses([&] { c.broadcast(std::span<double>(values), odd ? 1 : 0); });
        refuses([&] { odd ? c.broadcast(std::span<double>(values), 0) : c.broadcast(std::span<float>(other), 0); });
        refuses([&] { odd ? c.barrier() : c.all_reduce(std::span<double>(values), communicator::operation::sum); });
        refuses([&] {
            c.all_reduce(std::span<double>(values),
                         odd ? communicator::operation::sum : communicator::operation::maximum);
        });
        c.barrier();  // and they can still talk
    });
    BOOST_TEST(refused == 15);
}

BOOST_AUTO_TEST_CASE(lengths_that_do_not_match_are_an_error_with_both) {
    const auto work = [](const threads<>& c) {
        std::vector<double> values(4);
        const std::vector<parcel<const double>> out{{1, std::span<const double>(values).first(3)}};
        const std::vector<parcel<double>> in{{0, values}};
        c.exchange(std::span(out).first(c.rank() == 0 ? 1 : 0), std::span(in).first(c.rank() == 1 ? 1 : 0));
    };
    BOOST_CHECK_EXCEPTION(threads<>::run(2, work), core::communicator_error,
                          says("exchange: rank 0 sends 3 numbers to rank 1 (which expects 4) lists must match"));
}

BOOST_AUTO_TEST_CASE(a_parcel_that_cannot_come_any_more_is_an_error_and_one_that_came_before_its_sender_left_is_not) {
    const auto work = [](bool sent) {
        return [=](const threads<>& c) {
            double value = c.rank();
            const std::vector<parcel<const double>> out{{1, std::span<const double>(&value, 1)}};
            const std::vector<parcel<double>> in{{0, std::span<double>(&value, 1)}};
            if (c.rank() == 0 && sent) c.exchange(std::span(out), {});
            if (c.rank() == 1) c.exchange({}, std::span(in));
            if (value != 0) throw core::error("another value");
        };
    };
    BOOST_CHECK_EXCEPTION(threads<>::run(2, work(false)), core::communicator_error,
                          says("rank 1: exchange cannot be completed (rank 0 has left)"));
    BOOST_CHECK_NO_THROW(threads<>::run(2, work(true)));
}

BOOST_AUTO_TEST_CASE(what_a_rank_posts_is_thrown_by_all_ranks_from_every_wait_and_the_group_stays_closed) {
    for (const int failing : {0, 2}) {
        std::vector<std::string> heard(4);
        const auto hears = [&](const threads<>& c, auto call) {
            try {
                call();
                heard[static_cast<std::size_t>(c.rank())] += "nothing;";
            } catch (const core::out_of_memory& problem) {
                heard[static_cast<std::size_t>(c.rank())] += problem.what() + std::string(";");
            }
        };
        threads<>::run(4, [&](const threads<>& c) {
            double value = 0;
            const std::vector<parcel<double>> in{{failing, std::span<double>(&value, 1)}};
            hears(c, [&] {
                if (c.rank() == failing) c.fail(std::make_exception_ptr(std::bad_alloc()));
                c.rank() == 1 ? c.exchange({}, std::span<const parcel<double>>(in)) : c.barrier();
            });
            hears(c, [&] { c.barrier(); });
            hears(c, [&] { c.all_reduce(std::span<double>(&value, 1), communicator::operation::sum); });
            hears(c, [&] { c.exchange({}, std::span<const parcel<double>>(in)); });
        });
        const std::string once =
            core::text("rank ", failing, ": ", core::message_of(std::make_exception_ptr(std::bad_alloc())), ";");
        for (const auto& one : heard) BOOST_TEST(one == once + once + once + once);
    }
}

BOOST_AUTO_TEST_CASE(a_wait_beyond_the_deadline_is_an_error_on_all_ranks) {
    std::atomic<int> same = 0;
    const auto work = [&](const threads<>& c) {
        double value = 0;
        const int other = 1 - c.rank();  // each waits for the other
        const std::vector<parcel<double>> in{{other, std::span<double>(&value, 1)}};
        try {
            c.exchange({}, std::span(in));
        } catch (const core::communicator_error& problem) {
            if (std::string(problem.what()).find(": exchange has not ended after 0.05 s (another rank never came)") !=
                std::string::npos)
                ++same;
            throw;
        }
    };
    BOOST_CHECK_THROW(threads<>::run(2, work, 0.05), core::communicator_error);
    BOOST_TEST(same == 2);
    BOOST_CHECK_THROW(threads<>::run(2, work, 0), core::option_error);
}

BOOST_AUTO_TEST_CASE(roots_and_sizes_out_of_range_are_refused) {
    threads<>::run(1, [](const threads<>& c) {
        std::vector<double> values(4);
        BOOST_CHECK_THROW(c.broadcast(std::span<double>(values), 1), core::communicator_error);
        BOOST_CHECK_THROW(c.broadcast(std::span<double>(values), -1), core::communicator_error);
        BOOST_CHECK_THROW(c.gather(std::span<const double>(values).first(3), std::span<double>(values)),
                          core::shape_error);
    });
    for (const int ranks : {0, -1}) BOOST_CHECK_THROW(threads<>::run(ranks, [](const auto&) {}), core::option_error);
}

BOOST_AUTO_TEST_SUITE_END()

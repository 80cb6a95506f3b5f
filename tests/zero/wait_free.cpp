// SPDX-License-Identifier: BSL-1.0
#include <gamut/solver/wait_free.hpp>

#include <gamut/communicator/counting.hpp>
#include <gamut/communicator/threads.hpp>
#include <gamut/data/arrays.hpp>
#include <gamut/solver/sufficient_factors.hpp>

#include <boost/test/unit_test.hpp>

#include <atomic>
#include <cmath>
#include <cstdint>

#include "common.hpp"

using namespace gamut;
using sharing::setting;

BOOST_AUTO_TEST_SUITE(wait_free)

namespace {

template <class Sums = core::exact> using counted = communicator::counting<communicator::threads<Sums>>;

template <class Sums = core::exact, class F> int holds_on(int ranks, const F& f) {
    std::atomic<int> right{0};
    communicator::threads<Sums>::run(ranks, [&](const communicator::threads<Sums>& c) {
        if (f(counted<Sums>(c))) ++right;
    });
    return right;
}

template <class Sharing> std::uint64_t bytes_of(int ranks, const setting& how, const Sharing& way) {
    std::atomic<std::uint64_t> sum{0};
    communicator::threads<>::run(ranks, [&](const communicator::threads<>& c) {
        const counted<> counter(c);
        sharing::fit(how, way, counter);
        sum += counter.bytes();
    });
    return sum;
}

}  // namespace

BOOST_AUTO_TEST_CASE(weights_are_those_of_sums_that_wait) {
    // few rows and a wide layer: the first block goes by factors, the second does not
    const setting how{.rows = 200, .batch = 16, .hidden = 100};
    const auto whole = sharing::fit(how);
    for (int ranks = 1; ranks <= 5; ++ranks)
        for (const bool factors : {false, true})
            BOOST_TEST(holds_on(ranks,
                                [&](const auto& c) {
                                    const auto fit = sharing::fit(how, solver::wait_free{.factors = factors}, c);
                                    return fit.weights == whole.weights && fit.objective == whole.objective &&
                                           fit.iterations == whole.iterations && fit.passes == whole.passes;
                                }) == ranks,
                       ranks << " ranks, factors " << factors);
    // three parts in a group, and single precision
    const setting parts{.batch = 300, .groups = 2, .hidden = 600};
    const auto single = sharing::fit<float>(parts);
    BOOST_TEST(holds_on(3, [&](const auto& c) {
                   return sharing::fit<float>(parts, solver::wait_free{.factors = true}, c).weights == single.weights;
               }) == 3);
}

BOOST_AUTO_TEST_CASE(fast_sums_are_those_of_the_same_ranks) {
    const setting how{.rows = 200, .batch = 16, .groups = 7, .hidden = 100};
    for (const bool factors : {false, true})
        BOOST_TEST(holds_on<core::fast>(3, [&](const auto& c) {
                       return sharing::fit(how, solver::wait_free{.factors = factors}, c).weights ==
                              sharing::fit(how, solver::replicated{}, c).weights;
                   }) == 3);
}

BOOST_AUTO_TEST_CASE(the_rule_takes_what_is_less) {
    const auto by_factors = [](double k, std::size_t m, std::size_t n, double ranks) {
        return solver::numbers_as_factors(k, m, n, ranks) < solver::numbers_as_sum(m, n, ranks);
    };
    BOOST_TEST(by_factors(32, 4096, 4096, 2));
    BOOST_TEST(!by_factors(32, 500, 10, 2));
    BOOST_TEST(solver::numbers_as_factors(256, 512, 512, 2) == solver::numbers_as_sum(512, 512, 2));  // a tie
    BOOST_TEST(!by_factors(256, 512, 512, 2));
    BOOST_TEST(by_factors(255, 512, 512, 2));
    BOOST_TEST(solver::numbers_as_factors(32, 4096, 1024, 4) == 2 * 32 * 3 * (4096 + 1024));
    BOOST_TEST(solver::numbers_as_sum(4096, 1024, 4) == 4.0 * 4096 * 1024 * 3 / 4);
    BOOST_TEST(solver::numbers_as_sum(4096, 1024, 4, 2) == 6.0 * 4096 * 1024 * 3 / 4);
}

BOOST_AUTO_TEST_CASE(bytes_are_those_of_the_rule) {
    for (const int ranks : {2, 4}) {
        setting how{.rows = 120, .batch = 20, .groups = static_cast<std::size_t>(ranks), .hidden = 100};
        const auto p = static_cast<std::uint64_t>(ranks);
        std::uint64_t per_batch[2] = {};
        for (const bool factors : {false, true}) {
            const solver::wait_free way{.factors = factors};
            how.epochs = 1;
            const std::uint64_t first = bytes_of(ranks, how, way);
            how.epochs = 3;
            per_batch[factors] = (bytes_of(ranks, how, way) - first) / (2 * sharing::batches(how));
        }
        // all four blocks as sums: sent by all ranks, 2 M N (P - 1) numbers and headers of letters; and the loss
        const std::uint64_t headers = 16 * (2 * p * (p - 1) + p), loss = 24 * p;
        const std::uint64_t sums = 2 * sharing::parameters(how) * (p - 1) * 8 + 4 * headers + loss;
        BOOST_TEST(per_batch[0] == sums);
        // 20 x 100 by factors of 20 rows: (P - 1) (M + N) numbers for each; 100 x 10 is less than its factors
        const std::uint64_t first_block = 8 * 20 * (p - 1) * (20 + 100) + 8 * p * (p - 1);
        const std::uint64_t first_sum = 2 * 20 * 100 * (p - 1) * 8 + headers;
        BOOST_TEST(per_batch[1] == sums - first_sum + first_block);
        BOOST_TEST(first_block < first_sum);
        // and what is said of it
        BOOST_TEST(
            holds_on(ranks, [&](const auto& c) {
                auto model = network::classifier{network::dense{how.hidden}, network::relu{}, network::dense{10}};
                model.blocks = how.groups;
                const estimator e{.model = model, .solver = solver::sgd{}, .communicator = c};
                const auto rows = e.load(tiny_mix(how.rows, 1, 0));
                const auto problem = e.problem_of(rows);
                const auto said = solver::wait_free{.factors = true}.traffic(problem, how.batch);
                const double k = 20.0 / ranks;
                return said.size() == 4 && said[0].by_factors && said[0].rows == 20 && said[0].columns == 100 &&
                       said[0].bytes() == 8 * solver::numbers_as_factors(k, 20, 100, ranks) &&
                       said[0].sum == 8 * solver::numbers_as_sum(20, 100, ranks) && !said[1].by_factors &&
                       std::isinf(said[1].factors) && !said[2].by_factors && !said[3].by_factors;
            }) == ranks);
    }
}

BOOST_AUTO_TEST_SUITE_END()

// SPDX-License-Identifier: BSL-1.0
#include <gamut/solver/wait_free.hpp>

#include <gamut/autodiff/row_functions.hpp>
#include <gamut/communicator/counting.hpp>
#include <gamut/communicator/sim.hpp>
#include <gamut/communicator/threads.hpp>
#include <gamut/data/arrays.hpp>
#include <gamut/solver/formula_problem.hpp>
#include <gamut/solver/sufficient_factors.hpp>

#include <boost/test/unit_test.hpp>

#include <atomic>
#include <cmath>
#include <cstdint>
#include <utility>
#include <vector>

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

namespace {

/// Simulated ranks whose computing takes 5 ms for each block of parameters: before its gradient is sent, or for all six before the
/// first is.
template <class Box> struct busy_mailbox {
    communicator::sim<> c;
    bool at_once;
    Box box;
    mutable std::size_t blocks = 0;

    template <class H>
    busy_mailbox(const communicator::sim<>& ranks, bool all, H& receiver)
        : c(ranks),
          at_once(all),
          box(c.open(receiver)) {}
    void post(int to, std::vector<std::uint8_t> bytes) const {
        const bool is_part = bytes[0] == 0;  // of background_sum; two ranks exchange one for each block
        if (is_part && to != c.rank()) {
            if (!at_once || blocks % 6 == 0) c.work(at_once ? 0.030 : 0.005);
            ++blocks;
        }
        box.post(to, std::move(bytes));
    }
    template <class Done> void wait(Done done) const { box.wait(done); }
    template <class F> auto look(F f) const { return box.look(f); }
    void settle() const { box.settle(); }
};

struct busy : communicator::sim<> {
    bool at_once;
    busy(const communicator::sim<>& c, bool all) : communicator::sim<>(c), at_once(all) {}
    template <class H> auto open(H& receiver) const {
        return busy_mailbox<decltype(communicator::sim<>::open(receiver))>(*this, at_once, receiver);
    }
};

constexpr autodiff::data X;
constexpr autodiff::labels y;
constexpr std::size_t side = 32;
struct six_blocks {
    autodiff::matrix<0> a{side, side};
    autodiff::matrix<1> b{side, side};
    autodiff::matrix<2> c{side, side};
    autodiff::matrix<3> d{side, side};
    autodiff::matrix<4> e{side, side};
    autodiff::matrix<5> f{side, side};
};

/// Virtual seconds of a step of two ranks, and the weights.
std::pair<double, std::vector<double>> seconds_of_step(bool at_once) {
    const six_blocks w;
    const auto z = tanh(tanh(tanh(tanh(tanh(X * w.a) * w.b) * w.c) * w.d) * w.e) * w.f;
    const auto loss = mean(log_sum_exp(z) - pick(z, y));
    const core::random draw{7, 0};
    std::vector<double> x, labels, start;
    for (std::size_t i = 0; i < 64 * side; ++i) x.push_back(draw.normal(i));
    for (std::size_t i = 0; i < 64; ++i) labels.push_back(static_cast<double>(i % 4));
    for (std::size_t i = 0; i < 6 * side * side; ++i) start.push_back(0.2 * draw.normal(100000 + i));
    // a block's gradient is on the way for 5 ms: half of it to the other rank, and half of the sum back
    const communicator::network links{.latency = 0, .bandwidth = 8 * side * side / 0.005};
    std::vector<double> found;
    double seconds[2] = {};
    const std::size_t epochs[2] = {1, 3};
    for (std::size_t run = 0; run < 2; ++run)
        seconds[run] = communicator::sim<>::run(2, links, [&](const communicator::sim<>& c) {
                           const busy ranks(c, at_once);
                           const auto rows =
                               data::arrays(x, 64, side, labels).load(ranks, {.classification = true, .blocks = 2});
                           const solver::formula_problem problem(loss, w, rows, start, penalty::none{},
                                                                 backend::host<>{.threads = 1}, ranks);
                           const auto fit = solver::sgd{.rate = 0.1,
                                                        .batch = 16,
                                                        .check_every = 0,
                                                        .sharing = solver::wait_free{},
                                                        .stop = {.iterations = epochs[run], .tolerance = 0}}
                                                .minimize(problem);
                           if (c.rank() == 0) found = fit.weights.download();
                       }).seconds;
    return {(seconds[1] - seconds[0]) / (2 * 4), found};
}

}  // namespace

BOOST_AUTO_TEST_CASE(links_work_while_ranks_compute) {
    // six blocks of 5 ms of work and 5 ms of link: 60 ms one after the other, 35 ms abreast
    const auto [abreast, weights] = seconds_of_step(false);
    const auto [apart, same] = seconds_of_step(true);
    BOOST_TEST(abreast == 0.035, boost::test_tools::tolerance(0.1));
    BOOST_TEST(apart == 0.060, boost::test_tools::tolerance(0.1));
    BOOST_TEST(weights == same, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_SUITE_END()

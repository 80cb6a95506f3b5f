// SPDX-License-Identifier: BSL-1.0
// How long a step takes where links are slow, in virtual time: gradients that leave while others are computed, and such that do not.
#include <gamut/autodiff/row_functions.hpp>
#include <gamut/communicator/concept.hpp>
#include <gamut/communicator/sim.hpp>
#include <gamut/data/arrays.hpp>
#include <gamut/solver/formula_problem.hpp>
#include <gamut/solver/sgd.hpp>
#include <gamut/solver/wait_free.hpp>
#include <gamut/solver/zero.hpp>

#include <boost/test/unit_test.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "common.hpp"

using namespace gamut;

BOOST_AUTO_TEST_SUITE(timing)

namespace {

constexpr std::size_t blocks = 6;

/// When the 5 ms of computing that a block of parameters takes are over: before its gradient is posted, before it is exchanged, or,
/// for all blocks, before the first is posted.
enum class computes { before_letters, before_exchanges, at_once };

/// Two simulated ranks. Letters with numbers for the other one begin with 0.
template <class Box> struct busy_mailbox {
    communicator::sim<> c;
    computes when;
    Box box;
    mutable std::size_t seen = 0;

    template <class H>
    busy_mailbox(const communicator::sim<>& ranks, computes is, H& receiver)
        : c(ranks),
          when(is),
          box(c.open(receiver)) {}
    void post(int to, std::vector<std::uint8_t> bytes) const {
        if (bytes[0] == 0 && to != c.rank()) {
            if (when == computes::before_letters) c.work(0.005);
            if (when == computes::at_once && seen % blocks == 0) c.work(0.030);
            ++seen;
        }
        box.post(to, std::move(bytes));
    }
    template <class Done> void wait(Done done) const { box.wait(done); }
    template <class F> auto look(F f) const { return box.look(f); }
    void settle() const { box.settle(); }
};

struct busy : communicator::sim<> {
    computes when;
    mutable std::size_t seen = 0;

    busy(const communicator::sim<>& c, computes is) : communicator::sim<>(c), when(is) {}
    template <class H> auto open(H& receiver) const {
        return busy_mailbox<decltype(communicator::sim<>::open(receiver))>(*this, when, receiver);
    }
    /// In each step the blocks' gradients, one after another, and then the blocks' weights.
    template <communicator::Element T>
    void exchange(std::span<const communicator::parcel<const T>> out,
                  std::span<const communicator::parcel<T>> in) const {
        if (when == computes::before_exchanges && seen++ % (2 * blocks) < blocks) work(0.005);
        communicator::sim<>::exchange(out, in);
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

struct step {
    double seconds = 0;  // virtual
    std::vector<double> weights{};
};

/// A step of two ranks, and the weights after some.
template <class Sharing> step step_of(const Sharing& sharing, computes when) {
    const six_blocks w;
    const auto z = tanh(tanh(tanh(tanh(tanh(X * w.a) * w.b) * w.c) * w.d) * w.e) * w.f;
    const auto loss = mean(log_sum_exp(z) - pick(z, y));
    const core::random draw{7, 0};
    std::vector<double> x, labels, start;
    for (std::size_t i = 0; i < 64 * side; ++i) x.push_back(draw.normal(i));
    for (std::size_t i = 0; i < 64; ++i) labels.push_back(static_cast<double>(i % 4));
    for (std::size_t i = 0; i < blocks * side * side; ++i) start.push_back(0.2 * draw.normal(100000 + i));
    // a block is on the way for 5 ms: half of its gradient to the other rank, and half of the sum, or of the weights, back
    const communicator::network links{.latency = 0, .bandwidth = 8 * side * side / 0.005};
    step found;
    double seconds[2] = {};
    const std::size_t epochs[2] = {1, 3};
    for (std::size_t run = 0; run < 2; ++run)
        seconds[run] = communicator::sim<>::run(2, links, [&](const communicator::sim<>& c) {
                           const busy ranks(c, when);
                           const auto rows =
                               data::arrays(x, 64, side, labels).load(ranks, {.classification = true, .blocks = 2});
                           const solver::formula_problem problem(loss, w, rows, start, penalty::none{},
                                                                 backend::host<>{.threads = 1}, ranks);
                           const auto fit = solver::sgd{.rate = 0.1,
                                                        .batch = 16,
                                                        .check_every = 0,
                                                        .sharing = sharing,
                                                        .stop = {.iterations = epochs[run], .tolerance = 0}}
                                                .minimize(problem);
                           if (c.rank() == 0) found.weights = fit.weights.download();
                       }).seconds;
    found.seconds = (seconds[1] - seconds[0]) / (2 * 4);
    return found;
}

}  // namespace

BOOST_AUTO_TEST_CASE(links_work_while_ranks_compute) {
    // six blocks of 5 ms of work and 5 ms of link: 60 ms one after the other, 35 ms abreast
    const step abreast = step_of(solver::wait_free{}, computes::before_letters);
    const step apart = step_of(solver::wait_free{}, computes::at_once);
    BOOST_TEST(abreast.seconds == 0.035, boost::test_tools::tolerance(0.1));
    BOOST_TEST(apart.seconds == 0.060, boost::test_tools::tolerance(0.1));
    BOOST_TEST(abreast.weights == apart.weights, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(pieces_of_gradients_travel_while_ranks_compute) {
    // 2.5 ms of link for each of six gradients, all of them but the last abreast with 5 ms of work; then 2.5 ms for each block's weights
    const step replicated = step_of(solver::replicated{}, computes::at_once);
    for (const int stage : {1, 2}) {
        const step abreast = step_of(solver::zero{.stage = stage, .overlap = true}, computes::before_letters);
        const step apart = step_of(solver::zero{.stage = stage}, computes::before_exchanges);
        BOOST_TEST(abreast.seconds == 0.0475, boost::test_tools::tolerance(0.02));
        BOOST_TEST(apart.seconds == 0.060, boost::test_tools::tolerance(0.02));
        BOOST_TEST(abreast.weights == apart.weights, boost::test_tools::per_element());
        BOOST_TEST(abreast.weights == replicated.weights, boost::test_tools::per_element());
    }
}

BOOST_AUTO_TEST_SUITE_END()

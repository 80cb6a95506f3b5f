// SPDX-License-Identifier: BSL-1.0
#include <gamut/solver/zero.hpp>

#include <gamut/communicator/counting.hpp>
#include <gamut/communicator/group.hpp>
#include <gamut/communicator/threads.hpp>
#include <gamut/solver/replicated.hpp>

#include <boost/test/unit_test.hpp>

#include <atomic>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

#include "common.hpp"
#include "solver/interrupted.hpp"

using namespace gamut;
using sharing::setting;

BOOST_AUTO_TEST_SUITE(zero)

namespace {

const solver::zero every_way[] = {{.stage = 1},
                                  {.stage = 2},
                                  {.stage = 3},
                                  {.stage = 1, .overlap = true},
                                  {.stage = 2, .overlap = true},
                                  {.stage = 3, .overlap = true}};

template <class Sums = core::exact> using counted = communicator::counting<communicator::threads<Sums>>;

/// f(communicator) on some ranks, as threads; how often it was true.
template <class Sums = core::exact, class F> int holds_on(int ranks, const F& f) {
    std::atomic<int> right{0};
    communicator::threads<Sums>::run(ranks, [&](const communicator::threads<Sums>& c) {
        if (f(counted<Sums>(c))) ++right;
    });
    return right;
}

/// Bytes that all ranks together send in a run.
template <class Sums = core::exact, class Sharing>
std::uint64_t bytes_of(int ranks, const setting& how, const Sharing& way) {
    std::atomic<std::uint64_t> sum{0};
    communicator::threads<Sums>::run(ranks, [&](const communicator::threads<Sums>& c) {
        const counted<Sums> counter(c);
        sharing::fit(how, way, counter);
        sum += counter.bytes();
    });
    return sum;
}

/// Numbers that all ranks together send in a batch, over ranks - 1: two runs differ by epochs only. What else is sent is
/// known: the loss in each batch, `of_loss` bytes per rank, and in stage 3 the weights once per epoch.
template <class Sums = core::exact>
double numbers_per_batch(int ranks, setting how, const solver::zero& way, double of_loss) {
    how.epochs = 1;
    const auto first = static_cast<double>(bytes_of<Sums>(ranks, how, way));
    how.epochs = 3;
    const auto all = static_cast<double>(bytes_of<Sums>(ranks, how, way));
    const double epochs = 2, n = ranks, others = n - 1, whole = static_cast<double>(sharing::parameters(how));
    const double bytes = all - first - (way.stage == 3 ? epochs * 8 * whole * others : 0);
    return (bytes / (epochs * static_cast<double>(sharing::batches(how))) - of_loss * n) / (8 * others);
}

}  // namespace

BOOST_AUTO_TEST_CASE(every_stage_has_the_bits_of_replicated_weights_on_any_ranks) {
    const setting how{.check_every = 1};
    const auto whole = sharing::fit(how);
    for (int ranks = 1; ranks <= 5; ++ranks)  // more than groups, too
        for (const solver::zero& way : every_way)
            BOOST_TEST(holds_on(ranks,
                                [&](const auto& c) {
                                    const auto fit = sharing::fit(how, way, c);
                                    bool same = fit.weights == whole.weights && fit.objective == whole.objective &&
                                                fit.history.size() == whole.history.size();
                                    for (std::size_t i = 0; same && i < fit.history.size(); ++i)
                                        same = fit.history[i].objective == whole.history[i].objective &&
                                               fit.history[i].nonzeros == whole.history[i].nonzeros &&
                                               fit.history[i].passes == whole.history[i].passes;
                                    return same;
                                }) == ranks,
                       "stage " << way.stage << ", overlap " << way.overlap << ", on " << ranks << " ranks");
}

BOOST_AUTO_TEST_CASE(batches_in_several_parts_and_single_precision_change_no_bit) {
    const setting how{.batch = 300, .groups = 1, .epochs = 3};  // three parts of the one group
    const auto whole = sharing::fit(how);
    const auto single = sharing::fit<float>(how);
    for (const bool overlap : {false, true}) {
        BOOST_TEST(holds_on(2, [&](const auto& c) {
                       return sharing::fit(how, solver::zero{.stage = 2, .overlap = overlap}, c).weights ==
                              whole.weights;
                   }) == 2);
        BOOST_TEST(holds_on(2, [&](const auto& c) {
                       return sharing::fit<float>(how, solver::zero{.stage = 3, .overlap = overlap}, c).weights ==
                              single.weights;
                   }) == 2);
    }
    // so many groups that their sum takes exponents
    const setting many{.groups = 16};
    const auto groups = sharing::fit(many);
    for (int ranks = 1; ranks <= 4; ++ranks)
        BOOST_TEST(holds_on(ranks, [&](const auto& c) {
                       return sharing::fit(many, solver::zero{.stage = 2, .overlap = true}, c).weights ==
                              groups.weights;
                   }) == ranks);
}

BOOST_AUTO_TEST_CASE(a_rank_holds_its_pieces) {
    for (const int ranks : {1, 2, 4})
        for (const solver::zero& way : every_way)
            BOOST_TEST(holds_on(ranks,
                                [&](const auto& c) {
                                    const setting how{.epochs = 1};
                                    solver::zero_usage found;
                                    const int stage = way.stage;
                                    const bool at_end = stage == 1 && !way.overlap;
                                    sharing::fit(how, solver::zero{stage, way.overlap, &found}, c);
                                    const std::size_t all = sharing::parameters(how),
                                                      n = static_cast<std::size_t>(ranks);
                                    const std::size_t padding = 4;  // a number for each block
                                    const std::size_t largest = 20 * how.hidden;
                                    return found.parameters == all && found.memory >= 2 * (all / n - padding) &&
                                           found.memory <= 2 * (all / n + padding) &&
                                           found.weights == (stage < 3 ? all : found.memory / 2) &&
                                           found.gradient_blocks == (at_end ? 4u : 1u) &&
                                           found.gradient_numbers == (at_end ? all : largest) &&
                                           found.fetched_blocks == (stage == 3 ? 1u : 0u) &&
                                           found.fetched_numbers == (stage == 3 ? largest : 0u);
                                }) == ranks,
                       "stage " << way.stage << ", overlap " << way.overlap << ", on " << ranks << " ranks");
}

BOOST_AUTO_TEST_CASE(two_two_three_times_the_least_numbers_are_sent) {
    const auto p = static_cast<double>(sharing::parameters({}));
    const double blocks = 4, header = 16, loss = 24;  // bytes of a rank and batch
    for (const bool overlap : {false, true}) {
        for (const int ranks : {2, 3, 4}) {
            const setting one_each{.rows = 128, .groups = static_cast<std::size_t>(ranks)};
            const double besides = loss + (overlap ? blocks * ranks * header : 0);  // a letter to every rank
            BOOST_TEST(numbers_per_batch(ranks, one_each, {.stage = 1, .overlap = overlap}, besides) == 2 * p);
            BOOST_TEST(numbers_per_batch(ranks, one_each, {.stage = 2, .overlap = overlap}, besides) == 2 * p);
            // the 10 biases that the loss reads are fetched once: its slopes are taken on the way forward
            BOOST_TEST(numbers_per_batch(ranks, one_each, {.stage = 3, .overlap = overlap}, besides) == 3 * p - 10);
        }
        // the exact sum of two groups per rank, and of more
        const solver::zero way{.stage = 2, .overlap = overlap};
        const double once = overlap ? blocks * 2 * header : 0, thrice = overlap ? blocks * 4 * header : 0;
        BOOST_TEST(numbers_per_batch(2, {.rows = 128, .groups = 4}, way, loss + once) == 3 * p);
        BOOST_TEST(numbers_per_batch(2, {.rows = 128, .groups = 16}, way, loss + thrice) == 3 * p);
        // sums that are not exact need one
        BOOST_TEST((numbers_per_batch<core::fast>(2, {.rows = 128, .groups = 16}, way, 16 + once) == 2 * p));
    }
}

BOOST_AUTO_TEST_CASE(fast_sums_are_those_of_the_same_ranks) {
    const setting how{.groups = 7};
    for (const bool overlap : {false, true})
        for (const int ranks : {1, 3})
            BOOST_TEST(holds_on<core::fast>(ranks, [&](const auto& c) {
                           return sharing::fit(how, solver::zero{.stage = 2, .overlap = overlap}, c).weights ==
                                  sharing::fit(how, solver::replicated{}, c).weights;
                       }) == ranks);
}

BOOST_AUTO_TEST_CASE(a_run_goes_on_from_its_checkpoint_on_other_ranks) {
    const interrupted::scratch place("zero");
    const setting whole{.epochs = 4};
    const auto straight = sharing::fit(whole);
    const auto stop = [](const core::record& now) { return now.iteration == 2; };
    const auto run = [&](int ranks, const setting& how, bool stops) {
        return holds_on(ranks, [&](const auto& c) {
            core::checkpoints keeper{.folder = place.folder()};
            const auto interrupt = [&](const core::record& now) { return stops && stop(now); };
            // observers see the weights of stage 3, too
            bool seen = true;
            const auto look = [&](const core::record& now) {
                seen = seen && now.weights().size() == sharing::parameters(how);
            };
            const auto fit = sharing::fit(how, solver::zero{.stage = 3, .overlap = true}, c, keeper, interrupt, look);
            return seen && (stops ? fit.status == core::status::stopped : fit.weights == straight.weights);
        });
    };
    BOOST_TEST(run(3, whole, true) == 3);
    setting rest = whole;
    rest.resume = place.folder();
    BOOST_TEST(run(2, rest, false) == 2);
}

BOOST_AUTO_TEST_CASE(other_stages_are_refused) {
    for (const int stage : {0, 4})
        BOOST_CHECK_EXCEPTION(sharing::fit({}, solver::zero{.stage = stage}), core::option_error,
                              [&](const core::option_error& e) {
                                  return e.what() == core::text("zero: stage is ", stage,
                                                                " (1 shares memory, 2 gradients too, 3 weights too) "
                                                                "try 2");
                              });
}

BOOST_AUTO_TEST_CASE(overlap_needs_mailboxes) {
    communicator::threads<>::run(2, [](const communicator::threads<>& c) {
        const auto halves = communicator::split(c, 0);
        bool right = sharing::fit({}, solver::zero{}, halves).weights == sharing::fit({}).weights;
        try {
            sharing::fit({}, solver::zero{.overlap = true}, halves);
            right = false;
        } catch (const core::option_error& e) {
            right =
                right && std::string(e.what()).find("leave it off, or use communicator::threads") != std::string::npos;
        }
        if (!right) throw std::logic_error("zero on a group");
    });
}

BOOST_AUTO_TEST_SUITE_END()

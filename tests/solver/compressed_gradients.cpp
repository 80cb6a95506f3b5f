// SPDX-License-Identifier: BSL-1.0
#include "compressed_gradients.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <gamut/communicator/counting.hpp>
#include <gamut/communicator/threads.hpp>
#include <gamut/compressor/quantized.hpp>
#include <gamut/compressor/sign.hpp>
#include <gamut/compressor/stored_memory.hpp>
#include <gamut/core/error.hpp>
#include <gamut/data/csv.hpp>
#include <gamut/data/every.hpp>
#include <gamut/estimator.hpp>
#include <gamut/penalty/l1.hpp>

#include "interrupted.hpp"

using namespace gamut;
namespace tested = compressed_gradients;

namespace {

/// On every fifth digit, which the fit has not seen; four nodes.
template <class Compressor> double accuracy(const Compressor& compressor) {
    const data::csv<> digits{.path = "examples/data/digits.csv"};
    return estimator{.model = model::softmax{},
                     .penalty = penalty::l2{.strength = 1e-3},
                     .solver = solver::sgd{.rate = .05,
                                           .momentum = .9,
                                           .batch = 64,
                                           .check_every = 0,
                                           .blocks = 4,
                                           .compressor = compressor,
                                           .stop = {.iterations = 30, .tolerance = 0}}}
        .fit(data::all_but_every(digits, 5))
        .score(data::every(digits, 5))
        .accuracy;
}

/// A memory after three messages, which goes through bytes and says the same fourth message.
template <class Compressor> bool comes_back(const Compressor& c) {
    std::vector<double> x(100);
    compressor::memory_of<Compressor, double> memory, other;
    compressor::bytes first, second;
    for (std::uint64_t round = 0; round < 3; ++round) {
        for (std::size_t i = 0; i < x.size(); ++i) x[i] = std::sin(static_cast<double>(i * (round + 1)));
        compressor::encode<double>(c, {.round = round}, x, memory, first);
    }
    compressor::stored_memory stored;
    compressor::store(memory, stored);
    compressor::restore(other, stored);
    compressor::encode<double>(c, {.round = 3}, x, memory, first);
    compressor::encode<double>(c, {.round = 3}, x, other, second);
    return first == second;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(compressed_gradients)

BOOST_AUTO_TEST_CASE(threads_have_the_bits_of_one_rank) {
    for (const int ranks : {2, 3, 4, 5})
        communicator::threads<>::run(ranks, [](const communicator::threads<>& c) { tested::check_bits(c); });
}

BOOST_AUTO_TEST_CASE(digits_are_told_apart_as_well_as_by_whole_gradients) {
    const double whole = accuracy(compressor::none{});
    BOOST_TEST(whole > .94);
    const auto near = [&](const auto& compressor, double most = .005) {
        const double found = accuracy(compressor);
        BOOST_TEST(std::abs(found - whole) <= most, compressor.name << " " << found << " and not " << whole);
    };
    near(compressor::half{});
    near(compressor::int8{});
    near(compressor::error_feedback{compressor::top_k{.share = .01}});
    near(compressor::error_feedback{compressor::random_k{.share = .1}}, .007);
    near(compressor::error_feedback{compressor::quantized{.bits = 4}}, .007);
}

BOOST_AUTO_TEST_CASE(what_is_remembered_is_in_checkpoints) {
    tested::for_each_compressor([](const auto& compressor) {
        BOOST_TEST(interrupted::at_every_iteration(
                       std::string("compressed_") + std::string(compressor.name),
                       [&](const auto& c, const std::string& resume, auto&... observers) {
                           return tested::minimum(c, compressor, 4, resume, observers...);
                       },
                       2) == "");
    });
}

BOOST_AUTO_TEST_CASE(ranks_without_blocks_keep_and_take_what_is_remembered) {
    const compressor::error_feedback compressor{compressor::low_rank{.rank = 1}};
    const auto whole = interrupted::described(tested::minimum(communicator::single<>{}, compressor, 4));
    for (const auto& [before, after] : {std::pair{5, 1}, {1, 6}, {6, 5}}) {
        const interrupted::scratch place("compressed_few_blocks");
        interrupted::on_ranks(before, [&](const auto& c) {
            core::checkpoints keeper{.every = 2, .folder = place.folder()};
            const auto end = [](const core::record& now) { return now.iteration == 2; };
            return std::string(core::name(tested::minimum(c, compressor, 4, {}, end, keeper).status));
        });
        BOOST_TEST(interrupted::on_ranks(after, [&](const auto& c) {
                       return interrupted::described(tested::minimum(c, compressor, 4, place.folder()));
                   }) == whole);
    }
}

BOOST_AUTO_TEST_CASE(memories_go_through_bytes) {
    BOOST_TEST(comes_back(compressor::half{}));
    BOOST_TEST(comes_back(compressor::low_rank{.rank = 2}));
    BOOST_TEST(comes_back(compressor::error_feedback{compressor::sign{}}));
    BOOST_TEST(comes_back(compressor::error_feedback{compressor::low_rank{.rank = 2}}));
    compressor::error_feedback<compressor::sign>::memory<double> memory;
    BOOST_CHECK_THROW(compressor::restore(memory, {.shared = {1, 2, 3}}), core::data_error);
    BOOST_CHECK_THROW(compressor::restore(memory, {.shared = compressor::bytes(8, 255)}), core::data_error);
    BOOST_CHECK_THROW(compressor::restore(memory, {.shared = compressor::bytes(64, 0)}), core::data_error);
}

BOOST_AUTO_TEST_CASE(fewer_bytes_travel) {
    std::size_t bytes[2] = {};
    communicator::threads<>::run(4, [&](const communicator::threads<>& c) {
        const communicator::counting<communicator::threads<>> ranks(c);
        const auto count = [&](const auto& compressor) {
            ranks.reset();
            tested::minimum(ranks, compressor, 5);
            return ranks.bytes();
        };
        const std::size_t whole = count(compressor::none{}), half = count(compressor::half{});
        if (c.rank() == 0) bytes[0] = whole, bytes[1] = half;
    });
    BOOST_TEST(bytes[1] < bytes[0]);
}

BOOST_AUTO_TEST_CASE(a_prox_follows_each_step) {
    const auto data = tested::rows().load(communicator::single<>{}, {.classification = true, .blocks = 4});
    const solver::problem problem(model::softmax{}, data, penalty::l1{.strength = .05}, backend::host<>{.threads = 1},
                                  communicator::single<>{}, true);
    const auto found = solver::sgd{.rate = .05,
                                   .batch = 30,
                                   .blocks = 4,
                                   .compressor = compressor::int8{},
                                   .stop = {.iterations = 200, .tolerance = 0}}
                           .minimize(problem);
    const auto whole =
        solver::sgd{.rate = .05, .batch = 30, .blocks = 4, .stop = {.iterations = 200, .tolerance = 0}}.minimize(
            problem);
    BOOST_TEST(std::abs(found.objective - whole.objective) < 2e-3 * whole.objective);
    BOOST_TEST(found.history.back().nonzeros < problem.layout().size());
}

BOOST_AUTO_TEST_CASE(refusals) {
    const auto says = [](const auto& solver) {
        try {
            solver.validate();
        } catch (const core::option_error& problem) {
            return std::string(problem.what());
        }
        return std::string();
    };
    BOOST_TEST(says(solver::sgd{.compressor = compressor::half{}}) ==
               "sgd: blocks is 0 (a compressor is of the gradients of blocks) try 8");
    BOOST_TEST(says(solver::sgd{.blocks = 4, .compressor = compressor::int8{.block = 0}}).find("int8: block is 0") ==
               0);
}

BOOST_AUTO_TEST_SUITE_END()

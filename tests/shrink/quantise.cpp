// SPDX-License-Identifier: BSL-1.0
#include <gamut/shrink/quantise.hpp>

#include <gamut/communicator/threads.hpp>
#include <gamut/shrink/prune.hpp>
#include <gamut/shrink/rounding.hpp>

#include <boost/test/unit_test.hpp>

#include <cmath>
#include <set>
#include <vector>

#include "shrink/cases.hpp"

using namespace gamut;
using namespace small;

BOOST_AUTO_TEST_SUITE(quantise)

namespace {
std::vector<double> placed(std::vector<double> w, std::uint32_t bits, shrink::per per) {
    shrink::rounding{{bits, per}, {{0, 0, 2, 3}}, {}}.place(std::span(w));
    return w;
}
}  // namespace

BOOST_AUTO_TEST_CASE(weights_go_to_the_nearest_level) {
    using list = std::vector<double>;
    const list w{0.4, -1, 0.1, 0.8, -0.1, 4, 77};  // a matrix 2 x 3, and a bias
    // two bits: -largest, 0, largest
    BOOST_CHECK((placed(w, 2, shrink::per::tensor) == list{0, 0, 0, 0, 0, 4, 77}));
    BOOST_CHECK((placed(w, 2, shrink::per::row) == list{0, -1, 0, 0, 0, 4, 77}));
    BOOST_CHECK((placed(w, 2, shrink::per::column) == list{0.8, -1, 0, 0.8, 0, 4, 77}));  // a half, away from 0
    for (const auto per : {shrink::per::tensor, shrink::per::row, shrink::per::column})
        for (std::uint32_t bits = 2; bits <= 16; ++bits) {
            const list once = placed(w, bits, per);
            BOOST_CHECK(placed(once, bits, per) == once);  // levels stay
            const double step = 4 / std::pow(2.0, bits - 1);
            for (std::size_t k = 0; k < 6; ++k) BOOST_TEST(std::abs(once[k] - w[k]) <= step + 1e-12);
        }
    BOOST_CHECK((placed(list(7), 8, shrink::per::row) == list(7)));
}

BOOST_AUTO_TEST_CASE(eight_bits_cost_nothing_and_two_cost_much) {
    const auto source = tiny_mix<float>(2000, 1, 0), test = tiny_mix<float>(2000, 1, 1);
    const auto e = trainer<float>(60, 12);
    const auto fit = e.fit(source);
    const double full = fit.score(test).accuracy;
    const auto eight = shrink::quantise(fit, {.bits = 8});
    BOOST_TEST(eight.score(test).accuracy >= full - 0.003);
    BOOST_TEST(std::isnan(eight.objective));
    for (const auto& t : shrink::tensors_of(eight)) {
        const auto first = eight.weights.begin() + static_cast<std::ptrdiff_t>(t.offset);
        BOOST_TEST(std::set<double>(first, first + static_cast<std::ptrdiff_t>(t.size())).size() <= 255u);
    }
    const auto two = shrink::quantise(fit, {.bits = 2});
    BOOST_TEST(two.score(test).accuracy < full - 0.05);

    // trained with its levels, three bits are worth more
    const auto three = shrink::quantise(trainer<float>(60, 10), source, fit, {.bits = 3});
    BOOST_TEST(three.score(test).accuracy > shrink::quantise(fit, {.bits = 3}).score(test).accuracy + 0.01);
    BOOST_TEST(three.score(test).accuracy >= full - 0.02);
    // weights that are lost stay so
    const auto half = shrink::prune(trainer<float>(60, 1), source, fit, {.keep = 0.5});
    const auto trained = shrink::quantise(trainer<float>(60, 1), source, half, {.bits = 3});
    for (std::size_t k = 0; k < half.weights.size(); ++k)
        if (half.weights[k] == 0) BOOST_REQUIRE(trained.weights[k] == 0);
    const auto again = shrink::quantise(trained, {.bits = 3});
    BOOST_CHECK(again.weights == trained.weights);  // it is on its levels
}

BOOST_AUTO_TEST_CASE(ranks_and_threads_change_no_bit) {
    const auto source = tiny_mix(300, 2, 0);
    const auto weights = [&](const auto& ranks, int threads) {
        const auto e = trainer(16, 2, ranks, threads);
        return shrink::quantise(e, source, e.fit(source), {.bits = 3, .per = shrink::per::column}).weights;
    };
    const std::vector<double> alone = weights(communicator::single<>{}, 1);
    BOOST_CHECK(weights(communicator::single<>{}, 3) == alone);
    std::vector<int> same(3);
    communicator::threads<>::run(3, [&](const communicator::threads<>& ranks) {
        same[static_cast<std::size_t>(ranks.rank())] = weights(ranks, 1) == alone ? 1 : 0;
    });
    for (const int s : same) BOOST_TEST(s == 1);
}

BOOST_AUTO_TEST_CASE(what_does_not_fit_is_refused) {
    const auto source = tiny_mix(200, 2, 0);
    const auto e = trainer(16, 1);
    auto fit = e.fit(source);
    for (const std::uint32_t bits : {0u, 1u, 17u}) {
        BOOST_CHECK_EXCEPTION(shrink::quantise(fit, {.bits = bits}), core::option_error, says("quantise: bits is "));
        BOOST_CHECK_EXCEPTION(shrink::quantise(e, source, fit, {.bits = bits}), core::option_error, says("bits is "));
    }
    fit.weights[3] = INFINITY;
    BOOST_CHECK_EXCEPTION(shrink::quantise(fit), core::data_error, says("weight 3 is inf"));
}

BOOST_AUTO_TEST_SUITE_END()

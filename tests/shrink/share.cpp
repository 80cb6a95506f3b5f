// SPDX-License-Identifier: BSL-1.0
#include <gamut/shrink/share.hpp>

#include <gamut/communicator/threads.hpp>
#include <gamut/shrink/clusters.hpp>
#include <gamut/shrink/prune.hpp>
#include <gamut/shrink/sparsity.hpp>

#include <boost/test/unit_test.hpp>

#include <cmath>
#include <set>
#include <vector>

#include "shrink/cases.hpp"

using namespace gamut;
using namespace small;

BOOST_AUTO_TEST_SUITE(share)

namespace {
/// The different weights of a tensor, besides 0.
template <class Fit> std::set<double> values_of(const Fit& fit, const shrink::tensor& t) {
    const auto first = fit.weights.begin() + static_cast<std::ptrdiff_t>(t.offset);
    std::set<double> found(first, first + static_cast<std::ptrdiff_t>(t.size()));
    found.erase(0.0);
    return found;
}
}  // namespace

BOOST_AUTO_TEST_CASE(a_projection_onto_equal_members) {
    const shrink::clusters rule{{0, 1, 2, 3, 2, 3, 2}, 2};
    std::vector<double> w{5, 6, 1, -1, 2, -2, 6};
    rule.place(std::span(w));
    BOOST_CHECK((w == std::vector<double>{0, 6, 3, -1.5, 3, -1.5, 3}));
    std::vector<double> third(7, 1.0 / 3);  // equal members keep their bits
    rule.place(std::span(third));
    BOOST_CHECK((third == std::vector<double>{0, 1.0 / 3, 1.0 / 3, 1.0 / 3, 1.0 / 3, 1.0 / 3, 1.0 / 3}));
}

BOOST_AUTO_TEST_CASE(few_numbers_stay_and_can_be_trained) {
    const auto source = tiny_mix(2000, 1, 0), test = tiny_mix(2000, 1, 1);
    const auto e = trainer(40, 8);
    const auto fit = shrink::prune(trainer(40, 4), source, e.fit(source), {.keep = 0.4});
    const auto shared = shrink::share(fit, {.bits = 2});
    const auto lloyd = shrink::share(fit, {.bits = 2, .centres = shrink::centres::linear});
    const auto trained = shrink::share(trainer(40, 4), source, fit, {.bits = 2});
    const auto alive = shrink::mask_of(fit);
    for (const auto* const one : {&shared, &lloyd, &trained}) {
        BOOST_CHECK(shrink::mask_of(*one) == alive);
        for (const auto& t : shrink::tensors_of(fit)) BOOST_TEST(values_of(*one, t).size() <= 4u);
        for (const double w : one->weights) BOOST_REQUIRE(w == static_cast<double>(static_cast<float>(w)));
    }
    // each keeps its cluster
    BOOST_CHECK(shrink::clusters_of(shared.weights, shrink::tensors_of(fit)).count ==
                shrink::clusters_of(trained.weights, shrink::tensors_of(fit)).count);
    BOOST_CHECK(trained.weights != shared.weights);
    BOOST_TEST(trained.score(source).loss < 0.9 * shared.score(source).loss);

    double best = 0, other = 0;
    for (const auto& t : shrink::tensors_of(fit))
        for (std::size_t k = t.offset; k < t.offset + t.size(); ++k) {
            best += std::pow(fit.weights[k] - shared.weights[k], 2);
            other += std::pow(fit.weights[k] - lloyd.weights[k], 2);
        }
    BOOST_TEST(best <= other * (1 + 1e-6));
    const auto again = shrink::share(shared, {.bits = 2});
    BOOST_CHECK(again.weights == shared.weights);
    BOOST_CHECK(shrink::share(trained, {.bits = 2}).weights == trained.weights);
    BOOST_TEST(shrink::share(fit, {.bits = 6}).score(test).accuracy >= fit.score(test).accuracy - 0.01);
}

BOOST_AUTO_TEST_CASE(ranks_and_threads_change_no_bit) {
    const auto source = tiny_mix(300, 2, 0);
    const auto weights = [&](const auto& ranks, int threads) {
        const auto e = trainer(16, 2, ranks, threads);
        return shrink::share(e, source, e.fit(source), {.bits = 3}).weights;
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
    for (const std::uint32_t bits : {0u, 9u})
        BOOST_CHECK_EXCEPTION(shrink::share(e, source, fit, {.bits = bits}), core::option_error,
                              says("share: bits is "));
    fit.weights[3] = 1e300;
    BOOST_CHECK_EXCEPTION(shrink::share(fit), core::data_error, says("weight 3 is 1e+300"));
}

BOOST_AUTO_TEST_SUITE_END()

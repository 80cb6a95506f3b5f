// SPDX-License-Identifier: BSL-1.0
#include <gamut/network/hinge.hpp>

#include <gamut/communicator/threads.hpp>
#include <gamut/network.hpp>
#include <gamut/network_file.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <filesystem>
#include <string>
#include <unistd.h>
#include <vector>

#include "backend/check_formula.hpp"
#include "network/tiny_mix.hpp"

using namespace gamut;

BOOST_AUTO_TEST_SUITE(hinge)

namespace {
/// |z - y|, a loss of one's own.
struct absolute {
    static constexpr const char* name = "network regressor by absolute errors";
    constexpr auto loss(auto z) const { return mean(abs(autodiff::row_sum(z) - autodiff::labels{})); }
    constexpr auto predict(auto z) const { return z; }
};
static_assert(network::Loss<network::hinge> && network::Loss<network::cross_entropy> && network::Loss<absolute> &&
              !network::Loss<network::dense>);
}  // namespace

BOOST_AUTO_TEST_CASE(it_is_the_margin_by_which_a_class_is_not_ahead) {
    // one layer without hidden units: z = x W + b, and all that follows, by hand
    const network::classifier net{network::hinge{}, network::dense{4}};
    const auto shapes = net.shapes(3);
    const formula_point at(19, 3, 4, dimension_of(shapes), 2);
    double loss = 0;
    std::vector<double> gradient(at.w.size());
    for (std::size_t i = 0; i < at.rows; ++i) {
        double z[4];
        for (std::size_t k = 0; k < 4; ++k) {
            z[k] = at.w[12 + k];
            for (std::size_t j = 0; j < 3; ++j) z[k] += at.x[i * 3 + j] * at.w[j * 4 + k];
        }
        const auto y = static_cast<std::size_t>(at.y[i]);
        std::size_t rival = y;  // among the others
        for (std::size_t k = 0; k < 4; ++k)
            if (k != y && (rival == y || z[k] > z[rival])) rival = k;
        const double behind = 1 + z[rival] - z[y];
        if (behind <= 0) continue;
        loss += behind / 19;
        for (const auto& [k, sign] : {std::pair{rival, 1.0}, {y, -1.0}}) {
            for (std::size_t j = 0; j < 3; ++j) gradient[j * 4 + k] += sign * at.x[i * 3 + j] / 19;
            gradient[12 + k] += sign / 19;
        }
    }
    const auto program = net.loss_program(3);
    backend::program_run_for<double, std::remove_const_t<decltype(program)>> run(program, shapes, 3, 19);
    std::vector<double> found(at.w.size());
    const double value = run.gradient({.x = at.x.data(), .stride = 3, .rows = 19, .y = at.y.data(), .share = 1.0 / 19},
                                      run.flat(at.w.data(), nullptr, found.data()));
    BOOST_TEST(loss > 0.1);
    BOOST_TEST(value == loss, boost::test_tools::tolerance(1e-14));
    for (std::size_t k = 0; k < found.size(); ++k) BOOST_TEST(std::abs(found[k] - gradient[k]) <= 1e-14);
}

BOOST_AUTO_TEST_CASE(derivatives_within_a_network) {
    const network::classifier net{network::hinge{}, network::dense{7}, network::tanh{}, network::dense{3}};
    const auto shapes = net.shapes(5);
    check_program(net.loss_program(5), shapes, formula_point(9, 5, 3, dimension_of(shapes)), "hinge");
}

BOOST_AUTO_TEST_CASE(a_network_by_it_fits_predicts_scores_and_is_saved) {
    const auto fit = [](const auto& ranks) {
        return estimator{
            .model = network::classifier{network::hinge{}, network::dense{24}, network::relu{}, network::dense{10}},
            .penalty = penalty::l2{1e-4},
            .solver =
                solver::sgd{.rate = 0.05, .momentum = 0.9, .batch = 64, .check_every = 0, .stop = {.iterations = 12}},
            .communicator = ranks,
            .prepare = {.columns = data::columns::as_given}}
            .fit(tiny_mix(1500, 1, 0));
    };
    const auto alone = fit(communicator::single<>{});
    const auto test = tiny_mix(600, 1, 1);
    BOOST_TEST(alone.score(test).accuracy > 0.8);
    // scores, whose largest is the class, and the loss of them
    const auto guess = alone.predict(test);
    const auto rows = test.load(communicator::single<>{}, {.classification = true});
    double loss = 0, right = 0;
    bool negative = false;
    for (std::size_t i = 0; i < guess.rows; ++i) {
        const auto y = static_cast<std::size_t>(rows.y[i]);
        double most = 0;
        for (std::size_t k = 0; k < 10; ++k) {
            negative = negative || guess.value(i, k) < 0;
            if (k != y) most = std::max(most, 1 + guess.value(i, k) - guess.value(i, y));
        }
        loss += most / static_cast<double>(guess.rows);
        right += guess.class_index(i) == y ? 1.0 / static_cast<double>(guess.rows) : 0;
    }
    BOOST_TEST(negative);
    BOOST_TEST(alone.score(test).loss == loss, boost::test_tools::tolerance(1e-12));
    BOOST_TEST(alone.score(test).accuracy == right, boost::test_tools::tolerance(1e-12));
    communicator::threads<>::run(3, [&](const communicator::threads<>& ranks) {
        const bool same = fit(ranks).weights == alone.weights;
        if (ranks.rank() == 0) BOOST_TEST(same);
    });

    const auto file =
        std::filesystem::temp_directory_path() / ("gamut_test_hinge_" + std::to_string(::getpid()) + ".json");
    save(alone, file.string());
    BOOST_CHECK(load_network(file.string(), alone.model).weights == alone.weights);
    // as another loss it would predict what it was not fitted for
    BOOST_CHECK_THROW(
        load_network(file.string(), network::classifier{network::dense{24}, network::relu{}, network::dense{10}}),
        core::data_error);
    std::filesystem::remove(file);
}

BOOST_AUTO_TEST_CASE(a_loss_of_ones_own) {
    // the median, where the mean is far off
    std::vector<double> x(40, 1.0), y(40, 2.0);
    for (std::size_t i = 0; i < 12; ++i) y[3 * i] = 500;
    const auto fit = estimator{.model = network::regressor{absolute{}, network::dense{1}},
                               .solver = solver::sgd{.rate = solver::schedule::inverse_time{.rate = 0.5, .decay = 0.5},
                                                     .batch = 40,
                                                     .check_every = 0,
                                                     .stop = {.iterations = 400}},
                               .prepare = {.columns = data::columns::as_given}}
                         .fit(data::arrays(x, 40, 1, y));
    BOOST_TEST(std::abs(fit.predict(data::arrays(x, 40, 1, y)).value(0) - 2) < 0.05);
}

BOOST_AUTO_TEST_SUITE_END()

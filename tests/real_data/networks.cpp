// SPDX-License-Identifier: BSL-1.0
#include "files.hpp"

#include <gamut/data/csv.hpp>
#include <gamut/data/every.hpp>
#include <gamut/data/rows_where.hpp>
#include <gamut/network.hpp>
#include <gamut/penalty/l2.hpp>
#include <gamut/solver/schedule.hpp>
#include <gamut/update/adam.hpp>

using namespace gamut;
using real_data::answer;

BOOST_AUTO_TEST_SUITE(networks, *boost::unit_test::precondition(real_data::is_there))

BOOST_AUTO_TEST_CASE(nn_digits) {
    const answer known("nn_digits");
    const double enough = known["mean_test"].get<double>() - 0.015;
    const auto digits = real_data::digits();
    const auto fit =
        estimator{.model = network::classifier{network::dense{64}, network::relu{}, network::dense{64}, network::relu{},
                                               network::dense{10}},
                  .solver = solver::sgd{.rate = 0.1, .momentum = 0.9, .batch = 64, .stop = {.iterations = 60}},
                  .prepare = {.columns = data::columns::as_given}}
            .fit(data::all_but_every(digits, 5));
    BOOST_TEST(fit.score(data::every(digits, 5)).accuracy >= enough);
    BOOST_TEST(fit.score(data::all_but_every(digits, 5)).accuracy >= 0.995);
}

// A multilayer perceptron as Bosen's dnn_speech has it: two layers of sigmoids. scikit-learn adds alpha / 2 |w|^2 to the sum over a batch,
// which is 200 rows unless told otherwise.
BOOST_AUTO_TEST_CASE(nn_phoneme) {
    const answer known("nn_phoneme");
    const double enough = known["mean_test"].get<double>() - 0.015;
    const real_data::unpacked file("phoneme/phoneme.csv.gz");
    const std::vector<bool> is_training = real_data::rows_with(file.name(), ",train");
    const data::csv<> all{.path = file.name(), .label = "g", .ignore = {"split"}};
    const auto training = data::rows_where(all, [&](std::size_t row) { return is_training[row]; });
    const auto test = data::rows_where(all, [&](std::size_t row) { return !is_training[row]; });
    auto layers = network::classifier{network::dense{50}, network::sigmoid{}, network::dense{50}, network::sigmoid{},
                                      network::dense{5}};
    layers.rule = network::start_rule::glorot;
    const auto fit = estimator{.model = layers,
                               .penalty = penalty::l2{1.0 / 200},
                               .solver = solver::sgd{.rate = 0.005,
                                                     .update = update::adam{},
                                                     .batch = 200,
                                                     .check_every = 0,
                                                     .stop = {.iterations = 30}}}
                         .fit(training);
    BOOST_TEST_MESSAGE("phoneme: " << fit.score(test).accuracy << " of the test rows, " << fit.score(training).accuracy
                                   << " of the others, " << fit.seconds << " s");
    BOOST_TEST(fit.score(test).accuracy >= enough);
}

// 8,000 of the 10,000 pictures; 98.3 % of the other 2,000. Takes minutes without optimisation.
BOOST_AUTO_TEST_CASE(lenet_on_mnist, *boost::unit_test::disabled()) {
    const auto pixels = real_data::idx("mnist10k/t10k-images-idx3-ubyte.gz");
    const auto labels = real_data::idx("mnist10k/t10k-labels-idx1-ubyte.gz");
    const auto part = [&](std::size_t first, std::size_t rows) {
        backend::dense_matrix<float> x(rows, 784);
        for (std::size_t i = 0; i < rows * 784; ++i) x.values[i] = static_cast<float>(pixels[first * 784 + i] / 255);
        return data::arrays(std::move(x),
                            std::vector<double>(labels.begin() + static_cast<std::ptrdiff_t>(first),
                                                labels.begin() + static_cast<std::ptrdiff_t>(first + rows)));
    };
    const auto lenet = network::classifier{network::picture{28, 28}, network::convolution{8, 5},  network::max_pool{2},
                                           network::relu{},          network::convolution{16, 5}, network::max_pool{2},
                                           network::relu{},          network::flatten{},          network::dense{120},
                                           network::relu{},          network::dense{10}};
    const auto fit =
        estimator{.model = lenet,
                  .penalty = penalty::l2{1e-4},
                  .solver = solver::sgd{.rate = solver::schedule::step{.rate = 0.05, .factor = 0.2, .every = 5},
                                        .momentum = 0.9,
                                        .batch = 64,
                                        .check_every = 0,
                                        .stop = {.iterations = 8}},
                  .backend = backend::host<float>{},
                  .prepare = {.columns = data::columns::as_given}}
            .fit(part(0, 8000));
    BOOST_TEST_MESSAGE("LeNet: " << fit.seconds << " s for 8 epochs");
    BOOST_TEST(fit.score(part(8000, 2000)).accuracy >= 0.98);
}

BOOST_AUTO_TEST_SUITE_END()

// SPDX-License-Identifier: BSL-1.0
// Networks in single precision: what is stored and multiplied is float, sums over parts of the rows are double.
#include <gamut/data/arrays.hpp>
#include <gamut/network.hpp>

#include <boost/test/unit_test.hpp>

#include <cmath>
#include <cstddef>
#include <utility>
#include <vector>

using namespace gamut;

BOOST_AUTO_TEST_SUITE(precision)

namespace {
struct at_the_start {
    double loss;
    std::vector<double> gradient;
};
/// Loss and gradient of all rows at the weights a network begins with, its pictures being drawn.
template <class T, class Model> at_the_start look(const Model& model, std::size_t columns, std::size_t rows) {
    const core::random draw{4, 4};
    backend::dense_matrix<T> x(rows, columns);
    std::vector<double> y;
    for (std::size_t i = 0; i < rows * columns; ++i)
        x.values[i] = static_cast<T>(static_cast<float>(1 + draw.normal(i)));
    for (std::size_t i = 0; i < rows; ++i) y.push_back(static_cast<double>(i % 10));
    const estimator e{.model = model,
                      .solver = solver::sgd{},
                      .backend = backend::host<T>{},
                      .prepare = {.columns = data::columns::as_given}};
    const auto data =
        data::arrays(std::move(x), y).load(communicator::single<>{}, {.classification = true, .blocks = 4});
    const auto problem = e.problem_of(data);
    auto w = problem.start(), g = w;
    for (std::size_t k = 0; k < w.size(); ++k) w[k] = static_cast<T>(static_cast<float>(w[k]));  // the same for both
    const double loss = problem.value_and_gradient(w, g);
    const auto all = g.download();
    return {loss, {all.begin(), all.end()}};
}
constexpr auto around(std::size_t channels) {
    return network::convolution{.channels = channels, .kernel = 3, .border = 1};
}
template <class Model> void compare(const Model& model, std::size_t columns, std::size_t rows, double bound) {
    const auto exact = look<double>(model, columns, rows), found = look<float>(model, columns, rows);
    BOOST_TEST(std::abs(found.loss - exact.loss) <= bound * exact.loss);
    double apart = 0, length = 0;
    for (std::size_t k = 0; k < exact.gradient.size(); ++k) {
        apart += std::pow(found.gradient[k] - exact.gradient[k], 2);
        length += std::pow(exact.gradient[k], 2);
    }
    BOOST_TEST(std::sqrt(apart) <= bound * std::sqrt(length), std::sqrt(apart / length));
}
}  // namespace

BOOST_AUTO_TEST_CASE(gradients_in_float_have_the_digits_of_float) {
    compare(network::classifier{network::dense{40}, network::relu{}, network::dense{10}}, 20, 2000, 1e-6);
    // means over 128 pictures of 64 positions at a time, and gradients through them
    compare(network::classifier{network::picture{8, 8, 3}, around(4), network::batch_norm{}, network::tanh{}, around(4),
                                network::batch_norm{}, network::tanh{}, network::average_pool{8}, network::flatten{},
                                network::dense{10}},
            192, 512, 2e-5);
}

BOOST_AUTO_TEST_SUITE_END()

// SPDX-License-Identifier: BSL-1.0
// A layer of one's own is a function that returns a formula; its derivatives are the compiler's business. And a formula that is no
// network at all is minimised by any solver.
#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include <gamut/gamut.hpp>
#include <gamut/network.hpp>

using namespace gamut;

/// x sigmoid(beta x), beta being learnt: one number, which begins at 1.
struct swish {
    constexpr auto operator()(auto w, auto x, network::image) const {
        return x * autodiff::sigmoid(w.template number<0>() * x);
    }
    constexpr auto blocks(network::image) const { return std::array{network::block_shape{1, 1}}; }
    constexpr double begins(std::size_t) const { return 1; }
};

/// y = height exp(-(speed x - shift)^2): blocks of parameters with names, for a formula of one's own.
struct bell {
    autodiff::vector<0> speed{1};
    autodiff::number<1> shift{};
    autodiff::number<2> height{};
};

int main() {
    const data::csv<> cancer{.path = "examples/data/breast_cancer.csv"};
    const estimator net{.model = network::classifier{network::dense{16}, swish{}, network::dense{2}},
                        .penalty = penalty::l2{1e-2},
                        .solver = solver::sgd{.rate = 0.1, .momentum = 0.9, .stop = {.iterations = 30}}};
    const auto fit = net.fit(data::all_but_every(cancer, 5));
    const auto test = fit.score(data::every(cancer, 5));
    std::printf("swish: accuracy %.3f on %zu rows that the fit has not seen\n", test.accuracy, test.rows);

    std::vector<double> x, y;
    for (double at = -2; at < 2; at += 0.05) x.push_back(at), y.push_back(1.5 * std::exp(-std::pow(2 * at - 1, 2)));
    const auto rows = data::arrays(x, x.size(), 1, y).load(communicator::single<>{});
    const bell w;
    const auto curve = w.height * exp(-square(autodiff::data{} * w.speed - w.shift));
    const solver::formula_problem problem(mean(square(curve - autodiff::labels{})), w, rows,
                                          std::vector<double>{1, 0, 1});
    const auto found = solver::lbfgs{}.minimize(problem);
    std::printf("bell: speed %.4f, shift %.4f, height %.4f (%s)\n", found.weights[0], found.weights[1],
                found.weights[2], found.message.c_str());
    const bool right = std::abs(found.weights[2] - 1.5) < 1e-3 && std::abs(found.weights[0] - 2) < 1e-3;
    return right && test.accuracy > 0.93 ? EXIT_SUCCESS : EXIT_FAILURE;
}

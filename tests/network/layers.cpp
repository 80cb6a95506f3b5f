// SPDX-License-Identifier: BSL-1.0
// Every layer within a small network, against finite differences and PyTorch (tests/autodiff/by_pytorch.py).
#include <gamut/network/average_pool.hpp>
#include <gamut/network/batch_norm.hpp>
#include <gamut/network/classifier.hpp>
#include <gamut/network/concept.hpp>
#include <gamut/network/convolution.hpp>
#include <gamut/network/cross_entropy.hpp>
#include <gamut/network/dense.hpp>
#include <gamut/network/dropout.hpp>
#include <gamut/network/embedding.hpp>
#include <gamut/network/feedforward.hpp>
#include <gamut/network/flatten.hpp>
#include <gamut/network/gelu.hpp>
#include <gamut/network/layer_norm.hpp>
#include <gamut/network/max_pool.hpp>
#include <gamut/network/picture.hpp>
#include <gamut/network/regressor.hpp>
#include <gamut/network/relu.hpp>
#include <gamut/network/residual.hpp>
#include <gamut/network/sequential.hpp>
#include <gamut/network/sigmoid.hpp>
#include <gamut/network/squared.hpp>
#include <gamut/network/start.hpp>
#include <gamut/network/tanh.hpp>

#include <boost/test/unit_test.hpp>

#include <cmath>

#include "autodiff/by_pytorch.hpp"
#include "backend/check_formula.hpp"

using namespace gamut::network;

BOOST_AUTO_TEST_SUITE(layers)

namespace {
/// A network's own start, a little moved so that no derivative is zero by symmetry, at six rows; then beside PyTorch.
/// numbers: the data are 0, 1, ..., numbers - 1, where rows of a block are looked up.
template <class Net> void check(const Net& net, std::size_t columns, const char* what, std::size_t numbers = 0) {
    const auto shapes = net.shapes(columns);
    formula_point at(6, columns, 3, dimension_of(shapes));
    const auto start = net.template start<double>(columns);
    BOOST_REQUIRE(start.size() == at.w.size());
    for (std::size_t i = 0; i < start.size(); ++i) at.w[i] = start[i] + 0.1 * at.w[i];
    for (std::size_t i = 0; i < at.x.size() && numbers > 0; ++i) at.x[i] = static_cast<double>(i * i % numbers);
    const auto program = net.loss_program(columns);
    check_program(program, shapes, at, what);
    by_pytorch::compare(what, program, shapes, 6, columns, 3, numbers);
}

/// A layer of one's own: x sigmoid(beta x).
struct swish {
    constexpr auto operator()(auto w, auto x, image) const {
        return x * gamut::autodiff::sigmoid(w.template number<0>() * x);
    }
    constexpr auto blocks(image) const { return std::array{block_shape{1, 1}}; }
    constexpr double begins(std::size_t) const { return 1; }
};
static_assert(Layer<swish> && Layer<dense> && !Layer<image>);
static_assert(blocks_of<dense> == 2 && blocks_of<relu> == 0 && blocks_of<residual<dense, relu, dense>> == 4);
static_assert(out_of(convolution{8, 5}, {28, 28, 1}) == image{24, 24, 8});
static_assert(out_of(max_pool{2}, {24, 24, 8}) == image{12, 12, 8});
}  // namespace

BOOST_AUTO_TEST_CASE(lenet) {
    check(classifier{picture{12, 12, 2}, convolution{3, 3}, max_pool{2}, relu{}, convolution{4, 2}, max_pool{2}, relu{},
                     flatten{}, dense{5}, relu{}, dense{3}},
          288, "lenet");
}
BOOST_AUTO_TEST_CASE(normalised) {
    check(classifier{dense{9}, batch_norm{}, gamut::network::tanh{}, dense{3}}, 5, "batch_norm");
    check(classifier{picture{5, 5, 2}, convolution{.channels = 3, .kernel = 3, .border = 1}, batch_norm{}, gelu{},
                     average_pool{2, 1}, flatten{}, dense{3}},
          50, "batch_norm of channels");
    check(classifier{dense{9}, layer_norm{}, sigmoid{}, dense{3}}, 5, "layer_norm");
}
BOOST_AUTO_TEST_CASE(residuals_dropout_and_a_layer_of_ones_own) {
    check(classifier{dense{7}, residual{relu{}, dense{7}, gelu{}, dense{7}}, dropout{0.3}, swish{}, dense{3}}, 5,
          "residual");
    check(regressor{dense{6}, swish{}, dense{1}}, 4, "regressor");
}
BOOST_AUTO_TEST_CASE(embeddings) {
    check(classifier{embedding{3, 4}, flatten{}, dense{3}}, 2, "embedding", 3);
    check(classifier{embedding{3, 4}, flatten{}, layer_norm{}, residual{dense{8}, gamut::network::tanh{}}, dense{3}}, 2,
          "embedding, normalised", 3);
}
BOOST_AUTO_TEST_CASE(others_that_pytorch_knows) {
    check(regressor{dense{5}, gamut::network::tanh{}, dense{4}, gelu{}, dense{1}}, 4, "two hidden layers, squared");
    check(classifier{picture{6, 6, 1}, convolution{.channels = 2, .kernel = 3, .step = 2, .border = 1},
                     gamut::network::tanh{}, average_pool{2}, flatten{}, dense{3}},
          36, "convolution with steps");
    check(classifier{dense{6}, gelu{}, dropout{0}, dense{3}}, 5, "nothing dropped");
    check(classifier{picture{4, 4, 1}, convolution{.channels = 2, .kernel = 3, .border = 1},
                     residual{convolution{.channels = 2, .kernel = 3, .border = 1}, batch_norm{}, relu{}}, max_pool{2},
                     flatten{}, dense{3}},
          16, "residual of channels");
}

BOOST_AUTO_TEST_CASE(parameters_begin_as_the_rule_says) {
    classifier net{dense{400}, relu{}, batch_norm{}, dense{3}};
    for (const auto rule : {start_rule::he, start_rule::glorot}) {
        net.rule = rule;
        const auto w = net.start<double>(200);
        BOOST_REQUIRE(w.size() == 200u * 400 + 400 + 2 * 400 + 400 * 3 + 3);
        double square = 0;
        for (std::size_t i = 0; i < 80000; ++i) square += w[i] * w[i];
        // the variance of 80,000 normal numbers is within 2.5 % of theirs (5 deviations)
        BOOST_TEST(square / 80000 == 2 / (rule == start_rule::he ? 200.0 : 600.0), boost::test_tools::tolerance(0.025));
        for (std::size_t i = 80000; i < 80400; ++i) BOOST_TEST(w[i] == 0);
        for (std::size_t i = 80400; i < 80800; ++i) BOOST_TEST(w[i] == 1);
        BOOST_CHECK(w == net.start<double>(200));
    }
    const auto w = net.start<double>(200);
    net.seed = 2;
    BOOST_CHECK(w != net.start<double>(200));
}

BOOST_AUTO_TEST_SUITE_END()

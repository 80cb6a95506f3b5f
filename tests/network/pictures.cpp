// SPDX-License-Identifier: BSL-1.0
// The networks of benchmarks/networks for CIFAR's pictures, slim: their shapes at full width, their derivatives.
#include <gamut/network/branches.hpp>

#include <gamut/network.hpp>

#include <boost/test/unit_test.hpp>

#include <cstddef>
#include <vector>

#include "../../benchmarks/networks/picture_nets.hpp"
#include "backend/check_formula.hpp"

using namespace gamut::network;

BOOST_AUTO_TEST_SUITE(pictures)

namespace {
template <class Net> void check(const Net& net, std::size_t columns, std::size_t rows, const char* what) {
    const auto shapes = net.shapes(columns);
    formula_point at(rows, columns, 3, dimension_of(shapes));
    const auto start = net.template start<double>(columns);
    for (std::size_t i = 0; i < start.size(); ++i) at.w[i] = start[i] + 0.1 * at.w[i];
    check_program(net.loss_program(columns), shapes, at, what);
}
static_assert(blocks_of<branches<dense, sequential<dense, relu, dense>>> == 6);
static_assert(out_of(branches{convolution{8, 1, 2}, convolution{8, 3, 2, 1}}, {8, 8, 4}) == image{4, 4, 8});
}  // namespace

BOOST_AUTO_TEST_CASE(they_have_the_parameters_of_their_papers) {
    const picture cifar{32, 32, 3};
    BOOST_TEST(dimension_of(picture_nets::vgg11(cifar, 64).shapes(3072)) == 9225610u);
    BOOST_TEST(picture_nets::vgg11(cifar, 64).start<float>(3072).size() == 9225610u);
    // filters with a bias each, two numbers for each channel of batch_norm
    const auto convolved = [](std::size_t in, std::size_t out, std::size_t positions) {
        return positions * in * out + 3 * out;
    };
    std::size_t wanted = convolved(3, 16, 9) + 6 * convolved(16, 16, 9) + 64 * 10 + 10;
    for (const std::size_t c : {32, 64})
        wanted += convolved(c / 2, c, 1) + convolved(c / 2, c, 9) + 5 * convolved(c, c, 9);
    BOOST_TEST(dimension_of(picture_nets::resnet20(cifar, 16).shapes(3072)) == wanted);
    picture_nets::resnet20(cifar, 16).check_outputs(3072, 10);
}

BOOST_AUTO_TEST_CASE(derivatives_of_vgg11) { check(picture_nets::vgg11({32, 32, 2}, 1), 2048, 3, "vgg11"); }

BOOST_AUTO_TEST_CASE(derivatives_of_a_residual_network) {
    check(picture_nets::resnet8({8, 8, 2}, 2), 128, 5, "resnet8");
}

BOOST_AUTO_TEST_CASE(branches_of_other_shapes_are_refused) {
    const classifier net{picture{4, 4, 1}, branches{convolution{2, 1, 2}, convolution{2, 3, 1, 1}}, flatten{},
                         dense{3}};
    const auto make = [&] {
        const auto program = net.loss_program(16);
        gamut::backend::program_run_for<double, std::remove_const_t<decltype(program)>> run(program, net.shapes(16), 16,
                                                                                            4);
    };
    BOOST_CHECK_THROW(make(), gamut::core::shape_error);
}

BOOST_AUTO_TEST_SUITE_END()

// SPDX-License-Identifier: BSL-1.0
// Every operation of the grammar within a program, against finite differences.
#include <gamut/autodiff/operations.hpp>
#include <gamut/autodiff/power.hpp>
#include <gamut/autodiff/row_functions.hpp>
#include <gamut/autodiff/structure.hpp>

#include <boost/test/unit_test.hpp>

#include "backend/check_formula.hpp"

using namespace gamut;
using autodiff::matrix;
using autodiff::number;
using autodiff::row;

BOOST_AUTO_TEST_SUITE(formulas)

namespace {
struct names {
    matrix<0> A{5, 9};
    row<1> a{9};
    matrix<2> B{9, 6};
    number<3> s{};
    autodiff::vector<4> u{6};
};
constexpr autodiff::data X;
constexpr autodiff::labels y;
const names w;
const auto z = X * w.A + w.a;
const auto h = autodiff::sigmoid(z);

auto total(auto table) { return mean(row_sum(sin(table))); }  // nothing cancels, no derivative is constant
}  // namespace

BOOST_AUTO_TEST_CASE(functions_of_one_value) {
    check_formula(w, total(sin(z) + cos(0.5 * z)), "sin, cos");
    check_formula(w, total(tanh(z) * expm1(0.3 * z)), "tanh, expm1");
    check_formula(w, total(gelu(z) + erf(z)), "gelu, erf");
    check_formula(w, total(log1p(square(z)) / (1.5 + abs(z))), "log1p, abs, quotient");
    check_formula(w, total(sqrt(1 + square(z)) - softplus(z) + exp(-z)), "sqrt, softplus, exp");
    check_formula(w, total(relu(z) + log(1.1 + square(z)) + sign(z) * z), "relu, log, sign");
}
BOOST_AUTO_TEST_CASE(powers) {
    check_formula(w, total(pow(h, 2.5) + pow(z, 3)), "a formula to a number");
    check_formula(w, total(pow(1.7, z)), "a number to a formula");
    check_formula(w, total(pow(1 + h, z)), "a formula to a formula");
}
BOOST_AUTO_TEST_CASE(two_values_and_choices) {
    check_formula(w, total(min(z, 0.3 * z + 0.1) * max(h, 0.5)), "min, max");
    check_formula(w, total(clamp(z, -0.7, 0.9)), "clamp");
    check_formula(w, total(choose(z < 0.2, square(z), exp(z) - 1)), "choose");
    check_formula(w, total(2 / (1 + h) - z / 3), "numbers on either side");
}
BOOST_AUTO_TEST_CASE(over_a_row) {
    const auto t = h * w.B;
    check_formula(w, mean(log_sum_exp(3 * t) + row_max(t)), "log_sum_exp, row_max");
    check_formula(w, mean(dot(t, sin(t)) + norm(t) + square_norm(t)), "dot, norms");
    check_formula(w, mean(pick(log_softmax(t), y)) + sum(square(row_sum(t))), "log_softmax, a mean and a sum");
    check_formula(w, total(softmax(t)), "softmax");
    check_formula(w, mean(row_sum(square(t - one_hot(y, 6)))), "one_hot");
    check_formula(w, mean(row_sum(t * row_mean(t)) + row_mean(square(t))), "row_mean");
    check_formula(w, mean(square(row_sum(softmax(2 * t) * transpose(w.B) * w.B))), "softmax within, a transpose");
}
BOOST_AUTO_TEST_CASE(numbers_rows_and_vectors_stretch) {
    check_formula(w, mean(square(tanh(h * w.B) * w.u + w.s - y)), "a vector and a number");
    check_formula(w, total(w.s * z + w.a * y + row_sum(z) * w.s), "a number and a row in a table");
    check_formula(w, mean(square(w.s) * y + sin(w.s) * row_sum(h)), "functions of a number");
    check_formula(w, total(softmax(z) * w.s + w.a), "a number beside a reduction");
}
BOOST_AUTO_TEST_CASE(over_the_rows_at_hand) {
    check_formula(w, total(z - column_mean(z)), "column_mean");
    check_formula(w, total((z - column_mean(z)) / sqrt(0.1 + column_mean(square(z - column_mean(z))))),
                  "normalised columns");
    check_formula(w, mean(row_sum(h) * column_mean(row_sum(square(h)))), "the mean of a value per row");
    check_formula(w, total(h * keep(exp(0.1 * column_sum(h))) + column_mean(softmax(z))), "column_sum, kept");
}
BOOST_AUTO_TEST_CASE(moved_numbers) {
    check_formula(w, total(slice(h, 1, 5) * slice(z, 4, 8)), "slices");
    check_formula(w, total(concatenate(h, z * w.B) + concatenate(z * w.B, z)), "concatenations");
    check_formula(w, total(flatten(transpose(reshape(h, 3, 3))) * z), "reshape, transpose, flatten");
    check_formula(w, total(autodiff::table(X) * row_sum(h)), "the data beside a formula");
}
BOOST_AUTO_TEST_CASE(kept_masked_and_by_number) {
    const auto k = keep(2 * z);
    check_formula(w, total(k * k + keep<1>(3 * z)), "keep");
    check_formula(w, total(dropout(h, 0.4) + dropout<1>(z, 0.25)), "dropout");
    check_formula(w, mean(row_sum(square(h)) + 0.5 * sum_of_squares(w.A) * sum_of_squares(w.a)), "squares of blocks");
    struct table_of_words {
        matrix<0> words{3, 4};
        matrix<1> V{4, 2};
    };
    const table_of_words t;
    const auto shapes = autodiff::shapes_of(t);
    formula_point at(6, 2, 3, dimension_of(shapes));
    for (std::size_t i = 0; i < at.x.size(); ++i) at.x[i] = static_cast<double>(i * i % 3);
    check_at(mean(row_sum(square(flatten(sin(lookup(t.words, X) * t.V))))), shapes, at, "lookup");
}
BOOST_AUTO_TEST_CASE(images) {
    struct filters {
        matrix<0> F{8, 3};
        row<1> f{3};
        matrix<2> G{12, 2};
    };
    const filters c;
    const autodiff::image in{4, 5, 2};
    const auto shapes = autodiff::shapes_of(c);
    const formula_point at(5, in.size(), 3, dimension_of(shapes));
    const auto maps = move(autodiff::patches{in, 2}, X) * c.F + c.f;  // 3 x 4 x 3
    const autodiff::image middle{3, 4, 3};
    check_at(mean(row_sum(square(flatten(maps)))), shapes, at, "patches of the data");
    check_at(mean(row_sum(square(flatten(move(autodiff::patches{middle, 2, 1, 1}, tanh(maps)) * c.G)))), shapes, at,
             "patches of patches, with a border");
    check_at(mean(row_sum(square(flatten(move(autodiff::largest{middle, 2, 1}, maps))))), shapes, at, "the largest");
    check_at(mean(row_sum(square(flatten(move(autodiff::averaged{middle, 2, 2}, maps))))), shapes, at, "means");
    check_at(mean(row_sum(sin(flatten((maps - column_mean(maps)))))), shapes, at, "means over positions");
}

BOOST_AUTO_TEST_SUITE_END()

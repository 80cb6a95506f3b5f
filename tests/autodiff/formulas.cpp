// SPDX-License-Identifier: BSL-1.0
// Every operation of the grammar within a program, against finite differences, and against PyTorch: the text of each formula is what
// by_pytorch.py evaluates.
#include <gamut/autodiff/operations.hpp>
#include <gamut/autodiff/power.hpp>
#include <gamut/autodiff/row_functions.hpp>
#include <gamut/autodiff/structure.hpp>

#include <boost/test/unit_test.hpp>

#include <string>

#include "autodiff/by_pytorch.hpp"
#include "backend/check_formula.hpp"

using namespace gamut;
using autodiff::image;
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
const auto t = h * w.B;

auto total(auto table) { return mean(row_sum(sin(table))); }  // nothing cancels, no derivative is constant
auto as_table(auto x) { return autodiff::table(x); }
auto keep_again(auto a) { return autodiff::keep<1>(a); }
auto dropout_again(auto a, double rate) { return autodiff::dropout<1>(a, rate); }
auto patches(image in, std::size_t kernel, std::size_t step, std::size_t border, auto x) {
    return move(autodiff::patches{in, kernel, step, border}, x);
}
auto largest(image in, std::size_t window, std::size_t step, auto x) {
    return move(autodiff::largest{in, window, step}, x);
}
auto averaged(image in, std::size_t window, std::size_t step, auto x) {
    return move(autodiff::averaged{in, window, step}, x);
}

void check(const auto& formula, const std::string& text) {
    check_formula(w, formula, text);
    by_pytorch::compare(text, autodiff::cut(formula), autodiff::shapes_of(w), 5, 5, 3);
}
}  // namespace

#define GAMUT_CHECK(...) check(__VA_ARGS__, #__VA_ARGS__)

BOOST_AUTO_TEST_CASE(functions_of_one_value) {
    GAMUT_CHECK(total(sin(z) + cos(0.5 * z)));
    GAMUT_CHECK(total(tanh(z) * expm1(0.3 * z)));
    GAMUT_CHECK(total(gelu(z) + erf(z)));
    GAMUT_CHECK(total(log1p(square(z)) / (1.5 + abs(z))));
    GAMUT_CHECK(total(sqrt(1 + square(z)) - softplus(z) + exp(-z)));
    GAMUT_CHECK(total(relu(z) + log(1.1 + square(z)) + sign(z) * z));
}
BOOST_AUTO_TEST_CASE(powers) {
    GAMUT_CHECK(total(pow(h, 2.5) + pow(z, 3)));
    GAMUT_CHECK(total(pow(1.7, z)));
    GAMUT_CHECK(total(pow(1 + h, z)));
}
BOOST_AUTO_TEST_CASE(two_values_and_choices) {
    GAMUT_CHECK(total(min(z, 0.3 * z + 0.1) * max(h, 0.5)));
    GAMUT_CHECK(total(clamp(z, -0.7, 0.9)));
    GAMUT_CHECK(total(choose(z < 0.2, square(z), exp(z) - 1)));
    GAMUT_CHECK(total(choose(z >= h, log(choose(z > 0, z, 1)), -h)));
    GAMUT_CHECK(total(2 / (1 + h) - z / 3 - (1 - h)));
    GAMUT_CHECK(total(h * z - h / (2 + square(z))));
}
BOOST_AUTO_TEST_CASE(over_a_row) {
    GAMUT_CHECK(mean(log_sum_exp(3 * t) + row_max(t)));
    GAMUT_CHECK(mean(log_sum_exp(1000 + t) - pick(t, y)));
    GAMUT_CHECK(mean(dot(t, sin(t)) + norm(t) + square_norm(t)));
    GAMUT_CHECK(mean(pick(log_softmax(t), y)) + sum(square(row_sum(t))));
    GAMUT_CHECK(total(softmax(t)));
    GAMUT_CHECK(mean(row_sum(square(t - one_hot(y, 6)))));
    GAMUT_CHECK(mean(row_sum(t * row_mean(t)) + row_mean(square(t))));
    GAMUT_CHECK(mean(square(row_sum(softmax(2 * t) * transpose(w.B) * w.B))));
    GAMUT_CHECK(mean(row_mean(h)) - 0.5 * sum(row_mean(square(t))) / 3);  // over all entries
}
BOOST_AUTO_TEST_CASE(numbers_rows_and_vectors_stretch) {
    GAMUT_CHECK(mean(square(tanh(h * w.B) * w.u + w.s - y)));
    GAMUT_CHECK(total(w.s * z + w.a * y + row_sum(z) * w.s));
    GAMUT_CHECK(mean(square(w.s) * y + sin(w.s) * row_sum(h)));
    GAMUT_CHECK(total(softmax(z) * w.s + w.a));
}
BOOST_AUTO_TEST_CASE(over_the_rows_at_hand) {
    GAMUT_CHECK(total(z - column_mean(z)));
    GAMUT_CHECK(total((z - column_mean(z)) / sqrt(0.1 + column_mean(square(z - column_mean(z))))));
    GAMUT_CHECK(mean(row_sum(h) * column_mean(row_sum(square(h)))));
    GAMUT_CHECK(total(h * keep(exp(0.1 * column_sum(h))) + column_mean(softmax(z))));
}
BOOST_AUTO_TEST_CASE(moved_numbers) {
    GAMUT_CHECK(total(slice(h, 1, 5) * slice(z, 4, 8)));
    GAMUT_CHECK(total(concatenate(h, z * w.B) + concatenate(z * w.B, z)));
    GAMUT_CHECK(total(flatten(transpose(reshape(h, 3, 3))) * z));
    GAMUT_CHECK(total(as_table(X) * row_sum(h)));
}
BOOST_AUTO_TEST_CASE(kept_masked_and_stopped) {
    GAMUT_CHECK(total(keep(2 * z) * keep(2 * z) + keep_again(3 * z)));
    GAMUT_CHECK(total(dropout(h, 0.4) + dropout_again(z, 0.25)));  // masks in training only; see program_run.cpp
    GAMUT_CHECK(mean(row_sum(square(h)) + 0.5 * sum_of_squares(w.A) * sum_of_squares(w.a)));
    // central differences do not know of a stop; program_run.cpp has what follows from it
    by_pytorch::compare("total(h * stop_gradient(z) + sin(z))", autodiff::cut(total(h * stop_gradient(z) + sin(z))),
                        autodiff::shapes_of(w), 5, 5, 3);
}
BOOST_AUTO_TEST_CASE(rows_by_number) {
    struct words {
        matrix<0> words{3, 4};
        matrix<1> V{4, 2};
    };
    const words w;
    const auto shapes = autodiff::shapes_of(w);
    formula_point at(6, 2, 3, dimension_of(shapes));
    for (std::size_t i = 0; i < at.x.size(); ++i) at.x[i] = static_cast<double>(i * i % 3);
    const auto formula = mean(row_sum(square(flatten(sin(lookup(w.words, X) * w.V)))));
    check_at(formula, shapes, at, "lookup");
    by_pytorch::compare("mean(row_sum(square(flatten(sin(lookup(w.words, X) * w.V)))))", autodiff::cut(formula), shapes,
                        6, 2, 3, 3);
}
BOOST_AUTO_TEST_CASE(images) {
    struct filters {
        matrix<0> F{8, 3};
        row<1> f{3};
        matrix<2> G{12, 2};
    };
    const filters w;
    const image in{4, 5, 2}, middle{3, 4, 3};
    const auto shapes = autodiff::shapes_of(w);
    const formula_point at(5, in.size(), 3, dimension_of(shapes));
    const auto maps = patches(in, 2, 1, 0, X) * w.F + w.f;
    const auto check = [&](const auto& formula, const std::string& text) {
        check_at(formula, shapes, at, text);
        by_pytorch::compare(text, autodiff::cut(formula), shapes, 5, in.size(), 3);
    };
    GAMUT_CHECK(mean(row_sum(square(flatten(maps)))));
    GAMUT_CHECK(mean(row_sum(square(flatten(patches(middle, 2, 1, 1, tanh(maps)) * w.G)))));
    GAMUT_CHECK(mean(row_sum(square(flatten(largest(middle, 2, 1, maps))))));
    GAMUT_CHECK(mean(row_sum(square(flatten(averaged(middle, 2, 2, maps))))));
    GAMUT_CHECK(mean(row_sum(sin(flatten(maps - column_mean(maps))))));
}

BOOST_AUTO_TEST_SUITE_END()

// SPDX-License-Identifier: BSL-1.0
#include <gamut/backend/program_run.hpp>

#include <gamut/autodiff/operations.hpp>
#include <gamut/autodiff/row_functions.hpp>
#include <gamut/backend/data_rows.hpp>
#include <gamut/backend/evaluate.hpp>
#include <gamut/backend/flat_store.hpp>
#include <gamut/core/error.hpp>

#include <boost/test/unit_test.hpp>

#include "backend/allocations.hpp"
#include "backend/check_formula.hpp"

using namespace gamut;
using autodiff::matrix;
using autodiff::row;

BOOST_AUTO_TEST_SUITE(program_run)

namespace {
struct names {
    matrix<0> A{5, 11};
    row<1> a{11};
    matrix<2> B{11, 7};
    row<3> b{7};
    matrix<4> C{7, 3};
    row<5> c{3};
};
constexpr autodiff::data X;
constexpr autodiff::labels y;
const names w;

auto cross_entropy(auto z) { return mean(log_sum_exp(z) - pick(z, y)); }
auto network() {
    const auto h = relu(X * w.A + w.a);
    return cross_entropy(tanh(h * w.B + w.b) * w.C + w.c);
}
}  // namespace

BOOST_AUTO_TEST_CASE(a_network_of_three_layers_is_differentiated) { check_formula(w, network(), "three layers"); }

BOOST_AUTO_TEST_CASE(what_is_read_twice_is_computed_once_and_gets_both_adjoints) {
    const auto h = sigmoid(X * w.A + w.a);
    const auto g = h * w.B + w.b;
    const auto loss = cross_entropy(g * w.C) + mean(row_sum(square(h)) + row_sum(g * g));
    static_assert(decltype(autodiff::cut(loss))::size == 5);  // X A, h, h B, g, g C
    check_formula(w, loss, "a diamond");
}

BOOST_AUTO_TEST_CASE(nothing_is_allocated_once_there_is_a_program) {
    const auto shapes = autodiff::shapes_of(w);
    const formula_point at(64, 5, 3, dimension_of(shapes));
    const auto program = autodiff::cut(network());
    backend::program_run_for<double, std::remove_const_t<decltype(program)>> run(program, shapes, 5, 64, true);
    std::vector<double> g(run.dimension());
    const backend::data_rows<double> rows{.x = at.x.data(), .stride = 5, .rows = 64, .y = at.y.data()};
    run.gradient(rows, run.flat(at.w.data(), nullptr, g.data()));  // the first makes OpenBLAS wake up
    const long before = allocations();
    for (int k = 0; k < 3; ++k) {
        run.gradient(rows, run.flat(at.w.data(), nullptr, g.data()));
        run.gradient<true>(rows, run.flat(at.w.data(), at.v.data(), g.data()));
    }
    BOOST_TEST(allocations() == before);
}

namespace {
/// What is said about shapes that do not fit.
template <class E>
std::string complaint(const E& formula, const std::vector<autodiff::block_shape>& shapes, std::size_t columns) {
    const auto program = autodiff::cut(formula);
    try {
        backend::program_run_for<double, std::remove_const_t<decltype(program)>> run(program, shapes, columns, 8);
    } catch (const core::shape_error& e) {
        return e.what();
    }
    return "";
}
}  // namespace

BOOST_AUTO_TEST_CASE(shapes_that_do_not_fit_are_refused_in_one_sentence) {
    const auto shapes = autodiff::shapes_of(w);
    BOOST_TEST(complaint(network(), shapes, 5) == "");
    BOOST_TEST(complaint(network(), shapes, 4) ==
               "formula: step 0 multiplies a table of 4 columns by block 0, which has 5 rows (5 x 11) make them equal");
    auto other = shapes;
    other[1] = {1, 10};
    BOOST_TEST(complaint(network(), other, 5) ==
               "formula: step 1 reads 11 outputs beside 10 (outputs meet one by one) make their numbers equal");
    other = shapes;
    other[3] = {7, 1};
    BOOST_TEST(complaint(network(), other, 5) ==
               "formula: step 3 reads block 3 as a row (it is 7 x 1) multiply by it, or say its shape");
    BOOST_TEST(complaint(network(), {shapes[0]}, 5) ==
               "formula: step 1 reads block 1 of the parameters (there are 1) name all of them");
    BOOST_TEST(complaint(mean(row_sum(slice(X * w.A, 3, 12))), shapes, 5) ==
               "formula: slice of columns 3 to 12 (there are 11) choose some of them");
    BOOST_TEST(complaint(mean(row_sum(dropout(X * w.A, 1.0))), shapes, 5) ==
               "formula: step 1 drops a share of 1 (it must be at least 0 and below 1) try 0.5");
    BOOST_TEST(complaint(mean(row_sum(reshape(X * w.A, 11, 1))), shapes, 5) ==
               "formula: its last step needs one row for each row of the data (there are 11) flatten them first");
}

BOOST_AUTO_TEST_CASE(values_of_any_formula) {
    // softmax of the products, by hand
    struct one {
        matrix<0> A{2, 3};
    };
    const one v;
    const std::vector<double> parameters{1, 0, -1, 0.5, 2, 0}, x{1, 2, -1, 0.5};
    const auto shapes = autodiff::shapes_of(v);
    const auto got = backend::evaluate<double>(softmax(X * v.A), shapes, parameters, {x.data(), 2, 2, 2});
    BOOST_REQUIRE(got.size() == 6u);
    for (std::size_t i = 0; i < 2; ++i) {
        double e[3], sum = 0;
        for (std::size_t k = 0; k < 3; ++k)
            sum += e[k] = std::exp(x[2 * i] * parameters[k] + x[2 * i + 1] * parameters[3 + k]);
        for (std::size_t k = 0; k < 3; ++k)
            BOOST_TEST(got[3 * i + k] == e[k] / sum, boost::test_tools::tolerance(1e-14));
    }
}

BOOST_AUTO_TEST_CASE(no_derivative_goes_through_a_stop) {
    // d/dA mean(sum (h stop(h))) = d/dA of half of mean(sum h^2)
    const auto shapes = autodiff::shapes_of(w);
    const formula_point at(9, 5, 3, dimension_of(shapes));
    const auto h = sin(X * w.A + w.a);
    const auto stopped = backend::gradient<double>(mean(row_sum(h * stop_gradient(h))), shapes, at.w, at.view());
    const auto whole = backend::gradient<double>(mean(row_sum(square(h))), shapes, at.w, at.view());
    const auto kept = backend::gradient<double>(mean(row_sum(square(h * w.B) + row_sum(keep(stop_gradient(h * w.B))))),
                                                shapes, at.w, at.view());
    const auto alone = backend::gradient<double>(mean(row_sum(square(h * w.B))), shapes, at.w, at.view());
    for (std::size_t i = 0; i < whole.size(); ++i) {
        BOOST_TEST(stopped[i] == 0.5 * whole[i], boost::test_tools::tolerance(1e-12));
        BOOST_TEST(kept[i] == alone[i]);
    }
}

BOOST_AUTO_TEST_CASE(the_derivative_of_equals_goes_to_the_first) {
    struct one {
        matrix<0> A{1, 3};
    };
    const one v;
    const auto shapes = autodiff::shapes_of(v);
    const std::vector<double> equal{2, 2, 1}, x{1, 1};
    const auto g = backend::gradient<double>(sum(row_max(X * v.A)), shapes, equal, {x.data(), 2, 1, 1});
    BOOST_CHECK((g == std::vector<double>{2, 0, 0}));
    const auto pooled = move(autodiff::largest{{1, 3, 1}, 1, 1}, X * v.A);
    const auto p = backend::gradient<double>(sum(row_sum(flatten(pooled))), shapes, equal, {x.data(), 2, 1, 1});
    BOOST_CHECK((p == std::vector<double>{2, 2, 2}));
}

BOOST_AUTO_TEST_CASE(a_mask_depends_on_the_row_alone) {
    const auto shapes = autodiff::shapes_of(w);
    const formula_point at(16, 5, 3, dimension_of(shapes));
    const auto program = autodiff::cut(dropout(X * w.A, 0.3));
    backend::program_run_for<double, std::remove_const_t<decltype(program)>> run(program, shapes, 5, 16);
    const auto slots = [&](const std::vector<std::size_t>& numbers, std::uint64_t step, bool training) {
        const backend::data_rows<double> rows{.x = at.x.data(),
                                              .stride = 5,
                                              .rows = numbers.size(),
                                              .training = training,
                                              .seed = 1,
                                              .step = step,
                                              .numbers = numbers.data()};
        run.forward(rows, run.all(), run.flat(at.w.data()));
        std::vector<double> mask;
        for (std::size_t i = 0; i < numbers.size(); ++i)
            for (std::size_t k = 0; k < 11; ++k) mask.push_back(run.slot(1).values[i * run.slot(1).stride + k]);
        return mask;
    };
    std::vector<std::size_t> all(16), one{11};
    for (std::size_t i = 0; i < 16; ++i) all[i] = i;
    const auto whole = slots(all, 4, true), alone = slots(one, 4, true);
    BOOST_CHECK(std::equal(alone.begin(), alone.end(), whole.begin() + 11 * 11));
    BOOST_CHECK(slots(all, 5, true) != whole);
    BOOST_CHECK(slots(all, 4, true) == whole);
    const auto kept = std::count_if(whole.begin(), whole.end(), [](double m) { return m > 0; });
    BOOST_TEST(kept > 0.55 * 176);  // of 176, 123 are expected; 97 is 4.3 deviations below
    BOOST_TEST(kept < 0.85 * 176);
    for (const double m : slots(all, 4, false)) BOOST_TEST(m == 1);
}

BOOST_AUTO_TEST_SUITE_END()

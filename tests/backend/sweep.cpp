// SPDX-License-Identifier: BSL-1.0
#include <gamut/backend/sweep.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "backend/allocations.hpp"
#include "backend/problem.hpp"

using namespace gamut;

BOOST_AUTO_TEST_SUITE(sweep)

namespace {

template <class T> constexpr double tolerance = sizeof(T) == 8 ? 1e-12 : 2e-5;

/// Value, gradient, Hessian product and Z of one formula on one matrix, against plain loops.
template <class T, class Matrix, class Formula>
void check(const test_problem<T>& q, const Matrix& x, const Formula& formula, std::size_t shards,
           const std::string& what) {
    const reference wanted(q, formula);
    const auto s = q.sweep(x, formula, shards, 2);
    const std::size_t m = s.gradient_size(), h = s.hessian_size();
    std::vector<double> partials(shards * m), values(shards), products(shards * h);
    s.gradient(q.w.data(), q.b.data(), s.all(), partials.data());
    s.value(q.w.data(), q.b.data(), s.all(), values.data());
    for (std::size_t v = 0; v < shards; ++v)
        BOOST_TEST(values[v] == partials[v * m + m - 1], what << ": value and gradient disagree on the loss");
    BOOST_TEST(difference(sum_of_rows(partials, m), wanted.gradient) <= tolerance<T>, what << ": gradient");

    typename backend::sweep<T, Matrix, Formula>::curvature curvature;
    s.linearize(q.w.data(), q.b.data(), s.all(), curvature);
    s.hessian(curvature, q.v.data(), q.vb.data(), s.all(), products.data());
    BOOST_TEST(difference(sum_of_rows(products, h), wanted.product) <= tolerance<T>, what << ": Hessian product");

    std::vector<T> z(q.n * q.c);
    s.multiply(q.w.data(), q.b.data(), s.all(), z.data());
    std::vector<double> got(z.begin(), z.end()), rows(q.n * q.c);
    for (std::size_t i = 0; i < q.n; ++i)
        for (std::size_t k = 0; k < q.c; ++k) {
            rows[i * q.c + k] = static_cast<double>(q.b[k]);
            for (std::size_t j = 0; j < q.p; ++j)
                rows[i * q.c + k] += static_cast<double>(q.dense(i, j)) * static_cast<double>(q.w[j * q.c + k]);
        }
    BOOST_TEST(difference(got, rows) <= tolerance<T>, what << ": Z");
}

template <class T> void check_formulas(bool weighted, bool sparse) {
    const auto both = [&](const auto& q, const auto& formula, std::size_t shards, const char* name) {
        if (sparse)
            check(q, q.sparse, formula, shards, std::string(name) + " sparse");
        else
            check(q, q.dense, formula, shards, std::string(name) + " dense");
    };
    const double density = sparse ? 0.3 : 1;
    both(test_problem<T>(203, 37, 1, weighted, density), formulas::linear, 5, "linear");
    both(test_problem<T>(150, 64, 1, weighted, density), formulas::logistic, 4, "logistic");
    both(test_problem<T>(150, 13, 1, weighted, density), formulas::total_logistic, 3, "logistic, sum");
    both(test_problem<T>(99, 5, 1, weighted, density), formulas::huber, 2, "huber");
    both(test_problem<T>(170, 33, 10, weighted, density), formulas::softmax, 3, "softmax");
    both(test_problem<T>(61, 9, 3, weighted, density), formulas::squares, 2, "squares");
}

template <class F> std::vector<double> central_differences(std::vector<double>& at, F&& f) {
    constexpr double h = 3e-6;
    std::vector<double> slopes;
    for (double& x : at) {
        const double middle = x;
        x = middle + h;
        const double high = f();
        x = middle - h;
        const double low = f();
        x = middle;
        slopes.push_back((high - low) / (2 * h));
    }
    return slopes;
}

/// The gradient against central differences of the value, Hessian products against those of the gradient.
template <class Formula>
void check_differences(std::size_t p, std::size_t c, const Formula& formula, const char* what) {
    test_problem<double> q(83, p, c, true);
    const auto s = q.sweep(q.dense, formula, 1);
    const auto value = [&] {
        double loss;
        s.value(q.w.data(), q.b.data(), s.all(), &loss);
        return loss;
    };
    std::vector<double> gradient(s.gradient_size());
    s.gradient(q.w.data(), q.b.data(), s.all(), gradient.data());
    gradient.pop_back();
    std::vector<double> slopes = central_differences(q.w, value);
    for (const double slope : central_differences(q.b, value)) slopes.push_back(slope);
    BOOST_TEST(difference(slopes, gradient) <= 1e-7, what << ": gradient");

    backend::aligned_vector<double> curvature;
    s.linearize(q.w.data(), q.b.data(), s.all(), curvature);
    std::vector<double> product(s.hessian_size()), before(s.gradient_size()), after(s.gradient_size());
    s.hessian(curvature, q.v.data(), q.vb.data(), s.all(), product.data());
    constexpr double h = 1e-5;
    const auto move = [&](double step) {
        for (std::size_t i = 0; i < q.w.size(); ++i) q.w[i] += step * q.v[i];
        for (std::size_t k = 0; k < q.b.size(); ++k) q.b[k] += step * q.vb[k];
    };
    move(h);
    s.gradient(q.w.data(), q.b.data(), s.all(), after.data());
    move(-2 * h);
    s.gradient(q.w.data(), q.b.data(), s.all(), before.data());
    for (std::size_t i = 0; i < product.size(); ++i) after[i] = (after[i] - before[i]) / (2 * h);
    after.pop_back();
    BOOST_TEST(difference(after, product) <= 1e-5, what << ": Hessian product");
}

}  // namespace

BOOST_AUTO_TEST_CASE(gradients_agree_with_central_differences) {
    check_differences(17, 1, formulas::linear, "linear");
    check_differences(17, 1, formulas::logistic, "logistic");
    check_differences(17, 1, formulas::huber, "huber");
    check_differences(11, 4, formulas::softmax, "softmax");
    check_differences(7, 3, formulas::squares, "squares");
}

BOOST_AUTO_TEST_CASE(agrees_with_plain_loops_in_double) {
    for (const bool weighted : {false, true})
        for (const bool sparse : {false, true}) check_formulas<double>(weighted, sparse);
}

BOOST_AUTO_TEST_CASE(agrees_with_plain_loops_in_float) {
    for (const bool weighted : {false, true})
        for (const bool sparse : {false, true}) check_formulas<float>(weighted, sparse);
}

BOOST_AUTO_TEST_CASE(a_matrix_without_values_is_one_of_ones) {
    const test_problem<double> one(120, 40, 1, false, 0.2, true), five(90, 40, 5, false, 0.2, true);
    check(one, one.sparse, formulas::logistic, 3, "logistic");
    check(five, five.sparse, formulas::softmax, 3, "softmax");
}

BOOST_AUTO_TEST_CASE(any_number_of_rows_and_columns) {
    for (const std::size_t n : {1, 2, 3, 7, 8, 9, 31, 33, 64, 130})
        for (const std::size_t p : {1, 2, 7, 8, 9, 15, 16, 65}) {
            const std::string what = std::to_string(n) + " x " + std::to_string(p);
            const test_problem<double> one(n, p, 1);
            check(one, one.dense, formulas::logistic, 1, what + " logistic dense");
            check(one, one.sparse, formulas::logistic, 1, what + " logistic sparse");
            const test_problem<double> some(n, p, 2 + (n + p) % 9);
            check(some, some.dense, formulas::softmax, 1, what + " softmax dense");
            check(some, some.sparse, formulas::softmax, 1, what + " softmax sparse");
        }
}

BOOST_AUTO_TEST_CASE(many_rows_fill_many_blocks) {
    const test_problem<double> one(5000, 60, 1, true);
    check(one, one.dense, formulas::logistic, 3, "logistic");
    const test_problem<float> in_float(20000, 3, 1);
    check(in_float, in_float.dense, formulas::logistic, 1, "logistic in float");
    const test_problem<double> ten(3000, 70, 10);
    check(ten, ten.dense, formulas::softmax, 2, "softmax");
}

BOOST_AUTO_TEST_CASE(shards_may_be_empty) {
    const test_problem<double> q(5, 6, 1);
    const auto s = q.sweep(q.dense, formulas::logistic, 9);  // bounds 0 0 1 1 2 2 3 3 4 5
    std::vector<double> partials(9 * s.gradient_size(), -1.0);
    s.gradient(q.w.data(), q.b.data(), s.all(), partials.data());
    const std::size_t m = s.gradient_size();
    for (std::size_t shard = 0; shard < 9; ++shard)
        if (s.rows_of(shard).begin == s.rows_of(shard).end)
            for (std::size_t j = 0; j < m; ++j) BOOST_TEST(partials[shard * m + j] == 0);
    BOOST_TEST(difference(sum_of_rows(partials, m), reference(q, formulas::logistic).gradient) <= 1e-13);

    const test_problem<double> none(0, 6, 3);
    const auto empty = none.sweep(none.dense, formulas::softmax, 2);
    std::vector<double> nothing(2 * empty.gradient_size(), -1.0);
    empty.gradient(none.w.data(), none.b.data(), empty.all(), nothing.data());
    BOOST_TEST(std::count(nothing.begin(), nothing.end(), 0.0) == static_cast<std::ptrdiff_t>(nothing.size()));
}

BOOST_AUTO_TEST_CASE(a_matrix_without_columns_leaves_the_bias) {
    const test_problem<double> one(30, 0, 1), three(30, 0, 3);
    check(one, one.dense, formulas::logistic, 2, "logistic dense");
    check(one, one.sparse, formulas::logistic, 2, "logistic sparse");
    check(three, three.dense, formulas::softmax, 2, "softmax dense");
}

BOOST_AUTO_TEST_CASE(the_same_bits_for_any_number_of_threads) {
    const auto bits = [](const auto& q, const auto& x, const auto& formula, int threads) {
        const auto s = q.sweep(x, formula, 13, threads);
        std::vector<double> partials(13 * s.gradient_size()), products(13 * s.hessian_size());
        s.gradient(q.w.data(), q.b.data(), s.all(), partials.data());
        typename std::remove_cvref_t<decltype(s)>::curvature curvature;
        s.linearize(q.w.data(), q.b.data(), s.all(), curvature);
        s.hessian(curvature, q.v.data(), q.vb.data(), s.all(), products.data());
        partials.insert(partials.end(), products.begin(), products.end());
        return partials;
    };
    const test_problem<double> one(9000, 30, 1, true), ten(2500, 21, 10);
    const test_problem<float> in_float(9000, 30, 1);
    for (const int threads : {2, 3}) {
        BOOST_TEST((bits(one, one.dense, formulas::logistic, threads) == bits(one, one.dense, formulas::logistic, 1)));
        BOOST_TEST(
            (bits(one, one.sparse, formulas::logistic, threads) == bits(one, one.sparse, formulas::logistic, 1)));
        BOOST_TEST((bits(ten, ten.dense, formulas::softmax, threads) == bits(ten, ten.dense, formulas::softmax, 1)));
        BOOST_TEST((bits(ten, ten.sparse, formulas::softmax, threads) == bits(ten, ten.sparse, formulas::softmax, 1)));
        BOOST_TEST((bits(in_float, in_float.dense, formulas::logistic, threads) ==
                    bits(in_float, in_float.dense, formulas::logistic, 1)));
    }
}

BOOST_AUTO_TEST_CASE(a_shard_does_not_depend_on_what_else_the_rank_owns) {
    // the rows of shards 3 and 4 of 7, in memory of their own
    const test_problem<double> q(700, 23, 1, true);
    const auto all = q.sweep(q.dense, formulas::logistic, 7);
    const std::size_t m = all.gradient_size(), first = all.rows_of(3).begin, rows = all.rows_of(4).end - first;
    std::vector<double> wanted(7 * m), got(2 * m), one(m);
    all.gradient(q.w.data(), q.b.data(), all.all(), wanted.data());
    backend::dense_matrix<double> part(rows, q.p);
    std::copy_n(q.dense.row(first), rows * q.p, part.row(0));
    const backend::sweep<double, backend::dense_matrix<double>, decltype(formulas::logistic)> alone(
        part, {q.y.data() + first, q.omega.data() + first, q.total_weight}, {0, rows / 2, rows}, formulas::logistic, 1,
        1);
    alone.gradient(q.w.data(), q.b.data(), alone.all(), got.data());
    BOOST_TEST(std::equal(got.begin(), got.end(), wanted.begin() + static_cast<std::ptrdiff_t>(3 * m)));
    all.gradient(q.w.data(), q.b.data(), {4, 5}, one.data());
    BOOST_TEST(std::equal(one.begin(), one.end(), wanted.begin() + static_cast<std::ptrdiff_t>(4 * m)));
}

BOOST_AUTO_TEST_CASE(some_rows_of_each_shard) {
    const test_problem<double> q(100, 9, 1);
    const auto s = q.sweep(q.dense, formulas::logistic, 2);
    const std::size_t m = s.gradient_size();
    const std::vector<backend::row_range> rows{{3, 20}, {77, 77}};
    std::vector<double> partials(2 * m);
    s.gradient(q.w.data(), q.b.data(), rows, partials.data());
    test_problem<double> chosen = q;
    chosen.n = 17;
    std::copy_n(q.dense.row(3), 17 * q.p, chosen.dense.row(0));
    std::copy_n(q.y.begin() + 3, 17, chosen.y.begin());
    const reference wanted(chosen, formulas::logistic);
    BOOST_TEST(difference(std::vector<double>(partials.begin(), partials.begin() + static_cast<std::ptrdiff_t>(m)),
                          wanted.gradient) <= 1e-13);
    BOOST_TEST(std::count(partials.begin() + static_cast<std::ptrdiff_t>(m), partials.end(), 0.0) ==
               static_cast<std::ptrdiff_t>(m));
}

BOOST_AUTO_TEST_CASE(the_second_evaluation_allocates_nothing) {
    const auto check_allocations = [](const auto& q, const auto& x, const auto& formula) {
        const auto s = q.sweep(x, formula, 6, 2);
        std::vector<double> partials(6 * s.gradient_size());
        typename std::remove_cvref_t<decltype(s)>::curvature curvature;
        const auto evaluate = [&] {
            s.value(q.w.data(), q.b.data(), s.all(), partials.data());
            s.gradient(q.w.data(), q.b.data(), s.all(), partials.data());
            s.linearize(q.w.data(), q.b.data(), s.all(), curvature);
            s.hessian(curvature, q.v.data(), q.vb.data(), s.all(), partials.data());
        };
        evaluate();
        const long before = allocations();
        for (int i = 0; i < 10; ++i) evaluate();
        return allocations() - before;
    };
    const test_problem<double> one(9000, 20, 1), four(3000, 11, 4);
    const test_problem<float> in_float(9000, 20, 1);
    BOOST_TEST(check_allocations(one, one.dense, formulas::logistic) == 0);
    BOOST_TEST(check_allocations(one, one.sparse, formulas::logistic) == 0);
    BOOST_TEST(check_allocations(four, four.dense, formulas::softmax) == 0);
    BOOST_TEST(check_allocations(four, four.sparse, formulas::softmax) == 0);
    BOOST_TEST(check_allocations(in_float, in_float.dense, formulas::linear) == 0);
}

BOOST_AUTO_TEST_CASE(a_vector_of_weights_has_one_output) {
    const test_problem<double> q(10, 3, 2);
    BOOST_CHECK_EXCEPTION(q.sweep(q.dense, formulas::logistic, 1), core::shape_error, [](const core::shape_error& e) {
        return std::string(e.what()).starts_with("sweep: 2 outputs");
    });
}

BOOST_AUTO_TEST_SUITE_END()

// SPDX-License-Identifier: BSL-1.0
// Numbers that are added to the prediction of each row: exposures, fixed effects, what another model says already.
#include <boost/test/unit_test.hpp>

#include <cmath>
#include <cstddef>
#include <fstream>
#include <iomanip>
#include <span>
#include <string>
#include <vector>

#include "../data/helpers.hpp"
#include "../fits/any_communicator.hpp"

#include <gamut/communicator/threads.hpp>
#include <gamut/core/random.hpp>
#include <gamut/cross_validate.hpp>
#include <gamut/data/arrays.hpp>
#include <gamut/data/csv.hpp>
#include <gamut/data/every.hpp>
#include <gamut/data/rows_where.hpp>
#include <gamut/estimator.hpp>
#include <gamut/model/linear.hpp>
#include <gamut/model/logistic.hpp>
#include <gamut/model/poisson.hpp>
#include <gamut/model/softmax.hpp>
#include <gamut/penalty/l0.hpp>
#include <gamut/penalty/l2.hpp>
#include <gamut/solver/dual.hpp>
#include <gamut/solver/newton_cg.hpp>
#include <gamut/solver/path.hpp>
#include <gamut/solver/problem.hpp>
#include <gamut/solver/swap.hpp>

using namespace gamut;

namespace {

using dense = backend::dense_matrix<double>;
template <class Model, class Penalty, class Solver>
using fitter = estimator<Model, Penalty, Solver, backend::host<>, fits::any_communicator>;
constexpr std::size_t n = 90, p = 5;

enum class labels { numbers, classes, counts };

struct sample {
    dense x{n, p};
    std::vector<double> y, offsets, weights;

    explicit sample(labels kind) {
        const core::random draw{.seed = 31};
        for (std::size_t i = 0; i < n; ++i) {
            for (std::size_t j = 0; j < p; ++j) x(i, j) = draw.normal(i * p + j);
            offsets.push_back(1.5 * draw.normal(10000 + i));
            const double z = 0.5 + x(i, 1) - 0.7 * x(i, 3) + offsets.back(), u = draw.uniform(20000 + i);
            y.push_back(kind == labels::numbers   ? z + 0.3 * draw.normal(30000 + i)
                        : kind == labels::classes ? (u < 1 / (1 + std::exp(-z)) ? 1 : 0)
                                                  : std::floor(std::exp(0.5 * z) * 2 * u));
            weights.push_back(0.5 + draw.uniform(40000 + i));
        }
    }
    data::arrays<dense> source() const {
        data::arrays source(x, y, weights);
        source.offsets = offsets;
        return source;
    }
};

/// The same rows with the offset as one more column: with a weight of 1 that is the same.
dense with_offset_column(const sample& s) {
    dense wide(n, p + 1);
    for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t j = 0; j < p; ++j) wide(i, j) = s.x(i, j);
        wide(i, p) = s.offsets[i];
    }
    return wide;
}

template <class Model, class Rows> auto problem_on(const Rows& rows, double l2) {
    return solver::problem<Model, Rows, penalty::l2, backend::host<>, fits::any_communicator>({}, rows, {l2},
                                                                                              {.threads = 1}, {}, true);
}

template <class Model> void check_derivatives(labels kind) {
    const sample s(kind);
    data::request wanted;
    wanted.classification = model::is_classification<Model>;
    const auto rows = s.source().load(fits::any_communicator{}, wanted),
               wide = data::arrays(with_offset_column(s), s.y, s.weights).load(fits::any_communicator{}, wanted);
    const auto given = problem_on<Model>(rows, 0), other = problem_on<Model>(wide, 0);
    using array = typename decltype(given)::array;
    std::vector<double> w{0.3, -0.2, 0.5, 0.1, -0.4, 0.2}, v(w);
    v.insert(v.begin() + p, 1.0);
    const array at{std::span<const double>(w)}, there{std::span<const double>(v)};
    array g(p + 1), h(p + 2), product(p + 1), product_there(p + 2);
    const double a = given.value_and_gradient(at, g), b = other.value_and_gradient(there, h);
    BOOST_TEST(std::abs(a - b) <= 1e-13);
    BOOST_TEST(given.value(at) == a);
    std::vector<double> direction{1, -1, 0.5, 2, 0.3, -0.7}, padded(direction);
    padded.insert(padded.begin() + p, 0.0);
    given.hessian(at).times(array(std::span<const double>(direction)), product);
    other.hessian(there).times(array(std::span<const double>(padded)), product_there);
    const std::vector<std::size_t> all{0, 1, 2, 3, 4, 5}, all_there{0, 1, 2, 3, 4, 6};
    const auto second = given.second_derivatives(at, all), second_there = other.second_derivatives(there, all_there);
    for (std::size_t j = 0; j <= p; ++j) {
        const std::size_t k = j < p ? j : p + 1;
        BOOST_TEST(std::abs(g[j] - h[k]) <= 1e-13);
        BOOST_TEST(std::abs(product[j] - product_there[k]) <= 1e-13);
        for (std::size_t l = 0; l <= p; ++l) BOOST_TEST(std::abs(second(j, l) - second_there(j, l)) <= 1e-13);
    }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(offsets)

BOOST_AUTO_TEST_CASE(an_offset_is_a_column_whose_weight_is_1) {
    check_derivatives<model::linear>(labels::numbers);
    check_derivatives<model::logistic>(labels::classes);
    check_derivatives<model::poisson>(labels::counts);
}

BOOST_AUTO_TEST_CASE(exposures_of_counts_have_a_closed_form) {
    const std::vector<double> x(6, 1.0), exposure{1, 2, 0.5, 4, 3, 1.5}, counts{2, 3, 0, 9, 4, 2};
    data::arrays source(x, 6, 1, counts);
    for (const double t : exposure) source.offsets.push_back(std::log(t));
    const auto fit = fitter<model::poisson, penalty::l2, solver::newton_cg<>>{.penalty = {1e-3}}.fit(source);
    BOOST_TEST(std::abs(fit.intercept[0] + fit.weights[0] - std::log(20.0 / 12)) <= 1e-7);
    const auto guess = fit.predict(source);  // a rate times the exposure
    for (std::size_t i = 0; i < 6; ++i) BOOST_TEST(std::abs(guess.value(i) - 20.0 / 12 * exposure[i]) <= 1e-6);
}

BOOST_AUTO_TEST_CASE(least_squares_fits_what_offsets_leave) {
    const sample s(labels::numbers);
    std::vector<double> left = s.y;
    for (std::size_t i = 0; i < n; ++i) left[i] -= s.offsets[i];
    const data::arrays other(s.x, left, s.weights);
    const auto check = [&](const auto& how) {
        const auto a = how.fit(s.source()), b = how.fit(other);
        BOOST_TEST(std::abs(a.objective - b.objective) <= 1e-10);
        for (std::size_t j = 0; j < p; ++j) BOOST_TEST(std::abs(a.weights[j] - b.weights[j]) <= 1e-6);
        const auto guess = a.predict(s.source()), rest = b.predict(other);
        for (std::size_t i = 0; i < n; ++i) BOOST_TEST(std::abs(guess.value(i) - s.offsets[i] - rest.value(i)) <= 1e-6);
        const auto score = a.score(s.source());
        BOOST_TEST(std::abs(score.loss - b.score(other).loss) <= 1e-8);
    };
    check(fitter<model::linear, penalty::l2, solver::newton_cg<>>{.penalty = {1e-2}});
    check(fitter<model::linear, penalty::l0, solver::swap>{.penalty = {.kappa = 2, .l2 = 1e-3}});
    const fitter<model::linear, penalty::l0, solver::path> sizes{.penalty = {.l2 = 1e-2}};
    const auto a = cross_validate(sizes, s.source(), {.count = 4}), b = cross_validate(sizes, other, {.count = 4});
    for (std::size_t k = 0; k <= p; ++k) BOOST_TEST(std::abs(a.curve[k].mean - b.curve[k].mean) <= 1e-10);
}

BOOST_AUTO_TEST_CASE(a_column_of_a_file_is_an_offset_on_any_number_of_ranks) {
    const sample s(labels::classes);
    const test::temporary_file own("", "offsets.csv");
    const std::string& file = own.path;
    {
        std::ofstream out(file);
        out << std::setprecision(17) << "a,b,known,c,d,e,often,y\n";
        for (std::size_t i = 0; i < n; ++i)
            out << s.x(i, 0) << ',' << s.x(i, 1) << ',' << s.offsets[i] << ',' << s.x(i, 2) << ',' << s.x(i, 3) << ','
                << s.x(i, 4) << ',' << s.weights[i] << ',' << s.y[i] << '\n';
    }
    const data::csv<double> source{.path = file, .weights = "often", .offset = "known"};
    using sparse = fitter<model::logistic, penalty::l0, solver::swap>;
    const penalty::l0 few{.kappa = 2, .l2 = 1e-3};
    const auto alone = sparse{.penalty = few}.fit(source), same = sparse{.penalty = few}.fit(s.source());
    BOOST_TEST(alone.weights == same.weights, boost::test_tools::per_element());
    BOOST_TEST(alone.objective == same.objective);
    BOOST_TEST(alone.features.size() == p);
    communicator::threads<>::run(3, [&](const communicator::threads<>& ranks) {
        const sparse on_ranks{.penalty = few, .communicator = ranks};
        const auto fit = on_ranks.fit(source);
        if (fit.weights != alone.weights || fit.score(source).loss != alone.score(source).loss)
            throw core::error("other bits on three ranks");
    });
    // parts of the rows keep their offsets
    const auto half = data::every(s.source(), 2).load(fits::any_communicator{}, {.classification = true});
    BOOST_REQUIRE(half.offsets.size() == half.local_rows());
    BOOST_TEST(half.offsets[1] == s.offsets[2]);
}

BOOST_AUTO_TEST_CASE(what_knows_no_offsets_says_so) {
    const sample s(labels::classes);
    BOOST_CHECK_EXCEPTION((fitter<model::softmax, penalty::l2, solver::newton_cg<>>{.penalty = {1e-2}}.fit(s.source())),
                          core::option_error,
                          [](const auto& e) { return std::string(e.what()).find("offsets") != std::string::npos; });
    BOOST_CHECK_EXCEPTION(
        (fitter<model::logistic, penalty::l2, solver::dual>{.penalty = {1e-2}}.fit(s.source())), core::option_error,
        [](const auto& e) { return std::string(e.what()).find("dual: offsets") != std::string::npos; });
    auto few = s.source();
    few.offsets.pop_back();
    BOOST_CHECK_THROW(few.load(fits::any_communicator{}, {.classification = true}), core::shape_error);
    auto bad = s.source();
    bad.offsets[3] = std::nan("");
    BOOST_CHECK_THROW(bad.load(fits::any_communicator{}, {.classification = true}), core::data_error);
    BOOST_CHECK_THROW((data::csv<double>{.path = "examples/data/iris.csv", .offset = "#4"}.load(
                          fits::any_communicator{}, {.classification = true})),
                      core::data_error);  // names of species
}

BOOST_AUTO_TEST_SUITE_END()

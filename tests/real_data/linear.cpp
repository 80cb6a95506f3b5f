// SPDX-License-Identifier: BSL-1.0
#include "files.hpp"

#include "../fits/fit.hpp"

#include <gamut/gamut.hpp>

using namespace gamut;
using real_data::answer;

namespace {

constexpr data::preparation as_given{data::intercept::free, data::columns::as_given};

/// Fits every solution of a file by ADMM. With few rows one block: each of eight would know next to nothing of the columns.
template <class Source>
void check_lassos(const answer& known, const Source& source, std::size_t rows, std::size_t blocks) {
    const double n = static_cast<double>(rows);
    for (const auto& expected : known["solutions"]) {
        const double lambda1 = expected["lambda1"], lambda2 = expected["lambda2"];
        const auto found =
            fits::fit(model::linear{}, penalty::elastic_net{.l1 = lambda1 / n, .l2 = lambda2 / n},
                      solver::admm<>{.blocks = blocks, .stop = {.iterations = 20000, .tolerance = 2e-11}}, source,
                      {.prepare = as_given});
        BOOST_TEST_CONTEXT("lambda1 = " << lambda1 << ", " << core::name(found.status) << " after " << found.iterations
                                        << " iterations, " << found.passes << " passes, " << found.seconds << " s") {
            BOOST_TEST_MESSAGE("lambda1 = " << lambda1 << ": " << found.iterations << " iterations, " << found.passes
                                            << " passes, " << found.seconds << " s");
            real_data::check_close("objective", found.objective * n, expected["objective"],
                                   known.objective_tolerance());
            BOOST_TEST(found.support == expected["support_index0"].get<std::vector<std::size_t>>(),
                       boost::test_tools::per_element());
            const auto& weights = expected["coef_on_support"];
            for (std::size_t i = 0; i < found.support.size() && i < weights.size(); ++i)
                real_data::check_close("weight of " + found.features[found.support[i]], found.weights[found.support[i]],
                                       weights[i], known.tolerance("coefficients "));
        }
    }
}

double digits(double found, double exact) {
    return -std::log10(std::max(std::abs(found - exact) / std::abs(exact), 1e-16));
}

/// The x columns of a NIST file: those of the file, or powers of its only one.
struct design {
    const char* name;
    std::size_t powers;
    data::preparation prepare;
    double digits;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(linear, *boost::unit_test::precondition(real_data::is_there))

BOOST_AUTO_TEST_CASE(lasso_diabetes) {
    check_lassos(answer("lasso_diabetes"), data::csv<>{.path = real_data::path("diabetes/diabetes.csv")}, 442, 8);
}

BOOST_AUTO_TEST_CASE(lasso_riboflavin) {
    const real_data::unpacked file("riboflavin/riboflavin.csv.gz");
    check_lassos(answer("lasso_riboflavin"), data::csv<>{.path = file.name()}, 71, 1);
}

/// A polynomial in x is fitted with columns as given, too: their condition is then what NIST made it.
BOOST_AUTO_TEST_CASE(nist_linear) {
    const answer known("nist_linear_shared");
    constexpr data::preparation standardized{}, given{data::intercept::free, data::columns::as_given},
        without{data::intercept::none, data::columns::as_given};
    for (const design& set :
         {design{"Longley", 1, standardized, 12}, design{"Longley", 1, given, 12},
          design{"Norris", 1, standardized, 12}, design{"Norris", 1, given, 12}, design{"Pontius", 2, standardized, 11},
          design{"Pontius", 2, given, 11}, design{"NoInt1", 1, without, 13}, design{"NoInt2", 1, without, 13},
          design{"Wampler1", 5, standardized, 9}, design{"Wampler1", 5, given, 9},
          design{"Wampler2", 5, standardized, 11}, design{"Wampler2", 5, given, 11},
          design{"Wampler3", 5, standardized, 9}, design{"Wampler3", 5, given, 9}}) {
        const auto& expected = known[set.name];
        const std::size_t rows = expected["n"], unknowns = expected["p"];
        const std::string text = real_data::text_of(real_data::path(std::string("nist_linear/") + set.name + ".dat"));
        auto numbers = real_data::table(text.substr(text.rfind("Data:")));
        BOOST_TEST_REQUIRE(numbers.size() == rows);
        std::vector<double> x, y;
        for (const auto& row : numbers) {
            y.push_back(row[0]);
            for (std::size_t j = 1; j < row.size(); ++j)
                for (std::size_t power = 1; power <= set.powers; ++power) x.push_back(std::pow(row[j], power));
        }
        const data::arrays source(x, rows, x.size() / rows, y);
        const solver::default_for<model::linear, penalty::l2>::type direct;
        const auto found = fits::fit(model::linear{}, penalty::l2{0}, direct, source, {.prepare = set.prepare});
        BOOST_TEST((found.status == core::status::converged), set.name << ": " << found.message);
        std::vector<double> weights = found.weights;
        if (set.prepare.intercept == data::intercept::free) weights.insert(weights.begin(), found.intercept[0]);
        const auto& exact = expected["coef_120digit"];
        BOOST_TEST_REQUIRE(weights.size() == exact.size());
        double least = 16;
        for (std::size_t j = 0; j < weights.size(); ++j) {
            const double correct = std::stod(exact[j].get<std::string>());
            least = std::min(least, digits(weights[j], correct));
            BOOST_TEST(digits(weights[j], correct) >= set.digits, set.name << ": weight " << j << " is " << weights[j]
                                                                           << ", not " << correct << ": "
                                                                           << digits(weights[j], correct) << " digits");
        }
        const double spread = std::sqrt(2 * static_cast<double>(rows) * found.objective /
                                        static_cast<double>(rows - unknowns)),
                     certified = std::stod(expected["certified_residual_sd"].get<std::string>());
        double largest = 0;
        for (const double label : y) largest = std::max(largest, std::abs(label));
        if (certified == 0)
            BOOST_TEST(spread <= 1e-13 * largest, set.name << ": residual deviation " << spread << ", not 0");
        else
            BOOST_TEST(digits(spread, certified) >= 12,
                       set.name << ": residual deviation " << spread << ", not " << certified);
        BOOST_TEST_MESSAGE(set.name << ": weights to " << least << " digits, residual deviation "
                                    << (certified == 0 ? spread : digits(spread, certified))
                                    << (certified == 0 ? ", " : " digits, ") << found.passes << " passes, "
                                    << found.message);
    }
}

BOOST_AUTO_TEST_SUITE_END()

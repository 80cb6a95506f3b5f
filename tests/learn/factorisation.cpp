// SPDX-License-Identifier: BSL-1.0
#include <gamut/learn/factorisation.hpp>

#include <boost/test/unit_test.hpp>

#include <cmath>
#include <cstddef>
#include <string>
#include <vector>

#include "../fits/any_communicator.hpp"
#include "../real_data/files.hpp"

#include <gamut/communicator/sim.hpp>
#include <gamut/communicator/threads.hpp>
#include <gamut/core/random.hpp>
#include <gamut/data/arrays.hpp>
#include <gamut/data/csv.hpp>
#include <gamut/learn/fitted_factorisation.hpp>

using namespace gamut;

namespace {

constexpr core::random draws{.seed = 61};

/// Entries of a matrix of rank 2 with biases, of which a share is given.
struct ratings {
    std::size_t n = 120, p = 40;
    double given = 0.4;
    bool biased = false;

    double at(std::size_t i, std::size_t j) const {
        double sum = biased ? 50 + 5 * draws.normal(i) + 3 * draws.normal(5000 + j) : 0;
        for (std::size_t k = 0; k < 2; ++k) sum += draws.normal(10000 + 2 * i + k) * draws.normal(20000 + 2 * j + k);
        return sum;
    }
    backend::sparse_matrix<double> part(bool train) const {
        backend::sparse_matrix<double> x;
        x.columns = p;
        for (std::size_t i = 0; i < n; ++i, ++x.rows) {
            for (std::size_t j = 0; j < p; ++j)
                if ((draws.uniform(30000 + i * p + j) < given) == train) {
                    x.indices.push_back(static_cast<std::int32_t>(j));
                    x.values.push_back(at(i, j));
                }
            x.offsets.push_back(static_cast<std::int64_t>(x.indices.size()));
        }
        return x;
    }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(factorisation)

BOOST_AUTO_TEST_CASE(entries_that_are_not_given_are_found) {
    for (const auto method : {learn::descent::components, learn::descent::alternating}) {
        const ratings data;
        const auto fit =
            learn::factorisation{
                .rank = 2, .lambda = 1e-3, .method = method, .stop = {.iterations = 500, .tolerance = 1e-9}}
                .fit(data::arrays(data.part(true)));
        BOOST_TEST(fit.score(data::arrays(data.part(true))).loss < 1e-4);
        BOOST_TEST(fit.score(data::arrays(data.part(false))).r_squared > 0.999);
    }
}

BOOST_AUTO_TEST_CASE(biases_are_of_rows_and_columns) {
    const ratings data{.biased = true};
    const data::arrays train(data.part(true)), test(data.part(false));
    const learn::factorisation plain{.rank = 2, .lambda = 0.1};
    auto with = plain;
    with.biases = learn::biases::rows_and_columns;
    const auto fit = with.fit(train);
    BOOST_TEST(fit.score(test).r_squared > 0.99);
    BOOST_TEST(fit.score(test).loss < 0.5 * plain.fit(train).score(test).loss);
    for (std::size_t i = 0; i < data.n; ++i) BOOST_TEST(fit.row_factors[i * fit.width + 2] == 1);
    for (std::size_t j = 0; j < data.p; ++j) BOOST_TEST(fit.column_factors[j * fit.width + 3] == 1);
}

BOOST_AUTO_TEST_CASE(the_objective_is_what_it_says_and_never_rises) {
    const auto x = ratings{}.part(true);
    for (const auto method : {learn::descent::components, learn::descent::alternating}) {
        const auto fit = learn::factorisation{.rank = 3, .lambda = 2, .method = method}.fit(data::arrays(x));
        for (std::size_t i = 1; i < fit.history.size(); ++i)
            BOOST_TEST(fit.history[i].objective <= fit.history[i - 1].objective * (1 + 1e-12));
        double sum = 0;
        for (std::size_t i = 0; i < x.rows; ++i)
            for (auto k = static_cast<std::size_t>(x.offsets[i]); k < static_cast<std::size_t>(x.offsets[i + 1]); ++k)
                sum += std::pow(x.value(k) - fit(i, static_cast<std::size_t>(x.indices[k])), 2) / 2;
        for (const auto* const factors : {&fit.row_factors, &fit.column_factors})
            for (const double f : *factors) sum += 2 * f * f / 2;
        BOOST_TEST(fit.objective == sum, boost::test_tools::tolerance(1e-10));
    }
}

BOOST_AUTO_TEST_CASE(both_methods_reach_the_same_objective_from_any_start) {
    backend::dense_matrix<double> x(50, 12);
    for (std::size_t i = 0; i < 50; ++i)
        for (std::size_t j = 0; j < 12; ++j) x(i, j) = draws.normal(i * 12 + j);
    double least = 0;
    for (const std::uint64_t seed : {0, 1, 2})
        for (const auto method : {learn::descent::components, learn::descent::alternating}) {
            const auto fit = learn::factorisation{.rank = 4,
                                                  .lambda = 2,
                                                  .method = method,
                                                  .stop = {.iterations = 5000, .tolerance = 1e-13},
                                                  .seed = seed}
                                 .fit(data::arrays(x));
            if (least == 0) least = fit.objective;
            BOOST_TEST(fit.objective == least, boost::test_tools::tolerance(1e-8));
        }
}

BOOST_AUTO_TEST_CASE(steps_through_a_table_come_near_the_least_objective) {
    const data::arrays source(ratings{}.part(true));
    const double least = learn::factorisation{.rank = 2}.fit(source).objective;
    const learn::factorisation steps{
        .rank = 2, .method = learn::descent::tables, .stop = {.iterations = 60, .tolerance = 0}};
    const auto fit = steps.fit(source);
    BOOST_TEST(fit.objective >= least * (1 - 1e-5));
    BOOST_TEST(fit.objective <= least * 1.005);
    BOOST_TEST(fit.score(data::arrays(ratings{}.part(false))).r_squared > 0.95);

    const ratings more{.biased = true};
    auto biased = steps;
    biased.biases = learn::biases::rows_and_columns;
    BOOST_TEST(biased.fit(data::arrays(more.part(true))).score(data::arrays(more.part(false))).r_squared > 0.95);
}

BOOST_AUTO_TEST_CASE(how_often_all_wait_changes_no_bit_without_slack) {
    const data::arrays source(ratings{}.part(true));
    learn::factorisation steps{.rank = 2, .method = learn::descent::tables, .stop = {.iterations = 7, .tolerance = 0}};
    const auto often = steps.fit(source);
    steps.check_every = 3;
    const auto seldom = steps.fit(source);
    BOOST_TEST(seldom.column_factors == often.column_factors);
    BOOST_TEST(seldom.row_factors == often.row_factors);
    BOOST_TEST(seldom.objective == often.objective);
    BOOST_TEST(seldom.passes == often.passes);
    BOOST_TEST(seldom.history.size() == 3u);  // after 3, 6 and 7 iterations
}

BOOST_AUTO_TEST_CASE(slack_changes_bits_and_not_what_is_found) {
    const data::arrays source(ratings{}.part(true));
    const auto on_sim = [&](std::uint64_t slack) {
        learn::fitted_factorisation<> found;
        communicator::sim<>::run(4, {.latency = 1e-3}, [&](const auto& ranks) {
            const auto fit = learn::factorisation<communicator::sim<>>{.rank = 2,
                                                                       .method = learn::descent::tables,
                                                                       .consistency = {.slack = slack},
                                                                       .check_every = 5,
                                                                       .stop = {.iterations = 60, .tolerance = 0},
                                                                       .communicator = ranks}
                                 .fit(source);
            if (ranks.rank() > 0) return;
            found.objective = fit.objective;
            found.column_factors = fit.column_factors;
        });
        return found;
    };
    const auto none = on_sim(0), three = on_sim(3);
    BOOST_TEST((none.column_factors != three.column_factors));
    BOOST_TEST(three.objective == none.objective, boost::test_tools::tolerance(0.01));
    BOOST_TEST(on_sim(3).column_factors == three.column_factors);
}

BOOST_AUTO_TEST_CASE(choices_are_fitted_over_all_entries) {
    auto x = ratings{.n = 30, .p = 12}.part(true);
    std::vector<double> counts, weights(30, 1.0);
    for (std::size_t e = 0; e < x.indices.size(); ++e) counts.push_back(std::floor(std::abs(3 * x.value(e))));
    x.values.clear();
    for (const double count : counts) x.values.push_back(count);
    for (std::size_t i = 0; i < 30; ++i) weights[i] = i % 7 == 0 ? 0 : 0.5 + 0.1 * static_cast<double>(i % 5);
    const data::arrays source(x, std::vector<double>(30), weights);
    const double lambda = 0.7, alpha = 1.5;
    const auto fit = learn::factorisation{.rank = 3,
                                          .lambda = lambda,
                                          .method = learn::descent::implicit,
                                          .alpha = alpha,
                                          .stop = {.iterations = 40, .tolerance = 0}}
                         .fit(source);
    for (std::size_t i = 1; i < fit.history.size(); ++i)
        BOOST_TEST(fit.history[i].objective <= fit.history[i - 1].objective * (1 + 1e-12));

    backend::dense_matrix<double> given(30, 12);  // brute force: all entries
    for (std::size_t i = 0; i < 30; ++i)
        for (auto e = static_cast<std::size_t>(x.offsets[i]); e < static_cast<std::size_t>(x.offsets[i + 1]); ++e)
            given(i, static_cast<std::size_t>(x.indices[e])) = counts[e];
    double loss = 0, none = 0, penalty = 0, weight = 0;
    for (std::size_t i = 0; i < 30; ++i)
        for (std::size_t j = 0; j < 12; ++j) {
            const double c = 1 + alpha * given(i, j), preference = given(i, j) > 0 ? 1 : 0;
            loss += weights[i] * c * std::pow(preference - fit(i, j), 2);
            none += weights[i] * c * preference;
            weight += weights[i];
        }
    for (const auto* const factors : {&fit.row_factors, &fit.column_factors})
        for (const double f : *factors) penalty += lambda / 2 * f * f;
    BOOST_TEST(fit.objective == loss / 2 + penalty, boost::test_tools::tolerance(1e-11));
    const auto score = fit.score(source);
    BOOST_TEST(score.loss == loss / weight, boost::test_tools::tolerance(1e-11));
    BOOST_TEST(score.r_squared == 1 - loss / none, boost::test_tools::tolerance(1e-11));

    for (std::size_t j = 0; j < 12; ++j)  // v_j = (lambda + U'W C_j U)^-1 U'W C_j p_j: the slope in v_j is 0
        for (std::size_t k = 0; k < 3; ++k) {
            double slope = lambda * fit.column_factors[j * 3 + k], size = std::abs(slope);
            for (std::size_t i = 0; i < 30; ++i) {
                const double c = 1 + alpha * given(i, j), preference = given(i, j) > 0 ? 1 : 0;
                slope -= weights[i] * c * (preference - fit(i, j)) * fit.row_factors[i * 3 + k];
                size += std::abs(weights[i] * c * fit.row_factors[i * 3 + k]);
            }
            BOOST_TEST(std::abs(slope) <= 1e-12 * size);
        }
}

BOOST_AUTO_TEST_CASE(what_is_chosen_together_is_recommended_together) {
    backend::sparse_matrix<double> x;  // two kinds of people, each choosing half of what they like
    x.columns = 20;
    for (std::size_t i = 0; i < 60; ++i, ++x.rows) {
        for (std::size_t j = i % 2 * 10; j < i % 2 * 10 + 10; ++j)
            if (draws.uniform(70000 + i * 20 + j) < 0.5) {
                x.indices.push_back(static_cast<std::int32_t>(j));
                x.values.push_back(1 + static_cast<double>(draws.below(80000 + i * 20 + j, 4)));
            }
        x.offsets.push_back(static_cast<std::int64_t>(x.indices.size()));
    }
    const auto fit =
        learn::factorisation{.rank = 2, .lambda = 0.1, .method = learn::descent::implicit, .alpha = 10}.fit(
            data::arrays(x));
    for (std::size_t i = 0; i < 60; ++i)
        for (std::size_t j = 0; j < 10; ++j) BOOST_TEST(fit(i, i % 2 * 10 + j) > fit(i, (1 - i % 2) * 10 + j) + 0.3);
}

BOOST_AUTO_TEST_CASE(options_of_choices_and_tables_are_checked) {
    const data::arrays source(ratings{}.part(true));
    const auto complaint = [&](const learn::factorisation<>& options) -> std::string {
        try {
            options.fit(source);
        } catch (const core::error& problem) {
            return problem.what();
        }
        return "";
    };
    using learn::descent;
    BOOST_TEST(complaint({.method = descent::implicit}).find("row 0, column 'x") != std::string::npos);
    BOOST_TEST(complaint({.method = descent::implicit, .alpha = -1}).find("alpha is -1") != std::string::npos);
    BOOST_TEST(complaint({.biases = learn::biases::rows_and_columns, .method = descent::implicit})
                   .find("descent::implicit (it improves") != std::string::npos);
    BOOST_TEST(complaint({.method = descent::tables, .nodes = 0}).find("nodes is 0") != std::string::npos);
    BOOST_TEST(complaint({.method = descent::tables, .rate = 0}).find("rate is 0") != std::string::npos);
    BOOST_TEST(complaint({.method = descent::tables, .decay = 1.1}).find("decay is 1.1") != std::string::npos);
    BOOST_TEST(complaint({.method = descent::tables, .check_every = 0}).find("check_every is 0") != std::string::npos);
    const auto wild = learn::factorisation{.method = descent::tables, .rate = 1e3}.fit(source);
    BOOST_TEST((wild.status == core::status::diverged));
}

BOOST_AUTO_TEST_CASE(options_and_sources_that_do_not_fit_are_refused) {
    const data::arrays source(ratings{}.part(true));
    BOOST_CHECK_THROW(learn::factorisation{.rank = 0}.fit(source), core::option_error);
    BOOST_CHECK_THROW(learn::factorisation{.rank = 41}.fit(source), core::data_error);
    BOOST_CHECK_THROW(learn::factorisation{.lambda = -1}.fit(source), core::option_error);
    BOOST_CHECK_THROW(learn::factorisation{.inner = 0}.fit(source), core::option_error);
    BOOST_CHECK_THROW(
        (learn::factorisation{.biases = learn::biases::rows_and_columns, .method = learn::descent::alternating}.fit(
            source)),
        core::option_error);
    const auto fit = learn::factorisation{.rank = 1}.fit(source);
    BOOST_CHECK_THROW(fit.score(data::arrays(ratings{.n = 121}.part(true))), core::data_error);
    backend::sparse_matrix<double> nothing;
    nothing.columns = 3;
    nothing.rows = 4;
    nothing.offsets.assign(5, 0);
    BOOST_CHECK_THROW(learn::factorisation{.rank = 1}.fit(data::arrays(nothing)), core::data_error);
}

BOOST_AUTO_TEST_CASE(columns_dealt_to_ranks_have_the_bits_of_one) {
    const data::arrays source(ratings{.n = 1024, .p = 40, .given = 0.2}.part(true));
    const auto fit_on = [&](const auto& ranks) {
        return learn::factorisation<fits::any_communicator>{.rank = 40,
                                                            .method = learn::descent::alternating,
                                                            .stop = {.iterations = 2},
                                                            .communicator = fits::any_communicator(ranks)}
            .fit(source);
    };
    const auto alone = fit_on(communicator::single<>{});
    communicator::threads<>::run(2, [&](const communicator::threads<>& ranks) {
        const auto together = fit_on(ranks);
        if (ranks.rank() > 0) return;
        BOOST_TEST(together.column_factors == alone.column_factors);
        BOOST_TEST(together.row_factors == alone.row_factors);
        BOOST_TEST(together.objective == alone.objective);
    });
}

BOOST_AUTO_TEST_CASE(full_digits_reach_the_least_objective, *boost::unit_test::precondition(real_data::is_there)) {
    const real_data::answer known("mf_full_digits");
    const real_data::unpacked file("digits/digits.csv.gz");
    const data::csv<> source{.path = file.name(), .ignore = {"#-1"}};
    for (const auto& one : known["table"]) {
        if (one["rank"] == 20 && one["lambda_"] == 0.0)
            continue;  // singular values 20 and 21 are close: many iterations
        const learn::factorisation factors{.rank = one["rank"],
                                           .lambda = one["lambda_"],
                                           .method = learn::descent::alternating,
                                           .stop = {.iterations = 150, .tolerance = 1e-8},
                                           .seed = 3};
        const auto fit = factors.fit(source);
        real_data::check_close("rank " + std::to_string(factors.rank) + ", lambda " + std::to_string(factors.lambda),
                               fit.objective, one["objective"], 1e-6);
        BOOST_TEST(fit.objective >= one["objective"].get<double>() * (1 - 1e-12));
    }
    auto by_components = learn::factorisation{.rank = 10, .lambda = 50, .stop = {.iterations = 100, .tolerance = 1e-8}};
    for (const auto& one : known["table"])
        if (one["rank"] == 10 && one["lambda_"] == 50.0)
            real_data::check_close("CCD++", by_components.fit(source).objective, one["objective"], 1e-6);
}

BOOST_AUTO_TEST_CASE(held_out_pixels_of_digits_are_filled_in, *boost::unit_test::precondition(real_data::is_there)) {
    const real_data::unpacked file("digits/digits.csv.gz");
    const auto all = data::csv<>{.path = file.name()}.load(communicator::single<>{}).x;
    backend::sparse_matrix<double> parts[2];
    for (auto& part : parts) part.columns = 64;
    for (std::size_t i = 0; i < all.rows; ++i)
        for (const bool out : {false, true}) {
            auto& x = parts[out ? 1 : 0];
            for (std::size_t j = 0; j < 64; ++j)
                if (((i * 64 + j) % 10 == 0) == out) {
                    x.indices.push_back(static_cast<std::int32_t>(j));
                    x.values.push_back(all(i, j));
                }
            x.offsets.push_back(static_cast<std::int64_t>(x.indices.size()));
            ++x.rows;
        }
    const auto fit = learn::factorisation{.rank = 10, .lambda = 5, .biases = learn::biases::rows_and_columns}.fit(
        data::arrays(parts[0]));
    const double error = std::sqrt(fit.score(data::arrays(parts[1])).loss);
    BOOST_TEST_MESSAGE("root mean squared error on entries held out: " << error);
    BOOST_TEST(error < 3);  // of numbers from 0 to 16 with a standard deviation of 6
}

BOOST_AUTO_TEST_SUITE_END()

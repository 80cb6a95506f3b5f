// SPDX-License-Identifier: BSL-1.0
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string>
#include <vector>

#include <gamut/communicator/single.hpp>
#include <gamut/communicator/threads.hpp>
#include <gamut/core/error.hpp>
#include <gamut/exchange/exact_diffusion.hpp>
#include <gamut/exchange/extra.hpp>
#include <gamut/exchange/gradient_tracking.hpp>
#include <gamut/exchange/nodes.hpp>
#include <gamut/solver/resource_allocation.hpp>
#include <gamut/topology/ring.hpp>
#include <gamut/topology/symmetric_exponential.hpp>

using namespace gamut;

namespace {

constexpr std::size_t nodes = 8, goods = 2;

double curvature(std::size_t i) { return 1 + 0.25 * static_cast<double>(i % 4); }
double wish(std::size_t i, std::size_t good) { return std::sin(static_cast<double>(3 * i + good)) + 0.5; }

/// argmin a/2 |x - b|^2 + p'x within [-limit, limit]
auto answers(double limit) {
    return [limit](std::size_t i, const auto& price, auto& x) {
        for (std::size_t j = 0; j < goods; ++j) x[j] = std::clamp(wish(i, j) - price[j] / curvature(i), -limit, limit);
    };
}

template <class C, class M> auto shared(const C& c, const M& method, double limit, std::size_t iterations = 500) {
    const exchange::nodes<C> all(c, nodes);
    return solver::resource_allocation{method, 0.3, 1, {.iterations = iterations, .tolerance = 1e-7}}.minimize(
        all, goods, answers(limit));
}

/// The price of one good, by bisection of what is left over.
double right_price(std::size_t good, double limit) {
    double low = -10, high = 10;
    for (int k = 0; k < 200; ++k) {
        const double price = 0.5 * (low + high);
        double sum = 0;
        for (std::size_t i = 0; i < nodes; ++i) sum += std::clamp(wish(i, good) - price / curvature(i), -limit, limit);
        (sum > 0 ? low : high) = price;
    }
    return low;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(resource_allocation)

BOOST_AUTO_TEST_CASE(an_answer_that_fails_on_one_rank_fails_on_all_and_the_clock_ends_a_run) {
    std::vector<std::string> said(3);
    communicator::threads<>::run(3, [&](const communicator::threads<>& ranks) {
        const exchange::nodes<communicator::threads<>> all(ranks, nodes);
        try {
            solver::resource_allocation{exchange::extra{topology::ring{}}, 0.3, 1, {}}.minimize(
                all, goods, [](std::size_t i, const auto& price, auto& x) {
                    if (i == 5) throw core::data_error("node 5 has no answer");
                    answers(1e9)(i, price, x);
                });
        } catch (const core::error& problem) {
            said[static_cast<std::size_t>(ranks.rank())] = problem.what();
        }
    });
    for (const auto& message : said) BOOST_TEST(message.find("node 5 has no answer") != std::string::npos, message);

    const communicator::single<> here;
    const exchange::nodes<communicator::single<>> all(here, nodes);
    const auto late = solver::resource_allocation{
        exchange::extra{topology::ring{}},
        1e-9,
        1,
        {.iterations = 100'000'000,
         .seconds = 0.05}}.minimize(all, goods, answers(1e9));
    BOOST_TEST((late.status == core::status::time_limit), late.message);
}

BOOST_AUTO_TEST_CASE(prices_that_meet_balance_within_500_iterations) {
    const communicator::single<> here;
    const auto check = [&](const auto& method) {
        for (const double limit : {1e9, 0.8}) {  // without limits, and with some that hold
            const auto found = shared(here, method, limit);
            BOOST_TEST((found.status == core::status::converged), found.message);
            BOOST_TEST(found.imbalance <= 1e-7);
            BOOST_TEST(found.apart <= 1e-7);
            for (std::size_t j = 0; j < goods; ++j)
                BOOST_TEST(std::abs(found.price[j] - right_price(j, limit)) <= 1e-6);
        }
    };
    const topology::symmetric_exponential graph{};
    check(exchange::extra{graph});
    check(exchange::exact_diffusion{graph});
    check(exchange::gradient_tracking{graph});
    check(exchange::exact_diffusion{topology::ring{}});
}

BOOST_AUTO_TEST_CASE(any_number_of_ranks_has_the_bits_of_one) {
    const exchange::extra method{topology::ring{}};
    const auto alone = shared(communicator::single<>{}, method, 0.8, 40);
    BOOST_TEST((alone.status == core::status::iteration_limit));
    for (const int ranks : {2, 3, 9})
        communicator::threads<>::run(ranks, [&](const auto& c) {
            const auto found = shared(c, method, 0.8, 40);
            const std::size_t first = exchange::nodes(c, nodes).first();
            bool same = found.imbalance == alone.imbalance && found.apart == alone.apart;
            for (std::size_t i = 0; i < found.x.size(); ++i)
                for (std::size_t j = 0; j < goods; ++j)
                    same = same && found.x[i][j] == alone.x[first + i][j] &&
                           found.prices[i][j] == alone.prices[first + i][j];
            if (!same) throw core::error("other bits");
        });
}

BOOST_AUTO_TEST_CASE(too_long_a_rate_is_not_called_converged) {
    const exchange::nodes all(communicator::single<>{}, nodes);
    const solver::resource_allocation solver{exchange::extra{topology::ring{}}, 50, 1, {.iterations = 5000}};
    BOOST_TEST((solver.minimize(all, goods, answers(1e300)).status == core::status::diverged));
    const solver::resource_allocation none{exchange::extra{topology::ring{}}, 0};
    BOOST_CHECK_EXCEPTION(none.minimize(all, goods, answers(1)), core::option_error, [](const core::error& error) {
        return error.what() == std::string("resource_allocation: rate is 0 (it must be finite and above 0) try 0.1");
    });
}

BOOST_AUTO_TEST_SUITE_END()

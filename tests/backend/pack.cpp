// SPDX-License-Identifier: BSL-1.0
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>

#include <boost/test/unit_test.hpp>

#include <gamut/backend/pack.hpp>
#include <gamut/core/random.hpp>

using gamut::backend::pack;

namespace {

/// Error of the lanes of f(x) in units of the last place of the exact values.
template <class T, class F, class Exact> double worst_error(F&& f, Exact&& exact, double low, double high) {
    const gamut::core::random draw{.seed = 11};
    double worst = 0;
    for (std::size_t i = 0; i < 40000; i += 8) {
        alignas(64) T x[8], y[8];
        for (std::size_t l = 0; l < 8; ++l) x[l] = static_cast<T>(low + (high - low) * draw.uniform(i + l));
        f(pack<T>::load(x)).store(y);
        for (std::size_t l = 0; l < 8; ++l) {
            const long double wanted = exact(static_cast<long double>(x[l]));
            const T size = static_cast<T>(std::abs(wanted));
            const long double unit = std::nextafter(size, std::numeric_limits<T>::infinity()) - size;
            worst = std::max(worst, static_cast<double>(std::abs(y[l] - wanted) / unit));
        }
    }
    return worst;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(pack_of_eight)

BOOST_AUTO_TEST_CASE(functions_are_accurate_to_one_and_a_half_units_in_the_last_place) {
    const auto e = [](auto x) { return exp(x); };
    const auto l = [](auto x) { return log(x); };
    const auto p = [](auto x) { return log1p(x); };
    const auto exact_e = [](long double x) { return std::exp(x); };
    const auto exact_l = [](long double x) { return std::log(x); };
    const auto exact_p = [](long double x) { return std::log1p(x); };
    BOOST_TEST(worst_error<double>(e, exact_e, -700, 700) <= 1.5);
    BOOST_TEST(worst_error<double>(e, exact_e, -1, 1) <= 1.5);
    BOOST_TEST(worst_error<float>(e, exact_e, -80, 80) <= 1.5);
    BOOST_TEST(worst_error<double>(l, exact_l, 1e-3, 1e3) <= 1.5);
    BOOST_TEST(worst_error<float>(l, exact_l, 1e-3, 1e3) <= 1.5);
    BOOST_TEST(worst_error<double>(p, exact_p, 0, 1) <= 1.5);
    BOOST_TEST(worst_error<float>(p, exact_p, 0, 1) <= 1.5);
}

BOOST_AUTO_TEST_CASE(functions_keep_infinities_and_what_is_no_number) {
    constexpr double infinity = std::numeric_limits<double>::infinity(),
                     none = std::numeric_limits<double>::quiet_NaN();
    alignas(64) double x[8] = {0, infinity, -infinity, none, 1000, -1000, 1, -1}, y[8];
    exp(pack<double>::load(x)).store(y);
    BOOST_TEST(y[0] == 1);
    BOOST_TEST(y[1] == infinity);
    BOOST_TEST(y[2] == 0);
    BOOST_TEST(std::isnan(y[3]));
    BOOST_TEST(y[4] == infinity);
    BOOST_TEST(y[5] == 0);
    log(pack<double>::load(x)).store(y);
    BOOST_TEST(y[0] == -infinity);
    BOOST_TEST(y[1] == infinity);
    BOOST_TEST(std::isnan(y[2]));
    BOOST_TEST(std::isnan(y[3]));
    BOOST_TEST(y[6] == 0);
    BOOST_TEST(std::isnan(y[7]));
}

template <class P> void gathers_and_scatters() {
    const std::int32_t index[8] = {7, 0, 11, 3, 9, 2, 5, 1};
    typename P::value_type numbers[12], out[12] = {}, lanes[8];
    for (int i = 0; i < 12; ++i) numbers[i] = static_cast<typename P::value_type>(i * i + 1);
    P::gather_at(numbers, index).store(lanes);
    for (std::size_t l = 0; l < P::width; ++l) BOOST_TEST(lanes[l] == numbers[index[l]]);
    P::load(lanes).scatter_at(out, index);
    for (std::size_t i = 0; i < 12; ++i) {
        const auto* const end = index + P::width;
        BOOST_TEST(out[i] == (std::find(index, end, static_cast<std::int32_t>(i)) != end ? numbers[i] : 0));
    }
}

BOOST_AUTO_TEST_CASE(numbers_are_gathered_from_and_scattered_to_where_indices_say) {
    gathers_and_scatters<pack<double, 16, 2>>();
    gathers_and_scatters<pack<double, 16, 4>>();  // halves
    gathers_and_scatters<pack<float, 16, 4>>();
    gathers_and_scatters<pack<double, 16, 8>>();
    gathers_and_scatters<pack<float, 16, 8>>();
    gathers_and_scatters<pack<double, 64, 8>>();  // one vector, whatever the machine makes of it
    gathers_and_scatters<pack<float, 32, 8>>();
}

BOOST_AUTO_TEST_SUITE_END()

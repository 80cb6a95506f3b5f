// SPDX-License-Identifier: BSL-1.0
#include <gamut/backend/pack_functions.hpp>

#include <boost/test/unit_test.hpp>

#include <cmath>
#include <limits>

BOOST_AUTO_TEST_SUITE(pack_functions)

namespace {
/// |got - wanted| in units of the last place of `wanted`.
double ulps(double got, double wanted) {
    if (got == wanted || (std::isnan(got) && std::isnan(wanted))) return 0;
    return std::abs(got - wanted) / (std::nextafter(std::abs(wanted), 1e300) - std::abs(wanted));
}
}  // namespace

BOOST_AUTO_TEST_CASE(they_are_those_of_the_library) {
    double minus_one = 0, tangent = 0;
    for (const double sign : {-1.0, 1.0})
        for (double size = 1e-12; size < 800; size *= 1.037) {
            const double x = sign * size;
            double v[8], t[8];
            expm1(gamut::backend::pack<double>(x)).store(v);
            tanh(gamut::backend::pack<double>(x)).store(t);
            if (x < 709) minus_one = std::max(minus_one, ulps(v[3], std::expm1(x)));
            tangent = std::max(tangent, ulps(t[5], std::tanh(x)));
            sin(gamut::backend::pack<double>(x)).store(v);
            BOOST_TEST(v[0] == std::sin(x));
            pow(gamut::backend::pack<double>(size), gamut::backend::pack<double>(1.25)).store(v);
            BOOST_TEST(v[7] == std::pow(size, 1.25));
        }
    BOOST_TEST(minus_one <= 5);
    BOOST_TEST(tangent <= 6);
}

BOOST_AUTO_TEST_CASE(the_ends_are_right) {
    constexpr double infinity = std::numeric_limits<double>::infinity();
    double v[8];
    for (const double x : {0.0, -0.0, infinity, -infinity, 800.0, -800.0, std::numeric_limits<double>::quiet_NaN()}) {
        expm1(gamut::backend::pack<double>(x)).store(v);
        BOOST_TEST(ulps(v[0], std::expm1(x)) == 0, "expm1 " << x << " " << v[0]);
        tanh(gamut::backend::pack<double>(x)).store(v);
        BOOST_TEST(ulps(v[0], std::tanh(x)) == 0, "tanh " << x << " " << v[0]);
    }
}

BOOST_AUTO_TEST_SUITE_END()

// SPDX-License-Identifier: BSL-1.0
// Options out of range are refused, NaN included, by an error that names the penalty and the option.
#include <boost/test/unit_test.hpp>

#include <limits>
#include <string>

#include <gamut/penalty/box.hpp>
#include <gamut/penalty/elastic_net.hpp>
#include <gamut/penalty/group.hpp>
#include <gamut/penalty/l0.hpp>
#include <gamut/penalty/l1.hpp>
#include <gamut/penalty/l2.hpp>
#include <gamut/penalty/mcp.hpp>
#include <gamut/penalty/scad.hpp>

using namespace gamut;

namespace {

constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();
constexpr double infinity = std::numeric_limits<double>::infinity();

template <class P> void refuses(const P& p, const std::string& start) {
    try {
        penalty::validate(p, {.features = 4, .outputs = 3});
        BOOST_ERROR("accepted, though " + start);
    } catch (const core::option_error& problem) {
        BOOST_TEST(std::string(problem.what()).substr(0, start.size()) == start);
    }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(penalty_options)

BOOST_AUTO_TEST_CASE(strengths_must_be_finite_and_not_negative) {
    for (const double bad : {-1.0, not_a_number, infinity, -infinity}) {
        refuses(penalty::l1{.strength = bad}, "penalty::l1: strength is ");
        refuses(penalty::l2{.strength = bad}, "penalty::l2: strength is ");
        refuses(penalty::elastic_net{.l1 = bad}, "penalty::elastic_net: l1 is ");
        refuses(penalty::elastic_net{.l2 = bad}, "penalty::elastic_net: l2 is ");
        refuses(penalty::l0{.l2 = bad}, "penalty::l0: l2 is ");
        refuses(penalty::l0{.l1 = bad}, "penalty::l0: l1 is ");
        refuses(penalty::mcp{.strength = bad}, "penalty::mcp: strength is ");
        refuses(penalty::mcp{.gamma = bad}, "penalty::mcp: gamma is ");
        refuses(penalty::scad{.strength = bad}, "penalty::scad: strength is ");
        refuses(penalty::scad{.gamma = bad}, "penalty::scad: gamma is ");
        refuses(penalty::group{.strength = bad}, "penalty::group: strength is ");
        refuses(penalty::group{.l1 = bad}, "penalty::group: l1 is ");
        refuses(penalty::group{.weights = {1, 1, bad, 1}}, "penalty::group: a weight is ");
    }
}

BOOST_AUTO_TEST_CASE(bounds_must_leave_a_number_between_them) {
    refuses(penalty::box{.lower = 1, .upper = 0}, "penalty::box: lower is 1 and upper is 0 ");
    refuses(penalty::box{.lower = not_a_number}, "penalty::box: lower is nan");
    refuses(penalty::box{.upper = not_a_number}, "penalty::box: ");
    refuses(penalty::box{.lower = infinity}, "penalty::box: ");
    refuses(penalty::box{.upper = -infinity}, "penalty::box: ");
    refuses(penalty::l0{.lower = 1, .upper = -1}, "penalty::l0: lower is 1 ");
}

BOOST_AUTO_TEST_CASE(bounds_of_l0_must_contain_zero) {
    refuses(penalty::l0{.lower = 0.5, .upper = 1}, "penalty::l0: lower is 0.5 and upper is 1 (0, ");
    refuses(penalty::l0{.upper = -0.5}, "penalty::l0: ");
    penalty::validate(penalty::l0{.lower = 0, .upper = 0}, {.features = 1});
}

BOOST_AUTO_TEST_CASE(free_features_must_exist) {
    refuses(penalty::l0{.free = {0, 4}}, "penalty::l0: free has feature 4 (there are 4, ");
    penalty::validate(penalty::l0{.free = {0, 3, 3}}, {.features = 4, .outputs = 3});
}

BOOST_AUTO_TEST_CASE(groups_of_l0_are_those_of_the_features) {
    refuses(penalty::l0{.sizes = {2, 0, 2}}, "penalty::l0: sizes has 0 (a group has 1 to 4 features)");
    refuses(penalty::l0{.sizes = {2, 3}}, "penalty::l0: the sizes add up to 5 (there are 4 features) ");
    refuses(penalty::l0{.sizes = {2, std::size_t(-1), 3}}, "penalty::l0: sizes has ");
    refuses(penalty::l0{.free = {2}, .sizes = {1, 2, 1}},
            "penalty::l0: free has feature 2 but not feature 1 (they are in one group) ");
    penalty::validate(penalty::l0{.free = {2, 1}, .sizes = {1, 2, 1}}, {.features = 4, .outputs = 3});
    penalty::validate(penalty::l0{.over = penalty::support::per_output, .sizes = {4}}, {.features = 4});
    BOOST_CHECK_THROW(penalty::validate(penalty::l0{.over = penalty::support::per_output, .sizes = {4}},
                                        {.features = 4, .outputs = 2}),
                      core::option_error);
}

BOOST_AUTO_TEST_CASE(concave_penalties_have_a_least_gamma) {
    refuses(penalty::mcp{.gamma = 0}, "penalty::mcp: gamma is 0 ");
    refuses(penalty::scad{.gamma = 2}, "penalty::scad: gamma is 2 ");
}

BOOST_AUTO_TEST_CASE(groups_must_be_those_of_the_features) {
    refuses(penalty::group{.sizes = {2, 1}}, "penalty::group: the sizes add up to 3 (there are 4 ");
    refuses(penalty::group{.sizes = {4, 0}}, "penalty::group: sizes has a 0 ");
    refuses(penalty::group{.sizes = {2, 2}, .weights = {1}}, "penalty::group: 1 weights (there are 2 ");
    refuses(penalty::group{.weights = {1, 2}}, "penalty::group: 2 weights (there are 4 ");
    penalty::validate(penalty::group{.sizes = {3, 1}, .weights = {0, 2}}, {.features = 4, .outputs = 3});
}

BOOST_AUTO_TEST_SUITE_END()

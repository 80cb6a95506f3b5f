// SPDX-License-Identifier: BSL-1.0
// What a penalty is, and what it is not.
#include <cstddef>
#include <span>
#include <string>

#include <gamut/penalty/box.hpp>
#include <gamut/penalty/elastic_net.hpp>
#include <gamut/penalty/l0.hpp>
#include <gamut/penalty/l1.hpp>
#include <gamut/penalty/l2.hpp>
#include <gamut/penalty/none.hpp>

using namespace gamut::penalty;

namespace {

struct nonnegative {  // two functions of one weight are enough
    constexpr auto value(auto) const { return 0.0; }
    constexpr auto prox(auto w, auto) const { return w < 0 ? decltype(w){0} : w; }
};
struct without_prox {
    constexpr auto value(auto) const { return 0.0; }
};
struct without_value {
    constexpr auto prox(auto w, auto) const { return w; }
};
struct prox_without_step {
    constexpr double value(double) const { return 0; }
    constexpr double prox(double w) const { return w; }
};
struct value_that_is_no_number {
    std::string value(double) const { return {}; }
    double prox(double w, double) const { return w; }
};
struct whole {  // of all weights at once
    double value(std::span<const double>, layout) const { return 0; }
    void prox(std::span<const double>, double, std::span<double>, layout) const {}
};
struct whole_without_layout {
    double value(std::span<const double>) const { return 0; }
    void prox(std::span<const double>, double, std::span<double>) const {}
};
struct one_derivative : nonnegative {
    constexpr double derivative(double) const { return 0; }
};

static_assert(Separable<none> && Separable<l1> && Separable<l2> && Separable<elastic_net> && Separable<box>);
static_assert(Separable<none, float> && Separable<l1, float> && Separable<l2, float> && Separable<elastic_net, float> &&
              Separable<box, float>);
static_assert(WholeVector<l0> && WholeVector<l0, float>);
static_assert(!Separable<l0>);
static_assert(!WholeVector<l1>);

static_assert(Smooth<none> && Smooth<l2> && Smooth<none, float> && Smooth<l2, float>);
static_assert(!Smooth<l1> && !Smooth<elastic_net> && !Smooth<box> && !Smooth<l0>);
static_assert(!Smooth<one_derivative>);

static_assert(Penalty<nonnegative> && Penalty<whole>);
static_assert(!Smooth<nonnegative>);
static_assert(!WholeVector<whole, float>);
static_assert(!Penalty<without_prox> && HasValue<without_prox> && !HasProx<without_prox>);
static_assert(!Penalty<without_value> && !HasValue<without_value> && HasProx<without_value>);
static_assert(!Penalty<prox_without_step>);
static_assert(!Penalty<value_that_is_no_number>);
static_assert(!Penalty<whole_without_layout>);
static_assert(!Penalty<int> && !Penalty<std::string>);

// a prox is a constant expression, so it can run on a device without an attribute
static_assert(l1{.strength = 2}.prox(5.0, 1.0) == 3 && l1{.strength = 2}.prox(-5.0, 1.0) == -3);
static_assert(l1{.strength = 2}.prox(1.5, 1.0) == 0 && l1{.strength = 2}.value(-4.0) == 8);
static_assert(l2{.strength = 3}.prox(8.0, 1.0) == 2 && l2{.strength = 3}.derivative(2.0) == 6);
static_assert(elastic_net{.l1 = 1, .l2 = 1}.prox(5.0, 1.0) == 2);
static_assert(box{.lower = 0, .upper = 1}.prox(5.0, 1.0) == 1 && box{.lower = 0}.prox(-5.0f, 1.0f) == 0);
static_assert(none{}.prox(-5.0, 1.0) == -5 && none{}.value(3.0) == 0);
static_assert(nonnegative{}.prox(-5.0, 1.0) == 0);

}  // namespace

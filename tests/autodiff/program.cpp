// SPDX-License-Identifier: BSL-1.0
#include <gamut/autodiff/program.hpp>

#include <gamut/autodiff/blocks.hpp>
#include <gamut/autodiff/cutting.hpp>
#include <gamut/autodiff/functions.hpp>
#include <gamut/autodiff/operations.hpp>
#include <gamut/autodiff/parameter.hpp>
#include <gamut/autodiff/place_set.hpp>
#include <gamut/autodiff/reduce.hpp>
#include <gamut/autodiff/relabel.hpp>
#include <gamut/autodiff/steps.hpp>
#include <gamut/core/error.hpp>

#include <boost/test/unit_test.hpp>

#include <initializer_list>
#include <type_traits>
#include <vector>

using namespace gamut::autodiff;

BOOST_AUTO_TEST_SUITE(program_of_steps)

namespace {
struct names {
    matrix<0> A{4, 6};
    row<1> a{6};
    matrix<2> B{6, 3};
    row<3> b{3};
};
constexpr names w;
constexpr data X;
constexpr labels y;
constexpr auto h = relu(X * w.A + w.a);

// what fits and what does not
static_assert(combine(shape::row, shape::table) == shape::table);
static_assert(combine(shape::row, shape::rows) == shape::table);
static_assert(combine(shape::number, shape::rows) == shape::rows);
static_assert(combine(shape::number, shape::row) == shape::row);
static_assert(combine(shape::matrix, shape::table) == shape::invalid);
static_assert(combine(shape::matrix, shape::matrix) == shape::invalid);
static_assert(combine(shape::number, shape::total) == shape::invalid);
static_assert(shape_of<decltype(h)> == shape::table);
static_assert(shape_of<decltype(h * vector<4>{6})> == shape::rows);
}  // namespace

BOOST_AUTO_TEST_CASE(a_step_is_found_once_however_often_it_is_written) {
    static_assert(decltype(cut(h * w.B))::size == 3);  // X A; h; h B
    static_assert(decltype(cut(h * w.B + h * w.B))::size == 4);
    static_assert(decltype(cut(mean(log_sum_exp(h * w.B) - pick(h * w.B, y))))::size == 3);
    static_assert(std::is_same_v<decltype(cut(h * w.B)), decltype(cut(h * w.B))>);
}

BOOST_AUTO_TEST_CASE(layer_by_layer_is_the_same_program) {
    constexpr auto first = cut(nothing(), h);
    constexpr auto second = cut(first.steps, mean(row_sum(first.formula * w.B)));
    static_assert(std::is_same_v<decltype(finish(second)), decltype(cut(mean(row_sum(h * w.B))))>);
}

BOOST_AUTO_TEST_CASE(parts_that_differ_in_a_number_only_need_names) {
    const auto z = X * w.A;
    BOOST_CHECK_THROW(cut(keep(2 * z) + keep(3 * z)), gamut::core::option_error);
    BOOST_CHECK_NO_THROW(cut(keep(2 * z) + keep(2 * z)));
    static_assert(decltype(cut(keep(2 * z) + keep<1>(3 * z)))::size == 4);
    const image in{2, 2, 1};
    BOOST_CHECK_THROW(cut(mean(row_sum(move(patches{in, 1}, X)) + row_sum(move(patches{in, 2}, X)))),
                      gamut::core::option_error);
}

BOOST_AUTO_TEST_CASE(layers_that_look_alike_have_one_kernel) {
    using one = decltype(relabel<place_set::of(3), place_set::of(1)>{}(
        relu(slot<3, shape::table, true>{} + parameter<1, shape::row>{})));
    using other = decltype(relabel<place_set::of(7), place_set::of(5)>{}(
        relu(slot<7, shape::table, true>{} + parameter<5, shape::row>{})));
    static_assert(std::is_same_v<one, other>);
}

BOOST_AUTO_TEST_CASE(a_set_of_places_counts) {
    place_set s;
    for (const std::size_t i : std::initializer_list<std::size_t>{0, 3, 63, 64, 130, 255}) s.add(i);
    BOOST_TEST(s.size() == 6u);
    BOOST_TEST(s.below(0) == 0u);
    BOOST_TEST(s.below(64) == 3u);
    BOOST_TEST(s.below(255) == 5u);
    BOOST_TEST(s.at(0) == 0u);
    BOOST_TEST(s.at(3) == 64u);
    BOOST_TEST(s.at(5) == 255u);
    BOOST_TEST(s.has(130));
    BOOST_TEST(!s.has(131));
}

BOOST_AUTO_TEST_CASE(a_struct_names_its_blocks) {
    BOOST_CHECK((shapes_of(w) == std::vector<block_shape>{{4, 6}, {1, 6}, {6, 3}, {1, 3}}));
    BOOST_TEST(offset_of(w, w.B) == 30u);
    struct mixed {
        double rate = 0.5;
        number<1> s{};
        vector<0> u{3};
    };
    BOOST_CHECK((shapes_of(mixed{}) == std::vector<block_shape>{{3, 1}, {1, 1}}));
    struct twice {
        number<0> s{}, t{};
    };
    BOOST_CHECK_THROW(shapes_of(twice{}), gamut::core::option_error);
}

BOOST_AUTO_TEST_SUITE_END()

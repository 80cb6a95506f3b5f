// SPDX-License-Identifier: BSL-1.0
// Pictures that are shifted and mirrored in training: what is drawn, derivatives through it, bits, and what it is good for.
#include <gamut/autodiff/drawn_moves.hpp>
#include <gamut/network/augment.hpp>

#include <gamut/communicator/threads.hpp>
#include <gamut/data/arrays.hpp>
#include <gamut/network.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "backend/check_formula.hpp"

using namespace gamut;

BOOST_AUTO_TEST_SUITE(augment)

namespace {
using picture_of_numbers = std::vector<double>;

/// Entry by entry, as the definition says.
picture_of_numbers moved_by_hand(const picture_of_numbers& x, const autodiff::image& in, long down, long right,
                                 bool mirrored) {
    picture_of_numbers to(x.size(), 0.0);
    const auto h = static_cast<long>(in.height), w = static_cast<long>(in.width), c = static_cast<long>(in.channels);
    for (long i = 0; i < h; ++i)
        for (long j = 0; j < w; ++j)
            for (long k = 0; k < c; ++k) {
                const long y = i - down;
                long z = j - right;
                if (y < 0 || y >= h || z < 0 || z >= w) continue;
                if (mirrored) z = w - 1 - z;
                to[static_cast<std::size_t>((i * w + j) * c + k)] = x[static_cast<std::size_t>((y * w + z) * c + k)];
            }
    return to;
}

/// What a program without parameters makes of the same picture in many rows.
template <class Program>
std::vector<picture_of_numbers> made_of(const Program& program, const picture_of_numbers& one, std::size_t rows,
                                        bool training, std::uint64_t step, const std::vector<std::size_t>& numbers) {
    backend::program_run_for<double, Program> run(program, {}, one.size(), rows);
    std::vector<double> x;
    for (std::size_t i = 0; i < rows; ++i) x.insert(x.end(), one.begin(), one.end());
    run.forward({.x = x.data(),
                 .stride = one.size(),
                 .rows = rows,
                 .training = training,
                 .seed = 7,
                 .step = step,
                 .numbers = numbers.empty() ? nullptr : numbers.data()},
                run.all(), run.flat(nullptr));
    std::vector<picture_of_numbers> made(rows);
    for (std::size_t i = 0; i < rows; ++i)
        for (std::size_t k = 0; k < run.result().columns; ++k)
            made[i].push_back(run.result().values[i * run.result().stride + k]);
    return made;
}
constexpr autodiff::image in{4, 5, 2};
constexpr auto as_one_row = autodiff::cut(autodiff::move_at_random(autodiff::shifted{in, 1, true}, autodiff::data{}));
/// The same where positions are rows of a table.
constexpr auto by_position = autodiff::cut(autodiff::flatten(autodiff::move_at_random(
    autodiff::shifted{in, 1, true}, autodiff::move(autodiff::patches{in, 1}, autodiff::data{}))));

picture_of_numbers numbered() {
    picture_of_numbers x;
    for (std::size_t i = 0; i < in.size(); ++i) x.push_back(static_cast<double>(i + 1));
    return x;
}

/// A horizontal, a vertical bar and a corner of 4 x 4 positions in pictures of 8 x 8, in their middle or up to two positions off it.
auto shapes(std::size_t rows, bool off, std::uint64_t seed) {
    backend::dense_matrix<double> x(rows, 64);
    std::vector<double> y;
    const core::random draw{seed, 1};
    for (std::size_t i = 0; i < rows; ++i) {
        const std::size_t what = i % 3, down = off ? draw.below(2 * i, 5) : 2,
                          right = off ? draw.below(2 * i + 1, 5) : 2;
        for (std::size_t j = 0; j < 64; ++j) x(i, j) = 0.1 * draw.normal(1000 + 64 * i + j);
        for (std::size_t k = 0; k < 4; ++k) {
            if (what != 1) x(i, (down + 3) * 8 + right + k) += 1;
            if (what != 0) x(i, (down + k) * 8 + right) += 1;
        }
        y.push_back(static_cast<double>(what));
    }
    return data::arrays(std::move(x), y);
}
template <class Model, class C = communicator::single<>>
auto fit_shapes(const Model& model, std::size_t rows, std::size_t epochs, const C& ranks = {}) {
    return estimator{.model = model,
                     .solver =
                         solver::sgd{.rate = 0.05, .momentum = 0.9, .check_every = 0, .stop = {.iterations = epochs}},
                     .communicator = ranks,
                     .prepare = {.columns = data::columns::as_given}}
        .fit(shapes(rows, false, 1));
}
constexpr network::picture eight{8, 8, 1};
const auto plain =
    network::classifier{eight, network::flatten{}, network::dense{16}, network::relu{}, network::dense{3}};
const auto augmented = network::classifier{eight,
                                           network::augment{.shift = 2, .flip = false},
                                           network::flatten{},
                                           network::dense{16},
                                           network::relu{},
                                           network::dense{3}};
}  // namespace

BOOST_AUTO_TEST_CASE(every_output_is_a_shifted_or_mirrored_copy_and_all_are_as_likely) {
    const auto x = numbered();
    std::vector<picture_of_numbers> all;
    for (long down = -1; down <= 1; ++down)
        for (long right = -1; right <= 1; ++right)
            for (const bool mirrored : {false, true}) all.push_back(moved_by_hand(x, in, down, right, mirrored));
    constexpr std::size_t n = 3600;
    const auto made = made_of(as_one_row, x, n, true, 3, {});
    BOOST_CHECK(made_of(by_position, x, n, true, 3, {}).size() == n);
    std::vector<double> counts(all.size());
    for (const auto& one : made) {
        const auto found = std::find(all.begin(), all.end(), one);
        BOOST_REQUIRE(found != all.end());
        ++counts[static_cast<std::size_t>(found - all.begin())];
    }
    for (const double c : counts) BOOST_TEST(std::abs(c - 200) < 5 * std::sqrt(200.0));
    for (const auto& one : made_of(by_position, x, 200, true, 3, {}))
        BOOST_CHECK(std::find(all.begin(), all.end(), one) != all.end());
}

BOOST_AUTO_TEST_CASE(draws_are_for_a_row_and_a_step_and_only_in_training) {
    const auto x = numbered();
    const auto all = made_of(as_one_row, x, 100, true, 3, {});
    const auto some = made_of(as_one_row, x, 3, true, 3, {70, 4, 31});
    BOOST_CHECK(some[0] == all[70] && some[1] == all[4] && some[2] == all[31]);
    BOOST_CHECK(made_of(as_one_row, x, 100, true, 4, {}) != all);
    for (const auto& one : made_of(as_one_row, x, 20, false, 3, {})) BOOST_CHECK(one == x);
    for (const auto& one : made_of(by_position, x, 20, false, 3, {})) BOOST_CHECK(one == x);
}

BOOST_AUTO_TEST_CASE(derivatives_go_through_it) {
    const network::classifier net{network::picture{5, 5, 2},
                                  network::convolution{.channels = 3, .kernel = 3, .border = 1},
                                  network::augment{.shift = 2, .flip = true},
                                  network::tanh{},
                                  network::flatten{},
                                  network::dense{3}};
    const auto blocks = net.shapes(50);
    check_program(net.loss_program(50), blocks, formula_point(6, 50, 3, dimension_of(blocks)), "augment");
}

BOOST_AUTO_TEST_CASE(ranks_change_no_bit_and_a_fitted_network_sees_pictures_as_they_are) {
    const auto alone = fit_shapes(augmented, 60, 3);
    BOOST_CHECK(alone.weights != fit_shapes(plain, 60, 3).weights);
    for (int size = 2; size <= 4; ++size) {
        std::vector<int> same(static_cast<std::size_t>(size));
        communicator::threads<>::run(size, [&](const communicator::threads<>& ranks) {
            same[static_cast<std::size_t>(ranks.rank())] = fit_shapes(augmented, 60, 3, ranks).weights == alone.weights;
        });
        for (const int s : same) BOOST_TEST(s == 1, size << " ranks");
    }
    auto without = fit_shapes(plain, 60, 1);
    without.weights = alone.weights;
    const auto test = shapes(30, true, 2);
    BOOST_CHECK(alone.predict(test).values == without.predict(test).values);
}

BOOST_AUTO_TEST_CASE(a_network_learns_what_it_was_never_shown) {
    const auto test = shapes(300, true, 2);
    const double before = fit_shapes(plain, 90, 120).score(test).accuracy;
    const double after = fit_shapes(augmented, 90, 120).score(test).accuracy;
    BOOST_TEST(before < 0.75);
    BOOST_TEST(after > 0.95);
}

BOOST_AUTO_TEST_CASE(a_shift_beyond_the_picture_is_refused) {
    const auto wrong = network::classifier{network::augment{.shift = 2}, network::dense{3}};
    BOOST_CHECK_EXCEPTION(fit_shapes(wrong, 30, 1), core::shape_error, [](const core::shape_error& e) {
        return std::string(e.what()).find("shifts by up to 2 positions (the image has 1 x 1)") != std::string::npos;
    });
}

BOOST_AUTO_TEST_SUITE_END()

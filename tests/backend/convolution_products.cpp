// SPDX-License-Identifier: BSL-1.0
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

#include <gamut/backend/detail/convolution_products.hpp>
#include <gamut/core/random.hpp>

using namespace gamut;
using backend::detail::convolution_products;
using backend::detail::convolution_shape;
template <class T> using slot_table = backend::detail::table<T>;

namespace {

template <class T> std::vector<T> numbers(std::size_t n, std::uint64_t stream) {
    const core::random draws{.seed = 7, .stream = stream};
    std::vector<T> all(n);
    for (std::size_t i = 0; i < n; ++i) all[i] = static_cast<T>(draws.normal(i));
    return all;
}
/// Of arrays that should be equal, the largest difference over the largest number.
template <class T> double apart(const std::vector<T>& a, const std::vector<double>& b) {
    double difference = 0, largest = 0;
    for (std::size_t i = 0; i < b.size(); ++i) {
        difference = std::max(difference, std::abs(static_cast<double>(a[i]) - b[i]));
        largest = std::max(largest, std::abs(b[i]));
    }
    return difference / largest;
}

/// All three products of some pictures, from their definitions; flat: a picture is one row of the table that is read.
template <class T>
void check(const autodiff::patches& op, std::size_t filters, std::size_t pictures, bool flat, bool tiles) {
    BOOST_TEST_CONTEXT(op.in.height << " x " << op.in.width << " x " << op.in.channels << ", kernel " << op.kernel
                                    << ", step " << op.step << ", border " << op.border << ", " << filters
                                    << " filters, " << pictures << " pictures, flat " << flat) {
        const convolution_shape shape{op, filters};
        BOOST_TEST(backend::detail::tile_products<T>::fits(shape) == tiles);
        const std::size_t c = op.in.channels, from = op.in.positions(), to = shape.positions();
        const auto padded = [](std::size_t n) { return (n + 7) / 8 * 8; };
        slot_table<T> a, out;
        a.columns = flat ? from * c : c, a.stride = padded(a.columns), a.per_row = flat ? 1 : from;
        out.columns = filters, out.stride = padded(filters), out.per_row = to;
        const convolution_products<T> products(shape, {a.per_row, a.columns});
        const auto x = numbers<T>(pictures * a.per_row * a.stride, 1), w = numbers<T>(shape.inner() * filters, 2),
                   s = numbers<T>(pictures * to * out.stride, 3);
        auto y = numbers<T>(s.size(), 4), g = numbers<T>(w.size(), 5), back = numbers<T>(x.size(), 6);
        std::vector<double> y_true(y.begin(), y.end()), g_true(g.begin(), g.end()), back_true(back.begin(), back.end());
        for (std::size_t i = 0; i < pictures; ++i)
            op.windows().each([&](std::size_t window, std::size_t k, std::size_t position) {
                for (std::size_t j = 0; j < c; ++j)
                    for (std::size_t f = 0; f < filters; ++f) {
                        const std::size_t at = i * a.per_row * a.stride + position * (flat ? c : a.stride) + j,
                                          there = (i * to + window) * out.stride + f, in_w = (k * c + j) * filters + f;
                        y_true[there] += double(x[at]) * double(w[in_w]);
                        g_true[in_w] += double(x[at]) * double(s[there]);
                        back_true[at] += double(w[in_w]) * double(s[there]);
                    }
            });
        std::vector<T> memory(products.memory(), T(NAN));
        const auto added = y;
        products.forward(products.read(a, x.data()), w.data(), products.made(out, y.data()), pictures, true,
                         memory.data());
        const double tolerance = sizeof(T) == 8 ? 2e-14 : 1e-5;
        const auto only_numbers = [&](const auto& all, const slot_table<T>& t) {
            std::vector<typename std::remove_cvref_t<decltype(all)>::value_type> kept;
            for (std::size_t i = 0; i < all.size(); ++i)
                if (i % t.stride < t.columns) kept.push_back(all[i]);
            return kept;
        };
        BOOST_TEST(apart(only_numbers(y, out), only_numbers(y_true, out)) < tolerance);
        products.reverse(products.read(a, x.data()), products.made(out, s.data()), w.data(), g.data(),
                         products.read(a, back.data()), pictures, memory.data());
        BOOST_TEST(apart(g, g_true) < tolerance);
        BOOST_TEST(apart(only_numbers(back, a), only_numbers(back_true, a)) < tolerance);

        // alone, each of them has the same bits; and what is not added to is not read
        std::vector<T> fresh(y.size(), T(NAN)), g2 = numbers<T>(w.size(), 5), back2 = numbers<T>(x.size(), 6);
        products.forward(products.read(a, x.data()), w.data(), products.made(out, fresh.data()), pictures, false,
                         memory.data());
        double difference = 0;
        for (std::size_t i = 0; i < y.size(); ++i)
            if (i % out.stride < out.columns)
                difference = std::max(difference, std::abs(double(fresh[i]) + double(added[i]) - double(y[i])));
        BOOST_TEST(difference < (sizeof(T) == 8 ? 1e-12 : 1e-3));
        products.reverse(products.read(a, x.data()), products.made(out, s.data()), w.data(), g2.data(),
                         products.read(a, static_cast<T*>(nullptr)), pictures, memory.data());
        products.reverse(products.read(a, x.data()), products.made(out, s.data()), w.data(), static_cast<T*>(nullptr),
                         products.read(a, back2.data()), pictures, memory.data());
        BOOST_TEST((g2 == g));
        BOOST_TEST((only_numbers(back2, a) == only_numbers(back, a)));
    }
}
template <class T> void check_shapes() {
    for (const bool flat : {false, true})
        for (const std::size_t pictures : {std::size_t(1), std::size_t(3)}) {
            check<T>({{7, 5, 3}, 3, 1, 1}, 4, pictures, flat, false);
            check<T>({{9, 6, 2}, 3, 2, 1}, 5, pictures, flat, false);
            check<T>({{8, 8, 1}, 5, 1, 2}, 6, pictures, flat, false);
            check<T>({{6, 7, 8}, 2, 3, 0}, 8, pictures, flat, false);
            check<T>({{5, 3, 6}, 1, 1, 0}, 7, pictures, flat, false);
            check<T>({{5, 3, 8}, 1, 2, 0}, 8, pictures, flat, false);
            check<T>({{3, 3, 2}, 3, 1, 0}, 3, pictures, flat, false);
            check<T>({{2, 2, 3}, 3, 1, 2}, 3, pictures, flat, false);
            check<T>({{2, 3, 2}, 3, 3, 4}, 3, pictures, flat, false);  // windows of zeros alone
            check<T>({{1, 1, 4}, 1, 1, 0}, 3, pictures, flat, false);
            check<T>({{8, 8, 32}, 3, 1, 1}, 32, pictures, flat, true);
            check<T>({{7, 9, 32}, 3, 1, 1}, 40, pictures, flat, true);  // tiles beyond the result
            check<T>({{2, 2, 40}, 3, 1, 1}, 32, pictures, flat, true);
            check<T>({{8, 6, 32}, 3, 1, 0}, 32, pictures, flat, true);
            check<T>({{4, 4, 32}, 3, 1, 2}, 32, pictures, flat, true);
            check<T>({{3, 3, 32}, 3, 1, 1}, 32, pictures, flat, false);  // too many tiles for so few positions
        }
    check<T>({{33, 31, 3}, 3, 1, 1}, 8, 12, false, false);  // several blocks of patches, the last one smaller
    check<T>({{20, 16, 32}, 3, 1, 1}, 32, 5, false, true);  // of tiles
}

}  // namespace

BOOST_AUTO_TEST_SUITE(convolution_products_test)

BOOST_AUTO_TEST_CASE(products_in_double_are_those_of_the_definition) { check_shapes<double>(); }
BOOST_AUTO_TEST_CASE(products_in_float_are_those_of_the_definition) { check_shapes<float>(); }

BOOST_AUTO_TEST_SUITE_END()

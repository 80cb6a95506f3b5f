// SPDX-License-Identifier: BSL-1.0
// The device's sweep against the host's, partial by partial.
#include <boost/test/unit_test.hpp>

#include <cmath>
#include <cstddef>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include <gamut/backend/device_sweep.hpp>
#include <gamut/backend/sweep.hpp>
#include <gamut/model/linear.hpp>
#include <gamut/model/logistic.hpp>
#include <gamut/model/softmax.hpp>

#include "systems.hpp"

using namespace gamut;
using namespace gamut::device_test;

namespace {

/// The same loss, data and weights on the host and on a device.
template <class B, class Matrix, class Model> struct pair_of_sweeps {
    using T = typename B::value_type;
    using formula = decltype(model::loss_formula(Model{}));
    using host_sweep = typename backend::sweep_for<backend::host<T>, Matrix, formula>::type;
    using device_sweep = typename backend::sweep_for<B, Matrix, formula>::type;
    static_assert(std::is_same_v<device_sweep, backend::device_sweep<T, typename B::system, Matrix, formula>>);

    const Matrix& x;
    std::size_t c;
    std::vector<std::size_t> bounds;
    std::vector<T> y, omega, w, b, v, vb;
    host_sweep host;
    device_sweep device;

    pair_of_sweeps(const Matrix& matrix, std::size_t outputs, bool weighted, std::vector<std::size_t> shards)
        : x(matrix),
          c(outputs),
          bounds(std::move(shards)),
          y(labels()),
          omega(random_numbers<T>(weighted ? x.rows : 0, 21, 0, 3)),
          w(random_numbers<T>(x.columns * c, 22)),
          b(random_numbers<T>(c, 23)),
          v(random_numbers<T>(x.columns * c, 24)),
          vb(random_numbers<T>(c, 25)),
          host(x, observed(), bounds, model::loss_formula(Model{}), c, 1),
          device(x, observed(), bounds, model::loss_formula(Model{}), c, 1) {}

    std::vector<T> labels() const {
        auto numbers = random_numbers<T>(x.rows, 20, 0, static_cast<double>(c == 1 ? 2 : c));
        if constexpr (!std::is_same_v<Model, model::linear>)
            for (T& number : numbers) number = std::floor(number);
        return numbers;
    }
    /// Omega is what the rows sum to on average, so that no loss is far from 1.
    backend::observations<T> observed() const {
        return {y.data(), omega.empty() ? nullptr : omega.data(), 1.5 * static_cast<double>(x.rows)};
    }

    template <class Sweep> std::vector<double> value(const Sweep& sweep, backend::shard_range shards) const {
        std::vector<double> partials(shards.size(), -1.0);
        sweep.value(w.data(), b.data(), shards, partials.data());
        return partials;
    }
    template <class Sweep> std::vector<double> gradient(const Sweep& sweep, backend::shard_range shards) const {
        std::vector<double> partials(shards.size() * sweep.gradient_size(), -1.0);
        sweep.gradient(w.data(), b.data(), shards, partials.data());
        return partials;
    }
    template <class Sweep> std::vector<double> hessian(const Sweep& sweep, backend::shard_range shards) const {
        typename Sweep::curvature known;
        sweep.linearize(w.data(), b.data(), shards, known);
        std::vector<double> partials(shards.size() * sweep.hessian_size(), -1.0);
        sweep.hessian(known, v.data(), vb.data(), shards, partials.data());
        return partials;
    }
    template <class Sweep> std::vector<T> multiply(const Sweep& sweep, backend::shard_range shards) const {
        std::vector<T> z((bounds[shards.end] - bounds[shards.begin]) * c);
        sweep.multiply(w.data(), b.data(), shards, z.data());
        return z;
    }

    void check_agreement(backend::shard_range shards) const {
        BOOST_TEST(device.columns() == host.columns());
        BOOST_TEST(device.outputs() == host.outputs());
        BOOST_TEST(device.all().end == host.all().end);
        BOOST_TEST(device.gradient_size() == host.gradient_size());
        BOOST_TEST(device.hessian_size() == host.hessian_size());
        BOOST_TEST(largest_difference(value(device, shards), value(host, shards)) <= tolerance<T>);
        BOOST_TEST(largest_difference(gradient(device, shards), gradient(host, shards)) <= tolerance<T>);
        BOOST_TEST(largest_difference(hessian(device, shards), hessian(host, shards)) <= tolerance<T>);
        BOOST_TEST(largest_difference(multiply(device, shards), multiply(host, shards)) <= tolerance<T>);
    }
};

template <class B, class Model, class Matrix> void check_model(const Matrix& x, std::size_t outputs) {
    // shards of 0, 1, 64, 65 and many rows
    const std::vector<std::size_t> bounds = {0, 0, 1, 65, 130, x.rows};
    for (const bool weighted : {false, true}) {
        const pair_of_sweeps<B, Matrix, Model> both(x, outputs, weighted, bounds);
        both.check_agreement(both.device.all());
        both.check_agreement({2, 4});
        both.check_agreement({3, 3});
    }
}

template <class B, class Model> void check_sparse(std::size_t outputs) {
    using T = typename B::value_type;
    check_model<B, Model>(random_sparse<T>(533, 9, 31), outputs);
    check_model<B, Model>(random_sparse<T>(533, 9, 32, true), outputs);
}

using double_on_cpp = backend::device<double, backend::system::cpp>;
using float_on_cpp = backend::device<float, backend::system::cpp>;
#ifdef _OPENMP
using double_on_omp = backend::device<double, backend::system::omp>;
#else
using double_on_omp = double_on_cpp;
#endif

}  // namespace

BOOST_AUTO_TEST_SUITE(device_sweep)

BOOST_AUTO_TEST_CASE(linear_agrees_with_the_host) {
    check_model<double_on_cpp, model::linear>(random_dense<double>(533, 7, 30), 1);
}
BOOST_AUTO_TEST_CASE(logistic_agrees_with_the_host) {
    check_model<double_on_cpp, model::logistic>(random_dense<double>(533, 7, 30), 1);
    check_sparse<double_on_cpp, model::logistic>(1);
    check_model<double_on_omp, model::logistic>(random_dense<double>(533, 7, 30), 1);
}
BOOST_AUTO_TEST_CASE(softmax_agrees_with_the_host) {
    for (const std::size_t classes : {1, 4}) {
        check_model<double_on_cpp, model::softmax>(random_dense<double>(533, 7, 30), classes);
        check_sparse<double_on_cpp, model::softmax>(classes);
        check_sparse<float_on_cpp, model::softmax>(classes);
    }
}

BOOST_AUTO_TEST_CASE(some_rows_of_each_shard_agree_with_the_host) {
    const auto x = random_sparse<double>(533, 9, 33);
    const pair_of_sweeps<double_on_cpp, backend::sparse_matrix<double>, model::softmax> both(x, 3, true,
                                                                                             {0, 100, 100, 350, 533});
    for (const std::vector<backend::row_range>& rows :
         {std::vector<backend::row_range>{{3, 97}, {100, 100}, {100, 350}, {532, 533}},
          {{0, 0}, {100, 100}, {200, 207}, {350, 350}}}) {
        std::vector<double> on_host(4 * both.host.gradient_size()), on_device(on_host.size(), -1.0);
        both.host.gradient(both.w.data(), both.b.data(), rows, on_host.data());
        both.device.gradient(both.w.data(), both.b.data(), rows, on_device.data());
        BOOST_TEST(largest_difference(on_device, on_host) <= tolerance<double>);
    }
}

// With many outputs the rows are taken some thousand at a time.
BOOST_AUTO_TEST_CASE(many_outputs_agree_with_the_host) {
    const auto x = random_dense<double>(1100, 1, 34);
    const pair_of_sweeps<double_on_cpp, backend::dense_matrix<double>, model::softmax> both(x, 4200, false,
                                                                                            {0, 500, 1100});
    both.check_agreement(both.device.all());
}

BOOST_AUTO_TEST_CASE(a_partial_depends_on_its_shard_alone) {
    const auto x = random_dense<double>(4001, 5, 35);
    const pair_of_sweeps<double_on_omp, backend::dense_matrix<double>, model::logistic> both(x, 1, true,
                                                                                             {0, 64, 1500, 4001});
    const auto all_values = both.value(both.device, {0, 3}), all_gradients = both.gradient(both.device, {0, 3}),
               all_products = both.hessian(both.device, {0, 3});
    for (std::size_t v = 0; v < 3; ++v) {
        const auto part = [&](const std::vector<double>& all) {
            const std::size_t m = all.size() / 3;
            return std::vector<double>(all.begin() + static_cast<std::ptrdiff_t>(v * m),
                                       all.begin() + static_cast<std::ptrdiff_t>((v + 1) * m));
        };
        BOOST_TEST(both.value(both.device, {v, v + 1}) == part(all_values), boost::test_tools::per_element());
        BOOST_TEST(both.gradient(both.device, {v, v + 1}) == part(all_gradients), boost::test_tools::per_element());
        BOOST_TEST(both.hessian(both.device, {v, v + 1}) == part(all_products), boost::test_tools::per_element());
    }
}

BOOST_AUTO_TEST_CASE(a_rank_without_rows_gives_empty_partials) {
    const backend::dense_matrix<double> x(0, 3);
    const pair_of_sweeps<double_on_cpp, backend::dense_matrix<double>, model::logistic> none(x, 1, false, {0});
    BOOST_TEST(none.gradient(none.device, {0, 0}).empty());
    const pair_of_sweeps<double_on_cpp, backend::dense_matrix<double>, model::logistic> empty(x, 1, false, {0, 0});
    BOOST_TEST(empty.gradient(empty.device, {0, 1}) == std::vector<double>(5), boost::test_tools::per_element());
    BOOST_TEST(empty.hessian(empty.device, {0, 1}) == std::vector<double>(4), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_SUITE_END()

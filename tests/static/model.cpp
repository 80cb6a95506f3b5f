// SPDX-License-Identifier: BSL-1.0
// What a model is, and what it is not; what a backend is.
#include <gamut/backend/concept.hpp>
#include <gamut/backend/host.hpp>
#include <gamut/model/concept.hpp>
#include <gamut/model/hinge.hpp>
#include <gamut/model/linear.hpp>
#include <gamut/model/logistic.hpp>
#include <gamut/model/poisson.hpp>
#include <gamut/model/softmax.hpp>
#include <gamut/model/squared_hinge.hpp>

using namespace gamut;

namespace {

struct huber {
    double delta = 1;
    constexpr auto loss(auto w, auto X, auto y) const {
        auto r = X * w - y;
        return mean(choose(abs(r) < delta, 0.5 * square(r), delta * (abs(r) - 0.5 * delta)));
    }
    constexpr auto predict(auto w, auto X) const { return X * w; }
};
struct without_loss {
    constexpr auto predict(auto w, auto X) const { return X * w; }
};
struct without_predict {
    constexpr auto loss(auto w, auto X, auto y) const { return mean(square(X * w - y)); }
};
struct loss_per_row {
    constexpr auto loss(auto w, auto X, auto y) const { return square(X * w - y); }
    constexpr auto predict(auto w, auto X) const { return X * w; }
};
struct loss_without_weights {
    constexpr auto loss(auto, auto, auto y) const { return mean(square(y)); }
    constexpr auto predict(auto w, auto X) const { return X * w; }
};

struct conjugate_only : model::linear {
    template <class T> constexpr T dual_step(T, T, T, T) const = delete;
};
struct in_double_only : huber {
    constexpr double conjugate(double alpha, double) const { return alpha; }
    constexpr double dual_step(double alpha, double, double, double) const { return alpha; }
};
struct dual_without_loss {
    template <class T> constexpr T conjugate(T alpha, T) const { return alpha; }
    template <class T> constexpr T dual_step(T alpha, T, T, T) const { return alpha; }
};

}  // namespace

static_assert(model::Model<model::linear> && model::Model<model::logistic> && model::Model<model::softmax>);
static_assert(model::Model<huber>);
static_assert(!model::Model<int> && !model::Model<without_loss> && !model::Model<without_predict>);
static_assert(!model::Model<loss_per_row> && !model::Model<loss_without_weights>);
static_assert(model::MultiOutput<model::softmax> && !model::MultiOutput<model::logistic>);
static_assert(model::is_classification<model::softmax> && !model::is_classification<huber>);

static_assert(model::Model<model::hinge> && model::Model<model::squared_hinge> && model::Model<model::poisson>);
static_assert(model::DualModel<model::linear> && model::DualModel<model::hinge> && model::DualModel<model::poisson>);
static_assert(!model::DualModel<huber> && !model::DualModel<model::softmax> && !model::DualModel<conjugate_only>);
static_assert(!model::DualModel<in_double_only> && !model::DualModel<dual_without_loss>);
static_assert(model::FacetedModel<model::hinge> && !model::FacetedModel<model::logistic>);
static_assert(model::threshold<model::hinge> == 0 && model::threshold<model::logistic> == 0.5);

static_assert(backend::Backend<backend::host<double>> && backend::Backend<backend::host<float>>);
static_assert(!backend::Backend<int>);

// SPDX-License-Identifier: BSL-1.0
// The part of gamut_peer for support vector machines: dual coordinate ascent to a duality gap, on compressed rows.
#include "gamut_peer.hpp"

using namespace peer;

namespace {

template <class Model> void fit(const arguments& given, double memory_before) {
    const estimator fitting{
        .model = Model{},
        .penalty = penalty::l2{.strength = given.real("--l2", "0")},
        .solver = solver::dual{.stop = {.iterations = 100000, .tolerance = given.real("--tolerance", "1e-8")}},
        .backend = host(given),
        .prepare = preparation(given)};
    const auto rows = fitting.load(sparse(given));
    measure(given, memory_before, [&] { return fitting.fit_rows(rows); });
}

}  // namespace

void peer::fit_dual(const arguments& given, double memory_before) {
    const std::string model = given.text("--model", "hinge");
    if (model == "hinge") return fit<model::hinge>(given, memory_before);
    if (model == "squared_hinge") return fit<model::squared_hinge>(given, memory_before);
    if (model == "logistic") return fit<model::logistic>(given, memory_before);
    throw core::option_error(core::text("--model ", model, ": there is no such model here"));
}

// SPDX-License-Identifier: BSL-1.0
// The part of gamut_peer for l1 and elastic net: coordinate descent to a duality gap.
#include "gamut_peer.hpp"

using namespace peer;

namespace {

template <class Model, class Read> void fit(Read arrays, const arguments& given, double memory_before) {
    const estimator fitting{.model = Model{},
                            .penalty =
                                penalty::elastic_net{.l1 = given.real("--l1", "0"), .l2 = given.real("--l2", "0")},
                            .solver = solver::coordinate{.stop = {.tolerance = given.real("--tolerance", "1e-6")}},
                            .backend = host(given),
                            .prepare = preparation(given)};
    const auto rows = fitting.load(arrays(given));
    measure(given, memory_before, [&] { return fitting.fit_rows(rows); });
}

template <class Model> void fit(const arguments& given, double memory_before) {
    if (is_sparse(given))
        fit<Model>(sparse, given, memory_before);
    else
        fit<Model>(dense, given, memory_before);
}

}  // namespace

void peer::fit_elastic_net(const arguments& given, double memory_before) {
    const std::string model = given.text("--model", "linear");
    if (model == "linear") return fit<model::linear>(given, memory_before);
    if (model == "logistic") return fit<model::logistic>(given, memory_before);
    throw core::option_error(core::text("--model ", model, ": there is no such model here"));
}

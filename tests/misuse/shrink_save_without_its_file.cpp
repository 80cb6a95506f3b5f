// expect: shrink::save: include <gamut/shrink/file.hpp>, and give it a fitted network
// SPDX-License-Identifier: BSL-1.0
#include <gamut/data/csv.hpp>
#include <gamut/network.hpp>
#include <gamut/shrink.hpp>
#ifdef GAMUT_MISUSE_FIXED
#    include <gamut/shrink/file.hpp>
#endif

using namespace gamut;

int main() {
    const estimator e{.model = network::classifier<network::dense>{{10}}};
    const auto fit = e.fit(data::csv<>{"file.csv"});
    shrink::save(fit, "small.net", {.bits = 4});
}

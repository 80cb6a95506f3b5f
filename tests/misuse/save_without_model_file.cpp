// expect: save: include <gamut/model_file.hpp> for models as files
// SPDX-License-Identifier: BSL-1.0
#include <gamut/gamut.hpp>
#ifdef GAMUT_MISUSE_FIXED
#    include <gamut/model_file.hpp>
#endif

using namespace gamut;

int main() {
    const estimator e{.model = model::logistic{}};
    save(e.fit(data::csv<>{"file.csv"}), "model.json");
}

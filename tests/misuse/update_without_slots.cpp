// expect: sgd: update must be a rule with slots and at<T>(step); see gamut/update/concept.hpp
// SPDX-License-Identifier: BSL-1.0
#include <gamut/gamut.hpp>

using namespace gamut;

struct half_the_gradient {
#ifdef GAMUT_MISUSE_FIXED
    static constexpr std::size_t slots = 0;
#endif
    template <class T> auto at(std::size_t) const {
        return [](const auto&, auto& g, auto*) { g = T(0.5) * g; };
    }
};

int main() {
    const estimator fit{
        .model = model::linear{}, .penalty = penalty::l2{}, .solver = solver::sgd{.update = half_the_gradient{}}};
    return fit.fit(data::csv<>{"file.csv"}).iterations == 0;
}

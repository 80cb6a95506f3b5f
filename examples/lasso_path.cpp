// SPDX-License-Identifier: BSL-1.0
// In which order do ten measurements join, as a lasso of the progression of diabetes is relaxed? A path of solutions costs hardly
// more than one; every one of them predicts, scores and can be saved.
#include <cstdio>
#include <vector>

#include <gamut/gamut.hpp>

using namespace gamut;

int main() {
    const estimator lasso{
        .model = model::linear{}, .penalty = penalty::l1{}, .solver = solver::strengths{.count = 30, .least = 0.01}};
    const auto path = lasso.fit(data::csv<>{.path = "examples/data/diabetes.csv"});

    std::vector<bool> seen(path.base.features.size());
    bool right = true;
    std::printf("strength  squared error  passes  joined\n");
    for (const auto& at : path.entries) {
        std::printf("%8.3f  %13.1f  %6zu ", at.strength, 2 * at.loss, at.passes);
        for (const std::size_t j : at.support) {
            if (seen[j]) continue;
            seen[j] = true;
            std::printf(" %s", path.base.features[j].c_str());
        }
        std::printf("\n");
        right = right && at.status == core::status::converged;
    }
    const std::size_t best = path.choice(criterion::bic{});
    std::printf("least BIC at strength %.3f: r2 %.4f with %zu measurements\n", path[best].strength,
                path.fit(best).score(data::csv<>{.path = "examples/data/diabetes.csv"}).r_squared,
                path[best].support.size());
    return right && path[0].support.empty() ? 0 : 1;
}

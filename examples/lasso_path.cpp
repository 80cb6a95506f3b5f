// SPDX-License-Identifier: BSL-1.0
// In which order do ten measurements join, as a lasso of the progression of diabetes is relaxed? A path of solutions costs hardly
// more than one.
#include <cstdio>
#include <vector>

#include <gamut/gamut.hpp>

using namespace gamut;

int main() {
    const communicator::single<> here;
    const auto rows = data::csv<>{.path = "examples/data/diabetes.csv"}.load(here);
    const solver::problem problem(model::linear{}, rows, penalty::l1{}, backend::host<>{}, here, true,
                                  data::standardize(here, rows));
    const auto path = solver::strengths{.count = 30, .least = 0.01}.minimize(problem);

    std::vector<bool> seen(rows.columns());
    bool right = true;
    std::printf("strength  squared error  passes  joined\n");
    for (const auto& [strength, found] : path) {
        std::printf("%8.3f  %13.1f  %6zu ", strength, 2 * problem.value(found.weights), found.passes);
        for (std::size_t j = 0; j < rows.columns(); ++j) {
            if (found.weights[j] == 0 || seen[j]) continue;
            seen[j] = true;
            std::printf(" %s", rows.features[j].c_str());
        }
        std::printf("\n");
        right = right && found.status == core::status::converged;
    }
    return right && path.front().result.history.back().nonzeros == 0 ? 0 : 1;
}

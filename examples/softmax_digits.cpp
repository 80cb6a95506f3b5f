// SPDX-License-Identifier: BSL-1.0
// Ten classes, and for each of them only kappa pixels: which places of an 8 x 8 picture tell the digits apart?
#include <cstdio>

#include <gamut/gamut.hpp>

using namespace gamut;

int main() {
    constexpr std::size_t kappa = 10, side = 8;
    const data::csv<> digits{.path = "examples/data/digits.csv"};
    const estimator classifier{.model = model::softmax{},
                               .penalty = penalty::l0{.kappa = kappa, .l2 = 1e-4, .over = penalty::support::per_output},
                               .solver = solver::disadmm{.blocks = 1, .growth = 1.4}};  // a quick search
    const auto fit = classifier.fit(data::all_but_every(digits, 5), core::progress{});
    const auto test = fit.score(data::every(digits, 5));

    // '#' where ink speaks for the digit, 'o' where it speaks against it
    bool few = true;
    for (std::size_t first = 0; first < fit.outputs; first += 5) {
        std::printf("\n");
        for (std::size_t k = first; k < first + 5; ++k) std::printf("   %-8s", fit.classes[k].c_str());
        std::printf("\n");
        for (std::size_t row = 0; row < side; ++row) {
            for (std::size_t k = first; k < first + 5; ++k) {
                std::printf("   ");
                for (std::size_t column = 0; column < side; ++column) {
                    const double weight = fit.weights[(row * side + column) * fit.outputs + k];
                    std::printf("%c", weight > 0 ? '#' : weight < 0 ? 'o' : '.');
                }
            }
            std::printf("\n");
        }
    }
    for (std::size_t k = 0; k < fit.outputs; ++k) {
        std::size_t used = 0;
        for (std::size_t j = 0; j < fit.features.size(); ++j) used += fit.weights[j * fit.outputs + k] != 0 ? 1 : 0;
        few = few && used <= kappa;
    }
    std::printf("\naccuracy %.4f on %zu digits that the fit has not seen, with %zu pixels per class\n", test.accuracy,
                test.rows, kappa);
    return few && test.accuracy > 0.92 ? 0 : 1;
}

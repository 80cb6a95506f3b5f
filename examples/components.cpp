// SPDX-License-Identifier: BSL-1.0
// Pictures of digits along their two directions of most variance, and told by their nearest neighbours along ten of them.
#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

#include <gamut/gamut.hpp>
#include <gamut/learn.hpp>

using namespace gamut;

int main() {
    constexpr std::size_t width = 72, height = 24;
    const data::csv<> pixels{.path = "examples/data/digits.csv", .ignore = {"#-1"}};
    const auto labels = data::csv<>{.path = "examples/data/digits.csv"}.load(communicator::single<>{}).y;
    const auto fit = learn::principal_components{.components = 10}.fit(pixels);
    const auto z = fit.transform(pixels);

    std::vector<std::string> picture(height, std::string(width, ' '));
    const auto place = [&](std::size_t i, std::size_t k, std::size_t size) {
        const double spread = 2.5 * std::sqrt(fit.variances[k]);
        return static_cast<std::size_t>(std::clamp((z(i, k) / spread + 1) / 2, 0.0, 0.999) * static_cast<double>(size));
    };
    for (std::size_t i = 0; i < z.rows(); ++i)
        picture[place(i, 1, height)][place(i, 0, width)] = static_cast<char>('0' + static_cast<int>(labels[i]));
    for (const auto& line : picture) std::printf("%s\n", line.c_str());
    for (std::size_t k = 0; k < 10; ++k) std::printf("%5.1f %%", 100 * fit.variances[k] / fit.total_variance);
    std::printf("   of the variance\n");

    const data::arrays coordinates(z.values, z.rows(), z.width, labels);
    const learn::nearest five{.neighbours = 5, .target = learn::target::classes};
    const auto score = five.fit(data::all_but_every(coordinates, 5)).score(data::every(coordinates, 5));
    std::printf("accuracy of five neighbours in ten dimensions: %.3f\n", score.accuracy);
    return score.accuracy > 0.93 ? 0 : 1;
}

// SPDX-License-Identifier: BSL-1.0
// Ten clusters of 8 x 8 pictures of digits: nobody says what the digits are, and most clusters are one of them.
// run: clusters out/clusters.svg
#include <algorithm>
#include <cstdio>
#include <vector>

#include <gamut/gamut.hpp>
#include <gamut/learn.hpp>
#include <gamut/learn/draw.hpp>

using namespace gamut;

int main(int argc, char** argv) {
    constexpr std::size_t side = 8, most_ink = 16;
    const data::csv<> digits{.path = "examples/data/digits.csv", .ignore = {"#-1"}};
    const learn::k_means groups{.clusters = 10, .restarts = 5};
    const auto fit = groups.fit(digits, core::progress{});
    std::printf("\n%s after %zu iterations: mean squared distance %.1f\n", fit.message.c_str(), fit.iterations,
                fit.score(digits).loss);

    for (std::size_t first = 0; first < fit.clusters; first += 5) {
        std::printf("\n");
        for (std::size_t row = 0; row < side; ++row) {
            for (std::size_t k = first; k < first + 5; ++k) {
                std::printf("   ");
                for (std::size_t column = 0; column < side; ++column) {
                    const double ink = fit.centres[(k * side + row) * side + column] / most_ink;
                    std::printf("%c", " .:+*#"[std::min<std::size_t>(5, static_cast<std::size_t>(6 * ink))]);
                }
            }
            std::printf("\n");
        }
        for (std::size_t k = first; k < first + 5; ++k) std::printf("   %4.0f    ", fit.sizes[k]);
        std::printf("\n");
    }

    if (argc > 1) learn::draw(fit, argv[1], {.width = side});
    // what the labels would have said: the share of pictures that belong to their cluster's most frequent digit
    const auto labelled = data::csv<>{.path = "examples/data/digits.csv"}.load(communicator::single<>{});
    const auto found = fit.predict(digits);
    std::vector<std::size_t> counts(100);
    for (std::size_t i = 0; i < found.clusters.size(); ++i)
        ++counts[found.clusters[i] * 10 + static_cast<std::size_t>(labelled.y[i])];
    std::size_t right = 0;
    for (auto first = counts.begin(); first != counts.end(); first += 10) right += *std::max_element(first, first + 10);
    const double share = static_cast<double>(right) / static_cast<double>(found.clusters.size());
    std::printf("\n%.3f of the pictures belong to their cluster's digit\n", share);
    return share > 0.7 ? 0 : 1;
}

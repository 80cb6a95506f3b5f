// SPDX-License-Identifier: BSL-1.0
// Pictures of digits as sums of parts: parts with ink only (nonnegative), and atoms of which few are used per picture (sparse).
// run: parts out/parts.svg
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <vector>

#include <gamut/gamut.hpp>
#include <gamut/learn.hpp>
#include <gamut/learn/draw.hpp>

using namespace gamut;

namespace {

/// Eight rows of 8 x 8 numbers side by side: ink, and what takes ink away.
void show(const std::vector<double>& parts) {
    for (std::size_t row = 0; row < 8; ++row) {
        for (std::size_t k = 0; k < 8; ++k) {
            const double* const part = parts.data() + k * 64;
            const auto size = [](double a, double b) { return std::abs(a) < std::abs(b); };
            const double most = std::abs(*std::max_element(part, part + 64, size));
            for (std::size_t column = 0; column < 8; ++column) {
                const double ink = part[row * 8 + column] / (most > 0 ? most : 1);
                std::printf("%c", ink < -0.25 ? '-' : " .:+*#"[static_cast<std::size_t>(std::max(0.0, 5.9 * ink))]);
            }
            std::printf("  ");
        }
        std::printf("\n");
    }
    std::printf("\n");
}

}  // namespace

int main(int argc, char** argv) {
    const data::csv<> digits{.path = "examples/data/digits.csv", .ignore = {"#-1"}};
    const auto parts = learn::nonnegative_factorisation{.rank = 8}.fit(digits);
    show(parts.parts);
    const auto atoms = learn::sparse_coding{.atoms = 32, .lambda = 8, .stop = {.iterations = 15}}.fit(digits);
    show(atoms.dictionary);

    if (argc > 1) learn::draw(atoms, argv[1], {.width = 8});
    const auto codes = atoms.transform(digits);
    const auto used = std::count_if(codes.values.begin(), codes.values.end(), [](double c) { return c != 0; });
    const double each = static_cast<double>(used) / static_cast<double>(codes.rows());
    const double explained = parts.score(digits).r_squared;
    std::printf("8 parts explain %.3f of the squares; a picture uses %.1f of 32 atoms\n", explained, each);
    return explained > 0.8 && each < 12 ? 0 : 1;
}

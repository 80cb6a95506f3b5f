// SPDX-License-Identifier: BSL-1.0
// Ratings that nobody gave: factors of users and films from the entries of a table of which most are missing.
// run: ratings out/ratings.svg
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <fstream>

#include <gamut/gamut.hpp>
#include <gamut/learn.hpp>
#include <gamut/learn/draw.hpp>

using namespace gamut;

namespace {

/// What user u thinks of film f: both have a bias, and two tastes.
double opinion(std::size_t u, std::size_t f) {
    const core::random draws{.seed = 1};
    double sum = 3 + 0.5 * draws.normal(u) + 0.7 * draws.normal(1000 + f);
    for (std::size_t k = 0; k < 2; ++k) sum += 0.6 * draws.normal(2000 + 2 * u + k) * draws.normal(4000 + 2 * f + k);
    return sum + 0.2 * draws.normal(10000 + u * 200 + f);
}

void write(const char* path, bool test) {
    std::ofstream out(path);
    out << "user,film,rating\n";
    for (std::size_t u = 0; u < 300; ++u)
        for (std::size_t f = 0; f < 80; ++f) {
            const double draw = core::random{.seed = 2}.uniform(u * 80 + f);
            if (test ? draw > 0.97 : draw < 0.3) out << u << ',' << f << ',' << opinion(u, f) << '\n';
        }
}

}  // namespace

int main(int argc, char** argv) {
    write("ratings_train.csv", false);
    write("ratings_test.csv", true);
    const data::triples<> train{.path = "ratings_train.csv", .rows = 300, .columns = 80};
    const data::triples<> test{.path = "ratings_test.csv", .rows = 300, .columns = 80};

    const learn::factorisation factors{.rank = 2, .lambda = 1, .biases = learn::biases::rows_and_columns};
    const auto fit = factors.fit(train, core::progress{});
    const auto score = fit.score(test);
    std::printf("\n%s\nroot mean squared error on ratings held out %.3f (noise alone: 0.200), r squared %.3f\n",
                fit.message.c_str(), std::sqrt(score.loss), score.r_squared);
    if (argc > 1) learn::draw_history(fit, argv[1]);
    std::remove("ratings_train.csv");
    std::remove("ratings_test.csv");
    return score.r_squared > 0.9 ? 0 : 1;
}

// SPDX-License-Identifier: BSL-1.0
// A random forest on 30 measurements of cells: how well it tells malignant from benign, and by which of them.
// run: forest out/forest.svg
#include <algorithm>
#include <cstdio>
#include <numeric>
#include <string>
#include <vector>

#include <gamut/gamut.hpp>
#include <gamut/learn.hpp>
#include <gamut/learn/draw.hpp>
#include <gamut/learn/model_file.hpp>

using namespace gamut;

int main(int argc, char** argv) {
    const data::csv<> cells{.path = "examples/data/breast_cancer.csv"};
    const learn::random_forest forest{.trees = 200};
    const auto fit = forest.fit(data::all_but_every(cells, 4));
    const auto test = fit.score(data::every(cells, 4));
    std::printf("%s: accuracy %.3f by rows left out, %.3f on %zu rows it has not seen\n\n", fit.message.c_str(),
                fit.out_of_bag, test.accuracy, test.rows);

    std::vector<std::size_t> order(fit.features.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::sort(order.begin(), order.end(),
              [&](std::size_t a, std::size_t b) { return fit.importances[a] > fit.importances[b]; });
    for (std::size_t k = 0; k < 8; ++k) {
        const double share = fit.importances[order[k]];
        std::printf("%-26s %5.1f %%  %s\n", fit.features[order[k]].c_str(), 100 * share,
                    std::string(static_cast<std::size_t>(250 * share), '#').c_str());
    }

    if (argc > 1) learn::draw(fit, argv[1]);
    const char* const path = "forest.json";
    save(fit, path);
    const auto loaded = learn::load<learn::fitted_random_forest>(path);
    const bool same = loaded.predict(cells).values == fit.predict(cells).values;
    std::remove(path);
    return same && test.accuracy > 0.93 && fit.out_of_bag > 0.93 ? 0 : 1;
}

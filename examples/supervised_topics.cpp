// SPDX-License-Identifier: BSL-1.0
// Topics of letters that customers write, which also tell who must answer: what the letters are about, and what decides.
// run: supervised_topics out/supervised_topics.svg
#include <cstddef>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <gamut/gamut.hpp>
#include <gamut/learn.hpp>
#include <gamut/learn/draw.hpp>

using namespace gamut;

namespace {

/// `name label word word ...`: most words are about a product, two in five about what the letter wants.
void write_letters(const std::string& path, std::size_t letters, const core::random& draws) {
    const std::vector<std::vector<std::string>> products{{"phone", "screen", "battery", "charger", "camera", "network"},
                                                         {"kettle", "water", "lid", "heat", "cable", "steam"},
                                                         {"bicycle", "brake", "saddle", "wheel", "chain", "gear"}};
    const std::vector<std::vector<std::string>> wishes{{"broken", "repair", "crack", "noise", "stopped", "spare"},
                                                       {"invoice", "refund", "price", "paid", "account", "discount"}};
    std::ofstream out(path);
    for (std::size_t d = 0, at = 0; d < letters; ++d) {
        const std::size_t product = draws.below(at++, 3), wish = draws.below(at++, 2);
        out << 'd' << d << (wish == 0 ? " workshop" : " accounts");
        for (int n = 0; n < 25; ++n) {
            const auto& from = draws.uniform(at++) < 0.4 ? wishes[wish] : products[product];
            out << ' ' << from[draws.below(at++, from.size())];
        }
        out << '\n';
    }
}

}  // namespace

int main(int argc, char** argv) {
    const std::string path = (std::filesystem::temp_directory_path() / "gamut_example_letters.txt").string();
    write_letters(path, 500, {.seed = 2});
    const data::texts<> letters{.path = path};
    const auto fit = learn::supervised_topics{.count = 5, .margin = 16, .stop = {.iterations = 100}}.fit(
        data::all_but_every(letters, 5));
    for (std::size_t k = 0; k < fit.topics(); ++k) {
        std::printf("topic %zu, %+7.2f for %s:", k, fit.weights[k], fit.classes[1].c_str());
        for (const std::size_t w : fit.top(k, 6)) std::printf(" %s", fit.features[w].c_str());
        std::printf("\n");
    }
    const double right = fit.score(data::every(letters, 5)).accuracy;
    std::printf("%.3f of the letters that it has not seen go to the right desk\n", right);
    if (argc > 1) learn::draw(fit, argv[1], {.bars = 6});
    std::filesystem::remove(path);
    return right > 0.9 ? 0 : 1;
}

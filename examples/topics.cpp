// SPDX-License-Identifier: BSL-1.0
// Topics of short news: what is told by which words, what a new text is about, and how well missing words are guessed.
// run: topics out/topics.svg
#include <cmath>
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

/// A line per document, `name label word word ...`: two of five subjects each, the first more often.
void write_news(const std::string& path, std::size_t documents, const core::random& draws) {
    const std::vector<std::vector<std::string>> subjects{
        {"game", "team", "goal", "season", "coach", "match", "player", "league"},
        {"market", "bank", "price", "trade", "share", "profit", "rate", "oil"},
        {"rain", "storm", "wind", "snow", "flood", "coast", "cloud", "sun"},
        {"vote", "party", "law", "senate", "minister", "campaign", "reform", "state"},
        {"patient", "drug", "doctor", "virus", "hospital", "cell", "gene", "dose"}};
    const std::vector<std::string> common{"today", "people", "year", "report", "new", "time"};
    std::ofstream out(path);
    for (std::size_t d = 0, at = 0; d < documents; ++d) {
        const std::size_t first = draws.below(at++, 5), second = draws.below(at++, 5);
        out << 'd' << d << ' ' << first;
        for (int n = 0; n < 30; ++n) {
            const double u = draws.uniform(at++);
            const auto& from = u < 0.2 ? common : subjects[u < 0.8 ? first : second];
            out << ' ' << from[draws.below(at++, from.size())];
        }
        out << '\n';
    }
}

}  // namespace

int main(int argc, char** argv) {
    const data::texts<> news{.path = (std::filesystem::temp_directory_path() / "gamut_example_news.txt").string()};
    write_news(news.path, 600, {.seed = 1});
    const auto fit = learn::topics{.count = 5, .learn_every = 10}.fit(data::all_but_every(news, 5));
    const auto coherence = fit.coherence(news);
    for (std::size_t k = 0; k < fit.topics(); ++k) {
        std::printf("topic %zu, coherence %.1f\n", k, coherence[k]);
        for (const std::size_t w : fit.top(k, 6)) std::printf("  %-10s %.3f\n", fit.features[w].c_str(), fit(k, w));
    }
    const double perplexity = std::exp(fit.score(data::every(news, 5)).loss);
    std::printf("words of new texts are guessed as one of %.1f; there are %zu\n", perplexity, fit.features.size());
    if (argc > 1) learn::draw(fit, argv[1], {.bars = 8});
    std::filesystem::remove(news.path);
    return perplexity < 25 ? 0 : 1;
}

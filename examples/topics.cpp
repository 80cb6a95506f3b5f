// SPDX-License-Identifier: BSL-1.0
// Topics of documents that a program wrote: four subjects with words of their own, and words that all share.
#include <cstddef>
#include <cstdio>
#include <string>
#include <vector>

#include <gamut/gamut.hpp>
#include <gamut/learn.hpp>

using namespace gamut;

int main() {
    const std::vector<std::string> words{"goal",   "team",   "match",  "coach", "score",  "vote",  "party",
                                         "law",    "senate", "budget", "star",  "orbit",  "moon",  "comet",
                                         "planet", "flour",  "oven",   "sugar", "butter", "dough", "today",
                                         "new",    "people", "time",   "year"};
    constexpr std::size_t documents = 400, length = 30, subjects = 4;
    const core::random draws{.seed = 5};
    backend::dense_matrix<double> counts(documents, words.size());
    for (std::size_t d = 0; d < documents; ++d)
        for (std::size_t t = 0; t < length; ++t) {
            const std::uint64_t place = 3 * (d * length + t);
            const double which =
                draws.uniform(place);  // mostly the document's subject, at times another, or a common word
            const std::size_t subject = which < 0.6 ? d % subjects : which < 0.75 ? (d / 4) % subjects : subjects;
            counts(d, 5 * subject + draws.below(place + 1, 5)) += 1;
        }
    data::arrays source(counts);
    source.features = words;

    const auto fit = learn::topics{.topics = 4, .stop = {.iterations = 150}}.fit(source, core::progress{});
    bool pure = true;
    for (std::size_t k = 0; k < fit.topics; ++k) {
        std::printf("\ntopic %zu:", k);
        std::size_t own = 0;
        const auto top = fit.top(k, 5);
        for (const auto& word : top) std::printf(" %s", word.c_str());
        for (std::size_t s = 0; s < subjects; ++s) {
            std::size_t of_subject = 0;
            for (const auto& word : top)
                for (std::size_t j = 5 * s; j < 5 * s + 5; ++j) of_subject += word == words[j] ? 1 : 0;
            own = own > of_subject ? own : of_subject;
        }
        pure = pure && own >= 4;
    }
    std::printf("\nminus log likelihood per token: %.3f at first, %.3f at last\n", fit.history.front().objective,
                fit.objective);
    return pure ? 0 : 1;
}

// SPDX-License-Identifier: BSL-1.0
// A row of your own is a function of its values and of what the workers added: apply(values, update, count). This one keeps
// what they saw in a window: counts that fade, so that what was seen ten clocks ago weighs a third. Workers count words,
// each in its own part of a stream whose subject changes; the table knows what is talked of now, and forgets nothing
// when it is saved.
#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

#include <gamut/communicator/threads.hpp>
#include <gamut/consistency/bulk_synchronous.hpp>
#include <gamut/core/random.hpp>
#include <gamut/table/shared.hpp>

using namespace gamut;

struct fading {
    double keep = 0.9;         // of a count, from clock to clock
    std::uint64_t clocks = 0;  // so far

    static constexpr const char* name = "fading";
    void apply(std::span<double> values, std::span<const double> update, std::size_t) {
        for (std::size_t j = 0; j < values.size(); ++j) values[j] = keep * values[j] + update[j];
        ++clocks;
    }
    template <class Visit> void state(Visit&& visit) { visit(clocks); }  // what is saved beside the values
};

const std::vector<std::string> words{"gradient", "server", "rain", "clock", "lunch"};

std::vector<double> count_words(std::size_t worker, std::uint64_t clock) {
    std::vector<double> counts(words.size(), 1);  // each is said now and then
    const core::random draws{.seed = worker, .stream = clock};
    const std::size_t subject = clock < 30 ? 0 : 2;
    counts[subject] += 5 + static_cast<double>(draws.below(0, 5));
    return counts;
}

int main() {
    std::vector<double> last;
    communicator::threads<>::run(3, [&](const auto& ranks) {
        table::shared talk{
            ranks, {.width = words.size(), .workers = 6, .servers = 2}, fading{}, consistency::bulk_synchronous{}};
        for (int part = 0; part < 3; ++part) {
            talk.run(20, [](auto& me) { me.add(0, count_words(me.id(), me.clock())); });
            const auto now = talk.row(0);
            if (ranks.rank() != 0) continue;
            std::printf("after %2zu clocks:", static_cast<std::size_t>(talk.clock()));
            for (std::size_t j = 0; j < words.size(); ++j) std::printf("  %s %5.1f", words[j].c_str(), now[j]);
            std::printf("\n");
            last = now;
        }
    });
    return last[2] > last[0] && last[0] > last[1] ? 0 : 1;
}

// SPDX-License-Identifier: BSL-1.0
// Any bytes as a LIBSVM file: they are read into a sound table, the same by three threads, that can be written and read
// again; or they are refused in words.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>

#include <fuzz/fuzz.hpp>
#include <gamut/data/libsvm.hpp>

using namespace gamut;

namespace {

template <class T> std::string written(const data::dataset<backend::sparse_matrix<T>>& table, bool zero_based) {
    std::string file;
    for (std::size_t i = 0; i < table.rows(); ++i) {
        file += table.y.empty()         ? "?"
                : table.classes.empty() ? core::all_digits(table.y[i])
                                        : table.classes[static_cast<std::size_t>(table.y[i])];
        for (auto k = table.x.offsets[i]; k < table.x.offsets[i + 1]; ++k) {
            const auto place = static_cast<std::size_t>(k);
            file += core::text(' ', table.x.indices[place] + !zero_based, ':', core::all_digits(table.x.value(place)));
        }
        file += '\n';
    }
    return file;
}

template <class T> void run(const fuzz::input& input) {
    static const fuzz::memory_file file, again;
    data::request wanted{.classification = input.has('c'), .labels = !input.has('p')};
    if (input.has('m')) {
        wanted.features = {"a", "b"};
        if (wanted.classification) wanted.classes = {"0", "1"};
    }
    if (input.has('b')) wanted.blocks = 3;
    if (input.has('s'))
        wanted.rows = data::selection{}.then([](std::size_t) { return [](std::size_t row) { return row % 2 == 0; }; });
    data::libsvm<T> source{.path = file.holding(input.file), .memory_limit = std::size_t(1) << 20};
    source.zero_based = input.has('z');
    if (input.has('n')) source.features = 5;

    const auto alone = fuzz::read(1, source, wanted);
    if (input.has('3')) fuzz::require_the_same_on_threads(alone, source, wanted);
    if (alone.kind != core::error_kind::none) return;
    fuzz::require_sound(alone.rows, wanted);

    if (input.has('s')) return;  // a part of the rows need not have all classes and columns
    const std::string text = written(source.load(communicator::single<>{}, wanted), source.zero_based);
    source.path = again.holding(text);
    const auto back = fuzz::read(1, source, wanted);
    fuzz::require(back.kind == core::error_kind::none, "what was read and written can be read",
                  back.message + "\n" + text);
    fuzz::require(back.rows == alone.rows, "what was read and written reads the same", text);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t count) {
    const fuzz::input input(bytes, count);
    input.has('f') ? run<float>(input) : run<double>(input);
    return 0;
}

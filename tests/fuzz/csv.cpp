// SPDX-License-Identifier: BSL-1.0
// Any bytes as a CSV file: they are read into a sound table, the same by three threads, that can be written and read
// again; or they are refused in words.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <fuzz/fuzz.hpp>
#include <gamut/data/csv.hpp>

using namespace gamut;

namespace {

std::string between_quotes(std::string_view text) {
    std::string cell = "\"";
    for (const char c : text) cell += c == '"' ? "\"\"" : std::string(1, c);
    return cell + '"';
}

/// A table as a CSV file: names, weights and offsets first, the label last.
template <class T> std::string written(const data::dataset<backend::dense_matrix<T>>& table, const data::csv<T>& as) {
    std::string file;
    const auto line = [&](auto&& weight, auto&& offset, auto&& feature, auto&& label) {
        if (!as.weights.empty()) file += weight() + as.separator;
        if (!as.offset.empty()) file += offset() + as.separator;
        for (std::size_t j = 0; j < table.columns(); ++j) file += (j ? std::string(1, as.separator) : "") + feature(j);
        if (!table.y.empty()) file += as.separator + label();
        file += '\n';
    };
    line([&] { return between_quotes(as.weights); }, [&] { return between_quotes(as.offset); },
         [&](std::size_t j) { return between_quotes(table.features[j]); }, [&] { return between_quotes(table.label); });
    for (std::size_t i = 0; i < table.rows(); ++i)
        line([&] { return core::all_digits(table.weights[i]); }, [&] { return core::all_digits(table.offsets[i]); },
             [&](std::size_t j) { return core::all_digits(table.x(i, j)); },
             [&] {
                 return table.classes.empty() ? core::all_digits(table.y[i])
                                              : between_quotes(table.classes[static_cast<std::size_t>(table.y[i])]);
             });
    return file;
}

template <class T> void run(const fuzz::input& input) {
    static const fuzz::memory_file file, again;
    data::request wanted{.classification = input.has('c'), .labels = !input.has('p')};
    if (input.has('m')) {
        wanted.features = {"a", "b"};
        wanted.label = "y";
        if (wanted.classification) wanted.classes = {"no", "yes"};
    }
    if (input.has('b')) wanted.blocks = 3;
    if (input.has('s'))
        wanted.rows = data::selection{}.then([](std::size_t) { return [](std::size_t row) { return row % 2 == 0; }; });
    data::csv<T> source{.path = file.holding(input.file), .memory_limit = std::size_t(1) << 20};
    for (const char separator : {';', '|', ' '})
        if (input.has(separator)) source.separator = separator;
    if (input.has('t')) source.separator = '\t';
    if (input.has('h')) source.header = data::header::yes;
    if (input.has('n')) source.header = data::header::no;
    if (input.has('w')) source.weights = "w";
    if (input.has('o')) source.offset = "o";
    if (input.has('i')) source.ignore = {"#0"};
    if (input.has('l')) source.label = "#1";

    const auto alone = fuzz::read(1, source, wanted);
    if (input.has('3')) fuzz::require_the_same_on_threads(alone, source, wanted);
    if (alone.kind != core::error_kind::none) return;
    fuzz::require_sound(alone.rows, wanted);

    // a part of the rows need not have all classes; one column alone may look like several that are badly cut
    if (input.has('s') || (alone.rows.features.size() == 1 && !wanted.labels)) return;
    const auto table = source.load(communicator::single<>{}, wanted);
    if (!wanted.label.empty())
        wanted.label = table.label;  // the column may have been taken for another reason than its name
    source.header = data::header::yes;
    source.ignore = {};
    source.label = {};
    const std::string text = written(table, source);
    source.path = again.holding(text);
    source.memory_limit = std::size_t(64) << 20;
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

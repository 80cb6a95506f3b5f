// SPDX-License-Identifier: BSL-1.0
// Any bytes as a file of one of the smaller readers: entries of a matrix (e), documents (t), frames of speech (k), pictures in IDX
// (i) or CIFAR's form (c). They are read into a sound table, the same by three threads; or they are refused in words. A line
// "%%labels" begins the file of labels.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include <fuzz/fuzz.hpp>
#include <gamut/data/cifar.hpp>
#include <gamut/data/frames.hpp>
#include <gamut/data/idx.hpp>
#include <gamut/data/texts.hpp>
#include <gamut/data/triples.hpp>

using namespace gamut;

namespace {

/// A source of two files, whose errors may begin with the name of either.
template <class Source> struct with_labels {
    using matrix_type = typename Source::matrix_type;

    std::string path, labels;
    Source source;

    template <class C> data::dataset<matrix_type> load(const C& ranks, const data::request& wanted) const {
        try {
            return source.load(ranks, wanted);
        } catch (const core::data_error& problem) {
            if (std::string_view(problem.what()).starts_with(labels + ":"))
                throw core::data_error(core::text(path, ": labels: ", problem.what()));
            throw;
        }
    }
};

template <class Source>
void run(Source source, const std::string& path, const std::string& labels, const fuzz::input& input) {
    data::request wanted{.classification = input.has('n'), .labels = input.has('l')};
    if (input.has('b')) wanted.blocks = 3;
    if (input.has('m')) wanted.features = {"a", "b"};
    if (input.has('s'))
        wanted.rows = data::selection{}.then([](std::size_t) { return [](std::size_t row) { return row % 2 == 0; }; });
    const with_labels<Source> both{path, labels, std::move(source)};
    const auto alone = fuzz::read(1, both, wanted);
    if (input.has('3')) fuzz::require_the_same_on_threads(alone, both, wanted);
    if (alone.kind == core::error_kind::none) fuzz::require_sound(alone.rows, wanted);
}

template <class T> void run(const fuzz::input& input) {
    static const fuzz::memory_file file, label_file;
    constexpr std::string_view mark = "\n%%labels\n";
    const std::size_t end = input.file.find(mark);
    const std::string& path = file.holding(input.file.substr(0, end));
    const std::string& labels = label_file.holding(end == input.file.npos ? "" : input.file.substr(end + mark.size()));
    constexpr std::size_t limit = std::size_t(1) << 20;
    if (input.has('e'))
        run(data::triples<T>{.path = path, .index_limit = 1000, .names = input.has('v') ? labels : ""}, path, labels,
            input);
    if (input.has('t')) run(data::texts<T>{.path = path}, path, labels, input);
    if (input.has('k'))
        run(data::frames<T>{.path = path, .labels = labels, .context = input.has('x') ? 2u : 0u, .memory_limit = limit},
            path, labels, input);
    if (input.has('i'))
        run(data::idx<T>{.path = path, .labels = labels, .scale = 0.5, .memory_limit = limit}, path, labels, input);
    if (input.has('c'))
        run(data::cifar<T>{.paths = {path}, .classes = input.has('h') ? 100u : 10u, .memory_limit = limit}, path,
            labels, input);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t count) {
    const fuzz::input input(bytes, count);
    input.has('f') ? run<float>(input) : run<double>(input);
    return 0;
}

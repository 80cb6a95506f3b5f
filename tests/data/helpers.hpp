// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <gamut/backend/matrix.hpp>
#include <gamut/backend/sparse.hpp>
#include <gamut/communicator/agree.hpp>
#include <gamut/communicator/threads.hpp>
#include <gamut/data/concept.hpp>
#include <gamut/data/detail/problems.hpp>

namespace gamut::test {

/// A file that is gone with the object.
class temporary_file {
public:
    explicit temporary_file(std::string_view content, std::string_view name = "data.txt") {
        std::string directory = (std::filesystem::temp_directory_path() / "gamut_test_XXXXXX").string();
        if (!::mkdtemp(directory.data())) throw std::runtime_error("mkdtemp");
        folder = directory;
        path = (folder / name).string();
        std::ofstream(path, std::ios::binary) << content;
    }
    temporary_file(const temporary_file&) = delete;
    temporary_file& operator=(const temporary_file&) = delete;
    ~temporary_file() {
        std::error_code ignored;
        std::filesystem::remove_all(folder, ignored);
    }

    std::string path;

private:
    std::filesystem::path folder;
};

/// The same for ranks of several processes: rank 0 writes it, all know its path.
template <class C> class shared_file {
public:
    shared_file(const C& all, std::string_view content, std::string_view name = "data.txt") : ranks(all) {
        if (ranks.rank() == 0) file.emplace(content, name);
        path = data::detail::gather_texts(ranks, file ? file->path : std::string())[0];
    }
    ~shared_file() { ranks.barrier(); }

    std::string path;

private:
    C ranks;
    std::optional<temporary_file> file;
};

/// All rows of a dataset, however many ranks held them.
struct table {
    std::vector<std::vector<double>> x;
    std::vector<double> y, weights;
    std::vector<std::string> features, classes;
    std::size_t rows = 0, shards = 0, blocks = 0;
    bool pattern_only = false;

    friend bool operator==(const table&, const table&) = default;
};

template <class T> std::vector<double> dense_row(const backend::dense_matrix<T>& x, std::size_t i) {
    return {x.row(i), x.row(i) + x.columns};
}
template <class T> std::vector<double> dense_row(const backend::sparse_matrix<T>& x, std::size_t i) {
    std::vector<double> row(x.columns);
    for (auto k = x.offsets[i]; k < x.offsets[i + 1]; ++k) {
        const auto place = static_cast<std::size_t>(k);
        row.at(static_cast<std::size_t>(x.indices[place])) = x.value(place);
    }
    return row;
}

template <class Matrix> void append(table& all, const data::dataset<Matrix>& part) {
    if (all.x.empty()) all.features = part.features, all.classes = part.classes;
    all.rows = part.rows();
    all.shards = part.partition.shards;
    all.blocks = part.partition.blocks;
    if constexpr (requires { part.x.pattern_only(); }) all.pattern_only = all.pattern_only || part.x.pattern_only();
    for (std::size_t i = 0; i < part.local_rows(); ++i) all.x.push_back(dense_row(part.x, i));
    all.y.insert(all.y.end(), part.y.begin(), part.y.end());
    all.weights.insert(all.weights.end(), part.weights.begin(), part.weights.end());
}

/// What `ranks` threads load, put together again.
template <class Source> table load_on(int ranks, const Source& source, const data::request& wanted = {}) {
    std::vector<data::dataset<typename Source::matrix_type>> parts(static_cast<std::size_t>(ranks));
    communicator::threads<>::run(
        ranks, [&](const auto& c) { parts[static_cast<std::size_t>(c.rank())] = source.load(c, wanted); });
    table all;
    std::size_t rows = 0;
    for (const auto& part : parts) {
        if (part.first_row != rows) throw std::logic_error("the ranks' rows don't follow each other");
        rows += part.local_rows();
        append(all, part);
    }
    return all;
}

/// The message of the error that `work` throws; empty if it throws none.
template <class Work> std::string message_of(Work&& work) {
    try {
        work();
    } catch (const std::exception& failure) {
        return failure.what();
    }
    return {};
}

}  // namespace gamut::test

// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include <gamut/backend/matrix.hpp>
#include <gamut/communicator/agree.hpp>
#include <gamut/core/error.hpp>
#include <gamut/core/text.hpp>
#include <gamut/data/concept.hpp>
#include <gamut/data/detail/archive.hpp>
#include <gamut/data/detail/memory.hpp>
#include <gamut/data/detail/picture_rows.hpp>
#include <gamut/data/detail/text_file.hpp>
#include <gamut/fwd.hpp>

namespace gamut::data {

/// Frames of speech: Kaldi archives, text or binary (detail/archive.hpp). `path` has a matrix per utterance, a frame a row; `labels`, an
/// alignment, a vector of as many whole numbers, the classes. A row is the frame with `context` ones before and behind it, where an
/// utterance ends its first or last one again: (2 context + 1) columns numbers. Rows are in the order of `path`.
/// Every rank reads the whole files and keeps its rows. Throws data_error that names the file and the utterance.
template <class T> struct frames {
    static_assert(std::floating_point<T>, "frames: needs float or double");

    using value_type = T;
    using matrix_type = backend::dense_matrix<T>;

    std::string path = {};
    std::string labels = {};       ///< empty: there are none
    std::size_t context = 0;       ///< frames on either side
    std::size_t memory_limit = 0;  ///< bytes per rank; 0: 80 % of what the process may use

    template <communicator::Communicator C>
    [[gnu::cold]] dataset<matrix_type> load(const C& ranks, const request& wanted = {}) const {
        const detail::memory_budget memory(memory_limit, ranks.local_size());
        const auto all = read<T>(ranks, path, memory);
        std::vector<std::size_t> first{0};  // row of each utterance
        std::size_t width = 0;
        communicator::agree(ranks, [&] {
            if (wanted.labels && labels.empty())
                throw core::data_error(core::text(path, ": no labels (they are in a file of their own) set .labels"));
            for (const auto& one : all.records) {
                first.push_back(first.back() + one.rows);
                if (one.rows == 0) continue;
                if (one.columns == 0)
                    fail(path, one, "0 numbers per frame", "a frame has some", "correct it, or drop the record");
                if (width == 0) width = one.columns;
                if (one.columns != width)
                    fail(path, one, core::text(one.columns, " numbers per frame"), core::text("others have ", width),
                         "give all the same features");
            }
        });
        std::vector<double> classes;
        if (wanted.labels) {
            const auto aligned = read<double>(ranks, labels, memory);
            communicator::agree(ranks, [&] { classes = labels_of(all, aligned); });
        }
        const std::size_t columns = (2 * context + 1) * width;
        std::size_t utterance = 0;
        return detail::picture_rows<T>(ranks, wanted, first.back(), columns, path, memory, [&](std::size_t row, T* to) {
            while (row >= first[utterance + 1]) ++utterance;
            const auto& one = all.records[utterance];
            const std::size_t frame = row - first[utterance];
            for (std::size_t k = 0; k <= 2 * context; ++k) {
                const std::size_t from = std::min(std::max(frame + k, context) - context, one.rows - 1);
                std::copy_n(all.numbers.data() + one.begin + from * width, width, to + k * width);
            }
            return classes.empty() ? 0.0 : classes[row];
        });
    }

private:
    template <class N, class C>
    static detail::archive<N> read(const C& ranks, const std::string& name, const detail::memory_budget& memory) {
        const auto file = detail::open_together(ranks, name, detail::contents::numbers);
        std::string text;
        communicator::agree(ranks, [&] {
            memory.require(file->size(), name);
            text.resize(file->size());
            text.resize(file->read(0, text.data(), text.size()));
        });
        detail::archive<N> all;
        communicator::agree(ranks, [&] { all = detail::archive_reader<N>(text, name).read(); });
        return all;
    }
    [[noreturn]] static void fail(const std::string& file, const detail::archive_record& one, const std::string& what,
                                  const std::string& why, const char* suggestion) {
        throw core::data_error(
            core::text(file, ": record ", detail::in_quotes(one.key), ": ", what, " (", why, ") ", suggestion));
    }
    /// One for each frame.
    std::vector<double> labels_of(const detail::archive<T>& all, const detail::archive<double>& aligned) const {
        std::unordered_map<std::string_view, const detail::archive_record*> named;
        for (const auto& one : aligned.records) named.emplace(one.key, &one);
        std::vector<double> found;
        for (const auto& one : all.records) {
            const auto at = named.find(one.key);
            if (at == named.end())
                fail(path, one, "no labels", core::text(labels, " has none of this name"),
                     "add them, or drop the record");
            const auto& its = *at->second;
            if (its.rows * its.columns != one.rows)
                fail(labels, its, core::text(its.rows * its.columns, " labels"),
                     core::text("there are ", one.rows, " frames"), "align it again");
            for (std::size_t k = 0; k < one.rows; ++k) {
                const double label = aligned.numbers[its.begin + k];
                if (label != std::floor(label) || std::abs(label) > 1e9)
                    fail(labels, its, core::text("label ", k, " is ", label), "classes are whole numbers",
                         "correct it");
                found.push_back(label);
            }
        }
        return found;
    }
};

}  // namespace gamut::data

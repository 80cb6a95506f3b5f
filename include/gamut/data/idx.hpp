// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <concepts>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <gamut/backend/matrix.hpp>
#include <gamut/communicator/agree.hpp>
#include <gamut/core/error.hpp>
#include <gamut/core/text.hpp>
#include <gamut/data/concept.hpp>
#include <gamut/data/detail/idx_file.hpp>
#include <gamut/data/detail/memory.hpp>
#include <gamut/data/detail/picture_rows.hpp>
#include <gamut/data/detail/text_file.hpp>
#include <gamut/fwd.hpp>

namespace gamut::data {

/// A binary file in IDX format, as MNIST's: its first dimension counts rows, the others make the columns (28 x 28 are 784), all six types
/// of numbers. `labels` is another such file with one whole number per row. Both as they are when unpacked (gunzip). Of a picture of
/// several channels the channels come last, as network::picture wants them. Every rank reads its own rows.
/// What is cut off, of another length than it says, or has numbers that are not finite is a data_error.
template <class T> struct idx {
    static_assert(std::floating_point<T>, "idx: needs float or double");

    using value_type = T;
    using matrix_type = backend::dense_matrix<T>;

    std::string path = {};
    std::string labels = {};       ///< a file of their own; empty: there are none
    double scale = 1;              ///< numbers are multiplied by this: 1. / 255 makes grey levels 0 to 1
    std::size_t memory_limit = 0;  ///< bytes per rank; 0: 80 % of what the process may use

    template <communicator::Communicator C>
    [[gnu::cold]] dataset<matrix_type> load(const C& ranks, const request& wanted = {}) const {
        communicator::agree(ranks, [&] { detail::check_scale("idx", scale); });
        const auto file = detail::open_together(ranks, path, detail::contents::numbers);
        std::unique_ptr<detail::text_file> label_file;
        std::optional<detail::idx_layout> layout, label_layout;
        communicator::agree(ranks, [&] {
            layout.emplace(*file);
            if (wanted.labels && labels.empty())
                throw core::data_error(core::text(path, ": no labels (they are in a file of their own) set .labels"));
        });
        if (wanted.labels) {
            label_file = detail::open_together(ranks, labels, detail::contents::numbers);
            communicator::agree(ranks, [&] {
                label_layout.emplace(*label_file);
                if (label_layout->width != 1 || label_layout->items() != layout->items())
                    label_file->fail(
                        core::text(label_layout->items(), " items of ", label_layout->width, " numbers"),
                        core::text("one label for each of the ", layout->items(), " items of ", path, " is needed"),
                        "give the labels of these items");
            });
        }
        std::vector<char> raw;
        return detail::picture_rows<T>(ranks, wanted, layout->items(), layout->width, path,
                                       detail::memory_budget(memory_limit, ranks.local_size()),
                                       [&](std::size_t item, T* row) {
                                           layout->read(*file, item, raw, row);
                                           for (std::size_t j = 0; j < layout->width; ++j)
                                               row[j] = static_cast<T>(row[j] * scale);
                                           double label = 0;
                                           if (label_file) label_layout->read(*label_file, item, raw, &label);
                                           return label;
                                       });
    }
};

}  // namespace gamut::data

// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <concepts>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include <gamut/backend/matrix.hpp>
#include <gamut/communicator/agree.hpp>
#include <gamut/core/error.hpp>
#include <gamut/core/text.hpp>
#include <gamut/data/concept.hpp>
#include <gamut/data/detail/memory.hpp>
#include <gamut/data/detail/picture_rows.hpp>
#include <gamut/data/detail/text_file.hpp>
#include <gamut/fwd.hpp>

namespace gamut::data {

/// Binary files of CIFAR-10 or, with .classes = 100, CIFAR-100: per picture one label (100: a coarse one and the label), then 32 x 32
/// bytes of red, of green, and of blue. The files are one after another one source. A row is 32 x 32 positions of 3 channels, as
/// network::picture{32, 32, 3} wants them. Every rank reads its own rows. What is cut off is a data_error.
/// Krizhevsky, Learning multiple layers of features from tiny images, 2009.
template <class T> struct cifar {
    static_assert(std::floating_point<T>, "cifar: needs float or double");

    using value_type = T;
    using matrix_type = backend::dense_matrix<T>;
    static constexpr std::size_t positions = 32 * 32, channels = 3;

    std::vector<std::string> paths = {};
    std::size_t classes = 10;      ///< or 100
    double scale = 1;              ///< numbers are multiplied by this: 1. / 255 makes them 0 to 1
    std::size_t memory_limit = 0;  ///< bytes per rank; 0: 80 % of what the process may use

    template <communicator::Communicator C>
    [[gnu::cold]] dataset<matrix_type> load(const C& ranks, const request& wanted = {}) const {
        communicator::agree(ranks, [&] { validate(); });
        const std::size_t labels = classes == 10 ? 1 : 2, record = labels + positions * channels;
        std::vector<std::unique_ptr<detail::text_file>> files;
        std::vector<std::size_t> first{0};  // of each file's rows
        for (const auto& path : paths) {
            files.push_back(detail::open_together(ranks, path, detail::contents::numbers));
            const std::size_t bytes = files.back()->size();
            if (bytes % record != 0)
                files.back()->fail(core::text(bytes, " bytes"),
                                   core::text("a picture of CIFAR-", classes, " has ", record),
                                   "copy it again, or set .classes");
            first.push_back(first.back() + bytes / record);
        }
        std::vector<char> raw(record);
        return detail::picture_rows<T>(
            ranks, wanted, first.back(), positions * channels, paths[0],
            detail::memory_budget(memory_limit, ranks.local_size()), [&](std::size_t item, T* row) {
                std::size_t f = 0;
                while (item >= first[f + 1]) ++f;
                files[f]->read((item - first[f]) * record, raw.data(), record);
                const auto* const bytes = reinterpret_cast<const unsigned char*>(raw.data());
                for (std::size_t p = 0; p < positions; ++p)
                    for (std::size_t c = 0; c < channels; ++c)
                        row[p * channels + c] = static_cast<T>(bytes[labels + c * positions + p] * scale);
                return static_cast<double>(bytes[labels - 1]);
            });
    }

private:
    [[gnu::cold]] void validate() const {
        if (paths.empty())
            throw core::option_error("cifar: no .paths (files are needed) name data_batch_1.bin and so on");
        detail::check_scale("cifar", scale);
        if (classes != 10 && classes != 100)
            throw core::option_error(core::text("cifar: .classes = ", classes,
                                                " (there are CIFAR-10 and CIFAR-100) "
                                                "use 10 or 100"));
    }
};

}  // namespace gamut::data

// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include <gamut/core/text.hpp>
#include <gamut/data/detail/text_file.hpp>

namespace gamut::data::detail {

/// What an IDX file says of itself: two bytes 0, one that names the type of its numbers, one that counts dimensions, then each of them
/// as four bytes, then the numbers; the first dimension counts items. Everything is big-endian. LeCun, the MNIST database.
struct idx_layout {
    enum class kind : unsigned char {
        unsigned_byte = 8,
        signed_byte = 9,
        short_integer = 11,
        integer = 12,
        single_precision = 13,
        double_precision = 14
    };
    kind type = kind::unsigned_byte;
    std::vector<std::size_t> dimensions;
    std::size_t begin = 0, width = 1;  // of the numbers, and how many there are of an item

    [[gnu::cold]] explicit idx_layout(const text_file& file) {
        unsigned char head[4 + 4 * 255];
        const std::size_t got = file.read(0, reinterpret_cast<char*>(head), sizeof head);
        if (got < 4 || head[0] != 0 || head[1] != 0 || bytes_of(head[2]) == 0 || head[3] == 0)
            file.fail("no IDX file",
                      "it begins with two bytes 0, a type of 8, 9 or 11 to 14, and a number of dimensions",
                      "give a file of MNIST's format");
        type = static_cast<kind>(head[2]);
        begin = 4 + 4 * std::size_t(head[3]);
        if (got < begin) file.fail("cut off", "its sizes are not all there", "copy it again");
        for (std::size_t d = 0; d < head[3]; ++d) dimensions.push_back(big_endian<std::uint32_t>(head + 4 + 4 * d));
        const std::size_t bytes = file.size() - begin;
        for (std::size_t d = 1; d < dimensions.size(); ++d) {
            if (dimensions[d] == 0 || width > bytes / dimensions[d] + 1)
                file.fail(core::text("dimension ", d + 1, " is ", dimensions[d]),
                          core::text("there are ", bytes, " bytes behind the sizes"), "copy it again");
            width *= dimensions[d];
        }
        if (dimensions[0] > bytes / (width * size()) || dimensions[0] * width * size() != bytes)
            file.fail("another length than it says",
                      core::text(dimensions[0], " items of ", width * size(), " bytes are announced, ", bytes,
                                 " bytes are there"),
                      "copy it again");
    }

    std::size_t items() const { return dimensions[0]; }
    std::size_t size() const { return bytes_of(static_cast<unsigned char>(type)); }

    /// The numbers of an item.
    template <class T> void read(const text_file& file, std::size_t item, std::vector<char>& raw, T* out) const {
        raw.resize(width * size());
        file.read(begin + item * raw.size(), raw.data(), raw.size());
        const auto* const bytes = reinterpret_cast<const unsigned char*>(raw.data());
        switch (type) {
        case kind::unsigned_byte:
            return turn<std::uint8_t>(bytes, out);
        case kind::signed_byte:
            return turn<std::int8_t>(bytes, out);
        case kind::short_integer:
            return turn<std::int16_t>(bytes, out);
        case kind::integer:
            return turn<std::int32_t>(bytes, out);
        case kind::single_precision:
            return turn<float>(bytes, out);
        case kind::double_precision:
            return turn<double>(bytes, out);
        }
    }

private:
    static std::size_t bytes_of(unsigned char type) {
        constexpr std::size_t sizes[] = {1, 1, 0, 2, 4, 4, 8};
        return type >= 8 && type <= 14 ? sizes[type - 8] : 0;
    }
    template <class N> static N big_endian(const unsigned char* bytes) {
        unsigned char turned[sizeof(N)];
        std::copy_n(bytes, sizeof(N), turned);
        if constexpr (std::endian::native == std::endian::little) std::reverse(turned, turned + sizeof(N));
        N number;
        std::memcpy(&number, turned, sizeof(N));
        return number;
    }
    template <class N, class T> void turn(const unsigned char* bytes, T* out) const {
        for (std::size_t k = 0; k < width; ++k) out[k] = static_cast<T>(big_endian<N>(bytes + k * sizeof(N)));
    }
};

}  // namespace gamut::data::detail

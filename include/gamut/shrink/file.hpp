// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gamut/communicator/agree.hpp>
#include <gamut/communicator/single.hpp>
#include <gamut/core/crc32c.hpp>
#include <gamut/core/error.hpp>
#include <gamut/core/text.hpp>
#include <gamut/core/whole_file.hpp>
#include <gamut/network_file.hpp>
#include <gamut/shrink/bits.hpp>
#include <gamut/shrink/detail/coded_tensor.hpp>
#include <gamut/shrink/share.hpp>
#include <gamut/shrink/tensor.hpp>

/// Compressed networks as files, little-endian:
///   8 bytes   89 'g' 'a' 'm' 'u' 't' 'z' 0a
///   u32       format version
///   u32       CRC-32C of the head
///   u64, u64  length of the file, length of the head
///   u32       CRC-32C of all before
///   the head: what a network's file has (network_file.hpp), as JSON, without weights, but with the checksum of all, weights included; and
///             "coded": bytes and CRC-32C of each block of parameters
///   the blocks: tensors as detail/coded_tensor.hpp says, others as floats
namespace gamut::shrink {

/// What a compressed file takes, in bytes.
struct compressed_size {
    std::size_t weights = 0;  ///< that multiply
    std::size_t alive = 0;    ///< of these, not 0
    std::size_t coded = 0;    ///< their bytes: places, code books, codes and the tables of these
    std::size_t others = 0;   ///< bytes of biases and the like
    std::size_t file = 0;     ///< all, with names of columns and classes, and checksums

    /// How many times smaller the weights that multiply are than as floats.
    double ratio() const { return static_cast<double>(4 * weights) / static_cast<double>(coded); }
};

namespace detail {

inline constexpr unsigned char compressed_magic[8] = {0x89, 'g', 'a', 'm', 'u', 't', 'z', '\n'};
inline constexpr std::uint32_t compressed_version = 1;
inline constexpr std::size_t compressed_start = 36;
static_assert(std::endian::native == std::endian::little,
              "compressed files are little-endian, and so must the machine be");

template <class T> void append(std::string& file, T value) {
    char bytes[sizeof(T)];
    std::memcpy(bytes, &value, sizeof(T));
    file.append(bytes, sizeof(T));
}
template <class T> T number_at(std::string_view file, std::size_t at) {
    T value;
    std::memcpy(&value, file.data() + at, sizeof(T));
    return value;
}

/// For each block of a network its tensor, or null.
inline std::vector<const tensor*> tensor_of_each(const std::vector<tensor>& tensors, std::size_t blocks) {
    std::vector<const tensor*> all(blocks, nullptr);
    for (const tensor& t : tensors) all[t.block] = &t;
    return all;
}

/// All bytes of the file of a shared network.
template <class Model, class T, class C>
std::string compressed(const fitted_network<Model, T, C>& fit, compressed_size& size) {
    const auto tensors = tensors_of(fit);
    const auto each = tensor_of_each(tensors, fit.blocks.size());
    decltype(gamut::detail::parsed_model_file("", "")) head;
    const gamut::detail::emptied_at_end emptied(head);
    gamut::detail::put(fit, head);
    head.erase("weights");
    auto& coded = head["coded"] = decltype(head)::array();
    std::string blocks;
    std::size_t offset = 0;
    for (std::size_t b = 0; b < fit.blocks.size(); ++b) {
        const std::span<const double> own(fit.weights.data() + offset, fit.blocks[b].size());
        offset += own.size();
        bit_writer bits;
        if (each[b] != nullptr)
            write_tensor(bits, own);
        else
            for (const double w : own) bits.put(std::bit_cast<std::uint32_t>(static_cast<float>(w)), 32);
        coded.push_back({bits.bytes().size(), core::crc32c(bits.bytes())});
        (each[b] != nullptr ? size.coded : size.others) += bits.bytes().size();
        blocks += bits.bytes();
    }
    const std::string text = head.dump();
    std::string file(reinterpret_cast<const char*>(compressed_magic), sizeof compressed_magic);
    append(file, compressed_version);
    append(file, core::crc32c(text));
    append(file, std::uint64_t{compressed_start + text.size() + blocks.size()});
    append(file, std::uint64_t{text.size()});
    append(file, core::crc32c(file));
    file += text;
    file += blocks;
    for (const tensor& t : tensors) size.weights += t.size();
    for (const tensor& t : tensors)
        for (std::size_t k = t.offset; k < t.offset + t.size(); ++k) size.alive += fit.weights[k] != 0 ? 1u : 0u;
    size.file = file.size();
    return file;
}

/// The head of a file, unless the file is torn, or something else.
inline std::string_view compressed_head(std::string_view file, const std::string& path) {
    const auto refuse = [&](const auto&... what) { throw core::data_error(core::text(path, ": ", what...)); };
    if (!file.starts_with(std::string_view(reinterpret_cast<const char*>(compressed_magic), sizeof compressed_magic)))
        refuse("no compressed network (it does not begin like one) name a file that shrink::save wrote");
    if (file.size() < compressed_start)
        refuse("torn (", file.size(), " bytes are there, the start alone has ", compressed_start, ") copy it again");
    if (const auto version = number_at<std::uint32_t>(file, 8); version > compressed_version)
        refuse("format version ", version, " (this program reads up to ", compressed_version,
               ") use the program that wrote it, or a newer one");
    if (core::crc32c(file.substr(0, compressed_start - 4)) != number_at<std::uint32_t>(file, compressed_start - 4))
        refuse("damaged (the checksum of its first ", compressed_start, " bytes is another one) copy it again");
    const auto length = number_at<std::uint64_t>(file, 16), head = number_at<std::uint64_t>(file, 24);
    if (length != file.size() || head > length - compressed_start)
        refuse("torn (", file.size(), " bytes are there, ", length, " were written) copy it again");
    const std::string_view text = file.substr(compressed_start, head);
    if (core::crc32c(text) != number_at<std::uint32_t>(file, 12))
        refuse("damaged (the checksum of its head, bytes ", compressed_start, " to ", compressed_start + head,
               ", is another one) copy it again");
    return text;
}

template <class Model, class T, class C>
void read_compressed(std::string_view file, const std::string& path, fitted_network<Model, T, C>& fit) {
    const std::string head(compressed_head(file, path));
    gamut::detail::read_json(head, path, [&](auto json) {
        const gamut::detail::emptied_at_end emptied(json);
        const gamut::detail::model_file_reader read(json, path);
        if (!json.is_object()) read.refuse("no compressed network (its head is no object) write it again");
        const auto shapes = fit.model.shapes(read.texts("columns").size());
        auto wanted = decltype(json)::array();
        const gamut::detail::emptied_at_end emptied_too(wanted);
        std::size_t parameters = 0;
        for (const auto& shape : shapes) wanted.push_back({shape.rows, shape.columns}), parameters += shape.size();
        if (read.list("blocks") != wanted)
            read.wrong("blocks", "are not those of the layers (", shapes.size(), " blocks of parameters, ", parameters,
                       " in all) name the layers that were fitted, or");
        const auto& coded = read.list("coded");
        if (coded.size() != shapes.size())
            read.wrong("coded", "has ", coded.size(), " (there are ", shapes.size(), " blocks)");

        const auto tensors = tensors_of(fit.model, shapes);
        const auto each = tensor_of_each(tensors, shapes.size());
        std::vector<double> weights(parameters);
        std::size_t at = compressed_start + head.size(), offset = 0;
        for (std::size_t b = 0; b < shapes.size(); ++b) {
            const auto& entry = coded[b];
            if (!entry.is_array() || entry.size() != 2 || !entry[0].is_number_unsigned() ||
                !entry[1].is_number_unsigned())
                read.wrong("coded", "has no bytes and checksum of block ", b, " (two whole numbers are needed)");
            const auto bytes = entry[0].template get<std::uint64_t>();
            if (bytes > file.size() - at)
                read.refuse("torn (block ", b, " begins at byte ", at, " and has ", bytes, ", the file has ",
                            file.size(), ") copy it again");
            const std::string_view own = file.substr(at, bytes);
            if (core::crc32c(own) != entry[1].template get<std::uint64_t>())
                read.refuse("damaged (the checksum of block ", b, ", bytes ", at, " to ", at + bytes,
                            ", is another one) copy it again");
            bit_reader bits(own, core::text(path, ": block ", b, ", from byte ", at, " on,"));
            const std::span<double> values(weights.data() + offset, shapes[b].size());
            if (each[b] != nullptr) {
                read_tensor(bits, values);
            } else {
                for (double& w : values)
                    w = static_cast<double>(std::bit_cast<float>(static_cast<std::uint32_t>(bits.get(32))));
                bits.finish();
            }
            at += own.size();
            offset += values.size();
        }
        if (at != file.size())
            read.refuse("goes on after its last block, at byte ", at,
                        " (its parts do not fit together) write it again");
        json.erase("coded");
        json["weights"] = weights;
        gamut::detail::from_json(std::move(json), path, fit);  // and their checksum
    });
}

}  // namespace detail

/// Writes a fitted network in few bytes, and says how many: weights that are 0 as gaps, the others as places in a code book of at
/// most 2^bits numbers (shrink::share), both in Huffman codes.
///     const auto size = shrink::save(small, "small.net", {.bits = 4});   size.ratio();
/// What load returns is share(fit, how), to the bit. The file appears whole or not at all. Collective: rank 0 writes, all ranks
/// learn of a failure. Throws option_error; data_error for what a file cannot hold; error where the disk refuses.
/// Han, Mao, Dally, Deep compression, ICLR 2016.
template <class Model, class T, class C>
compressed_size save(const fitted_network<Model, T, C>& fit, const std::string& path, const sharing& how = {}) {
    compressed_size size;
    communicator::agree(fit.communicator, [&] {
        const std::string bytes = detail::compressed(share(fit, how), size);
        if (fit.communicator.rank() != 0) return;
        core::whole_file file(path);
        file.write(bytes);
        file.close();
    });
    return size;
}

/// Reads it back: auto fit = shrink::load("small.net", network::classifier{...}). A file that is torn, or altered in any byte, or of other
/// layers, is a data_error that says what is wrong where. Collective: rank 0 reads, all ranks get the same network or the same error.
template <class Model, class T = double, communicator::Communicator C = communicator::single<>>
fitted_network<Model, T, C> load(const std::string& path, const Model& model, const C& ranks = {}) {
    fitted_network<Model, T, C> fit{.model = model, .communicator = ranks};
    const std::string file = gamut::detail::text_on_all_ranks(path, ranks);
    communicator::agree(ranks, [&] { detail::read_compressed(file, path, fit); });
    return fit;
}

}  // namespace gamut::shrink

// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gamut/core/crc32c.hpp>
#include <gamut/core/detail/read_file.hpp>
#include <gamut/core/error.hpp>
#include <gamut/core/is_utf8.hpp>
#include <gamut/core/text.hpp>
#include <gamut/core/whole_file.hpp>

namespace gamut::core {

/// The numbers that a checkpoint holds.
template <class T>
concept Storable = std::same_as<T, double> || std::same_as<T, float> || std::same_as<T, std::int64_t> ||
    std::same_as<T, std::int32_t> || std::same_as<T, std::uint64_t> || std::same_as<T, std::uint8_t>;

/// What a run needs to go on, in memory: the solver's name, a step, and arrays of numbers by name. As a file, little-endian:
///   8 bytes   89 'g' 'a' 'm' 'u' 't' 0d 0a      damaged by whoever takes it for text
///   u32       format version
///   u32       length of the header, which ends with its CRC-32C
///   u64       length of the file
///   u64       step
///   u32       number of sections
///   u32 ...   length of the kind; the kind
///   each      u8 type, u32 length of the name, the name, u64 count, u32 CRC-32C of the numbers
///   u32       CRC-32C of all before
///   the numbers of all sections, in their order
/// Every length is checked before memory is taken for it; one byte that changed is noticed.
class checkpoint {
public:
    static constexpr std::uint32_t version = 1;

    struct section {
        std::string name;
        std::uint8_t type = 0;
        std::string bytes;
    };

    std::string kind{};  ///< the solver's name
    std::uint64_t step = 0;

    /// Adds numbers under a name that is new.
    template <Storable T> [[gnu::cold]] void put(std::string_view name, std::span<const T> values) {
        if (find(name))
            throw option_error(text("checkpoint: '", name, "' is there twice (names tell them apart) rename one"));
        sections_.push_back({std::string(name), tag<T>(),
                             std::string(reinterpret_cast<const char*>(values.data()), values.size_bytes())});
    }
    template <Storable T> void put(std::string_view name, const std::vector<T>& values) {
        put(name, std::span<const T>(values));
    }
    void put(std::string_view name, std::string_view characters) {
        put(name, std::span(reinterpret_cast<const std::uint8_t*>(characters.data()), characters.size()));
    }

    /// Words, whatever is in them: a u32 length before each.
    template <class Words> [[gnu::cold]] void put_words(std::string_view name, const Words& words) {
        std::string all;
        for (const std::string& word : words) {
            append(all, static_cast<std::uint32_t>(word.size()));
            all += word;
        }
        put(name, all);
    }

    bool has(std::string_view name) const { return find(name) != nullptr; }

    /// The numbers of that name. Throws data_error if there are none, or they are of another type.
    template <Storable T> [[gnu::cold]] std::vector<T> get(std::string_view name) const {
        const section& found = need(name, tag<T>());
        std::vector<T> values(found.bytes.size() / sizeof(T));
        if (!values.empty()) std::memcpy(values.data(), found.bytes.data(), found.bytes.size());
        return values;
    }
    std::string characters(std::string_view name) const { return need(name, tag<std::uint8_t>()).bytes; }

    [[gnu::cold]] std::vector<std::string> words(std::string_view name) const {
        const std::string_view all = need(name, tag<std::uint8_t>()).bytes;
        std::vector<std::string> found;
        for (std::size_t at = 0; at < all.size();) {
            const std::size_t length = all.size() - at < 4 ? all.size() : number<std::uint32_t>(all, at);
            if (length > all.size() - at - 4 || all.size() - at < 4)
                throw data_error(text(path_, ": '", name,
                                      "' is no list of words (other numbers of that name?) name another "
                                      "checkpoint"));
            found.emplace_back(all.substr(at + 4, length));
            at += 4 + length;
        }
        return found;
    }

    const std::vector<section>& sections() const { return sections_; }

    /// Where it was read; empty: nowhere.
    const std::string& path() const { return path_; }

    [[gnu::cold]] std::string bytes() const {
        std::string file(reinterpret_cast<const char*>(magic), sizeof magic);
        std::uint64_t length = fixed_length + kind.size() + 4;
        for (const section& each : sections_) length += least_entry + each.name.size();
        append(file, version);
        append(file, static_cast<std::uint32_t>(length));
        if (length > std::numeric_limits<std::uint32_t>::max())
            throw option_error("checkpoint: the names of its sections fill 4 GiB (a name is a word) shorten them");
        for (const section& each : sections_) length += each.bytes.size();
        append(file, length);
        append(file, step);
        append(file, static_cast<std::uint32_t>(sections_.size()));
        append(file, static_cast<std::uint32_t>(kind.size()));
        file += kind;
        for (const section& each : sections_) {
            append(file, each.type);
            append(file, static_cast<std::uint32_t>(each.name.size()));
            file += each.name;
            append(file, static_cast<std::uint64_t>(each.bytes.size() / size_of(each.type)));
            append(file, crc32c(each.bytes));
        }
        append(file, crc32c(file));
        file.reserve(length);
        for (const section& each : sections_) file += each.bytes;
        return file;
    }

    /// Of all bytes of a file; throws data_error, which names `path`, unless it is whole.
    [[gnu::cold]] static checkpoint of_bytes(std::string_view file, const std::string& path) {
        check_beginning(file.substr(0, first_length), file.size(), path);
        const auto damaged = [&](const auto&... what) {
            throw data_error(text(path, ": damaged (", what..., ") take an older checkpoint"));
        };
        const std::uint32_t header = number<std::uint32_t>(file, 12);
        if (header < fixed_length + 4 || header > file.size()) damaged("its header has ", header, " bytes");
        if (crc32c(file.substr(0, header - 4)) != number<std::uint32_t>(file, header - 4))
            damaged("the checksum of its header is another one");

        checkpoint made;
        made.path_ = path;
        made.step = number<std::uint64_t>(file, 24);
        const std::uint32_t sections = number<std::uint32_t>(file, 32);
        std::size_t at = 36, data = header;
        const auto take = [&](std::size_t wanted) {  // that many bytes of the header
            if (wanted > header - 4 - at) damaged("its header ends too early");
            return std::exchange(at, at + wanted);
        };
        const auto name = [&] {
            const std::uint32_t length = number<std::uint32_t>(file, take(4));
            return std::string(file.substr(take(length), length));
        };
        made.kind = name();
        for (std::uint32_t i = 0; i < sections; ++i) {
            section next;
            next.type = number<std::uint8_t>(file, take(1));
            next.name = name();
            const std::uint64_t count = number<std::uint64_t>(file, take(8));
            const std::uint32_t sum = number<std::uint32_t>(file, take(4));
            const std::size_t size = size_of(next.type);
            if (size == 0) damaged("a section's type is ", std::uint32_t{next.type});
            if (count > (file.size() - data) / size) damaged("a section has more numbers than the file");
            if (made.has(next.name)) damaged("two sections have one name");
            next.bytes = file.substr(data, count * size);
            data += next.bytes.size();
            if (crc32c(next.bytes) != sum) damaged("the checksum of '", visible(next.name, 40), "' is another one");
            made.sections_.push_back(std::move(next));
        }
        if (at != header - 4 || data != file.size()) damaged("it is longer than its sections");
        return made;
    }

    /// The file appears whole or not at all, and has reached the disk when save returns. Throws core::error.
    void save(const std::string& path) const {
        whole_file file(path);
        file.write(bytes());
        file.close();
    }

    /// Throws data_error: not there, no checkpoint, torn, damaged, or of a newer version.
    [[gnu::cold]] static checkpoint load(const std::string& path) {
        detail::reading file(path);
        std::string all;
        file.append(all, first_length);
        check_beginning(all, file.size(), path);
        file.append(all, file.size() - all.size());
        return of_bytes(all, path);
    }

private:
    static_assert(std::endian::native == std::endian::little,
                  "checkpoints are little-endian, and so must the machine be");

    static constexpr unsigned char magic[8] = {0x89, 'g', 'a', 'm', 'u', 't', '\r', '\n'};
    static constexpr std::size_t first_length = 24;  // up to the length of the file
    static constexpr std::size_t fixed_length = 40;  // up to the kind
    static constexpr std::size_t least_entry = 17;   // of a section without a name

    template <Storable T> static constexpr std::uint8_t tag() {
        return std::same_as<T, double>          ? 1
               : std::same_as<T, float>         ? 2
               : std::same_as<T, std::int64_t>  ? 3
               : std::same_as<T, std::int32_t>  ? 4
               : std::same_as<T, std::uint64_t> ? 5
                                                : 6;
    }
    static constexpr std::size_t size_of(std::uint8_t type) {
        constexpr std::size_t sizes[] = {0, 8, 4, 8, 4, 8, 1};
        return type < std::size(sizes) ? sizes[type] : 0;
    }
    static constexpr std::string_view name_of(std::uint8_t type) {
        constexpr std::string_view names[] = {"?", "double", "float", "int64", "int32", "uint64", "byte"};
        return names[type < std::size(names) ? type : 0];
    }

    template <class T> static void append(std::string& file, T value) {
        char bytes[sizeof(T)];
        std::memcpy(bytes, &value, sizeof(T));
        file.append(bytes, sizeof(T));
    }
    template <class T> static T number(std::string_view file, std::size_t at) {
        T value;
        std::memcpy(&value, file.data() + at, sizeof(T));
        return value;
    }

    [[gnu::cold]] static void check_beginning(std::string_view first, std::size_t size, const std::string& path) {
        const std::string_view expected(reinterpret_cast<const char*>(magic), sizeof magic);
        if (!first.starts_with(expected))
            throw data_error(
                text(path, ": no checkpoint (it does not begin like one) name a file that core::checkpoints wrote"));
        if (first.size() >= 12)
            if (const auto theirs = number<std::uint32_t>(first, 8); theirs > version)
                throw data_error(text(path, ": format version ", theirs, " (this program reads up to ", version,
                                      ") use the program that wrote it, or a newer one"));
        const std::uint64_t length = first.size() < first_length ? 0 : number<std::uint64_t>(first, 16);
        if (length != size || length < first_length)
            throw data_error(text(path, ": torn (", size, " bytes are there",
                                  length == 0 ? std::string() : text(", ", length, " were written"),
                                  ") take an older checkpoint"));
    }

    const section* find(std::string_view name) const {
        const auto found =
            std::find_if(sections_.begin(), sections_.end(), [&](const section& each) { return each.name == name; });
        return found == sections_.end() ? nullptr : &*found;
    }
    [[gnu::cold]] const section& need(std::string_view name, std::uint8_t type) const {
        const section* const found = find(name);
        const std::string_view where = path_.empty() ? std::string_view("checkpoint") : std::string_view(path_);
        if (!found)
            throw data_error(text(where, ": no '", name, "' in it (kind '", visible(kind, 40),
                                  "', written by another solver or version?) name another checkpoint"));
        if (found->type != type)
            throw data_error(text(where, ": '", name, "' is of type ", name_of(found->type), " (", name_of(type),
                                  " is needed; a fit in another precision?) name another checkpoint"));
        return *found;
    }

    std::vector<section> sections_;
    std::string path_;
};

}  // namespace gamut::core

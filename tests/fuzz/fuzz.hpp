// SPDX-License-Identifier: BSL-1.0
// What the fuzzers share: a file in memory, options from the first line of an input, and what may be said about a bad file.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include <data/helpers.hpp>
#include <gamut/communicator/single.hpp>
#include <gamut/communicator/threads.hpp>
#include <gamut/core/error.hpp>
#include <gamut/core/is_utf8.hpp>
#include <gamut/core/text.hpp>
#include <gamut/data/concept.hpp>

namespace gamut::fuzz {

/// Ends the process, as a sanitizer does, when a property does not hold.
inline void require(bool holds, std::string_view property, std::string_view found = {}) {
    if (holds) return;
    std::fprintf(stderr, "property: %.*s\n%.*s\n", static_cast<int>(property.size()), property.data(),
                 static_cast<int>(found.size()), found.data());
    std::abort();
}

/// A regular file that no disk knows; its path is one that any reader opens.
class memory_file {
public:
    memory_file() : handle(::memfd_create("gamut_fuzz", MFD_CLOEXEC)), path(core::text("/proc/self/fd/", handle)) {
        require(handle >= 0, "a file in memory can be had");
    }
    memory_file(const memory_file&) = delete;
    memory_file& operator=(const memory_file&) = delete;
    ~memory_file() { ::close(handle); }

    const std::string& holding(std::string_view bytes) const {
        const bool written = ::ftruncate(handle, 0) == 0 &&
                             ::pwrite(handle, bytes.data(), bytes.size(), 0) == static_cast<ssize_t>(bytes.size());
        require(written, "a file in memory can be written");
        return path;
    }

private:
    int handle;
    std::string path;
};

/// An input of a reader's fuzzer: letters that say how to read, a line end, and the file.
struct input {
    std::string_view options, file;

    input(const std::uint8_t* bytes, std::size_t count) : file(reinterpret_cast<const char*>(bytes), count) {
        const auto end = file.find('\n');
        if (end == file.npos || end > 16) return;
        options = file.substr(0, end);
        file.remove_prefix(end + 1);
    }
    bool has(char option) const { return options.find(option) != options.npos; }
};

/// What reading gave: a table, or the error.
struct outcome {
    test::table rows;
    core::error_kind kind = core::error_kind::none;
    std::string message;
};

/// A message is for people: short, UTF-8, with what a terminal would obey made visible.
inline void require_readable(std::string_view message) {
    require(message.size() < 8192, "a message is short", message);
    require(core::is_utf8(message), "a message is UTF-8", message);
    for (const char c : message)
        require(c == '\n' || static_cast<unsigned char>(c) >= 0x20, "a message has no control characters", message);
    require(message.find('(') < message.rfind(')'), "a message says why, in parentheses", message);
}

/// Reads `source` on that many threads. Only a data_error that starts with the file's name, an option_error or an
/// out_of_memory may leave a reader.
template <class Source> outcome read(int threads, const Source& source, const data::request& wanted) {
    outcome result;
    const auto refused = [&](core::error_kind kind, const core::error& problem) {
        result.kind = kind;
        result.message = problem.what();
        require_readable(result.message);
        require(kind != core::error_kind::data || result.message.starts_with(source.path + ":"),
                "a data_error starts with the file's name", result.message);
    };
    try {
        if (threads == 1)
            test::append(result.rows, source.load(communicator::single<>{}, wanted));
        else
            result.rows = test::load_on(threads, source, wanted);
    } catch (const core::data_error& problem) {
        refused(core::error_kind::data, problem);
    } catch (const core::option_error& problem) {
        refused(core::error_kind::option, problem);
    } catch (const core::out_of_memory& problem) {
        refused(core::error_kind::memory, problem);
    } catch (const std::exception& problem) {
        require(false, "only data_error, option_error and out_of_memory leave a reader", problem.what());
    }
    return result;
}

/// Finite numbers, of one shape, with classes and names that differ.
inline void require_sound(const test::table& all, const data::request& wanted) {
    require(all.rows > 0 && all.x.size() == all.rows, "there are as many rows as are said to be");
    require(!all.features.empty(), "there are features");
    for (const auto& row : all.x) {
        require(row.size() == all.features.size(), "a name per column");
        for (const double value : row) require(std::isfinite(value), "values are finite");
    }
    require(all.y.size() == (wanted.labels ? all.rows : 0), "a label per row, if they are wanted");
    for (const double label : all.y)
        require(wanted.classification ? label >= 0 && label < static_cast<double>(all.classes.size())
                                      : std::isfinite(label),
                "labels are classes, or finite");
    for (const double weight : all.weights) require(weight >= 0 && std::isfinite(weight), "weights are not negative");
    auto names = all.features;
    for (const auto& name : names) require(core::is_utf8(name), "names are UTF-8", name);
    std::sort(names.begin(), names.end());
    require(std::adjacent_find(names.begin(), names.end()) == names.end(), "names differ");
    auto classes = all.classes;
    std::sort(classes.begin(), classes.end());
    require(std::adjacent_find(classes.begin(), classes.end()) == classes.end(), "classes differ");
}

/// Three threads read what one reads, or say what it says.
template <class Source>
void require_the_same_on_threads(const outcome& alone, const Source& source, const data::request& wanted) {
    if (alone.kind == core::error_kind::memory) return;  // a third of the rows may well fit
    const outcome together = read(3, source, wanted);
    require(together.kind == alone.kind && together.message.ends_with(alone.message), "all threads say what one says",
            core::text(alone.message, "\n", together.message));
    require(together.rows == alone.rows, "all threads read what one reads");
}

}  // namespace gamut::fuzz

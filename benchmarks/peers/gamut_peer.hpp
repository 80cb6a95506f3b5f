// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gamut/gamut.hpp>

#include "../measure.hpp"

/// What the parts of gamut_peer share: arguments, arrays in files, memory and time of a fit.
namespace peer {

using namespace gamut;

struct arguments {
    int count;
    char** values;

    std::string text(const char* name, const char* otherwise) const {
        return benchmark::option(count, values, name, otherwise);
    }
    std::size_t number(const char* name, const char* otherwise) const {
        return std::strtoull(text(name, otherwise).c_str(), nullptr, 10);
    }
    double real(const char* name, const char* otherwise) const { return std::atof(text(name, otherwise).c_str()); }
};

// One file for each penalty, so that they compile side by side.
void fit_l0(const arguments& given, double memory_before);
void fit_elastic_net(const arguments& given, double memory_before);
void fit_dual(const arguments& given, double memory_before);

/// A file of numbers, mapped while this lives.
template <class T> class mapped {
public:
    mapped(const std::string& path, std::size_t count) : bytes_(count * sizeof(T)) {
        const int file = open(path.c_str(), O_RDONLY);
        if (file < 0 || lseek(file, 0, SEEK_END) != static_cast<off_t>(bytes_))
            throw core::data_error(core::text(path, ": is not there, or has not ", count, " numbers"));
        address_ = mmap(nullptr, bytes_, PROT_READ, MAP_PRIVATE, file, 0);
        close(file);
        if (address_ == MAP_FAILED) throw core::data_error(core::text(path, ": cannot be mapped"));
    }
    mapped(const mapped&) = delete;
    mapped& operator=(const mapped&) = delete;
    ~mapped() { munmap(address_, bytes_); }

    const T* begin() const { return static_cast<const T*>(address_); }
    const T* end() const { return begin() + bytes_ / sizeof(T); }

private:
    std::size_t bytes_;
    void* address_ = nullptr;
};

template <class T, class Vector> void read(const std::string& path, std::size_t count, Vector& to) {
    const mapped<T> from(path, count);
    to.assign(from.begin(), from.end());
}

inline std::vector<double> labels(const arguments& given) {
    std::vector<double> y;
    read<double>(given.text("--arrays", ".") + "/y.bin", given.number("--rows", "0"), y);
    return y;
}

inline data::arrays<backend::dense_matrix<double>> dense(const arguments& given) {
    const std::size_t rows = given.number("--rows", "0"), columns = given.number("--columns", "0");
    backend::dense_matrix<double> x(rows, columns);
    {
        const mapped<double> from(given.text("--arrays", ".") + "/X.bin", rows * columns);
        std::copy(from.begin(), from.end(), x.values.begin());
    }
    return data::arrays(std::move(x), labels(given));
}

inline data::arrays<backend::sparse_matrix<double>> sparse(const arguments& given) {
    const std::string folder = given.text("--arrays", ".");
    const std::size_t entries = given.number("--entries", "0");
    backend::sparse_matrix<double> x;
    x.rows = given.number("--rows", "0");
    x.columns = given.number("--columns", "0");
    read<std::int64_t>(folder + "/offsets.bin", x.rows + 1, x.offsets);
    read<std::int32_t>(folder + "/indices.bin", entries, x.indices);
    read<double>(folder + "/X.bin", entries, x.values);
    return data::arrays(std::move(x), labels(given));
}

inline bool is_sparse(const arguments& given) { return given.number("--entries", "0") > 0; }

inline backend::host<double> host(const arguments& given) {
    return {.threads = static_cast<int>(given.number("--threads", "1"))};
}

inline data::preparation preparation(const arguments& given) {
    return {.intercept = given.number("--intercept", "1") != 0 ? data::intercept::free : data::intercept::none,
            .columns = given.number("--standardize", "1") != 0 ? data::columns::standardized : data::columns::as_given};
}

/// A line of /proc/self/status, in bytes.
inline double memory(const char* name) {
    double kilobytes = 0;
    if (std::FILE* file = std::fopen("/proc/self/status", "r")) {
        char line[256];
        while (std::fgets(line, sizeof line, file))
            if (std::string_view(line).starts_with(name))
                kilobytes = std::atof(line + std::string_view(name).size() + 1);
        std::fclose(file);
    }
    return kilobytes * 1024;
}

/// From now on the peak is that of what follows.
inline void forget_peak() {
    if (std::FILE* file = std::fopen("/proc/self/clear_refs", "w")) {
        std::fputs("5", file);
        std::fclose(file);
    }
}

inline double processor_seconds() {
    rusage used{};
    getrusage(RUSAGE_SELF, &used);
    return static_cast<double>(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
           1e-6 * static_cast<double>(used.ru_utime.tv_usec + used.ru_stime.tv_usec);
}

template <class Fit> void write_weights(const Fit& fit, const std::string& path) {
    if (path.empty()) return;
    std::FILE* file = std::fopen(path.c_str(), "wb");
    if (file == nullptr) throw core::data_error(core::text(path, ": cannot be written"));
    std::fwrite(fit.weights.data(), sizeof(double), fit.weights.size(), file);
    std::fwrite(fit.intercept.data(), sizeof(double), fit.intercept.size(), file);
    std::fclose(file);
}

/// fit() again and again, and a line for each.
template <class Fit> void measure(const arguments& given, double memory_before, Fit&& fit) {
    const bool wait = given.number("--wait", "0") != 0, trace = given.number("--trace", "0") != 0;
    const std::size_t repeat = given.number("--repeat", "1");
    std::string line;
    for (std::size_t k = 0; wait ? static_cast<bool>(std::getline(std::cin, line)) : k < repeat; ++k) {
        forget_peak();
        const double processor = processor_seconds();
        decltype(fit()) found;
        const double seconds = benchmark::seconds([&] { found = fit(); });
        const double used = processor_seconds() - processor, peak = memory("VmHWM:") - memory_before;
        write_weights(found, given.text("--weights", ""));
        std::printf("{\"seconds\": %.6f, \"processor_seconds\": %.6f, \"objective\": %.12g, \"status\": \"%s\", "
                    "\"iterations\": %zu, \"passes\": %zu, \"memory\": %.0f",
                    seconds, used, found.objective, std::string(core::name(found.status)).c_str(), found.iterations,
                    found.passes, peak);
        if (trace) {
            std::printf(", \"trace\": [");
            const char* comma = "";
            for (const core::record& r : found.history)
                if (r.objective < 1e300)  // seconds of the fit, not of the solver alone
                    std::printf("%s[%.5f, %.12g, %zu]", std::exchange(comma, ", "), r.seconds + seconds - found.seconds,
                                r.objective, r.nonzeros);
            std::printf("]");
        }
        std::printf("}\n");
        std::fflush(stdout);
    }
}

}  // namespace peer

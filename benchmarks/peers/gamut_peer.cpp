// SPDX-License-Identifier: BSL-1.0
// gamut's side of the comparison with other libraries: fits arrays that benchmarks/peers.py wrote, as often as it is asked,
// and says how long the fit took. Raw little-endian doubles, X row by row:
//     gamut_peer --x X.bin --y y.bin --rows N --columns P --model linear|logistic|softmax --kappa K [--over entries|rows|per_output]
//                [--l2 0] [--solver NAME] [--threads 1] [--intercept 1] [--standardize 1] [--seconds 0] [--repeat 1] [--wait 0]
//                [--weights FILE] [--trace 0]
// Prints one JSON line per fit; with --wait 1 each waits for a line on stdin, and the end of the input ends the program. The time is that of
// estimator::fit on data::arrays, as a peer's is that of its fit call on arrays in memory. `memory` is what the process took at its
// most beyond what it had before it read the data, one copy of them included. --weights: features x outputs, then the intercepts.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <string>
#include <string_view>
#include <vector>

#include <gamut/gamut.hpp>

#include "../measure.hpp"

using namespace gamut;

namespace {

/// A file of doubles, mapped while this lives.
class mapped {
public:
    mapped(const std::string& path, std::size_t count) : bytes_(count * sizeof(double)) {
        const int file = open(path.c_str(), O_RDONLY);
        if (file < 0 || lseek(file, 0, SEEK_END) != static_cast<off_t>(bytes_))
            throw core::data_error(core::text(path, ": is not there, or has not ", count, " doubles"));
        address_ = mmap(nullptr, bytes_, PROT_READ, MAP_PRIVATE, file, 0);
        close(file);
        if (address_ == MAP_FAILED) throw core::data_error(core::text(path, ": cannot be mapped"));
    }
    mapped(const mapped&) = delete;
    mapped& operator=(const mapped&) = delete;
    ~mapped() { munmap(address_, bytes_); }

    const double* begin() const { return static_cast<const double*>(address_); }
    const double* end() const { return begin() + bytes_ / sizeof(double); }

private:
    std::size_t bytes_;
    void* address_ = nullptr;
};

/// A line of /proc/self/status, in bytes.
double memory(const char* name) {
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
void forget_peak() {
    if (std::FILE* file = std::fopen("/proc/self/clear_refs", "w")) {
        std::fputs("5", file);
        std::fclose(file);
    }
}

double processor_seconds() {
    rusage used{};
    getrusage(RUSAGE_SELF, &used);
    return static_cast<double>(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
           1e-6 * static_cast<double>(used.ru_utime.tv_usec + used.ru_stime.tv_usec);
}

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

template <class Fit> void write_weights(const Fit& fit, const std::string& path) {
    if (path.empty()) return;
    std::FILE* file = std::fopen(path.c_str(), "wb");
    if (file == nullptr) throw core::data_error(core::text(path, ": cannot be written"));
    std::fwrite(fit.weights.data(), sizeof(double), fit.weights.size(), file);
    std::fwrite(fit.intercept.data(), sizeof(double), fit.intercept.size(), file);
    std::fclose(file);
}

/// Fits again and again, and prints a line each time.
template <class Estimator, class Source>
void measure(const Estimator& estimator, const Source& source, const arguments& given, double memory_before) {
    const bool wait = given.number("--wait", "0") != 0;
    const std::size_t repeat = given.number("--repeat", "1");
    std::string line;
    for (std::size_t k = 0; wait ? static_cast<bool>(std::getline(std::cin, line)) : k < repeat; ++k) {
        forget_peak();
        const double processor = processor_seconds();
        decltype(estimator.fit(source)) fit;
        const double seconds = benchmark::seconds([&] { fit = estimator.fit(source); });
        const double used = processor_seconds() - processor, peak = memory("VmHWM:") - memory_before;
        write_weights(fit, given.text("--weights", ""));
        std::printf("{\"seconds\": %.6f, \"processor_seconds\": %.3f, \"objective\": %.12g, \"status\": \"%s\", "
                    "\"iterations\": %zu, "
                    "\"passes\": %zu, \"memory\": %.0f, \"support\": [",
                    seconds, used, fit.objective, std::string(core::name(fit.status)).c_str(), fit.iterations,
                    fit.passes, peak);
        const char* comma = "";
        for (const std::size_t j : fit.support()) std::printf("%s%zu", std::exchange(comma, ", "), j);
        std::printf("]");
        if (given.number("--trace", "0") != 0) {
            std::printf(", \"trace\": [");
            comma = "";
            for (const core::record& r : fit.history)
                if (r.objective < 1e300)
                    std::printf("%s[%.4f, %.8g]", std::exchange(comma, ", "), r.seconds, r.objective);
            std::printf("]");
        }
        std::printf("}\n");
        std::fflush(stdout);
    }
}

/// The solvers that may be asked for by name; the first is the default. A new one is one line.
template <class F> void with_solver(const arguments& given, F&& run) {
    const std::string name = given.text("--solver", "swap");
    const auto timed = [&](auto solver) {
        if constexpr (requires { solver.stop.seconds; }) solver.stop.seconds = given.real("--seconds", "0");
        run(solver);
    };
    if (name == "swap") return timed(solver::swap{});
    if (name == "disadmm") return timed(solver::disadmm<>{});
    throw core::option_error(core::text("--solver ", name, ": there is no such solver here"));
}

template <class Model> void fit(Model model, const arguments& given, double memory_before) {
    const std::size_t rows = given.number("--rows", "0"), columns = given.number("--columns", "0");
    const std::string over = given.text("--over", "entries");
    const penalty::l0 penalty{.kappa = given.number("--kappa", "1"),
                              .l2 = given.real("--l2", "0"),
                              .over = over == "rows"         ? penalty::support::rows
                                      : over == "per_output" ? penalty::support::per_output
                                                             : penalty::support::entries};
    backend::dense_matrix<double> x(rows, columns);
    std::vector<double> y(rows);
    {
        const mapped from_x(given.text("--x", "X.bin"), rows * columns), from_y(given.text("--y", "y.bin"), rows);
        std::copy(from_x.begin(), from_x.end(), x.values.begin());
        std::copy(from_y.begin(), from_y.end(), y.begin());
    }
    const data::arrays source(std::move(x), y);
    with_solver(given, [&](auto solver) {
        measure(estimator{.model = model,
                          .penalty = penalty,
                          .solver = solver,
                          .backend = backend::host<double>{.threads = static_cast<int>(given.number("--threads", "1"))},
                          .prepare = {.intercept = given.number("--intercept", "1") != 0 ? data::intercept::free
                                                                                         : data::intercept::none,
                                      .columns = given.number("--standardize", "1") != 0 ? data::columns::standardized
                                                                                         : data::columns::as_given}},
                source, given, memory_before);
    });
}

}  // namespace

int main(int argc, char** argv) try {
    const arguments given{argc, argv};
    const double before = memory("VmRSS:");
    const std::string model = given.text("--model", "linear");
    if (model == "linear")
        fit(model::linear{}, given, before);
    else if (model == "logistic")
        fit(model::logistic{}, given, before);
    else if (model == "softmax")
        fit(model::softmax{}, given, before);
    else
        throw core::option_error(core::text("--model ", model, ": there is no such model here"));
    return 0;
} catch (const std::exception& error) {
    std::fprintf(stderr, "gamut_peer: %s\n", error.what());
    return 1;
}

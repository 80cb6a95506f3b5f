// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gamut/backend/data_rows.hpp>
#include <gamut/backend/program_run.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

/// What PyTorch finds, in double precision, for formulas and networks at inputs drawn by a rule: by_pytorch.txt, a line for each with
///     name|loss|v'Hv|u'Hv|gradient, block after block
/// by_pytorch.py wrote it; it says what each name is in PyTorch, and has the same rule.
namespace by_pytorch {

struct answer {
    double loss = 0, along_v = 0, along_u = 0;
    std::vector<double> gradient;
};

/// Numbers in (-1, 1), the same to the last bit in both languages.
inline double draw(std::uint64_t stream, std::size_t i) {
    std::uint64_t x = (static_cast<std::uint64_t>(i) + 1) * 0x9E3779B97F4A7C15u + stream * 0xBF58476D1CE4E5B9u;
    x ^= x >> 31;
    x *= 0x94D049BB133111EBu;
    x ^= x >> 29;
    return static_cast<double>(x >> 11) / 4503599627370496.0 - 1;
}

inline std::string without_spaces(std::string text) {
    text.erase(std::remove_if(text.begin(), text.end(), [](char c) { return c == ' ' || c == '\n'; }), text.end());
    return text;
}

inline const std::map<std::string, answer>& answers() {
    static const std::map<std::string, answer> all = [] {
        std::map<std::string, answer> read;
        std::ifstream file("tests/autodiff/by_pytorch.txt");
        for (std::string line; std::getline(file, line);) {
            if (line.empty() || line[0] == '#') continue;
            std::istringstream cells(line);
            std::string name, cell;
            answer a;
            std::getline(cells, name, '|');
            for (double* const to : {&a.loss, &a.along_v, &a.along_u}) {
                std::getline(cells, cell, '|');
                *to = std::stod(cell);
            }
            while (std::getline(cells, cell, ' ')) a.gradient.push_back(std::stod(cell));
            read.emplace(name, a);
        }
        return read;
    }();
    return all;
}

/// A loss, its gradient and its Hessian (by v'Hv and u'Hv) at drawn rows: PyTorch's to 1e-10, relative to what is above 1.
/// numbers: of a table that rows of the data look up, the data are 0, 1, ... numbers - 1; 0: they are anything.
template <class Program>
void compare(const std::string& spelled, const Program& program,
             const std::vector<gamut::autodiff::block_shape>& shapes, std::size_t n, std::size_t columns,
             std::size_t classes, std::size_t numbers = 0) {
    const std::string name = without_spaces(spelled);
    const auto found = answers().find(name);
    BOOST_REQUIRE_MESSAGE(found != answers().end(), name << " is not in tests/autodiff/by_pytorch.txt");
    const answer& theirs = found->second;

    gamut::backend::program_run_for<double, Program> run(program, shapes, columns, n, true);
    std::vector<double> x(n * columns), y(n), w(run.dimension()), v(w.size()), g(w.size()), hv(w.size());
    for (std::size_t i = 0; i < x.size(); ++i)
        x[i] = numbers > 0 ? static_cast<double>(i * i % numbers) : 1.5 * draw(1, i);
    for (std::size_t i = 0; i < n; ++i) y[i] = static_cast<double>((7 * i + 1) % classes);
    for (std::size_t i = 0; i < w.size(); ++i) w[i] = 0.6 * draw(2, i), v[i] = draw(3, i);
    const gamut::backend::data_rows<double> rows{
        .x = x.data(), .stride = columns, .rows = n, .y = y.data(), .share = 1.0 / static_cast<double>(n)};
    const double loss = run.gradient(rows, run.flat(w.data(), nullptr, g.data()));
    run.template gradient<true>(rows, run.flat(w.data(), v.data(), hv.data()));

    const auto near = [](double a, double b, double size) { return std::abs(a - b) <= 1e-10 * std::max(1.0, size); };
    BOOST_TEST(near(loss, theirs.loss, std::abs(theirs.loss)), name << ": loss " << loss << ", not " << theirs.loss);
    BOOST_REQUIRE_MESSAGE(g.size() == theirs.gradient.size(), name << ": " << g.size() << " parameters");
    double size = 1, along_v = 0, along_u = 0, length = 0;
    for (const double e : theirs.gradient) size = std::max(size, std::abs(e));
    for (std::size_t i = 0; i < g.size(); ++i) {
        BOOST_TEST(near(g[i], theirs.gradient[i], size),
                   name << ": derivative " << i << " is " << g[i] << ", not " << theirs.gradient[i]);
        along_v += v[i] * hv[i], along_u += draw(4, i) * hv[i], length += std::abs(hv[i]);
    }
    BOOST_TEST(near(along_v, theirs.along_v, length), name << ": v'Hv " << along_v << ", not " << theirs.along_v);
    BOOST_TEST(near(along_u, theirs.along_u, length), name << ": u'Hv " << along_u << ", not " << theirs.along_u);
}

}  // namespace by_pytorch

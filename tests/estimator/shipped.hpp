// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cmath>
#include <cstddef>
#include <string>
#include <vector>

#include "../fits/fit.hpp"

#include <gamut/gamut.hpp>

/// The data sets of examples/data, and one made by hand. Tests run at the top of the source tree.
namespace shipped {

using namespace gamut;

inline const data::csv<> breast_cancer{.path = "examples/data/breast_cancer.csv"};
inline const data::csv<> diabetes{.path = "examples/data/diabetes.csv"};
inline const data::csv<> iris{.path = "examples/data/iris.csv"};

constexpr data::preparation as_given{data::intercept::free, data::columns::as_given};
constexpr data::preparation no_intercept{data::intercept::none, data::columns::as_given};

/// All rows of a source, as this process sees them.
template <class Source> auto rows_of(const Source& source, bool classification) {
    return source.load(communicator::single<>{}, {.classification = classification});
}

/// The digits with pixels from 0 to 1.
inline data::arrays<fits::dense> digits() {
    auto rows = rows_of(data::csv<>{.path = "examples/data/digits.csv"}, false);
    for (double& pixel : rows.x.values) pixel /= 16;
    return data::arrays(std::move(rows.x), rows.y);
}

/// An orthogonal design: columns 2 to 8 of Sylvester's Hadamard matrix H8, whose entry (i, j) is -1 to the number of bits
/// that i and j share.
inline data::arrays<fits::dense> hadamard() {
    fits::dense x(8, 7);
    for (unsigned i = 0; i < 8; ++i)
        for (unsigned j = 1; j < 8; ++j) x(i, j - 1) = __builtin_popcount(i & j) % 2 == 0 ? 1 : -1;
    return data::arrays(std::move(x), std::vector<double>{3, -1, 4, 1, -5, 9, 2, -6});
}

/// max |a_j - b_j|
inline double distance(const std::vector<double>& a, const std::vector<double>& b) {
    if (a.size() != b.size()) return INFINITY;
    double largest = 0;
    for (std::size_t j = 0; j < a.size(); ++j) largest = std::max(largest, std::abs(a[j] - b[j]));
    return largest;
}

}  // namespace shipped

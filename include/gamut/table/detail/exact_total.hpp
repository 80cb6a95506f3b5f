// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <gamut/core/exact_sum.hpp>

namespace gamut::table::detail {

/// Sums whose bits don't depend on the order of what is summed (core/exact_sum.hpp), a partial at a time:
/// all partials are shown once, then once again.
class exact_total {
public:
    explicit exact_total(std::size_t columns)
        : exponents_(columns, core::exact_sum::smallest),
          next_exponents_(columns),
          sums_(columns),
          next_sums_(columns) {}

    void show(std::span<const double> partial) {
        core::exponents(partial, 1, next_exponents_);
        for (std::size_t j = 0; j < exponents_.size(); ++j) exponents_[j] = std::max(exponents_[j], next_exponents_[j]);
    }
    void add(std::span<const double> partial) {
        core::quantize(partial, 1, exponents_, next_sums_);
        for (std::size_t j = 0; j < sums_.size(); ++j) sums_[j] += next_sums_[j];
    }
    std::vector<double> total() const {
        std::vector<double> out(sums_.size());
        core::restore(sums_, exponents_, out);
        return out;
    }

private:
    std::vector<std::int32_t> exponents_, next_exponents_;
    std::vector<std::int64_t> sums_, next_sums_;
};

}  // namespace gamut::table::detail

// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

#include <gamut/topology/concept.hpp>

namespace gamut::topology {

/// Everybody has the exact mean after finitely many steps, for any number of nodes, hearing at most k others in each.
/// Of n nodes the first P = a (k+1)^p, as large as it can be with a <= k, average among themselves in groups of k + 1 (a), one digit of
/// their number after the other, while the other s = n - P do this whole procedure; then s pairs meet with weights
/// P / n and s < P, after which the mean of each side is the mean of all; then the first P average once more.
/// Doubly stochastic and symmetric in each step; about 2 log n / log(k+1) steps.
/// In the manner of Takezawa et al., Beyond exponential graph, NeurIPS 2023, whose base-(k+1) graphs have the same property.
struct base_k {
    static constexpr auto kind = symmetric;
    std::size_t k = 1;

    std::size_t period(std::size_t n) const { return std::max<std::size_t>(steps(n), 1); }

    std::vector<link> row(std::size_t i, std::size_t n, std::size_t step) const {
        if (k < 1) throw core::option_error("topology::base_k: k is 0 (everybody must hear somebody) try 1");
        return row_of(i, 0, n, step % period(n));
    }

private:
    struct block {
        std::size_t size = 1, digits = 0, lead = 1;  // size = lead (k+1)^digits
        std::size_t steps() const { return digits + (lead > 1); }
    };
    block largest(std::size_t n) const {
        block b;
        while (b.size * (k + 1) <= n) b.size *= k + 1, ++b.digits;
        b.lead = n / b.size;
        b.size *= b.lead;
        return b;
    }
    std::size_t steps(std::size_t n) const {
        const block b = largest(n);
        if (b.size == n) return b.steps();
        return std::max(b.steps(), steps(n - b.size)) + 1 + b.steps();
    }

    std::vector<link> row_of(std::size_t i, std::size_t first, std::size_t n, std::size_t step) const {
        const block b = largest(n);
        const std::size_t rest = n - b.size;
        if (rest == 0) return among(i, first, b, step);
        const std::size_t before = std::max(b.steps(), steps(rest));
        if (step > before) return i < b.size ? among(i, first, b, step - before - 1) : alone(i, first);
        if (step < before) {
            if (i < b.size) return among(i, first, b, step);
            return step < steps(rest) ? row_of(i - b.size, first + b.size, rest, step) : alone(i, first);
        }
        if (i >= rest && i < b.size) return alone(i, first);
        const double others = static_cast<double>(b.size) / static_cast<double>(n);
        return {{first + i, static_cast<double>(rest) / static_cast<double>(n)},
                {first + (i < rest ? i + b.size : i - b.size), others}};
    }

    /// The mean over all values of one digit.
    std::vector<link> among(std::size_t i, std::size_t first, const block& b, std::size_t step) const {
        if (step >= b.steps()) return alone(i, first);
        const std::size_t values = step < b.digits ? k + 1 : b.lead;
        std::size_t unit = 1;
        for (std::size_t d = 0; d < step; ++d) unit *= k + 1;
        const std::size_t base = i - i / unit % values * unit;
        std::vector<link> row;
        for (std::size_t d = 0; d < values; ++d)
            row.push_back({first + base + d * unit, 1 / static_cast<double>(values)});
        return row;
    }
    static std::vector<link> alone(std::size_t i, std::size_t first) { return {{first + i, 1}}; }
};

}  // namespace gamut::topology

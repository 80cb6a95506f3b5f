// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <vector>

#include <gamut/topology/concept.hpp>

namespace gamut::topology {

/// How many nodes each one hears, and is heard by.
struct degrees {
    std::vector<std::size_t> in{}, out{};
};

/// What turns a graph into weights: of(d, i, j) of what node i hears from j, self(d, i, heard) of what i itself has.
template <class W>
concept WeightRule = requires(const W& rule, const degrees& d, std::size_t i, const node_list& heard) {
    { rule.of(d, i, i) } -> std::convertible_to<double>;
    { rule.self(d, i, heard) } -> std::convertible_to<double>;
};

/// 1 / (1 + the larger degree of the two), the rest for oneself: doubly stochastic on symmetric graphs, and on balanced ones where all
/// degrees are equal, so that the mean stays. All of the usual matrices: 1/3 on a ring, 1/n on a full graph.
/// Xiao and Boyd, Fast linear iterations for distributed averaging, 2004.
struct metropolis {
    double of(const degrees& d, std::size_t i, std::size_t j) const {
        return 1.0 / static_cast<double>(larger(d, i, j));
    }
    /// 1 - the sum of the others, as a fraction: the double nearest to 1/3, not 1 - 2/3.
    double self(const degrees& d, std::size_t i, const node_list& heard) const {
        constexpr std::uint64_t most = std::uint64_t(1) << 32;
        std::uint64_t whole = 1;
        for (const std::size_t j : heard) {
            whole = std::lcm(whole, larger(d, i, j));
            if (whole > most) {  // hundreds of different degrees
                double rest = 1;
                for (const std::size_t l : heard) rest -= of(d, i, l);
                return rest;
            }
        }
        std::uint64_t rest = whole;
        for (const std::size_t j : heard) rest -= whole / larger(d, i, j);
        return static_cast<double>(rest) / static_cast<double>(whole);
    }

private:
    static std::uint64_t larger(const degrees& d, std::size_t i, std::size_t j) {
        return 1 + std::max(d.in[i], d.in[j]);
    }
};

/// What is heard and what one has count alike: every row adds up to 1; the mean stays only where all hear, and are heard by, as many.
struct uniform {
    double of(const degrees& d, std::size_t i, std::size_t) const { return 1.0 / static_cast<double>(1 + d.in[i]); }
    double self(const degrees& d, std::size_t i, const node_list&) const { return of(d, i, i); }
};

/// Everybody deals out what it has: every column adds up to 1, for push_sum on any graph.
struct push {
    double keep = 0;  ///< the part that stays; 0: as much as each listener gets
    double of(const degrees& d, std::size_t, std::size_t j) const {
        const auto out = static_cast<double>(d.out[j]);
        return keep > 0 ? (1 - keep) / out : 1 / (1 + out);
    }
    double self(const degrees& d, std::size_t i, const node_list&) const {
        if (d.out[i] == 0) return 1;
        return keep > 0 ? keep : 1 / (1 + static_cast<double>(d.out[i]));
    }
};

/// One weight for all that is heard, another for one's own.
struct constant {
    double heard = 1, own = 1;
    double of(const degrees&, std::size_t, std::size_t) const { return heard; }
    double self(const degrees&, std::size_t, const node_list&) const { return own; }
};

}  // namespace gamut::topology

// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <type_traits>
#include <vector>

#include <gamut/fwd.hpp>
#include <gamut/topology/concept.hpp>
#include <gamut/topology/exponential.hpp>
#include <gamut/topology/mixing_matrix.hpp>
#include <gamut/topology/weights.hpp>

namespace gamut::topology {

/// Machines of `local` nodes that have one mind: what a node gets is the mix, over the machines that its machine hears, of the means
/// over their nodes:   W_ij = M_ab / local   for i on machine a and j on machine b, M the machines' own matrix.
template <class G, class Rule> struct hierarchical {
    static constexpr auto kind = kind_of<G>;
    std::size_t local = 2;
    G machines{};
    Rule weights{};

    std::size_t period(std::size_t n) const { return topology::period(machines, count(n)); }
    std::vector<link> row(std::size_t i, std::size_t n, std::size_t k) const {
        const std::vector<link> between = of_machines(count(n), k).row(i / local);
        std::vector<link> all;
        for (const link& machine : between)
            for (std::size_t j = 0; j < local; ++j)
                all.push_back({machine.from * local + j, machine.weight / static_cast<double>(local)});
        return all;
    }

private:
    std::size_t count(std::size_t n) const {
        if (local < 1 || n % local != 0)
            throw core::option_error(
                core::text("topology::hierarchical: ", n, " nodes in machines of ", local, " (they do not fit)"));
        return n / local;
    }
    mixing_matrix of_machines(std::size_t n, std::size_t k) const {
        if constexpr (Mixing<G>)
            return mixing_matrix(machines, n, k);
        else
            return mixing_matrix(machines, weights, n, k);
    }
};

}  // namespace gamut::topology

// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <gamut/communicator/concept.hpp>
#include <gamut/core/error.hpp>
#include <gamut/exchange/nodes.hpp>
#include <gamut/topology/concept.hpp>
#include <gamut/topology/mixing_matrix.hpp>

namespace gamut::exchange {

/// What a method needs of the weights.
enum class need { anything, columns, doubly, symmetric };

/// The routes of a graph's steps, made and checked when first needed, kept while the graph repeats. All ranks ask for the same steps.
/// One all-reduce of 16 bytes for each step of a period.
/// Throws option_error, on all ranks, for weights that the method cannot use, and where ranks have different graphs.
template <class G, class Rule> class routes {
public:
    routes(const char* who, const G& graph, const Rule& rule, need wanted, bool lazy = false)
        : who_(who),
          graph_(graph),
          rule_(rule),
          wanted_(wanted),
          lazy_(lazy) {
        static_assert(topology::Mixing<G> || topology::Graph<G>,
                      "exchange: topology needs sources(i, n, k), or row(i, n, k) with weights of its own; see "
                      "gamut/topology/concept.hpp");
    }

    template <class C> const route& at(const nodes<C>& all, std::size_t k) {
        if (made_.empty()) {
            period_ = topology::period(graph_, all.count());
            made_.resize(std::max<std::size_t>(period_, 1));
        }
        std::optional<route>& found = made_[period_ > 0 ? k % period_ : 0];
        if (!found || (period_ == 0 && k != made_for_)) {
            const topology::mixing_matrix w = matrix(all.count(), k);
            if (!found)
                agree(all.ranks(), w);  // of a graph that never repeats the first step only: only nodes that hear talk
            check(w);
            found = all.plan(lazy_ ? w.lazy() : w);
            made_for_ = k;
        }
        return *found;
    }

    topology::mixing_matrix matrix(std::size_t n, std::size_t k) const {
        if constexpr (topology::Mixing<G>)
            return topology::mixing_matrix(graph_, n, k);
        else
            return topology::mixing_matrix(graph_, rule_, n, k);
    }

private:
    template <class C> void agree(const C& ranks, const topology::mixing_matrix& w) const {
        if (ranks.size() == 1) return;
        const auto mine = static_cast<std::int64_t>(w.hash() >> 1);
        std::int64_t ends[2] = {mine, -mine};
        ranks.all_reduce(std::span<std::int64_t>(ends), communicator::operation::maximum);
        if (ends[0] != -ends[1])
            throw core::option_error(core::text(who_,
                                                ": ranks have different topologies (who hears whom must be the same "
                                                "everywhere) give all ranks the same options"));
    }

    void check(const topology::mixing_matrix& w) const {
        if (wanted_ == need::anything) return;
        std::string wrong = w.not_column_stochastic();
        if (wrong.empty() && wanted_ != need::columns) wrong = w.not_row_stochastic();
        if (wrong.empty() && wanted_ == need::symmetric) wrong = w.not_symmetric();
        if (!wrong.empty())
            throw core::option_error(core::text(who_, ": ", wrong, " (the weights must be ",
                                                wanted_ == need::columns  ? "column-stochastic"
                                                : wanted_ == need::doubly ? "doubly stochastic"
                                                                          : "symmetric and doubly stochastic",
                                                ") use topology::metropolis on a symmetric graph, or push_sum on any"));
    }

    const char* who_;
    G graph_;
    Rule rule_;
    need wanted_;
    bool lazy_;
    std::vector<std::optional<route>> made_;
    std::size_t period_ = 0, made_for_ = 0;
};

}  // namespace gamut::exchange

// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <memory>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include <gamut/backend/host.hpp>
#include <gamut/backend/parallel.hpp>
#include <gamut/communicator/background_gather.hpp>
#include <gamut/communicator/background_sum.hpp>
#include <gamut/core/exact_sum.hpp>
#include <gamut/solver/concept.hpp>
#include <gamut/solver/detail/batch_parts.hpp>
#include <gamut/solver/sufficient_factors.hpp>

namespace gamut::solver::detail {

/// The step of a program whose product is the only reader of block b; its number of steps if there is none.
template <class Rows> std::size_t product_step_of(const Rows&, std::size_t b) {
    const std::size_t found = product_steps<typename Rows::program_type>[b];
    return found > 0 ? found - 1 : Rows::run_type::size;
}

/// gradient(w, batch, out) of wait_free; see there. Returns the objective of the batch.
template <class P> class wait_free_gradient {
    using A = typename P::array;
    using T = typename P::value_type;
    using C = std::remove_cvref_t<decltype(std::declval<const P&>().communicator())>;
    using rows_type = std::remove_cvref_t<decltype(std::declval<const P&>().rows())>;
    static constexpr bool is_exact = std::same_as<typename C::sums, core::exact>;

public:
    /// Collective.
    wait_free_gradient(const P& p, std::size_t batch_size, const std::vector<block_traffic>& traffic)
        : state_(std::make_unique<state>(p, batch_size, traffic)) {}

    double operator()(const A& w, const batch& wanted, A& gradient) const {
        state& s = *state_;
        s.weights = w.data();
        s.order.clear();
        std::fill_n(gradient.data(), gradient.size(), T(0));
        const double loss = go_over_steps(s.parts, wanted, s);
        for (const std::size_t b : s.order) {
            s.total.resize(s.parts.block_size(b));
            if (s.by_factors[b])
                s.multiply_out(b, wanted);
            else
                s.sums->wait(b, s.total);
            for (std::size_t k = 0; k < s.total.size(); ++k) gradient[s.offset(b) + k] = static_cast<T>(s.total[k]);
        }
        s.p.count_batch(wanted);
        return s.p.add_penalty(loss, w, gradient);
    }

private:
    struct state {
        state(const P& problem, std::size_t batch_size, const std::vector<block_traffic>& traffic)
            : p(problem),
              parts(p.rows(), batch_size, chosen(traffic)),
              by_factors(chosen(traffic)) {
            const C& c = p.communicator();
            const auto& partition = p.rows().data().partition;
            for (std::size_t r = 0; r < static_cast<std::size_t>(c.size()); ++r)
                groups.push_back(partition.blocks_of(r, static_cast<std::size_t>(c.size())));
            std::vector<std::size_t> sizes, partials;
            for (std::size_t b = 0; b < by_factors.size(); ++b)
                sizes.push_back(by_factors[b] ? 0 : parts.block_size(b));
            for (const data::range& of_rank : groups) partials.push_back(of_rank.size());
            if constexpr (is_exact)
                sums = std::make_unique<sum_type>(c, sizes, partials);
            else
                sums = std::make_unique<sum_type>(c, sizes);
            if (std::find(by_factors.begin(), by_factors.end(), true) != by_factors.end())
                gathers = std::make_unique<gather_type>(c, sizes.size());
        }
        static std::vector<bool> chosen(const std::vector<block_traffic>& traffic) {
            std::vector<bool> found;
            for (const block_traffic& one : traffic) found.push_back(one.by_factors);
            return found;
        }
        std::size_t offset(std::size_t b) const { return p.rows().program().offset(b); }

        // ---- what go_over_steps calls ----
        void fetch(std::size_t b) { parts.set_weights(b, weights + offset(b)); }
        void release(std::size_t) {}
        void complete(std::size_t b) {
            order.push_back(b);
            if (by_factors[b]) {
                gathers->start(b, parts.factors(b));
            } else if constexpr (is_exact) {
                sums->start(b, parts.partials(b));
            } else {
                sums->start(b, in_order(parts.partials(b), parts.groups(), parts.block_size(b)));
            }
            parts.drop(b);
        }

        /// The rows of a table added up, as communicator::sum with core::fast does.
        std::span<const double> in_order(std::span<const double> rows, std::size_t count, std::size_t columns) {
            added.assign(columns, 0.0);
            for (std::size_t i = 0; i < count; ++i)
                for (std::size_t k = 0; k < columns; ++k) added[k] += rows[i * columns + k];
            return added;
        }

        /// total = A'S of all ranks, each group's apart and then summed like other gradients.
        void multiply_out(std::size_t b, const batch& wanted) {
            const auto& block = p.blocks_of_parameters()[b];
            const auto& rows = p.rows();
            const std::size_t m = block.rows, n = block.columns, size = m * n;
            const std::size_t per_row = rows.program().slot(product_step_of(rows, b)).per_row;
            const std::vector<std::vector<T>> of_ranks = gathers->wait(b);
            std::vector<const T*> of_groups;
            for (std::size_t r = 0; r < groups.size(); ++r) {
                const T* at = of_ranks[r].data();
                for (std::size_t group = groups[r].begin; group < groups[r].end; ++group) {
                    of_groups.push_back(at);
                    for (std::size_t k = 0; rows.part_of(group, wanted, k).size() > 0; ++k)
                        at += rows.part_of(group, wanted, k).size() * per_row * (m + n);
                }
            }
            products.assign(of_groups.size() * size, 0.0);
            backend::parallel_for(0, of_groups.size(), rows.threads(), [&](std::size_t group, std::size_t) {
                const T* at = of_groups[group];
                double* const to = products.data() + group * size;
                std::vector<T> part;
                for (std::size_t k = 0; rows.part_of(group, wanted, k).size() > 0; ++k) {
                    const std::size_t count = rows.part_of(group, wanted, k).size() * per_row;
                    const auto multiply = [&](T* out) {
                        backend::host<T>::gemm(true, false, m, n, count, T(1), at, m, at + count * m, n, T(1), out, n);
                    };
                    if constexpr (std::is_same_v<T, double>) {
                        multiply(to);
                    } else {
                        part.assign(size, T(0));
                        multiply(part.data());
                        for (std::size_t j = 0; j < size; ++j) to[j] += static_cast<double>(part[j]);
                    }
                    at += count * (m + n);
                }
            });
            if constexpr (is_exact) {
                core::sum_exactly(products, of_groups.size(), total);
            } else {
                total.assign(size, 0.0);
                for (const data::range& mine : groups) {
                    const auto one =
                        in_order(std::span<const double>(products).subspan(mine.begin * size), mine.size(), size);
                    for (std::size_t k = 0; k < size; ++k) total[k] += one[k];
                }
            }
        }

        using sum_type = communicator::background_sum<C, double>;
        using gather_type = communicator::background_gather<C, T>;

        const P& p;
        batch_parts<rows_type> parts;
        std::vector<bool> by_factors;
        std::vector<data::range> groups;  // by rank
        const T* weights = nullptr;
        std::vector<std::size_t> order;  // in which blocks were complete
        std::vector<double> total, added, products;
        std::unique_ptr<sum_type> sums;
        std::unique_ptr<gather_type> gathers;
    };

    std::unique_ptr<state> state_;
};

}  // namespace gamut::solver::detail

// SPDX-License-Identifier: BSL-1.0
// Known numbers of every way to meet: node i of n begins with i, or descends f_i = a/2 (x - a)^2, a = i + 1, whose mean has its
// minimum at 3 for four nodes. All fractions were found by hand or with rational arithmetic.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <gamut/backend/array.hpp>
#include <gamut/backend/host.hpp>
#include <gamut/communicator/concept.hpp>
#include <gamut/core/text.hpp>
#include <gamut/exchange/all_reduce.hpp>
#include <gamut/exchange/exact_diffusion.hpp>
#include <gamut/exchange/extra.hpp>
#include <gamut/exchange/gossip.hpp>
#include <gamut/exchange/gradient_tracking.hpp>
#include <gamut/exchange/nodes.hpp>
#include <gamut/exchange/periodic.hpp>
#include <gamut/exchange/push_diging.hpp>
#include <gamut/exchange/push_sum.hpp>
#include <gamut/exchange/routes.hpp>
#include <gamut/topology/base_k.hpp>
#include <gamut/topology/exponential.hpp>
#include <gamut/topology/function.hpp>
#include <gamut/topology/hierarchical.hpp>
#include <gamut/topology/mesh.hpp>
#include <gamut/topology/one_peer.hpp>
#include <gamut/topology/ring.hpp>
#include <gamut/topology/star.hpp>
#include <gamut/topology/weights.hpp>

namespace meetings {

using namespace gamut;
using array = backend::array<backend::host<>>;
using numbers = std::vector<double>;

/// 0 -> 1, 0 -> 2, 1 -> 2, 2 -> 3, 3 -> 0
struct digraph {
    static constexpr auto kind = topology::directed;
    topology::node_list sources(std::size_t i, std::size_t, std::size_t) const {
        const std::vector<topology::node_list> heard{{3}, {0}, {0, 1}, {2}};
        return heard[i];
    }
};

template <class C> class exact_numbers {
public:
    explicit exact_numbers(const C& ranks) : c(ranks) { run(); }

    numbers all{};           // every result, from all nodes, in order: the same bits on any ranks
    std::string failures{};  // nothing: all are right

private:
    void expect(const char* what, const numbers& got, const numbers& wanted, double tolerance = 4e-16) {
        bool right = got.size() == wanted.size();
        for (std::size_t i = 0; right && i < wanted.size(); ++i)
            right = std::abs(got[i] - wanted[i]) <= tolerance * std::max(1.0, std::abs(wanted[i]));
        all.insert(all.end(), got.begin(), got.end());
        if (right) return;
        failures += core::text(what, ":");
        for (const double x : got) failures += core::text(' ', core::all_digits(x));
        failures += "; ";
    }

    numbers collect(const exchange::nodes<C>& nodes, const std::vector<array>& x) const {
        numbers mine(nodes.count());
        for (std::size_t i = 0; i < x.size(); ++i) mine[nodes.first() + i] = x[i][0];
        c.all_reduce(std::span<double>(mine), communicator::operation::sum);
        return mine;
    }

    /// The nodes' numbers after some steps; they begin with their own, or all with `value`.
    template <class G, class W = topology::metropolis>
    numbers mixed(std::size_t n, const G& graph, const W& rule = {}, std::size_t steps = 1,
                  std::optional<double> value = {}) const {
        const exchange::nodes<C> nodes(c, n);
        exchange::routes<G, W> way("test", graph, rule, exchange::need::anything);
        std::vector<array> x(nodes.size(), array(1)), y = x;
        for (std::size_t i = 0; i < x.size(); ++i) x[i][0] = value ? *value : static_cast<double>(nodes.first() + i);
        for (std::size_t k = 0; k < steps; ++k) {
            nodes.mix(way.at(nodes, k), x, y);
            std::swap(x, y);
        }
        return collect(nodes, x);
    }

    /// After the first three steps, and the last.
    template <class M> std::vector<numbers> descent(const M& method, double rate, std::size_t rounds) const {
        const exchange::nodes<C> nodes(c, 4);
        exchange::state_of<M, array, exchange::nodes<C>> state(method, nodes, array(1));
        std::vector<numbers> seen;
        for (std::size_t k = 0; k < rounds; ++k) {
            state.round(rate, [&](std::size_t i, const array& at, array& slope) {
                const auto a = static_cast<double>(nodes.first() + i + 1);
                slope[0] = a * (at[0] - a);
            });
            if (k < 3 || k + 1 == rounds) seen.push_back(collect(nodes, state.copies()));
        }
        return seen;
    }

    void run() {
        averages();
        pushes();
        descents();
    }

    void averages() {
        using namespace topology;
        const uniform alike{};
        expect("ring", mixed(4, ring{}), {4. / 3, 1, 2, 5. / 3});
        expect("one way, from the next", mixed(4, one_way_ring{.from_next = true}), {.5, 1.5, 2.5, 1.5});
        expect("one way", mixed(4, one_way_ring{}), {1.5, .5, 1.5, 2.5});
        expect("exponential", mixed(4, exponential{}), {5. / 3, 4. / 3, 1, 2});
        expect("mesh 2x2", mixed(4, mesh{}), {1, 4. / 3, 5. / 3, 2});
        expect("star", mixed(4, star{}), {1.5, .75, 1.5, 2.25});
        expect("star, uniform", mixed(4, star{}, alike), {1.5, .5, 1, 1.5});
        expect("mesh 2x3", mixed(6, mesh{}), {1.25, 1.75, 2.75, 2.25, 3.25, 3.75});
        expect("mesh 2x3, uniform", mixed(6, mesh{}, alike), {4. / 3, 7. / 4, 8. / 3, 7. / 3, 13. / 4, 11. / 3});
        expect("exponential of 8", mixed(8, exponential{}), {4.25, 3.25, 2.25, 3.25, 2.25, 3.25, 4.25, 5.25});
        expect("sums", mixed(4, exponential{}, constant{1, 1}), {5, 4, 3, 6}, 0);
        expect("halves", mixed(4, exponential{}, constant{.5, .5}), {2.5, 2, 1.5, 3}, 0);
        expect("shift", mixed(4, one_way_ring{}, constant{1, 0}), {3, 0, 1, 2}, 0);
        const function even_to_the_next{
            [](std::size_t i, std::size_t, std::size_t) { return i % 2 ? node_list{i - 1} : node_list{}; }};
        expect("even to the next", mixed(4, even_to_the_next, constant{1, 1}), {0, 1, 2, 5}, 0);
        expect("a tiny constant stays", mixed(4, exponential{}, metropolis{}, 1, 0x1p-256), numbers(4, 0x1p-256), 0);
        expect("and is summed exactly", mixed(4, exponential{}, constant{}, 1, 0x1p-256), numbers(4, 3 * 0x1p-256), 0);
        // nodes 0 to 7 in machines of 2 have the means .5 2.5 4.5 6.5: twice those of machines with 0 1 2 3, and a half
        expect("machines of 2", mixed(8, hierarchical<exponential>{.local = 2}),
               {23. / 6, 23. / 6, 19. / 6, 19. / 6, 2.5, 2.5, 4.5, 4.5}, 1e-15);
        for (std::size_t phase = 0; phase < 3; ++phase) {
            expect("one peer of 4", mixed(4, one_peer_exponential{.phase = phase}, metropolis{}, 2), numbers(4, 1.5),
                   0);
            expect("one peer of 8", mixed(8, one_peer_exponential{.phase = phase}, metropolis{}, 3), numbers(8, 3.5),
                   0);
        }
        expect("one peer of 6 has not the mean", mixed(6, one_peer_exponential{}, metropolis{}, 4),
               {11. / 4, 9. / 4, 17. / 8, 19. / 8, 21. / 8, 23. / 8});
        for (const std::size_t n : {1, 2, 3, 5, 6, 7, 12, 23})
            for (const std::size_t k : {1, 2, 3}) {
                const base_k graph{.k = k};
                expect("base k", mixed(n, graph, metropolis{}, graph.period(n)),
                       numbers(n, 0.5 * (static_cast<double>(n) - 1)), 3e-15);
            }
        expect("digraph, uniform: not the mean", mixed(4, digraph{}, alike, 400), numbers(4, 20. / 13), 1e-14);
        expect("star, uniform: not the mean", mixed(4, star{}, alike, 400), numbers(4, 1.2), 1e-14);
        expect("star: the mean", mixed(4, star{}, metropolis{}, 400), numbers(4, 1.5), 1e-14);
    }

    void pushes() {
        const exchange::nodes<C> nodes(c, 4);
        exchange::routes<digraph, topology::push> way("test", digraph{}, {}, exchange::need::columns);
        std::vector<array> x(nodes.size(), array(1)), p(nodes.size(), array(1, 1.0)), x2 = x, p2 = p;
        for (std::size_t i = 0; i < x.size(); ++i) x[i][0] = static_cast<double>(nodes.first() + i);
        double worst = 0;
        numbers ratios;
        for (int k = 0; k < 200; ++k) {
            nodes.mix(way.at(nodes, 0), x, x2, p, p2);
            std::swap(x, x2);
            std::swap(p, p2);
            const numbers xs = collect(nodes, x), ps = collect(nodes, p);
            double sum = 0;
            ratios.clear();
            for (std::size_t i = 0; i < 4; ++i) sum += ps[i], ratios.push_back(xs[i] / ps[i]);
            worst = std::max(worst, std::abs(sum - 4));
            if (k == 0) expect("push-sum x", xs, {1.5, .5, 1.5, 2.5});
            if (k == 0) expect("push-sum p", ps, {5. / 6, 5. / 6, 4. / 3, 1});
            if (k == 2) expect("push-sum, three steps", ratios, {171. / 91, 207. / 131, 369. / 278, 18. / 13});
        }
        expect("push-sum, the mean", ratios, numbers(4, 1.5), 1e-14);
        expect("push-sum, what is conserved", {worst}, {0}, 4e-15);
    }

    void descents() {
        const auto check = [&](const char* what, const std::vector<numbers>& got, const std::vector<numbers>& wanted,
                               double tolerance) {
            for (std::size_t k = 0; k < 4; ++k) expect(what, got[k], wanted[k], k < 3 ? 1e-15 : tolerance);
        };
        using topology::ring;
        const numbers first{.1, .4, .9, 1.6}, second{79. / 100, 59. / 75, 479. / 300, 137. / 75}, minimum(4, 3);
        check("adapt while combining", descent(exchange::adapt_while_combining<>{}, .1, 2000),
              {first,
               second,
               {10399. / 9000, 1463. / 1125, 5473. / 3000, 2558. / 1125},
               {246. / 91, 6978. / 2639, 7842. / 2639, 1329. / 406}},
              1e-14);
        check("adapt then combine", descent(exchange::gossip{ring{}}, .1, 2000),
              {{.7, 7. / 15, 29. / 30, 13. / 15},
               {1087. / 900, 77. / 75, 149. / 100, 332. / 225},
               {14681. / 9000, 6527. / 4500, 16949. / 9000, 8423. / 4500},
               {5749. / 1949, 5478. / 1949, 5927. / 1949, 5996. / 1949}},
              1e-14);
        check("combine then adapt", descent(exchange::combine_then_adapt<>{}, .1, 2000),
              {first,
               {.73, 58. / 75, 473. / 300, 53. / 25},
               {1.187, 458. / 375, 1.943, 932. / 375},
               {2.754746, 2.648538, 3.028733, 3.445870}},
              4e-7);
        check("exact diffusion", descent(exchange::exact_diffusion{ring{}}, .1, 4000),
              {{.4, 13. / 30, 14. / 15, 37. / 30},
               {869. / 900, 41. / 45, 91. / 60, 128. / 75},
               {1033. / 675, 19289. / 13500, 1373. / 750, 5113. / 2700},
               minimum},
              1e-13);
        check("EXTRA", descent(exchange::extra{ring{}}, .1, 4000),
              {first, second, {13099. / 9000, 3001. / 2250, 5573. / 3000, 4291. / 2250}, minimum}, 1e-13);
        check("gradient tracking", descent(exchange::gradient_tracking{ring{}}, .1, 4000),
              {{.7, 7. / 15, 29. / 30, 13. / 15},
               {117. / 100, 833. / 675, 397. / 300, 994. / 675},
               {416159. / 243000, 98851. / 60750, 432179. / 243000, 105211. / 60750},
               minimum},
              1e-13);
        check("push-DIGing", descent(exchange::push_diging{digraph{}}, .05, 4000),
              {{17. / 40, 3. / 20, 27. / 100, 5. / 8},
               {1563. / 1600, 999. / 2000, 10071. / 20000, 391. / 500},
               {423681. / 340000, 40089. / 40000, 3232153. / 3800000, 855777. / 950000},
               minimum},
              1e-13);

        // one copy descends along the mean gradient: 2.5 x - 7.5
        numbers x{0};
        for (int k = 0; k < 3; ++k) x[0] -= .1 * (2.5 * x[0] - 7.5);
        expect("all-reduce", descent(exchange::all_reduce{}, .1, 3)[2], numbers(4, x[0]), 1e-15);
        // local SGD of 2 steps, by hand: each goes x = (1 - a/10) x + a^2/10, then the mean
        double mean = 0;
        numbers alone(4);
        for (int k = 0; k < 4; ++k) {
            for (std::size_t i = 0; i < 4; ++i) {
                const double a = static_cast<double>(i + 1);
                alone[i] = (1 - a / 10) * alone[i] + a * a / 10;
            }
            if (k % 2 == 1) {
                mean = (alone[0] + alone[1] + alone[2] + alone[3]) / 4;
                alone.assign(4, mean);
            }
        }
        expect("local SGD", descent(exchange::periodic{.every = 2}, .1, 4)[3], numbers(4, mean), 1e-15);
        expect("gossip with a mean every step is the mean of steps",
               descent(exchange::gossip<>{.mean_every = 1}, .1, 1)[0], numbers(4, .75), 1e-15);
    }

    const C& c;
};

}  // namespace meetings

// SPDX-License-Identifier: BSL-1.0
// Known numbers of slots: nodes 0 to 3 hold 0 1 2 3 and hear the nodes 1 and 2 before them, or one.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <gamut/communicator/concept.hpp>
#include <gamut/core/error.hpp>
#include <gamut/core/text.hpp>
#include <gamut/exchange/nodes.hpp>
#include <gamut/exchange/slots.hpp>
#include <gamut/topology/exponential.hpp>
#include <gamut/topology/mixing_matrix.hpp>
#include <gamut/topology/ring.hpp>
#include <gamut/topology/weights.hpp>

#include "exact_numbers.hpp"

namespace meetings {

/// Sentences that turned out false, on any rank.
template <class C> std::string slots_of(const C& c) {
    using exchange::slots;
    using topology::mixing_matrix;
    const exchange::nodes<C> nodes(c, 4);
    std::string failures;
    const auto each = [&](auto f) {
        for (std::size_t i = nodes.first(); i < nodes.first() + nodes.size(); ++i) f(i);
    };
    const auto from_all = [&](auto f) {
        numbers x(4);
        each([&](std::size_t i) { x[i] = f(i); });
        c.all_reduce(std::span<double>(x), communicator::operation::sum);
        return x;
    };
    const auto expect = [&](const char* what, const numbers& got, const numbers& wanted, double tolerance = 1e-15) {
        for (std::size_t i = 0; i < wanted.size(); ++i)
            if (!(std::abs(got[i] - wanted[i]) <= tolerance * std::max(1.0, std::abs(wanted[i]))))
                failures += core::text(what, " of node ", i, " is ", core::all_digits(got[i]), "; ");
    };
    const auto own = [&] {
        std::vector<numbers> values;
        each([&](std::size_t i) { values.push_back({static_cast<double>(i)}); });
        return values;
    };
    const mixing_matrix two(topology::exponential{}, topology::uniform{}, 4, 0),
        one(topology::one_way_ring{}, topology::uniform{}, 4, 0);
    const auto after = [&](const mixing_matrix& w, auto send) {
        slots<C> s(nodes, w, own());
        each([&](std::size_t i) { send(s, i); });
        s.settle();
        const numbers versions =
            from_all([&](std::size_t i) { return static_cast<double>(s.version(i, (i + 3) % 4)); });
        each([&](std::size_t i) { s.update(i); });
        expect("a version after the update",
               from_all([&](std::size_t i) { return static_cast<double>(s.version(i, (i + 3) % 4)); }), numbers(4, 0));
        const numbers values = from_all([&](std::size_t i) { return s.value(i)[0]; });
        c.barrier();
        return std::pair(values, versions);
    };
    const auto both = [](std::size_t i, auto f) { f((i + 1) % 4), f((i + 2) % 4); };

    const auto put = after(two, [&](auto& s, std::size_t i) { both(i, [&](std::size_t to) { s.put(i, to, 1); }); });
    expect("put, update", put.first, {5. / 3, 4. / 3, 1, 2});
    expect("a version after a put", put.second, numbers(4, 1));
    expect("accumulate, update",
           after(two, [&](auto& s, std::size_t i) { both(i, [&](std::size_t to) { s.accumulate(i, to, 1); }); }).first,
           {5. / 3, 2, 7. / 3, 4});
    expect("put to the next by 1.23", after(two, [](auto& s, std::size_t i) { s.put(i, (i + 1) % 4, 1.23); }).first,
           {1.23, 2. / 3, 5.23 / 3, 2.82});
    expect("accumulate to the next by 1.23",
           after(one, [](auto& s, std::size_t i) { s.accumulate(i, (i + 1) % 4, 1.23); }).first,
           {1.845, 1, 2.615, 4.23});
    const auto got = after(one, [](auto& s, std::size_t i) { s.get(i, (i + 3) % 4, 1.23); });
    expect("get by 1.23", got.first, {1.845, .5, 1.615, 2.73});
    expect("a version after a get", got.second, numbers(4, 1));
    {
        slots<C> s(nodes, two, own());
        for (int twice = 0; twice < 2; ++twice) {
            each([&](std::size_t i) { s.collect(i); });
            expect("collect", from_all([&](std::size_t i) { return s.value(i)[0]; }), {0, 3, 6, 9});
        }
        c.barrier();
    }
    // push-sum without waiting for anybody: what is not in a value is in a slot or on its way, and nothing is lost
    {
        auto start = own();
        for (numbers& x : start) x.push_back(1);
        slots<C> s(nodes, mixing_matrix(digraph{}, topology::uniform{}, 4, 0), start,
                   exchange::slot_begins::with_zeros);
        const auto step = [&](std::size_t i) {
            const topology::node_list to = topology::listeners_of(digraph{}, i, 4, 0);
            const double share = 1. / static_cast<double>(1 + to.size());
            for (const std::size_t listener : to) s.accumulate(i, listener, share);
            s.scale(i, share);
            s.collect(i);
        };
        for (int k = 0; k < 100; ++k) each(step);
        for (int k = 0; k < 60; ++k) {  // and some rounds in step, after which the ratios agree whatever the order was
            each(step);
            s.settle();
            each([&](std::size_t i) { s.collect(i); });
            c.barrier();
        }
        const numbers x = from_all([&](std::size_t i) { return s.value(i)[0]; }),
                      p = from_all([&](std::size_t i) { return s.value(i)[1]; });
        expect("what was there", {x[0] + x[1] + x[2] + x[3], p[0] + p[1] + p[2] + p[3]}, {6, 4}, 1e-13);
        expect("the mean", {x[0] / p[0], x[1] / p[1], x[2] / p[2], x[3] / p[3]}, numbers(4, 1.5), 1e-9);
        c.barrier();
    }
    {
        slots<C> s(nodes, one, own());
        bool refused = true;
        each([&](std::size_t i) {
            for (const auto& wrong : {0, 1, 2}) {
                try {
                    if (wrong == 0) s.put(i, 4, 1);
                    if (wrong == 1) s.get(i, (i + 1) % 4, 1);
                    if (wrong == 2) s.set(i, numbers(2));
                    refused = false;
                } catch (const core::error&) {}
            }
        });
        if (!refused) failures += "nonsense is not refused; ";
        c.barrier();
    }
    return failures;
}

}  // namespace meetings

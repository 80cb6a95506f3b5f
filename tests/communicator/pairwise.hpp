// SPDX-License-Identifier: BSL-1.0
// What ranks that talk in pairs must do; a part of conformance.hpp.
#pragma once

#include <algorithm>
#include <cstddef>
#include <gamut/communicator/concept.hpp>
#include <span>
#include <utility>
#include <vector>

namespace conformance {

using gamut::communicator::parcel;

/// What this rank sends and expects: how many parcels of what length go from whom to whom is a function of both.
template <class T> struct post {
    std::vector<std::vector<T>> sent{}, received{};
    std::vector<parcel<const T>> out{};
    std::vector<parcel<T>> in{};

    /// The k-th of the parcels from `from` to `to`: its length, and its numbers.
    static T value(int from, int to, std::size_t k, std::size_t j) {
        return static_cast<T>((static_cast<std::size_t>(from) * 5 + static_cast<std::size_t>(to) * 3 + 2 * k + j) %
                              101);
    }

    /// lengths(from, to): the lengths of the parcels from one to the other.
    template <class Lengths> post(int rank, int size, Lengths lengths) {
        for (int other = 0; other < size; ++other) {
            const std::vector<std::size_t> to = lengths(rank, other), from = lengths(other, rank);
            for (std::size_t k = 0; k < to.size(); ++k) {
                sent.emplace_back(to[k]);
                for (std::size_t j = 0; j < to[k]; ++j) sent.back()[j] = value(rank, other, k, j);
                out.push_back({other, {}});
            }
            for (const std::size_t length : from) {
                received.emplace_back(length, T(99));
                in.push_back({other, {}});
            }
        }
        for (std::size_t i = 0; i < out.size(); ++i) out[i].values = sent[i];
        for (std::size_t i = 0; i < in.size(); ++i) in[i].values = received[i];
    }

    bool arrived(int rank) const {
        std::vector<std::size_t> seen;
        for (const auto& one : in) {
            seen.resize(std::max(seen.size(), static_cast<std::size_t>(one.rank) + 1));
            const std::size_t k = seen[static_cast<std::size_t>(one.rank)]++;
            for (std::size_t j = 0; j < one.values.size(); ++j)
                if (one.values[j] != value(one.rank, rank, k, j)) return false;
        }
        return true;
    }
};

template <class T, class C, class Lengths> bool delivers(const C& c, Lengths lengths) {
    post<T> mine(c.rank(), c.size(), lengths);
    c.exchange(std::span<const parcel<const T>>(mine.out), std::span<const parcel<T>>(mine.in));
    return mine.arrived(c.rank());
}

template <class T, class C, class Verdict> void exchanges_of(const C& c, Verdict& result) {
    using lengths = std::vector<std::size_t>;
    const int n = c.size();
    result.check(delivers<T>(c, [](int, int) { return lengths{7}; }), "everybody hears everybody, itself included");
    result.check(delivers<T>(c, [](int, int) { return lengths{}; }), "nothing to say is nothing said");
    result.check(delivers<T>(c, [n](int from, int to) { return to == (from + 1) % n ? lengths{3} : lengths{}; }),
                 "a ring");
    result.check(delivers<T>(c, [](int from, int to) { return lengths{static_cast<std::size_t>(10 * from + to)}; }),
                 "parcels of uneven lengths");
    result.check(delivers<T>(c, [](int, int) { return lengths{0, 4, 0}; }), "parcels of length zero keep their place");
    result.check(delivers<T>(c, [](int, int) { return lengths{5, 1, 30, 1}; }), "several parcels to a rank, in order");
    result.check(delivers<T>(c, [](int from, int to) { return from == 0 && to != 0 ? lengths{2} : lengths{}; }),
                 "one rank speaks to the others");
    result.check(delivers<T>(c,
                             [n](int from, int to) {
                                 return to == n - 1 && from != to ? lengths{2, 1} : lengths{};
                             }),
                 "the last rank hears the others");
    result.check(delivers<T>(c, [](int, int) { return lengths{20000}; }),
                 "parcels beyond what a network sends eagerly");
}

/// Without a barrier between them, from the first rank to the last: what each adds arrives.
template <class C, class Verdict> void pipeline(const C& c, Verdict& result) {
    for (int item = 0; item < 10; ++item) {
        std::vector<double> passing{static_cast<double>(item)};
        std::vector<parcel<double>> in;
        std::vector<parcel<const double>> out;
        if (c.rank() > 0) in.push_back({c.rank() - 1, passing});
        if (c.rank() + 1 < c.size()) out.push_back({c.rank() + 1, passing});
        c.exchange(std::span<const parcel<const double>>(), std::span<const parcel<double>>(in));
        result.check(passing[0] == item + c.rank(), "a pipeline passes on what each rank adds, in order");
        passing[0] += 1;
        c.exchange(std::span<const parcel<const double>>(out), std::span<const parcel<double>>());
    }
}

template <class C, class Verdict> void pairwise(const C& c, Verdict& result) {
    exchanges_of<double>(c, result);
    exchanges_of<float>(c, result);
    exchanges_of<std::int64_t>(c, result);
    exchanges_of<std::int32_t>(c, result);
    exchanges_of<std::uint8_t>(c, result);
    pipeline(c, result);
    for (const int stranger : {-1, c.size()}) {
        const std::vector<parcel<const double>> out{{stranger, {}}};
        const std::vector<parcel<double>> in{{stranger, {}}};
        for (const bool sends : {false, true}) {
            bool refused = false;
            try {
                c.exchange(std::span(out).first(sends ? 1 : 0), std::span(in).first(sends ? 0 : 1));
            } catch (const gamut::core::communicator_error&) {
                refused = true;
            }
            result.check(refused, "ranks that do not exist are refused");
        }
    }
    c.barrier();
}

}  // namespace conformance

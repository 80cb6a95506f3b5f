// SPDX-License-Identifier: BSL-1.0
// What every communicator must do, as one function that all ranks call. Boost.Test's checks are for one thread, so a
// rank returns the sentences that turned out false instead; nothing returned: conforms.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <gamut/communicator/agree.hpp>
#include <gamut/communicator/counting.hpp>
#include <gamut/communicator/observe.hpp>
#include <gamut/communicator/single.hpp>
#include <gamut/communicator/sum.hpp>
#include <gamut/core/random.hpp>
#include <limits>
#include <new>
#include <set>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "derived.hpp"
#include "pairwise.hpp"
#include "partial_sums.hpp"
#include "postal.hpp"

namespace conformance {

namespace communicator = gamut::communicator;
namespace core = gamut::core;
using communicator::operation;

struct verdict {
    std::set<std::string> failures{};

    void check(bool holds, const char* sentence) {
        if (!holds) failures.insert(sentence);
    }
    std::string text() const {
        std::string all;
        for (const auto& one : failures) all += one + "; ";
        return all;
    }
};

template <class C, class T> void collectives_of(const C& c, verdict& result) {
    const auto value = [](int rank, std::size_t j) {
        return static_cast<T>((static_cast<std::size_t>(rank) + 3 * j) % 7);
    };
    for (const std::size_t n : {0, 1, 2, 3, 5, 511, 512, 513, 1500}) {
        std::vector<T> total(n), greatest(n), spread(n), mine(n);
        std::vector<T> expected_total(n), expected_greatest(n);
        for (std::size_t j = 0; j < n; ++j) {
            mine[j] = total[j] = greatest[j] = value(c.rank(), j);
            for (int r = 0; r < c.size(); ++r) {
                expected_total[j] = static_cast<T>(expected_total[j] + value(r, j));
                expected_greatest[j] = std::max(expected_greatest[j], value(r, j));
            }
        }
        c.all_reduce(std::span<T>(total), operation::sum);
        result.check(total == expected_total, "all_reduce(sum) gives every rank the sum");
        c.all_reduce(std::span<T>(greatest), operation::maximum);
        result.check(greatest == expected_greatest, "all_reduce(maximum) gives every rank the maximum");
        for (int root = 0; root < c.size(); ++root) {
            for (std::size_t j = 0; j < n; ++j) spread[j] = c.rank() == root ? value(root, j + 1) : T(99);
            c.broadcast(std::span<T>(spread), root);
            bool same = true;
            for (std::size_t j = 0; j < n; ++j) same = same && spread[j] == value(root, j + 1);
            result.check(same, "broadcast gives every rank the root's numbers");
        }
        std::vector<T> all(n * static_cast<std::size_t>(c.size()), T(99));
        c.gather(std::span<const T>(mine), std::span<T>(all));
        bool ordered = true;
        for (int r = 0; r < c.size(); ++r)
            for (std::size_t j = 0; j < n; ++j)
                ordered = ordered && all[static_cast<std::size_t>(r) * n + j] == value(r, j);
        result.check(ordered, "gather gives every rank all numbers in rank order");
    }
    std::vector<T> lowest{static_cast<T>(c.rank() == 0 ? std::numeric_limits<T>::lowest() : T(0)),
                          std::numeric_limits<T>::lowest(), std::numeric_limits<T>::max()};
    c.all_reduce(std::span<T>(lowest), operation::maximum);
    result.check(lowest[0] == (c.size() == 1 ? std::numeric_limits<T>::lowest() : T(0)) &&
                     lowest[1] == std::numeric_limits<T>::lowest() && lowest[2] == std::numeric_limits<T>::max(),
                 "all_reduce(maximum) covers the whole range of the type");
}

/// Runs `work`, which must throw the same type with the same message on all ranks.
template <class C, class F>
void throws_together(const C& c, verdict& result, core::error_kind kind, const std::string& message, F work) {
    std::exception_ptr caught;
    try {
        work();
    } catch (...) {
        caught = std::current_exception();
    }
    result.check(caught != nullptr, "a failure on one rank throws on all");
    result.check(core::kind_of(caught) == kind, "the error has the failing rank's type");
    result.check(core::message_of(caught) == message,
                 ("the error reads: " + message + " and not: " + core::message_of(caught)).c_str());
    std::vector<std::int32_t> alive{1};
    c.all_reduce(std::span<std::int32_t>(alive), operation::sum);
    result.check(alive[0] == c.size(), "after an agreed error the ranks can go on");
}

inline std::string prefix(int size, int rank) { return size > 1 ? core::text("rank ", rank, ": ") : ""; }

template <class C> void agreement(const C& c, verdict& result) {
    int done = 0;
    communicator::agree(c, [&] { ++done; });
    communicator::agree(c, nullptr);
    result.check(done == 1, "agree runs the work once");
    for (int failing = 0; failing < c.size(); ++failing) {
        const auto from = [&](auto failure) {
            return [&c, failing, failure] {
                communicator::agree(c, [&] {
                    if (c.rank() >= failing) throw failure;  // the lowest one counts
                });
            };
        };
        const std::string who = prefix(c.size(), failing);
        const std::string own = core::text("p", failing, " (w) s");
        // each rank says something else, so that it matters whose message arrives
        const std::string mine = core::text("p", c.rank(), " (w) s");
        using kind = core::error_kind;
        throws_together(c, result, kind::option, who + own, from(core::option_error(mine)));
        throws_together(c, result, kind::shape, who + own, from(core::shape_error(mine)));
        throws_together(c, result, kind::data, own, from(core::data_error(mine)));
        throws_together(c, result, kind::communicator, who + own, from(core::communicator_error(mine)));
        throws_together(c, result, kind::device, who + own, from(core::device_error(mine)));
        throws_together(c, result, kind::other, who + own, from(std::invalid_argument(mine)));
        const std::string some = failing > 0 ? who : "";  // what all ranks say is nobody's
        throws_together(c, result, kind::other, some, from(core::error("")));
        throws_together(c, result, kind::memory, some + core::message_of(std::make_exception_ptr(std::bad_alloc())),
                        from(std::bad_alloc()));
        const std::string large(5000, 'x');
        throws_together(c, result, kind::other, some + large, from(core::error(large)));
    }
}

/// Partials of all ranks: `count` rows of `columns`, of very different sizes; the same wherever they are made.
inline std::vector<double> partials(std::size_t count, std::size_t columns) {
    const core::random source{.seed = 42};
    std::vector<double> made(count * columns);
    for (std::size_t i = 0; i < made.size(); ++i)
        made[i] =
            i % columns == 3 ? 0 : std::ldexp(source.normal(2 * i), static_cast<int>(source.below(2 * i + 1, 60)) - 30);
    return made;
}

inline bool same_bits(std::span<const double> a, std::span<const double> b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](double x, double y) {
        return std::bit_cast<std::uint64_t>(x) == std::bit_cast<std::uint64_t>(y);
    });
}

template <class C> void sums(const C& c, verdict& result) {
    constexpr bool exact = std::same_as<typename C::sums, core::exact>;
    const auto rank = static_cast<std::size_t>(c.rank()), size = static_cast<std::size_t>(c.size());
    for (const std::size_t columns : {1, 7, 1025}) {
        for (const std::size_t count : {0, 1, 2, 16, 37}) {  // 0, 1, 2: most ranks have nothing
            const auto all = partials(count, columns);
            std::vector<double> expected(columns), out(columns, 99);
            communicator::sum(communicator::single<>{}, all, count, expected);
            const std::size_t first = count * rank / size, last = count * (rank + 1) / size;
            const auto mine = std::span(all).subspan(first * columns, (last - first) * columns);
            communicator::sum(c, mine, last - first, out);
            if constexpr (exact) {
                result.check(same_bits(out, expected), "an exact sum has the bits that one rank would get");
            } else {
                bool near = true;
                for (std::size_t j = 0; j < columns; ++j) near = near && std::fabs(out[j] - expected[j]) <= 1e-5;
                result.check(near, "a fast sum is near the exact one");
            }
        }
    }
    for (int bad = 0; bad < c.size(); ++bad) {
        std::vector<double> mine{1, c.rank() == bad ? std::numeric_limits<double>::infinity() : 2, 3}, out(3);
        communicator::sum(c, mine, 1, out);
        result.check(out[0] == c.size() && out[2] == 3 * c.size() && !std::isfinite(out[1]),
                     "a number that is not finite spoils its entry on all ranks and no other entry");
        const std::vector<double> untouched{7, 7, 7};
        out = untouched;
        const auto failure =
            c.rank() >= bad ? std::make_exception_ptr(core::data_error(core::text("f:", c.rank()))) : nullptr;
        throws_together(c, result, core::error_kind::data, core::text("f:", bad),
                        [&] { communicator::sum(c, mine, 1, out, failure); });
        result.check(out == untouched, "a sum that fails leaves the result alone");
        const std::size_t count = c.rank() == bad ? 2 : 1;
        throws_together(c, result, core::error_kind::shape,
                        prefix(c.size(), bad) + "sum: 3 numbers (2 partial sums of 3 entries) sizes must agree",
                        [&] { communicator::sum(c, mine, count, out); });
        if constexpr (exact) {
            const std::size_t many = c.rank() == bad ? 4096 : 0;
            const std::vector<double> rows(many, 1.0);
            bool refused = false;
            try {
                communicator::sum(c, rows, many, std::span(out).first(1));
            } catch (const core::shape_error&) {
                refused = true;
            }
            result.check(refused, "more partials than fit exactly are refused on all ranks");
        }
    }
}

template <class C> void observers(const C& c, verdict& result) {
    std::vector<core::record> history;
    core::record now;
    const communicator::counting<C> counted(c);
    result.check(!communicator::observe(counted, now, history), "nobody asks to stop where nobody looks");
    result.check(counted.messages() == 0, "without observers nothing is sent");
    int seen = 0;
    const auto count = [&](const core::record& record) { seen += record.rank == c.rank() && record.ranks == c.size(); };
    result.check(!communicator::observe(counted, now, history, count), "a silent observer doesn't stop the run");
    result.check(counted.messages() == 1 && counted.bytes() == 4, "observers cost one message of four bytes");
    for (int odd = 0; odd < c.size(); ++odd) {
        const auto stops = [&](const core::record&) { return c.rank() == odd; };
        result.check(communicator::observe(c, now, history, stops, count), "one rank's wish stops all");
        const auto fails = [&](const core::record&) {
            if (c.rank() == odd) throw core::option_error("the observer's own trouble");
            return true;
        };
        throws_together(c, result, core::error_kind::option,
                        core::text(prefix(c.size(), odd), "the observer's own trouble"),
                        [&] { communicator::observe(c, now, history, count, fails); });
    }
    result.check(seen == 1 + 2 * c.size(), "observers are called on every rank, in order, and see who they are");
    result.check(history.size() == 2 + 2 * static_cast<std::size_t>(c.size()), "every record enters the history");
}

template <class C> void counts(const C& c, verdict& result) {
    const communicator::counting<C> counted(c);
    const auto copy = counted;
    std::vector<double> values(10);
    counted.all_reduce(std::span<double>(values), operation::sum);
    result.check(counted.messages() == 1 && counted.bytes() == 80, "an all_reduce counts its payload");
    copy.broadcast(std::span<double>(values), 0);
    result.check(counted.messages() == 2 && counted.bytes() == (c.rank() == 0 ? 160u : 80u),
                 "a broadcast counts at its root");
    const std::vector<std::uint8_t> three(3);
    std::vector<std::uint8_t> all(static_cast<std::size_t>(c.size()) * 3);
    copy.gather(std::span(three), std::span(all));
    copy.barrier();
    result.check(copy.messages() == 4 && copy.bytes() == (c.rank() == 0 ? 163u : 83u), "copies count together");
    const std::vector<parcel<const std::uint8_t>> out{{c.rank(), three}, {c.rank(), std::span(three).first(1)}};
    std::vector<std::uint8_t> one(1), back(3);
    const std::vector<parcel<std::uint8_t>> in{{c.rank(), back}, {c.rank(), one}};
    copy.exchange(std::span<const parcel<const std::uint8_t>>(out), std::span<const parcel<std::uint8_t>>(in));
    result.check(copy.messages() == 6 && copy.bytes() == (c.rank() == 0 ? 167u : 87u),
                 "parcels count when they are sent");
    copy.reset();
    result.check(counted.messages() == 0 && counted.bytes() == 0, "reset begins anew");
}

/// All of it. `c` may be any communicator.
template <communicator::PairwiseCommunicator C> std::string check(const C& c) {
    verdict result;
    result.check(0 <= c.rank() && c.rank() < c.size(), "ranks are 0..size-1");
    result.check(1 <= c.local_size() && c.local_size() <= c.size(), "at least one rank is on this machine");
    collectives_of<C, double>(c, result);
    collectives_of<C, float>(c, result);
    collectives_of<C, std::int64_t>(c, result);
    collectives_of<C, std::int32_t>(c, result);
    collectives_of<C, std::uint8_t>(c, result);
    agreement(c, result);
    sums(c, result);
    observers(c, result);
    counts(c, result);
    pairwise(c, result);
    if constexpr (communicator::PostalCommunicator<C>) postal(c, result);
    if constexpr (communicator::PostalCommunicator<C>) derived_of(c, result);
    if constexpr (communicator::PostalCommunicator<C>) partial_sums_of(c, result);
    if constexpr (communicator::PairwiseCommunicator<C>) groups_of(c, result);
    c.barrier();
    return result.text();
}

}  // namespace conformance

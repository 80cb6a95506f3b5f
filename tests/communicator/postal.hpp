// SPDX-License-Identifier: BSL-1.0
// What ranks that write letters must do; a part of conformance.hpp.
#pragma once

#include <cstddef>
#include <cstdint>
#include <gamut/communicator/concept.hpp>
#include <gamut/core/error.hpp>
#include <span>
#include <string>
#include <vector>

namespace conformance {

struct letter_book {
    std::vector<std::vector<std::vector<std::uint8_t>>> from{};
    void letter(int sender, std::span<const std::uint8_t> bytes) {
        from.resize(std::max(from.size(), static_cast<std::size_t>(sender) + 1));
        from[static_cast<std::size_t>(sender)].emplace_back(bytes.begin(), bytes.end());
    }
};

template <class C, class Verdict> void letters_in_order(const C& c, Verdict& result) {
    letter_book mine, other;
    const auto box = c.open(mine);
    const auto second = c.open(other);
    const auto n = static_cast<std::size_t>(c.size());
    for (std::size_t k = 0; k < 20; ++k)
        for (int to = 0; to < c.size(); ++to) {  // the k-th letter has k numbers; the first one none
            box.post(to, std::vector<std::uint8_t>(k, static_cast<std::uint8_t>(c.rank() + 1)));
            if (k == 3 && to == 0) second.post(0, {9});
        }
    box.settle();
    second.settle();
    const bool all = box.look([&] {
        bool right = mine.from.size() == n;
        for (std::size_t from = 0; right && from < n; ++from) {
            right = mine.from[from].size() == 20;
            for (std::size_t k = 0; right && k < 20; ++k)
                right = mine.from[from][k] == std::vector<std::uint8_t>(k, static_cast<std::uint8_t>(from + 1));
        }
        return right;
    });
    result.check(all, "letters arrive, in the order in which each rank posted them, and settle waits for them");
    result.check(second.look([&] { return other.from.size(); }) == (c.rank() == 0 ? n : 0u), "two boxes are two boxes");
    c.barrier();
}

/// Passed from rank to rank within letter(...) until it has made `hops` hops.
template <class Box> struct relay {
    int rank = 0, size = 1;
    const Box* box = nullptr;
    int seen = 0;
    void letter(int, std::span<const std::uint8_t> bytes) {
        ++seen;
        if (bytes[0] > 1) box->post((rank + 1) % size, {static_cast<std::uint8_t>(bytes[0] - 1)});
    }
};

template <class C, class Verdict> void letters_from_letters(const C& c, Verdict& result) {
    using box_type = decltype(c.open(std::declval<letter_book&>()));
    relay<box_type> mine{c.rank(), c.size()};
    const auto box = c.open(mine);
    mine.box = &box;
    c.barrier();
    constexpr int hops = 40;
    if (c.rank() == 0) box.post(1 % c.size(), {hops});
    box.settle();
    int expected = 0;
    for (int hop = 1; hop <= hops; ++hop) expected += hop % c.size() == c.rank();
    result.check(box.look([&] { return mine.seen; }) == expected,
                 "a letter may post letters, and settle waits for all");
    c.barrier();
}

template <class Box> struct asked {
    const Box* box = nullptr;
    int number = 0, answer = -1;
    void letter(int from, std::span<const std::uint8_t> bytes) {
        if (bytes.empty())
            box->post(from, {static_cast<std::uint8_t>(number++)});
        else
            answer = bytes[0];
    }
};

template <class C, class Verdict> void questions(const C& c, Verdict& result) {
    using box_type = decltype(c.open(std::declval<letter_book&>()));
    asked<box_type> mine;
    const auto box = c.open(mine);
    mine.box = &box;
    c.barrier();
    int last = -1;
    bool rising = true;
    for (int k = 0; k < 5; ++k) {
        box.look([&] {
            mine.answer = -1;
            return 0;
        });
        box.post(0, {});
        box.wait([&] { return mine.answer >= 0; });
        rising = rising && mine.answer > last;
        last = mine.answer;
    }
    result.check(rising, "who waits for an answer gets it");
    box.settle();
    result.check(c.rank() != 0 || box.look([&] { return mine.number; }) == 5 * c.size(), "every question was counted");
    c.barrier();
}

struct refusing {
    void letter(int, std::span<const std::uint8_t>) { throw gamut::core::data_error("unreadable"); }
};

template <class C, class Verdict> void bad_letters(const C& c, Verdict& result) {
    refusing mine;
    const auto box = c.open(mine);
    box.post((c.rank() + 1) % c.size(), {1});
    box.settle();
    int heard = 0;
    for (const bool waits : {true, false}) try {
            if (waits)
                box.wait([] { return false; });
            else
                box.look([] { return 0; });
        } catch (const gamut::core::data_error&) {
            ++heard;
        }
    result.check(heard == 2, "what a receiver throws is thrown where its rank waits or looks");
    for (const int stranger : {-1, c.size()}) try {
            box.post(stranger, {});
            result.check(false, "letters for ranks that do not exist are refused");
        } catch (const gamut::core::communicator_error&) {}
    c.barrier();
}

template <class C, class Verdict> void postal(const C& c, Verdict& result) {
    letters_in_order(c, result);
    letters_from_letters(c, result);
    questions(c, result);
    bad_letters(c, result);
}

}  // namespace conformance

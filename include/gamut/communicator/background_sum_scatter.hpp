// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <utility>
#include <vector>

#include <gamut/communicator/concept.hpp>
#include <gamut/communicator/reduce_scatter.hpp>
#include <gamut/core/error.hpp>
#include <gamut/core/exact_sum.hpp>

namespace gamut::communicator {

/// sum_scatter that goes on while the ranks compute: of arrays b = 0, 1, ... of given sizes every rank gets its share of the sum over all
/// ranks of their partial sums, with the bits of sum_scatter.
///     background_sum_scatter<C> sums(c, sizes, counts);   collective; rank r brings counts[r] partial sums of each array
///     sums.start(b, partials);                            counts[rank] x sizes[b], row-major; returns at once; they are copied
///     sums.wait(b, mine);                                 shares{sizes[b], ranks}.size(rank) numbers, when they are there
/// All ranks start and wait for every array in rounds: a second start of an array comes after the wait for its first. Ranks may take
/// the arrays in any order. Sent are sum_scatter's numbers, in ranks - 1 letters per rank and array (three times as many where exponents
/// are agreed on) and one to itself without numbers, with 16 bytes more per letter. Memory: the numbers that are on their way.
template <class C> class background_sum_scatter {
    static_assert(PostalCommunicator<C>,
                  "background_sum_scatter: needs a communicator with mailboxes; see gamut/communicator/concept.hpp");

public:
    background_sum_scatter(const C& c, std::span<const std::size_t> sizes, std::span<const std::size_t> counts)
        : taker_(c, sizes, counts),
          box_(c.open(taker_)) {
        taker_.send = {&box_, [](void* box, std::size_t to, std::vector<std::uint8_t> bytes) {
                           static_cast<box_type*>(box)->post(static_cast<int>(to), std::move(bytes));
                       }};
    }
    background_sum_scatter(const background_sum_scatter&) = delete;
    background_sum_scatter& operator=(const background_sum_scatter&) = delete;

    /// Throws shape_error for another number of partial sums than said, or an array that was started and not waited for.
    void start(std::size_t b, std::span<const double> partials) {
        array& one = at(b);
        const std::size_t ranks = taker_.ranks, rank = taker_.rank, n = one.cut.numbers, rows = taker_.rows[rank];
        std::vector<double> added;
        if (partials.size() != taker_.counts[rank] * n)
            throw core::shape_error(core::text("background_sum_scatter: ", partials.size(), " numbers for array ", b,
                                               " (", taker_.counts[rank], " partial sums of ", n,
                                               ") sizes must agree"));
        if (one.started)
            throw core::shape_error(
                core::text("background_sum_scatter: array ", b, " is on its way (wait for it before it starts again)"));
        one.started = true;
        if constexpr (!is_exact) {  // in their order, as sum_scatter has it
            added.resize(n);
            for (std::size_t i = 0; i < taker_.counts[rank]; ++i)
                for (std::size_t j = 0; j < n; ++j) added[j] += partials[i * n + j];
            partials = added;
        }
        std::vector<std::vector<double>> leaving(ranks);
        for (std::size_t r = 0; r < ranks; ++r)
            for (std::size_t i = 0; i < rows && one.cut.size(r) > 0; ++i) {
                const auto part = partials.subspan(i * n + one.cut.begin(r), one.cut.size(r));
                leaving[r].insert(leaving[r].end(), part.begin(), part.end());
            }
        const auto each_other = [&](const auto& f) {
            for (std::size_t step = 1; step < ranks; ++step)
                if (const std::size_t to = (rank + step) % ranks; one.cut.size(to) > 0) f(to);
        };
        const bool has_share = one.cut.size(rank) > 0;
        if (taker_.by_exponents) {
            std::vector<std::vector<std::int32_t>> most(ranks);
            for (std::size_t r = 0; r < ranks; ++r) {
                most[r].resize(one.cut.size(r));
                core::exponents(leaving[r], rows, most[r]);
            }
            box_.look([&] {
                for (std::size_t r = 0; r < ranks; ++r) one.unsaid += one.cut.size(r) > 0;
                one.kept = std::move(leaving);
                if (has_share) one.exponents[rank].push_back(std::move(most[rank]));
                return true;
            });
            each_other([&](std::size_t to) { taker_.post(to, kind::exponents, b, most[to]); });
        } else {
            if (has_share && rows > 0)
                box_.look([&] {
                    one.parts[rank].push_back(std::move(leaving[rank]));
                    return true;
                });
            if (rows > 0) each_other([&](std::size_t to) { taker_.post(to, kind::part, b, leaving[to]); });
        }
        if (has_share) taker_.post(rank, kind::mine, b, std::vector<double>());
    }

    void wait(std::size_t b, std::span<double> mine) {
        array& one = at(b);
        if (mine.size() != one.cut.size(taker_.rank))
            throw core::shape_error(core::text("background_sum_scatter: ", mine.size(), " numbers of array ", b,
                                               " (this rank's share is ", one.cut.size(taker_.rank), ")"));
        if (!one.started) throw core::shape_error(core::text("background_sum_scatter: array ", b, " was not started"));
        // also until the others have what they need of this rank: its box may close then
        box_.wait([&] { return one.unsaid == 0 && (mine.empty() || !one.sums.empty()); });
        if (!mine.empty())
            box_.look([&] {
                const std::vector<double> sum = take(one.sums);
                std::copy(sum.begin(), sum.end(), mine.begin());
                return true;
            });
        one.started = false;
    }

private:
    static constexpr bool is_exact = std::same_as<typename C::sums, core::exact>;

    enum class kind : std::uint32_t { part, exponents, agreed, multiples, mine };
    struct header {
        kind what = kind::part;
        std::uint64_t array = 0;
    };
    /// First in, first out: a rank that is fast may be a round ahead.
    template <class T> using queue = std::vector<std::vector<T>>;
    template <class T> static std::vector<T> take(queue<T>& from) {
        std::vector<T> first = std::move(from.front());
        from.erase(from.begin());
        return first;
    }
    struct array {
        shares cut{};
        // of this rank's share, by the rank that they come from
        std::vector<queue<double>> parts{};
        std::vector<queue<std::int32_t>> exponents{};
        std::vector<queue<std::int64_t>> multiples{};
        queue<std::int32_t> agreed{};
        queue<double> sums{};
        std::vector<std::vector<double>> kept{};  // by share: partial sums until its exponents are agreed on
        std::size_t unsaid = 0;                   // shares of which this rank has not said its multiples
        bool started = false;
    };

    struct taker {
        taker(const C& c, std::span<const std::size_t> sizes, std::span<const std::size_t> of_ranks)
            : rank(static_cast<std::size_t>(c.rank())),
              ranks(static_cast<std::size_t>(c.size())),
              counts(of_ranks.begin(), of_ranks.end()) {
            std::size_t total = 0, most = 0;
            for (const std::size_t count : counts) total += count, most = std::max(most, count);
            if (counts.size() != ranks || total < 1)
                throw core::shape_error(core::text("background_sum_scatter: ", total, " partial sums of ",
                                                   counts.size(), " ranks (there are ", ranks,
                                                   ") say what each brings"));
            if (is_exact && total > static_cast<std::size_t>(core::exact_sum::most_partials))
                throw core::shape_error(core::text("background_sum_scatter: ", total, " partial sums per entry (",
                                                   core::exact_sum::most_partials, " fit exactly) use fewer blocks"));
            by_exponents = is_exact && most > 2;
            rows = is_exact ? counts : std::vector<std::size_t>(ranks, 1);
            for (const std::size_t size : sizes) {
                array& one = arrays.emplace_back();
                one.cut = {size, ranks};
                one.parts.resize(ranks), one.exponents.resize(ranks), one.multiples.resize(ranks);
            }
        }

        void letter(int sender, std::span<const std::uint8_t> bytes) {
            header head{kind::part, arrays.size()};
            if (bytes.size() >= sizeof head) std::memcpy(&head, bytes.data(), sizeof head);
            const auto from = static_cast<std::size_t>(sender);
            const bool known = head.array < arrays.size();
            if (!known || bytes.size() - sizeof head != bytes_of(head, from))
                throw core::communicator_error(
                    core::text("background_sum_scatter: rank ", from, " sent a letter of ", bytes.size(),
                               " bytes (it is none of this sum's) all ranks must give the same sizes"));
            array& one = arrays[head.array];
            const auto numbers = bytes.subspan(sizeof head);
            if (head.what == kind::part) one.parts[from].push_back(read<double>(numbers));
            if (head.what == kind::exponents) one.exponents[from].push_back(read<std::int32_t>(numbers));
            if (head.what == kind::multiples) one.multiples[from].push_back(read<std::int64_t>(numbers));
            if (head.what == kind::agreed)
                say_multiples(head.array, from, read<std::int32_t>(numbers));
            else
                go_on(head.array);
        }

        /// What can be done with what has come for this rank's share.
        void go_on(std::size_t b) {
            array& one = arrays[b];
            const std::size_t mine = one.cut.size(rank);
            if (!by_exponents) {
                if (!has_all(one.parts)) return;
                std::vector<double> all, sum(mine);
                std::size_t count = 0;
                for (std::size_t r = 0; r < ranks; ++r) {
                    if (rows[r] == 0) continue;
                    const std::vector<double> part = take(one.parts[r]);
                    all.insert(all.end(), part.begin(), part.end());
                    count += rows[r];
                }
                if constexpr (is_exact) {
                    core::sum_exactly(all, count, sum);
                } else {
                    std::copy_n(all.begin(), mine, sum.begin());
                    for (std::size_t r = 1; r < ranks; ++r)
                        for (std::size_t j = 0; j < mine; ++j) sum[j] += all[r * mine + j];
                }
                one.sums.push_back(std::move(sum));
                return;
            }
            if (has_all(one.exponents)) {
                std::vector<std::int32_t> most = take(one.exponents[0]);
                for (std::size_t r = 1; r < ranks; ++r) {
                    const std::vector<std::int32_t> other = take(one.exponents[r]);
                    for (std::size_t j = 0; j < mine; ++j) most[j] = std::max(most[j], other[j]);
                }
                for (std::size_t step = 1; step < ranks; ++step) post((rank + step) % ranks, kind::agreed, b, most);
                one.agreed.push_back(most);
                say_multiples(b, rank, most);
            }
            if (has_all(one.multiples)) {
                std::vector<std::int64_t> total = take(one.multiples[0]);
                for (std::size_t r = 1; r < ranks; ++r) {
                    const std::vector<std::int64_t> other = take(one.multiples[r]);
                    for (std::size_t j = 0; j < mine; ++j) total[j] += other[j];
                }
                std::vector<double> sum(mine);
                core::restore(total, take(one.agreed), sum);
                one.sums.push_back(std::move(sum));
            }
        }

        /// The sum of this rank's partials for the share of rank `owner`, whose exponents are agreed on.
        void say_multiples(std::size_t b, std::size_t owner, const std::vector<std::int32_t>& exponents) {
            array& one = arrays[b];
            std::vector<std::int64_t> sums(exponents.size());
            core::quantize(std::exchange(one.kept[owner], {}), rows[rank], exponents, sums);
            if (owner == rank)
                one.multiples[rank].push_back(std::move(sums));
            else
                post(owner, kind::multiples, b, sums);
            --one.unsaid;
        }

        template <class T> bool has_all(const std::vector<queue<T>>& of_ranks) const {
            for (std::size_t r = 0; r < ranks; ++r)
                if (of_ranks[r].empty() && (by_exponents || rows[r] > 0)) return false;
            return true;
        }
        template <class T> static std::vector<T> read(std::span<const std::uint8_t> bytes) {
            std::vector<T> values(bytes.size() / sizeof(T));
            if (!values.empty()) std::memcpy(values.data(), bytes.data(), bytes.size());
            return values;
        }
        template <class T> void post(std::size_t to, kind what, std::size_t b, const std::vector<T>& values) const {
            const header head{what, b};
            std::vector<std::uint8_t> letter(sizeof head + values.size() * sizeof(T));
            std::memcpy(letter.data(), &head, sizeof head);
            if (!values.empty()) std::memcpy(letter.data() + sizeof head, values.data(), values.size() * sizeof(T));
            send.call(send.box, to, std::move(letter));
        }
        std::size_t bytes_of(header head, std::size_t from) const {
            const shares& cut = arrays[head.array].cut;
            switch (head.what) {
            case kind::part:
                return 8 * rows[from] * cut.size(rank);
            case kind::exponents:
                return 4 * cut.size(rank);
            case kind::agreed:
                return 4 * cut.size(from);
            case kind::multiples:
                return 8 * cut.size(rank);
            case kind::mine:
                break;
            }
            return 0;
        }

        std::size_t rank, ranks;
        std::vector<std::size_t> counts, rows;  // partial sums that a rank has, and that it sends
        bool by_exponents = false;
        std::vector<array> arrays{};
        struct {
            void* box = nullptr;
            void (*call)(void*, std::size_t, std::vector<std::uint8_t>) = nullptr;
        } send{};
    };
    using box_type = decltype(std::declval<const C&>().open(std::declval<taker&>()));

    array& at(std::size_t b) {
        if (b >= taker_.arrays.size())
            throw core::shape_error(
                core::text("background_sum_scatter: array ", b, " (there are ", taker_.arrays.size(), ")"));
        return taker_.arrays[b];
    }

    taker taker_;
    box_type box_;
};

}  // namespace gamut::communicator

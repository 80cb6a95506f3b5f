// SPDX-License-Identifier: BSL-1.0
#include <boost/test/unit_test.hpp>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <stdexcept>
#include <string_view>
#include <type_traits>
#include <vector>

#include <gamut/communicator/counting.hpp>
#include <gamut/communicator/sim.hpp>
#include <gamut/communicator/threads.hpp>
#include <gamut/exchange/compressed_mean.hpp>
#include <gamut/exchange/first_node.hpp>

#include "compressed_cases.hpp"

using namespace gamut;
using compressed::means;

namespace {

/// Twice the numbers or none of them, by a draw that all nodes share: unbiased, of variance 1, and without a way of its own to contract.
struct all_or_nothing {
    static constexpr std::string_view name = "all_or_nothing";
    static constexpr bool unbiased = true, contracts = false, needs_error_feedback = false, summable = true;

    double variance(std::size_t) const { return 1; }
    template <class T> void write(compressor::turn which, std::span<const T> x, compressor::bytes& out) const {
        for (const T entry : x) compressor::detail::append(out, drawn(which.round) ? entry : T(0));
    }
    template <class T> void read(std::span<const std::uint8_t> payload, std::span<T> out) const {
        compressor::detail::check_length(name, payload, out.size(), out.size_bytes());
        for (std::size_t i = 0; i < out.size(); ++i)
            out[i] = 2 * compressor::detail::take<T>(payload.data() + i * sizeof(T));
    }
    template <class T, class Sum>
    void mean(std::uint64_t round, std::span<const T> x, std::size_t n, std::size_t nodes, compressor::nothing&,
              std::span<T> out, std::span<T> sent, Sum&& sum) const {
        std::vector<double> partials(x.size()), total(n);
        for (std::size_t i = 0; i < x.size(); ++i) {
            partials[i] = drawn(round) ? 2 * static_cast<double>(x[i]) : 0;
            if (!sent.empty()) sent[i] = static_cast<T>(partials[i]);
        }
        sum(std::span<const double>(partials), x.size() / n, std::span<double>(total));
        for (std::size_t j = 0; j < n; ++j) out[j] = static_cast<T>(total[j] / static_cast<double>(nodes));
    }

private:
    static bool drawn(std::uint64_t round) { return core::random{.seed = 8}.uniform(round) < .5; }
};

std::vector<double> true_mean(std::size_t nodes, std::size_t n, std::uint64_t round) {
    std::vector<double> mean(n);
    for (std::size_t node = 0; node < nodes; ++node) {
        const auto x = compressed::numbers<double>(n, round, node);
        for (std::size_t j = 0; j < n; ++j) mean[j] += x[j] / static_cast<double>(nodes);
    }
    return mean;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(exchange_compressed_mean)

BOOST_AUTO_TEST_CASE(ranks_do_not_change_a_bit) {
    for (const int ranks : {1, 2, 3, 5})
        communicator::threads<>::run(ranks, [](const auto& c) { compressed::check_bits(c); });
    communicator::sim<>::run(9, communicator::network{}, [](const auto& c) { compressed::check_bits(c); });
}

BOOST_AUTO_TEST_CASE(it_is_the_mean_of_what_each_node_sends) {
    constexpr std::size_t nodes = 5, n = 40;
    const auto check = [&](const auto& c) {
        using C = std::remove_cvref_t<decltype(c)>;
        const auto found = means<double>(communicator::single<>{}, c, nodes, n, 6);
        std::vector<compressor::memory_of<C, double>> memories(nodes);
        for (std::uint64_t round = 0; round < 6; ++round) {
            std::vector<double> mean(n), y(n);
            for (std::size_t node = 0; node < nodes; ++node) {
                compressor::bytes message;
                const auto x = compressed::numbers<double>(n, round, node);
                compressor::encode<double>(c, {.round = round, .node = node}, x, memories[node], message);
                compressor::decode<double>(c, message, y);
                for (std::size_t j = 0; j < n; ++j) mean[j] += y[j] / nodes;
            }
            for (std::size_t j = 0; j < n; ++j) BOOST_TEST(std::abs(found[round * n + j] - mean[j]) <= 1e-14);
        }
    };
    check(compressor::none{});
    check(compressor::half{});
    check(compressor::int8{});
    check(compressor::quantized{});
    check(compressor::random_k{.count = 7});
    check(compressor::error_feedback<compressor::sign>{});
    check(compressor::error_feedback{compressor::top_k{.count = 3}});
    check(compressor::error_feedback{compressor::random_k{.count = 7}});
    check(compressor::error_feedback<compressor::quantized>{});
    check(all_or_nothing{});
    check(compressor::error_feedback<all_or_nothing>{});
}

BOOST_AUTO_TEST_CASE(low_rank_is_exact_when_the_mean_has_that_rank) {
    // all nodes the same: their mean is a 4 x 4 matrix of rank 1
    std::vector<double> x(16), mine, out(16);
    for (std::size_t i = 0; i < 16; ++i) x[i] = static_cast<double>((1 + i / 4) * (2 + i % 4));
    for (int node = 0; node < 3; ++node) mine.insert(mine.end(), x.begin(), x.end());
    using feedback = compressor::error_feedback<compressor::low_rank>;
    exchange::mean_memory<feedback, double> memory;
    exchange::compressed_mean<double>(communicator::single<>{}, feedback{{.rank = 1, .rows = 4}}, 0, 3, mine, memory,
                                      out);
    for (std::size_t i = 0; i < 16; ++i) BOOST_TEST(std::abs(out[i] - x[i]) <= 1e-12);
    for (const double kept : memory.shared.kept) BOOST_TEST(std::abs(kept) <= 1e-12);
}

BOOST_AUTO_TEST_CASE(what_sums_do_not_send_is_kept_by_the_nodes) {
    constexpr std::size_t nodes = 4, n = 36;
    const auto check = [](const auto& c) {
        exchange::mean_memory<std::remove_cvref_t<decltype(c)>, double> memory;
        std::vector<double> given(n), received(n), out(n);
        for (std::uint64_t round = 0; round < 30; ++round) {
            std::vector<double> mine;
            for (std::size_t node = 0; node < nodes; ++node) {
                const auto x = compressed::numbers<double>(n, round, node);
                mine.insert(mine.end(), x.begin(), x.end());
            }
            exchange::compressed_mean<double>(communicator::single<>{}, c, round, nodes, mine, memory, out);
            const auto mean = true_mean(nodes, n, round);
            for (std::size_t j = 0; j < n; ++j) given[j] += mean[j], received[j] += out[j];
            for (std::size_t j = 0; j < n; ++j) {
                double kept = 0;
                for (std::size_t node = 0; node < nodes; ++node) kept += memory.shared.kept[node * n + j] / nodes;
                BOOST_TEST(std::abs(received[j] + kept - given[j]) <= 1e-12);
            }
        }
    };
    check(compressor::error_feedback{compressor::low_rank{.rank = 1}});
    check(compressor::error_feedback{compressor::random_k{.share = 0.1}});
    check(compressor::error_feedback<all_or_nothing>{});
}

/// Node i pulls x towards b_i by a_i: mean gradient 0 at sum a b / sum a.
BOOST_AUTO_TEST_CASE(descent_along_compressed_gradients_finds_the_minimum) {
    constexpr std::size_t nodes = 4, n = 30;
    const auto error = [&](const auto& c, double rate, std::uint64_t rounds) {
        using C = std::remove_cvref_t<decltype(c)>;
        exchange::mean_memory<C, double> memory;
        std::vector<double> x(n), gradient(n), mine(nodes * n);
        const auto pull = [](std::size_t i) { return static_cast<double>(1 + i); };
        const auto target = [](std::size_t i, std::size_t j) {
            return static_cast<double>(i) - static_cast<double>(j % 5);
        };
        for (std::uint64_t round = 0; round < rounds; ++round) {
            for (std::size_t i = 0; i < nodes; ++i)
                for (std::size_t j = 0; j < n; ++j) mine[i * n + j] = pull(i) * (x[j] - target(i, j));
            exchange::compressed_mean<double>(communicator::single<>{}, c, round, nodes, mine, memory, gradient);
            for (std::size_t j = 0; j < n; ++j) x[j] -= rate * gradient[j];
        }
        double worst = 0;
        for (std::size_t j = 0; j < n; ++j) {
            double weighted = 0, weights = 0;
            for (std::size_t i = 0; i < nodes; ++i) weighted += pull(i) * target(i, j), weights += pull(i);
            worst = std::max(worst, std::abs(x[j] - weighted / weights));
        }
        return worst;
    };
    BOOST_TEST(error(compressor::none{}, 0.1, 300) <= 1e-12);
    BOOST_TEST(error(compressor::half{}, 0.1, 300) <= 1e-2);
    BOOST_TEST(error(compressor::error_feedback<compressor::half>{}, 0.01, 3000) <= 1e-3);
    BOOST_TEST(error(compressor::error_feedback{compressor::top_k{.share = 0.1}}, 0.005, 6000) <= 0.2);
    BOOST_TEST(error(compressor::error_feedback{compressor::low_rank{.rank = 2}}, 0.02, 3000) <= 1e-2);
    BOOST_TEST(error(compressor::random_k{.share = 0.5}, 0.005, 4000) <= 1);
    BOOST_TEST(error(compressor::error_feedback{compressor::random_k{.share = 0.1}}, 0.005, 6000) <= 0.2);
    BOOST_TEST(error(compressor::error_feedback<compressor::quantized>{}, 0.005, 4000) <= 0.2);
}

BOOST_AUTO_TEST_CASE(messages_are_counted_and_short) {
    constexpr std::size_t n = 10000;
    const auto bytes = [&](const auto& c) {
        std::vector<double> sent(2);
        communicator::threads<>::run(2, [&](const auto& ranks) {
            const communicator::counting counted(ranks);
            means<float>(counted, c, 2, n, 1);
            sent[static_cast<std::size_t>(ranks.rank())] = static_cast<double>(counted.bytes());
        });
        return sent[0];
    };
    const double raw = 4.0 * n;
    BOOST_TEST(bytes(compressor::half{}) <= raw / 2 * 1.02);
    BOOST_TEST(bytes(compressor::int8{}) <= raw / 4 * 1.03);
    BOOST_TEST(bytes(compressor::error_feedback{compressor::top_k{}}) <= raw / 45);
    BOOST_TEST(bytes(compressor::error_feedback<compressor::sign>{}) <= raw / 30);
    BOOST_TEST(bytes(compressor::error_feedback{compressor::random_k{}}) == bytes(compressor::random_k{}));
}

BOOST_AUTO_TEST_CASE(sizes_and_options_that_do_not_fit_on_one_rank_are_errors_on_all) {
    communicator::threads<>::run(3, [](const auto& ranks) {
        std::vector<double> mine(ranks.rank() == 1 ? 3 : 4), out(4);
        exchange::mean_memory<compressor::half, double> memory;
        const auto refused = [&](auto&& call) {
            try {
                call();
            } catch (const core::shape_error&) {
                return true;
            } catch (const core::option_error&) {
                return true;
            }
            return false;
        };
        if (!refused([&] { exchange::compressed_mean<double>(ranks, compressor::half{}, 0, 3, mine, memory, out); }))
            throw std::runtime_error("sizes were not checked");
        mine.resize(4);
        exchange::compressed_mean<double>(ranks, compressor::half{}, 0, 3, mine, memory, out);
        exchange::mean_memory<compressor::int8, double> bytes;
        const compressor::int8 wrong{.block = ranks.rank() == 2 ? 0u : 256u};
        if (!refused([&] { exchange::compressed_mean<double>(ranks, wrong, 0, 3, mine, bytes, out); }))
            throw std::runtime_error("options were not checked");
    });
    std::vector<double> none, out(1);
    exchange::mean_memory<compressor::half, double> memory;
    BOOST_CHECK_THROW(
        exchange::compressed_mean<double>(communicator::single<>{}, compressor::half{}, 0, 0, none, memory, out),
        core::option_error);
}

BOOST_AUTO_TEST_SUITE_END()

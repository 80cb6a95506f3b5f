// SPDX-License-Identifier: BSL-1.0
// A compressor of one's own, in a descent of four nodes on two ranks: a byte for every number, the power of two next to it.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <limits>
#include <span>
#include <string_view>
#include <vector>

#include <gamut/communicator/counting.hpp>
#include <gamut/communicator/threads.hpp>
#include <gamut/compressor/concept.hpp>
#include <gamut/compressor/error_feedback.hpp>
#include <gamut/exchange/compressed_mean.hpp>

using namespace gamut;

/// y = sign(x) 2^e,  e the nearest integer to log2 |x| from -63 to 62. What is smaller becomes 0, what is not finite NaN.
struct nearest_power {
    static constexpr std::string_view name = "nearest_power";
    static constexpr bool unbiased = false, contracts = true, needs_error_feedback = false, summable = false;

    template <class T> void write(compressor::turn, std::span<const T> x, compressor::bytes& out) const {
        for (const T number : x) {
            const double exponent = std::round(std::log2(std::abs(static_cast<double>(number))));
            const int code = exponent < -63 ? 0 : exponent <= 62 ? static_cast<int>(exponent) + 64 : 127;
            out.push_back(static_cast<std::uint8_t>(code | (number < 0 ? 128 : 0)));
        }
    }
    template <class T> void read(std::span<const std::uint8_t> part, std::span<T> y) const {
        if (part.size() != y.size())
            throw core::communicator_error(core::text("nearest_power: ", part.size(), " bytes for ", y.size(),
                                                      " numbers (each takes one) the message was damaged on its way"));
        for (std::size_t i = 0; i < y.size(); ++i) {
            const int code = part[i] & 127;
            const double size = code == 0     ? 0
                                : code == 127 ? std::numeric_limits<double>::quiet_NaN()
                                              : std::ldexp(1.0, code - 64);
            y[i] = static_cast<T>(part[i] >= 128 ? -size : size);
        }
    }
};
static_assert(compressor::Compressor<nearest_power, double> && !compressor::Summable<nearest_power, double>);

int main() {
    constexpr std::size_t nodes = 4, n = 1000;
    // node i pulls every weight towards a place of its own: the minimum is their mean
    const auto target = [](std::size_t node, std::size_t j) { return std::sin(static_cast<double>(1 + node * j)); };
    communicator::threads<>::run(2, [&](const communicator::threads<>& each) {
        const communicator::counting ranks(each);
        const compressor::error_feedback<nearest_power> with;
        exchange::mean_memory<compressor::error_feedback<nearest_power>, double> memory;
        const std::size_t first = exchange::first_node(nodes, ranks.rank(), ranks.size()),
                          last = exchange::first_node(nodes, ranks.rank() + 1, ranks.size());
        std::vector<double> w(n), gradients((last - first) * n), mean(n);
        constexpr std::size_t rounds = 200;
        for (std::size_t round = 0; round < rounds; ++round) {
            for (std::size_t node = first; node < last; ++node)
                for (std::size_t j = 0; j < n; ++j) gradients[(node - first) * n + j] = w[j] - target(node, j);
            exchange::compressed_mean<double>(ranks, with, round, nodes, gradients, memory, mean);
            for (std::size_t j = 0; j < n; ++j) w[j] -= 0.05 * mean[j];
        }
        double worst = 0;
        for (std::size_t j = 0; j < n; ++j) {
            double best = 0;
            for (std::size_t node = 0; node < nodes; ++node) best += target(node, j) / nodes;
            worst = std::max(worst, std::abs(w[j] - best));
        }
        if (ranks.rank() == 0)
            std::printf("%.0f bytes a round instead of %zu; the farthest weight is %.4f from its minimum\n",
                        static_cast<double>(ranks.bytes()) / rounds, (last - first) * n * sizeof(double), worst);
        if (!(worst < 0.1)) throw core::error("the descent did not find the minimum");
    });
}

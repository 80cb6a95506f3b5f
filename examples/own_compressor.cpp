// SPDX-License-Identifier: BSL-1.0
// A compressor of one's own, in a descent of four nodes: a byte for every number, the power of two next to it.
#include <cmath>
#include <cstdio>
#include <vector>

#include <gamut/communicator/counting.hpp>
#include <gamut/communicator/threads.hpp>
#include <gamut/compressor/error_feedback.hpp>
#include <gamut/exchange/compressed_mean.hpp>

using namespace gamut;

/// y = sign(x) 2^e,  e the nearest integer to log2 |x| from -63 to 62. What is smaller becomes 0, what is not finite NaN.
struct nearest_power {
    static constexpr std::string_view name = "nearest_power";
    static constexpr bool unbiased = false, contracts = true, needs_error_feedback = false, summable = false;

    template <class T> void write(compressor::turn, std::span<const T> x, compressor::bytes& out) const {
        for (const T number : x) {
            const double e = std::round(std::log2(std::abs(static_cast<double>(number))));
            const int code = e < -63 ? 0 : e <= 62 ? static_cast<int>(e) + 64 : 127;
            out.push_back(static_cast<std::uint8_t>(code | (number < 0 ? 128 : 0)));
        }
    }
    template <class T> void read(std::span<const std::uint8_t> part, std::span<T> y) const {
        if (part.size() != y.size())
            throw core::communicator_error("nearest_power: a message of another length (it takes a byte a number)");
        for (std::size_t i = 0; i < y.size(); ++i) {
            const int code = part[i] & 127;
            const double size = code == 0 ? 0 : code == 127 ? std::nan("") : std::ldexp(1.0, code - 64);
            y[i] = static_cast<T>(part[i] >= 128 ? -size : size);
        }
    }
};
static_assert(compressor::Compressor<nearest_power, double> && !compressor::Summable<nearest_power, double>);

int main() {
    constexpr std::size_t n = 1000, rounds = 200;
    // the node on rank i pulls weight j towards sin j + i - 1.5
    const auto best = [](std::size_t j) { return std::sin(static_cast<double>(j)); };
    communicator::threads<>::run(4, [&](const communicator::threads<>& each) {
        const communicator::counting ranks(each);
        const compressor::error_feedback<nearest_power> with;
        exchange::mean_memory<compressor::error_feedback<nearest_power>, double> memory;
        std::vector<double> w(n), gradient(n), mean(n);
        double worst = 0;
        for (std::size_t round = 0; round < rounds; ++round) {
            for (std::size_t j = 0; j < n; ++j) gradient[j] = w[j] - best(j) - ranks.rank() + 1.5;
            exchange::compressed_mean<double>(ranks, with, round, 4, gradient, memory, mean);
            for (std::size_t j = 0; j < n; ++j) w[j] -= 0.05 * mean[j];
        }
        for (std::size_t j = 0; j < n; ++j) worst = std::fmax(worst, std::abs(w[j] - best(j)));
        if (ranks.rank() == 0)
            std::printf("%zu bytes a round instead of %zu; the farthest weight is %.4f from its minimum\n",
                        ranks.bytes() / rounds, 3 * n * sizeof(double), worst);
        if (!(worst < 0.1)) throw core::error("the descent did not find the minimum");
    });
}

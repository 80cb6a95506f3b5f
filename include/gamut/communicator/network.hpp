// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include <gamut/core/error.hpp>

namespace gamut::communicator {

/// The machines that communicator::sim pretends to have. Times are virtual seconds, bandwidths bytes per virtual second.
/// A message arrives latency + bytes / bandwidth after its sender began to send it; a rank sends one at a time. A
/// collective of P ranks ends 2 ceil(log2 P) latency + 2 bytes / bandwidth after the last of them has come.
struct network {
    struct link {  ///< between two ranks, in one direction, when it differs from the others
        int from = 0, to = 0;
        double latency = 50e-6, bandwidth = 1e9;
    };
    struct straggler {  ///< a rank whose work takes `factor` times as long
        int rank = 0;
        double factor = 1;
    };
    struct loss {  ///< a rank that is gone from a time on: its next call then fails, and with it the others'
        int rank = 0;
        double after = std::numeric_limits<double>::infinity();
    };

    double latency = 50e-6;
    double bandwidth = 1e9;
    std::vector<link> links{};
    std::vector<straggler> stragglers{};
    std::vector<loss> lost{};
    double (*slower)(int rank, std::uint64_t step) = nullptr;  ///< and a factor for a rank's step-th piece of work

    void check(int ranks) const {
        const auto positive = [](double value, const char* what) {
            if (!(value > 0))
                throw core::option_error(core::text("network: ", what, " is ", value, " (it must be positive)"));
        };
        const auto time = [](double value, const char* what) {
            if (!(value >= 0))
                throw core::option_error(core::text("network: ", what, " is ", value, " seconds (not less than 0)"));
        };
        const auto exists = [&](int rank) {
            if (rank < 0 || rank >= ranks)
                throw core::option_error(core::text("network: rank ", rank, " (ranks are 0..", ranks - 1, ")"));
        };
        time(latency, "latency");
        positive(bandwidth, "bandwidth");
        for (const auto& one : links) {
            exists(one.from);
            exists(one.to);
            time(one.latency, "a link's latency");
            positive(one.bandwidth, "a link's bandwidth");
        }
        for (const auto& one : stragglers) {
            exists(one.rank);
            positive(one.factor, "a straggler's factor");
        }
        for (const auto& one : lost) {
            exists(one.rank);
            time(one.after, "the time of a loss");
        }
    }
};

}  // namespace gamut::communicator

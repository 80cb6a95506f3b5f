// SPDX-License-Identifier: BSL-1.0
// What does a meeting take on processes? The mean of all (exact, as the library sums, and MPI_Allreduce itself), the mean with two neighbours
// on a ring, and the mean with one peer, of a node per process. Medians of alternating runs.
// run: mpirun -n 4 meeting --output FILE, or meeting --only NAME --steps N --width N for something else to count messages
#include <cstddef>
#include <limits>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <gamut/backend/array.hpp>
#include <gamut/backend/host.hpp>
#include <gamut/communicator/mpi.hpp>
#include <gamut/exchange/nodes.hpp>
#include <gamut/exchange/routes.hpp>
#include <gamut/topology/one_peer.hpp>
#include <gamut/topology/ring.hpp>

#include "../measure.hpp"

using namespace gamut;
using array = backend::array<backend::host<>>;

namespace {

const double no_goal = std::numeric_limits<double>::infinity();

/// Each process has a node of `width` numbers.
class meetings {
public:
    meetings(const communicator::mpi<>& ranks, std::size_t width)
        : ranks_(ranks),
          all_(ranks, static_cast<std::size_t>(ranks.size())),
          x_(1, array(width, 1.0 + ranks.rank())),
          y_(x_),
          mean_(width) {}

    void step(const std::string& name, std::size_t k) {
        if (name == "mean")
            all_.mean(x_, mean_);
        else if (name == "plain sum")
            ranks_.all_reduce(y_[0].span(), communicator::operation::sum);
        else if (name == "ring")
            all_.mix(ring_.at(all_, k), x_, y_);
        else if (name == "one peer")
            all_.mix(peer_.at(all_, k), x_, y_);
        else
            throw core::option_error("meeting: --only takes mean, plain sum, ring, one peer");
    }

    double seconds(const std::string& name, std::size_t steps) {
        step(name, 0);
        step(name, 1);
        ranks_.barrier();
        return benchmark::seconds([&] {
            for (std::size_t k = 0; k < steps; ++k) step(name, k);
            ranks_.barrier();
        });
    }

private:
    template <class G> using way = exchange::routes<G, topology::metropolis>;

    const communicator::mpi<>& ranks_;
    exchange::nodes<communicator::mpi<>> all_;
    std::vector<array> x_, y_;
    array mean_;
    way<topology::ring> ring_{"ring", {}, {}, exchange::need::doubly};
    way<topology::one_peer_exponential> peer_{"one peer", {}, {}, exchange::need::doubly};
};

}  // namespace

int main(int argc, char** argv) {
    communicator::mpi_session session(argc, argv);
    const communicator::mpi<> ranks;
    if (const std::string only = benchmark::option(argc, argv, "--only", ""); !only.empty()) {
        meetings all(ranks, std::stoul(benchmark::option(argc, argv, "--width", "10000")));
        const std::size_t steps = std::stoul(benchmark::option(argc, argv, "--steps", "10"));
        for (std::size_t k = 0; k < steps; ++k) all.step(only, k);
        return 0;
    }
    std::vector<benchmark::record> records;
    for (const auto& [width, steps] :
         std::vector<std::pair<std::size_t, std::size_t>>{{100, 400}, {10'000, 100}, {300'000, 8}}) {
        meetings all(ranks, width);
        std::vector<double> mean, ring, peer, sum, ring_mean, ring_sum, peer_ring;
        for (int repeat = 0; repeat < 10; ++repeat) {
            const double a = all.seconds("mean", steps), b = all.seconds("ring", steps),
                         c = all.seconds("one peer", steps), d = all.seconds("plain sum", steps);
            if (repeat == 0) continue;
            const double n = static_cast<double>(steps);
            mean.push_back(a / n), ring.push_back(b / n), peer.push_back(c / n), sum.push_back(d / n);
            ring_mean.push_back(b / a), ring_sum.push_back(b / d), peer_ring.push_back(c / b);
        }
        const std::string numbers = ", " + std::to_string(width) + " numbers";
        const auto say = [&](const std::string& name, const char* metric, const std::vector<double>& values,
                             double scale, double goal) {
            records.push_back({name + numbers, metric, scale * benchmark::median(values), goal});
        };
        say("all_reduce", "microseconds", mean, 1e6, no_goal);
        say("MPI_Allreduce", "microseconds", sum, 1e6, no_goal);
        say("ring", "microseconds", ring, 1e6, no_goal);
        say("one peer", "microseconds", peer, 1e6, no_goal);
        say("ring", "over_all_reduce", ring_mean, 1, 1);
        say("ring", "over_plain_sum", ring_sum, 1, no_goal);
        say("one peer", "over_ring", peer_ring, 1, 1);
    }
    return ranks.rank() == 0 ? benchmark::report(records, benchmark::option(argc, argv, "--output", "")) : 0;
}

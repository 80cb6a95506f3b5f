// SPDX-License-Identifier: BSL-1.0
// A parameter server on MPI: all workers in step; nobody more than two clocks ahead; the first six of eight workers make a clock, and
// who comes late is not waited for. In step the bits are those of any number of processes; the others end near the same minimum.
// run: mpirun -n 4 backup_workers
#include <cstdio>
#include <string>

#include <gamut/communicator/mpi.hpp>
#include <gamut/consistency/backup_workers.hpp>
#include <gamut/consistency/bounded_staleness.hpp>
#include <gamut/consistency/bulk_synchronous.hpp>
#include <gamut/gamut.hpp>
#include <gamut/solver/asynchronous.hpp>

using namespace gamut;

const data::csv<> cancer{.path = "examples/data/breast_cancer.csv"};

template <class Ranks, class Rule> auto fit_by(const Ranks& ranks, const Rule& rule) {
    const estimator e{.model = model::logistic{},
                      .penalty = penalty::l2{.strength = 1e-2},
                      .solver = solver::asynchronous{.rate = 0.2,
                                                     .batch = 128,
                                                     .blocks = 8,
                                                     .consistency = rule,
                                                     .servers = 2,
                                                     .check_every = 5,
                                                     .stop = {.iterations = 60, .tolerance = 1e-3}},
                      .communicator = ranks};
    return e.fit(cancer);
}

int main(int argc, char** argv) {
    communicator::mpi_session session(argc, argv);
    const communicator::mpi ranks{};
    const estimator direct{.model = model::logistic{}, .penalty = penalty::l2{.strength = 1e-2}};
    const double best = direct.fit(cancer).objective;
    const auto say = [&](const char* rule, const auto& fit) {
        if (ranks.rank() == 0)
            std::printf("%-20s %9.2e above the best after %2zu epochs, %s\n", rule, fit.objective - best,
                        fit.iterations, std::string(core::name(fit.status)).c_str());
        return fit.objective - best < 0.02;
    };
    const auto in_step = fit_by(ranks, consistency::bulk_synchronous{});
    const bool same = fit_by(communicator::single<>{}, consistency::bulk_synchronous{}).weights == in_step.weights;
    bool near = say("all in step", in_step);
    near = say("two clocks apart", fit_by(ranks, consistency::bounded_staleness{.slack = 2})) && near;
    near = say("the first 6 of 8", fit_by(ranks, consistency::backup_workers{.enough = 6})) && near;
    if (ranks.rank() == 0) std::printf("in step, the same bits on one process: %s\n", same ? "yes" : "no");
    return same && near ? 0 : 1;
}

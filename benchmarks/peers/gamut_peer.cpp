// SPDX-License-Identifier: BSL-1.0
// gamut's side of the comparison with other libraries: fits arrays that benchmarks/peers.py wrote, as often as it is asked,
// and says how long the fit took. Raw little-endian numbers in the folder that --arrays names: X.bin (row by row) and y.bin; with
// --entries compressed rows, offsets.bin (64-bit), indices.bin (32-bit) and their values in X.bin.
//     gamut_peer --arrays FOLDER --rows N --columns P [--entries 0] [--threads 1] [--intercept 1] [--standardize 1]
//                [--repeat 1] [--wait 0] [--weights FILE] [--trace 0]
//        --penalty l0 (default)  --model linear|logistic|softmax --kappa K [--over entries|rows|per_output] [--l2 0] [--seconds 0]
//                                [--solver swap|disadmm|prune] [--keep --first --iterations --grow --rounds --largest: of prune]
//        --penalty elastic_net   --model linear|logistic --l1 L [--l2 0] [--tolerance 1e-6]       solver::coordinate
//        --penalty l2            --model hinge|squared_hinge|logistic --l2 L [--tolerance 1e-8]   solver::dual, compressed rows
// Prints one JSON line per fit; with --wait 1 each waits for a line on stdin, and the end of the input ends the program. The time is that of
// estimator::fit on data::arrays with l0, as a peer's is that of its fit call on arrays in memory; with the others, where a peer is
// handed the layout that it works on, it is that of estimator::fit_rows. `memory` is what the process took at its
// most beyond what it had before it read the data, one copy of them included. --weights: features x outputs, then the intercepts.
#include <exception>

#include "gamut_peer.hpp"

using namespace peer;

namespace {

/// The solvers that may be asked for by name; the first is the default. A new one is one line.
template <class F> void with_solver(const arguments& given, F&& run) {
    const std::string name = given.text("--solver", "swap");
    const auto timed = [&](auto solver) {
        solver.stop.seconds = given.real("--seconds", "0");
        run(solver);
    };
    if (name == "swap") return timed(solver::swap{});
    if (name == "disadmm") return timed(solver::disadmm<>{});
    if (name == "prune") {
        const solver::prune usual;
        const auto option = [&](const char* text, auto value) { return given.real(text, core::text(value).c_str()); };
        return timed(solver::prune{
            .keep = option("--keep", usual.keep),
            .first = static_cast<std::size_t>(option("--first", usual.first)),
            .iterations = static_cast<std::size_t>(option("--iterations", usual.iterations)),
            .grow = option("--grow", usual.grow),
            .rounds = static_cast<std::size_t>(option("--rounds", usual.rounds)),
            .polishing = {.largest = static_cast<std::size_t>(option("--largest", usual.polishing.largest))}});
    }
    throw core::option_error(core::text("--solver ", name, ": there is no such solver here"));
}

template <class Model> void fit(Model model, const arguments& given, double memory_before) {
    const std::string over = given.text("--over", "entries");
    const penalty::l0 penalty{.kappa = given.number("--kappa", "1"),
                              .l2 = given.real("--l2", "0"),
                              .over = over == "rows"         ? penalty::support::rows
                                      : over == "per_output" ? penalty::support::per_output
                                                             : penalty::support::entries};
    const auto source = dense(given);
    with_solver(given, [&](auto solver) {
        const estimator fitting{.model = model,
                                .penalty = penalty,
                                .solver = solver,
                                .backend = host(given),
                                .prepare = preparation(given)};
        measure(given, memory_before, [&] { return fitting.fit(source); });
    });
}

}  // namespace

void peer::fit_l0(const arguments& given, double memory_before) {
    const std::string model = given.text("--model", "linear");
    if (model == "linear") return fit(model::linear{}, given, memory_before);
    if (model == "logistic") return fit(model::logistic{}, given, memory_before);
    if (model == "softmax") return fit(model::softmax{}, given, memory_before);
    throw core::option_error(core::text("--model ", model, ": there is no such model here"));
}

int main(int argc, char** argv) try {
    const arguments given{argc, argv};
    const double before = memory("VmRSS:");
    const std::string penalty = given.text("--penalty", "l0");
    if (penalty == "l0")
        fit_l0(given, before);
    else if (penalty == "elastic_net")
        fit_elastic_net(given, before);
    else if (penalty == "l2")
        fit_dual(given, before);
    else
        throw core::option_error(core::text("--penalty ", penalty, ": there is no such penalty here"));
    return 0;
} catch (const std::exception& error) {
    std::fprintf(stderr, "gamut_peer: %s\n", error.what());
    return 1;
}

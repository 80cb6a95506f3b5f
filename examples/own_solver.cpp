// SPDX-License-Identifier: BSL-1.0
// A solver of your own: proximal gradient, for any model and any penalty with a prox, on any number of ranks. What a solver may
// ask of a problem: gamut/solver/concept.hpp. What it is worth: gamut's own coordinate descent says.
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <optional>
#include <utility>

#include <gamut/gamut.hpp>

using namespace gamut;

/// w <- prox(w - step gradient), until w moves by less than `tolerance` times the step.
struct proximal_gradient {
    double step = 1;
    core::stop stop{.iterations = 20000, .tolerance = 1e-7};

    template <solver::Composite P, class... O>
    core::result<typename P::array> minimize(const P& problem, O&&... observers) const {
        using number = typename P::array::value_type;
        solver::run<P, O...> record("proximal_gradient", problem, stop, observers...);
        auto w = problem.start(), gradient = w, next = w;
        for (std::size_t k = 0;; ++k) {
            const double loss = problem.value_and_gradient(w, gradient);  // one pass over the data, one global sum
            const double objective = loss + problem.penalty(w);
            gradient = w - static_cast<number>(step) * gradient;
            problem.prox(gradient, step, next);
            const double residual = backend::distance(next, w) / step;
            std::optional<core::status> end = record.report(  // observers and the clock may end it: on all ranks
                {.iteration = k, .objective = objective, .residual = residual, .nonzeros = problem.nonzeros(w)});
            if (!std::isfinite(objective)) end = core::status::diverged;
            if (residual <= stop.tolerance) end = core::status::converged;
            if (!end && k >= stop.iterations) end = core::status::iteration_limit;
            if (end) return record.finish(std::move(w), objective, *end, solver::explanation(*end, stop));
            std::swap(w, next);
        }
    }
};

int main() {
    const data::csv<> file{.path = "examples/data/breast_cancer.csv"};
    const penalty::l1 lasso{.strength = 0.02};
    const estimator mine{.model = model::logistic{}, .penalty = lasso, .solver = proximal_gradient{.step = 0.25}};
    const estimator known{.model = model::logistic{}, .penalty = lasso, .solver = solver::coordinate{}};
    const auto a = mine.fit(file), b = known.fit(file);
    std::printf("proximal gradient: %.8f after %zu passes; coordinate descent: %.8f after %zu\n", a.objective, a.passes,
                b.objective, b.passes);
    return std::abs(a.objective - b.objective) < 1e-6 ? 0 : 1;
}

// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <string>
#include <type_traits>
#include <vector>

#include "../fits/fit.hpp"

#include <gamut/gamut.hpp>

/// Fits whose every bit must be the same on any number of ranks and threads.
namespace bits {

using namespace gamut;

/// Numbers as hexadecimal floating point: equal texts are equal bits, NaN and -0 included.
inline void append(std::string& to, double value) {
    char text[64];
    std::snprintf(text, sizeof text, " %a", value);
    to += text;
}

/// All that a fit found, but for seconds and ranks, a line for each thing.
template <class Matrix> std::vector<std::string> described(const fits::outcome<Matrix>& fit) {
    std::vector<std::string> lines;
    const auto add = [&](const std::string& name, const std::vector<double>& values) {
        lines.push_back(name);
        for (const double value : values) append(lines.back(), value);
    };
    lines.push_back("ended " + std::string(core::name(fit.status)) + ": " + fit.message);
    lines.push_back("iterations " + std::to_string(fit.iterations) + ", passes " + std::to_string(fit.passes));
    add("objective", {fit.objective, fit.lower_bound});
    add("weights", fit.weights);
    add("intercept", fit.intercept);
    add("solver's weights", fit.solver_weights);
    add("means", fit.scaling.means);
    add("scales", fit.scaling.scales);
    for (const core::record& now : fit.history) {
        lines.push_back("record " + std::string(now.solver) + " " + std::string(now.phase) + " " +
                        std::to_string(now.iteration) + ", nonzeros " + std::to_string(now.nonzeros) + ", passes " +
                        std::to_string(now.passes) + ":");
        for (const double value : {now.objective, now.residual, now.dual_residual, now.step})
            append(lines.back(), value);
    }
    return lines;
}

/// All of a path.
template <class Model, class T, class C> std::vector<std::string> described(const fitted_path<Model, T, C>& path) {
    std::vector<std::string> lines;
    for (const auto& e : path.entries) {
        lines.push_back("kappa " + std::to_string(e.kappa) + " ended " + std::string(core::name(e.status)) + ": " +
                        e.message + "; iterations " + std::to_string(e.iterations) + ", passes " +
                        std::to_string(e.passes) + ", chosen " + std::to_string(e.chosen) + ":");
        for (const double value : {e.l2, e.objective, e.lower_bound, e.loss, e.degrees_of_freedom})
            append(lines.back(), value);
        for (const auto& [place, weight] : e.weights) {
            lines.back() += " at " + std::to_string(place);
            append(lines.back(), weight);
        }
    }
    return lines;
}

/// The first difference in words; empty if there is none.
inline std::string difference(const std::vector<std::string>& a, const std::vector<std::string>& b) {
    for (std::size_t i = 0; i < a.size() && i < b.size(); ++i)
        if (a[i] != b[i]) return a[i] + "\n  and " + b[i];
    return a.size() == b.size() ? "" : std::to_string(a.size()) + " lines and " + std::to_string(b.size());
}

/// rows x columns numbers on very different scales; with `density` below 1 most are 0, and some rows are empty.
struct table {
    std::size_t rows, columns;
    double density = 1;

    double at(std::size_t i, std::size_t j) const {
        const core::random numbers{.seed = 7, .stream = 1};
        const std::uint64_t place = 2 * (i * columns + j);
        if (density < 1 && (i % 10 == 3 || numbers.uniform(place + 1) >= density)) return 0;
        return (numbers.normal(place) + 0.3 * static_cast<double>(j)) * std::pow(7.0, static_cast<double>(j % 5) - 2);
    }
    /// a few columns matter, and there is noise
    double signal(std::size_t i) const {
        double sum = core::random{.seed = 7, .stream = 2}.normal(i);
        for (std::size_t j = 0; j < columns; j += 3)
            sum += at(i, j) * std::pow(7.0, 2 - static_cast<double>(j % 5)) * (j % 2 == 0 ? 1 : -1);
        return sum;
    }
    std::vector<double> labels(std::size_t classes) const {
        std::vector<double> y;
        for (std::size_t i = 0; i < rows; ++i) {
            const double s = signal(i);
            if (classes == 0)
                y.push_back(s);
            else if (classes == 2)
                y.push_back(s > 0.5 ? 1 : 0);
            else
                y.push_back(i < classes ? static_cast<double>(i) : s < -0.5 ? 0 : s < 1 ? 1 : 2);
        }
        if (classes > 0) y[0] = 0, y[1] = 1;
        return y;
    }
    /// how often each row counts; some never
    std::vector<double> weights() const {
        std::vector<double> w;
        for (std::size_t i = 0; i < rows; ++i)
            w.push_back(i % 7 == 5 ? 0 : 0.1 + 3 * core::random{.seed = 7, .stream = 3}.uniform(i));
        return w;
    }
    template <class T> backend::dense_matrix<T> dense() const {
        backend::dense_matrix<T> x(rows, columns);
        for (std::size_t i = 0; i < rows; ++i)
            for (std::size_t j = 0; j < columns; ++j) x(i, j) = static_cast<T>(at(i, j));
        return x;
    }
    template <class T> backend::sparse_matrix<T> sparse() const {
        backend::sparse_matrix<T> x;
        x.columns = columns;
        for (std::size_t i = 0; i < rows; ++i) {
            for (std::size_t j = 0; j < columns; ++j)
                if (at(i, j) != 0) {
                    x.indices.push_back(static_cast<std::int32_t>(j));
                    x.values.push_back(static_cast<T>(at(i, j)));
                }
            x.offsets.push_back(static_cast<std::int64_t>(x.indices.size()));
            ++x.rows;
        }
        return x;
    }
};

struct fit_case {
    std::string name;
    std::function<std::vector<std::string>(const fits::settings&)> run;
};

/// Every solver on one model and one source.
template <class Model, class Source>
void add_solvers(std::vector<fit_case>& cases, const std::string& name, Model model, const Source& source,
                 data::preparation prepare) {
    const auto add = [&](const char* solver, auto penalty, auto how) {
        cases.push_back({name + ", " + solver, [=](fits::settings s) {
                             s.prepare = prepare;
                             return described(fits::fit(model, penalty, how, source, s));
                         }});
    };
    add("lbfgs", penalty::l2{0.01}, solver::lbfgs<>{.stop = {.iterations = 15}});
    add("newton_cg", penalty::l2{0.01}, solver::newton_cg<>{.stop = {.iterations = 5}});
    if constexpr (std::is_same_v<Model, model::linear>) {
        const typename solver::default_for<Model, penalty::l2>::type direct;
        add("least_squares", penalty::l2{0.01}, direct);
        add("least_squares without l2", penalty::l2{0}, direct);
    }
    add("admm", penalty::elastic_net{.l1 = 0.01, .l2 = 0.001}, solver::admm<>{.stop = {.iterations = 12}});
    add("disadmm", penalty::l0{.kappa = 3, .l2 = 0.01, .over = penalty::support::rows},
        solver::disadmm<>{.blocks = 7, .growth = 1.7});
    add("sgd", penalty::l2{0.01}, solver::sgd<>{.rate = 0.02, .momentum = 0.5, .batch = 9, .stop = {.iterations = 3}});
}

/// Solvers that work in memory: the supports that they try, in what order and on which rank, must not matter.
template <class Model, class Source>
void add_in_memory(std::vector<fit_case>& cases, const std::string& name, Model model, const Source& source) {
    const auto add = [&](const char* solver, auto penalty, auto how) {
        cases.push_back({name + ", " + solver, [=](const fits::settings& s) {
                             return described(fits::fit(model, penalty, how, source, s));
                         }});
    };
    constexpr bool one = !std::is_same_v<Model, model::softmax>;
    const penalty::l0 sparse{
        .kappa = 3, .l2 = 0.01, .over = one ? penalty::support::entries : penalty::support::per_output};
    add("coordinate", penalty::elastic_net{.l1 = 0.05, .l2 = 0.01}, solver::coordinate{.blocks = 7});
    add("prune", sparse, solver::prune{});
    add("swap", sparse, solver::swap{.blocks = 7, .restarts = 9});
    if constexpr (one)
        add("swap, bounded", penalty::l0{.kappa = 3, .l1 = 0.01, .lower = 0}, solver::swap{.blocks = 7, .restarts = 9});
    if constexpr (one) {
        add("dual", penalty::elastic_net{.l1 = 0.01, .l2 = 0.1}, solver::dual{.blocks = 7, .stop = {.iterations = 20}});
        add("exact", sparse, solver::exact{});
        add("path", penalty::l0{.l2 = 0.01}, solver::path{.largest = 4});
    }
}

template <class Model> void add_model(std::vector<fit_case>& cases, Model model, std::size_t classes) {
    const std::string name = Model::name;
    constexpr data::preparation as_given{data::intercept::none, data::columns::as_given};
    const table tall{.rows = 303, .columns = 6}, wide{.rows = 60, .columns = 90, .density = 0.1},
        tiny{.rows = 3, .columns = 4};
    add_solvers(cases, name + ", dense, weighted rows", model,
                data::arrays(tall.dense<double>(), tall.labels(classes), tall.weights()), {});
    add_solvers(cases, name + ", dense as given, no intercept", model,
                data::arrays(tall.dense<double>(), tall.labels(classes)), as_given);
    add_solvers(cases, name + ", CSR", model, data::arrays(wide.sparse<double>(), wide.labels(classes)), {});
    add_solvers(cases, name + ", CSR as given, weighted rows, no intercept", model,
                data::arrays(wide.sparse<double>(), wide.labels(classes), wide.weights()), as_given);
    add_solvers(cases, name + ", three rows", model, data::arrays(tiny.dense<double>(), tiny.labels(classes)), {});
}

inline std::vector<fit_case> all_cases() {
    std::vector<fit_case> cases;
    add_model(cases, model::linear{}, 0);
    add_model(cases, model::logistic{}, 2);
    add_model(cases, model::softmax{}, 3);
    const table tall{.rows = 303, .columns = 6};
    add_solvers(cases, "logistic, float", model::logistic{}, data::arrays(tall.dense<float>(), tall.labels(2)), {});
    add_in_memory(cases, "linear, dense, weighted rows", model::linear{},
                  data::arrays(tall.dense<double>(), tall.labels(0), tall.weights()));
    const table wide{.rows = 60, .columns = 90, .density = 0.1};
    add_in_memory(cases, "logistic, CSR", model::logistic{}, data::arrays(wide.sparse<double>(), wide.labels(2)));
    add_in_memory(cases, "softmax, dense", model::softmax{}, data::arrays(tall.dense<double>(), tall.labels(3)));
    return cases;
}

}  // namespace bits

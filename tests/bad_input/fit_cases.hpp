// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cmath>
#include <cstddef>
#include <functional>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "../fits/fit.hpp"

#include <gamut/gamut.hpp>

/// Fits that must not begin: wrong options, shapes, labels and numbers, and what is to be said about each. Used on one
/// process, on threads and under mpirun.
namespace gamut::test {

struct bad_fit {
    const char* what;
    core::error_kind kind;
    std::vector<const char*> words;
    std::function<void(const fits::settings&)> fit;
};

inline fits::dense some_rows(std::size_t rows = 40, std::size_t columns = 3) {
    fits::dense x(rows, columns);
    for (std::size_t k = 0; k < x.values.size(); ++k) x.values[k] = std::sin(static_cast<double>(7 * k + 1));
    return x;
}
template <class Label> std::vector<Label> some_labels(std::size_t rows, std::vector<Label> classes) {
    std::vector<Label> y;
    for (std::size_t i = 0; i < rows; ++i) y.push_back(classes[(i + i / 3) % classes.size()]);
    return y;
}
inline fits::dense with(fits::dense x, std::size_t i, std::size_t j, double value) {
    x(i, j) = value;
    return x;
}
inline std::vector<double> with(std::vector<double> y, std::size_t i, double value) {
    y[i] = value;
    return y;
}

inline std::vector<bad_fit> bad_options() {
    constexpr double nan = std::numeric_limits<double>::quiet_NaN(), inf = std::numeric_limits<double>::infinity();
    std::vector<bad_fit> cases;
    const data::arrays source(some_rows(), some_labels<double>(40, {0, 1}));
    const auto add = [&](const char* what, std::vector<const char*> words, auto penalty, auto solver) {
        cases.push_back({what, core::error_kind::option, std::move(words), [=](const fits::settings& how) {
                             fits::fit(model::logistic{}, penalty, solver, source, how);
                         }});
    };
    using penalty::elastic_net, penalty::l0, penalty::l2;
    using solver::admm, solver::disadmm, solver::lbfgs, solver::newton_cg, solver::sgd;

    add("negative l2", {"penalty::l2", "strength is -1", "0 or more"}, l2{-1}, lbfgs<>{});
    add("NaN l2", {"penalty::l2", "strength is nan"}, l2{nan}, lbfgs<>{});
    add("infinite l2", {"penalty::l2", "strength is inf", "finite"}, l2{inf}, newton_cg<>{});
    add("negative l1", {"penalty::elastic_net", "l1 is -0.5"}, elastic_net{.l1 = -0.5}, admm<>{});
    add("NaN l1", {"penalty::elastic_net", "l1 is nan"}, elastic_net{.l1 = nan}, admm<>{});
    add("NaN l2 beside l1", {"penalty::elastic_net", "l2 is nan"}, elastic_net{.l1 = 1, .l2 = nan}, admm<>{});
    add("infinite l1", {"penalty::elastic_net", "l1 is inf"}, elastic_net{.l1 = inf}, admm<>{});
    add("negative l2 beside kappa", {"penalty::l0", "l2 is -1"}, l0{.l2 = -1}, disadmm<>{});
    add("NaN l1 beside kappa", {"penalty::l0", "l1 is nan"}, l0{.l1 = nan}, disadmm<>{});
    add("bounds the wrong way round", {"penalty::l0", "lower is 1 and upper is -1"}, l0{.lower = 1, .upper = -1},
        disadmm<>{});
    add("NaN bound", {"penalty::l0", "lower is nan"}, l0{.lower = nan}, disadmm<>{});
    add("bounds without 0", {"penalty::l0", "lower is 0.5", "0"}, l0{.lower = 0.5}, disadmm<>{});
    add("negative upper bound", {"penalty::l0", "upper is -0.5"}, l0{.upper = -0.5}, disadmm<>{});
    add("free feature that is not there", {"penalty::l0", "free has feature 3", "there are 3"}, l0{.free = {0, 3}},
        disadmm<>{});

    add("lbfgs without memory", {"lbfgs", "memory is 0", "try 10"}, l2{}, lbfgs<>{.memory = 0});
    add("lbfgs, negative tolerance", {"lbfgs", "stop.tolerance is -1"}, l2{}, lbfgs<>{.stop = {.tolerance = -1}});
    add("lbfgs, NaN tolerance", {"lbfgs", "stop.tolerance is nan"}, l2{}, lbfgs<>{.stop = {.tolerance = nan}});
    add("lbfgs, negative seconds", {"lbfgs", "stop.seconds is -2"}, l2{}, lbfgs<>{.stop = {.seconds = -2}});
    add("lbfgs, NaN seconds", {"lbfgs", "stop.seconds is nan"}, l2{}, lbfgs<>{.stop = {.seconds = nan}});
    add("line search, decrease 0.5", {"line_search::wolfe", "decrease is 0.5"}, l2{},
        lbfgs<>{.search = {.decrease = 0.5}});
    add("line search, NaN curvature", {"line_search::wolfe", "curvature is nan"}, l2{},
        lbfgs<>{.search = {.curvature = nan}});
    add("line search without evaluations", {"line_search::wolfe", "evaluations is 0"}, l2{},
        newton_cg<>{.search = {.evaluations = 0}});
    add("newton_cg, forcing 0", {"newton_cg", "forcing is 0"}, l2{}, newton_cg<>{.forcing = 0});
    add("newton_cg, forcing 1", {"newton_cg", "forcing is 1"}, l2{}, newton_cg<>{.forcing = 1});
    add("newton_cg, NaN forcing", {"newton_cg", "forcing is nan", "try 0.5"}, l2{}, newton_cg<>{.forcing = nan});
    add("newton_cg without products", {"newton_cg", "products is 0"}, l2{}, newton_cg<>{.products = 0});
    add("newton_cg, NaN tolerance", {"newton_cg", "stop.tolerance is nan"}, l2{},
        newton_cg<>{.stop = {.tolerance = nan}});
    add("sgd, rate 0", {"rate is 0"}, l2{}, sgd<>{.rate = 0});
    add("sgd, negative rate", {"rate is -1"}, l2{}, sgd<>{.rate = -1});
    add("sgd, NaN rate", {"rate is nan"}, l2{}, sgd<>{.rate = nan});
    add("sgd, infinite rate", {"rate is inf"}, l2{}, sgd<>{.rate = inf});
    add("sgd, momentum 1", {"sgd", "momentum is 1", "try 0.9"}, l2{}, sgd<>{.momentum = 1});
    add("sgd, negative momentum", {"sgd", "momentum is -0.1"}, l2{}, sgd<>{.momentum = -0.1});
    add("sgd, NaN momentum", {"sgd", "momentum is nan"}, l2{}, sgd<>{.momentum = nan});
    add("sgd, batches of 0", {"sgd", "batch is 0"}, l2{}, sgd<>{.batch = 0});
    add("sgd, NaN tolerance", {"sgd", "stop.tolerance is nan"}, l2{}, sgd<>{.stop = {.tolerance = nan}});
    add("admm, negative rho", {"admm", "rho is -1"}, elastic_net{}, admm<>{.rho = -1});
    add("admm, NaN rho", {"admm", "rho is nan"}, elastic_net{}, admm<>{.rho = nan});
    add("admm, relaxation 2", {"admm", "relaxation is 2"}, elastic_net{}, admm<>{.relaxation = 2});
    add("admm, NaN relaxation", {"admm", "relaxation is nan"}, elastic_net{}, admm<>{.relaxation = nan});
    add("admm, NaN tolerance", {"admm", "stop.tolerance is nan"}, elastic_net{}, admm<>{.stop = {.tolerance = nan}});
    add("admm, too many blocks", {"blocks", "5000", "4095"}, elastic_net{}, admm<>{.blocks = 5000});
    add("disadmm without blocks", {"disadmm", "blocks is 0", "1 to 4095"}, l0{}, disadmm<>{.blocks = 0});
    add("disadmm, too many blocks", {"blocks", "5000", "4095"}, l0{}, disadmm<>{.blocks = 5000});
    add("disadmm, relaxation 2", {"disadmm", "relaxation is 2"}, l0{}, disadmm<>{.relaxation = 2});
    add("disadmm, NaN relaxation", {"disadmm", "relaxation is nan"}, l0{}, disadmm<>{.relaxation = nan});
    add("disadmm without growth", {"disadmm", "growth is 1", "above 1"}, l0{}, disadmm<>{.growth = 1});
    add("disadmm, NaN growth", {"disadmm", "growth is nan"}, l0{}, disadmm<>{.growth = nan});
    add("disadmm, first_rho 0", {"disadmm", "first_rho is 0"}, l0{}, disadmm<>{.first_rho = 0});
    add("disadmm, infinite first_rho", {"disadmm", "first_rho is inf"}, l0{}, disadmm<>{.first_rho = inf});
    add("disadmm, last_rho below the first", {"disadmm", "last_rho is 0.1"}, l0{},
        disadmm<>{.first_rho = 1, .last_rho = 0.1});
    add("disadmm, NaN last_rho", {"disadmm", "last_rho is nan"}, l0{}, disadmm<>{.last_rho = nan});
    add("disadmm without candidates", {"disadmm", "candidates is 0"}, l0{}, disadmm<>{.candidates = 0});
    add("disadmm, NaN tolerance", {"disadmm", "stop.tolerance is nan"}, l0{}, disadmm<>{.stop = {.tolerance = nan}});
    return cases;
}

inline std::vector<bad_fit> bad_arrays() {
    constexpr double nan = std::numeric_limits<double>::quiet_NaN(), inf = std::numeric_limits<double>::infinity();
    std::vector<bad_fit> cases;
    using core::error_kind;
    const auto add = [&](const char* what, error_kind kind, std::vector<const char*> words, auto model, auto source) {
        cases.push_back({what, kind, std::move(words), [=](const fits::settings& how) {
                             fits::fit(model, penalty::l2{}, solver::lbfgs<>{}, source, how);
                         }});
    };
    const model::linear linear;
    const model::logistic logistic;
    const model::softmax softmax;
    const auto x = some_rows();
    const std::vector<double> y = some_labels<double>(40, {0, 1}), ones(40, 1.0);
    using text = std::vector<std::string>;

    add("too few labels", error_kind::shape, {"39 labels", "x has 40 rows"}, linear,
        data::arrays(x, std::vector<double>(39)));
    add("too many labels", error_kind::shape, {"41 labels", "x has 40 rows"}, logistic,
        data::arrays(x, std::vector<double>(41)));
    add("no labels", error_kind::shape, {"0 labels"}, linear, data::arrays(x));
    add("too few weights", error_kind::shape, {"3 sample weights", "40 rows"}, linear,
        data::arrays(x, y, std::vector<double>(3)));
    add("no columns", error_kind::shape, {"no features", "0 columns"}, linear, data::arrays(fits::dense(40, 0), y));
    add("no rows", error_kind::data, {"no rows"}, linear, data::arrays(fits::dense(0, 3), std::vector<double>{}));
    add("numbers that are no table", error_kind::shape, {"119 values", "40 rows of 3"}, linear,
        data::arrays(std::vector<double>(119), 40, 3, y));
    auto named = data::arrays(x, y);
    named.features = {"a", "b"};
    add("too few names", error_kind::shape, {"2 names", "3 columns"}, linear, named);

    add("NaN in x", error_kind::data, {"x(17, 2) is nan"}, linear, data::arrays(with(x, 17, 2, nan), y));
    add("infinity in x", error_kind::data, {"x(39, 0) is -inf"}, logistic, data::arrays(with(x, 39, 0, -inf), y));
    add("NaN in y", error_kind::data, {"y(5) is nan"}, linear, data::arrays(x, with(y, 5, nan)));
    add("infinity in y", error_kind::data, {"y(0) is inf"}, softmax, data::arrays(x, with(y, 0, inf)));
    add("NaN in the weights", error_kind::data, {"weight 8 is nan"}, linear, data::arrays(x, y, with(ones, 8, nan)));
    add("a negative weight", error_kind::data, {"weight 39 is -1"}, logistic, data::arrays(x, y, with(ones, 39, -1)));
    add("weights of 0", error_kind::data, {"weight"}, linear, data::arrays(x, y, std::vector<double>(40)));
    fits::sparse csr;
    csr.rows = 2;
    csr.columns = 3;
    csr.offsets.assign({0, 1, 2});
    csr.indices.assign({0, 3});
    csr.values.assign({1, 1});
    add("a column that is not there", error_kind::data, {"row 1 of x has index 3", "3 columns"}, logistic,
        data::arrays(csr, std::vector<double>{0, 1}));
    csr.indices.assign({0, 1});
    csr.values.assign({1, nan});
    add("NaN in CSR", error_kind::data, {"x(1, 1) is nan"}, logistic, data::arrays(csr, std::vector<double>{0, 1}));
    csr.offsets.assign({0, 2, 1});
    add("offsets that descend", error_kind::shape, {"offsets"}, logistic, data::arrays(csr, std::vector<double>{0, 1}));

    add("one class", error_kind::data, {"1 class", "two or more", "label column 'y'"}, logistic, data::arrays(x, ones));
    add("one class for softmax", error_kind::data, {"1 class", "two or more"}, softmax,
        data::arrays(x, text(40, "spam")));
    add("three classes for logistic", error_kind::data, {"3 classes", "tells 2 apart", "model::softmax"}, logistic,
        data::arrays(x, some_labels<double>(40, {0, 1, 2})));
    add("three named classes for logistic", error_kind::data, {"3 classes", "model::softmax"}, logistic,
        data::arrays(x, some_labels<std::string>(40, {"a", "b", "c"})));
    add("names for a regression", error_kind::data, {"label 'a' is text", "regression"}, linear,
        data::arrays(x, some_labels<std::string>(40, {"a", "b"})));
    std::vector<double> continuous;
    for (std::size_t i = 0; i < 400; ++i) continuous.push_back(0.5 * static_cast<double>(i));
    add("a label that looks continuous", error_kind::data, {"400 different labels", "continuous"}, softmax,
        data::arrays(some_rows(400), continuous));
    add("a file that is not there", error_kind::data, {"no_such_file.csv", "can't be opened"}, linear,
        data::csv<>{.path = "no_such_file.csv"});
    add("a regression on names in a file", error_kind::data, {"iris.csv:2:17", "setosa", "regression"}, linear,
        data::csv<>{.path = "examples/data/iris.csv"});
    add("a label column that is not there", error_kind::data, {"iris.csv", "'kind'"}, softmax,
        data::csv<>{.path = "examples/data/iris.csv", .label = "kind"});
    return cases;
}

}  // namespace gamut::test

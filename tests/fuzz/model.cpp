// SPDX-License-Identifier: BSL-1.0
// Any bytes as a model file, once as they are and once with a checksum that is right: they are refused in words, or give
// a model that predicts, and that is the same when it is written and read again.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <fuzz/fuzz.hpp>
#include <gamut/data/arrays.hpp>
#include <gamut/data/csv.hpp>
#include <gamut/data/libsvm.hpp>
#include <gamut/model/linear.hpp>
#include <gamut/model/logistic.hpp>
#include <gamut/model/softmax.hpp>
#include <gamut/model_file.hpp>

using namespace gamut;

namespace {

template <class Model> void require_equal(const fitted<Model>& a, const fitted<Model>& b, std::string_view text) {
    const auto same = [&](bool equal, const char* what) {
        fuzz::require(equal, core::text(what, " survive a round trip"), text);
    };
    same(a.outputs == b.outputs && a.weights == b.weights && a.intercept == b.intercept, "weights");
    same(a.features == b.features && a.classes == b.classes && a.label == b.label, "names");
    same(a.scaling.means == b.scaling.means && a.scaling.scales == b.scaling.scales, "scales");
    same(a.solver_weights == b.solver_weights, "the solver's weights");
    same(a.status == b.status && a.message == b.message && a.iterations == b.iterations && a.passes == b.passes,
         "words");
    same(a.objective == b.objective || (std::isnan(a.objective) && std::isnan(b.objective)), "objectives");
}

template <class Model> void require_sound(const predictions& guess, const fitted<Model>& fit) {
    fuzz::require(guess.values.size() == guess.rows * fit.outputs, "a prediction per row and output");
    for (std::size_t i = 0; i < guess.rows && !fit.classes.empty(); ++i)
        fuzz::require(guess.class_index(i) < fit.classes.size(), "what is predicted is a class");
}

/// Reads, predicts, writes and reads again.
template <class Model> void run(std::string_view text) {
    static const fuzz::memory_file file, again, table, sparse;
    const std::string& path = file.holding(text);
    fitted<Model> fit;
    try {
        fit = load<Model>(path);
    } catch (const core::data_error& problem) {
        fuzz::require_readable(problem.what());
        fuzz::require(std::string_view(problem.what()).starts_with(path + ":"),
                      "a data_error starts with the file's name");
        return;
    }
    backend::dense_matrix<double> x(2, fit.features.size());
    for (std::size_t k = 0; k < x.values.size(); ++k) x.values[k] = 0.5 * static_cast<double>(k) - 1;
    require_sound(fit.predict(data::arrays(x)), fit);
    try {
        require_sound(fit.predict(data::csv<>{.path = table.holding("a,b,c,y\n1,2,3,yes\n4,5,6,no\n")}), fit);
    } catch (const core::data_error&) {}  // it has other columns
    try {
        require_sound(fit.predict(data::libsvm<>{.path = sparse.holding("1 1:2 2:3\n0 1:1\n")}), fit);
    } catch (const core::data_error&) {}
    nlohmann::json made;
    detail::put(fit, made);
    require_equal(fit, load<Model>(again.holding(made.dump(1))), text);
}

void run_any(std::string_view text) {
    const auto file = nlohmann::json::parse(text, nullptr, false);
    const std::string name =
        file.is_object() && file.contains("model") && file["model"].is_string() ? file["model"].get<std::string>() : "";
    if (name == "softmax")
        run<model::softmax>(text);
    else if (name == "logistic")
        run<model::logistic>(text);
    else
        run<model::linear>(text);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t count) {
    const std::string_view text(reinterpret_cast<const char*>(bytes), count);
    run_any(text);
    auto file = nlohmann::json::parse(text, nullptr, false);
    if (!file.is_object()) return 0;
    file.erase("checksum");
    file["checksum"] = detail::checksum(file.dump());
    run_any(file.dump());
    return 0;
}

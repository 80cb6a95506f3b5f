// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include <gamut/communicator/agree.hpp>
#include <gamut/communicator/single.hpp>
#include <gamut/core/error.hpp>
#include <gamut/core/text.hpp>
#include <gamut/core/whole_file.hpp>
#include <gamut/fitted.hpp>

/// Fitted models as JSON files:
///   features, weights, intercept   the chosen features by name, their weights for the columns as given (a number per
///                                  feature, or a list with one per output), and the intercept
///   objective, status, message     how the fit ended
///   columns                        the names of all columns that the model was fitted to, in their order
///   standardization                means and scales that the penalty saw, and the weights in those units
///   classes, label, model, format, version, checksum (64-bit FNV-1a of the rest)
namespace gamut {

namespace detail {

inline constexpr int model_file_version = 1;
inline constexpr std::size_t largest_model_file = std::size_t(1) << 30;

template <class Model> constexpr const char* model_name() {
    if constexpr (requires { Model::name; })
        return Model::name;
    else
        return "custom";
}

inline std::string checksum(std::string_view bytes) {
    std::uint64_t hash = 14695981039346656037ull;
    for (const char c : bytes) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211ull;
    std::string digits(16, '0');
    for (std::size_t i = 16; i-- > 0; hash >>= 4) digits[i] = "0123456789abcdef"[hash & 15];
    return digits;
}

/// One number per row, or a list of `outputs` numbers.
inline nlohmann::json by_output(const double* values, std::size_t outputs) {
    if (outputs == 1) return *values;
    return std::vector<double>(values, values + outputs);
}
inline void append_outputs(const nlohmann::json& from, std::size_t outputs, std::vector<double>& to) {
    const std::vector<double> values =
        outputs == 1 ? std::vector<double>{from.get<double>()} : from.get<std::vector<double>>();
    if (values.size() != outputs)
        throw core::data_error(core::text(values.size(), " numbers per feature (", outputs, " outputs)"));
    to.insert(to.end(), values.begin(), values.end());
}

template <class Model, class T, class C> nlohmann::json to_json(const fitted<Model, T, C>& fit) {
    nlohmann::json file;
    file["format"] = "gamut model";
    file["version"] = model_file_version;
    file["model"] = model_name<Model>();
    file["status"] = core::name(fit.status);
    file["message"] = fit.message;
    file["objective"] = fit.objective;
    file["label"] = fit.label;
    file["classes"] = fit.classes;
    file["outputs"] = fit.outputs;
    file["columns"] = fit.features;
    file["features"] = nlohmann::json::array();
    file["weights"] = nlohmann::json::array();
    for (const std::size_t j : fit.support()) {
        file["features"].push_back(fit.features[j]);
        file["weights"].push_back(by_output(fit.weights.data() + j * fit.outputs, fit.outputs));
    }
    file["intercept"] = by_output(fit.intercept.data(), fit.outputs);
    file["standardization"] = {
        {"means", fit.scaling.means}, {"scales", fit.scaling.scales}, {"weights", fit.solver_weights}};
    file["iterations"] = fit.iterations;
    file["passes"] = fit.passes;
    file["checksum"] = checksum(file.dump());
    return file;
}

template <class Model, class T, class C>
void from_json(nlohmann::json file, const std::string& path, fitted<Model, T, C>& fit) {
    const auto refuse = [&](const std::string& why) { throw core::data_error(core::text(path, ": ", why)); };
    if (!file.is_object() || file.value("format", "") != "gamut model")
        refuse("no model (it lacks \"format\": \"gamut model\")");
    if (file.value("version", 0) != model_file_version)
        refuse(core::text("version ", file.value("version", 0), " (this library reads ", model_file_version, ")"));
    const std::string sum = file.value("checksum", "");
    file.erase("checksum");
    if (checksum(file.dump()) != sum)
        refuse("the checksum is wrong (the file was changed or damaged) save the model again");
    if (file.at("model").get<std::string>() != model_name<Model>())
        refuse(core::text("a ", file.at("model").get<std::string>(), " model (a ", model_name<Model>(),
                          " model is wanted)"));
    fit.message = file.at("message");
    fit.objective =
        file.at("objective").is_null() ? std::numeric_limits<double>::quiet_NaN() : file.at("objective").get<double>();
    fit.label = file.at("label");
    fit.classes = file.at("classes").get<std::vector<std::string>>();
    fit.outputs = file.at("outputs");
    fit.features = file.at("columns").get<std::vector<std::string>>();
    fit.iterations = file.at("iterations");
    fit.passes = file.at("passes");
    for (const core::status s :
         {core::status::converged, core::status::iteration_limit, core::status::time_limit, core::status::stopped,
          core::status::diverged, core::status::separable, core::status::stalled})
        if (core::name(s) == file.at("status").get<std::string>()) fit.status = s;
    const auto names = file.at("features").get<std::vector<std::string>>();
    const auto& weights = file.at("weights");
    if (weights.size() != names.size()) refuse(core::text(weights.size(), " weights for ", names.size(), " features"));
    if (fit.outputs < 1) refuse("no outputs");
    fit.weights.assign(fit.features.size() * fit.outputs, 0.0);
    std::size_t j = 0;
    for (std::size_t i = 0; i < names.size(); ++i, ++j) {
        while (j < fit.features.size() && fit.features[j] != names[i]) ++j;
        if (j == fit.features.size()) refuse(core::text("feature '", names[i], "' is none of its columns"));
        std::vector<double> row;
        append_outputs(weights[i], fit.outputs, row);
        std::copy(row.begin(), row.end(), fit.weights.begin() + static_cast<std::ptrdiff_t>(j * fit.outputs));
    }
    fit.intercept.clear();
    append_outputs(file.at("intercept"), fit.outputs, fit.intercept);
    fit.scaling.means = file.at("standardization").at("means").get<std::vector<double>>();
    fit.scaling.scales = file.at("standardization").at("scales").get<std::vector<double>>();
    fit.solver_weights = file.at("standardization").at("weights").get<std::vector<double>>();
}

}  // namespace detail

/// Writes a fitted model; the file appears whole or not at all. Collective: rank 0 writes, all ranks learn of a failure.
template <class Model, class T, class C> void save(const fitted<Model, T, C>& fit, const std::string& path) {
    communicator::agree(fit.communicator, [&] {
        if (fit.communicator.rank() != 0) return;
        core::whole_file file(path);
        file.write(detail::to_json(fit).dump(1) + "\n");
        file.close();
    });
}

/// Reads a fitted model: auto fit = load<model::logistic>("model.json"); parameters of a model of one's own come with
/// `model`. Collective: rank 0 reads, all ranks get the same model or throw the same data_error.
template <class Model, class T = double, communicator::Communicator C = communicator::single<>>
fitted<Model, T, C> load(const std::string& path, const C& ranks = {}, const Model& model = {}) {
    std::string text;
    communicator::agree(ranks, [&] {
        if (ranks.rank() != 0) return;
        std::ifstream file(path, std::ios::binary);
        if (!file) throw core::data_error(core::text(path, ": cannot be opened (does it exist?)"));
        file.seekg(0, std::ios::end);
        if (static_cast<std::size_t>(file.tellg()) > detail::largest_model_file)
            throw core::data_error(
                core::text(path, ": ", static_cast<std::size_t>(file.tellg()), " bytes (no model is that large)"));
        file.seekg(0);
        text.assign(std::istreambuf_iterator<char>(file), {});
    });
    std::int64_t size = static_cast<std::int64_t>(text.size());
    ranks.broadcast(std::span<std::int64_t>(&size, 1), 0);
    text.resize(static_cast<std::size_t>(size));
    ranks.broadcast(std::span<std::uint8_t>(reinterpret_cast<std::uint8_t*>(text.data()), text.size()), 0);

    fitted<Model, T, C> fit{.communicator = ranks};
    fit.model = model;
    fit.communicator = ranks;
    communicator::agree(ranks, [&] {
        try {
            detail::from_json(nlohmann::json::parse(text), path, fit);
        } catch (const nlohmann::json::parse_error& problem) {
            const std::size_t at = std::min(problem.byte, text.size());
            const auto line = 1 + std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(at), '\n');
            const std::size_t before = at == 0 ? std::string::npos : text.rfind('\n', at - 1);
            throw core::data_error(core::text(path, ":", static_cast<std::size_t>(line), ":",
                                              before == std::string::npos ? at : at - before, ": no JSON (",
                                              problem.what(), ")"));
        } catch (const nlohmann::json::exception& problem) {
            throw core::data_error(core::text(path, ": a member is missing or of another type (", problem.what(), ")"));
        }
    });
    return fit;
}

}  // namespace gamut

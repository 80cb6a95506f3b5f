// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <gamut/communicator/agree.hpp>
#include <gamut/communicator/single.hpp>
#include <gamut/core/error.hpp>
#include <gamut/core/is_utf8.hpp>
#include <gamut/core/text.hpp>
#include <gamut/core/whole_file.hpp>
#include <gamut/fitted_network.hpp>
#include <gamut/model_file.hpp>

/// Fitted networks as JSON files; see model_file.hpp, whose rules they follow:
///   blocks, weights       rows and columns of each block of parameters, and all of them, one after another
///   statistics            means over rows that the network takes
///   columns, classes, label, standardization, status, message, objective, model, format, version, checksum
/// The layers are not in the file: whoever loads it names them, and the blocks must be theirs.
namespace gamut {

namespace detail {

template <class Model, class T, class C> void put(const fitted_network<Model, T, C>& fit, nlohmann::json& file) {
    const auto check_text = [](const std::string& text) {
        if (!core::is_utf8(text))
            throw core::data_error(core::text("save: '", core::visible(text, 40),
                                              "' is not UTF-8 (a model file is; Latin-1?) rename it in the fit"));
    };
    for (const auto& name : fit.features) check_text(name);
    for (const auto& name : fit.classes) check_text(name);
    check_text(fit.label);
    for (const auto* const numbers : {&fit.weights, &fit.statistics, &fit.scaling.means, &fit.scaling.scales})
        for (const double number : *numbers)
            if (!std::isfinite(number))
                throw core::data_error(core::text("save: one of the fit's numbers is ", number,
                                                  " (nothing can be predicted with it) fit the network again"));
    file["format"] = "gamut network";
    file["version"] = model_file_version;
    file["model"] = model_name<Model>();
    file["blocks"] = nlohmann::json::array();
    for (const auto& b : fit.blocks) file["blocks"].push_back({b.rows, b.columns});
    file["weights"] = fit.weights;
    file["statistics"] = fit.statistics;
    file["columns"] = fit.features;
    file["classes"] = fit.classes;
    file["label"] = fit.label;
    auto& units = file["standardization"];
    units["means"] = fit.scaling.means;
    units["scales"] = fit.scaling.scales;
    units["constant"] = fit.scaling.constant;
    file["status"] = core::name(fit.status);
    file["message"] = fit.message;
    file["objective"] = fit.objective;
    file["iterations"] = fit.iterations;
    file["passes"] = fit.passes;
    file["checksum"] = checksum(file.dump());
}

template <class Model, class T, class C>
void from_json(nlohmann::json file, const std::string& path, fitted_network<Model, T, C>& fit) {
    const emptied_at_end emptied(file);
    const model_file_reader read(file, path);
    check_head(file, read, "network");
    if (const std::string name = read.text("model"); name != model_name<Model>())
        read.refuse("a ", core::visible(name, 40), " (a ", model_name<Model>(), " is wanted)");

    fit.features = read.texts("columns");
    fit.classes = read.texts("classes");
    fit.label = read.text("label");
    fit.message = read.text("message");
    fit.objective = read.at("objective").is_null() ? std::numeric_limits<double>::quiet_NaN()
                                                   : read.number("objective", read.at("objective"));
    fit.iterations = read.count("iterations");
    fit.passes = read.count("passes");
    for (const core::status s : core::every_status)
        if (core::name(s) == read.text("status")) fit.status = s;
    fit.outputs = model::outputs_of(fit.model, fit.classes.size());
    if (model::is_classification<Model> ? fit.classes.size() < 2 : !fit.classes.empty())
        read.wrong("classes", "has ", fit.classes.size(), " (a ", model_name<Model>(),
                   model::is_classification<Model> ? " tells two or more apart)" : " has none)");

    fit.model.check_outputs(fit.features.size(), fit.outputs);
    fit.blocks = fit.model.shapes(fit.features.size());
    const auto& blocks = read.list("blocks");
    bool same = blocks.size() == fit.blocks.size();
    std::size_t parameters = 0;
    for (std::size_t b = 0; same && b < fit.blocks.size(); ++b) {
        same = blocks[b].is_array() && blocks[b].size() == 2 && blocks[b][0] == fit.blocks[b].rows &&
               blocks[b][1] == fit.blocks[b].columns;
        parameters += fit.blocks[b].size();
    }
    if (!same)
        read.wrong("blocks", "are not those of the layers (", fit.blocks.size(),
                   " blocks of parameters) name the layers that were fitted, or");
    fit.weights = read.numbers("weights");
    if (fit.weights.size() != parameters)
        read.wrong("weights", "has ", fit.weights.size(), " (the blocks have ", parameters, ")");
    fit.statistics = read.numbers("statistics");
    const auto scaling = read.object("standardization");
    fit.scaling.means = scaling.numbers("means");
    fit.scaling.scales = scaling.numbers("scales");
    for (const double j : scaling.numbers("constant")) fit.scaling.constant.push_back(static_cast<std::size_t>(j));
    for (const std::size_t n : {fit.scaling.means.size(), fit.scaling.scales.size()})
        if (n != fit.scaling.means.size() || (n != 0 && n != fit.features.size()))
            scaling.wrong("means", "and scales are ", n, " (there are ", fit.features.size(), " columns)");
    for (const std::size_t j : fit.scaling.constant)
        if (j >= fit.scaling.scales.size()) scaling.wrong("constant", "has ", j, " (no such column)");
}

}  // namespace detail

/// Writes a fitted network; the file appears whole or not at all. Collective: rank 0 writes, all ranks learn of a failure.
template <class Model, class T, class C> void save(const fitted_network<Model, T, C>& fit, const std::string& path) {
    communicator::agree(fit.communicator, [&] {
        if (fit.communicator.rank() != 0) return;
        nlohmann::json made;
        const detail::emptied_at_end emptied(made);
        detail::put(fit, made);
        core::whole_file file(path);
        file.write(made.dump(1) + "\n");
        file.close();
    });
}

/// Reads a fitted network of these layers: auto fit = load_network("net.json", network::classifier{...}). Collective: rank 0 reads, all
/// ranks get the same network or throw the same error.
template <class Model, class T = double, communicator::Communicator C = communicator::single<>>
fitted_network<Model, T, C> load_network(const std::string& path, const Model& model, const C& ranks = {}) {
    fitted_network<Model, T, C> fit{.model = model, .communicator = ranks};
    const std::string text = detail::text_on_all_ranks(path, ranks);
    communicator::agree(ranks, [&] {
        detail::read_json(text, path, [&](nlohmann::json file) { detail::from_json(std::move(file), path, fit); });
    });
    return fit;
}

}  // namespace gamut

// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include <gamut/communicator/agree.hpp>
#include <gamut/communicator/single.hpp>
#include <gamut/core/error.hpp>
#include <gamut/core/is_utf8.hpp>
#include <gamut/core/text.hpp>
#include <gamut/core/whole_file.hpp>
#include <gamut/fitted.hpp>
#include <gamut/model/concept.hpp>

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
inline constexpr int deepest_model_file = 16;  // save() nests three deep; what writes JSON recurses

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

/// Empties a document when its scope ends, from its leaves on: what is left of it is destroyed without taking memory, which the library
/// of JSON does for what is in lists and objects, and where there is none that would end the program.
class emptied_at_end {
public:
    explicit emptied_at_end(nlohmann::json& file) : file_(file) {}
    ~emptied_at_end() { empty(file_); }
    emptied_at_end(const emptied_at_end&) = delete;
    emptied_at_end& operator=(const emptied_at_end&) = delete;

private:
    static void empty(nlohmann::json& one) noexcept {
        if (!one.is_structured()) return;
        for (nlohmann::json& inner : one) empty(inner);  // as deep as deepest_model_file
        one.clear();
    }
    nlohmann::json& file_;
};

/// One number per row, or a list of `outputs` numbers.
inline nlohmann::json by_output(const double* values, std::size_t outputs) {
    if (outputs == 1) return *values;
    return std::vector<double>(values, values + outputs);
}

/// A name that another one equals; null: there is none.
inline const std::string* found_twice(const std::vector<std::string>& names) {
    std::unordered_set<std::string_view> seen;
    for (const auto& name : names)
        if (!seen.insert(name).second) return &name;
    return nullptr;
}

/// Throws when a fit has what a file cannot hold, or a reader could not use.
template <class Model, class T, class C> void check_before_saving(const fitted<Model, T, C>& fit) {
    const auto check_text = [](std::string_view what, const std::string& text) {
        if (!core::is_utf8(text))
            throw core::data_error(core::text("save: ", what, " '", core::visible(text),
                                              "' is not UTF-8 (a model file is; Latin-1?) ", "change the fit's ", what,
                                              ", and save it again"));
    };
    for (const auto& name : fit.features) check_text("features", name);
    for (const auto& name : fit.classes) check_text("classes", name);
    check_text("label", fit.label);
    check_text("message", fit.message);
    for (const auto* const names : {&static_cast<const std::vector<std::string>&>(fit.features), &fit.classes})
        if (const std::string* const twice = found_twice(*names))
            throw core::data_error(core::text("save: ", names == &fit.classes ? "classes" : "features", " has '",
                                              core::visible(*twice, 40), "' twice (they are told apart by name) ",
                                              "rename one in the fit, and save it again"));
    const auto check_numbers = [](std::string_view what, const std::vector<double>& numbers) {
        for (const double number : numbers)
            if (!std::isfinite(number))
                throw core::data_error(core::text("save: one of the fit's ", what, " is ", number,
                                                  " (nothing can be predicted with it) fit the model again"));
    };
    check_numbers("weights", fit.weights);
    check_numbers("weights", fit.solver_weights);
    check_numbers("intercepts", fit.intercept);
    check_numbers("means", fit.scaling.means);
    check_numbers("scales", fit.scaling.scales);
}

template <class Model, class T, class C> void put(const fitted<Model, T, C>& fit, nlohmann::json& file) {
    check_before_saving(fit);
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
    auto& units = file["standardization"];
    units["means"] = fit.scaling.means;
    units["scales"] = fit.scaling.scales;
    units["weights"] = fit.solver_weights;
    file["iterations"] = fit.iterations;
    file["passes"] = fit.passes;
    file["checksum"] = checksum(file.dump());
}

/// The members of a model file, each checked for its type and range before it becomes a value.
class model_file_reader {
public:
    model_file_reader(const nlohmann::json& object, const std::string& path) : file(object), path_(path) {}

    template <class... Parts> [[noreturn]] void refuse(const Parts&... parts) const {
        throw core::data_error(core::text(path_, ": ", parts...));
    }
    template <class... Parts> [[noreturn]] void wrong(const char* name, const Parts&... why) const {
        refuse("member \"", name, "\" ", why..., " save the model again");
    }

    const nlohmann::json& at(const char* name) const {
        const auto found = file.find(name);
        if (found == file.end()) wrong(name, "is missing (every model file has it)");
        return *found;
    }
    model_file_reader object(const char* name) const {
        if (!at(name).is_object()) wrong(name, "is no object (one in braces is needed)");
        return {at(name), path_};
    }
    const nlohmann::json& list(const char* name) const {
        if (!at(name).is_array()) wrong(name, "is no list (one in brackets is needed)");
        return at(name);
    }
    std::string text(const char* name) const {
        if (!at(name).is_string()) wrong(name, "is no text (one in quotes is needed)");
        return at(name).template get<std::string>();
    }
    std::vector<std::string> texts(const char* name) const {
        std::vector<std::string> all;
        for (const auto& one : list(name)) {
            if (!one.is_string()) wrong(name, "has ", shown(one), " (texts in quotes are needed)");
            all.push_back(one.template get<std::string>());
        }
        return all;
    }
    std::size_t count(const char* name) const {
        const auto& value = at(name);
        if (!value.is_number_unsigned())
            wrong(name, "is ", shown(value), " (a whole number from 0 to 18446744073709551615 is needed)");
        return value.template get<std::size_t>();
    }
    double number(const char* name, const nlohmann::json& value) const {
        if (!value.is_number()) wrong(name, "has ", shown(value), " (a number is needed)");
        const auto as_number = value.template get<double>();
        if (!std::isfinite(as_number)) wrong(name, "has ", shown(value), " (a finite number is needed)");
        return as_number;
    }
    std::vector<double> numbers(const char* name) const {
        std::vector<double> all;
        for (const auto& one : list(name)) all.push_back(number(name, one));
        return all;
    }
    /// One number, or a list of `outputs` numbers.
    void append_outputs(const char* name, const nlohmann::json& from, std::size_t outputs,
                        std::vector<double>& to) const {
        if (outputs == 1) return to.push_back(number(name, from));
        if (!from.is_array() || from.size() != outputs)
            wrong(name, "has ", shown(from), " (a list of ", outputs, " numbers, one per output, is needed)");
        for (const auto& one : from) to.push_back(number(name, one));
    }

private:
    static std::string shown(const nlohmann::json& value) {
        std::string text = value.is_structured() ? core::text("a list of ", value.size())
                                                 : value.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
        return text.size() > 40 ? text.substr(0, 40) + "..." : text;
    }

    const nlohmann::json& file;
    const std::string& path_;
};

/// Checks format, version and checksum of a file of that kind, and takes the checksum out of it.
inline void check_head(nlohmann::json& file, const model_file_reader& read, const char* kind) {
    const std::string format = core::text("gamut ", kind);
    if (!file.is_object() || !file.contains("format") || file["format"] != format)
        read.refuse("no ", kind, " (it lacks \"format\": \"", format, "\") name a file that save() wrote");
    if (const std::size_t version = read.count("version"); version != model_file_version)
        read.refuse("version ", version, " (this library reads ", model_file_version, ")");
    const std::string sum = read.text("checksum");
    file.erase("checksum");
    if (checksum(file.dump()) != sum)
        read.refuse("the checksum is wrong (the file was changed or damaged) save the ", kind, " again");
}

template <class Model, class T, class C>
void from_json(nlohmann::json file, const std::string& path, fitted<Model, T, C>& fit) {
    const emptied_at_end emptied(file);
    const model_file_reader read(file, path);
    check_head(file, read, "model");
    if (const std::string name = read.text("model"); name != model_name<Model>())
        read.refuse("a ", core::visible(name, 40), " model (a ", model_name<Model>(), " model is wanted)");

    fit.message = read.text("message");
    fit.objective = read.at("objective").is_null() ? std::numeric_limits<double>::quiet_NaN()
                                                   : read.number("objective", read.at("objective"));
    fit.iterations = read.count("iterations");
    fit.passes = read.count("passes");
    const std::string status = read.text("status");
    bool known = false;
    for (const core::status s : core::every_status) {
        if (core::name(s) != status) continue;
        fit.status = s;
        known = true;
    }
    if (!known) read.wrong("status", "is '", core::visible(status, 40), "' (no such status)");

    fit.label = read.text("label");
    fit.classes = read.texts("classes");
    fit.features = read.texts("columns");
    if (found_twice(fit.classes)) read.wrong("classes", "has a class twice (they must differ)");
    if (const std::string* const twice = found_twice(fit.features))
        read.wrong("columns", "has '", core::visible(*twice, 40), "' twice (they must differ)");
    if (fit.features.empty()) read.wrong("columns", "is empty (a model has one or more)");
    if (model::is_classification<Model> ? fit.classes.size() < 2 : !fit.classes.empty())
        read.wrong("classes", "has ", fit.classes.size(), " (a ", model_name<Model>(), " model ",
                   model::is_classification<Model> ? "tells two or more apart)" : "has none)");
    if constexpr (requires { Model::most_classes; })
        if (fit.classes.size() > Model::most_classes)
            read.wrong("classes", "has ", fit.classes.size(), " (a ", model_name<Model>(), " model tells ",
                       Model::most_classes, " apart)");
    fit.outputs = read.count("outputs");
    if (const std::size_t needed = model::outputs_of(fit.model, fit.classes.size());
        fit.outputs != needed || fit.outputs == 0)
        read.wrong("outputs", "is ", fit.outputs, " (this model has ", needed, ")");

    const std::size_t p = fit.features.size();
    const auto scaling = read.object("standardization");
    fit.scaling.means = scaling.numbers("means");
    fit.scaling.scales = scaling.numbers("scales");
    fit.solver_weights = scaling.numbers("weights");
    const auto check_size = [&](const char* name, std::size_t size) {
        if (size != 0 && size != p) scaling.wrong(name, "has ", size, " (there are ", p, " columns)");
    };
    check_size("means", fit.scaling.means.size());
    check_size("scales", fit.scaling.scales.size());
    if (fit.scaling.means.size() != fit.scaling.scales.size())
        scaling.wrong("means", "has ", fit.scaling.means.size(), " (there are ", fit.scaling.scales.size(), " scales)");
    for (const double scale : fit.scaling.scales)
        if (!(scale > 0)) scaling.wrong("scales", "has ", scale, " (a scale is above 0)");
    const std::size_t given = fit.solver_weights.size();
    if (given != 0 && given != p * fit.outputs && given != (p + 1) * fit.outputs)
        scaling.wrong("weights", "has ", given, " (", p * fit.outputs, ", or ", fit.outputs, " more with intercepts)");
    if (given == 0 && p * fit.outputs > largest_model_file / sizeof(double))  // few bytes, many columns and classes
        read.refuse(p, " columns and ", fit.outputs, " outputs without \"weights\" in \"standardization\" (more than ",
                    largest_model_file / sizeof(double), " weights are believed only if all are there) ",
                    "save the model again");

    const auto names = read.texts("features");
    const auto& weights = read.list("weights");
    if (weights.size() != names.size())
        read.wrong("weights", "has ", weights.size(), " (there are ", names.size(), " features)");
    fit.intercept.clear();  // before there is room for weights: a list of `outputs` numbers stands in the file
    read.append_outputs("intercept", read.at("intercept"), fit.outputs, fit.intercept);
    fit.weights.assign(p * fit.outputs, 0.0);
    std::size_t j = 0;
    for (std::size_t i = 0; i < names.size(); ++i, ++j) {
        while (j < p && fit.features[j] != names[i]) ++j;
        if (j == p)
            read.wrong("features", "has '", core::visible(names[i], 40),
                       "' (it is none of the columns, or not in their order)");
        std::vector<double> row;
        read.append_outputs("weights", weights[i], fit.outputs, row);
        std::copy(row.begin(), row.end(), fit.weights.begin() + static_cast<std::ptrdiff_t>(j * fit.outputs));
    }
}

/// All bytes of a model file.
inline std::string model_file_text(const std::string& path) {
    const auto refuse = [&](const auto&... parts) { throw core::data_error(core::text(path, ": ", parts...)); };
    // never waits for a FIFO's writer
    const int handle = ::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (handle < 0) refuse("cannot be opened (", std::strerror(errno), ") check the path and the permissions");
    struct closer {
        int handle;
        ~closer() { ::close(handle); }
    } const close_at_end{handle};
    struct stat status {};
    if (::fstat(handle, &status) != 0) refuse("cannot be read (", std::strerror(errno), ") check the disk");
    if (S_ISDIR(status.st_mode)) refuse("is a directory (a file is needed) name a file in it");
    if (!S_ISREG(status.st_mode)) refuse("is not a regular file (a model is read at once) copy it to a file first");
    if (static_cast<std::size_t>(status.st_size) > largest_model_file)
        refuse(static_cast<std::size_t>(status.st_size),
               " bytes (no model is that large) name a file that save() wrote");
    std::string text(static_cast<std::size_t>(status.st_size), '\0');
    std::size_t done = 0;
    while (done < text.size()) {
        const auto got = ::read(handle, text.data() + done, text.size() - done);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) refuse("cannot be read (", std::strerror(errno), ") check the disk");
        if (got == 0) break;  // it shrank: what is left is no JSON
        done += static_cast<std::size_t>(got);
    }
    text.resize(done);
    return text;
}

/// What the library of JSON says, without its own numbers and places, nor the bytes of the file that a terminal would obey.
inline std::string reason_of(const nlohmann::json::exception& problem) {
    std::string reason = problem.what();
    for (const std::string_view before : {"] ", ": "})
        if (const auto at = reason.find(before); at != reason.npos) reason.erase(0, at + before.size());
    return core::visible(reason, 200);
}

/// The text as JSON, unless it nests too deep.
inline nlohmann::json parsed_model_file(const std::string& text, const std::string& path) {
    const auto check = [&](int depth, nlohmann::json::parse_event_t, const nlohmann::json&) {
        if (depth > deepest_model_file)
            throw core::data_error(core::text(path, ": no model (lists or objects lie more than ", deepest_model_file,
                                              " deep in each other) name a file that save() wrote"));
        return true;
    };
    return nlohmann::json::parse(text, check);
}

/// All bytes of a model file, read by rank 0, on all ranks. Collective.
template <communicator::Communicator C> std::string text_on_all_ranks(const std::string& path, const C& ranks) {
    std::string text;
    communicator::agree(ranks, [&] {
        if (ranks.rank() != 0) return;
        text = model_file_text(path);
    });
    std::int64_t size = static_cast<std::int64_t>(text.size());
    ranks.broadcast(std::span<std::int64_t>(&size, 1), 0);
    text.resize(static_cast<std::size_t>(size));
    ranks.broadcast(std::span<std::uint8_t>(reinterpret_cast<std::uint8_t*>(text.data()), text.size()), 0);
    return text;
}

/// read(json) of a file's text.
template <class Read> void read_json(const std::string& text, const std::string& path, const Read& read) {
    try {
        read(parsed_model_file(text, path));
    } catch (const nlohmann::json::parse_error& problem) {
        const std::size_t at = std::min(problem.byte, text.size());
        const auto line = 1 + std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(at), '\n');
        const std::size_t before = at == 0 ? std::string::npos : text.rfind('\n', at - 1);
        throw core::data_error(core::text(path, ":", static_cast<std::size_t>(line), ":",
                                          before == std::string::npos ? at : at - before, ": no JSON (",
                                          reason_of(problem), ") name a file that save() wrote"));
    } catch (const nlohmann::json::exception& problem) {  // a number beyond what a double holds
        throw core::data_error(core::text(path, ": cannot be read (", reason_of(problem), ") save the model again"));
    }
}

}  // namespace detail

/// Writes a fitted model; the file appears whole or not at all. Collective: rank 0 writes, all ranks learn of a failure.
template <class Model, class T, class C> void save(const fitted<Model, T, C>& fit, const std::string& path) {
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

/// Reads a fitted model: auto fit = load<model::logistic>("model.json"); parameters of a model of one's own come with
/// `model`. Collective: rank 0 reads, all ranks get the same model or throw the same data_error.
template <class Model, class T = double, communicator::Communicator C = communicator::single<>>
fitted<Model, T, C> load(const std::string& path, const C& ranks = {}, const Model& model = {}) {
    const std::string text = detail::text_on_all_ranks(path, ranks);
    fitted<Model, T, C> fit{.communicator = ranks};
    fit.model = model;
    fit.communicator = ranks;
    communicator::agree(ranks, [&] {
        detail::read_json(text, path, [&](nlohmann::json file) { detail::from_json(std::move(file), path, fit); });
    });
    return fit;
}

}  // namespace gamut

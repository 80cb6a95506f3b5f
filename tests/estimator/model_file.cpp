// SPDX-License-Identifier: BSL-1.0
#include <gamut/model_file.hpp>

#include <boost/test/unit_test.hpp>

#include <sys/stat.h>

#include <cstddef>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>
#include <string>
#include <vector>

#include <unistd.h>

#include <gamut/communicator/threads.hpp>
#include <gamut/data/arrays.hpp>
#include <gamut/model/linear.hpp>
#include <gamut/model/logistic.hpp>
#include <gamut/model/softmax.hpp>

using namespace gamut;

namespace {

struct folder {
    std::filesystem::path path = std::filesystem::temp_directory_path() / core::text("gamut_model_file_", ::getpid());
    folder() {
        std::filesystem::remove_all(path);
        std::filesystem::create_directories(path);
    }
    ~folder() { std::filesystem::remove_all(path); }
    std::string operator/(const char* name) const { return (path / name).string(); }
};

fitted<model::softmax> example() {
    fitted<model::softmax> fit;
    fit.outputs = 3;
    fit.features = {"petal length", "with \"quotes\", commas\nand \xc3\xa4", "unused", "x3"};
    fit.classes = {"a", "b b", "\xe2\x82\xac"};
    fit.label = "kind";
    fit.weights = {0.1, -1e300, 5e-324, 1. / 3, 0, -0.0, 0, 0, 0, 1, 2, 3};
    fit.intercept = {1e-17, -2, 3};
    fit.scaling.means = {1, 2, 3, 1. / 7};
    fit.scaling.scales = {1, 0.1, 1e-10, 1e10};
    fit.solver_weights = {0.1, -1e299, 0, 0, 0, 0, 0, 0, 0, 1e10, 2e10, 3e10, 1, 2, 3};
    fit.objective = 0.1 + 0.2;
    fit.status = core::status::iteration_limit;
    fit.message = "the limit of 3 iterations is used up";
    fit.iterations = 3;
    fit.passes = 17;
    return fit;
}

std::string text_of(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}
void write(const std::string& path, const std::string& text) { std::ofstream(path, std::ios::binary) << text; }

/// What loading a text says.
template <class Model = model::softmax> std::string complaint(const std::string& path, const std::string& text) {
    write(path, text);
    try {
        load<Model>(path);
    } catch (const core::data_error& problem) {
        return problem.what();
    }
    return "";
}

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

BOOST_AUTO_TEST_SUITE(model_file)

BOOST_AUTO_TEST_CASE(a_loaded_model_is_the_saved_one) {
    const folder files;
    const auto saved = example();
    save(saved, files / "model.json");
    const auto loaded = load<model::softmax>(files / "model.json");
    BOOST_TEST(loaded.outputs == saved.outputs);
    BOOST_TEST(loaded.features == saved.features, boost::test_tools::per_element());
    BOOST_TEST(loaded.classes == saved.classes, boost::test_tools::per_element());
    BOOST_TEST(loaded.label == saved.label);
    BOOST_TEST(loaded.weights == saved.weights, boost::test_tools::per_element());
    BOOST_TEST(loaded.intercept == saved.intercept, boost::test_tools::per_element());
    BOOST_TEST(loaded.scaling.means == saved.scaling.means, boost::test_tools::per_element());
    BOOST_TEST(loaded.scaling.scales == saved.scaling.scales, boost::test_tools::per_element());
    BOOST_TEST(loaded.solver_weights == saved.solver_weights, boost::test_tools::per_element());
    BOOST_TEST(loaded.objective == saved.objective);
    BOOST_TEST(core::name(loaded.status) == core::name(saved.status));
    BOOST_TEST(loaded.message == saved.message);
    BOOST_TEST(loaded.iterations == saved.iterations);
    BOOST_TEST(loaded.passes == saved.passes);
    BOOST_TEST((loaded.support() == std::vector<std::size_t>{0, 1, 3}));
}

BOOST_AUTO_TEST_CASE(a_loaded_model_gives_the_same_predictions) {
    const folder files;
    auto saved = example();
    saved.weights = {0.1, -1, 1. / 3, 0, 0.7, 0, 0, 0, 0, 1, 2, 3};
    save(saved, files / "model.json");
    backend::dense_matrix<double> x(5, 4);
    for (std::size_t k = 0; k < 20; ++k) x.values[k] = 0.3 * static_cast<double>(k) - 2;
    data::arrays source(x);
    source.features = saved.features;
    const auto expected = saved.predict(source);
    const auto found = load<model::softmax>(files / "model.json").predict(source);
    BOOST_TEST(found.values == expected.values, boost::test_tools::per_element());
    BOOST_TEST(found.class_name(4) == expected.class_name(4));
}

BOOST_AUTO_TEST_CASE(an_objective_that_is_not_finite_survives) {
    const folder files;
    auto fit = example();
    fit.objective = std::numeric_limits<double>::quiet_NaN();
    fit.status = core::status::diverged;
    save(fit, files / "model.json");
    const auto loaded = load<model::softmax>(files / "model.json");
    BOOST_TEST(loaded.objective != loaded.objective);
    BOOST_TEST(core::name(loaded.status) == "diverged");
}

BOOST_AUTO_TEST_CASE(the_file_names_what_a_reader_looks_for) {
    const folder files;
    save(example(), files / "model.json");
    const auto file = nlohmann::json::parse(text_of(files / "model.json"));
    BOOST_TEST(file.at("status").get<std::string>() == "iteration limit");
    BOOST_TEST(file.at("features").size() == 3u);
    BOOST_TEST(file.at("weights").size() == 3u);
    BOOST_TEST(file.at("weights")[2][1].get<double>() == 2);
    BOOST_TEST(file.at("intercept")[1].get<double>() == -2);
    BOOST_TEST(file.at("objective").get<double>() == 0.1 + 0.2);
}

BOOST_AUTO_TEST_CASE(all_ranks_load_the_same_model_or_fail_together) {
    const folder files;
    save(example(), files / "model.json");
    communicator::threads<>::run(3, [&](const communicator::threads<>& ranks) {
        const auto loaded = load<model::softmax>(files / "model.json", ranks);
        if (loaded.weights != example().weights) throw core::error("other weights");
        save(loaded, files / "again.json");
        try {
            load<model::softmax>(files / "missing.json", ranks);
            throw core::error("loaded what is not there");
        } catch (const core::data_error&) {}
        try {
            save(loaded, files / "no_such_folder/model.json");
            throw core::error("saved where there is no folder");
        } catch (const core::error& problem) {
            if (std::string(problem.what()).find("no_such_folder") == std::string::npos) throw;
        }
    });
    BOOST_TEST(text_of(files / "again.json") == text_of(files / "model.json"));
}

BOOST_AUTO_TEST_CASE(damaged_files_are_refused_by_name) {
    const folder files;
    const std::string path = files / "model.json";
    save(example(), path);
    const std::string good = text_of(path);
    BOOST_TEST_REQUIRE(complaint(path, good) == "");

    std::string changed = good;
    changed.replace(changed.find("\"intercept\""), 0, " ");  // blanks mean nothing in JSON
    BOOST_TEST(complaint(path, changed) == "");
    changed = good;
    changed[changed.find("17")] = '8';
    BOOST_TEST(contains(complaint(path, changed), path + ": the checksum is wrong"), complaint(path, changed));

    // cut anywhere: always an error, and the file's name in it
    for (std::size_t length = 0; length + 2 < good.size(); length += 37)
        BOOST_TEST(contains(complaint(path, good.substr(0, length)), path), length);
    BOOST_TEST(contains(complaint(path, good.substr(0, good.size() / 2)), path + ":"));

    // one byte wrong anywhere: an error, or a file that means the same
    std::size_t refused = 0;
    for (std::size_t at = 0; at < good.size(); at += 11) {
        changed = good;
        changed[at] = static_cast<char>(changed[at] ^ 0x01);
        refused += complaint(path, changed) != "";
    }
    BOOST_TEST(refused > good.size() / 11 * 6 / 10);

    BOOST_TEST(contains(complaint(path, ""), path));
    BOOST_TEST(contains(complaint(path, "[1, 2]"), "no model"));
    BOOST_TEST(contains(complaint(path, "{}"), "no model"));
    BOOST_TEST(contains(complaint(path, "{\"format\": 3}"), path));
    BOOST_TEST(contains(complaint(path, "\xff\xfe"), path));
    BOOST_TEST(contains(complaint(path, std::string(10000, '[')), path));
    changed = good;
    changed.replace(changed.find("\"version\": 1"), 12, "\"version\": 2");
    BOOST_TEST(contains(complaint(path, changed), "version 2 (this library reads 1)"), complaint(path, changed));
}

BOOST_AUTO_TEST_CASE(a_model_of_another_type_is_refused) {
    const folder files;
    save(example(), files / "model.json");
    const std::string text = text_of(files / "model.json");
    BOOST_TEST(contains(complaint<model::logistic>(files / "other.json", text),
                        "a softmax model (a logistic model is wanted)"));
    BOOST_TEST(
        contains(complaint<model::linear>(files / "other.json", text), "a softmax model (a linear model is wanted)"));
}

BOOST_AUTO_TEST_CASE(every_member_is_checked_for_its_type_and_range) {
    const folder files;
    const std::string path = files / "model.json";
    save(example(), path);
    const auto good = nlohmann::json::parse(text_of(path));
    using json = nlohmann::json;
    const auto says = [&](const char* pointer, const json& value) {
        json changed = good;
        changed[json::json_pointer(pointer)] = value;
        changed.erase("checksum");
        changed["checksum"] = detail::checksum(changed.dump());
        const std::string said = complaint(path, changed.dump(1));
        BOOST_TEST(said.find("json.exception") == said.npos, said);
        return said;
    };
    BOOST_TEST(says("/passes", 17) == "");
    BOOST_TEST(says("/objective", nullptr) == "");
    BOOST_TEST(says("/standardization/weights", json::array()) == "");
    BOOST_TEST(says("/standardization",
                    {{"means", json::array()}, {"scales", json::array()}, {"weights", json::array()}}) == "");

    const auto refuses = [&](const char* pointer, const json& value, const char* words) {
        const auto said = says(pointer, value);
        BOOST_TEST(said.starts_with(path + ": "), said);
        BOOST_TEST(contains(said, words), said << " lacks " << words);
    };
    for (const char* count : {"passes", "iterations", "outputs", "version"})
        for (const json& value : {json(3.8e21), json(-1), json(1.5), json("3"), json(nullptr), json(true)})
            refuses(core::text('/', count).c_str(), value,
                    core::text("member \"", count, "\" is ", value.dump(), " (a whole number from 0 to").c_str());
    refuses("/outputs", 0, "member \"outputs\" is 0 (this model has 3)");
    refuses("/outputs", 4, "member \"outputs\" is 4 (this model has 3)");
    refuses("/outputs", 18446744073709551615u, "(this model has 3)");
    refuses("/objective", "low", "member \"objective\" has \"low\" (a number is needed)");
    refuses("/status", "wonderful", "member \"status\" is 'wonderful' (no such status)");
    refuses("/status", 3, "member \"status\" is no text");
    refuses("/message", json::array(), "member \"message\" is no text");
    refuses("/label", nullptr, "member \"label\" is no text");
    refuses("/classes", json::array({"a", "b", "a"}), "has a class twice");
    refuses("/classes", json::array({"a"}), "member \"classes\" has 1 (a softmax model tells two or more apart)");
    refuses("/classes", json::array({"a", "b"}), "member \"outputs\" is 3 (this model has 2)");
    refuses("/classes", json::array({"a", 2, "c"}), "member \"classes\" has 2 (texts in quotes are needed)");
    refuses("/columns", json::object(), "member \"columns\" is no list");
    refuses("/columns", json::array(), "member \"columns\" is empty (a model has one or more)");
    refuses("/columns/2", "x3", "member \"columns\" has 'x3' twice (they must differ)");
    refuses("/columns", json::array({"x3"}), "member \"means\" has 4 (there are 1 columns)");
    refuses("/features/0", "x3", "(it is none of the columns, or not in their order)");
    refuses("/features/0", "nowhere", "member \"features\" has 'nowhere'");
    refuses("/features", json::array(), "member \"weights\" has 3 (there are 0 features)");
    refuses("/weights/0", 5, "member \"weights\" has 5 (a list of 3 numbers, one per output, is needed)");
    refuses("/weights/0", json::array({1, 2}), "a list of 2 (a list of 3 numbers");
    refuses("/weights/0/1", "7", "member \"weights\" has \"7\" (a number is needed)");
    refuses("/weights/0/1", nullptr, "member \"weights\" has null (a number is needed)");
    refuses("/intercept", json::array({1, 2, 3, 4}), "member \"intercept\"");
    refuses("/standardization", 1, "member \"standardization\" is no object");
    refuses("/standardization/means", json::array({1}), "member \"means\" has 1 (there are 4 columns)");
    refuses("/standardization/means", json::array(), "member \"means\" has 0 (there are 4 scales)");
    refuses("/standardization/scales", json::array(), "member \"means\" has 4 (there are 0 scales)");
    refuses("/standardization/scales", json::array({1, 1, 0, 1}), "has 0 (a scale is above 0)");
    refuses("/standardization/scales/0", -1, "has -1 (a scale is above 0)");
    refuses("/standardization/weights", json::array({1}), "member \"weights\" has 1 (12, or 3 more");
    refuses("/standardization/weights/0", json::object(), "(a number is needed)");
    for (const auto& [name, value] : good.items()) {
        if (name == "checksum") continue;
        json changed = good;
        changed.erase(name);
        changed.erase("checksum");
        changed["checksum"] = detail::checksum(changed.dump());
        BOOST_TEST(contains(complaint(path, changed.dump()), name), complaint(path, changed.dump()));
    }
    std::string huge = text_of(path);
    write(path, good.dump(1));
    huge = good.dump(1);
    huge.replace(huge.find("5e-324"), 6, "5e+999");
    BOOST_TEST(contains(complaint(path, huge), "5e+999"), complaint(path, huge));
    BOOST_TEST(!contains(complaint(path, huge), "json.exception"), complaint(path, huge));
}

BOOST_AUTO_TEST_CASE(a_regression_has_no_classes) {
    const folder files;
    fitted<model::linear> fit;
    fit.features = {"a"};
    fit.weights = {2};
    fit.intercept = {1};
    save(fit, files / "linear.json");
    BOOST_TEST(load<model::linear>(files / "linear.json").weights[0] == 2);
    fit.classes = {"no", "yes"};
    save(fit, files / "linear.json");
    BOOST_TEST(contains(complaint<model::linear>(files / "linear.json", text_of(files / "linear.json")),
                        "member \"classes\" has 2 (a linear model has none)"));
}

BOOST_AUTO_TEST_CASE(what_is_no_regular_file_is_no_model) {
    const folder files;
    const auto says = [](const std::string& path) {
        try {
            load<model::softmax>(path);
        } catch (const core::data_error& problem) {
            return std::string(problem.what());
        }
        return std::string();
    };
    const std::string directory = files / "directory", fifo = files / "fifo", missing = files / "missing";
    std::filesystem::create_directories(directory);
    BOOST_TEST_REQUIRE(::mkfifo(fifo.c_str(), 0600) == 0);
    BOOST_TEST(says(directory) == directory + ": is a directory (a file is needed) name a file in it");
    BOOST_TEST(says(fifo) == fifo + ": is not a regular file (a model is read at once) copy it to a file first");
    BOOST_TEST(says(missing) ==
               missing + ": cannot be opened (No such file or directory) check the path and the permissions");
    write(files / "text", "a,b\n");
    BOOST_TEST(says(files / "text") ==
               (files / "text") + ":1:1: no JSON (syntax error while parsing value - invalid literal; last read: 'a') "
                                  "name a file that save() wrote");
    // and none is written there
    BOOST_CHECK_THROW(save(example(), fifo), core::error);
    BOOST_CHECK_THROW(save(example(), directory), core::error);
    BOOST_TEST(std::filesystem::is_fifo(fifo));
}

BOOST_AUTO_TEST_CASE(a_link_to_a_model_stays_a_link) {
    const folder files;
    save(example(), files / "v1.json");
    std::filesystem::create_symlink("v1.json", files / "current.json");
    auto changed = example();
    changed.iterations = 4;
    save(changed, files / "current.json");
    BOOST_TEST(std::filesystem::is_symlink(files / "current.json"));
    BOOST_TEST(load<model::softmax>(files / "v1.json").iterations == 4u);
}

BOOST_AUTO_TEST_CASE(names_that_are_not_utf8_are_refused_before_a_file_is_touched) {
    const folder files;
    const std::string path = files / "model.json";
    save(example(), path);
    const std::string before = text_of(path);
    const auto says = [&](auto change) {
        auto fit = example();
        change(fit);
        try {
            save(fit, path);
        } catch (const core::data_error& problem) {
            return std::string(problem.what());
        }
        return std::string();
    };
    const std::string latin = "caf\xe9";
    BOOST_TEST(says([&](auto& fit) {
                   fit.features = {"a", latin, "c", "d"};
               }) ==
               "save: features 'caf\\xe9' is not UTF-8 (a model file is; Latin-1?) change the fit's features, and save "
               "it again");
    BOOST_TEST(contains(says([&](auto& fit) { fit.classes[1] = latin; }), "classes 'caf\\xe9' is not UTF-8"));
    BOOST_TEST(contains(says([&](auto& fit) { fit.label = latin; }), "label 'caf\\xe9' is not UTF-8"));
    BOOST_TEST(contains(says([&](auto& fit) { fit.message = latin; }), "message 'caf\\xe9' is not UTF-8"));
    BOOST_TEST(contains(says([&](auto& fit) { fit.weights[0] = std::numeric_limits<double>::infinity(); }),
                        "one of the fit's weights is inf"));
    BOOST_TEST(text_of(path) == before);
    BOOST_TEST(!std::filesystem::exists(path + ".partial"));
}

BOOST_AUTO_TEST_SUITE_END()

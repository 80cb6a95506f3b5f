// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <boost/test/unit_test.hpp>

#include <cmath>
#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

/// Real data sets and the answers that other tools found: the folder GAMUT_DATA_DIR, with data in folders of their own and
/// answers/CASE.json. An answer says what was minimised (sums over rows, not means), the solutions, and the tolerance.
namespace real_data {

inline boost::test_tools::assertion_result is_there(boost::unit_test::test_unit_id) {
    const char* const folder = std::getenv("GAMUT_DATA_DIR");
    boost::test_tools::assertion_result result(folder && std::filesystem::is_directory(folder));
    result.message() << "GAMUT_DATA_DIR names no folder of real data sets";
    return result;
}

inline std::string path(const std::string& name) { return std::string(std::getenv("GAMUT_DATA_DIR")) + "/" + name; }

inline std::string text_of(const std::string& file) {
    std::ifstream in(file, std::ios::binary);
    if (!in) throw std::runtime_error(file + " cannot be opened");
    return {std::istreambuf_iterator<char>(in), {}};
}

/// A file that is deleted with this object.
class temporary_file {
public:
    temporary_file()
        : name_((std::filesystem::temp_directory_path() / ("gamut_real_data_" + std::to_string(++count()))).string()) {}
    temporary_file(const temporary_file&) = delete;
    temporary_file& operator=(const temporary_file&) = delete;
    ~temporary_file() { std::filesystem::remove(name_); }
    const std::string& name() const { return name_; }

private:
    static int& count() {
        static int n = 0;
        return n;
    }
    std::string name_;
};

/// What NAME.gz holds, as a file.
class unpacked {
public:
    explicit unpacked(const std::string& name) {
        const std::string command = "gzip -dc '" + path(name) + "' > '" + file_.name() + "'";
        if (std::system(command.c_str()) != 0) throw std::runtime_error(command + " failed");
    }
    const std::string& name() const { return file_.name(); }

private:
    temporary_file file_;
};

struct answer {
    nlohmann::json file;

    explicit answer(const std::string& name)
        : file(nlohmann::json::parse(text_of(path("answers/" + name + ".json")))) {}
    const nlohmann::json& operator[](const char* key) const { return file.at("answers").at(key); }
    const nlohmann::json& solutions() const { return file.at("answers"); }

    /// "objective relative 1e-9; accuracy +-0.0005": tolerance("objective relative ") is 1e-9.
    double tolerance(const std::string& before) const {
        const std::string all = file.at("tolerance");
        const std::size_t at = all.find(before);
        if (at == all.npos) throw std::runtime_error("no tolerance '" + before + "' in '" + all + "'");
        return std::strtod(all.c_str() + at + before.size(), nullptr);
    }
    double objective_tolerance() const { return tolerance("objective relative "); }
};

/// |found - expected| <= tolerance |expected|
inline void check_close(const std::string& what, double found, double expected, double tolerance) {
    BOOST_TEST(std::abs(found - expected) <= tolerance * std::abs(expected),
               what << " is " << found << ", not " << expected << ": "
                    << std::abs(found - expected) / std::abs(expected) << " off, relatively, where " << tolerance
                    << " is allowed");
}

/// Numbers of a text, whatever stands between them and the ends of its lines.
inline std::vector<std::vector<double>> table(const std::string& text) {
    std::vector<std::vector<double>> rows;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
        std::istringstream cells(line);
        std::vector<double> row(std::istream_iterator<double>(cells), {});
        if (!row.empty()) rows.push_back(std::move(row));
    }
    return rows;
}

}  // namespace real_data

// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <unistd.h>

#include <nlohmann/json.hpp>

#include <gamut/backend/matrix.hpp>
#include <gamut/backend/sparse.hpp>
#include <gamut/data/arrays.hpp>

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

/// A file that is deleted with this object. Several test programs run at once, so its name has the process.
class temporary_file {
public:
    temporary_file()
        : name_((std::filesystem::temp_directory_path() /
                 ("gamut_real_data_" + std::to_string(::getpid()) + "_" + std::to_string(++count())))
                    .string()) {}
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

/// 0 where a solution does not name a strength.
inline double number(const nlohmann::json& solution, const char* key) {
    return solution.contains(key) ? solution[key].get<double>() : 0.0;
}

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

/// Text of Vowpal Wabbit: "label |f index:value index:value ...".
inline gamut::data::arrays<gamut::backend::sparse_matrix<double>> vowpal_wabbit(const std::string& name,
                                                                                std::size_t columns) {
    gamut::backend::sparse_matrix<double> x;
    x.columns = columns;
    std::vector<double> y;
    std::istringstream lines(text_of(path(name)));
    for (std::string line; std::getline(lines, line);) {
        std::istringstream cells(line);
        double label, value;
        std::string space;
        cells >> label >> space;
        std::int32_t index;
        for (char colon; cells >> index >> colon >> value;) {
            x.indices.push_back(index);
            x.values.push_back(value);
        }
        x.offsets.push_back(static_cast<std::int64_t>(x.indices.size()));
        ++x.rows;
        y.push_back(label);
    }
    return gamut::data::arrays(std::move(x), y);
}

/// 1,797 pictures of 64 pixels, 0 to 1, and the digits they show.
inline gamut::data::arrays<gamut::backend::dense_matrix<double>> digits() {
    std::string text = text_of(unpacked("digits/digits.csv.gz").name());
    std::replace(text.begin(), text.end(), ',', ' ');
    std::vector<double> x, y;
    for (const auto& row : table(text)) {
        for (std::size_t j = 0; j < 64; ++j) x.push_back(row[j] / 16);
        y.push_back(row[64]);
    }
    return gamut::data::arrays(x, 1797, 64, y);
}

/// Which rows below a file's header have some text in them.
inline std::vector<bool> rows_with(const std::string& file, const std::string& words) {
    std::vector<bool> found;
    std::istringstream lines(text_of(file));
    std::string line;
    for (std::getline(lines, line); std::getline(lines, line);) found.push_back(line.find(words) != line.npos);
    return found;
}

/// The numbers of a file of MNIST's format: a big-endian header (type and dimensions), then bytes.
inline std::vector<double> idx(const std::string& name) {
    const unpacked file(name);
    const std::string bytes = text_of(file.name());
    const std::size_t header = 4 + 4 * static_cast<std::size_t>(bytes.at(3));
    std::vector<double> numbers;
    for (std::size_t i = header; i < bytes.size(); ++i) numbers.push_back(static_cast<unsigned char>(bytes[i]));
    return numbers;
}

}  // namespace real_data

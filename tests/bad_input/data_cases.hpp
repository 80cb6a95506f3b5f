// SPDX-License-Identifier: BSL-1.0
// Files that can't be learned from, and what is to be said about each. Used on one process and under mpirun.
#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <gamut/core/error.hpp>
#include <gamut/data/csv.hpp>
#include <gamut/data/libsvm.hpp>
#include <gamut/data/rows_where.hpp>

namespace gamut::test {

struct bad_file {
    const char* what;
    std::string content;
    std::variant<data::libsvm<>, data::csv<>> source;
    const char* place;  // line:column; empty: the file as a whole; null: not about a file
    std::vector<const char*> words;
    data::request wanted = {};
    core::error_kind kind = core::error_kind::data;
};

inline const std::vector<bad_file>& bad_files() {
    using namespace std::string_literals;
    using data::csv;
    using data::libsvm;
    const data::request classify{.classification = true};
    const data::request model{.classification = true, .features = {"a", "b"}, .classes = {"no", "yes"}};
    const data::request numeric_model{.classification = true, .features = {"a", "b"}, .classes = {"0", "1"}};
    const data::request part{.rows =
                                 data::selection{}.then([](std::size_t) { return [](std::size_t) { return false; }; })};
    constexpr auto option = core::error_kind::option;

    std::string continuous, continuous_csv, names;
    for (int i = 0; i < 200; ++i) {
        continuous += core::text(i * 0.5, " 1:1\n");
        continuous_csv += core::text("1,name ", i, '\n');
    }
    for (int i = 0; i < 20'001; ++i) names += core::text("1,name ", i, '\n');

    static const std::vector<bad_file> cases = {
        // the file
        {"empty", "", libsvm<>{}, "", {"no rows", "the file is empty"}},
        {"comments only", "# a\n\n  \n#b", libsvm<>{}, "", {"no rows", "blank lines and comments only"}},
        {"empty CSV", "", csv<>{}, "", {"no rows", "empty"}},
        {"header only", "a,b,y\n", csv<>{}, "", {"no rows", "only a header line"}},
        {"gzip", "\x1f\x8b\x08\x00"s, libsvm<>{}, "", {"gzip-compressed", "gunzip it first"}},
        {"gzip as CSV", "\x1f\x8b\x08\x00"s, csv<>{}, "", {"gzip-compressed", "gunzip it first"}},
        {"zip", "PK\x03\x04", csv<>{}, "", {"zip archive or spreadsheet", "export it as text"}},
        {"xz", "\xfd"s + "7zXZ", libsvm<>{}, "", {"xz-compressed", "decompress it first"}},
        {"NumPy", "\x93NUMPY", csv<>{}, "", {"NumPy file", "plain text is needed"}},
        {"PNG", "\x89PNG\r\n", csv<>{}, "", {"PNG image"}},
        {"UTF-16",
         "\xff\xfe"
         "1\0,\0"s,
         csv<>{},
         "",
         {"UTF-16 text", "iconv"}},
        {"zero bytes", "1 1:2\n\0\0\0"s, libsvm<>{}, "", {"binary file"}},
        {"selection keeps nothing", "1 1:1\n", libsvm<>{}, "", {"no rows are left", "none of 1"}, part},

        // LIBSVM: entries
        {"index 0", "1 1:1\n1 0:1\n", libsvm<>{}, "2:3", {"index 0", "indices start at 1", ".zero_based = true"}},
        {"index 00", "1 00:1\n", libsvm<>{}, "1:3", {"index 0", ".zero_based"}},
        {"negative index", "1 -1:1\n", libsvm<>{}, "1:3", {"index -1 is negative"}},
        {"huge index", "1 1:1 1000000000000:1\n", libsvm<>{}, "1:7", {"index 1000000000000", "67108864", ".features"}},
        {"index of 30 digits", "1 100000000000000000000000000000:1", libsvm<>{}, "1:3", {"is too large", "67108864"}},
        {"index above 2^26", "1 67108865:1", libsvm<>{}, "1:3", {"index 67108865 is too large", ".index_limit"}},
        {"index above a lower limit", "1 11:1", libsvm<>{.index_limit = 10}, "1:3", {"index 11", "the limit is 10"}},
        {"index above .features", "1 6:1", libsvm<>{.features = 5}, "1:3", {"index 6", ".features is 5"}},
        {"0-based index above .features",
         "1 5:1",
         libsvm<>{.features = 5, .zero_based = true},
         "1:3",
         {"index 5", ".features is 5"}},
        {"index above the model's features",
         "1 3:1",
         libsvm<>{},
         "1:3",
         {"index 3", "the model has 2 features"},
         numeric_model},
        {"duplicate index", "1 1:1 2:1 1:3\n", libsvm<>{}, "1:11", {"index 1 appears twice"}},
        {"duplicate index in a row", "1 qid:3 2:1 2:1\n", libsvm<>{}, "1:13", {"index 2 appears twice"}},
        {"duplicate index behind a comment",
         "# x\n\n-1 5:1 3:1\t4:1 5:2 # y\n",
         libsvm<>{},
         "3:16",
         {"index 5 appears twice"}},
        {"no colon", "1 1:1 5 6:1\n", libsvm<>{}, "1:7", {"no colon after index '5'"}},
        {"no value", "1 1: 2:1\n", libsvm<>{}, "1:5", {"no value after the colon"}},
        {"no index", "1 :5\n", libsvm<>{}, "1:3", {"':5' is not an entry", "index:value"}},
        {"a word", "1 1:1 abc\n", libsvm<>{}, "1:7", {"'abc' is not an entry"}},
        {"a word as an index", "1 age:3\n", libsvm<>{}, "1:3", {"'age:3' is not an entry"}},
        {"a fraction as an index", "1 1.5:3\n", libsvm<>{}, "1:3", {"'1.5:3' is not an entry"}},
        {"junk behind a value", "1 1:1.5x\n", libsvm<>{}, "1:5", {"value '1.5x' is not a number"}},
        {"two colons", "1 1:2:3\n", libsvm<>{}, "1:5", {"value '2:3' is not a number"}},
        {"decimal comma", "1 1:1,5\n", libsvm<>{}, "1:5", {"value '1,5' is not a number"}},
        {"hexadecimal value", "1 1:0x1p3\n", libsvm<>{}, "1:5", {"'0x1p3' is not a number"}},
        {"nan", "1 1:nan\n", libsvm<>{}, "1:5", {"value 'nan' is not finite"}},
        {"inf", "1 1:-inf\n", libsvm<>{}, "1:5", {"value '-inf' is not finite"}},
        {"overflow", "1 1:1e999\n", libsvm<>{}, "1:5", {"value '1e999' is not finite"}},
        {"control characters", "1 1:\x01\x1b[31m\n", libsvm<>{}, "1:5", {"\\x01\\x1b[31m"}},
        {"lone carriage return", "1 1:1\r2 1:2\n", libsvm<>{}, "1:5", {"value '1\\x0d2' is not a number"}},
        {"long junk is cut", "1 " + std::string(1000, 'z') + "\n", libsvm<>{}, "1:3", {"zzz...' is not an entry"}},
        {"all rows empty", "1\n2\n", libsvm<>{}, "", {"no features", "all rows are empty"}},

        // LIBSVM: labels
        {"no label", "1 1:1\n2:1 3:1\n", libsvm<>{}, "2:1", {"no label", "'2:1'"}},
        {"a word as a label", "spam 1:1\n", libsvm<>{}, "1:1", {"label 'spam' is not a finite number"}},
        {"nan as a label", "nan 1:1\n", libsvm<>{}, "1:1", {"label 'nan' is not a finite number"}},
        {"several labels", "1,3 1:1\n", libsvm<>{}, "1:1", {"several labels '1,3'", "data::csv"}},
        {"unknown class", "0 1:1\n1 1:1\n7 1:1\n", libsvm<>{}, "3:1", {"label '7' is unknown", "0, 1"}, numeric_model},
        {"continuous label",
         continuous,
         libsvm<>{},
         "",
         {"200 different labels in 200 rows", "looks continuous"},
         classify},

        // LIBSVM: lines and options
        {"line too long",
         "1 1:1\n1 1:1 2:1 3:1\n",
         libsvm<>{.line_limit = 10},
         "2:1",
         {"line longer than 10 bytes", ".line_limit"}},
        {"too many features asked for",
         "1 1:1",
         libsvm<>{.features = 1'000'000'000'000},
         nullptr,
         {".features = 1000000000000", "31 bits"},
         {},
         option},
        {"features against the model",
         "1 1:1",
         libsvm<>{.features = 3},
         nullptr,
         {".features = 3", "the model has 2"},
         numeric_model,
         option},
        {"too many blocks", "1 1:1", libsvm<>{}, nullptr, {"blocks = 5000", "4095"}, {.blocks = 5000}, option},

        // CSV: cells
        {"missing value", "a,b,y\n1,2,3\n1,,3\n", csv<>{}, "3:3", {"missing value ''", "column 'b'"}},
        {"missing value in blanks", "a,b,y\n1,  ,3\n", csv<>{}, "2:5", {"missing value ''", "column 'b'"}},
        {"NA", "a,b,y\n1,NA,3\n", csv<>{}, "2:3", {"missing value 'NA'", "column 'b'"}},
        {"nan in CSV", "a,b,y\nnan,2,3\n", csv<>{}, "2:1", {"missing value 'nan'", "column 'a'"}},
        {"quoted question mark", "a,b,y\n1,\"?\",3\n", csv<>{}, "2:3", {"missing value '?'"}},
        {"missing label", "a,y\n1,\n", csv<>{}, "2:3", {"missing value ''", "column 'y'"}},
        {"missing label of a class", "a,y\n1,NA\n", csv<>{}, "2:3", {"missing value 'NA'", "column 'y'"}, classify},
        {"word in a feature",
         "color,y\n1,2\nred,3\n",
         csv<>{},
         "3:1",
         {"'red' in column 'color' is not a number", ".ignore"}},
        {"word without a header", "1,2\nred,3\n", csv<>{}, "2:1", {"'red' in column '#0' is not a number"}},
        {"inf in CSV", "a,y\ninf,3\n", csv<>{}, "2:1", {"'inf' in column 'a' is not finite"}},
        {"overflow in CSV", "a,y\n1,3\n-1e999,3\n", csv<>{}, "3:1", {"'-1e999' in column 'a' is not finite"}},
        {"decimal comma in CSV", "a;y\n3,14;1\n", csv<>{.separator = ';'}, "2:1", {"'3,14'", "decimal comma"}},
        {"two numbers in a cell", "a,y\n1 2,3\n", csv<>{}, "2:1", {"'1 2' in column 'a' is not a number"}},
        {"word as a regression label", "a,y\n1,yes\n", csv<>{}, "2:3", {"label 'yes' in column 'y'", "regression"}},
        {"too few cells", "a,b,y\n1,2,3\n1,2\n", csv<>{}, "3:4", {"2 cells (3 are needed, as in line 1)"}},
        {"too many cells", "a,b,y\n1,2,3,4\n", csv<>{}, "2:7", {"4 cells (3 are needed, as in line 1)"}},
        {"header lacks the column of row numbers",
         "a,y\n1,2,3\n4,5,6\n",
         csv<>{},
         "2:5",
         {"3 cells (2 are needed", "name the first column"}},
        {"separator at the end", "a,b,y\n1,2,3,\n", csv<>{}, "2:7", {"4 cells (3 are needed"}},
        {"open quote", "a,b,y\n1,\"2,3\n4,5,6\n", csv<>{}, "2:3", {"quote isn't closed", "line break"}},
        {"open quote in the header", "a,\"b,y\n1,2,3\n", csv<>{}, "1:3", {"quote isn't closed"}},
        {"text behind a quote", "a,b,y\n1,\"2\"x,3\n", csv<>{}, "2:3", {"text behind a closing quote"}},
        {"line too long in CSV",
         "a,y\n1,2\n10000000,20000000\n",
         csv<>{.line_limit = 10},
         "3:1",
         {"line longer than 10 bytes"}},
        {"header too long", "aaaaaaaaaaaaaaa,y\n1,2\n", csv<>{.line_limit = 10}, "1:1", {"line longer than 10 bytes"}},
        {"far too few cells",
         std::string(5000, ',') + "\n" + std::string(1000, '\n') + "1\n1\n1\n",
         csv<>{.header = data::header::no},
         "1:1",
         {"missing value"}},

        // CSV: columns
        {"two columns of one name", "a,b,a\n1,2,3\n", csv<>{}, "1:5", {"column name 'a' appears twice", "#0 and #2"}},
        {"column without a name", ",b,y\n1,2,3\n", csv<>{}, "1:1", {"column #0 has no name", "\"#0\" to .ignore"}},
        {"unknown label",
         "age,sex,y\n1,2,3\n",
         csv<>{.label = "agee"},
         "1:1",
         {".label = 'agee' is no column", "did you mean 'age'?"}},
        {"the beginning of a label",
         "age,sex,progression\n1,2,3\n",
         csv<>{.label = "prog"},
         "1:1",
         {".label = 'prog' is no column", "did you mean 'progression'?"}},
        {"quite unknown label",
         "age,sex,y\n1,2,3\n",
         csv<>{.label = "target"},
         "1:1",
         {"'target' is no column", "age, sex, y"}},
        {"label by a number that isn't there",
         "a,b\n1,2\n",
         csv<>{.label = "#7"},
         "1:1",
         {".label = '#7' is no column", "there are 2"}},
        {"label by name without a header",
         "1,2\n3,4\n",
         csv<>{.label = "y", .header = data::header::no},
         "1:1",
         {".label = 'y'", "no header line", "data::header::yes"}},
        {"unknown column to ignore", "a,b,y\n1,2,3\n", csv<>{.ignore = {"c"}}, "1:1", {".ignore = 'c' is no column"}},
        {"unknown weights", "a,b,y\n1,2,3\n", csv<>{.weights = "w"}, "1:1", {".weights = 'w' is no column"}},
        {"label is ignored",
         "a,b,y\n1,2,3\n",
         csv<>{.label = "b", .ignore = {"b"}},
         "1:3",
         {"column 'b' is used twice", ".label", ".ignore"}},
        {"label is the weight",
         "a,b,y\n1,2,3\n",
         csv<>{.label = "b", .weights = "b"},
         "1:3",
         {"column 'b' is used twice", ".weights"}},
        {"label only", "y\n1\n", csv<>{}, "1:1", {"no feature columns", "1 column in all"}},
        {"other separator", "a;b;y\n1;2;3\n", csv<>{}, "1:1", {"no feature columns", "set .separator = ';'"}},
        {"tabs", "a\tb\ty\n1\t2\t3\n", csv<>{}, "1:1", {"no feature columns", "set .separator = '\\t'"}},
        {"everything ignored", "a,y\n1,2\n", csv<>{.ignore = {"a", "y"}}, "1:1", {"no column is left for the label"}},
        {"model's column is missing", "a,y\n1,yes\n", csv<>{}, "1:1", {"no column 'b'", "the model needs it"}, model},
        {"model's columns are missing",
         "B2,x,y\n1,2,yes\n",
         csv<>{},
         "1:1",
         {"no column 'a', 'b'", "the model needs them"},
         model},
        {"model's feature as the label",
         "y,a,b\nyes,1,2\n",
         csv<>{},
         "1:5",
         {"column 'b' is a feature of the model", ".label"},
         model},
        {"other number of columns than the model",
         "1,2,3,yes\n",
         csv<>{},
         "1:1",
         {"3 feature columns (the model has 2)"},
         model},
        {"unknown class in CSV",
         "a,b,y\n1,2,yes\n1,2,maybe\n",
         csv<>{},
         "3:5",
         {"label 'maybe' is unknown", "no, yes"},
         model},
        {"labels look like names",
         continuous_csv,
         csv<>{},
         "",
         {"200 different labels in 200 rows", "choose another label column"},
         classify},
        {"very many labels", names, csv<>{}, "", {"more than 10000 different labels"}, classify},
        {"very long label", "1," + std::string(300, 'x') + "\n", csv<>{}, "", {"is 300 bytes long", "256"}, classify},

        // CSV: weights and options
        {"negative weight", "a,w,y\n1,-1,3\n", csv<>{.weights = "w"}, "2:3", {"weight '-1' in column 'w' is negative"}},
        {"missing weight", "a,w,y\n1,NaN,3\n", csv<>{.weights = "w"}, "2:3", {"missing value 'NaN' in column 'w'"}},
        {"word as a weight",
         "a,w,y\n1,many,3\n",
         csv<>{.weights = "w"},
         "2:3",
         {"weight 'many' in column 'w' is not a number"}},
        {"all weights 0", "a,w,y\n1,0,3\n1,0,4\n", csv<>{.weights = "w"}, "", {"all sample weights are 0"}},
        {"separator that may be in a number",
         "a.y\n",
         csv<>{.separator = '.'},
         nullptr,
         {".separator = '.'"},
         {},
         option},
    };
    return cases;
}

/// What is missing in the message of a case's error; empty: nothing.
inline std::string missing_in(const bad_file& bad, const std::string& path, const std::string& message) {
    const std::string_view place = bad.place ? bad.place : "";
    const std::string prefix = !bad.place ? "" : place.empty() ? path + ": " : path + ":" + bad.place + ": ";
    if (!message.starts_with(prefix)) return prefix;
    for (const char* words : bad.words) {
        if (message.find(words) == message.npos) return words;
    }
    if (message.find('(') == message.npos || message.find(')') == message.npos) return "(why)";
    return {};
}

}  // namespace gamut::test

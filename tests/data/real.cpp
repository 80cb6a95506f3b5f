// SPDX-License-Identifier: BSL-1.0
// Real files, when GAMUT_DATA_DIR names a folder that has them.
#include <boost/test/unit_test.hpp>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <data/helpers.hpp>
#include <gamut/data/csv.hpp>
#include <gamut/data/every.hpp>
#include <gamut/data/libsvm.hpp>
#include <gamut/data/standardize.hpp>

using namespace gamut;
using test::load_on;
using names = std::vector<std::string>;

namespace {

/// The file's path, or nothing, with a line that says so.
std::optional<std::string> real_file(const char* name) {
    const char* const folder = std::getenv("GAMUT_DATA_DIR");
    if (folder) {
        const auto path = std::filesystem::path(folder) / name;
        if (std::filesystem::exists(path)) return path.string();
    }
    std::printf("skipped: %s isn't there (set GAMUT_DATA_DIR)\n", name);
    return {};
}

template <class Source> test::table same_on_1_and_3_ranks(const Source& source, const data::request& wanted) {
    const auto one = load_on(1, source, wanted);
    BOOST_TEST((load_on(3, source, wanted) == one));
    return one;
}

std::size_t nonzeros(const test::table& all) {
    std::size_t count = 0;
    for (const auto& row : all.x) {
        for (const double value : row) count += value != 0;
    }
    return count;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(real)

BOOST_AUTO_TEST_CASE(adult) {
    const auto path = real_file("adult/a8a");
    if (!path) return;
    const auto all = same_on_1_and_3_ranks(data::libsvm<>{.path = *path, .features = 123}, {.classification = true});
    BOOST_TEST(all.rows == 22696u);
    BOOST_TEST(all.features.size() == 123u);
    BOOST_TEST(nonzeros(all) == 314815u);
    BOOST_TEST(all.pattern_only);
    BOOST_TEST((all.classes == names{"-1", "1"}));
}

BOOST_AUTO_TEST_CASE(heart) {
    const auto path = real_file("heart_scale/heart_scale");
    if (!path) return;
    const auto all = same_on_1_and_3_ranks(data::libsvm<>{.path = *path}, {.classification = true});
    BOOST_TEST(all.rows == 270u);
    BOOST_TEST(all.features.size() == 13u);
    BOOST_TEST((all.classes == names{"-1", "1"}));
    const auto train =
        same_on_1_and_3_ranks(data::all_but_every(data::libsvm<>{.path = *path}, 5), {.classification = true});
    BOOST_TEST(train.rows == 216u);
    BOOST_TEST(train.features.size() == 13u);
}

BOOST_AUTO_TEST_CASE(covtype) {
    const auto train = real_file("covtype_small/covtype.scale.train.small");
    const auto tested = real_file("covtype_small/covtype.scale.test.small");
    if (!train || !tested) return;
    const auto all = same_on_1_and_3_ranks(data::libsvm<>{.path = *train, .features = 54}, {.classification = true});
    BOOST_TEST(all.rows == 500u);
    BOOST_TEST(all.features.size() == 54u);
    for (const auto& label : all.classes) BOOST_TEST((label >= "1" && label <= "7" && label.size() == 1));
    const auto other = load_on(2, data::libsvm<>{.path = *tested}, {.features = all.features});
    BOOST_TEST(other.features.size() == 54u);
}

BOOST_AUTO_TEST_CASE(agaricus) {
    const auto path = real_file("agaricus/agaricus.txt.train");
    if (!path) return;
    const auto all = same_on_1_and_3_ranks(data::libsvm<>{.path = *path, .features = 127}, {.classification = true});
    BOOST_TEST(all.rows == 6513u);
    BOOST_TEST(all.features.size() == 127u);
    BOOST_TEST(nonzeros(all) == 143286u);
    BOOST_TEST(all.pattern_only);
}

BOOST_AUTO_TEST_CASE(iris_with_classes_in_its_header) {
    const auto path = real_file("iris/iris.csv");
    if (!path) return;
    const auto all = same_on_1_and_3_ranks(data::csv<>{.path = *path}, {.classification = true});
    BOOST_TEST(all.rows == 150u);
    BOOST_TEST(all.features.size() == 4u);
    BOOST_TEST((all.classes == names{"0", "1", "2"}));
}

BOOST_AUTO_TEST_CASE(sonar_with_words_as_labels) {
    const auto path = real_file("sonar/sonar.csv");
    if (!path) return;
    const auto all = same_on_1_and_3_ranks(data::csv<>{.path = *path}, {.classification = true});
    BOOST_TEST(all.rows == 208u);
    BOOST_TEST(all.features.size() == 60u);
    BOOST_TEST((all.classes == names{"M", "R"}));
}

BOOST_AUTO_TEST_CASE(prostate_without_a_column_and_with_a_label_in_the_middle) {
    const auto path = real_file("prostate/prostate.csv");
    if (!path) return;
    const auto all = same_on_1_and_3_ranks(data::csv<>{.path = *path, .label = "lpsa", .ignore = {"train"}}, {});
    BOOST_TEST(all.rows == 97u);
    BOOST_TEST((all.features == names{"lcavol", "lweight", "age", "lbph", "svi", "lcp", "gleason", "pgg45"}));
    BOOST_TEST(all.y[0] == -0.4307829);
}

BOOST_AUTO_TEST_CASE(diabetes_is_centred_and_has_equal_columns) {
    const auto path = real_file("diabetes/diabetes.csv");
    if (!path) return;
    const communicator::single<> alone;
    const auto part = data::csv<>{.path = *path}.load(alone);
    const auto moments = data::standardize(alone, part);
    for (std::size_t j = 0; j < part.columns(); ++j) {
        BOOST_TEST(std::abs(moments.means[j]) < 1e-9);
        BOOST_TEST(std::abs(moments.scales[j] - 1 / std::sqrt(442.0)) < 1e-9);
    }
    BOOST_CHECK_THROW((data::csv<>{.path = *path}.load(alone, {.classification = true})), core::data_error);
}

BOOST_AUTO_TEST_SUITE_END()

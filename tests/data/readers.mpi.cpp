// SPDX-License-Identifier: BSL-1.0
#include <boost/test/unit_test.hpp>

#include <cstddef>
#include <string>
#include <vector>

#include <data/helpers.hpp>
#include <gamut/communicator/mpi.hpp>
#include <gamut/communicator/single.hpp>
#include <gamut/data/csv.hpp>
#include <gamut/data/libsvm.hpp>
#include <gamut/data/split.hpp>
#include <gamut/data/standardize.hpp>

using namespace gamut;

namespace {

/// This rank's rows as text, with all digits.
template <class Matrix> std::string describe(const data::dataset<Matrix>& part) {
    std::string text;
    for (std::size_t i = 0; i < part.local_rows(); ++i) {
        text += core::text(part.first_row + i, ": ", part.y[i], part.weights.empty() ? 1 : part.weights[i]);
        for (const double value : test::dense_row(part.x, i)) text += core::text(' ', core::all_digits(value));
        text += '\n';
    }
    return text;
}

template <class Matrix> std::string describe_all(const data::dataset<Matrix>& part) {
    std::string text = core::text(part.rows(), " rows, ", part.partition.shards, " shards, label ", part.label);
    for (const auto& name : part.features) text += " " + name;
    for (const auto& name : part.classes) text += " " + name;
    return text;
}

/// What all MPI ranks hold is what one process alone would hold.
template <class Source> void same_as_alone(const Source& source, const data::request& wanted) {
    const communicator::mpi<> ranks;
    const auto part = source.load(ranks, wanted);
    const auto alone = source.load(communicator::single<>{}, wanted);
    std::string all;
    for (const auto& text : data::detail::gather_texts(ranks, describe(part))) all += text;
    BOOST_TEST(all == describe(alone));
    BOOST_TEST(describe_all(part) == describe_all(alone));
    const auto moments = data::standardize(ranks, part),
               moments_alone = data::standardize(communicator::single<>{}, alone);
    BOOST_TEST((moments.means == moments_alone.means));
    BOOST_TEST((moments.scales == moments_alone.scales));
}

std::string libsvm_text(int rows) {
    std::string text = "# rows\n";
    for (int i = 0; i < rows; ++i) {
        text += core::text(i % 3 == 0 ? "+1" : i % 3 == 1 ? "-1" : "7", ' ', 1 + i % 5, ':', i, ' ', 9, ":0.", i, '\n');
    }
    return text;
}

std::string csv_text(int rows) {
    std::string text = "a,b,kind,w\n";
    for (int i = 0; i < rows; ++i) text += core::text(i, ",0.", i, ',', i % 2 ? "odd" : "even", ',', i % 4 + 1, '\n');
    return text;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(readers)

BOOST_AUTO_TEST_CASE(ranks_together_hold_what_one_would_hold) {
    const communicator::mpi<> ranks;
    for (const int rows : {1, 2, 3, 40, 500}) {  // with few rows some ranks have none
        const test::shared_file sparse(ranks, libsvm_text(rows)), table(ranks, csv_text(rows));
        for (const std::size_t blocks : {0, 4}) {
            same_as_alone(data::libsvm<>{.path = sparse.path}, {.classification = true, .blocks = blocks});
            same_as_alone(data::csv<>{.path = table.path, .label = "kind", .weights = "w"},
                          {.classification = true, .blocks = blocks});
        }
        if (rows < 3) continue;
        const auto [train, test] =
            data::split(data::csv<>{.path = table.path, .ignore = {"kind"}}, {.test_fraction = 0.4});
        same_as_alone(train, {});
        same_as_alone(test, {});
    }
}

BOOST_AUTO_TEST_CASE(classes_that_only_one_rank_sees_are_known_to_all) {
    const communicator::mpi<> ranks;
    std::string text;
    for (int i = 0; i < 200; ++i) text += core::text("1,", i == 199 ? "rare" : "common", '\n');
    const test::shared_file file(ranks, text);
    const auto part = data::csv<>{.path = file.path}.load(ranks, {.classification = true});
    BOOST_TEST((part.classes == std::vector<std::string>{"common", "rare"}));
}

BOOST_AUTO_TEST_SUITE_END()

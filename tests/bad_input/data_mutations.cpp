// SPDX-License-Identifier: BSL-1.0
#include <boost/test/unit_test.hpp>

#include <cmath>
#include <cstddef>
#include <string>

#include <data/helpers.hpp>
#include <gamut/communicator/single.hpp>
#include <gamut/core/random.hpp>
#include <gamut/data/csv.hpp>
#include <gamut/data/libsvm.hpp>

using namespace gamut;

namespace {

/// A few bytes of `text` replaced, taken out, doubled or moved.
std::string mutated(std::string text, const core::random& draw) {
    constexpr std::string_view favourites = "0123456789:,.+-eE\"# \t\r\n;nanif\xff\x01";
    std::uint64_t next = 0;
    for (std::uint64_t changes = 1 + draw.below(next++, 5); changes > 0 && !text.empty(); --changes) {
        const std::size_t place = draw.below(next++, text.size());
        const std::size_t length = std::min<std::size_t>(1 + draw.below(next++, 20), text.size() - place);
        const char byte = favourites[draw.below(next++, favourites.size())];
        switch (draw.below(next++, 4)) {
        case 0:
            text[place] = byte;
            break;
        case 1:
            text.erase(place, length);
            break;
        case 2:
            text.insert(place, text.substr(place, length));
            break;
        default:
            text.insert(place, draw.below(next++, 30), byte);
        }
    }
    return text;
}

struct outcome {
    int read = 0, refused = 0;
};

/// Whatever the bytes are, a file is read into finite numbers of the right shape, or refused by a data_error.
template <class Source> outcome read_or_refuse(const std::string& good, Source source, const data::request& wanted) {
    outcome seen;
    for (std::uint64_t seed = 0; seed < 1500; ++seed) {
        const test::temporary_file file(mutated(good, {.seed = seed}));
        source.path = file.path;
        try {
            const auto part = source.load(communicator::single<>{}, wanted);
            ++seen.read;
            BOOST_REQUIRE(part.local_rows() == part.rows());
            BOOST_REQUIRE(part.y.size() == part.rows());
            BOOST_REQUIRE(part.features.size() == part.columns());
            for (std::size_t i = 0; i < part.local_rows(); ++i) {
                if (wanted.classification) BOOST_REQUIRE(part.y[i] < static_cast<double>(part.classes.size()));
                for (const double value : test::dense_row(part.x, i)) BOOST_REQUIRE(std::isfinite(value));
            }
        } catch (const core::data_error& refusal) {
            ++seen.refused;
            BOOST_REQUIRE(std::string_view(refusal.what()).starts_with(file.path + ":"));
        }
    }
    return seen;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(data_mutations)

BOOST_AUTO_TEST_CASE(mutated_files_are_read_or_refused) {
    const std::string sparse = "# a comment\n+1 1:0.5 3:1 7:-2.5e-3 # end\n-1 qid:3 2:1\t4:1\r\n\n1\n-1 9:1 1:3\n";
    const std::string table =
        "a,\"b c\",d,y\n1,2.5,\"3\",yes\n-1e5,  7 , 0.125,\"no, \"\"really\"\"\"\r\n\n4,5,6,yes\n";
    for (const bool classification : {false, true}) {
        const auto some =
            read_or_refuse(sparse, data::libsvm<>{.index_limit = 100'000}, {.classification = classification});
        BOOST_TEST(some.read > 100);
        BOOST_TEST(some.refused > 100);
    }
    const auto some = read_or_refuse(table, data::csv<>{}, {.classification = true});
    BOOST_TEST(some.read > 100);
    BOOST_TEST(some.refused > 100);
}

BOOST_AUTO_TEST_SUITE_END()

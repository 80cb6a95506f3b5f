// SPDX-License-Identifier: BSL-1.0
// Runs on 1 to 5 ranks under mpirun. Every rank also does all of it alone: where all agree with that, all numbers of ranks agree.
#include <boost/test/unit_test.hpp>

#include <filesystem>
#include <string>
#include <vector>

#include <gamut/communicator/mpi.hpp>
#include <gamut/shrink.hpp>
#include <gamut/shrink/file.hpp>

#include "shrink/cases.hpp"

using namespace gamut;
using namespace small;

BOOST_AUTO_TEST_SUITE(shrink_on_ranks)

BOOST_AUTO_TEST_CASE(all_ranks_find_write_and_read_what_one_does) {
    const auto source = tiny_mix(300, 2, 0);
    const auto all = [&](const auto& ranks, const std::string& path) {
        const auto e = trainer(12, 2, ranks);
        const auto small = shrink::prune(e, source, e.fit(source), {.keep = 0.3, .rounds = 2});
        const auto shared = shrink::share(e, source, small, {.bits = 3});
        const auto coarse = shrink::quantise(e, source, small, {.bits = 4});
        shrink::save(shared, path, {.bits = 3});
        const auto again = shrink::load(path, e.model, ranks);
        std::vector<double> numbers = coarse.weights;
        numbers.insert(numbers.end(), shared.weights.begin(), shared.weights.end());
        numbers.insert(numbers.end(), again.weights.begin(), again.weights.end());
        return numbers;
    };
    const communicator::mpi<> ranks;
    const auto folder = std::filesystem::temp_directory_path();
    const std::string own = (folder / core::text("gamut_test_shrink_", ranks.rank(), ".net")).string();
    const std::string together = (folder / "gamut_test_shrink_mpi.net").string();
    const auto alone = all(communicator::single<>{}, own);
    BOOST_CHECK(all(ranks, together) == alone);
    BOOST_TEST(alone.size() % 3 == 0u);
    ranks.barrier();
    std::filesystem::remove(own);
    if (ranks.rank() == 0) std::filesystem::remove(together);
}

BOOST_AUTO_TEST_SUITE_END()

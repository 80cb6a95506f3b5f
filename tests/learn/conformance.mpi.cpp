// SPDX-License-Identifier: BSL-1.0
// Runs on 1 to 5 ranks under mpirun. Every rank also fits alone: where all agree with that, all numbers of ranks agree.
#include "cases.hpp"

#include <boost/test/unit_test.hpp>

#include <filesystem>
#include <string>

#include "../data/helpers.hpp"

#include <gamut/communicator/mpi.hpp>

using namespace learners;

BOOST_AUTO_TEST_SUITE(learn_conformance)

BOOST_AUTO_TEST_CASE(fits_on_all_ranks_have_the_bits_of_fits_on_one) {
    const communicator::mpi<> ranks;
    for (const auto& c : all_cases())
        for (const learners::table& data :
             {learners::table{}, learners::table{.rows = 6, .different_weights = c.weighs}}) {
            const std::string found = difference(c.fit(ranks_type(ranks), data, {}), c.fit({}, data, {}));
            BOOST_TEST(found == "", c.name << " on rank " << ranks.rank() << " of " << ranks.size() << ": " << found);
        }
}

BOOST_AUTO_TEST_CASE(a_run_on_all_ranks_goes_on_on_one) {
    const communicator::mpi<> ranks;
    const gamut::test::shared_file own(ranks, "");
    const auto folder = std::filesystem::path(own.path).parent_path() / "run";
    for (const auto& c : all_cases()) {
        if (!c.resume) continue;
        if (ranks.rank() == 0) std::filesystem::remove_all(folder);
        ranks.barrier();
        c.interrupt(ranks_type(ranks), learners::table{}, folder.string(), 3);
        ranks.barrier();
        const std::string found =
            difference(c.resume({}, learners::table{}, folder.string()), c.fit({}, learners::table{}, {}));
        BOOST_TEST(found == "", c.name << " on rank " << ranks.rank() << ": " << found);
        ranks.barrier();
    }
}

BOOST_AUTO_TEST_CASE(one_rank_writes_and_all_read) {
    const communicator::mpi<> ranks;
    const gamut::test::shared_file file(ranks, "", "fit.json");
    for (const auto& c : all_cases()) {
        const std::string found = c.save_and_load(ranks_type(ranks), learners::table{}, file.path);
        BOOST_TEST(found == "", c.name << " on rank " << ranks.rank() << ": " << found);
    }
}

BOOST_AUTO_TEST_SUITE_END()

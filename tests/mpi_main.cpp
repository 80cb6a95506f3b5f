// SPDX-License-Identifier: BSL-1.0
// The main of every test that ctest runs under mpirun. A rank that leaves a test case early, by an exception or a failed
// BOOST_REQUIRE, would leave the others waiting in their next collective: it ends the whole job instead.
#include <boost/test/tree/observer.hpp>
#include <boost/test/unit_test.hpp>
#include <cstdio>
#include <gamut/communicator/mpi.hpp>

namespace {

struct end_job_when_a_case_is_left : boost::unit_test::test_observer {
    void test_unit_aborted(const boost::unit_test::test_unit& unit) override {
        std::fflush(stdout);
        std::fprintf(stderr, "%s was left early: ending the job\n", unit.full_name().c_str());
        std::fflush(stderr);
        MPI_Abort(MPI_COMM_WORLD, 1);
    }
};

}  // namespace

int main(int argc, char** argv) {
    gamut::communicator::mpi_session session(argc, argv, 100.0);
    end_job_when_a_case_is_left observer;
    boost::unit_test::framework::register_observer(observer);
    return boost::unit_test::unit_test_main([] { return true; }, argc, argv);
}

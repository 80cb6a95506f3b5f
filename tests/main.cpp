// SPDX-License-Identifier: BSL-1.0
// The main of every test executable that runs in one process; the test files of a folder are linked to it.
#include <boost/test/unit_test.hpp>

int main(int argc, char** argv) {
    return boost::unit_test::unit_test_main([] { return true; }, argc, argv);
}

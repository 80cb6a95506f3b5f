// SPDX-License-Identifier: BSL-1.0
// The main of every test executable that runs in one process; the test files of a folder are linked to it.
#define BOOST_TEST_MODULE gamut
#include <boost/test/unit_test.hpp>

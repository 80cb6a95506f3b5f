// SPDX-License-Identifier: BSL-1.0
#include <boost/test/unit_test.hpp>
#include <gamut/core/checkpoint_history.hpp>
#include <gamut/core/observe.hpp>
#include <gamut/core/progress.hpp>
#include <gamut/core/resume_from.hpp>
#include <string>
#include <type_traits>
#include <vector>

using namespace gamut;

namespace {

struct options {  // as solvers have it
    int first = 0;
    core::resume_from resume{};
};

}  // namespace

BOOST_AUTO_TEST_SUITE(resume_from)

BOOST_AUTO_TEST_CASE(takes_whatever_names_a_file_or_nothing) {
    BOOST_TEST(options{}.resume.empty());
    BOOST_TEST(options{.resume = {}}.resume.empty());
    BOOST_TEST(options{.resume = ""}.resume.empty());
    BOOST_TEST(options{.resume = "run"}.resume.path() == "run");
    const std::string name = "run/step-1.checkpoint";
    BOOST_TEST(options{.resume = name}.resume.path() == name);
    options later;
    later.resume = name;
    const options copy = later;
    BOOST_TEST(copy.resume.path() == name);
    static_assert(!std::is_convertible_v<int, core::resume_from>);
}

BOOST_AUTO_TEST_CASE(reads_as_the_functions_it_carries_do) {
    const core::resume_from none = "a folder that is not there";
    BOOST_TEST(!none.newest().has_value());
    core::checkpoint made;
    made.kind = "test";
    made.step = 7;
    made.put("weights", std::vector<double>{1, 2.5});
    const core::checkpoint read = none.of_bytes(none.bytes(made), "memory");
    BOOST_TEST(read.kind == "test");
    BOOST_TEST(read.step == 7u);
    BOOST_TEST((read.get<double>("weights") == std::vector<double>{1, 2.5}));
    BOOST_CHECK_THROW(none.history(read, "lbfgs"), core::data_error);
}

// Where no observer may keep states, nothing that writes them is compiled.
static_assert(!core::may_keep<core::progress> && core::may_keep<core::checkpoints>);
static_assert(!core::may_keep<core::any_observer> && core::may_keep<core::any_keeper>);
static_assert(!core::may_keep<core::observers<core::progress>> && !core::may_keep<core::observers<>>);
static_assert(core::may_keep<core::observers<core::progress, core::checkpoints>>);
static_assert(core::may_keep<core::observers<core::observers<core::checkpoints>>>);

BOOST_AUTO_TEST_SUITE_END()

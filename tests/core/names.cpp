// SPDX-License-Identifier: BSL-1.0
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <gamut/core/names.hpp>

using gamut::core::names;

BOOST_AUTO_TEST_SUITE(names_of_features)

BOOST_AUTO_TEST_CASE(copies_share_the_list_until_one_is_added_to) {
    const names first{"age", "height"};
    names second = first;
    BOOST_TEST(&second[0] == &first[0]);
    second.push_back("weight");
    BOOST_TEST(first.size() == 2U);
    const std::vector<std::string> expected{"age", "height", "weight"};
    BOOST_TEST(second == expected, boost::test_tools::per_element());
    BOOST_TEST(&second[0] != &first[0]);
    const std::string* const before = &second[0];
    names moved = std::move(second);
    BOOST_TEST(&moved[0] == before);
}

BOOST_AUTO_TEST_CASE(nothing_is_an_empty_list) {
    names none;
    BOOST_TEST(none.empty());
    BOOST_TEST((none.begin() == none.end()));
    BOOST_TEST((none == names(std::vector<std::string>())));
    none.push_back("a");
    BOOST_TEST((none == names{"a"}));
    BOOST_TEST((none != names{"b"}));
}

BOOST_AUTO_TEST_CASE(it_is_read_as_a_vector) {
    const names list{"a", "b"};
    const std::vector<std::string>& same = list;
    BOOST_TEST(&same[1] == &list[1]);
    std::string joined;
    for (const std::string& name : list) joined += name;
    BOOST_TEST(joined == "ab");
}

BOOST_AUTO_TEST_SUITE_END()

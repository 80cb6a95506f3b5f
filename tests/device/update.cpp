// SPDX-License-Identifier: BSL-1.0
#include <boost/test/unit_test.hpp>

#include <array>
#include <cstddef>
#include <span>
#include <vector>

#include <gamut/backend/array.hpp>
#include <gamut/backend/device.hpp>
#include <gamut/backend/host.hpp>

#include "../update/rules.hpp"

using namespace gamut;

namespace {

template <class B, class Rule> std::vector<double> walk(const Rule& rule) {
    using array = backend::array<B>;
    const std::vector<double> start{1, -2, 3, 0.5, 0, 7}, slopes{0.1, -0.2, 0.3, 0, 5, -1};
    array w{std::span<const double>(start)}, g(start.size());
    std::array<array, Rule::slots> memory;
    for (array& m : memory) m = array(start.size());
    for (std::size_t k = 1; k <= 5; ++k) {
        g.upload(slopes);
        g = (1 / static_cast<double>(k)) * g;
        update::direct(rule, k, w, g, memory);
        w = w - 0.1 * g;
    }
    return w.download();
}

}  // namespace

BOOST_AUTO_TEST_SUITE(device_update)

BOOST_AUTO_TEST_CASE(every_rule_has_the_bits_of_the_host) {
    for_each_rule([](const auto& rule) {
        BOOST_TEST(walk<backend::device<double>>(rule) == walk<backend::host<double>>(rule),
                   boost::test_tools::per_element());
    });
}

BOOST_AUTO_TEST_SUITE_END()

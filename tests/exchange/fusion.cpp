// SPDX-License-Identifier: BSL-1.0
// Several arrays of a node in one message: the same bits, the same bytes, fewer messages.
#include <boost/test/unit_test.hpp>

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include <gamut/backend/array.hpp>
#include <gamut/backend/host.hpp>
#include <gamut/communicator/counting.hpp>
#include <gamut/communicator/threads.hpp>
#include <gamut/core/error.hpp>
#include <gamut/exchange/nodes.hpp>
#include <gamut/exchange/routes.hpp>
#include <gamut/topology/ring.hpp>
#include <gamut/topology/weights.hpp>

using namespace gamut;

BOOST_AUTO_TEST_SUITE(fusion)

BOOST_AUTO_TEST_CASE(arrays_that_travel_together_are_one_message) {
    using array = backend::array<backend::host<>>;
    std::vector<std::uint64_t> messages(4), bytes(4);
    communicator::threads<>::run(4, [&](const communicator::threads<>& c) {
        const communicator::counting<communicator::threads<>> ranks(c);
        const exchange::nodes all(ranks, 8);
        exchange::routes way("fusion", topology::ring{}, topology::metropolis{}, exchange::need::doubly);
        const auto& route = way.at(all, 0);
        std::vector<array> x(all.size(), array(5)), u(all.size(), array(2)), v(all.size(), array(1)), y = x, z = u,
                                                                                                      w = v;
        for (std::size_t i = 0; i < all.size(); ++i) {
            for (std::size_t j = 0; j < 5; ++j) x[i][j] = 1.0 / static_cast<double>(1 + all.first() + i + j);
            u[i][1] = v[i][0] = static_cast<double>(all.first() + i);
        }
        const auto count = [&](auto&& meet) {
            ranks.reset();
            meet();
            return std::pair(ranks.messages(), ranks.bytes());
        };
        const auto apart = count([&] {
            all.mix(route, x, y);
            all.mix(route, u, z);
            all.mix(route, v, w);
        });
        const std::vector<array> first = y, second = z, third = w;
        const auto fused = count([&] { all.mix(route, x, y, u, z, v, w); });
        for (std::size_t i = 0; i < all.size(); ++i)
            if (y[i].download() != first[i].download() || z[i].download() != second[i].download() ||
                w[i].download() != third[i].download())
                throw core::error("other bits");
        // on a ring the first and the last node of a rank are heard elsewhere
        if (fused.first != 2 || apart.first != 6) throw core::error("another number of messages");
        if (fused.second != 2 * 8 * sizeof(double) || apart.second != fused.second) throw core::error("other bytes");
        messages[static_cast<std::size_t>(c.rank())] = fused.first;
        bytes[static_cast<std::size_t>(c.rank())] = fused.second;
    });
    BOOST_TEST(messages == std::vector<std::uint64_t>(4, 2), boost::test_tools::per_element());
    BOOST_TEST(bytes == std::vector<std::uint64_t>(4, 128), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_SUITE_END()

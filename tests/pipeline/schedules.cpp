// SPDX-License-Identifier: BSL-1.0
#include <gamut/solver/pipeline_schedule.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

using namespace gamut::solver::pipeline_schedule;

BOOST_AUTO_TEST_SUITE(schedules)

namespace {
std::string words(const std::vector<task>& list) {
    std::string all;
    for (const task& one : list)
        all +=
            (all.empty() ? "" : " ") + std::string(1, "FBU"[static_cast<int>(one.what)]) + std::to_string(one.number);
    return all;
}

/// Whether lists that are run in order, each line when what it needs is there, come to their ends.
template <class S> bool comes_to_an_end(const S& schedule, std::size_t stages, std::size_t micro, std::size_t batches) {
    std::vector<std::vector<task>> lists;
    for (std::size_t s = 0; s < stages; ++s) lists.push_back(schedule.tasks({stages, s, micro, batches}));
    std::vector<std::size_t> at(stages);
    std::vector<std::vector<char>> forward(stages, std::vector<char>(micro * batches)), back = forward;
    for (bool moved = true; moved;) {
        moved = false;
        for (std::size_t s = 0; s < stages; ++s) {
            if (at[s] == lists[s].size()) continue;
            const task next = lists[s][at[s]];
            if (next.what == work::forward && s > 0 && !forward[s - 1][next.number]) continue;
            if (next.what == work::backward && s + 1 < stages && !back[s + 1][next.number]) continue;
            if (next.what == work::backward && !forward[s][next.number]) return false;
            if (next.what == work::forward) forward[s][next.number] = 1;
            if (next.what == work::backward) back[s][next.number] = 1;
            ++at[s];
            moved = true;
        }
    }
    for (std::size_t s = 0; s < stages; ++s)
        if (at[s] != lists[s].size() || std::count(back[s].begin(), back[s].end(), 1) != long(micro * batches))
            return false;
    return true;
}
}  // namespace

BOOST_AUTO_TEST_CASE(lists_as_the_papers_have_them) {
    BOOST_TEST(words(one_after_another{}.tasks({2, 0, 2, 2})) == "F0 B0 F1 B1 U0 F2 B2 F3 B3 U1");
    BOOST_TEST(words(gpipe{}.tasks({2, 1, 3, 1})) == "F0 F1 F2 B0 B1 B2 U0");
    const one_forward_one_backward alternating;
    BOOST_TEST(words(alternating.tasks({3, 0, 4, 1})) == "F0 F1 F2 B0 F3 B1 B2 B3 U0");
    BOOST_TEST(words(alternating.tasks({3, 1, 4, 1})) == "F0 F1 B0 F2 B1 F3 B2 B3 U0");
    BOOST_TEST(words(alternating.tasks({3, 2, 4, 1})) == "F0 B0 F1 B1 F2 B2 F3 B3 U0");
    BOOST_TEST(words(alternating.tasks({4, 0, 2, 1})) == "F0 F1 B0 B1 U0");
    BOOST_TEST(words(pipedream{}.tasks({3, 0, 1, 4})) == "F0 F1 F2 B0 U0 F3 B1 U1 B2 U2 B3 U3");
    BOOST_TEST(words(pipedream{}.tasks({3, 2, 1, 2})) == "F0 B0 U0 F1 B1 U1");
}

BOOST_AUTO_TEST_CASE(inputs_in_flight) {
    for (const std::size_t stages : {1u, 2u, 4u})
        for (const std::size_t micro : {1u, 2u, 3u, 8u})
            for (std::size_t s = 0; s < stages; ++s) {
                const place at{stages, s, micro, 2};
                BOOST_TEST(most_in_flight(one_after_another{}.tasks(at)) == 1);
                BOOST_TEST(most_in_flight(gpipe{}.tasks(at)) == micro);
                BOOST_TEST(most_in_flight(one_forward_one_backward{}.tasks(at)) == std::min(micro, stages - s));
                BOOST_TEST(most_in_flight(pipedream{}.tasks({stages, s, 1, 9})) == stages - s);
            }
}

BOOST_AUTO_TEST_CASE(no_list_waits_for_ever) {
    for (const std::size_t stages : {1u, 2u, 3u, 5u})
        for (const std::size_t micro : {1u, 2u, 3u, 8u}) {
            BOOST_TEST(comes_to_an_end(one_after_another{}, stages, micro, 2));
            BOOST_TEST(comes_to_an_end(gpipe{}, stages, micro, 2));
            BOOST_TEST(comes_to_an_end(one_forward_one_backward{}, stages, micro, 2));
            BOOST_TEST(comes_to_an_end(pipedream{}, stages, 1, micro));
        }
}

BOOST_AUTO_TEST_CASE(pipedream_reads_weights_of_some_updates_ago) {
    constexpr std::size_t stages = 4, batches = 10;
    for (std::size_t s = 0; s < stages; ++s) {
        std::size_t updates = 0;
        for (const task& one : pipedream{}.tasks({stages, s, 1, batches})) {
            if (one.what == work::update) BOOST_TEST(one.number == updates++);
            const std::size_t late = stages - 1 - s;
            if (one.what == work::forward) BOOST_TEST(updates == one.number - std::min(one.number, late));
        }
        BOOST_TEST(updates == batches);
    }
}

BOOST_AUTO_TEST_SUITE_END()

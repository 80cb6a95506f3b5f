// SPDX-License-Identifier: BSL-1.0
// Every graph: what it says of itself is so, and it mixes as fast as its second singular value says.
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <set>
#include <string>
#include <vector>

#include <gamut/core/error.hpp>
#include <gamut/topology/base_k.hpp>
#include <gamut/topology/concept.hpp>
#include <gamut/topology/exponential.hpp>
#include <gamut/topology/full.hpp>
#include <gamut/topology/function.hpp>
#include <gamut/topology/hierarchical.hpp>
#include <gamut/topology/inner_outer.hpp>
#include <gamut/topology/mesh.hpp>
#include <gamut/topology/mixing_matrix.hpp>
#include <gamut/topology/one_peer.hpp>
#include <gamut/topology/random_pairs.hpp>
#include <gamut/topology/random_regular.hpp>
#include <gamut/topology/ring.hpp>
#include <gamut/topology/star.hpp>
#include <gamut/topology/symmetric_exponential.hpp>
#include <gamut/topology/weights.hpp>

using namespace gamut;
using topology::mixing_matrix;
using topology::node_list;

namespace {

template <class F> void with_every_graph(F f) {
    f("ring", topology::ring{});
    f("one_way_ring", topology::one_way_ring{});
    f("star", topology::star{.centre = 1});
    f("full", topology::full{});
    f("mesh", topology::mesh{});
    f("exponential", topology::exponential{});
    f("exponential 3", topology::exponential{.base = 3});
    f("symmetric_exponential", topology::symmetric_exponential{});
    f("random_regular", topology::random_regular{.seed = 3});
    f("random_pairs", topology::random_pairs{});
    f("one_peer_exponential", topology::one_peer_exponential{});
    f("one_peer", topology::one_peer{topology::mesh{}});
    f("inner_outer_ring", topology::inner_outer_ring{.local = 4});
    f("inner_outer_exponential", topology::inner_outer_exponential{.local = 4});
}

std::vector<double> times(const mixing_matrix& w, const std::vector<double>& x) {
    std::vector<double> y(x.size());
    for (std::size_t i = 0; i < y.size(); ++i)
        for (const auto& l : w.row(i)) y[i] += l.weight * x[l.from];
    return y;
}

template <class E, class F> std::string words_of(F f) {
    try {
        f();
    } catch (const E& error) {
        return error.what();
    }
    return "";
}

}  // namespace

BOOST_AUTO_TEST_SUITE(graphs)

BOOST_AUTO_TEST_CASE(what_a_graph_says_of_itself_is_so_at_every_step) {
    with_every_graph([](const char* name, const auto& graph) {
        using G = std::remove_cvref_t<decltype(graph)>;
        for (const std::size_t n : {4, 8, 12, 16}) {
            const std::size_t period = topology::period(graph, n);
            for (std::size_t k = 0; k < std::max<std::size_t>(period, 5); ++k) {
                std::vector<std::size_t> in(n), out(n);
                for (std::size_t i = 0; i < n; ++i) {
                    const node_list heard = topology::heard_by(graph, i, n, k);
                    in[i] = heard.size();
                    for (const std::size_t j : heard) {
                        ++out[j];
                        const node_list back = topology::heard_by(graph, j, n, k);
                        if (topology::kind_of<G> == topology::symmetric)
                            BOOST_TEST(std::binary_search(back.begin(), back.end(), i), name << ' ' << n << ' ' << k);
                    }
                    const node_list listeners = topology::listeners_of(graph, i, n, k);
                    for (const std::size_t l : listeners) {
                        const node_list theirs = topology::heard_by(graph, l, n, k);
                        BOOST_TEST(std::binary_search(theirs.begin(), theirs.end(), i));
                    }
                    if (period > 0 && k < period)
                        BOOST_TEST((topology::heard_by(graph, i, n, k + period) == heard),
                                   name << ' ' << n << ' ' << k);
                }
                if (topology::kind_of<G> != topology::directed) {
                    BOOST_TEST((in == out), name << ' ' << n << ' ' << k);
                    const mixing_matrix w(graph, topology::metropolis{}, n, k);
                    BOOST_TEST(w.not_row_stochastic() == "");
                    BOOST_TEST(w.not_column_stochastic() == "", name << ' ' << n << ' ' << w.not_column_stochastic());
                }
                BOOST_TEST(mixing_matrix(graph, topology::push{}, n, k).not_column_stochastic() == "");
                BOOST_TEST(mixing_matrix(graph, topology::uniform{}, n, k).not_row_stochastic() == "");
            }
        }
    });
}

BOOST_AUTO_TEST_CASE(contraction_is_the_second_singular_value) {
    std::size_t seen = 0;
    with_every_graph([&](const char* name, const auto& graph) {
        using G = std::remove_cvref_t<decltype(graph)>;
        if constexpr (!topology::changes<G> && topology::kind_of<G> == topology::symmetric) {
            for (const std::size_t n : {4, 8, 16}) {
                const mixing_matrix w(graph, topology::metropolis{}, n, 0);
                const double rho = w.second_singular_value();
                std::vector<double> x(n);
                for (std::size_t i = 0; i < n; ++i) x[i] = std::cos(0.7 + 3.1 * static_cast<double>(i));
                double before = 0, measured = 0;
                for (int k = 0; k < 400; ++k) {  // what is left after a step, once the slowest part is all that is left
                    double mean = 0, length = 0;
                    for (const double v : x) mean += v / static_cast<double>(n);
                    for (double& v : x) v -= mean, length += v * v;
                    length = std::sqrt(length);
                    if (length < 1e-200) break;
                    for (double& v : x) v /= length;
                    before = 1;
                    x = times(w, x);
                    measured = 0;
                    for (const double v : x) measured += v * v;
                    measured = std::sqrt(measured);
                }
                BOOST_TEST(std::abs(measured - before * rho) <= 1e-3,
                           name << ' ' << n << ": " << measured << ' ' << rho);
                ++seen;
            }
        }
    });
    BOOST_TEST(seen == 18u);
    BOOST_TEST(std::abs(mixing_matrix(topology::ring{}, topology::metropolis{}, 8, 0).second_singular_value() -
                        0.8047378541243650) <= 1e-9);
    BOOST_TEST(mixing_matrix(topology::full{}, topology::metropolis{}, 9, 0).second_singular_value() <= 1e-12);
}

BOOST_AUTO_TEST_CASE(finite_time_graphs_are_exact_with_few_messages) {
    for (const std::size_t k : {1, 2, 4})
        for (std::size_t n = 1; n <= 40; ++n) {
            const topology::base_k graph{.k = k};
            std::vector<double> x(n);
            for (std::size_t i = 0; i < n; ++i) x[i] = std::sin(static_cast<double>(i * i));
            double mean = 0;
            for (const double v : x) mean += v / static_cast<double>(n);
            for (std::size_t step = 0; step < graph.period(n); ++step) {
                const mixing_matrix w(graph, n, step);
                BOOST_TEST(w.not_symmetric() == "");
                BOOST_TEST(w.not_row_stochastic() == "");
                for (std::size_t i = 0; i < n; ++i) BOOST_TEST(w.row(i).size() <= k + 1);
                x = times(w, x);
            }
            for (const double v : x) BOOST_TEST(std::abs(v - mean) <= 1e-14);
        }
}

BOOST_AUTO_TEST_CASE(machines_take_turns_outside) {
    const topology::inner_outer_exponential graph{.local = 4};
    const std::size_t n = 16;
    std::set<std::size_t> outside;
    for (std::size_t k = 0; k < graph.period(n); ++k) {
        std::size_t crossing = 0;
        for (std::size_t i = 0; i < n; ++i)
            for (const std::size_t j : topology::heard_by(graph, i, n, k))
                if (i / 4 != j / 4) ++crossing, outside.insert(i % 4);
        BOOST_TEST(crossing == 4u);  // one of each machine
    }
    BOOST_TEST(outside.size() == 4u);
}

BOOST_AUTO_TEST_CASE(every_graph_that_changes_brings_all_nodes_together) {
    with_every_graph([](const char* name, const auto& graph) {
        using G = std::remove_cvref_t<decltype(graph)>;
        if constexpr (topology::changes<G> && topology::kind_of<G> != topology::directed) {
            for (const std::size_t n : {8, 12, 16}) {
                std::vector<double> x(n);
                for (std::size_t i = 0; i < n; ++i) x[i] = std::cos(0.7 + 3.1 * static_cast<double>(i));
                double mean = 0, apart = 0;
                for (const double v : x) mean += v / static_cast<double>(n);
                for (std::size_t k = 0; k < 600; ++k) x = times(mixing_matrix(graph, topology::metropolis{}, n, k), x);
                for (const double v : x) apart = std::max(apart, std::abs(v - mean));
                BOOST_TEST(apart <= 1e-9, name << ' ' << n << ": " << apart);
            }
        }
    });
}

BOOST_AUTO_TEST_CASE(pairs_are_drawn_anew_and_the_same_everywhere) {
    const topology::random_pairs graph{.seed = 5};
    std::set<std::size_t> partners;
    for (std::size_t k = 0; k < 60; ++k) {
        const node_list heard = topology::heard_by(graph, 3, 9, k);
        BOOST_TEST(heard.size() <= 1u);
        if (!heard.empty()) partners.insert(heard[0]);
        BOOST_TEST((topology::heard_by(topology::random_pairs{.seed = 5}, 3, 9, k) == heard));
    }
    BOOST_TEST(partners.size() == 8u);
}

BOOST_AUTO_TEST_CASE(weights_are_the_doubles_nearest_to_their_fractions) {
    const mixing_matrix w(topology::mesh{}, topology::metropolis{}, 6, 0);
    BOOST_TEST(w.at(0, 0) == 5. / 12);
    BOOST_TEST(w.at(1, 1) == .25);
    BOOST_TEST(w.at(0, 3) == 1. / 3);
    BOOST_TEST(mixing_matrix(topology::ring{}, topology::metropolis{}, 5, 0).at(2, 2) == 1. / 3);
    BOOST_TEST(w.hash() == mixing_matrix(topology::mesh{}, topology::metropolis{}, 6, 0).hash());
    BOOST_TEST(w.hash() != mixing_matrix(topology::mesh{}, topology::uniform{}, 6, 0).hash());
    BOOST_TEST(mixing_matrix(topology::star{}, topology::uniform{}, 4, 0).not_column_stochastic() ==
               "what node 0 says counts 1.75 times in all");
}

BOOST_AUTO_TEST_CASE(a_graph_that_makes_no_sense_is_refused) {
    const topology::function outside{[](std::size_t, std::size_t n, std::size_t) { return node_list{n}; }};
    BOOST_TEST(words_of<core::option_error>([&] { mixing_matrix(outside, topology::metropolis{}, 4, 0); }) ==
               "topology: node 0 hears node 4 (there are nodes 0 to 3)");
    BOOST_TEST(words_of<core::option_error>([] {
                   mixing_matrix(topology::mesh{.rows = 3}, topology::uniform{}, 8, 0);
               }).find("8 nodes in 3 rows") != std::string::npos);
    BOOST_CHECK_THROW(mixing_matrix(topology::exponential{.base = 1}, topology::uniform{}, 4, 0), core::option_error);
    BOOST_CHECK_THROW(mixing_matrix(topology::inner_outer_ring{.local = 3}, topology::uniform{}, 8, 0),
                      core::option_error);
    BOOST_CHECK_THROW(mixing_matrix(topology::inner_outer_ring{.local = 2}, topology::uniform{}, 8, 0),
                      core::option_error);
    BOOST_CHECK_THROW(mixing_matrix(topology::base_k{.k = 0}, 8, 0), core::option_error);
    BOOST_CHECK_THROW(mixing_matrix(topology::hierarchical<>{.local = 3}, 8, 0), core::option_error);
}

BOOST_AUTO_TEST_SUITE_END()

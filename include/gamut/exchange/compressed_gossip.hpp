// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <gamut/communicator/concept.hpp>
#include <gamut/compressor/concept.hpp>
#include <gamut/compressor/top_k.hpp>
#include <gamut/core/error.hpp>
#include <gamut/exchange/concept.hpp>
#include <gamut/exchange/nodes.hpp>
#include <gamut/exchange/routes.hpp>
#include <gamut/fwd.hpp>
#include <gamut/topology/concept.hpp>
#include <gamut/topology/ring.hpp>
#include <gamut/topology/weights.hpp>

namespace gamut::exchange {

/// Gossip that says little: of every node there is a public copy h_i, known to all that hear it, and what travels is the compressed
/// difference to it.
///   v_i = w_i - rate d_i
///   h_i = h_i + Q(v_i - h_i)                             the message; who hears it does the same
///   w_i = v_i + consensus_rate sum of W_ij (h_j - h_i)
/// The mean of the v_i stays whatever Q leaves out, and where nobody descends all end at the exact mean, at a linear rate: what was left
/// out is in the next difference. So a biased compressor needs no error feedback here; an unbiased one is shortened until it
/// contracts. The more a compressor leaves out, the smaller consensus_rate must be, or it diverges: on a ring of 8 with 1,000 numbers
/// each, .02 goes with top_k of 1 %, .2 with 10 %, .1 with random_k of 10 % and low_rank of 2, .8 with quantized to 4 bits, 1 with int8,
/// half (which comes no nearer than halves can say) and none (which then is gossip).
/// Keeps two more arrays per node, its h and the sum of W_ij h_j, both in checkpoints. A message for each rank where somebody hears
/// a node, per node and step, as long as the compressor's; one of 8 bytes more where its lengths vary (lossless).
/// Koloskova, Stich and Jaggi, Decentralized stochastic optimization and gossip algorithms with compressed communication, ICML 2019.
template <class G = topology::ring, class Compressor = compressor::top_k, class Rule = topology::metropolis>
struct compressed_gossip {
    static constexpr bool takes_directions = true;
    static_assert(!topology::changes<G>,
                  "compressed_gossip: needs a topology that does not change (who hears a node keeps its public copy); "
                  "use exchange::gossip");
    static_assert(topology::kind_of<G> != topology::directed,
                  "compressed_gossip: needs a symmetric or balanced topology (on others the nodes agree on something "
                  "else than the mean) use exchange::push_sum");
    static_assert(compressor::Compressor<Compressor>,
                  "compressed_gossip: needs a compressor; see gamut/compressor/concept.hpp");
    static_assert(
        !requires(compressor::memory_of<Compressor, float> memory) { memory.kept; },
        "compressed_gossip: differences carry what was left out already; use the compressor without "
        "error_feedback");

    G topology{};
    Compressor compressor{};
    double consensus_rate = 0.02;  ///< above 0, at most 1
    Rule weights{};

    void validate() const {
        if (!(consensus_rate > 0 && consensus_rate <= 1))
            throw core::option_error(core::text("compressed_gossip: consensus_rate is ", consensus_rate,
                                                " (it must be above 0, and 1 at most) try 0.02"));
        compressor::validate(compressor);
    }

    /// What a run says behind a distance of the nodes that grew.
    std::string advice() const {
        return core::text(" (the rate is too large, or a consensus_rate of ", consensus_rate,
                          " is for what the compressor leaves out) try a quarter of them");
    }

    template <class A, class N> struct state {
        static_assert(
            requires(A & copy) { copy.span(); }, "exchange: needs arrays in host memory (backend::host)");
        using T = typename A::value_type;

        state(const compressed_gossip& method, const N& all, const A& start)
            : nodes_(all),
              way_("compressed_gossip", method.topology, method.weights, need::doubly),
              compressor_(method.compressor),
              rate_(static_cast<T>(method.consensus_rate)),
              w_(all.size(), start),
              public_(w_),
              heard_(w_),
              said_(w_),
              slope_(start) {
            method.validate();
            length_ = static_cast<T>(compressor::contraction(compressor_, start.size()));
        }

        template <class F, class D = as_is> void round(double rate, F&& gradient, D&& direct = {}) {
            std::vector<compressor::bytes> mine(w_.size());
            for (std::size_t i = 0; i < w_.size(); ++i) {
                gradient(i, w_[i], slope_);
                direct(i, w_[i], slope_);
                w_[i] = w_[i] - static_cast<T>(rate) * slope_;
                slope_ = w_[i] - public_[i];
                compressor::memory_of<Compressor, T> memory;
                compressor::encode<T>(compressor_, {.round = k_, .node = nodes_.first() + i}, slope_.span(), memory,
                                      mine[i]);
                hear(mine[i], said_[i]);
                public_[i] = public_[i] + said_[i];
            }
            ++k_;
            const route& p = way_.at(nodes_, 0);
            const std::vector<A> others = travel(p, mine);
            for (std::size_t i = 0; i < w_.size(); ++i) {
                for (const auto& link : p.rows[i]) {
                    const A& said =
                        nodes_.is_mine(link.from) ? said_[link.from - nodes_.first()] : others[p.place(link.from)];
                    heard_[i] = heard_[i] + static_cast<T>(link.weight) * said;
                }
                w_[i] = w_[i] + rate_ * (heard_[i] - public_[i]);
            }
        }
        /// What must outlive an interruption: of this rank's nodes, which are the problem's blocks.
        template <class Each, class P> void describe(Each& each, [[maybe_unused]] const P& p) {
            each.blocks("copies", w_, p);
            each.blocks("public", public_, p);
            each.blocks("heard", heard_, p);
            each("steps", k_);
        }
        std::vector<A>& copies() { return w_; }

    private:
        void hear(std::span<const std::uint8_t> message, A& said) const {
            compressor::decode<T>(compressor_, message, std::span<T>(said.span()));
            said = length_ * said;
        }

        /// What the nodes say that are heard here and live elsewhere, in the order of p.in.
        std::vector<A> travel(const route& p, const std::vector<compressor::bytes>& mine) {
            std::vector<std::int64_t> lengths(p.in.size(),
                                              mine.empty() ? 0 : static_cast<std::int64_t>(mine[0].size()));
            if constexpr (!compressor::has_fixed_length<Compressor>) {
                std::vector<std::int64_t> own;
                for (const auto& one : p.out)
                    own.push_back(static_cast<std::int64_t>(mine[one.node - nodes_.first()].size()));
                pass<std::int64_t>(
                    p, [&](std::size_t k) { return std::span(own).subspan(k, 1); },
                    [&](std::size_t k) { return std::span(lengths).subspan(k, 1); });
            }
            std::vector<compressor::bytes> messages;
            for (const std::int64_t length : lengths) messages.emplace_back(static_cast<std::size_t>(length));
            pass<std::uint8_t>(
                p, [&](std::size_t k) { return std::span(mine[p.out[k].node - nodes_.first()]); },
                [&](std::size_t k) { return std::span(messages[k]); });
            std::vector<A> others(messages.size(), slope_);
            for (std::size_t k = 0; k < messages.size(); ++k) hear(messages[k], others[k]);
            return others;
        }
        template <class Element, class Out, class In> void pass(const route& p, Out&& from, In&& into) const {
            std::vector<communicator::parcel<const Element>> out;
            std::vector<communicator::parcel<Element>> in;
            for (std::size_t k = 0; k < p.out.size(); ++k) out.push_back({p.out[k].rank, from(k)});
            for (std::size_t k = 0; k < p.in.size(); ++k) in.push_back({p.in[k].rank, into(k)});
            nodes_.ranks().exchange(std::span<const communicator::parcel<const Element>>(out),
                                    std::span<const communicator::parcel<Element>>(in));
        }

        const N& nodes_;
        routes<G, Rule> way_;
        Compressor compressor_;
        T rate_, length_ = 1;
        std::vector<A> w_, public_, heard_, said_;  // heard = sum of W_ij public_j
        A slope_;
        std::uint64_t k_ = 0;
    };
};
template <class G> compressed_gossip(G) -> compressed_gossip<G>;
template <class G, class Compressor> compressed_gossip(G, Compressor) -> compressed_gossip<G, Compressor>;
template <class G, class Compressor> compressed_gossip(G, Compressor, double) -> compressed_gossip<G, Compressor>;
template <class G, class Compressor, class Rule>
compressed_gossip(G, Compressor, double, Rule) -> compressed_gossip<G, Compressor, Rule>;

}  // namespace gamut::exchange

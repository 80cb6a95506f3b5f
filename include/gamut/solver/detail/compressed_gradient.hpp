// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <gamut/communicator/concept.hpp>
#include <gamut/communicator/sum.hpp>
#include <gamut/compressor/concept.hpp>
#include <gamut/compressor/stored_memory.hpp>
#include <gamut/exchange/compressed_mean.hpp>
#include <gamut/solver/concept.hpp>
#include <gamut/solver/state.hpp>

namespace gamut::solver::detail {

/// The gradient of a batch as the mean of what a compressor makes of the blocks' gradients; see sgd.hpp and exchange/compressed_mean.hpp.
/// Per batch what compressed_mean sends, and one global sum of a number, the value.
template <class P, class Compressor> class compressed_gradient {
    using A = typename P::array;
    using T = typename A::value_type;
    static_assert(
        communicator::PairwiseCommunicator<std::remove_cvref_t<decltype(std::declval<const P&>().communicator())>>,
        "sgd: a compressor needs a communicator whose ranks talk in pairs; see gamut/communicator/concept.hpp");
    static_assert(Decentralised<P>, "sgd: a compressor needs a problem with local_gradient(b, w, batch, gradient); see "
                                    "gamut/solver/concept.hpp");
    static_assert(
        requires(A & one) { one.span(); }, "sgd: a compressor needs arrays in host memory (backend::host)");
    static_assert(compressor::Storable<compressor::memory_of<Compressor, T>>,
                  "sgd: what this compressor remembers cannot be kept in checkpoints; give its memory describe(each); "
                  "see gamut/compressor/stored_memory.hpp");

public:
    compressed_gradient(const P& p, const Compressor& with)
        : problem_(p),
          with_(with),
          own_(p.last_block() - p.first_block()) {}

    double operator()(const A& w, const batch& rows, A& gradient) {
        double value = 0;
        std::exception_ptr failure;
        try {
            values_.resize(own_);
            gradients_.resize(own_ * w.size());
            for (std::size_t k = 0; k < own_; ++k) {
                values_[k] = problem_.local_gradient(problem_.first_block() + k, w, rows, gradient);
                std::copy_n(gradient.span().begin(), w.size(),
                            gradients_.begin() + static_cast<std::ptrdiff_t>(k * w.size()));
            }
        } catch (...) {
            failure = std::current_exception();
        }
        communicator::sum(problem_.communicator(), std::span<const double>(values_), own_, std::span(&value, 1),
                          failure);
        exchange::compressed_mean<T>(problem_.communicator(), with_, round_++, problem_.blocks(), gradients_, memory_,
                                     std::span<T>(gradient.span()));
        return value / static_cast<double>(problem_.blocks());
    }

    /// What must outlive an interruption: which message it is, and what the blocks remember.
    template <class Each> void describe(Each& each) {
        if constexpr (!std::same_as<Each, weights_finder>) {
            each("round", round_);
            if constexpr (Compressor::summable) {
                compressor::stored_memory kept{.nodes = std::vector<compressor::bytes>(own_)};
                if constexpr (std::same_as<Each, state_writer>) compressor::store(memory_.shared, kept);
                each("shared", kept.shared);
                parts(each, *kept.nodes);
                if constexpr (!std::same_as<Each, state_writer>) compressor::restore(memory_.shared, kept);
            } else {
                memory_.nodes.resize(own_);
                std::vector<compressor::bytes> packed(own_);
                for (std::size_t k = 0; k < own_; ++k)
                    if constexpr (std::same_as<Each, state_writer>) {
                        compressor::stored_memory one;
                        compressor::store(memory_.nodes[k], one);
                        packed[k] = std::move(one.shared);
                    }
                parts(each, packed);
                if constexpr (!std::same_as<Each, state_writer>)
                    for (std::size_t k = 0; k < own_; ++k) {
                        compressor::stored_memory one{.shared = std::move(packed[k])};
                        compressor::restore(memory_.nodes[k], one);
                    }
            }
        }
    }

private:
    /// Of any length.
    template <class Each> void parts(Each& each, std::vector<compressor::bytes>& of_blocks) {
        std::vector<std::vector<std::uint64_t>> lengths;
        for (const auto& one : of_blocks) lengths.push_back({one.size()});
        each.parts("lengths", lengths, problem_);
        for (std::size_t k = 0; k < own_; ++k) of_blocks[k].resize(lengths[k][0]);
        each.parts("memory", of_blocks, problem_);
    }

    const P& problem_;
    Compressor with_;
    std::size_t own_;
    std::uint64_t round_ = 0;
    exchange::mean_memory<Compressor, T> memory_;
    std::vector<double> values_;
    std::vector<T> gradients_;
};

}  // namespace gamut::solver::detail

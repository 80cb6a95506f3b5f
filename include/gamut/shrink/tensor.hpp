// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cmath>
#include <cstddef>
#include <span>
#include <type_traits>
#include <vector>

#include <gamut/autodiff/parameter.hpp>
#include <gamut/autodiff/program.hpp>
#include <gamut/core/error.hpp>
#include <gamut/core/text.hpp>
#include <gamut/fitted_network.hpp>
#include <gamut/model/concept.hpp>

namespace gamut::shrink {

/// A block of parameters that multiplies: a matrix, filters or a table, row-major from `offset` on among all weights of a network. These
/// are what shrinks; biases, scales and shifts stay as they are.
struct tensor {
    std::size_t block = 0;  ///< its number among the blocks of the network
    std::size_t offset = 0, rows = 0, columns = 0;

    std::size_t size() const { return rows * columns; }
};

/// The tensors of a network, in the order of its blocks: what penalties see, too.
template <class Model>
std::vector<tensor> tensors_of(const Model& model, const std::vector<autodiff::block_shape>& blocks) {
    static_assert(model::is_network<Model>, "shrink: needs a network; see docs/networks.md");
    using program = std::remove_cvref_t<decltype(model.loss_program(0))>;
    std::vector<tensor> all;
    std::size_t offset = 0;
    for (std::size_t b = 0; b < blocks.size(); ++b) {
        if (autodiff::multiplied_blocks<program>.has(b)) all.push_back({b, offset, blocks[b].rows, blocks[b].columns});
        offset += blocks[b].size();
    }
    return all;
}
template <class Model, class T, class C> std::vector<tensor> tensors_of(const fitted_network<Model, T, C>& fit) {
    return tensors_of(fit.model, fit.blocks);
}

/// Weights of all tensors together.
inline std::size_t size_of(const std::vector<tensor>& tensors) {
    std::size_t sum = 0;
    for (const tensor& t : tensors) sum += t.size();
    return sum;
}

/// Throws data_error unless all weights are finite: the rest of this folder compares and divides them.
inline void check_finite(std::span<const double> weights) {
    for (std::size_t k = 0; k < weights.size(); ++k)
        if (!std::isfinite(weights[k]))
            throw core::data_error(core::text("shrink: weight ", k, " is ", weights[k],
                                              " (only finite weights can be compared) fit the network again, with a "
                                              "lower rate"));
}

}  // namespace gamut::shrink

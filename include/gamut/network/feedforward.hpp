// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include <gamut/autodiff/program.hpp>
#include <gamut/core/error.hpp>
#include <gamut/core/text.hpp>
#include <gamut/network/concept.hpp>
#include <gamut/network/sequential.hpp>
#include <gamut/network/start.hpp>

namespace gamut::network {

/// Layers and a loss: what an estimator fits; see classifier.hpp and regressor.hpp.
///   blocks   the data are passed over in so many groups, on as many ranks and threads at most, and the result has the same bits
///            whatever their number; a batch is that many parts
///   start, seed   how the parameters begin
template <class Loss, class... Layers> struct feedforward {
    static constexpr bool is_network = true;

    sequential<Layers...> layers{};
    std::size_t blocks = 4;
    start_rule rule = start_rule::he;
    std::uint64_t seed = 1;

    constexpr feedforward() = default;
    constexpr explicit feedforward(Layers... all) : layers(all...) {}

    /// The data as the first layer sees them.
    static constexpr image input(std::size_t columns) { return {1, 1, columns}; }

    auto shapes(std::size_t columns) const {
        const auto all = layers.blocks(input(columns));
        return std::vector<block_shape>(all.begin(), all.end());
    }
    constexpr auto loss_program(std::size_t columns) const {
        const auto z = outputs(columns);
        return autodiff::finish(autodiff::cut(z.steps, Loss().loss(z.formula)));
    }
    constexpr auto prediction_program(std::size_t columns) const {
        const auto z = outputs(columns);
        return autodiff::finish(autodiff::cut(z.steps, Loss().predict(z.formula)));
    }
    template <class T> std::vector<T> start(std::size_t columns) const {
        std::vector<beginning> all;
        layers.append_beginnings(input(columns), all);
        return network::start<T>(all, rule, seed);
    }
    void check_outputs(std::size_t columns, std::size_t wanted) const {
        const image made = layers.out(input(columns));
        if (made.positions() != 1 || made.channels != wanted)
            throw core::shape_error(core::text("network: its last layer has ", made.height, " x ", made.width, " x ",
                                               made.channels, " outputs (", wanted, wanted == 1 ? " is" : " are",
                                               " needed) end it with flatten{}, dense{", wanted, "}"));
    }

private:
    constexpr auto outputs(std::size_t columns) const {
        return layers.add(autodiff::nothing(), leaves<0>{}, autodiff::inputs{}, input(columns));
    }
};

}  // namespace gamut::network

// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>

#include <gamut/network.hpp>

/// Two networks for pictures of 32 x 32 positions in three colours and ten classes, of any width: VGG11, configuration A of Simonyan and
/// Zisserman 2015 with one dense layer (9.2 million parameters at 64 channels), and the residual networks of He et al. 2016, section
/// 4.2, of 6 n + 2 layers (270,000 parameters at 16 channels and n = 3).
namespace picture_nets {

using namespace gamut::network;

/// Three by three positions around each.
constexpr convolution around(std::size_t channels, std::size_t step = 1) {
    return {.channels = channels, .kernel = 3, .step = step, .border = 1};
}

/// Filters, and filters after which the largest of each four positions is left.
constexpr auto filtered(std::size_t channels) { return sequential{around(channels), relu{}}; }
constexpr auto halved(std::size_t channels) { return sequential{around(channels), relu{}, max_pool{2}}; }

constexpr auto vgg11(picture data, std::size_t width) {
    const std::size_t four = 4 * width, eight = 8 * width;
    return classifier{data,          halved(width),   halved(2 * width), filtered(four), halved(four), filtered(eight),
                      halved(eight), filtered(eight), halved(eight),     flatten{},      dense{10}};
}

/// x + f(x), and the same where there are half as many positions of so many channels afterwards.
constexpr auto block(std::size_t channels) {
    return sequential{residual{around(channels), batch_norm{}, relu{}, around(channels), batch_norm{}}, relu{}};
}
constexpr auto narrowing_block(std::size_t channels) {
    return sequential{branches{sequential{convolution{.channels = channels, .kernel = 1, .step = 2}, batch_norm{}},
                               sequential{around(channels, 2), batch_norm{}, relu{}, around(channels), batch_norm{}}},
                      relu{}};
}

constexpr auto start(std::size_t channels) { return sequential{around(channels), batch_norm{}, relu{}}; }
constexpr auto resnet8(picture data, std::size_t width) {
    return classifier{data,
                      start(width),
                      block(width),
                      narrowing_block(2 * width),
                      narrowing_block(4 * width),
                      average_pool{data.height / 4},
                      flatten{},
                      dense{10}};
}
/// Three blocks each.
constexpr auto stage(std::size_t channels) { return sequential{block(channels), block(channels), block(channels)}; }
constexpr auto narrowing_stage(std::size_t channels) {
    return sequential{narrowing_block(channels), block(channels), block(channels)};
}
constexpr auto resnet20(picture data, std::size_t width) {
    return classifier{data,
                      start(width),
                      stage(width),
                      narrowing_stage(2 * width),
                      narrowing_stage(4 * width),
                      average_pool{data.height / 4},
                      flatten{},
                      dense{10}};
}

}  // namespace picture_nets

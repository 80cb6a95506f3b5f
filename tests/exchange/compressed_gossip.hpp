// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <stdexcept>

#include <gamut/communicator/single.hpp>
#include <gamut/compressor/half.hpp>
#include <gamut/compressor/int8.hpp>
#include <gamut/compressor/low_rank.hpp>
#include <gamut/compressor/none.hpp>
#include <gamut/compressor/quantized.hpp>
#include <gamut/compressor/random_k.hpp>
#include <gamut/compressor/sign.hpp>
#include <gamut/compressor/top_k.hpp>
#include <gamut/exchange/compressed_gossip.hpp>
#include <gamut/topology/exponential.hpp>

#include "../compressor/uneven.hpp"
#include "averaging.hpp"

/// Compressed gossip of every kind of message, which must have the bits of one rank.
namespace compressed {

using namespace gamut;

template <class C> void check_gossip(const C& ranks) {
    const auto check = [&](const auto& method) {
        if (averaging::of(ranks, method, 7, 30, 6).numbers !=
            averaging::of(communicator::single<>{}, method, 7, 30, 6).numbers)
            throw std::runtime_error("other bits");
    };
    using topology::ring;
    check(exchange::compressed_gossip{ring{}, compressor::top_k{.share = .1}, .2});
    check(exchange::compressed_gossip{ring{}, compressor::quantized{}, .5});
    check(exchange::compressed_gossip{topology::exponential{}, compressor::random_k{}, .1});
    check(exchange::compressed_gossip{topology::exponential{}, compressor::low_rank{}, .1});
    check(exchange::compressed_gossip{ring{}, uneven{}, 1});  // lengths travel before
}

}  // namespace compressed

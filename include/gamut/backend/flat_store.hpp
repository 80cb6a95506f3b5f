// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>

namespace gamut::backend {

/// Where the blocks of parameters and of their gradient are: in flat arrays, block after block. A store of one's own may fetch a block
/// when it is asked for, and send a gradient on as soon as it is complete: all that is distributed about training a program hangs on
/// these functions.
///   weights(b)        block b, until release(b); is asked for again when its step is pulled
///   direction(b)      the same block of the direction of a product with the Hessian
///   gradient(b)       where block b's gradient is added to
///   ready(b)          it is complete
///   factors(b, A, a, S, s, m)   it is A' S more, A and S having m rows, a and s apart: true if somebody else adds that
template <class T> struct flat_store {
    const T* w = nullptr;
    const T* v = nullptr;
    T* g = nullptr;
    const std::size_t* offsets = nullptr;

    const T* weights(std::size_t block) const { return w + offsets[block]; }
    const T* direction(std::size_t block) const { return v + offsets[block]; }
    T* gradient(std::size_t block) const { return g + offsets[block]; }
    void release(std::size_t) const {}
    void ready(std::size_t) const {}
    bool factors(std::size_t, const T*, std::size_t, const T*, std::size_t, std::size_t) const { return false; }
};

}  // namespace gamut::backend

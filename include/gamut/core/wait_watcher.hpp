// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>

namespace gamut::core {

/// Told by communicator::traced when this rank begins to wait for others, and when that is over.
///   enter("all_reduce(sum)", 8008)   the name is a literal; bytes of this rank's payload
class wait_watcher {
public:
    virtual void enter(const char* operation, std::size_t bytes) = 0;
    virtual void leave() = 0;

protected:
    ~wait_watcher() = default;
};

}  // namespace gamut::core

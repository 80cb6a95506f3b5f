// SPDX-License-Identifier: BSL-1.0
#pragma once

namespace gamut::exchange {

/// No nodes: all ranks share one copy of the weights.
struct none {};

}  // namespace gamut::exchange

// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gamut/backend/detail/instructions.hpp>

namespace gamut::backend {

/// run<Kernel>(arguments...) calls Kernel::run<Bytes>(arguments...) with the widest vectors of this machine: a kernel is a type with
///     template <std::size_t Bytes> GAMUT_INLINE static R run(A... arguments);
/// that computes in pack<T, Bytes>. How it orders a sum must not depend on Bytes.
using detail::run;

}  // namespace gamut::backend

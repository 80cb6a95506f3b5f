// SPDX-License-Identifier: BSL-1.0
#include <gamut/compiled_mpi.hpp>

namespace gamut::solver {

template core::result<backend::array<backend::host<double>>> minimize_any(
    const disadmm<>&, const any_l0_problem<backend::host<double>, communicator::mpi<>>&, core::any_observer);
template core::result<backend::array<backend::host<float>>> minimize_any(
    const disadmm<>&, const any_l0_problem<backend::host<float>, communicator::mpi<>>&, core::any_observer);

}  // namespace gamut::solver

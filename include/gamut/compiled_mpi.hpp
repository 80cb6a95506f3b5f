// SPDX-License-Identifier: BSL-1.0
#pragma once

/// The same as compiled.hpp for ranks under mpirun; link gamut::compiled_mpi.

#include <gamut/backend/host.hpp>
#include <gamut/communicator/mpi.hpp>
#include <gamut/core/observe.hpp>
#include <gamut/data/csv.hpp>
#include <gamut/data/libsvm.hpp>
#include <gamut/data/standardize.hpp>
#include <gamut/solver/any_problem.hpp>
#include <gamut/solver/disadmm.hpp>
#include <gamut/solver/exact.hpp>
#include <gamut/solver/lbfgs.hpp>
#include <gamut/solver/newton_cg.hpp>
#include <gamut/solver/prune.hpp>
#include <gamut/solver/swap.hpp>

namespace gamut::data {

extern template dataset<backend::dense_matrix<double>> csv<double>::load(const communicator::mpi<>&,
                                                                         const request&) const;
extern template dataset<backend::sparse_matrix<double>> libsvm<double>::load(const communicator::mpi<>&,
                                                                             const request&) const;
extern template standardization standardize(const communicator::mpi<>&, const dataset<backend::dense_matrix<double>>&,
                                            int);
extern template standardization standardize(const communicator::mpi<>&, const dataset<backend::sparse_matrix<double>>&,
                                            int);
extern template dataset<backend::dense_matrix<float>> csv<float>::load(const communicator::mpi<>&,
                                                                       const request&) const;
extern template dataset<backend::sparse_matrix<float>> libsvm<float>::load(const communicator::mpi<>&,
                                                                           const request&) const;
extern template standardization standardize(const communicator::mpi<>&, const dataset<backend::dense_matrix<float>>&,
                                            int);
extern template standardization standardize(const communicator::mpi<>&, const dataset<backend::sparse_matrix<float>>&,
                                            int);

}  // namespace gamut::data

namespace gamut::solver {

extern template core::result<backend::array<backend::host<double>>> minimize_any(
    const lbfgs<>&, const any_smooth_problem<backend::host<double>, communicator::mpi<>>&, core::any_observer);
extern template core::result<backend::array<backend::host<double>>> minimize_any(
    const newton_cg<>&, const any_smooth_problem<backend::host<double>, communicator::mpi<>>&, core::any_observer);
extern template core::result<backend::array<backend::host<double>>> minimize_any(
    const disadmm<>&, const any_l0_problem<backend::host<double>, communicator::mpi<>>&, core::any_observer);
extern template core::result<backend::array<backend::host<double>>> minimize_any(
    const swap&, const any_l0_problem<backend::host<double>, communicator::mpi<>>&, core::any_observer);
extern template core::result<backend::array<backend::host<double>>> minimize_any(
    const prune&, const any_l0_problem<backend::host<double>, communicator::mpi<>>&, core::any_observer);
extern template core::result<backend::array<backend::host<double>>> minimize_any(
    const exact&, const any_l0_problem<backend::host<double>, communicator::mpi<>>&, core::any_observer);
extern template core::result<backend::array<backend::host<float>>> minimize_any(
    const lbfgs<>&, const any_smooth_problem<backend::host<float>, communicator::mpi<>>&, core::any_observer);
extern template core::result<backend::array<backend::host<float>>> minimize_any(
    const newton_cg<>&, const any_smooth_problem<backend::host<float>, communicator::mpi<>>&, core::any_observer);
extern template core::result<backend::array<backend::host<float>>> minimize_any(
    const disadmm<>&, const any_l0_problem<backend::host<float>, communicator::mpi<>>&, core::any_observer);
extern template core::result<backend::array<backend::host<float>>> minimize_any(
    const swap&, const any_l0_problem<backend::host<float>, communicator::mpi<>>&, core::any_observer);
extern template core::result<backend::array<backend::host<float>>> minimize_any(
    const prune&, const any_l0_problem<backend::host<float>, communicator::mpi<>>&, core::any_observer);
extern template core::result<backend::array<backend::host<float>>> minimize_any(
    const exact&, const any_l0_problem<backend::host<float>, communicator::mpi<>>&, core::any_observer);

}  // namespace gamut::solver

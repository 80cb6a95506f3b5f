// SPDX-License-Identifier: BSL-1.0
#pragma once

/// What the library gamut::compiled has ready: readers, standardisation and solvers for host<double> and host<float>, in one process
/// and on threads. A file that includes this, anywhere, compiles none of that; link gamut::compiled. Everything else, and without
/// this header all, is compiled where it is used, with the same results to the bit.

#include <gamut/backend/host.hpp>
#include <gamut/communicator/single.hpp>
#include <gamut/communicator/threads.hpp>
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

extern template dataset<backend::dense_matrix<double>> csv<double>::load(const communicator::single<>&,
                                                                         const request&) const;
extern template dataset<backend::sparse_matrix<double>> libsvm<double>::load(const communicator::single<>&,
                                                                             const request&) const;
extern template standardization standardize(const communicator::single<>&,
                                            const dataset<backend::dense_matrix<double>>&, int);
extern template standardization standardize(const communicator::single<>&,
                                            const dataset<backend::sparse_matrix<double>>&, int);
extern template dataset<backend::dense_matrix<float>> csv<float>::load(const communicator::single<>&,
                                                                       const request&) const;
extern template dataset<backend::sparse_matrix<float>> libsvm<float>::load(const communicator::single<>&,
                                                                           const request&) const;
extern template standardization standardize(const communicator::single<>&, const dataset<backend::dense_matrix<float>>&,
                                            int);
extern template standardization standardize(const communicator::single<>&,
                                            const dataset<backend::sparse_matrix<float>>&, int);
extern template dataset<backend::dense_matrix<double>> csv<double>::load(const communicator::threads<>&,
                                                                         const request&) const;
extern template dataset<backend::sparse_matrix<double>> libsvm<double>::load(const communicator::threads<>&,
                                                                             const request&) const;
extern template standardization standardize(const communicator::threads<>&,
                                            const dataset<backend::dense_matrix<double>>&, int);
extern template standardization standardize(const communicator::threads<>&,
                                            const dataset<backend::sparse_matrix<double>>&, int);
extern template dataset<backend::dense_matrix<float>> csv<float>::load(const communicator::threads<>&,
                                                                       const request&) const;
extern template dataset<backend::sparse_matrix<float>> libsvm<float>::load(const communicator::threads<>&,
                                                                           const request&) const;
extern template standardization standardize(const communicator::threads<>&,
                                            const dataset<backend::dense_matrix<float>>&, int);
extern template standardization standardize(const communicator::threads<>&,
                                            const dataset<backend::sparse_matrix<float>>&, int);

}  // namespace gamut::data

namespace gamut::solver {

extern template core::result<backend::array<backend::host<double>>> minimize_any(
    const lbfgs<>&, const any_smooth_problem<backend::host<double>, communicator::single<>>&, core::any_observer);
extern template core::result<backend::array<backend::host<double>>> minimize_any(
    const newton_cg<>&, const any_smooth_problem<backend::host<double>, communicator::single<>>&, core::any_observer);
extern template core::result<backend::array<backend::host<double>>> minimize_any(
    const disadmm<>&, const any_l0_problem<backend::host<double>, communicator::single<>>&, core::any_observer);
extern template core::result<backend::array<backend::host<double>>> minimize_any(
    const swap&, const any_l0_problem<backend::host<double>, communicator::single<>>&, core::any_observer);
extern template core::result<backend::array<backend::host<double>>> minimize_any(
    const prune&, const any_l0_problem<backend::host<double>, communicator::single<>>&, core::any_observer);
extern template core::result<backend::array<backend::host<double>>> minimize_any(
    const exact&, const any_l0_problem<backend::host<double>, communicator::single<>>&, core::any_observer);
extern template core::result<backend::array<backend::host<float>>> minimize_any(
    const lbfgs<>&, const any_smooth_problem<backend::host<float>, communicator::single<>>&, core::any_observer);
extern template core::result<backend::array<backend::host<float>>> minimize_any(
    const newton_cg<>&, const any_smooth_problem<backend::host<float>, communicator::single<>>&, core::any_observer);
extern template core::result<backend::array<backend::host<float>>> minimize_any(
    const disadmm<>&, const any_l0_problem<backend::host<float>, communicator::single<>>&, core::any_observer);
extern template core::result<backend::array<backend::host<float>>> minimize_any(
    const swap&, const any_l0_problem<backend::host<float>, communicator::single<>>&, core::any_observer);
extern template core::result<backend::array<backend::host<float>>> minimize_any(
    const prune&, const any_l0_problem<backend::host<float>, communicator::single<>>&, core::any_observer);
extern template core::result<backend::array<backend::host<float>>> minimize_any(
    const exact&, const any_l0_problem<backend::host<float>, communicator::single<>>&, core::any_observer);
extern template core::result<backend::array<backend::host<double>>> minimize_any(
    const lbfgs<>&, const any_smooth_problem<backend::host<double>, communicator::threads<>>&, core::any_observer);
extern template core::result<backend::array<backend::host<double>>> minimize_any(
    const newton_cg<>&, const any_smooth_problem<backend::host<double>, communicator::threads<>>&, core::any_observer);
extern template core::result<backend::array<backend::host<double>>> minimize_any(
    const disadmm<>&, const any_l0_problem<backend::host<double>, communicator::threads<>>&, core::any_observer);
extern template core::result<backend::array<backend::host<double>>> minimize_any(
    const swap&, const any_l0_problem<backend::host<double>, communicator::threads<>>&, core::any_observer);
extern template core::result<backend::array<backend::host<double>>> minimize_any(
    const prune&, const any_l0_problem<backend::host<double>, communicator::threads<>>&, core::any_observer);
extern template core::result<backend::array<backend::host<double>>> minimize_any(
    const exact&, const any_l0_problem<backend::host<double>, communicator::threads<>>&, core::any_observer);
extern template core::result<backend::array<backend::host<float>>> minimize_any(
    const lbfgs<>&, const any_smooth_problem<backend::host<float>, communicator::threads<>>&, core::any_observer);
extern template core::result<backend::array<backend::host<float>>> minimize_any(
    const newton_cg<>&, const any_smooth_problem<backend::host<float>, communicator::threads<>>&, core::any_observer);
extern template core::result<backend::array<backend::host<float>>> minimize_any(
    const disadmm<>&, const any_l0_problem<backend::host<float>, communicator::threads<>>&, core::any_observer);
extern template core::result<backend::array<backend::host<float>>> minimize_any(
    const swap&, const any_l0_problem<backend::host<float>, communicator::threads<>>&, core::any_observer);
extern template core::result<backend::array<backend::host<float>>> minimize_any(
    const prune&, const any_l0_problem<backend::host<float>, communicator::threads<>>&, core::any_observer);
extern template core::result<backend::array<backend::host<float>>> minimize_any(
    const exact&, const any_l0_problem<backend::host<float>, communicator::threads<>>&, core::any_observer);

}  // namespace gamut::solver

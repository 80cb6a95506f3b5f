// SPDX-License-Identifier: BSL-1.0
#pragma once

/// Everything that needs neither MPI nor CUDA. Beside it stand
///   <gamut/communicator/mpi.hpp>   ranks under mpirun
///   <gamut/backend/device.hpp>     Thrust
///   <gamut/model_file.hpp>         fitted models as JSON files; <gamut/learn/model_file.hpp> what learners fitted

#include <gamut/backend/host.hpp>
#include <gamut/communicator/counting.hpp>
#include <gamut/communicator/single.hpp>
#include <gamut/communicator/threads.hpp>
#include <gamut/core/json_lines.hpp>
#include <gamut/core/progress.hpp>
#include <gamut/criterion/aic.hpp>
#include <gamut/criterion/bic.hpp>
#include <gamut/criterion/ebic.hpp>
#include <gamut/criterion/gic.hpp>
#include <gamut/cross_validate.hpp>
#include <gamut/data/arrays.hpp>
#include <gamut/data/csv.hpp>
#include <gamut/data/every.hpp>
#include <gamut/data/folds.hpp>
#include <gamut/data/libsvm.hpp>
#include <gamut/data/rows_where.hpp>
#include <gamut/data/split.hpp>
#include <gamut/data/triples.hpp>
#include <gamut/draw.hpp>
#include <gamut/estimator.hpp>
#include <gamut/fitted_path.hpp>
#include <gamut/fwd.hpp>
#include <gamut/learn/factorisation.hpp>
#include <gamut/learn/k_means.hpp>
#include <gamut/learn/metric.hpp>
#include <gamut/learn/nearest.hpp>
#include <gamut/learn/nonnegative_factorisation.hpp>
#include <gamut/learn/principal_components.hpp>
#include <gamut/learn/random_forest.hpp>
#include <gamut/learn/sparse_coding.hpp>
#include <gamut/learn/topics.hpp>
#include <gamut/model/hinge.hpp>
#include <gamut/model/linear.hpp>
#include <gamut/model/logistic.hpp>
#include <gamut/model/poisson.hpp>
#include <gamut/model/softmax.hpp>
#include <gamut/model/squared_hinge.hpp>
#include <gamut/penalty/box.hpp>
#include <gamut/penalty/elastic_net.hpp>
#include <gamut/penalty/group.hpp>
#include <gamut/penalty/l0.hpp>
#include <gamut/penalty/l1.hpp>
#include <gamut/penalty/l2.hpp>
#include <gamut/penalty/mcp.hpp>
#include <gamut/penalty/none.hpp>
#include <gamut/penalty/scad.hpp>
#include <gamut/solver/admm.hpp>
#include <gamut/solver/certificate.hpp>
#include <gamut/solver/coordinate.hpp>
#include <gamut/solver/disadmm.hpp>
#include <gamut/solver/dual.hpp>
#include <gamut/solver/exact.hpp>
#include <gamut/solver/lbfgs.hpp>
#include <gamut/solver/least_squares.hpp>
#include <gamut/solver/newton_cg.hpp>
#include <gamut/solver/parallel_coordinate.hpp>
#include <gamut/solver/path.hpp>
#include <gamut/solver/plain_function.hpp>
#include <gamut/solver/prune.hpp>
#include <gamut/solver/refit.hpp>
#include <gamut/solver/sgd.hpp>
#include <gamut/solver/strengths.hpp>
#include <gamut/solver/swap.hpp>
#include <gamut/version.hpp>

// SPDX-License-Identifier: BSL-1.0
#pragma once

/// What a fit by an estimator needs, without MPI and CUDA. Beside it stand
///   <gamut/exchange/...>, <gamut/topology/...>, <gamut/table/...>   copies of the weights that meet (docs/spectrum.md)
///   <gamut/network.hpp>               networks as models of an estimator
///   <gamut/communicator/mpi.hpp>      ranks under mpirun
///   <gamut/backend/device.hpp>        Thrust
///   <gamut/compressor/lossless.hpp>   Blosc
///   <gamut/model_file.hpp>            fitted models as JSON files
///   <gamut/learn.hpp>                 learners beside the estimator: k-means, forests, factorisations ...

#include <gamut/backend/host.hpp>
#include <gamut/communicator/counting.hpp>
#include <gamut/communicator/single.hpp>
#include <gamut/communicator/threads.hpp>
#include <gamut/communicator/traced.hpp>
#include <gamut/compressor/bfloat.hpp>
#include <gamut/compressor/error_feedback.hpp>
#include <gamut/compressor/half.hpp>
#include <gamut/compressor/int8.hpp>
#include <gamut/compressor/low_rank.hpp>
#include <gamut/compressor/none.hpp>
#include <gamut/compressor/quantized.hpp>
#include <gamut/compressor/random_k.hpp>
#include <gamut/compressor/sign.hpp>
#include <gamut/compressor/top_k.hpp>
#include <gamut/core/checkpoints.hpp>
#include <gamut/core/csv_lines.hpp>
#include <gamut/core/early_stopping.hpp>
#include <gamut/core/json_lines.hpp>
#include <gamut/core/keep_best.hpp>
#include <gamut/core/progress.hpp>
#include <gamut/core/stall_report.hpp>
#include <gamut/core/stop_on_signal.hpp>
#include <gamut/core/tensorboard.hpp>
#include <gamut/core/time_limit.hpp>
#include <gamut/core/timeline.hpp>
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
#include <gamut/data/texts.hpp>
#include <gamut/data/triples.hpp>
#include <gamut/draw.hpp>
#include <gamut/estimator.hpp>
#include <gamut/evaluate.hpp>
#include <gamut/exchange/compressed_mean.hpp>
#include <gamut/fit_of.hpp>
#include <gamut/fitted_path.hpp>
#include <gamut/fwd.hpp>
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
#include <gamut/update/adagrad.hpp>
#include <gamut/update/adam.hpp>
#include <gamut/update/adamw.hpp>
#include <gamut/update/amsgrad.hpp>
#include <gamut/update/clip.hpp>
#include <gamut/update/momentum.hpp>
#include <gamut/update/nesterov.hpp>
#include <gamut/update/plain.hpp>
#include <gamut/update/rmsprop.hpp>
#include <gamut/validation.hpp>
#include <gamut/version.hpp>

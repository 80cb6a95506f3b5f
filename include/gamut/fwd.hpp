// SPDX-License-Identifier: BSL-1.0
#pragma once

/// The library on one page: every public name, and the default of every template argument. The qualified name is the path:
/// gamut::penalty::l1 lives in <gamut/penalty/l1.hpp>; what stands on a line with a path of its own lives there.
/// Functions (agree, sum, observe, every, rows_where, split, standardize, save, load ...) have the headers of their names.
namespace gamut {

namespace core {
struct error;   // and its children: option_error shape_error data_error communicator_error device_error
struct record;  // result.hpp, with status
template <class Array> struct result;
struct stop;
struct progress;  // observers; see observe.hpp
class json_lines;
class whole_file;
struct random;
class clock;
class names;  // of features; copies share them
// text.hpp: text(...) makes messages; stable_sort.hpp: stable_sort(vector, before); is_utf8.hpp
struct exact;  // exact_sum.hpp: how sums over ranks are added up, or
struct fast;
}  // namespace core

namespace autodiff {  // formulas: operators in arithmetic.hpp, functions in functions.hpp, sum mean log_sum_exp pick in reduce.hpp
struct expression;                   // concept.hpp; node.hpp: what a formula is made of
template <int Rank> struct weights;  // leaf.hpp, with data, labels and the product of data and weights
template <class V> struct dual;
template <class V> class rows;  // gradient.hpp: the reverse pass of one row
}  // namespace autodiff

namespace backend {  // see concept.hpp
template <class T = double> struct host;
template <class B> class array;
template <class T> class shared_vector;   // its own or borrowed; aligned_vector.hpp: on cache lines, or without values
template <class T> struct dense_matrix;   // matrix.hpp
template <class T> struct sparse_matrix;  // sparse.hpp
template <class Matrix> class row_access;
class orthogonal_factor;  // with least_squares_factor
struct double_double;
// sweep.hpp: loss, gradient and Hessian products in one pass; gram.hpp: second moments; pack.hpp: eight numbers at once;
// row_moments.hpp: means and squares while rows are near; row_slopes.hpp: a loss where products are known;
// columns.hpp: columns by index; kernel.hpp, parallel.hpp: how loops of one's own run
// device.hpp, device_matrix.hpp, device_sweep.hpp: the same on Thrust
}  // namespace backend

namespace communicator {
namespace detail {
struct crew;
}
// see concept.hpp; agree.hpp, sum.hpp, observe.hpp: what all ranks do together
template <class Sums = core::exact> struct single;
template <class Sums = core::exact> class threads;
template <class Sums = core::exact> class mpi;  // with mpi_session
template <class C> class counting;
template <class Sums = core::exact, class Crew = detail::crew> class sim;  // ranks in virtual time, on a
struct network;
}  // namespace communicator

namespace data {  // see concept.hpp; every.hpp, rows_where.hpp, split.hpp: parts of a source
template <class T = double> struct csv;
template <class T = double> struct libsvm;
template <class Matrix> class arrays;
template <class Source> struct subset;
class selection;
template <class Matrix> struct dataset;
struct partition;        // shard.hpp
struct preparation;      // intercept and columns
struct standardization;  // standardize.hpp
template <class Matrix> class owned_columns;
// select_columns.hpp: some columns of a dataset; folds.hpp: rows dealt at random
}  // namespace data

namespace model {  // see concept.hpp; any struct with loss(w, X, y) and predict(w, X) is one
struct linear;
struct logistic;
struct softmax;
struct hinge;
struct squared_hinge;
struct poisson;
}  // namespace model

namespace penalty {  // see concept.hpp; any struct with value(w) and prox(w, step) is one
struct none;
struct l1;
struct l2;
struct elastic_net;
struct box;
struct l0;
struct group;
struct mcp;
struct scad;
}  // namespace penalty

namespace criterion {  // see concept.hpp; any function of an information is one
struct aic;
struct bic;
struct ebic;
struct gic;
}  // namespace criterion

namespace consistency {  // see concept.hpp: how stale what workers read may be
struct bulk_synchronous;
struct bounded_staleness;
struct asynchronous;
struct backup_workers;
}  // namespace consistency

namespace table {  // rows that servers keep; see concept.hpp: any struct with apply(values, update, count) is a row
template <class C, class R, class K> class shared;
template <class Part> class worker;
struct layout;
struct managed;  // what goes out before a clock is over
struct record;   // with report
struct sum;
struct descent;
struct adaptive;
template <class R = sum> struct sparse;
class entries;  // of a sparse row
// run.hpp: run(clocks, body, tables...), several tables at once
}  // namespace table

namespace quadratic {   // 1/2 w'Hw - q'w in numbers alone: what solvers do between passes over the data
struct objective;       // the quadratic, with places; symmetric.hpp, semidefinite.hpp: its matrix
class support;          // the best weights on a support that changes: of single candidates,
class units;            // of candidates that come and go together,
class bounded_support;  // with l1 and within bounds; best_alone.hpp: of one weight
class support_model;    // a loss in terms of some candidates; support_search.hpp: exchanges until nothing gains
class candidates;       // what competes for the places of penalty::l0
class lazy_products;    // a matrix made row by row
class known_products;   // of pairs of columns
class perspective;      // convex relaxation of penalty::l0, and
class relaxed;          // its minimum with a quadratic
class nodes;            // of a search tree
struct symmetric;
class semidefinite;
class subset_factor;                   // least squares on subsets of columns, from a triangle of the rows
template <class Parts> class descent;  // over the parts of a penalty: parts_of.hpp
struct least_squares;                  // gram_path.hpp: supports of every size
}  // namespace quadratic

namespace solver {  // see concept.hpp
namespace line_search {
struct wolfe;
struct backtracking;
}  // namespace line_search
// schedule.hpp: rates of sgd; descent.hpp, run.hpp, anderson.hpp: what several solvers share; beginning.hpp, stopping.hpp: where descents begin, and what converged means
template <class Search = line_search::wolfe> struct newton_cg;
template <class Search = line_search::wolfe> struct lbfgs;
struct least_squares;
struct refitted;  // refit.hpp: refit(problem, columns, l2), least squares on some columns
template <class Rate = double> struct sgd;
template <class Local = newton_cg<>> struct admm;
template <class Local = newton_cg<>> struct disadmm;
struct polish;
struct certificate;  // with bounds
struct exact;
struct swap;
struct prune;
struct path;
template <class Array> struct at_kappa;  // what path returns
struct coordinate;
struct strengths;
namespace selection {  // selection.hpp: who moves together
struct random;
struct scheduled;
}  // namespace selection
template <class Selection = selection::scheduled> struct parallel_coordinate;
template <class Model, class Matrix> class column_view;
struct dual;
template <class Model, class Matrix> class dual_block;
template <class Model, class Penalty> struct default_for;
template <class F, class C = communicator::single<>> class plain_function;
template <class P> class gram_problem;
template <class Model, class Dataset, class Penalty, class Backend, class C> class problem;
template <class Model, class Dataset, class Backend, class C> class problem_rows;  // what a problem passes over
template <class Backend> class scaled_weights;                                     // standardisation; with host_copy
template <class Rows, class Scaled> class block;                                   // one block's loss, and its dual
template <class P, class Part> class some_columns;
template <class B, class C>
class any_problem;  // a problem behind one virtual call per pass; erased_problem.hpp makes one
template <class B, class C> class any_smooth_problem;  // with a smooth penalty
template <class B, class C> class any_l0_problem;      // with penalty::l0
// moments.hpp: second moments and derivatives of a problem's rows
}  // namespace solver

template <class Model, class Penalty = penalty::none, class Solver = typename solver::default_for<Model, Penalty>::type,
          class Backend = backend::host<>, class Communicator = communicator::single<>>
struct estimator;
template <class Model, class T = double, class C = communicator::single<>> struct fitted;  // with predictions and score
template <class Model, class T = double, class C = communicator::single<>>
struct fitted_path;  // what an estimator with solver::path fits
template <class Model, class T = double, class C = communicator::single<>>
struct validated_path;  // cross_validate.hpp: cross_validate(estimator, source, data::fold_options)
struct drawing;         // draw.hpp: paths and their validation as pictures
// model_file.hpp: fitted models as files; compiled.hpp, compiled_mpi.hpp: what the library gamut::compiled has ready

}  // namespace gamut

// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>

/// The library on one page: every public name, and the default of every template argument. The qualified name is the path:
/// gamut::penalty::l1 lives in <gamut/penalty/l1.hpp>; what stands on a line with a path of its own lives there.
/// Functions (agree, sum, observe, every, rows_where, split, standardize, save, load ...) have the headers of their names.
namespace gamut {

namespace core {
struct error;   // and its children: option_error shape_error data_error communicator_error device_error
struct record;  // result.hpp, with status
template <class Array> struct result;
struct stop;
struct shown_run;
struct progress;  // observers; see observe.hpp
class json_lines;
class csv_lines;
class tensorboard;
struct time_limit;
class stop_on_signal;
class wait_watcher;  // sees when a rank waits, through communicator::traced:
class timeline;      // writes it down, and
class stall_report;  // says for whom
struct objective_score;
template <class S> struct early_stopping;  // by default of objective_score
template <class S> struct keep_best;
class whole_file;
class svg;           // pictures, drawn piece by piece, and
class chart;         // of lines
struct checkpoints;  // keeps what runs need to go on
class resume_from;   // names what one goes on from; checkpoint_history.hpp: put_history, get_history
struct following;    // follow.hpp: follow(folder, visit)
class checkpoint;    // numbers by name, as a file with checksums (crc32c.hpp)
struct random;
class sum_tree;  // numbers to draw by
// apart.hpp: choose_apart, the dependency check of a schedule
class clock;
class names;  // of features; copies share them
// text.hpp: text(...) makes messages; stable_sort.hpp: stable_sort(vector, before); is_utf8.hpp
struct exact;  // exact_sum.hpp: how sums over ranks are added up, or
struct fast;
}  // namespace core

namespace autodiff {  // formulas: operators in arithmetic.hpp, functions in functions.hpp, power.hpp and row_functions.hpp, sum mean log_sum_exp pick in reduce.hpp
struct expression;    // concept.hpp; node.hpp: what a formula is made of
template <int Rank> struct weights;  // leaf.hpp, with data, labels and the product of data and weights
template <class V> struct dual;
template <class V> class rows;  // gradient.hpp: the reverse pass of one row
template <std::size_t I>
struct matrix;  // parameter.hpp: blocks of parameters, with row, vector and number; blocks.hpp: all of them
struct block_shape;
struct image;    // structure.hpp: moves of numbers; operations.hpp: them, products, masks
struct shifted;  // drawn_moves.hpp: moves that are drawn for each row
template <class Result, class... Step>
struct program;  // a formula cut into steps (steps.hpp, cutting.hpp, relabel.hpp)
struct place_set;
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
template <class T> struct data_rows;                                // what a program is run over
template <class T> struct flat_store;                               // where its parameters are
template <class T, class Result, class... Step> class program_run;  // evaluate.hpp: on arrays of one's own
// sweep.hpp: loss, gradient and Hessian products in one pass; gram.hpp: second moments; pack.hpp, pack_functions.hpp: eight numbers at once;
// row_moments.hpp: means and squares while rows are near; row_slopes.hpp: a loss where products are known;
// columns.hpp: columns by index; kernel.hpp, parallel.hpp: how loops of one's own run
// device.hpp, device_matrix.hpp, device_sweep.hpp: the same on Thrust
}  // namespace backend

namespace communicator {
namespace detail {
struct crew;
}
// see concept.hpp; agree.hpp, sum.hpp, observe.hpp, write_together.hpp: what all ranks do together
template <class Sums = core::exact> struct single;
template <class Sums = core::exact> class threads;
template <class Sums = core::exact> class mpi;  // with mpi_session
template <class C> class traced;                // whose waits are seen
template <class C> class counting;
template <class C> class rotation;                    // blocks that visit nodes, by a route
template <class C> class group;                       // some of its ranks; machine_of, split
template <class C, class T> class background_sum;     // sums that go on while ranks compute, and
template <class C, class T> class background_gather;  // gathers; sum_scatter.hpp: a rank's share of a sum,
template <class C> class background_sum_scatter;      // and the same while ranks compute
struct shares;  // reduce_scatter.hpp; all_gather.hpp: uneven parts; together.hpp: failing so
template <class Sums = core::exact, class Crew = detail::crew> class sim;  // ranks in virtual time, on a
struct network;
}  // namespace communicator

namespace data {  // see concept.hpp; every.hpp, rows_where.hpp, split.hpp: parts of a source
template <class T = double> struct csv;
template <class T = double> struct libsvm;
template <class T = double> struct triples;
template <class T = double> struct texts;
template <class T = double> struct idx;  // pictures
template <class T = double> struct cifar;
template <class T = double> struct frames;  // of speech
template <class Matrix> class arrays;
template <class Source> struct subset;
class selection;
template <class Matrix> struct dataset;
struct partition;        // shard.hpp
struct preparation;      // intercept and columns
struct standardization;  // standardize.hpp
template <class Matrix> class owned_columns;
template <class Matrix> class gathered_rows;  // some rows, dense; total_weight.hpp: the sum of the sample weights
// select_columns.hpp: some columns of a dataset; folds.hpp: rows dealt at random
}  // namespace data

namespace model {  // see concept.hpp; any struct with loss(w, X, y) and predict(w, X) is one
struct linear;
struct logistic;
struct softmax;
struct hinge;
struct squared_hinge;
struct poisson;
// check_labels.hpp: which labels a model takes
}  // namespace model

namespace network {  // see concept.hpp; any struct with operator()(w, x, in) that returns a formula is a layer
struct dense;
struct convolution;
struct max_pool;
struct average_pool;
struct batch_norm;
struct layer_norm;
struct embedding;
struct dropout;
struct flatten;
struct picture;  // the data are pictures
struct augment;  // shifted and mirrored in training
struct relu;
struct tanh;
struct sigmoid;
struct gelu;
template <class... Layers> struct sequential;
template <class... Layers> struct residual;
template <class First, class Second> struct branches;  // whose results are added up
struct cross_entropy;                                  // losses
struct hinge;
struct squared;
template <class Loss, class... Layers> struct feedforward;  // layers and a loss:
template <class... Layers> struct classifier;
template <class... Layers> struct regressor;
enum class start_rule;  // start.hpp: how parameters begin
}  // namespace network

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

namespace update {  // see concept.hpp; what a gradient becomes before it is a step
struct plain;
struct momentum;
struct nesterov;
struct adagrad;
struct rmsprop;
struct adam;
struct adamw;
struct amsgrad;
template <class Rule = plain> struct clip;
}  // namespace update

namespace compressor {  // see concept.hpp; what a message about numbers looks like
struct none;
struct half;
struct bfloat;
struct int8;
struct quantized;
struct sign;
struct top_k;
struct random_k;
struct low_rank;
struct lossless;
template <class C> struct contracted;
template <class C> struct error_feedback;
struct stored_memory;  // what they remember, in checkpoints
}  // namespace compressor

namespace topology {  // see concept.hpp: who hears whom; weights.hpp, mixing_matrix.hpp: what it counts
struct ring;          // with one_way_ring
struct star;
struct full;
struct mesh;
struct exponential;
struct symmetric_exponential;
struct random_regular;
struct random_pairs;
struct one_peer_exponential;  // one_peer.hpp, with one_peer over any graph
struct inner_outer_ring;      // inner_outer.hpp, with inner_outer_exponential
struct base_k;
template <class F> struct function;  // any callable
struct listed;                       // lists; exchange/infer.hpp makes them of what each rank knows
struct metropolis;                   // weights.hpp, with uniform, push, constant
class mixing_matrix;
template <class G = exponential, class Rule = metropolis> struct hierarchical;
}  // namespace topology

namespace exchange {  // see concept.hpp: how copies of the weights meet; nodes.hpp, routes.hpp: what they meet on
struct none;
struct all_reduce;
struct periodic;
struct subnets;  // of a network, dealt to the nodes
enum class order;
template <class G, order Order, class Rule> struct gossip;  // with adapt_while_combining and combine_then_adapt
template <class G, class Compressor, class Rule> struct compressed_gossip;
template <class G, class Rule> struct gradient_tracking;
template <class G, class Rule> struct exact_diffusion;
template <class G, class Rule> struct extra;
template <class G, class Rule> struct push_sum;
template <class G, class Rule> struct push_diging;
template <class C> class nodes;  // first_node.hpp: how they are dealt
template <class G, class Rule> class routes;
struct neighbours;               // infer.hpp: a graph of which every rank knows its own side
template <class C> class slots;  // writing to others without waiting, and with it
template <class G = topology::ring> struct asynchronous_push_sum;
template <class G = topology::ring, class Rule = topology::metropolis> struct asynchronous_gossip;
template <class Compressor, class T>
struct
    mean_memory;  // compressed_mean.hpp: means of vectors, in compressed messages; step_seconds.hpp: how long a meeting will take
}  // namespace exchange

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
class state_writer;  // state.hpp: what a run needs to go on; read_together.hpp: the same one on all ranks
class state_reader;
// schedule.hpp: rates of sgd; descent.hpp, run.hpp, anderson.hpp: what several solvers share; beginning.hpp, stopping.hpp: where descents begin, and what converged means
template <class Search = line_search::wolfe> struct newton_cg;
template <class Search = line_search::wolfe> struct lbfgs;
struct least_squares;
struct refitted;           // refit.hpp: refit(problem, columns, l2), least squares on some columns
enum class momentum_rule;  // how sgd and pipeline use momentum
struct replicated;         // how ranks share memory and messages: an sgd's sharing
struct zero;               // with zero_usage
struct zero_usage;
struct wait_free;
struct block_traffic;  // sufficient_factors.hpp
template <class Rate = double, class Update = update::plain, class Exchange = exchange::none,
          class Sharing = replicated, class Compressor = compressor::none>
struct sgd;
namespace pipeline_schedule {  // pipeline_schedule.hpp: what a stage does when
struct one_after_another;
struct gpipe;
struct one_forward_one_backward;
struct pipedream;
}  // namespace pipeline_schedule
template <class Rate = double, class Update = update::plain,
          class Schedule = pipeline_schedule::one_forward_one_backward>
struct pipeline;
template <class Rate = double, class Update = update::plain, class Consistency = consistency::bounded_staleness>
struct asynchronous;
template <class Local = newton_cg<>> struct admm;
template <class G = topology::ring, class Local = lbfgs<>, class Rule = topology::metropolis> struct decentralised_admm;
template <class Exchange = exchange::extra<topology::ring, topology::metropolis>>
struct resource_allocation;  // with allocation
template <class Local = newton_cg<>> struct disadmm;
struct polish;
struct certificate;  // with bounds
struct exact;
struct swap;
struct prune;
struct path;
template <class Array> struct at_kappa;  // what path returns
struct coordinate;
struct strengths;                           // the path of a Lagrangian penalty, and
template <class Array> struct at_strength;  // what it returns
namespace selection {                       // selection.hpp: who moves together
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
template <class Program, class Dataset, class Penalty, class Backend, class C, bool Twice = true>
class formula_problem;  // a formula of blocks of parameters, and
template <class Program, class Dataset, class Backend, class C> class formula_rows;  // what it passes over
template <class Model, class Dataset, class Backend, class C> class problem_rows;    // what a problem passes over
template <class Backend> class scaled_weights;                                       // standardisation; with host_copy
template <class Rows, class Scaled> class block;                                     // one block's loss, and its dual
template <class P, class Part> class some_columns;
template <class B, class C>
class any_problem;  // a problem behind one virtual call per pass; erased_problem.hpp makes one
template <class B, class C> class any_smooth_problem;  // with a smooth penalty
template <class B, class C> class any_l0_problem;      // with penalty::l0
// moments.hpp: second moments and derivatives of a problem's rows
}  // namespace solver

namespace learn {  // see concept.hpp; model_file.hpp: save and load for all of them
struct outcome;
struct score;
template <class C = communicator::single<>> struct k_means;  // with what it fits:
template <class C = communicator::single<>> struct fitted_k_means;
template <class C = communicator::single<>> struct principal_components;
template <class C = communicator::single<>> struct fitted_principal_components;
template <class C = communicator::single<>> struct nearest;
template <class C = communicator::single<>> struct fitted_nearest;
template <class C = communicator::single<>> struct random_forest;
template <class C = communicator::single<>> struct fitted_random_forest;
template <class C = communicator::single<>> struct nonnegative_factorisation;
template <class C = communicator::single<>> struct fitted_nonnegative_factorisation;
template <class C = communicator::single<>> struct factorisation;
template <class C = communicator::single<>> struct fitted_factorisation;
template <class C = communicator::single<>> struct metric;
template <class C = communicator::single<>> struct fitted_metric;
template <class C = communicator::single<>> struct sparse_coding;
template <class C = communicator::single<>> struct fitted_sparse_coding;
template <class C = communicator::single<>> struct topics;
template <class C = communicator::single<>> struct fitted_topics;
template <class C = communicator::single<>> struct supervised_topics;
template <class C = communicator::single<>> struct fitted_supervised_topics;
struct row_numbers;  // what transform returns
struct drawing;      // draw.hpp: draw(fit, file), draw_history(fit, file)
}  // namespace learn

namespace shrink {  // networks made smaller; file.hpp (save and load), sparsity.hpp: what is left
struct tensor;      // what shrinks; with tensors_of
struct mask;
enum class scope;
struct magnitude;  // which weights stay
struct pruning;    // prune.hpp: prune(estimator, source, fit, pruning)
struct sparsity;
struct lottery_options;  // lottery.hpp: lottery(estimator, source, lottery_options)
template <class Fit> struct lottery_result;
struct quantisation;  // quantise.hpp: quantise(fit, quantisation), or trained
struct rounding;
struct sharing;  // share.hpp: share(fit, sharing), or trained
struct clusters;
class huffman;
class bit_writer;  // bits.hpp, with bit_reader
// number_means.hpp: k-means of numbers
struct compressed_size;                             // what save returns
template <class P, class Rule> class held_problem;  // a problem whose weights a rule holds
}  // namespace shrink

template <class Model, class Penalty = penalty::none, class Solver = typename solver::default_for<Model, Penalty>::type,
          class Backend = backend::host<>, class Communicator = communicator::single<>>
struct estimator;
template <class Model, class T = double, class C = communicator::single<>> struct fitted;  // with predictions and score
template <class Model, class T = double, class C = communicator::single<>>
struct
    fitted_network;  // what an estimator of a network fits; network.hpp: all layers, network_file.hpp: networks as files
template <class Model, class T = double, class C = communicator::single<>>
struct fitted_path;  // what an estimator with solver::path fits
template <class Model, class T = double, class C = communicator::single<>>
struct validated_path;  // cross_validate.hpp: cross_validate(estimator, source, data::fold_options)
struct drawing;         // draw.hpp: paths and their validation as pictures
template <class Model, class T = double, class C = communicator::single<>>
fitted<Model, T, C> fit_of(const core::checkpoint& from, const C& ranks = {}, const Model& model = {});
template <class Model, class T, class C, class Source> class validation;  // early stopping on other rows
struct evaluation;  // evaluate.hpp: evaluate<Model>(folder, test set), a table of struct evaluated
// model_file.hpp: fitted models as files; compiled.hpp, compiled_mpi.hpp: what the library gamut::compiled has ready

}  // namespace gamut

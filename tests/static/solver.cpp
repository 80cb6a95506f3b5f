// SPDX-License-Identifier: BSL-1.0
// What a problem is, what refines it, and which solver takes which.
#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include <gamut/data/dataset.hpp>
#include <gamut/model/hinge.hpp>
#include <gamut/model/softmax.hpp>
#include <gamut/penalty/box.hpp>
#include <gamut/penalty/elastic_net.hpp>
#include <gamut/penalty/l1.hpp>
#include <gamut/penalty/l2.hpp>
#include <gamut/penalty/none.hpp>
#include <gamut/solver/admm.hpp>
#include <gamut/solver/dual.hpp>
#include <gamut/solver/lbfgs.hpp>
#include <gamut/solver/newton_cg.hpp>
#include <gamut/solver/plain_function.hpp>
#include <gamut/solver/problem.hpp>
#include <gamut/solver/sgd.hpp>

#include "../solver/quadratic.hpp"

using namespace gamut;
using namespace gamut::solver;

namespace {

using ridge = toy::problem<toy::squared, penalty::l2>;
using lasso = toy::problem<toy::squared, penalty::l1>;
using bounded = toy::problem<toy::logistic, penalty::box>;
using block = toy::part<toy::squared>;

double parabola(std::span<const double> w, std::span<double> g) {
    g[0] = 2 * w[0];
    return w[0] * w[0];
}
using plain = plain_function<double (*)(std::span<const double>, std::span<double>)>;

struct values_only {
    using array = toy::array;
    static constexpr bool smooth = true;
    std::size_t dimension() const { return 1; }
    double value(const array&) const { return 0; }
    array start() const { return array(1); }
    std::size_t passes() const { return 0; }
    communicator::single<> communicator() const { return {}; }
};
struct gradients_too : values_only {
    double value_and_gradient(const array&, array&) const { return 0; }
};
struct smooth_unknown : gradients_too {
    bool smooth = true;  // not known at compile time
};
struct alone : gradients_too {
    int communicator() const { return 0; }
};
struct hessian_without_times : gradients_too {
    int hessian(const array&) const { return 0; }
};
struct with_hessian : gradients_too {
    struct product {
        void times(const array&, array&) const {}
    };
    product hessian(const array&) const { return {}; }
};
struct corner : gradients_too {
    static constexpr bool smooth = false;
};
struct with_prox : corner {
    double penalty(const array&) const { return 0; }
    void prox(const array&, double, array&) const {}
    std::size_t nonzeros(const array&) const { return 0; }
};
struct in_blocks : with_prox {
    std::size_t blocks() const { return 1; }
    std::size_t first_block() const { return 0; }
    std::size_t last_block() const { return 1; }
    gradients_too block(std::size_t) const { return {}; }
};
struct in_batches : gradients_too {
    std::size_t batches(std::size_t) const { return 1; }
    double batch_gradient(const array&, const batch&, array&) const { return 0; }
};
struct corner_in_batches : corner {
    std::size_t batches(std::size_t) const { return 1; }
    double batch_gradient(const array&, const batch&, array&) const { return 0; }
};

static_assert(Function<ridge> && Function<lasso> && Function<block> && Function<plain> && Function<gradients_too>);
static_assert(!Function<values_only> && !Function<int>);

static_assert(Problem<ridge> && Problem<lasso> && Problem<plain> && Problem<gradients_too>);
static_assert(!Problem<block> && !Problem<values_only> && !Problem<smooth_unknown> && !Problem<alone>);
static_assert(SmoothProblem<ridge> && SmoothProblem<plain>);
static_assert(!SmoothProblem<lasso> && !SmoothProblem<bounded> && !SmoothProblem<corner> && !SmoothProblem<block>);

static_assert(TwiceDifferentiable<ridge> && TwiceDifferentiable<lasso> && TwiceDifferentiable<block> &&
              TwiceDifferentiable<with_hessian>);
static_assert(!TwiceDifferentiable<plain> && !TwiceDifferentiable<gradients_too> &&
              !TwiceDifferentiable<hessian_without_times>);

static_assert(Composite<ridge> && Composite<lasso> && Composite<with_prox>);
static_assert(!Composite<plain> && !Composite<corner>);
static_assert(Consensus<ridge> && Consensus<bounded> && Consensus<in_blocks>);
static_assert(!Consensus<with_prox> && !Consensus<plain>);
static_assert(Stochastic<ridge> && Stochastic<in_batches> && Stochastic<corner_in_batches>);
static_assert(!Stochastic<gradients_too> && !Stochastic<plain>);

template <class Model, class Penalty>
using on_rows = solver::problem<Model, data::dataset<backend::dense_matrix<double>>, Penalty, backend::host<>,
                                communicator::single<>>;
static_assert(DualProblem<on_rows<model::hinge, penalty::l2>> && DualProblem<on_rows<model::hinge, penalty::box>>);
static_assert(!DualProblem<on_rows<model::softmax, penalty::l2>> && !DualProblem<ridge> && !DualProblem<plain>);
static_assert(SolverFor<dual, on_rows<model::hinge, penalty::l2>>);
static_assert(SolverFor<dual, on_rows<model::hinge, penalty::elastic_net>>);
static_assert(!SolverFor<dual, on_rows<model::hinge, penalty::l1>> &&
              !SolverFor<dual, on_rows<model::softmax, penalty::l2>> && !SolverFor<dual, ridge>);

static_assert(SolverFor<lbfgs<>, ridge> && SolverFor<lbfgs<>, plain> && SolverFor<lbfgs<>, gradients_too>);
static_assert(!SolverFor<lbfgs<>, lasso> && !SolverFor<lbfgs<>, bounded> && !SolverFor<lbfgs<>, values_only>);
static_assert(SolverFor<newton_cg<>, ridge> && SolverFor<newton_cg<>, with_hessian>);
static_assert(!SolverFor<newton_cg<>, lasso> && !SolverFor<newton_cg<>, plain>);
static_assert(SolverFor<admm<>, lasso> && SolverFor<admm<>, ridge> && SolverFor<admm<>, bounded>);
static_assert(!SolverFor<admm<>, plain> && !SolverFor<admm<>, with_prox>);
static_assert(SolverFor<admm<lbfgs<>>, in_blocks> &&
              !SolverFor<admm<newton_cg<>>, in_blocks>);  // its blocks have no hessian
static_assert(SolverFor<sgd<>, ridge> && SolverFor<sgd<>, lasso> && SolverFor<sgd<>, in_batches>);
static_assert(!SolverFor<sgd<>, corner_in_batches> && !SolverFor<sgd<>, gradients_too> && !SolverFor<sgd<>, plain>);
static_assert(!SolverFor<int, ridge> && !SolverFor<lbfgs<>, int>);

static_assert(LocalSolverFor<lbfgs<>, block> && LocalSolverFor<newton_cg<>, block> &&
              LocalSolverFor<lbfgs<>, gradients_too>);
static_assert(!LocalSolverFor<newton_cg<>, gradients_too> && !LocalSolverFor<sgd<>, block> &&
              !LocalSolverFor<lbfgs<>, values_only>);

// policies are deduced from what is written in braces
static_assert(std::is_same_v<decltype(sgd{.rate = 0.1}), sgd<double>>);
static_assert(std::is_same_v<decltype(sgd{.rate = schedule::cosine{}}), sgd<schedule::cosine>>);
static_assert(std::is_same_v<decltype(lbfgs{.memory = 5}), lbfgs<line_search::wolfe>>);
static_assert(std::is_same_v<decltype(lbfgs{.search = line_search::backtracking{}}), lbfgs<line_search::backtracking>>);
static_assert(std::is_same_v<decltype(admm{.rho = 1}), admm<newton_cg<>>>);
static_assert(std::is_same_v<decltype(admm{.local = lbfgs{}}), admm<lbfgs<>>>);
static_assert(schedule::Schedule<double> && schedule::Schedule<schedule::step> && !schedule::Schedule<std::string>);

[[maybe_unused]] const plain is_a_problem{1, parabola};

}  // namespace

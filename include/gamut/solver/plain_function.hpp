// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <concepts>
#include <cstddef>
#include <exception>
#include <span>
#include <utility>
#include <vector>

#include <gamut/backend/host.hpp>
#include <gamut/communicator/single.hpp>
#include <gamut/communicator/sum.hpp>
#include <gamut/fwd.hpp>
#include <gamut/solver/concept.hpp>

namespace gamut::solver {

/// Your own function as a problem: f(w, gradient) fills the gradient and returns the value.
///
///     auto fit = solver::lbfgs{}.minimize(solver::plain_function{2, [](auto w, auto g) { ...; return value; }});
///
/// w is a std::span<const double>, g a std::span<double> of the same size. The run starts at zeros, or at a
/// std::vector<double> given in place of the dimension. With a communicator, what is minimised is the sum of the ranks'
/// functions, each of which sees its own part of the data; a rank that throws makes all ranks throw.
template <class F, class C> class plain_function {
    static_assert(communicator::Communicator<C>,
                  "plain_function: needs a communicator; see gamut/communicator/concept.hpp");

public:
    using array = backend::array<backend::host<double>>;
    static constexpr bool smooth = true;

    template <std::integral Size>
    plain_function(Size dimension, F f, C communicator = C{})
        : plain_function(std::vector<double>(static_cast<std::size_t>(dimension)), std::move(f),
                         std::move(communicator)) {}

    plain_function(std::vector<double> start, F f, C communicator = C{})
        : f_(std::move(f)),
          communicator_(std::move(communicator)),
          start_(std::span<const double>(start)),
          scratch_(start.size()),
          partial_(start.size() + 1) {
        static_assert(
            std::is_invocable_r_v<double, const F&, std::span<const double>, std::span<double>>,
            "plain_function: needs f(std::span<const double> w, std::span<double> gradient) that returns the value");
    }

    std::size_t dimension() const { return start_.size(); }
    const array& start() const { return start_; }
    const C& communicator() const { return communicator_; }
    std::size_t passes() const { return passes_; }

    double value(const array& w) const { return value_and_gradient(w, scratch_); }

    double value_and_gradient(const array& w, array& gradient) const {
        ++passes_;
        if (communicator_.size() == 1) return f_(w.span(), gradient.span());
        const std::span part(partial_);
        std::exception_ptr failure;
        try {
            part.back() = f_(w.span(), part.first(dimension()));
        } catch (...) {
            failure = std::current_exception();
        }
        communicator::sum(communicator_, std::span<const double>(part), 1, part, failure);
        gradient.upload(part.first(dimension()));
        return part.back();
    }

private:
    F f_;
    C communicator_;
    array start_;
    mutable array scratch_;
    mutable std::vector<double> partial_;
    mutable std::size_t passes_ = 0;
};

template <class D, class F> plain_function(D, F) -> plain_function<F>;
template <class D, class F, class C> plain_function(D, F, C) -> plain_function<F, C>;

}  // namespace gamut::solver

// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <limits>
#include <span>
#include <vector>

#include <gamut/core/error.hpp>

/// What is added to the loss to prefer some weights to others. Strengths multiply the entries of W (features x outputs,
/// row-major); a problem never shows a penalty its intercepts.
///
///   value(w)          the penalty; infinite where w is not allowed
///   prox(v, step)     argmin over z of  value(z) + (z - v)^2 / (2 step)
///
/// A separable penalty is written for one weight, and so runs unchanged in a loop on the host or a kernel elsewhere. One
/// that must see all weights at once is written for spans. NaN goes in and NaN comes out: a prox must not hide it.
namespace gamut::penalty {

/// The place of entry j in W: row j / outputs (a feature), column j % outputs.
struct layout {
    std::size_t features = 0, outputs = 1;
    constexpr std::size_t size() const { return features * outputs; }
};

template <class P, class T = double>
concept HasValue = requires(const P& p, T w) {
    { p.value(w) } -> std::convertible_to<T>;
};

template <class P, class T = double>
concept HasProx = requires(const P& p, T v, T step) {
    { p.prox(v, step) } -> std::convertible_to<T>;
};

/// A sum over the weights of one function of one weight.
template <class P, class T = double>
concept Separable = HasValue<P, T> && HasProx<P, T>;

/// Differentiable everywhere, so it may join the smooth part of a problem.
template <class P, class T = double>
concept Smooth = Separable<P, T> && requires(const P& p, T w) {
    { p.derivative(w) } -> std::convertible_to<T>;
    { p.second_derivative(w) } -> std::convertible_to<T>;
};

/// A function of all weights at once. `out` may be `v` itself.
template <class P, class T = double>
concept WholeVector = requires(const P& p, std::span<const T> v, T step, std::span<T> out, layout shape) {
    { p.value(v, shape) } -> std::convertible_to<double>;
    p.prox(v, step, out, shape);
};

template <class P, class T = double>
concept Penalty = Separable<P, T> || WholeVector<P, T>;

/// Fails to compile, in one sentence, when P is no penalty.
template <class P, class T = double> constexpr void explain() {
    static_assert(WholeVector<P, T> || HasValue<P, T>, "penalty: needs value(w); see gamut/penalty/concept.hpp");
    static_assert(WholeVector<P, T> || HasProx<P, T>, "penalty: needs prox(w, step); see gamut/penalty/concept.hpp");
}

/// Checks the options of a penalty that has a `validate`; throws option_error.
template <class P> void validate(const P& p, layout shape) {
    if constexpr (requires { p.validate(shape); }) p.validate(shape);
}

/// The penalty of all weights, added up in the order of the entries.
template <class P, class T> double value(const P& p, std::span<const T> w, layout shape) {
    if constexpr (WholeVector<P, T>) {
        return p.value(w, shape);
    } else {
        double sum = 0;
        for (const T entry : w) sum += static_cast<double>(p.value(entry));
        return sum;
    }
}

/// The prox of all weights. `out` may be `v` itself.
template <class P, class T> void prox(const P& p, std::span<const T> v, T step, std::span<T> out, layout shape) {
    if (v.size() != shape.size() || out.size() != v.size())
        throw core::shape_error(core::text("penalty::prox: ", v.size(), " weights into ", out.size(),
                                           " (the layout has ", shape.features, " x ", shape.outputs,
                                           ") leave the intercepts out"));
    if constexpr (WholeVector<P, T>) {
        p.prox(v, step, out, shape);
    } else {
        for (std::size_t j = 0; j < v.size(); ++j) out[j] = static_cast<T>(p.prox(v[j], step));
    }
}

namespace detail {

/// The weights that are kept or left out together, in their order in W: entries, or those of a feature or of a group of features.
class units {
public:
    units() = default;
    /// All of the same width.
    units(std::size_t entries, std::size_t width) : width_(width), count_(entries / width) {}
    /// sizes: features in each.
    units(std::span<const std::size_t> sizes, std::size_t outputs) : width_(sizes.empty() ? 1 : sizes[0] * outputs) {
        count_ = sizes.size();
        if (std::all_of(sizes.begin(), sizes.end(), [&](std::size_t size) { return size == sizes[0]; })) return;
        first_.push_back(0);
        for (const std::size_t size : sizes) {
            of_.insert(of_.end(), size * outputs, first_.size() - 1);
            first_.push_back(of_.size());
        }
    }

    std::size_t count() const { return count_; }
    /// Of an entry.
    std::size_t of(std::size_t entry) const { return of_.empty() ? entry / width_ : of_[entry]; }
    /// The entries of unit u are first(u) to first(u + 1).
    std::size_t first(std::size_t unit) const { return of_.empty() ? unit * width_ : first_[unit]; }
    std::size_t size(std::size_t unit) const { return first(unit + 1) - first(unit); }
    /// Every entry is one.
    bool are_entries() const { return of_.empty() && width_ == 1; }

private:
    std::size_t width_ = 1, count_ = 0;
    std::vector<std::size_t> first_, of_;  // empty: all of the same width
};

/// Throws unless 0 <= strength < infinity.
inline void check_strength(const char* who, const char* option, double strength) {
    if (!(strength >= 0 && strength <= std::numeric_limits<double>::max()))
        throw core::option_error(
            core::text(who, ": ", option, " is ", strength, " (it must be finite, and 0 or more)"));
}

/// Throws unless a finite number lies between the bounds; NaN is refused.
inline void check_bounds(const char* who, double lower, double upper) {
    constexpr double largest = std::numeric_limits<double>::max();
    if (std::isnan(lower) || std::isnan(upper))
        throw core::option_error(core::text(who, ": lower is ", lower, " and upper is ", upper,
                                            " (NaN is no number) leave out what is unbounded"));
    if (!(lower <= upper && lower <= largest && upper >= -largest))
        throw core::option_error(core::text(who, ": lower is ", lower, " and upper is ", upper,
                                            " (no weight lies between them) lower must not be above upper"));
}

/// v moved towards 0 by `threshold`, and 0 within it. v - v is 0, or NaN if v is.
template <class T> constexpr T shrink(T v, T threshold) {
    return v > threshold ? v - threshold : v < -threshold ? v + threshold : v - v;
}

template <class T> constexpr T clip(T v, T lower, T upper) { return v < lower ? lower : v > upper ? upper : v; }

}  // namespace detail
}  // namespace gamut::penalty

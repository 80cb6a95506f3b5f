// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cmath>
#include <concepts>
#include <cstddef>
#include <numbers>
#include <type_traits>

#include <gamut/core/error.hpp>
#include <gamut/core/text.hpp>

/// Step lengths over time: rate(epoch), epoch being counted in passes over the data, with fractions. Any callable will do,
/// and so will a number.
namespace gamut::solver::schedule {

template <class S>
concept Schedule = std::is_arithmetic_v<S> || requires(const S& s, double epoch) {
    { s(epoch) } -> std::convertible_to<double>;
};

namespace detail {
inline void check(const char* who, const char* option, double value) {
    if (!(value > 0 && std::isfinite(value)))
        throw core::option_error(core::text(who, ": ", option, " is ", value, " (it must be finite and above 0)"));
}
}  // namespace detail

struct constant {
    double rate = 0.1;
    double operator()(double) const { return rate; }
    void validate() const { detail::check("schedule::constant", "rate", rate); }
};

/// rate factor^floor(epoch / every): a staircase.
struct step {
    double rate = 0.1, factor = 0.5, every = 10;
    double operator()(double epoch) const { return rate * std::pow(factor, std::floor(epoch / every)); }
    void validate() const {
        detail::check("schedule::step", "rate", rate);
        detail::check("schedule::step", "factor", factor);
        detail::check("schedule::step", "every", every);
    }
};

/// rate / (1 + decay epoch): slow enough to reach any point, fast enough to average the noise away. Robbins and Monro 1951.
struct inverse_time {
    double rate = 0.1, decay = 1;
    double operator()(double epoch) const { return rate / (1 + decay * epoch); }
    void validate() const {
        detail::check("schedule::inverse_time", "rate", rate);
        detail::check("schedule::inverse_time", "decay", decay);
    }
};

/// From rate down to `least` along half a cosine over `epochs`, then constant. Loshchilov and Hutter 2017.
struct cosine {
    double rate = 0.1, epochs = 50, least = 0;
    double operator()(double epoch) const {
        const double progress = epoch < epochs ? epoch / epochs : 1;
        return least + 0.5 * (rate - least) * (1 + std::cos(std::numbers::pi * progress));
    }
    void validate() const {
        detail::check("schedule::cosine", "rate", rate);
        detail::check("schedule::cosine", "epochs", epochs);
        if (!(least >= 0 && least <= rate))
            throw core::option_error(
                core::text("schedule::cosine: least is ", least, " (it must lie between 0 and rate)"));
    }
};

/// The rate at a time, of a schedule or a number.
template <Schedule S> double at(const S& schedule, double epoch) {
    if constexpr (std::is_arithmetic_v<S>)
        return static_cast<double>(schedule);
    else
        return static_cast<double>(schedule(epoch));
}

/// Throws option_error for a rate that no step can have.
template <Schedule S> void validate(const S& schedule) {
    if constexpr (requires { schedule.validate(); })
        schedule.validate();
    else
        detail::check("schedule", "rate", at(schedule, 0.0));
}

/// From 0 up to the first rate of another schedule, linearly over `epochs`, and then along that schedule from its beginning:
///   after(0) epoch / epochs,  then after(epoch - epochs)
/// Goyal et al., Accurate, large minibatch SGD: training ImageNet in 1 hour, 2017, section 2.2.
template <Schedule After = constant> struct warm_up {
    double epochs = 5;
    After after{};
    double operator()(double epoch) const {
        return epoch < epochs ? at(after, 0) * (epoch / epochs) : at(after, epoch - epochs);
    }
    void validate() const {
        detail::check("schedule::warm_up", "epochs", epochs);
        schedule::validate(after);
    }
};

}  // namespace gamut::solver::schedule
